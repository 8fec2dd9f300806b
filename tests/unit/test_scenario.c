/* Scenario sets: counts 7, 14, 21, 28, ids, weights, shared setups, the nominal row. */
#include "robion/scenario.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static ScenarioSet *Make(PetscInt n_range, double *range, SetupPattern setup, double size_mm)
{
  ScenarioSet *set;
  ScenarioSpec spec = {
      .n_range = n_range, .range_percent = range, .setup = setup, .setup_mm = {size_mm, size_mm, size_mm}};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  double weight = 0;
  for (PetscInt s = 0; s < set->n; s++) {
    weight += set->scenario[s].weight;
    assert_int_equal(set->scenario[s].in_set, set->scenario[s].weight > 0);
    for (PetscInt t = 0; t < s; t++) assert_string_not_equal(set->scenario[s].id, set->scenario[t].id);
    assert_memory_equal(set->setup_mm[set->setup_of[s]], set->scenario[s].shift_mm, 3 * sizeof(double));
  }
  assert_true(fabs(weight - 1) < 1e-12);
  assert_string_equal(set->scenario[0].id, "nominal");
  return set;
}

static PetscInt Find(const ScenarioSet *set, const char *id)
{
  for (PetscInt s = 0; s < set->n; s++)
    if (!strcmp(set->scenario[s].id, id)) return s;
  return -1;
}

/* The sets of the published studies: 7, 21 (Parrella, Sokol), 14 and 28 (Yagi). */
static void Counts(void **state)
{
  (void)state;
  double zero[] = {0}, two[] = {-3.5, 3.5}, three[] = {-3.5, 0, 3.5};
  const struct {
    PetscInt n_range;
    double *range;
    SetupPattern setup;
    PetscInt n_set, n, n_setup;
  } want[] = {{1, zero, SETUP_NONE, 1, 1, 1},           {1, zero, SETUP_AXES, 7, 7, 7},
              {2, two, SETUP_AXES, 14, 15, 7},          {3, three, SETUP_AXES, 21, 21, 7},
              {2, two, SETUP_AXES_CORNERS, 28, 29, 15}, {1, zero, SETUP_CORNERS, 8, 9, 9}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(want); i++) {
    ScenarioSet *set = Make(want[i].n_range, want[i].range, want[i].setup, 2);
    assert_int_equal(set->n_set, want[i].n_set);
    assert_int_equal(set->n, want[i].n);
    assert_int_equal(set->n_setup, want[i].n_setup);
    assert_int_equal(ScenarioSetDestroy(&set), 0);
  }
}

static void Ids(void **state)
{
  (void)state;
  double two[] = {-3.5, 3.5};
  ScenarioSet *set = Make(2, two, SETUP_AXES_CORNERS, 2);
  PetscInt s = Find(set, "r-3.5_x+2");
  assert_true(s > 0);
  assert_true(set->scenario[s].range_percent == -3.5 && set->scenario[s].shift_mm[0] == 2 &&
              set->scenario[s].shift_mm[1] == 0);
  s = Find(set, "r+3.5_x-2_y+2_z-2");
  assert_true(s > 0);
  assert_true(set->scenario[s].shift_mm[0] == -2 && set->scenario[s].shift_mm[1] == 2 &&
              set->scenario[s].shift_mm[2] == -2);
  assert_int_equal(Find(set, "r+3.5"), -1); /* axes+corners has no zero shift */
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  set = Make(2, two, SETUP_AXES, 2);
  assert_true(Find(set, "r+3.5") > 0);
  assert_false(set->scenario[0].in_set);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* A zero component makes no second nominal; a list is taken as it is. */
static void RepeatedShifts(void **state)
{
  (void)state;
  double zero[] = {0}, shift[][3] = {{0, 0, 0}, {1, -2, 0}, {0, 0, 0}};
  ScenarioSpec flat = {.n_range = 1, .range_percent = zero, .setup = SETUP_AXES, .setup_mm = {2, 0, 2}};
  ScenarioSpec list = {.n_range = 1, .range_percent = zero, .setup = SETUP_LIST, .n_shift = 3, .shift_mm = shift};
  ScenarioSet *set;
  assert_int_equal(ScenarioSetCreate(&flat, &set), 0);
  assert_int_equal(set->n_set, 5);
  assert_int_equal(set->n, 5);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  assert_int_equal(ScenarioSetCreate(&list, &set), 0);
  assert_int_equal(set->n_set, 2);
  assert_string_equal(set->scenario[1].id, "x+1_y-2");
  assert_true(set->scenario[0].in_set && set->scenario[0].weight == 0.5);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* A full grid, and a cross in which no two errors come together. */
static void GridAndCross(void **state)
{
  double two[] = {-3.5, 3.5};
  ScenarioSet *set = Make(2, two, SETUP_GRID, 2);
  assert_int_equal(set->n_set, 54);
  assert_int_equal(set->n, 55);
  assert_true(Find(set, "r-3.5_x-2_z+2") > 0);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  set = Make(2, two, SETUP_CROSS, 2);
  assert_int_equal(set->n_set, 9); /* nominal, 2 ranges, 6 shifts */
  assert_int_equal(set->n, 9);
  assert_true(Find(set, "r+3.5") > 0 && Find(set, "y-2") > 0);
  assert_int_equal(Find(set, "r+3.5_y-2"), -1);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

static ScenarioSet *Drawn(PetscInt n, PetscInt seed)
{
  static double range[] = {0}, shift[3] = {2, 2, 3};
  ScenarioSet *set;
  ScenarioSpec spec = {.n_range = 1, .range_percent = range, .setup = SETUP_RANDOM, .n_random = n, .seed = seed};
  memcpy(spec.setup_mm, shift, sizeof shift);
  spec.range_sigma_percent = 1.5;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  return set;
}

/* Drawn errors have the standard deviations asked for; a scenario depends on its number and the seed alone. */
static void RandomScenarios(void **state)
{
  ScenarioSet *many = Drawn(4000, 7), *few = Drawn(3, 7), *other = Drawn(3, 8);
  double sum[4] = {0}, squares[4] = {0}, sigma[4] = {2, 2, 3, 1.5};
  assert_int_equal(many->n_set, 4000);
  assert_int_equal(many->n, 4001);
  assert_memory_equal(many->scenario[3].shift_mm, few->scenario[3].shift_mm, sizeof many->scenario[3].shift_mm);
  assert_true(many->scenario[2].range_percent == few->scenario[2].range_percent);
  assert_true(few->scenario[1].range_percent != other->scenario[1].range_percent);
  assert_string_equal(few->scenario[3].id, "random-3");
  for (PetscInt s = 1; s < many->n; s++)
    for (int k = 0; k < 4; k++) {
      double x = k < 3 ? many->scenario[s].shift_mm[k] : many->scenario[s].range_percent;
      sum[k] += x / 4000;
      squares[k] += x * x / 4000;
    }
  for (int k = 0; k < 4; k++) { /* 5 standard errors of mean and of variance */
    assert_true(fabs(sum[k]) < 5 * sigma[k] / sqrt(4000));
    assert_true(fabs(squares[k] / (sigma[k] * sigma[k]) - 1) < 5 * sqrt(2.0 / 4000));
  }
  assert_int_equal(ScenarioSetDestroy(&many) || ScenarioSetDestroy(&few) || ScenarioSetDestroy(&other), 0);
}

/* Slices cover a set row by row, whatever their size; setups are indexed anew. */
static void Slices(void **state)
{
  double two[] = {-3.5, 3.5};
  ScenarioSet *set = Make(2, two, SETUP_AXES, 2);
  assert_int_equal(set->n, 15);
  for (PetscInt size = 1; size <= set->n; size++) {
    PetscInt in_set = 0;
    for (PetscInt first = 0; first < set->n; first += size) {
      ScenarioSet *slice;
      assert_int_equal(ScenarioSetSlice(set, first, PetscMin(size, set->n - first), &slice), 0);
      assert_int_equal(slice->n, PetscMin(size, set->n - first));
      assert_true(slice->n_setup <= PetscMin(slice->n, set->n_setup));
      for (PetscInt s = 0; s < slice->n; s++) {
        assert_memory_equal(&slice->scenario[s], &set->scenario[first + s], sizeof *slice->scenario);
        assert_memory_equal(slice->setup_mm[slice->setup_of[s]], set->scenario[first + s].shift_mm, 3 * sizeof(double));
      }
      in_set += slice->n_set;
      assert_int_equal(ScenarioSetDestroy(&slice), 0);
    }
    assert_int_equal(in_set, set->n_set);
  }
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Counts),          cmocka_unit_test(Ids),
                                     cmocka_unit_test(RepeatedShifts),  cmocka_unit_test(GridAndCross),
                                     cmocka_unit_test(RandomScenarios), cmocka_unit_test(Slices)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
