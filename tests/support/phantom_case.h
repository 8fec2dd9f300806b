/* A phantom for a test. */
#pragma once
#include "robion/phantom.h"
#include "robion/structure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Built with these keys ("" for none), as a study would have them: "ct_spacing_mm: 2, heterogeneous: true". */
static inline Case *PhantomCase(const char *kind, const char *keys)
{
  Mistakes mistakes = {0};
  PhantomSpec spec;
  Case *patient = NULL;
  assert_int_equal(PhantomSpecRead(kind, keys, &mistakes, &spec), 0);
  if (spec.keys) assert_int_equal(CaseBuildPhantom(&spec, kind, &mistakes, &patient), 0);
  assert_int_equal(PhantomSpecDestroy(&spec), 0);
  MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_non_null(patient);
  return patient;
}

static inline const unsigned char *PhantomMask(const Case *patient, const char *name)
{
  const PetscInt s = CaseFindStructure(patient, name);
  assert_true(s >= 0);
  return patient->structures[s].mask;
}

static inline double PhantomVolume_cm3(const Case *patient, const char *name)
{
  return StructureVolume_cm3(patient, CaseFindStructure(patient, name));
}

/* Voxels of one structure that are outside (or inside) another. */
static inline size_t PhantomVoxels(const Case *patient, const char *of, PetscBool inside, const char *other)
{
  const unsigned char *a = PhantomMask(patient, of), *b = PhantomMask(patient, other);
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += a[v] && (b[v] != 0) == inside;
  return n;
}
