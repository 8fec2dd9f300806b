/* Structures on the dose grid: volumes are kept, fractions are exact overlaps, priorities take volume away. */
#include "phantom_case.h"
#include "robion/structure.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "near.h"

static Case *BuildPhantom(const char *kind, double spacing_mm)
{
  char keys[64];
  snprintf(keys, sizeof keys, "ct_spacing_mm: %g", spacing_mm);
  return PhantomCase(kind, keys);
}

static double MaskVolume_cm3(const Case *patient, PetscInt s)
{
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
  return (double)n * GridVoxelVolume_cm3(&patient->ct);
}

static void CheckRegion(const Region *region, const Grid *grid, double volume_cm3, double tolerance)
{
  double sum = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    assert_true(region->fraction[i] >= 1e-3f && region->fraction[i] <= 1);
    assert_true(i == 0 || region->voxel[i] > region->voxel[i - 1]);
    sum += region->fraction[i];
  }
  assert_true(region->n > 0 && (size_t)region->voxel[region->n - 1] < GridSize(grid));
  assert_double_near(region->volume_cm3, sum * GridVoxelVolume_cm3(grid), 1e-9 * volume_cm3);
  assert_double_near(region->volume_cm3, volume_cm3, tolerance * volume_cm3);
}

/* Fractions below 1e-3 are dropped, which only spacings that do not divide each other make: then 1e-5 of the volume. */
static void VolumesAreKept(void **state)
{
  const struct {
    const char *kind;
    double ct_mm, dose_mm, tolerance;
  } cases[] = {{"rtog", 1, 3, 1e-6},        {"rtog", 2, 3, 1e-6},      {"rtog", 1, 2.5, 1e-6},
               {"rtog", 2.5, 2, 1e-6},      {"water-box", 2, 2, 1e-6}, {"water-box", 5, 3, 1e-6},
               {"water-box", 3, 0.9, 1e-6}, {"rtog", 1.1, 3, 1e-5}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    Case *patient = BuildPhantom(cases[c].kind, cases[c].ct_mm);
    Grid grid;
    assert_int_equal(CaseDoseGrid(patient, cases[c].dose_mm, 0, NULL, &grid), 0);
    for (PetscInt s = 0; s < patient->n_structures; s++) {
      Region region;
      assert_int_equal(StructureToGrid(patient, s, &grid, &region), 0);
      assert_string_equal(region.name, patient->structures[s].name);
      assert_int_equal(region.role, patient->structures[s].role);
      CheckRegion(&region, &grid, MaskVolume_cm3(patient, s), cases[c].tolerance);
      assert_int_equal(RegionDestroy(&region), 0);
    }
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* A patient's anisotropic CT on a 3 mm grid. */
static void RealCase(void **state)
{
  const char *reference = getenv("ROBION_REFERENCE");
  char file[512];
  Mistakes mistakes = {0};
  Case *patient;
  Grid grid;
  snprintf(file, sizeof file, "%s/cases/sarcoma/sts_008.h5", reference ? reference : "../shared");
  FILE *f = fopen(file, "r");
  if (!f) skip();
  fclose(f);
  assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
  assert_int_equal(CaseDoseGrid(patient, 3, 0, NULL, &grid), 0);
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    Region region;
    assert_int_equal(StructureToGrid(patient, s, &grid, &region), 0);
    CheckRegion(&region, &grid, MaskVolume_cm3(patient, s), 1e-4);
    assert_int_equal(RegionDestroy(&region), 0);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* One dimension by hand: CT voxels of 2 mm from 0 to 10, those from 2 to 8 inside; dose cells of 3 mm from 0. */
static void FractionsByHand(void **state)
{
  unsigned char body[5] = {1, 1, 1, 1, 1}, target[5] = {0, 1, 1, 1, 0};
  Structure structures[] = {{"BODY", ROLE_EXTERNAL, body}, {"GTV", ROLE_TARGET, target}};
  Case patient = {.ct = {{5, 1, 1}, {2, 3, 3}, {1, 1.5, 1.5}}, .n_structures = 2, .structures = structures};
  Grid grid;
  Region region;
  assert_int_equal(CaseDoseGrid(&patient, 3, 0, NULL, &grid), 0);
  assert_int_equal(grid.n[0], 4);
  assert_int_equal(grid.n[1], 1);
  assert_double_near(grid.origin_mm[0], 1.5, 1e-12);
  assert_int_equal(StructureToGrid(&patient, 1, &grid, &region), 0);
  assert_int_equal(region.n, 3);
  const double want[3] = {1.0 / 3, 1, 2.0 / 3};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(region.voxel[i], i);
    assert_double_near(region.fraction[i], want[i], 1e-7);
  }
  assert_double_near(region.volume_cm3, 6 * 9e-3, 1e-8);
  assert_int_equal(RegionDestroy(&region), 0);
  Grid aside = {{2, 1, 1}, {3, 3, 3}, {100, 1.5, 1.5}}; /* nothing there */
  assert_int_equal(StructureToGrid(&patient, 1, &aside, &region), 0);
  assert_int_equal(region.n, 0);
  assert_double_near(region.volume_cm3, 0, 0);
  assert_int_equal(RegionDestroy(&region), 0);
}

static void GridCoversTheExternal(void **state)
{
  Case *patient = BuildPhantom("rtog", 1);
  Grid grid;
  assert_int_equal(CaseDoseGrid(patient, 3, 0, NULL, &grid), 0);
  for (int k = 0; k < 3; k++) {
    double half = k < 2 ? 116.5 : 40, corner = patient->ct.origin_mm[k] - 0.5, low = grid.origin_mm[k] - 1.5;
    assert_true(low <= -half && low > -half - 3);
    assert_true(low + 3 * grid.n[k] >= half && low + 3 * grid.n[k] < half + 3);
    assert_double_near(remainder(low - corner, 3), 0, 1e-9);
  }
  patient->structures[0].role = ROLE_OAR; /* no external: the whole CT */
  assert_int_equal(CaseDoseGrid(patient, 0.5, 0, NULL, &grid), 0);
  for (int k = 0; k < 3; k++) assert_int_equal(grid.n[k], 2 * patient->ct.n[k]);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/*
 * Named structures beyond the external's box keep their volume on the grid, on every side and at the CT's corners; others lose
 * what lies beyond. What lies outside the external counts, wherever the grid ends.
 */
static void GridCoversTheNamed(void **state)
{
  enum { N = 12, SIZE = N * N * N };
  static unsigned char body[SIZE], beside[6][SIZE], all[SIZE];
  char name[8][8] = {"BODY", "A0", "A1", "A2", "A3", "A4", "A5", "ALL"};
  Structure structures[8];
  for (int s = 0; s < 8; s++)
    structures[s] = (Structure){name[s], s ? ROLE_OAR : ROLE_EXTERNAL, s == 0 ? body : s == 7 ? all : beside[s - 1]};
  for (int v = 0; v < SIZE; v++) {
    const int at[3] = {v % N, v / N % N, v / (N * N)};
    body[v] = all[v] = 1;
    for (int k = 0; k < 3; k++) body[v] &= at[k] >= 4 && at[k] < 8;
    for (int s = 0; s < 6; s++) { /* 2 voxels thick, half inside the body, or at the border of the CT */
      const int along = at[s / 2], first = s % 2 ? 7 : 0;
      beside[s][v] = along >= first && along < first + 2;
      for (int k = 0; k < 3; k++) beside[s][v] &= k == s / 2 || (at[k] >= 4 && at[k] < 8);
    }
  }
  const Case patient = {.ct = {{N, N, N}, {2, 2, 2}, {1, 1, 1}}, .n_structures = 8, .structures = structures};
  for (PetscInt s = 1; s < 8; s++) {
    for (double spacing_mm = 1; spacing_mm < 8; spacing_mm += 1.5) {
      Grid grid, narrow;
      Region region, cropped;
      assert_int_equal(CaseDoseGrid(&patient, spacing_mm, 1, &s, &grid), 0);
      assert_int_equal(CaseDoseGrid(&patient, spacing_mm, 0, NULL, &narrow), 0);
      assert_int_equal(StructureToGrid(&patient, s, &grid, &region), 0);
      assert_int_equal(StructureToGrid(&patient, s, &narrow, &cropped), 0);
      assert_double_near(region.volume_cm3, StructureVolume_cm3(&patient, s), 1e-5);
      if (spacing_mm == 1) assert_true(cropped.volume_cm3 < 0.6 * region.volume_cm3);
      assert_int_equal(RegionDestroy(&region), 0);
      assert_int_equal(RegionDestroy(&cropped), 0);
    }
    const double outside = s == 7 ? N * N * N - 64 : s % 2 ? 32 : 16; /* voxels of 8 mm3 */
    assert_double_near(StructureOutside_cm3(&patient, s), outside * 8e-3, 1e-12);
  }
  assert_double_near(StructureOutside_cm3(&patient, 0), 0, 0);
  structures[0].role = ROLE_OAR;
  assert_double_near(StructureOutside_cm3(&patient, 7), 0, 0);
}

static void Priorities(void **state)
{
  unsigned char a[4] = {1, 1, 1, 0}, b[4] = {0, 1, 1, 1}, c[4] = {1, 0, 1, 1};
  Structure structures[] = {{"A", ROLE_TARGET, a}, {"B", ROLE_OAR, b}, {"C", ROLE_OAR, c}};
  Case patient = {.ct = {{4, 1, 1}, {1, 1, 1}, {0, 0, 0}}, .n_structures = 3, .structures = structures};
  const char *const order[] = {"A", "absent", "B"};
  const double left[] = {3, 1, 3}; /* voxels: A whole, B without A, C not listed */
  for (PetscInt s = 0; s < 3; s++) {
    Region region;
    assert_int_equal(StructureToGridWithPriority(&patient, s, 3, order, &patient.ct, &region), 0);
    assert_double_near(region.volume_cm3, left[s] * 1e-3, 1e-12);
    assert_int_equal(RegionDestroy(&region), 0);
  }
  memcpy(b, a, sizeof b);
  Region region;
  assert_int_equal(StructureToGridWithPriority(&patient, 1, 3, order, &patient.ct, &region), 0);
  assert_int_equal(region.n, 0);
  assert_int_equal(RegionDestroy(&region), 0);
}

/* In Morton's order a grid of 8 voxels along each axis comes in its 8 eighths; fractions go with their voxels. */
static void CompactOrder(void **state)
{
  (void)state;
  const Grid grid = {{8, 8, 8}, {1, 1, 1}, {0, 0, 0}};
  PetscInt voxel[512];
  float fraction[512];
  for (PetscInt v = 0; v < 512; v++) voxel[v] = v, fraction[v] = (float)v / 512;
  assert_int_equal(GridOrderCompact(&grid, 512, voxel, fraction), 0);
  for (PetscInt i = 0; i < 512; i++) {
    const PetscInt x = voxel[i] % 8, y = voxel[i] / 8 % 8, z = voxel[i] / 64, eighth = i / 64;
    assert_true(x / 4 == (eighth & 1) && y / 4 == (eighth >> 1 & 1) && z / 4 == eighth >> 2);
    assert_true(fraction[i] == (float)voxel[i] / 512);
  }
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(CompactOrder),       cmocka_unit_test(VolumesAreKept),        cmocka_unit_test(RealCase),
      cmocka_unit_test(FractionsByHand),    cmocka_unit_test(GridCoversTheExternal), cmocka_unit_test(Priorities),
      cmocka_unit_test(GridCoversTheNamed),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
