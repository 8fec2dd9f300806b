/* The matRad patient importer against reference conversions, and files that are no patients or damaged. */
#include "robion/exchange.h"
#include "robion/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char temporary[256];

static const char *Reference(const char *name)
{
  static char path[2][512];
  static int turn;
  const char *folder = getenv("ROBION_REFERENCE");
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder ? folder : "../shared", name);
  return access(path[turn], R_OK) ? NULL : path[turn];
}

static Case *Import(const char *file)
{
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseReadMatRad(file, &mistakes, &patient), 0);
  MistakesPrint(&mistakes);
  assert_non_null(patient);
  return patient;
}

/* The phantom equals the case file that was converted by other code. */
static void BoxPhantom(void **state)
{
  const char *mat = Reference("matrad/BOXPHANTOM.mat"), *h5 = Reference("cases/boxphantom.h5");
  if (!mat || !h5) skip();
  Mistakes mistakes = {0};
  Case *found = Import(mat), *want;
  assert_int_equal(CaseLoad(h5, &mistakes, &want), 0);
  assert_memory_equal(found->ct.n, want->ct.n, sizeof want->ct.n);
  assert_memory_equal(found->ct.spacing_mm, want->ct.spacing_mm, sizeof want->ct.spacing_mm);
  assert_memory_equal(found->ct.origin_mm, want->ct.origin_mm, sizeof want->ct.origin_mm);
  assert_int_equal(memcmp(found->hu, want->hu, GridSize(&want->ct) * sizeof *want->hu), 0);
  assert_int_equal(found->n_structures, want->n_structures);
  for (PetscInt s = 0; s < want->n_structures; s++) {
    PetscInt f = CaseFindStructure(found, want->structures[s].name);
    assert_true(f >= 0);
    assert_int_equal(found->structures[f].role, want->structures[s].role);
    assert_int_equal(memcmp(found->structures[f].mask, want->structures[s].mask, GridSize(&want->ct)), 0);
  }
  assert_string_equal(found->name, "BOXPHANTOM");
  assert_int_equal(CaseWrite(found, temporary, &mistakes), 0);
  assert_int_equal(CaseDestroy(&want), 0);
  assert_int_equal(CaseLoad(temporary, &mistakes, &want), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(memcmp(found->hu, want->hu, GridSize(&want->ct) * sizeof *want->hu), 0);
  assert_int_equal(CaseDestroy(&want), 0);
  assert_int_equal(CaseDestroy(&found), 0);
}

/* 20 (y) x 10 (x) x 10 (z) voxels of 10 mm; matRad's own plan puts the isocentre, the target's centre, at (-5,-5,-5). */
static void CarbonTestData(void **state)
{
  const char *mat = Reference("matrad/carbon_testData.mat");
  if (!mat) skip();
  Case *patient = Import(mat);
  const PetscInt n[3] = {10, 20, 10};
  const double origin_mm[3] = {-50, -100, -50};
  assert_memory_equal(patient->ct.n, n, sizeof n);
  assert_memory_equal(patient->ct.origin_mm, origin_mm, sizeof origin_mm);
  PetscInt target = CaseFindStructure(patient, "Target"), body = CaseFindStructure(patient, "Body");
  assert_true(target >= 0 && body == CaseFindExternal(patient));
  double centre_mm[3] = {0};
  int voxels[2] = {0};
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x_mm[3];
    GridCentre(&patient->ct, v, x_mm);
    voxels[0] += patient->structures[target].mask[v];
    voxels[1] += patient->structures[body].mask[v];
    for (int k = 0; patient->structures[target].mask[v] && k < 3; k++) centre_mm[k] += x_mm[k] / 8;
    assert_true(patient->hu[v] == (patient->structures[body].mask[v] ? 0 : -1000) || patient->hu[v] == -999);
  }
  assert_int_equal(voxels[0], 8);
  assert_int_equal(voxels[1], 1152);
  for (int k = 0; k < 3; k++) assert_double_near(centre_mm[k], -5, 1e-12);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void Refuse(const char *file, const char *text)
{
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseReadMatRad(file, &mistakes, &patient), 0);
  assert_null(patient);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(mistakes.item[0].text, file));
  if (!strstr(mistakes.item[0].text, text)) fail_msg("\"%s\" lacks \"%s\"", mistakes.item[0].text, text);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void WriteTemporary(const char *bytes, size_t n)
{
  FILE *f = fopen(temporary, "wb");
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void NoPatient(void **state)
{
  Refuse("/nonexistent.mat", "No such file");
  char header[129] = "MATLAB 7.3 MAT-file";
  WriteTemporary(header, 19);
  Refuse(temporary, "byte 19: the file ends here, a MATLAB level-5 file is longer");
  WriteTemporary(header, 128);
  Refuse(temporary, "byte 124: not a MATLAB level-5 file");
  memcpy(header + 124, "\0\2IM", 4);
  WriteTemporary(header, 128);
  Refuse(temporary, "a MATLAB 7.3 file");
  memcpy(header + 124, "\0\1IM", 4);
  WriteTemporary(header, 128);
  Refuse(temporary, "no readable variable `ct`");
  const char *structures = Reference("matrad/prostate_super_cst.mat"),
             *machine = Reference("matrad/carbon_Generic.mat");
  if (!structures || !machine) skip();
  Refuse(structures, "no readable variable `ct`");
  Refuse(machine, "no readable variable `ct`");
}

static void Truncated(void **state)
{
  const char *mat = Reference("matrad/carbon_testData.mat");
  if (!mat) skip();
  Mistakes mistakes = {0};
  char *bytes;
  size_t n;
  assert_true(FileRead(mat, &bytes, &n, &mistakes));
  for (size_t length = 200; length < n; length += 1901) {
    WriteTemporary(bytes, length);
    Refuse(temporary, "truncated MATLAB file");
  }
  WriteTemporary(bytes, n - 1);
  Refuse(temporary, "truncated MATLAB file");
  assert_int_equal(PetscFree(bytes), 0);
}

static int SetUp(void **state)
{
  const char *folder = getenv("TMPDIR");
  snprintf(temporary, sizeof temporary, "%s/robion-matrad-%ld", folder ? folder : "/tmp", (long)getpid());
  return 0;
}

static int TearDown(void **state)
{
  unlink(temporary);
  return 0;
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(BoxPhantom),
      cmocka_unit_test(CarbonTestData),
      cmocka_unit_test(NoPatient),
      cmocka_unit_test(Truncated),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
