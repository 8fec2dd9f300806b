/* The digital heads: published volumes, anatomy, tissues, optic nerves from eye to chiasm, repeatability. timeout: 120, sanitizer: slow */
#include "phantom_case.h"
#include "near.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* CTVs of Sokol et al., Table I. */
static const double ctv_cm3[] = {340.4, 336.7, 199.9, 206.8, 245.6, 53.4,  350.2, 747.9,
                                 316.9, 351.0, 201.0, 343.3, 462.3, 294.9, 215.5};
enum { N_TABLE = PETSC_STATIC_ARRAY_LENGTH(ctv_cm3) };

/* Whatever the tumour: nothing is empty or outside, and what excludes each other does. */
static void CheckAnatomy(const Case *patient)
{
  static const char *const apart[][2] = {
      {"CTV", "Eye_L"},          {"CTV", "Eye_R"},          {"CTV", "Brainstem"},         {"CTV", "Skin"},
      {"OpticNrv_L", "Eye_L"},   {"OpticNrv_R", "Eye_R"},   {"OpticNrv_L", "Skull"},      {"OpticNrv_R", "Skull"},
      {"OpticNrv_L", "Sinuses"}, {"OpticNrv_R", "Sinuses"}, {"OpticNrv_L", "OpticNrv_R"}, {"OpticChiasm", "Brain"},
      {"OpticChiasm", "Skull"},  {"Brain", "Brainstem"},    {"Brain", "Skull"},           {"Brainstem", "Skull"},
      {"Sinuses", "Skull"},      {"Sinuses", "Brain"},      {"Eye_L", "Skull"},           {"Eye_R", "Skull"}};
  static const char *const within[][2] = {{"GTV", "CTV"}, {"Lens_L", "Eye_L"}, {"Lens_R", "Eye_R"}};
  PhantomCheckPlaces(patient, PETSC_STATIC_ARRAY_LENGTH(apart), apart, PETSC_STATIC_ARRAY_LENGTH(within), within);
}

/* Organs of the sizes that are measured in adults (cm3). */
static void CheckSizes(const Case *patient)
{
  static const PhantomSize size[] = {{"Brain", 1050, 1500},    {"Brainstem", 24, 34},     {"Eye_L", 6.8, 7.6},
                                     {"Eye_R", 6.8, 7.6},      {"OpticNrv_L", 0.6, 1.15}, {"OpticNrv_R", 0.6, 1.15},
                                     {"Lens_L", 0.12, 0.3},    {"Lens_R", 0.12, 0.3},     {"OpticChiasm", 0.1, 0.5},
                                     {"External", 3000, 5000}, {"Skull", 400, 800},       {"Sinuses", 30, 75}};
  PhantomCheckSizes(patient, PETSC_STATIC_ARRAY_LENGTH(size), size);
}

static void PublishedVolumes(void **state)
{
  for (PetscInt seed = 1; seed <= N_TABLE; seed++) {
    Case *patient = PhantomPatient("head-neck", seed, 3);
    const double ctv = PhantomVolume_cm3(patient, "CTV"), gtv = PhantomVolume_cm3(patient, "GTV");
    assert_double_near(ctv / ctv_cm3[seed - 1], 1, 0.01);
    assert_true(gtv > 0.24 * ctv && gtv < 0.51 * ctv);
    CheckAnatomy(patient);
    CheckSizes(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* Patients beyond the table have volumes of its range, each its own. */
static void OtherSeeds(void **state)
{
  static const PetscInt seed[] = {60, 1000000000};
  double before = 0;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(seed); i++) {
    Case *patient = PhantomPatient("head-neck", seed[i], 3);
    const double ctv = PhantomVolume_cm3(patient, "CTV");
    assert_true(ctv >= 0.99 * 53.4 && ctv <= 1.01 * 747.9 && ctv != before);
    before = ctv;
    CheckAnatomy(patient);
    CheckSizes(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* Set what is connected with the marked voxels (2) through voxels of the mask (1), all 26 neighbours counting; returns how many. */
static size_t Flood(const Grid *ct, unsigned char *mark)
{
  size_t before = 0, now = 1;
  while (now != before) {
    before = now, now = 0;
    for (PetscInt k = 1; k + 1 < ct->n[2]; k++)
      for (PetscInt j = 1; j + 1 < ct->n[1]; j++)
        for (PetscInt i = 1; i + 1 < ct->n[0]; i++) {
          unsigned char *here = &mark[GridIndex(ct, i, j, k)];
          for (int d = 0; d < 27 && *here == 1; d++)
            if (mark[GridIndex(ct, i + d % 3 - 1, j + d / 3 % 3 - 1, k + d / 9 - 1)] == 2) *here = 2;
          now += *here == 2;
        }
  }
  return now;
}

/* An unbroken nerve leads from eye to chiasm, and all of it lies between them. */
static void CheckNerve(const Case *patient, const char *name, const char *eye_name)
{
  const size_t n = GridSize(&patient->ct);
  const unsigned char *nerve = PhantomMask(patient, name), *eye = PhantomMask(patient, eye_name);
  const unsigned char *chiasm = PhantomMask(patient, "OpticChiasm");
  unsigned char *mark;
  double front[2] = {PETSC_INFINITY, PETSC_INFINITY}, back[2] = {-PETSC_INFINITY, -PETSC_INFINITY};
  size_t all = 0;
  assert_int_equal(PetscCalloc1(n, &mark), 0);
  for (size_t v = 0; v < n; v++) {
    double x[3];
    GridCentre(&patient->ct, v, x);
    mark[v] = eye[v] ? 2 : nerve[v] || chiasm[v];
    all += mark[v] != 0;
    if (eye[v]) front[0] = PetscMin(front[0], x[1]);
    if (nerve[v]) front[1] = PetscMin(front[1], x[1]), back[1] = PetscMax(back[1], x[1]);
    if (chiasm[v]) back[0] = PetscMax(back[0], x[1]);
  }
  assert_int_equal(Flood(&patient->ct, mark), all);
  assert_true(front[0] < front[1] && back[1] < back[0]);
  assert_true(back[0] - front[0] > 50 && back[0] - front[0] < 85); /* eye 24, nerve about 40 along y, chiasm 8 mm */
  assert_int_equal(PetscFree(mark), 0);
}

/* The right half is the left one's image, but for the tumour and the sinuses' sizes. */
static void CheckMirror(const Case *patient)
{
  static const char *const pair[][2] = {{"External", "External"},     {"Eye_L", "Eye_R"},
                                        {"Lens_L", "Lens_R"},         {"Brain", "Brain"},
                                        {"OpticNrv_L", "OpticNrv_R"}, {"OpticChiasm", "OpticChiasm"}};
  const size_t nx = (size_t)patient->ct.n[0];
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(pair); i++) {
    const unsigned char *left = PhantomMask(patient, pair[i][0]), *right = PhantomMask(patient, pair[i][1]);
    size_t wrong = 0;
    for (size_t v = 0; v < GridSize(&patient->ct); v++) wrong += left[v] != right[v - v % nx + (nx - 1 - v % nx)];
    if (wrong) fail_msg("%s: %s is no image of %s", patient->source, pair[i][1], pair[i][0]);
  }
}

/* Stopping powers of tissues; bone and air only where they may be; air in the sinus that has no tumour; the tumour is solid. */
static void CheckTissues(const Case *patient)
{
  const unsigned char *body = PhantomMask(patient, "External"), *gtv = PhantomMask(patient, "GTV");
  const unsigned char *skull = PhantomMask(patient, "Skull"), *sinuses = PhantomMask(patient, "Sinuses");
  size_t wrong = 0, air = 0;
  assert_double_near(PhantomMeanRSP(patient, "Brain"), 1.037, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Brainstem"), 1.037, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Eye_L"), 1.01, 0.01);
  assert_true(PhantomMeanRSP(patient, "Skull") > 1.4 && PhantomMeanRSP(patient, "Skull") < 1.6);
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    wrong += (patient->hu[v] > 200) != skull[v];
    wrong += !body[v] && patient->hu[v] != -1000;
    wrong += gtv[v] && patient->hu[v] < 0;
    wrong += sinuses[v] && !gtv[v] && patient->hu[v] != -1000 && patient->hu[v] != -700;
    air += sinuses[v] && patient->hu[v] == -1000;
  }
  assert_int_equal(wrong, 0);
  assert_true((double)air * GridVoxelVolume_cm3(&patient->ct) > 5);
}

/* On the grid of the study, the smallest and the largest tumour. */
static void FineAnatomy(void **state)
{
  for (PetscInt seed = 6; seed <= 8; seed += 2) {
    Case *patient = PhantomPatient("head-neck", seed, 2);
    assert_double_near(PhantomVolume_cm3(patient, "CTV") / ctv_cm3[seed - 1], 1, 0.01);
    CheckAnatomy(patient);
    CheckSizes(patient);
    CheckNerve(patient, "OpticNrv_L", "Eye_L");
    CheckNerve(patient, "OpticNrv_R", "Eye_R");
    CheckMirror(patient);
    CheckTissues(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

static void Repeatable(void **state)
{
  PhantomCheckRepeatable("head-neck", 3);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(PublishedVolumes), cmocka_unit_test(OtherSeeds),
                                     cmocka_unit_test(FineAnatomy), cmocka_unit_test(Repeatable)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
