/*
 * Shifts of activity along a beam: known ones are found, and their standard deviation is what counts make of it.
 *
 * sanitizer: slow
 */
#include "activity_box.h"
#include "robion/range_shift.h"
#include <gsl/gsl_randist.h>

static Beam BeamAt(double gantry_deg, double couch_deg)
{
  Beam beam = {.gantry_deg = gantry_deg, .couch_deg = couch_deg, .isocentre_mm = {3, -2, 5}};
  BeamSetAxes(&beam);
  return beam;
}

/* A beam of 30 mm radius that makes a plateau and a peak, 20 mm behind the isocentre, on one side 6 mm farther. */
static void Draw(const Beam *beam, const Grid *grid, double shift_mm, double stretch, double scale, float *value)
{
  static const double no_shift[3];
  for (size_t v = 0; v < GridSize(grid); v++) {
    double point[3], bev[3];
    GridCentre(grid, v, point);
    BeamProject(beam, point, no_shift, bev);
    const double edge = 20 + 0.1 * bev[0] + shift_mm - stretch * (20 + 0.1 * bev[0] + 60), depth = bev[2] - edge;
    const double along = 0.5 * erfc(depth / (M_SQRT2 * 2.5)) * (1 + 1.5 * exp(-0.5 * pow((depth + 6) / 4, 2)));
    value[v] = (float)(scale * along * exp(-pow((bev[0] * bev[0] + bev[1] * bev[1]) / 900, 4)));
  }
}

static const Grid grid = {{60, 60, 60}, {2, 2, 2}, {-59, -59, -59}};

/* Rigid shifts, along the axes of the grid and across them. */
static void RigidShifts(void **state)
{
  float *reference, *other;
  ShiftSpec spec;
  ShiftSpecDefault(&spec);
  assert_int_equal(PetscMalloc2(GridSize(&grid), &reference, GridSize(&grid), &other), 0);
  const struct {
    double gantry_deg, couch_deg, shift_mm;
  } of[] = {{0, 0, 0},      {0, 0, 0.3},  {0, 0, -1.7},    {90, 0, 5.2},
            {270, 0, -5.2}, {30, 0, 0.8}, {140, 25, -2.4}, {45, 0, 11}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    const Beam beam = BeamAt(of[i].gantry_deg, of[i].couch_deg);
    const ShiftMap maps[2] = {{&grid, reference, 0}, {&grid, other, 0}};
    RangeShift shift;
    Draw(&beam, &grid, 0, 0, 1, reference);
    Draw(&beam, &grid, of[i].shift_mm, 0, 1, other);
    assert_int_equal(RangeShiftFind(&beam, &spec, &maps[0], &maps[1], &maps[0], &maps[1], &shift), 0);
    print_message("gantry %g, couch %g: %+.3f mm, dose %+.3f mm of %+.1f, %d columns\n", of[i].gantry_deg,
                  of[i].couch_deg, shift.shift_mm, shift.dose_shift_mm, of[i].shift_mm, (int)shift.n);
    assert_true(shift.n > 30);
    assert_double_near(shift.shift_mm, of[i].shift_mm, 0.1);
    assert_double_near(shift.dose_shift_mm, of[i].shift_mm, 0.2);
    assert_double_near(shift.deviation_mm, 0, 0);
    double weight = 0;
    for (PetscInt c = 0; c < shift.n; c++) {
      const ShiftColumn *column = &shift.column[c];
      weight += column->weight;
      assert_double_near(column->shift_mm, of[i].shift_mm, 0.4);
      assert_double_near(column->edge_mm, 20 + 0.1 * column->u_mm, 2.5);
    }
    assert_double_near(weight, 1, 1e-9);
    assert_int_equal(RangeShiftDestroy(&shift), 0);
  }
  assert_int_equal(PetscFree2(reference, other), 0);
}

/* Without a falloff there is no shift; doses are optional. */
static void NoFalloff(void **state)
{
  float *flat;
  ShiftSpec spec;
  RangeShift shift;
  const Beam beam = BeamAt(0, 0);
  ShiftSpecDefault(&spec);
  assert_int_equal(PetscMalloc1(GridSize(&grid), &flat), 0);
  for (int value = 0; value < 2; value++) {
    for (size_t v = 0; v < GridSize(&grid); v++) flat[v] = (float)value;
    const ShiftMap map = {&grid, flat, 0};
    assert_int_equal(RangeShiftFind(&beam, &spec, &map, &map, NULL, NULL, &shift), 0);
    assert_true(!value == !shift.n || isnan(shift.dose_shift_mm));
    assert_true(isnan(shift.dose_shift_mm));
    assert_int_equal(RangeShiftDestroy(&shift), 0);
  }
  assert_int_equal(PetscFree(flat), 0);
}

/* Draws of counts: shifts scatter as their standard deviation says, about the true one; four times the counts halve it. */
static void ScatterOfCounts(void **state)
{
  enum { DRAWS = 60 };
  const Grid coarse = {{30, 30, 30}, {4, 4, 4}, {-58, -58, -58}};
  const size_t size = GridSize(&coarse);
  float *reference, *expected, *counts;
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
  ShiftSpec spec;
  ShiftSpecDefault(&spec);
  assert_int_equal(PetscMalloc3(size, &reference, size, &expected, size, &counts), 0);
  for (int oblique = 0; oblique < 2; oblique++) {
    const Beam beam = BeamAt(oblique ? 35 : 0, 0);
    double told[2];
    Draw(&beam, &coarse, 0, 0, 1, reference);
    Draw(&beam, &coarse, 1.5, 0, 1, expected);
    for (int many = 0; many < 2; many++) {
      const double per_count = many ? 0.05 : 0.2;
      double sum = 0, square = 0, variance = 0;
      for (int draw = 0; draw < DRAWS; draw++) {
        RangeShift shift;
        for (size_t v = 0; v < size; v++)
          counts[v] = (float)(per_count * gsl_ran_poisson(random, (double)expected[v] / per_count));
        const ShiftMap maps[2] = {{&coarse, reference, 0}, {&coarse, counts, per_count}};
        assert_int_equal(RangeShiftFind(&beam, &spec, &maps[0], &maps[1], NULL, NULL, &shift), 0);
        sum += shift.shift_mm;
        square += shift.shift_mm * shift.shift_mm;
        variance += shift.deviation_mm * shift.deviation_mm / DRAWS;
        assert_int_equal(RangeShiftDestroy(&shift), 0);
      }
      const double mean = sum / DRAWS, scatter = sqrt(square / DRAWS - mean * mean);
      told[many] = sqrt(variance);
      print_message("gantry %g, %g counts at most in a voxel: %.3f +- %.3f mm, told %.3f\n", beam.gantry_deg,
                    2 / per_count, mean, scatter, told[many]);
      assert_double_near(mean, 1.5, 4 * told[many] / sqrt(DRAWS) + 0.05);
      assert_double_near(scatter / told[many], 1, 0.35);
    }
    assert_double_near(told[0] / told[1], 2, 0.2);
  }
  gsl_rng_free(random);
  assert_int_equal(PetscFree3(reference, expected, counts), 0);
}

/* Range errors of 1 and 3.5 %: images of 11C and 12C beams tell what becomes of the dose. */
static void RangeErrors(void **state)
{
  static const char *const scenario[] = {"nominal", "r+1", "r-1", "r+3.5", "r-3.5"};
  static double range[] = {-3.5, -1, 0, 1, 3.5};
  ActivityWindow window = {(char *)"after", 120, 420};
  for (int ion = 0; ion < 2; ion++) {
    Box box;
    ActivitySet set;
    ShiftSpec spec;
    CreateBox(ion ? "12C" : "11C", 0, 2, &box);
    const ScenarioSpec scenarios = {.n_range = 5, .range_percent = range, .setup = SETUP_NONE};
    assert_int_equal(ScenarioSetDestroy(&box.set), 0);
    assert_int_equal(ScenarioSetCreate(&scenarios, &box.set), 0);
    ActivitySpec activity = Spec(5, scenario);
    activity.n_windows = 1;
    activity.windows = &window;
    Compute(PETSC_COMM_SELF, &box, &activity, &set);
    ShiftSpecDefault(&spec);
    const Beam *beam = &box.beams->beam[0];
    for (PetscInt s = 0; s < set.n; s++) {
      const double error = set.map[s].scenario->range_percent / 100;
      double expected = 0; /* all depths in the box by 1 / (1 + error) */
      const ShiftMap maps[2] = {{&box.grid, set.map[0].image[0], 0}, {&box.grid, set.map[s].image[0], 0}};
      RangeShift shift;
      assert_int_equal(RangeShiftFind(beam, &spec, &maps[0], &maps[1], NULL, NULL, &shift), 0);
      for (PetscInt c = 0; c < shift.n; c++)
        expected +=
            shift.column[c].weight * (shift.column[c].edge_mm + beam->isocentre_mm[1] + 80) * (1 / (1 + error) - 1);
      print_message("%s, %s: %+.3f mm, range %+.3f mm\n", ion ? "12C" : "11C", set.map[s].scenario->id, shift.shift_mm,
                    expected);
      assert_true(shift.n > 4);
      assert_double_near(shift.shift_mm, expected, 0.2);
      assert_int_equal(RangeShiftDestroy(&shift), 0);
    }
    assert_int_equal(ActivitySetDestroy(&set), 0);
    DestroyBox(&box);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RigidShifts), cmocka_unit_test(NoFalloff),
                                     cmocka_unit_test(ScatterOfCounts), cmocka_unit_test(RangeErrors)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
