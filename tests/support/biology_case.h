/* What the tests of mixed-beam and of the averages of beta share: preset, machine of one energy, biologies on it. */
#pragma once
#include "robion/biology.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base_data.h"
#include "near.h"

static BiologySpec hsg;  /* the preset mixed-beam */
static Machine *machine; /* 290 MeV/u */

/* Group set-up: PETSc, the preset and the machine. */
static inline int Start(void **state)
{
  MachineSpec spec;
  if (PetscInitializeNoArguments() || BiologySpecPreset("mixed-beam", NULL, &hsg) || MachineSpecDefault(&spec))
    return 1;
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = 290;
  return BaseData(PETSC_COMM_SELF, &spec, &machine);
}

/* Group tear-down: what Start made. */
static inline int Stop(void **state)
{
  return MachineDestroy(&machine) || PetscFinalize();
}

/* The biology of `spec` on the machine, made without a mistake. */
static inline Biology *Create(const BiologySpec *spec)
{
  Biology *biology;
  Mistakes mistakes = {0};
  assert_int_equal(BiologyCreate(spec, machine, &mistakes, &biology), 0);
  assert_int_equal(mistakes.n, 0);
  return biology;
}
