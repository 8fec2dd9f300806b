/* A phantom for a test. */
#pragma once
#include "robion/phantom.h"
#include "robion/structure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

/* A digital patient by its seed. */
static inline Case *PhantomPatient(const char *kind, PetscInt seed, double ct_mm)
{
  char keys[64];
  snprintf(keys, sizeof keys, "ct_spacing_mm: %g, seed: %d", ct_mm, (int)seed);
  return PhantomCase(kind, keys);
}

/* No structure is empty, none leaves the body, these pairs have no voxel in common, and the first of these lie in the second. */
static inline void PhantomCheckPlaces(const Case *patient, PetscInt n_apart, const char *const (*apart)[2],
                                      PetscInt n_within, const char *const (*within)[2])
{
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    const char *name = patient->structures[s].name;
    if (!(StructureVolume_cm3(patient, s) > 0.1)) fail_msg("%s: %s is empty", patient->source, name);
    if (StructureOutside_cm3(patient, s) > 0) fail_msg("%s: %s leaves the body", patient->source, name);
  }
  for (PetscInt i = 0; i < n_apart; i++)
    if (PhantomVoxels(patient, apart[i][0], PETSC_TRUE, apart[i][1]))
      fail_msg("%s: %s and %s overlap", patient->source, apart[i][0], apart[i][1]);
  for (PetscInt i = 0; i < n_within; i++)
    if (PhantomVoxels(patient, within[i][0], PETSC_FALSE, within[i][1]))
      fail_msg("%s: %s leaves %s", patient->source, within[i][0], within[i][1]);
}

/* Volumes between two bounds. */
typedef struct PhantomSize {
  const char *name;
  double least_cm3, most_cm3;
} PhantomSize;
static inline void PhantomCheckSizes(const Case *patient, PetscInt n, const PhantomSize *size)
{
  for (PetscInt i = 0; i < n; i++) {
    const double cm3 = PhantomVolume_cm3(patient, size[i].name);
    if (!(cm3 >= size[i].least_cm3 && cm3 <= size[i].most_cm3))
      fail_msg("%s: %s has %g cm3, expected %g to %g", patient->source, size[i].name, cm3, size[i].least_cm3,
               size[i].most_cm3);
  }
}

/* The same seed gives the same bits, another one another patient. */
static inline void PhantomCheckRepeatable(const char *kind, double ct_mm)
{
  Case *first = PhantomPatient(kind, 3, ct_mm), *again = PhantomPatient(kind, 3, ct_mm);
  Case *other = PhantomPatient(kind, 4, ct_mm);
  const size_t n = GridSize(&first->ct);
  assert_memory_equal(first->hu, again->hu, n * sizeof *first->hu);
  for (PetscInt s = 0; s < first->n_structures; s++)
    assert_memory_equal(first->structures[s].mask, again->structures[s].mask, n);
  assert_true(GridSize(&other->ct) != n || memcmp(first->hu, other->hu, n * sizeof *first->hu));
  assert_int_equal(CaseDestroy(&first) || CaseDestroy(&again) || CaseDestroy(&other), 0);
}

/* Mean stopping power of a structure's voxels outside the GTV. */
static inline double PhantomMeanRSP(const Case *patient, const char *name)
{
  const unsigned char *mask = PhantomMask(patient, name), *gtv = PhantomMask(patient, "GTV");
  double sum = 0, n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++)
    if (mask[v] && !gtv[v]) sum += patient->rsp[v], n++;
  return sum / n;
}
