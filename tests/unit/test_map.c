/* Maps of a case: found, replaced, and resampled with counts and means kept. */
#include "robion/map.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static const Grid coarse = {{6, 5, 4}, {1.7, 1.3, 6}, {-3, 1, 2}},
                  around = {{12, 12, 30}, {1.1, 1.1, 1.9}, {-5.05, -2.07, -8}};

static double Total(const Grid *grid, const double *value)
{
  double sum = 0;
  for (size_t v = 0; v < GridSize(grid); v++) sum += value[v];
  return sum;
}

/* Counts keep their sum on a finer grid that holds the coarse one, and on a coarser one; centre of mass too. */
static void CountsStay(void **state)
{
  double count[120], *fine, *back, centre[2] = {0, 0};
  for (size_t v = 0; v < 120; v++) count[v] = 1000 + 37.0 * (double)((v * 7919) % 101);
  assert_int_equal(GridResampleCounts(&coarse, count, &around, &fine), 0);
  assert_double_near(Total(&around, fine) / Total(&coarse, count), 1, 1e-13);
  for (size_t v = 0; v < GridSize(&around); v++) {
    double at[3];
    GridCentre(&around, v, at);
    centre[1] += at[2] * fine[v] / Total(&coarse, count);
  }
  for (size_t v = 0; v < 120; v++) {
    double at[3];
    GridCentre(&coarse, v, at);
    centre[0] += at[2] * count[v] / Total(&coarse, count);
  }
  assert_double_near(centre[0], centre[1], 0.3); /* a cell is 1.9 mm long */
  const Grid whole = {{1, 1, 1}, {60, 60, 100}, {0, 0, 10}};
  assert_int_equal(GridResampleCounts(&coarse, count, &whole, &back), 0);
  assert_double_near(back[0] / Total(&coarse, count), 1, 1e-13);
  assert_int_equal(PetscFree(fine), 0);
  assert_int_equal(PetscFree(back), 0);
}

/* The same density gives counts in proportion to the volume, whatever the grids. */
static void CountsScaleWithVolume(void **state)
{
  const Grid from = {{8, 8, 8}, {3, 3, 3}, {0, 0, 0}}, to = {{2, 2, 2}, {6, 6, 6}, {4.5, 4.5, 4.5}};
  double count[512], *out;
  for (size_t v = 0; v < 512; v++) count[v] = 2.7e5;
  assert_int_equal(GridResampleCounts(&from, count, &to, &out), 0);
  for (size_t v = 0; v < 8; v++) assert_double_near(out[v] / (8 * 2.7e5), 1, 1e-13);
  assert_int_equal(PetscFree(out), 0);
}

/* Clonogens are counted over the volume that has any, and follow the misfit in the way of Parrella. */
static void ClonogensPerVolume(void **state)
{
  Case patient = {.ct = {{4, 1, 1}, {3, 3, 3}, {0, 0, 0}}};
  const Grid whole = {{1, 1, 1}, {12, 3, 3}, {4.5, 0, 0}};
  const float given[4] = {27, 54, 54, 0}, misfit[4] = {0, 0.3f, 0, 9};
  const double sigma = sqrt(2.0) * 0.1, heavy = 0.5 * exp(-0.5 * 0.09 / (sigma * sigma));
  const double expected[N_CELL_CASES] = {135.0 / 81, (81 + 54 * (0.5 + heavy)) / 81, (81 + 54 * (1.5 - heavy)) / 81};
  float *count, *rmse;
  double *out;
  assert_int_equal(PetscMalloc1(4, &count) || PetscMalloc1(4, &rmse), 0);
  memcpy(count, given, sizeof given);
  memcpy(rmse, misfit, sizeof misfit);
  assert_int_equal(CaseAddMap(&patient, MAP_CLONOGENS, MAP_CLONOGENS_UNIT, count), 0);
  assert_int_equal(CaseClonogens(&patient, 0, CELLS_WORST, &whole, &out), 0);
  assert_double_near(out[0], expected[CELLS_NOMINAL], 1e-12); /* no map of the misfit */
  assert_int_equal(PetscFree(out) || CaseAddMap(&patient, MAP_RMSE, MAP_RMSE_UNIT, rmse), 0);
  for (int c = 0; c < N_CELL_CASES; c++) {
    assert_int_equal(CaseClonogens(&patient, 0, (CellCase)c, &whole, &out), 0);
    assert_double_near(out[0], expected[c], 1e-7);
    assert_int_equal(PetscFree(out), 0);
  }
  for (PetscInt m = 0; m < patient.n_maps; m++)
    assert_int_equal(
        PetscFree(patient.maps[m].name) || PetscFree(patient.maps[m].unit) || PetscFree(patient.maps[m].value), 0);
  assert_int_equal(PetscFree(patient.maps), 0);
}

static void MeansStay(void **state)
{
  double value[120], *out;
  unsigned char mask[120];
  for (size_t v = 0; v < 120; v++) {
    mask[v] = v % 3 == 0;
    value[v] = mask[v] ? 0.83 : 77;
  }
  assert_int_equal(GridResampleMeans(&coarse, value, mask, &around, &out), 0);
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&around); v++) {
    if (out[v] == 0) continue;
    assert_double_near(out[v], 0.83, 1e-12);
    n++;
  }
  assert_true(n > 100);
  assert_int_equal(PetscFree(out), 0);
}

static void OfACase(void **state)
{
  Case patient = {.ct = {{4, 4, 4}, {2, 2, 2}, {0, 0, 0}}};
  const Grid grid = {{2, 2, 2}, {4, 4, 4}, {1, 1, 1}};
  float *count, *rmse, *again;
  double *out;
  assert_int_equal(PetscCalloc1(64, &count) || PetscCalloc1(64, &rmse) || PetscCalloc1(64, &again), 0);
  count[0] = 10, count[1] = 30, count[63] = 5;
  rmse[0] = 0.2F, rmse[1] = 0.4F;
  assert_int_equal(CaseAddMap(&patient, MAP_CLONOGENS, MAP_CLONOGENS_UNIT, count), 0);
  assert_int_equal(CaseAddMap(&patient, MAP_RMSE, MAP_RMSE_UNIT, rmse), 0);
  assert_int_equal(CaseFindMap(&patient, MAP_RMSE), 1);
  assert_int_equal(CaseFindMap(&patient, "other"), -1);
  assert_int_equal(CaseMapToGrid(&patient, 0, &grid, &out), 0);
  assert_double_near(out[0], 40, 1e-12);
  assert_double_near(out[7], 5, 1e-12);
  assert_int_equal(PetscFree(out), 0);
  assert_int_equal(CaseMapToGrid(&patient, 1, &grid, &out), 0);
  assert_double_near(out[0], 0.3, 1e-7); /* of the two voxels that have one */
  assert_double_near(out[7], 0, 0);
  assert_int_equal(PetscFree(out), 0);
  assert_int_equal(CaseAddMap(&patient, MAP_CLONOGENS, "1/cm3", again), 0);
  assert_int_equal(patient.n_maps, 2);
  assert_string_equal(patient.maps[0].unit, "1/cm3");
  for (int m = 0; m < 2; m++)
    assert_int_equal(
        PetscFree(patient.maps[m].name) || PetscFree(patient.maps[m].unit) || PetscFree(patient.maps[m].value), 0);
  assert_int_equal(PetscFree(patient.maps), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(CountsStay), cmocka_unit_test(CountsScaleWithVolume),
                                     cmocka_unit_test(ClonogensPerVolume), cmocka_unit_test(MeansStay),
                                     cmocka_unit_test(OfACase)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
