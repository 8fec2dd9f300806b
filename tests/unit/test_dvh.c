/* DVH queries against hand-computed values: four voxels with fractions, a structure thinner than the grid, bands. */
#include "robion/metric_request.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

#define EXACT 1e-12

static const Grid grid = {{5, 1, 1}, {10, 10, 1}, {0, 0, 0}}; /* voxels of 0.1 cm3 */

/* Values 4 3 2 1 with weights 1 0.5 0.5 1: shares of the volume at or above them 1/3 1/2 2/3 1. */
static const float value[5] = {2, 4, 9, 1, 3};
static PetscInt voxel[4] = {0, 1, 3, 4};
static float fraction[4] = {0.5f, 1, 1, 0.5f};
static const Region region = {"R", ROLE_TARGET, 4, voxel, fraction, 0.3};

static void FourVoxels(void **state)
{
  DVH dvh;
  assert_int_equal(DVHCreate(&region, &grid, value, &dvh), 0);
  const double want[4] = {4, 3, 2, 1}, share[4] = {1.0 / 3, 0.5, 2.0 / 3, 1};
  for (int i = 0; i < 4; i++) {
    assert_double_near(dvh.value[i], want[i], 0);
    assert_double_near(dvh.cumulative[i], share[i], EXACT);
  }
  assert_double_near(dvh.cumulative[3], 1, 0);
  assert_double_near(dvh.mean, (4 + 1.5 + 1 + 1) / 3, EXACT);
  assert_double_near(dvh.max, 4, 0);
  assert_double_near(dvh.volume_cm3, 0.3, EXACT);
  DVHDestroy(&dvh);
}

/* Many values, negative ones, both zeros and equal ones: the order of a plain sort that keeps that of equals. */
static void Order(void **state)
{
  enum { MANY = 700 };
  float values[MANY], shares[MANY];
  PetscInt index[MANY], order[MANY];
  const Grid line = {{MANY, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  const Region whole = {"W", ROLE_TARGET, MANY, index, shares, 0.7};
  unsigned seed = 3;
  double sum = 0;
  DVH dvh;
  for (int i = 0; i < MANY; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)((int)(seed >> 24) - 100) * 1e-3f * (seed & 1 ? 1e6f : 1.0f);
    if (i % 50 == 0) values[i] = i % 100 ? 0.0f : -0.0f;
    shares[i] = (float)(1 + (seed >> 9 & 1023)) / 1024;
    index[i] = i;
    int at = i;
    for (; at > 0 && values[order[at - 1]] < values[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
  assert_int_equal(DVHCreate(&whole, &line, values, &dvh), 0);
  for (int i = 0; i < MANY; i++) {
    sum += (double)shares[order[i]];
    assert_double_near(dvh.value[i], values[order[i]], 0);
    assert_double_near(dvh.cumulative[i] * 1000 * dvh.volume_cm3, sum, 1e-9);
  }
  DVHDestroy(&dvh);
}

/* Of the voxels with enough of another dose, without sorting these again: to the last bit what a region of them alone has. */
static void Part(void **state)
{
  enum { MANY = 400 };
  static const double least[] = {0, 0.3, 0.999, 2}; /* all, some, few, none */
  float values[MANY], dose[MANY], shares[MANY], part_shares[MANY];
  PetscInt index[MANY], part_index[MANY];
  const Grid line = {{MANY, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  const Region whole = {"W", ROLE_TARGET, MANY, index, shares, 0.7};
  unsigned seed = 5;
  DVH of_all;
  for (int i = 0; i < MANY; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 24); /* many equal ones */
    dose[i] = (float)(seed >> 8 & 65535) / 65535;
    shares[i] = (float)(1 + (seed >> 9 & 1023)) / 1024;
    index[i] = i;
  }
  assert_int_equal(DVHCreate(&whole, &line, values, &of_all), 0);
  for (int k = 0; k < 4; k++) {
    Region region_of_part = {"P", ROLE_TARGET, 0, part_index, part_shares, 0.7};
    DVH part, want = {0};
    for (int i = 0; i < MANY; i++)
      if ((double)dose[i] >= least[k]) {
        part_index[region_of_part.n] = i;
        part_shares[region_of_part.n++] = shares[i];
      }
    assert_int_equal(DVHCreatePart(&of_all, &whole, &line, dose, least[k], &part), 0);
    assert_int_equal(part.n, region_of_part.n);
    assert_int_equal(part.n == 0, k == 3);
    if (part.n) assert_int_equal(DVHCreate(&region_of_part, &line, values, &want), 0);
    assert_memory_equal(part.value, want.value, (size_t)want.n * sizeof *want.value);
    assert_memory_equal(part.cumulative, want.cumulative, (size_t)want.n * sizeof *want.cumulative);
    assert_memory_equal(&part.mean, &want.mean, sizeof want.mean);
    assert_memory_equal(&part.max, &want.max, sizeof want.max);
    assert_memory_equal(&part.volume_cm3, &want.volume_cm3, sizeof want.volume_cm3);
    DVHDestroy(&part);
    DVHDestroy(&want);
  }
  DVHDestroy(&of_all);
}

static void DoseAtVolume(void **state)
{
  DVH dvh;
  assert_int_equal(DVHCreate(&region, &grid, value, &dvh), 0);
  assert_double_near(DVHDoseAtVolume(&dvh, 1), 4, EXACT);
  assert_double_near(DVHDoseAtVolume(&dvh, 50), 3, EXACT);
  assert_double_near(DVHDoseAtVolume(&dvh, 100 * 7.0 / 12), 2.5, EXACT); /* halfway between 1/2 and 2/3 */
  assert_double_near(DVHDoseAtVolume(&dvh, 98), 1.06, EXACT);            /* 0.06 of the way back from 1 to 2 */
  assert_double_near(DVHDoseAtVolume(&dvh, 100), 1, 0);
  assert_double_near(DVHDoseAtVolume_cm3(&dvh, 0.15), 3, EXACT);
  assert_double_near(DVHDoseAtVolume_cm3(&dvh, 0.03), 4, EXACT);
  assert_double_near(DVHDoseAtVolume_cm3(&dvh, 0.31), 4, EXACT); /* more than there is */
  DVHDestroy(&dvh);
}

static void VolumeAtDose(void **state)
{
  DVH dvh;
  assert_int_equal(DVHCreate(&region, &grid, value, &dvh), 0);
  assert_double_near(DVHVolumeAtDose(&dvh, 0), 100, 0);
  assert_double_near(DVHVolumeAtDose(&dvh, 1), 100, 0); /* "at least" includes the bound */
  assert_double_near(DVHVolumeAtDose(&dvh, 1.0001), 200.0 / 3, 1e-10);
  assert_double_near(DVHVolumeAtDose(&dvh, 3), 50, 1e-10);
  assert_double_near(DVHVolumeAtDose(&dvh, 4.0001), 0, 0);
  DVHDestroy(&dvh);
}

/* The same voxels from the coolest on, 1 2 3 4 with shares of the volume up to them 1/3 1/2 2/3 1: the mirror image. */
static void DoseOfCoolest(void **state)
{
  static const float mirrored[5] = {3, 1, 0, 4, 2}; /* 5 minus the value */
  DVH dvh, other;
  assert_int_equal(DVHCreate(&region, &grid, value, &dvh) || DVHCreate(&region, &grid, mirrored, &other), 0);
  assert_double_near(DVHDoseOfCoolest(&dvh, 1), 1, EXACT);
  assert_double_near(DVHDoseOfCoolest(&dvh, 100.0 / 3), 1, EXACT);
  assert_double_near(DVHDoseOfCoolest(&dvh, 50), 2, EXACT);
  assert_double_near(DVHDoseOfCoolest(&dvh, 100 * 7.0 / 12), 2.5, EXACT);
  assert_double_near(DVHDoseOfCoolest(&dvh, 100), 4, EXACT);
  for (double percent = 0.5; percent < 100; percent += 0.5)
    assert_double_near(DVHDoseOfCoolest(&dvh, percent), 5 - DVHDoseAtVolume(&other, percent), 1e-9);
  DVHDestroy(&dvh);
  DVHDestroy(&other);
}

/* The hottest voxel that the structure touches is its maximum, however little of it lies inside. */
static void MaximumOfWhatIsTouched(void **state)
{
  float part[][4] = {{0.5f, 0.49f, 1, 0.1f}, {0.2f, 0.3f, 0.1f, 0.4f}, {1, 1e-3f, 1, 1}, {1, 1, 1, 1}};
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    Region edge = region;
    DVH dvh;
    edge.fraction = part[i];
    assert_int_equal(DVHCreate(&edge, &grid, value, &dvh), 0);
    assert_double_near(dvh.max, 4, 0);
    assert_double_near(DVHDoseAtVolume(&dvh, 0), 4, 0);
    assert_true(DVHVolumeAtDose(&dvh, dvh.max) > 0);
    assert_double_near(DVHVolumeAtDose(&dvh, 4.0001), 0, 0);
    DVHDestroy(&dvh);
  }
}

/* A structure of just the volume asked for has that volume, also where its voxels' sum is rounded; a smaller one has not. */
static void VolumeOfTheWholeStructure(void **state)
{
  float third[3] = {0.1f, 0.1f, 0.1f}, less[3] = {0.1f, 0.1f, 0.0999f};
  PetscInt at[3] = {0, 1, 3};
  const Region exact = {"E", ROLE_OAR, 3, at, third, 0.03}, smaller = {"S", ROLE_OAR, 3, at, less, 0.03};
  DVH dvh;
  assert_int_equal(DVHCreate(&exact, &grid, value, &dvh), 0);
  assert_double_near(DVHDoseAtVolume_cm3(&dvh, 0.03), 1, 1e-6);
  DVHDestroy(&dvh);
  assert_int_equal(DVHCreate(&smaller, &grid, value, &dvh), 0);
  assert_double_near(DVHDoseAtVolume_cm3(&dvh, 0.03), 4, 0);
  DVHDestroy(&dvh);
}

/* Many pseudo-random voxels, many of them equal: curves fall, dose at volume falls, and the two agree. */
static void Monotone(void **state)
{
  enum { N = 1000 };
  PetscInt all[N];
  float part[N], dose[N];
  unsigned seed = 1;
  for (int i = 0; i < N; i++) {
    seed = seed * 1664525u + 1013904223u;
    all[i] = i;
    part[i] = (float)(1 + (seed >> 24) % 4) / 4;
    dose[i] = (float)((seed >> 16) % 64) / 8;
  }
  Grid line = {{N, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  Region big = {"big", ROLE_OAR, N, all, part, 1};
  DVH dvh;
  assert_int_equal(DVHCreate(&big, &line, dose, &dvh), 0);
  double axis[81], percent[81];
  for (int i = 0; i < 81; i++) axis[i] = 0.1 * i;
  assert_int_equal(DVHCurve(&dvh, 81, axis, percent), 0);
  assert_double_near(percent[0], 100, 0);
  assert_double_near(percent[80], 0, 0);
  for (int i = 1; i < 81; i++) assert_true(percent[i] <= percent[i - 1]);
  for (int i = 1; i <= 100; i++) {
    assert_true(DVHDoseAtVolume(&dvh, i) <= DVHDoseAtVolume(&dvh, i - 1));
    assert_true(DVHVolumeAtDose(&dvh, DVHDoseAtVolume(&dvh, i) - 1e-9) >= i - 0.11); /* one voxel is 0.1 % */
  }
  DVHDestroy(&dvh);
}

static void Band(void **state)
{
  const float hotter[5] = {3, 5, 9, 2, 4}, extra[5] = {0, 0, 0, 0, 0};
  const float *dose[3] = {extra, value,
                          hotter}; /* the first is the nominal one, not of the set; the last finds no room */
  DVHBand band;
  assert_int_equal(DVHBandCreate("R", QUANTITY_RBE_WEIGHTED, 6, 5, 2, &band), 0);
  for (int s = 0; s < 3; s++) {
    DVH dvh;
    assert_int_equal(DVHCreate(&region, &grid, dose[s], &dvh), 0);
    assert_int_equal(DVHBandAdd(&band, &dvh, s, s ? PETSC_TRUE : PETSC_FALSE), 0);
    DVHDestroy(&dvh);
  }
  const double low[6] = {100, 100, 200.0 / 3, 50, 100.0 / 3, 0}, high[6] = {100, 100, 100, 200.0 / 3, 50, 100.0 / 3};
  for (int i = 0; i < 6; i++) {
    assert_double_near(band.axis[i], i, EXACT);
    assert_double_near(band.min[i], low[i], 1e-10);
    assert_double_near(band.max[i], high[i], 1e-10);
    assert_double_near(band.nominal[i], i ? 0 : 100, 0);
    assert_double_near(band.scenario[i], i ? 0 : 100, 0);
    assert_double_near(band.scenario[6 + i], low[i], 1e-5);
  }
  DVHBandDestroy(&band);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(FourVoxels),
                                     cmocka_unit_test(Order),
                                     cmocka_unit_test(Part),
                                     cmocka_unit_test(DoseAtVolume),
                                     cmocka_unit_test(DoseOfCoolest),
                                     cmocka_unit_test(VolumeAtDose),
                                     cmocka_unit_test(MaximumOfWhatIsTouched),
                                     cmocka_unit_test(VolumeOfTheWholeStructure),
                                     cmocka_unit_test(Monotone),
                                     cmocka_unit_test(Band)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failures;
}
