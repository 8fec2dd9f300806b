/* Scenario sets: counts 7, 14, 21, 28, ids, weights, shared views, the nominal row, beams that err by themselves, sets together. */
#include "robion/scenario.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"
#include <string.h>

static const View *ViewOf(const ScenarioSet *set, PetscInt row)
{
  return &set->view[set->of_phase[set->sums[set->scenario[row].sums].first].view];
}

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
    assert_int_equal(set->scenario[s].sums, s); /* without biology no two rows have the same dose */
    assert_memory_equal(ViewOf(set, s)->shift_mm, set->scenario[s].shift_mm, 3 * sizeof(double));
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
    PetscInt n_set, n, n_view;
  } want[] = {{1, zero, SETUP_NONE, 1, 1, 1},           {1, zero, SETUP_AXES, 7, 7, 7},
              {2, two, SETUP_AXES, 14, 15, 7},          {3, three, SETUP_AXES, 21, 21, 7},
              {2, two, SETUP_AXES_CORNERS, 28, 29, 15}, {1, zero, SETUP_CORNERS, 8, 9, 9}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(want); i++) {
    ScenarioSet *set = Make(want[i].n_range, want[i].range, want[i].setup, 2);
    assert_int_equal(set->n_set, want[i].n_set);
    assert_int_equal(set->n, want[i].n);
    assert_int_equal(set->n_view, want[i].n_view);
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

/* Slices cover a set row by row, whatever their size; views are indexed anew. */
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
      assert_true(slice->n_view <= PetscMin(slice->n, set->n_view));
      for (PetscInt s = 0; s < slice->n; s++) {
        assert_string_equal(slice->scenario[s].id, set->scenario[first + s].id);
        assert_true(slice->scenario[s].range_percent == set->scenario[first + s].range_percent);
        assert_memory_equal(ViewOf(slice, s)->shift_mm, set->scenario[first + s].shift_mm, 3 * sizeof(double));
      }
      in_set += slice->n_set;
      assert_int_equal(ScenarioSetDestroy(&slice), 0);
    }
    assert_int_equal(in_set, set->n_set);
  }
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* Ranges of three beams apart: all combinations, those of equal errors as without; one beam at a time in a cross. */
static void RangesOfBeams(void **state)
{
  double two[] = {-3.5, 3.5}, zero[] = {0};
  ScenarioSpec spec = {.n_range = 2,
                       .range_percent = two,
                       .range_per_beam = PETSC_TRUE,
                       .axes = {.n_beam = 3},
                       .setup = SETUP_AXES,
                       .setup_mm = {2, 2, 2}};
  ScenarioSet *set, *one;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n_set, 8 * 7);
  assert_true(ScenarioCount(&spec) >= set->n);
  assert_int_equal(set->n_view, 7);
  const PetscInt s = Find(set, "r0+3.5_r1-3.5_r2-3.5_y+2");
  assert_true(s > 0);
  for (int b = 0; b < 3; b++) assert_true(ScenarioRangeFactor(&set->scenario[s], b) == 1 + (b ? -3.5 : 3.5) / 100);
  one = Make(2, two, SETUP_AXES, 2);
  for (PetscInt row = 1; row < one->n; row++) { /* equal errors are one: all that Make finds is there */
    const PetscInt here = Find(set, one->scenario[row].id);
    assert_true(here > 0 && !set->scenario[here].range_of_beam);
    assert_true(set->scenario[here].range_percent == one->scenario[row].range_percent);
  }
  assert_int_equal(ScenarioSetDestroy(&set) || ScenarioSetDestroy(&one), 0);
  spec.setup = SETUP_CROSS;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n_set, 1 + 6 + 6);
  assert_true(Find(set, "r1-3.5") > 0 && set->scenario[Find(set, "r1-3.5")].range_of_beam[0] == 0);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec.axes.n_beam = 1; /* a single beam's own error is the plan's */
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(Find(set, "r-3.5") > 0 && set->n_set == 1 + 2 + 6);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec = (ScenarioSpec){.n_range = 1,
                        .range_percent = zero,
                        .setup = SETUP_RANDOM,
                        .n_random = 4000,
                        .seed = 3,
                        .setup_mm = {1, 1, 1},
                        .range_sigma_percent = 2,
                        .range_per_beam = PETSC_TRUE,
                        .axes = {.n_beam = 2}};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  spec.n_random = 3;
  spec.axes.n_beam = 4;
  assert_int_equal(ScenarioSetCreate(&spec, &one), 0);
  double sum[3] = {0}; /* of squares, and of the product: each beam by itself */
  for (PetscInt row = 1; row < set->n; row++) {
    const double *of = set->scenario[row].range_of_beam;
    sum[0] += of[0] * of[0] / 4000, sum[1] += of[1] * of[1] / 4000, sum[2] += of[0] * of[1] / 4000;
  }
  for (int k = 0; k < 2; k++) assert_true(fabs(sum[k] / 4 - 1) < 5 * sqrt(2.0 / 4000));
  assert_true(fabs(sum[2] / 4) < 5 / sqrt(4000));
  for (PetscInt row = 1; row < 4; row++) { /* whatever number of scenarios and of beams */
    assert_memory_equal(set->scenario[row].range_of_beam, one->scenario[row].range_of_beam, 2 * sizeof(double));
    assert_memory_equal(set->scenario[row].shift_mm, one->scenario[row].shift_mm, 3 * sizeof(double));
  }
  assert_int_equal(ScenarioSetDestroy(&set) || ScenarioSetDestroy(&one), 0);
}

/* Sets on top of each other: what comes again counts once, drawn scenarios are numbered on, all weigh the same. */
static void SetsTogether(void **state)
{
  double two[] = {-3.5, 3.5}, zero[] = {0};
  ScenarioSpec plus[] = {
      {.n_range = 2, .range_percent = two, .setup = SETUP_NONE, .range_per_beam = PETSC_TRUE},
      {.n_range = 1, .range_percent = zero, .setup = SETUP_RANDOM, .n_random = 5, .setup_mm = {2, 2, 2}},
      {.n_range = 1, .range_percent = zero, .setup = SETUP_AXES, .setup_mm = {2, 2, 2}},
      {.n_range = 1, .range_percent = zero, .setup = SETUP_RANDOM, .n_random = 2, .seed = 1, .setup_mm = {2, 2, 2}}};
  ScenarioSpec spec = {.n_range = 2,
                       .range_percent = two,
                       .setup = SETUP_AXES,
                       .setup_mm = {2, 2, 2},
                       .axes = {.n_beam = 2},
                       .n_plus = 4,
                       .plus = plus};
  ScenarioSet *set;
  double weight = 0;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n_set, 14 + 2 + 5 + 7 + 2); /* two of the four combinations of ranges were there */
  assert_true(set->n == set->n_set && set->scenario[0].in_set);
  assert_true(ScenarioCount(&spec) >= set->n);
  for (PetscInt s = 0; s < set->n; s++) {
    weight += set->scenario[s].weight;
    for (PetscInt t = 0; t < s; t++) assert_string_not_equal(set->scenario[s].id, set->scenario[t].id);
  }
  assert_true(fabs(weight - 1) < 1e-12);
  assert_true(Find(set, "random-5") > 0 && Find(set, "random-7") == set->n - 1 && Find(set, "r0-3.5_r1+3.5") > 0);
  ScenarioSet *alone = NULL;
  assert_int_equal(ScenarioSetCreate(&plus[1], &alone), 0);
  assert_memory_equal(set->scenario[Find(set, "random-4")].shift_mm, alone->scenario[4].shift_mm, 3 * sizeof(double));
  assert_int_equal(ScenarioSetDestroy(&set) || ScenarioSetDestroy(&alone), 0);
}

/* Rotations with other errors, or by themselves in a cross; a shift with one is a view of its own, of which the depths hang on the rotation alone. */
static void Rotations(void **state)
{
  double zero[] = {0}, rotation[][3] = {{0, 0, 0}, {2, 0, 0}, {0.5, -1, 3}};
  ScenarioSpec spec = {.n_range = 1,
                       .range_percent = zero,
                       .setup = SETUP_AXES,
                       .setup_mm = {2, 3, 4},
                       .n_rotation = 3,
                       .rotation_deg = rotation,
                       .axes = {.n_beam = 1, .n_tissue = 1}};
  ScenarioSet *set;
  PetscInt trace[21], view[21];
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(set->n_set == 21 && set->n_view == 21 && set->n_sums == 21 && ScenarioCount(&spec) >= 21);
  const PetscInt row = Find(set, "y-3_rx+0.5_ry-1_rz+3");
  assert_true(row > 0 && Find(set, "rx+2") > 0 && Find(set, "y-3") > 0);
  const View *turned = &set->view[set->of_phase[set->sums[set->scenario[row].sums].first].view];
  assert_true(ViewTurned(turned) && !ViewTurned(&set->view[0]));
  assert_double_near(hypot(hypot(turned->shift_mm[0], turned->shift_mm[1]), turned->shift_mm[2]), 3, 1e-14);
  assert_int_equal(ScenarioTraces(set, PETSC_TRUE, trace, view), 3);
  for (PetscInt k = 0; k < 21; k++)
    assert_memory_equal(set->view[k].rotation_deg, set->view[view[trace[k]]].rotation_deg, 3 * sizeof(double));
  assert_int_equal(ScenarioTraces(set, PETSC_FALSE, trace, NULL), 21);
  assert_true(trace[0] == 0 && trace[20] == 20);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec.setup = SETUP_CROSS;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n_set, 1 + 6 + 2);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec.setup = SETUP_RANDOM;
  spec.n_random = 3000;
  spec.n_rotation = 0;
  memcpy(spec.rotation_sigma_deg, (double[]){1, 0, 2}, sizeof spec.rotation_sigma_deg);
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  double square[3] = {0};
  for (PetscInt s = 1; s < set->n; s++)
    for (int k = 0; k < 3; k++) square[k] += pow(set->scenario[s].rotation_deg[k], 2) / 3000;
  assert_true(fabs(square[0] - 1) < 0.15 && square[1] == 0 && fabs(square[2] - 4) < 0.6);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* R^T of R = Rz Ry Rx: a quarter about x takes y to z, one about z after it x to y. */
static void TurnedBack(void **state)
{
  double back[3];
  RotateBack((double[]){90, 0, 0}, (double[]){0, 0, 1}, back);
  assert_true(fabs(back[0]) < 1e-15 && fabs(back[1] - 1) < 1e-15 && fabs(back[2]) < 1e-15);
  RotateBack((double[]){90, 0, 90}, (double[]){-1, 0, 0},
             back); /* y turns to z, which stays; -x comes from y, that from -z */
  assert_true(fabs(back[0]) < 1e-15 && fabs(back[1]) < 1e-15 && fabs(back[2] + 1) < 1e-15);
  RotateBack((double[]){0, 90, 0}, (double[]){1, 0, 0}, back);
  assert_true(fabs(back[0]) < 1e-15 && fabs(back[1]) < 1e-15 && fabs(back[2] - 1) < 1e-15);
  const double kept[3] = {0.1, -7, 1e-300};
  RotateBack((double[]){0, 0, 0}, kept, back);
  assert_memory_equal(back, kept, sizeof kept);
}

/* Responses with other errors, or by themselves in a cross; those of one model share their sums; factors of each tissue are drawn apart. */
static void Responses(void **state)
{
  double two[] = {-3.5, 3.5}, zero[] = {0};
  char *names[] = {(char *)BIOLOGY_NOMINAL, (char *)"mkm", (char *)"low", (char *)"same"};
  ScenarioBiology biology[] = {{"low", 0, 1, 0.8, 1}, {"mkm", 1, -1, 1, 1}, {"same", 0, -1, 1, 1}};
  ScenarioSpec spec = {.n_range = 2,
                       .range_percent = two,
                       .setup = SETUP_AXES,
                       .setup_mm = {2, 2, 2},
                       .n_biology = 4,
                       .biology = names,
                       .axes = {.n_beam = 1, .n_tissue = 2, .n_biology = 3, .biology = biology}};
  ScenarioSet *set, *slice;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(set->n_set == 14 * 4 && set->n == 57 && ScenarioCount(&spec) >= 57);
  assert_true(set->n_view == 7 && set->n_sums == 1 + 14 * 2);
  const PetscInt low = Find(set, "r+3.5_y-2_bio-low"), mkm = Find(set, "r+3.5_y-2_bio-mkm"),
                 own = Find(set, "r+3.5_y-2"), same = Find(set, "r+3.5_y-2_bio-same");
  assert_true(low > 0 && mkm > 0 && own > 0 && same > 0);
  assert_true(set->scenario[low].sums == set->scenario[own].sums &&
              set->scenario[same].sums == set->scenario[own].sums);
  assert_true(set->scenario[mkm].sums != set->scenario[own].sums && set->scenario[mkm].model == 1);
  assert_true(!set->scenario[same].factor && !set->scenario[own].factor && !set->scenario[mkm].factor);
  assert_true(ScenarioFactor(&set->scenario[low], 1, 0) == 0.8 && ScenarioFactor(&set->scenario[low], 0, 0) == 1);
  assert_string_equal(set->scenario[low].biology, "low");
  assert_int_equal(ScenarioSetSlice(set, own, 4, &slice), 0); /* side by side, so that slices share */
  assert_int_equal(slice->n_sums, 2);
  assert_int_equal(ScenarioSetDestroy(&slice) || ScenarioSetDestroy(&set), 0);
  spec.setup = SETUP_CROSS;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n_set, 1 + 2 + 6 + 3);
  assert_true(Find(set, "bio-mkm") > 0);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec = (ScenarioSpec){.n_range = 1,
                        .range_percent = zero,
                        .setup = SETUP_RANDOM,
                        .n_random = 4000,
                        .seed = 5,
                        .alpha_sigma_percent = 10,
                        .beta_sigma_percent = 30,
                        .axes = spec.axes};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(set->n_set == 4000 && set->n == 4001 && set->n_sums == 1);
  double sum[5] = {0};
  for (PetscInt s = 1; s < set->n; s++) {
    const Scenario *one = &set->scenario[s];
    const double a = log(ScenarioFactor(one, 0, 0)) / 0.1, b = log(ScenarioFactor(one, 0, 1)) / 0.3,
                 c = log(ScenarioFactor(one, 1, 0)) / 0.1;
    sum[0] += a * a / 4000, sum[1] += b * b / 4000, sum[2] += a / 4000, sum[3] += a * b / 4000, sum[4] += a * c / 4000;
  }
  for (int k = 0; k < 2; k++) assert_true(fabs(sum[k] - 1) < 5 * sqrt(2.0 / 4000));
  for (int k = 2; k < 5; k++) assert_true(fabs(sum[k]) < 5 / sqrt(4000));
  const double drawn = ScenarioFactor(&set->scenario[3], 0, 1);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec.n_random = 4; /* neither how many there are nor the other axes change what is drawn */
  spec.axes.n_tissue = 3;
  spec.setup_mm[1] = 2;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(ScenarioFactor(&set->scenario[3], 0, 1) == drawn && set->n_sums == 5);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Counts),          cmocka_unit_test(Ids),
                                     cmocka_unit_test(RepeatedShifts),  cmocka_unit_test(GridAndCross),
                                     cmocka_unit_test(RandomScenarios), cmocka_unit_test(Slices),
                                     cmocka_unit_test(RangesOfBeams),   cmocka_unit_test(SetsTogether),
                                     cmocka_unit_test(Rotations),       cmocka_unit_test(TurnedBack),
                                     cmocka_unit_test(Responses)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
