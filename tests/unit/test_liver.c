/* The digital liver patients: published volumes, one to three targets, anatomy, tissues, repeatability. timeout: 120, sanitizer: slow */
#include "phantom_case.h"
#include "near.h"

enum { MOST_TARGETS = 3 };
/* CTVs of Sokol et al., Table I. */
static const double ctv_cm3[][MOST_TARGETS] = {
    {30.0}, {16.1}, {17.4}, {12.2}, {70.6}, {198.2, 24.6}, {40.2}, {162.2}, {60.0, 38.0, 32.8}, {7.8}};
enum { N_TABLE = PETSC_STATIC_ARRAY_LENGTH(ctv_cm3) };
static const char *const ctv_name[] = {"CTV1", "CTV2", "CTV3"}, *const gtv_name[] = {"GTV1", "GTV2", "GTV3"};

static void CheckAnatomy(const Case *patient)
{
  static const char *const apart[][2] = {
      {"Liver", "Lung_R"},     {"Liver", "Heart"},    {"Liver", "Stomach"},    {"Liver", "Duodenum"},
      {"Liver", "Bowel"},      {"Liver", "Kidney_R"}, {"Liver", "Spleen"},     {"Liver", "Ribs"},
      {"Liver", "Spine"},      {"Liver", "Skin"},     {"Lung_R", "Lung_L"},    {"Lung_L", "Heart"},
      {"Lung_L", "Stomach"},   {"Stomach", "Spleen"}, {"Stomach", "Bowel"},    {"Duodenum", "Bowel"},
      {"Kidney_L", "Bowel"},   {"Kidney_R", "Bowel"}, {"Spine", "Kidney_L"},   {"Spine", "SpinalCord"},
      {"Ribs", "Lung_L"},      {"Ribs", "Spine"},     {"Duodenum", "Stomach"}, {"Kidney_L", "Spleen"},
      {"Kidney_R", "Duodenum"}};
  static const char *const within[][2] = {{"GTV", "CTV"}, {"CTV", "Liver"}};
  static const PhantomSize size[] = {{"Liver", 927, 1900},   {"Heart", 620, 840},       {"Stomach", 330, 420},
                                     {"Spleen", 70, 160},    {"Kidney_L", 130, 160},    {"Kidney_R", 130, 160},
                                     {"Duodenum", 60, 110},  {"SpinalCord", 18, 32},    {"Lung_L", 1000, 3000},
                                     {"Lung_R", 1000, 3000}, {"Ribs", 400, 800},        {"Spine", 450, 750},
                                     {"Bowel", 1000, 3000},  {"External", 15000, 27000}};
  PhantomCheckPlaces(patient, PETSC_STATIC_ARRAY_LENGTH(apart), apart, PETSC_STATIC_ARRAY_LENGTH(within), within);
  PhantomCheckSizes(patient, PETSC_STATIC_ARRAY_LENGTH(size), size);
}

/* Of several targets each has its volume, they have no voxel in common, and CTV and GTV are all of them. */
static void CheckTargets(const Case *patient, PetscInt n, const double *wanted_cm3)
{
  double ctv = 0, gtv = 0;
  for (PetscInt t = 0; t < n; t++) {
    const char *own_ctv = n > 1 ? ctv_name[t] : "CTV", *own_gtv = n > 1 ? gtv_name[t] : "GTV";
    assert_double_near(PhantomVolume_cm3(patient, own_ctv) / wanted_cm3[t], 1, 0.01);
    assert_int_equal(PhantomVoxels(patient, own_gtv, PETSC_FALSE, own_ctv), 0);
    assert_int_equal(PhantomVoxels(patient, own_ctv, PETSC_FALSE, "CTV"), 0);
    ctv += PhantomVolume_cm3(patient, own_ctv), gtv += PhantomVolume_cm3(patient, own_gtv);
  }
  assert_double_near(ctv, PhantomVolume_cm3(patient, "CTV"), 1e-9 * ctv); /* a sum of all: no voxel is of two */
  assert_double_near(gtv, PhantomVolume_cm3(patient, "GTV"), 1e-9 * gtv);
  if (n < MOST_TARGETS) assert_true(CaseFindStructure(patient, ctv_name[n]) < 0);
  if (n == 1) assert_true(CaseFindStructure(patient, ctv_name[0]) < 0);
}

static void CheckPatient(PetscInt seed, double ct_mm)
{
  Case *patient = PhantomPatient("liver", seed, ct_mm);
  const double healthy = PhantomVolume_cm3(patient, "Liver") - PhantomVolume_cm3(patient, "GTV");
  PetscInt n = 0;
  while (n < MOST_TARGETS && ctv_cm3[seed - 1][n] > 0) n++;
  CheckTargets(patient, n, ctv_cm3[seed - 1]);
  CheckAnatomy(patient);
  if (seed == 6)
    assert_double_near(healthy / 927, 1, 0.01);
  else
    assert_true(healthy > 934);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void PublishedVolumes(void **state)
{
  for (PetscInt seed = 1; seed <= N_TABLE; seed++) CheckPatient(seed, 4);
  CheckPatient(9, 3);
  CheckPatient(10, 2);
}

/* Patients beyond the table: volumes of its range, one to three targets. */
static void OtherSeeds(void **state)
{
  static const PetscInt other[] = {25, 32, 1000000000}; /* of 32 two targets are drawn */
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(other); i++) {
    Case *patient = PhantomPatient("liver", other[i], 4);
    const double ctv = PhantomVolume_cm3(patient, "CTV");
    assert_true(ctv > 0.97 * 7.8 && ctv < 3 * 198.2);
    assert_int_equal(CaseFindStructure(patient, "CTV2") >= 0, other[i] == 32);
    CheckAnatomy(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* Extent of a structure's voxels along an axis. */
static double Extent_mm(const Case *patient, const char *name, int axis)
{
  const unsigned char *mask = PhantomMask(patient, name);
  double low = PETSC_INFINITY, high = -PETSC_INFINITY;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    if (!mask[v]) continue;
    GridCentre(&patient->ct, v, x);
    low = PetscMin(low, x[axis]), high = PetscMax(high, x[axis]);
  }
  return high - low + patient->ct.spacing_mm[axis];
}

/* A liver of mean volume is as long, deep and wide as measured ones; the tissues have their stopping powers. */
static void SizeAndTissues(void **state)
{
  Case *patient = PhantomPatient("liver", 8, 3);
  assert_double_near(PhantomVolume_cm3(patient, "Liver"), 1281, 30);
  const double wide = Extent_mm(patient, "Liver", 0), deep = Extent_mm(patient, "Liver", 1),
               high = Extent_mm(patient, "Liver", 2);
  assert_true(wide > 195 && wide < 228 && deep > 97 && deep < 128 && high > 147 && high < 178);
  assert_double_near(PhantomMeanRSP(patient, "Liver"), 1.051, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Heart"), 1.051, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Kidney_L"), 1.042, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Lung_R"), 0.258, 1e-3);
  assert_double_near(PhantomMeanRSP(patient, "Ribs"), 1.22, 0.05);
  assert_double_near(PhantomMeanRSP(patient, "Spine"), 1.2, 0.05);
  const unsigned char *body = PhantomMask(patient, "External");
  for (size_t v = 0; v < GridSize(&patient->ct); v++)
    if (!body[v] && patient->hu[v] != -1000) fail_msg("HU %d outside the body", patient->hu[v]);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void Repeatable(void **state)
{
  PhantomCheckRepeatable("liver", 4);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(PublishedVolumes), cmocka_unit_test(OtherSeeds),
                                     cmocka_unit_test(SizeAndTissues), cmocka_unit_test(Repeatable)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
