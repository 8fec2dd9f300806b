/*
 * What the comparisons with reference doses share: matRad v3.2.2 with its generic carbon machine (github.com/e0404/matRad),
 * weight 1 = 1e6 primaries. The data lie in the folder $ROBION_REFERENCE; without it the tests are skipped.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"
#include "robion/exchange.h"
#include "robion/hdf5.h"
#include "robion/influence.h"
#include <math.h>

#define REFERENCE_PARTICLES 1e6 /* of weight 1 */

static inline void ReferencePath(const char *name, char path[PETSC_MAX_PATH_LEN])
{
  const char *folder = getenv("ROBION_REFERENCE");
  snprintf(path, PETSC_MAX_PATH_LEN, "%s/%s", folder ? folder : "../shared", name);
}

/* The file's handle; ends the test as skipped where it is absent. `path` holds the name as long as the source is used. */
static inline H5Source ReferenceOpen(const char *name, char path[PETSC_MAX_PATH_LEN])
{
  H5Source source;
  Mistakes mistakes = {0};
  ReferencePath(name, path);
  if (access(path, R_OK)) skip();
  assert_true(H5SourceOpen(path, &mistakes, &source));
  return source;
}

static inline void ReferenceClose(H5Source *source)
{
  Mistakes mistakes = {0};
  assert_true(H5SourceClose(source, &mistakes));
}

/* A dataset as doubles, its number of elements checked. */
static inline double *ReferenceArray(const H5Source *source, const char *group, const char *name, int rank, size_t n)
{
  char path[256];
  hsize_t dims[4] = {0}, found = 1;
  double *out = NULL;
  Mistakes mistakes = {0};
  snprintf(path, sizeof path, "%s/%s", group, name);
  PetscBool read = H5ReadArray(source, path, H5T_NATIVE_DOUBLE, rank, dims, &out, &mistakes);
  MistakesPrint(&mistakes);
  assert_true(read);
  for (int k = 0; k < rank; k++) found *= dims[k];
  assert_int_equal(found, n);
  return out;
}

static inline Machine *ReferenceMachine(void)
{
  char path[PETSC_MAX_PATH_LEN];
  Machine *machine;
  Mistakes mistakes = {0};
  ReferencePath("matrad/carbon_Generic.mat", path);
  if (access(path, R_OK)) skip();
  assert_int_equal(MachineReadMatRad(path, &mistakes, &machine), 0);
  assert_non_null(machine);
  return machine;
}

/* alpha and beta as the machine's file has them for a tissue class. */
static inline Biology *ReferenceBiology(const Machine *machine, double alpha_x_per_Gy)
{
  BiologySpec spec;
  Biology *biology;
  Mistakes mistakes = {0};
  assert_int_equal(BiologySpecDefault(&spec), 0);
  spec.model = "table";
  spec.alpha_x_per_Gy = alpha_x_per_Gy;
  assert_int_equal(BiologyCreate(&spec, machine, &mistakes, &biology), 0);
  assert_non_null(biology);
  return biology;
}

static inline BeamSet *ReferenceBeams(BeamSpec *beam, PetscInt n_beams, const Case *patient, const Machine *machine,
                                      const SpotList *spots, PetscInt **spot_of)
{
  const BeamSetSpec spec = {.n = n_beams, .beam = beam, .where = (char *)"reference"};
  const Region unused = {0}; /* isocentres are given */
  BeamSet *beams;
  Mistakes mistakes = {0};
  assert_int_equal(BeamSetFromSpots(&spec, patient, machine, &patient->ct, &unused, spots, &mistakes, &beams, spot_of),
                   0);
  MistakesPrint(&mistakes);
  assert_non_null(beams);
  return beams;
}

static inline ScenarioSet *ReferenceNominal(void)
{
  double zero = 0;
  const ScenarioSpec spec = {.n_range = 1, .range_percent = &zero, .setup = SETUP_NONE};
  ScenarioSet *set;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  return set;
}
