/* The reference cases: every one loads, and its structures have the volumes its file states. */
#include "robion/case.h"
#include "robion/hdf5.h"
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static void CheckVolumes(const char *file, const Case *patient)
{
  Mistakes mistakes = {0};
  H5Source source;
  assert_true(H5SourceOpen(file, &mistakes, &source));
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    char path[512];
    double volume_cm3;
    size_t n = 0;
    for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
    snprintf(path, sizeof path, "/structures/%s", patient->structures[s].name);
    assert_true(H5ReadAttribute(&source, path, "volume_cm3", 1, &volume_cm3, &mistakes));
    assert_double_near((double)n * GridVoxelVolume_cm3(&patient->ct), volume_cm3, 6e-4); /* stated to 1 mm3 */
  }
  assert_true(H5SourceClose(&source, &mistakes));
}

static void AllLoad(void **state)
{
  const char *reference = getenv("ROBION_REFERENCE");
  char pattern[512];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/cases/*.h5", reference ? reference : "../shared");
  if (glob(pattern, 0, NULL, &found)) skip();
  snprintf(pattern, sizeof pattern, "%s/cases/sarcoma/*.h5", reference ? reference : "../shared");
  assert_int_equal(glob(pattern, GLOB_APPEND, NULL, &found), 0);
  assert_true(found.gl_pathc >= 15);
  HLUT hlut;
  assert_int_equal(HLUTDefault(&hlut), 0);
  for (size_t f = 0; f < found.gl_pathc; f++) {
    Mistakes mistakes = {0};
    Case *patient;
    assert_int_equal(CaseLoad(found.gl_pathv[f], &mistakes, &patient), 0);
    MistakesPrint(&mistakes);
    assert_non_null(patient);
    assert_true(CaseFindExternal(patient) >= 0);
    CheckVolumes(found.gl_pathv[f], patient);
    assert_int_equal(CaseSetRSP(patient, &hlut), 0);
    size_t wrong = 0;
    for (size_t v = 0; v < GridSize(&patient->ct); v++) wrong += !(patient->rsp[v] > 0 && patient->rsp[v] < 3);
    assert_int_equal(wrong, 0);
    if (strstr(found.gl_pathv[f], "/sts_") || strstr(found.gl_pathv[f], "thigh")) {
      assert_int_equal(patient->n_beam_angles, 2);
      assert_int_equal(patient->n_maps, 1);
    }
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  globfree(&found);
  assert_int_equal(PetscFree(hlut.point), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(AllLoad)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
