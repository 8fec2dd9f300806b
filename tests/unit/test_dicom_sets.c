/*
 * Files of others, by the facts that were told with them (../shared/dicom/README.md, or ROBION_REFERENCE): volumes, places, HU; odd files
 * are read or refused with one line.  timeout: 300  sanitizer: slow
 */
#include "dicom_files.h"
#include "robion/exchange.h"
#include "robion/structure.h"
#include <ftw.h>
#include <sys/stat.h>

static const char *Set(const char *name)
{
  static char path[2][512];
  static int turn;
  const char *reference = getenv("ROBION_REFERENCE");
  struct stat facts;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/dicom/%s", reference ? reference : "../shared", name);
  if (!TestHasDicom() || stat(path[turn], &facts)) skip();
  return path[turn];
}

static Case *Import(const char *name, DicomImportSpec spec)
{
  const char *path = Set(name);
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient;
  spec.n_path = 1;
  spec.path = &path;
  assert_int_equal(CaseImportDicom(&spec, &table, &mistakes, &patient), 0);
  if (!patient) fail_msg("%s", MistakesFirst(&mistakes));
  assert_int_equal(TextDestroy(&table), 0);
  return patient;
}

static void CheckGrid(const Case *patient, const PetscInt n[3], const double spacing[3], const double origin[3])
{
  for (int k = 0; k < 3; k++) {
    assert_int_equal(patient->ct.n[k], n[k]);
    assert_true(fabs(patient->ct.spacing_mm[k] - spacing[k]) < 5e-5);
    assert_true(fabs(patient->ct.origin_mm[k] - origin[k]) < 6e-4);
  }
}

static void CheckRange(const Case *patient, int least, int most)
{
  short low = SHRT_MAX, high = SHRT_MIN;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    low = PetscMin(low, patient->hu[v]);
    high = PetscMax(high, patient->hu[v]);
  }
  assert_int_equal(low, least);
  assert_int_equal(high, most);
}

/* Voxels exactly, the centroid to its last digit. */
static void CheckVoxels(const Case *patient, const char *name, const unsigned char *mask, size_t voxels,
                        const double centroid[3])
{
  double sum[3] = {0, 0, 0};
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    if (!mask[v]) continue;
    n++;
    GridCentre(&patient->ct, v, x);
    for (int k = 0; k < 3; k++) sum[k] += x[k];
  }
  if (n != voxels) fail_msg("%s: %zu voxels, expected %zu", name, n, voxels);
  for (int k = 0; k < 3; k++)
    if (fabs(sum[k] / (double)n - centroid[k]) > 6e-3)
      fail_msg("%s: centroid %g on axis %d, expected %g", name, sum[k] / (double)n, k, centroid[k]);
}

static void CheckStructure(const Case *patient, const char *name, Role role, size_t voxels, const double centroid[3])
{
  const PetscInt s = CaseFindStructure(patient, name);
  if (s < 0) fail_msg("no structure %s", name);
  assert_int_equal(patient->structures[s].role, role);
  CheckVoxels(patient, name, patient->structures[s].mask, voxels, centroid);
}

/* What is above 300 HU. */
static void CheckBone(const Case *patient, size_t voxels, const double centroid[3])
{
  unsigned char *mask;
  assert_int_equal(PetscMalloc1(GridSize(&patient->ct), &mask), 0);
  for (size_t v = 0; v < GridSize(&patient->ct); v++) mask[v] = patient->hu[v] > 300;
  CheckVoxels(patient, "bone", mask, voxels, centroid);
  assert_int_equal(PetscFree(mask), 0);
}

static void TestThigh(void **state)
{
  Case *patient = Import("thigh_sarcoma_sts015", (DicomImportSpec){0});
  CheckGrid(patient, (const PetscInt[]){158, 165, 57}, (const double[]){0.976562, 0.976562, 3.27},
            (const double[]){-233.398446, -93.75008, -768.45});
  CheckRange(patient, -1000, 1460);
  CheckStructure(patient, "GTV_Mass_CT", ROLE_TARGET, 28360, (const double[]){-157.13, -15.19, -670.44});
  assert_int_equal(DicomOriginFind(patient->dicom, "GTV_Mass_CT")->contours.n_rings, 26);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void TestHead(void **state)
{
  static const struct {
    const char *name;
    Role role;
    size_t voxels;
    double centroid[3];
  } facts[] = {{"BODY", ROLE_EXTERNAL, 13342056, {-2.95, -169.59, -7.19}},
               {"BrainStem", ROLE_OAR, 65806, {-2.18, -168.70, 11.12}},
               {"CTV", ROLE_TARGET, 235225, {15.46, -204.80, 21.97}}};
  Case *patient = Import("head_phantom_dcpt", (DicomImportSpec){0});
  CheckGrid(patient, (const PetscInt[]){512, 512, 177}, (const double[]){0.5859375, 0.5859375, 1.5},
            (const double[]){-149.707, -316.207, -139});
  CheckRange(patient, -1000, 2165);
  assert_int_equal(patient->n_structures, 11);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(facts); i++)
    CheckStructure(patient, facts[i].name, facts[i].role, facts[i].voxels, facts[i].centroid);
  for (int m = 1; m <= 7; m++) { /* fiducials of a few voxels are there */
    char name[8];
    size_t n = 0;
    snprintf(name, sizeof name, "M%d", m);
    const PetscInt s = CaseFindStructure(patient, name);
    assert_true(s >= 0);
    for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
    assert_in_range(n, 2, 4);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* The tilted series, out of a folder with a localizer, a capture of the screen and a directory; no voxel's value is changed. */
static void TestTilted(void **state)
{
  Case *patient = Import("gantry_tilt_philips/all_in_one_folder", (DicomImportSpec){0});
  CheckBone(patient, 617772, (const double[]){-4.69, 113.90, 756.17});
  assert_true(fabs(617772 * GridVoxelVolume_cm3(&patient->ct) / 340.86 - 1) < 1e-4);
  assert_int_equal(CaseDestroy(&patient), 0);
  patient = Import("gantry_tilt_philips/untilted", (DicomImportSpec){0});
  CheckBone(patient, 337019, (const double[]){-4.42, 113.10, 749.29});
  assert_true(fabs(337019 * GridVoxelVolume_cm3(&patient->ct) / 343.01 - 1) < 1e-4);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* No frame of reference, no position of the patient, no types of structures. */
static void TestBare(void **state)
{
  static const char *const target[] = {"TargetVolume"};
  Case *patient = Import("opentps_simple_phantom", (DicomImportSpec){.n_target = 1, .target = target});
  CheckGrid(patient, (const PetscInt[]){200, 200, 200}, (const double[]){1, 1, 1}, (const double[]){0, 0, 0});
  CheckRange(patient, 50, 300);
  CheckStructure(patient, "TargetVolume", ROLE_TARGET, 31636, (const double[]){99.5, 99.75, 100});
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void Refused(const char *name, const char *why)
{
  const char *path = Set(name);
  DicomImportSpec spec = {.n_path = 1, .path = &path};
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient;
  assert_int_equal(CaseImportDicom(&spec, &table, &mistakes, &patient), 0);
  assert_null(patient);
  if (!strstr(MistakesFirst(&mistakes), why)) fail_msg("\"%s\" is not in: %s", why, MistakesFirst(&mistakes));
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(TextDestroy(&table), 0);
}

static void TestRefused(void **state)
{
  Refused("rtutils_oblique", "rows run along (0.954, -0.208, 0.215)");
  Refused("gantry_tilt_philips", "more than one CT series fits");
  Refused("dwi_prostatex0000", "no CT found");
  Refused("raystation_proton_phantom", "no CT found");
  Case *patient = Import("rtutils_oblique", (DicomImportSpec){.resample = PETSC_TRUE});
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Diffusion: b-values out of private tags, three volumes on the same places, a missing slice. */
static void TestDiffusion(void **state)
{
  Image image;
  Mistakes mistakes = {0};
  assert_true(ImageReadDicom(Set("dwi_prostatex0000/dwi_b50_400_800"), &mistakes, &image));
  assert_int_equal(image.n_volume, 3);
  assert_non_null(image.b_s_mm2);
  assert_true(image.b_s_mm2[0] == 50 && image.b_s_mm2[1] == 400 && image.b_s_mm2[2] == 800);
  assert_int_equal(ImageDestroy(&image), 0);
  assert_true(ImageReadDicom(Set("dwi_prostatex0000/adc"), &mistakes, &image));
  assert_int_equal(image.n_volume, 1);
  assert_null(image.b_s_mm2);
  assert_int_equal(ImageDestroy(&image), 0);
  assert_false(ImageReadDicom(Set("dwi_prostatex0000/missing_slice"), &mistakes, &image));
  assert_non_null(strstr(MistakesFirst(&mistakes), "slices are 3 mm apart, but 6 mm between z = 17.20 and 22.89 mm"));
  assert_int_equal(ImageDestroy(&image), 0);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static PetscInt n_odd;

/* One file alone: a case, or one line that names it. */
static int TryOne(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
  const DicomImportSpec spec = {.n_path = 1, .path = &path, .resample = PETSC_TRUE};
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient;
  if (kind != FTW_F) return 0;
  n_odd++;
  assert_int_equal(CaseImportDicom(&spec, &table, &mistakes, &patient), 0);
  if (!patient) {
    assert_int_equal(mistakes.n, 1);
    assert_non_null(strstr(mistakes.item[0].text, path));
    assert_null(strchr(mistakes.item[0].text, '\n'));
  }
  assert_non_null(table.data);
  assert_int_equal(CaseDestroy(&patient), 0);
  assert_int_equal(TextDestroy(&table), 0);
  assert_int_equal(MistakesClear(&mistakes), 0);
  return 0;
}

static void TestOdd(void **state)
{
  n_odd = 0;
  assert_int_equal(nftw(Set("pydicom_odd"), TryOne, 8, FTW_PHYS), 0);
  assert_true(n_odd >= 30);
  Case *patient = Import("pydicom_odd/eCT_Supplemental.dcm", (DicomImportSpec){0}); /* frames of one file */
  CheckGrid(patient, (const PetscInt[]){512, 512, 2}, (const double[]){0.388672, 0.388672, 10},
            (const double[]){-99.1114, -301.5, -159});
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestThigh),   cmocka_unit_test(TestHead),
                                     cmocka_unit_test(TestTilted),  cmocka_unit_test(TestBare),
                                     cmocka_unit_test(TestRefused), cmocka_unit_test(TestDiffusion),
                                     cmocka_unit_test(TestOdd)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
