/* Base data for tests that are about something else than how they are made. */
#pragma once
#include "robion/machine.h"
#include <stdlib.h>

/** The machine of the small boxes in tests/studies, for tests that want any of some energies: it is there already. */
static inline PetscErrorCode BaseDataSpecOfBoxes(MachineSpec *spec)
{
  PetscFunctionBegin;
  PetscCall(MachineSpecDefault(spec));
  spec->energy_max_MeV_u = 180;
  spec->range_step_mm = 4;
  PetscFunctionReturn(0);
}

/**
 * As MachineBuild, but what another test has had made is read from $ROBION_TEST_CACHE, a folder that tests/run.sh names after
 * the machine's objects; built where that is not set. Collective.
 */
static inline PetscErrorCode BaseData(MPI_Comm comm, const MachineSpec *spec, Machine **out)
{
  PetscFunctionBegin;
  const char *folder = getenv("ROBION_TEST_CACHE");
  if (folder) {
    setenv("ROBION_CACHE", folder, 1);
    PetscCall(MachineBuiltin(comm, spec, out));
  } else
    PetscCall(MachineBuild(comm, spec, out));
  PetscFunctionReturn(0);
}
