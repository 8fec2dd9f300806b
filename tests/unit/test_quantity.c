/* The table of quantities: every row is whole, and what goes through it finds what it needs. */
#include "robion/quantity.h"
#include "robion/evaluate.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void Rows(void **state)
{
  for (Quantity q = 0; q < n_quantities; q++) {
    const QuantityRow *row = &quantities[q];
    assert_non_null(row->name);
    assert_int_equal(QuantityFind(row->name), q); /* no name twice */
    assert_true(*row->unit && strlen(row->unit) < sizeof((Metric *)0)->unit);
    assert_true(*row->meaning);
    assert_true(!row->of_channels || !row->of_quantities);
    if (row->kept == KEPT_ALWAYS) assert_true(row->of_channels || row->of_quantities);
    assert_int_equal(row->of_channels != NULL, row->stages != STAGES_APART);
    if (row->goal_key || row->linear) assert_non_null(row->of_channels);
    if (row->dvh.n)
      assert_true(row->dvh.n > 1 && row->dvh.top > 0 && (row->kept == KEPT_ALWAYS || row->kept == KEPT_OF_HIGH_LET));
    if (row->judged) assert_true(row->n_metric > 0);
    for (PetscInt m = 0; m < row->n_metric; m++) {
      assert_true(strlen(row->metric[m].name) < sizeof((Metric *)0)->name);
      assert_ptr_equal(QuantityFindMetric(q, row->metric[m].name), &row->metric[m]);
    }
  }
  assert_int_equal(QuantityFind("dose"), -1);
  assert_null(QuantityFindMetric(QUANTITY_LETD, "D98"));
}

/* What the code names stands where it is named. */
static void Named(void **state)
{
  static const struct {
    Quantity quantity;
    const char *name, *unit;
    PetscBool dose, adds_up, computed;
  } want[] = {{QUANTITY_RBE_WEIGHTED, "rbe_weighted", "Gy(RBE)", 1, 1, 1},
              {QUANTITY_PHYSICAL, "physical", "Gy", 1, 1, 1},
              {QUANTITY_EFFECT, "effect", "1", 0, 1, 0},
              {QUANTITY_LETD, "letd", "keV/um", 0, 0, 1},
              {QUANTITY_RBE, "rbe", "1", 0, 0, 0},
              {QUANTITY_SURVIVAL, "survival", "1", 0, 0, 0},
              {QUANTITY_COURSE, "rbe_weighted_course", "Gy(RBE)", 0, 0, 0},
              {QUANTITY_COURSE_EQD2, "eqd2_course", "Gy(RBE)", 0, 0, 0},
              {QUANTITY_TCP, "tcp", "1", 0, 0, 0},
              {QUANTITY_PHYSICAL_COURSE, "physical_course", "Gy", 0, 0, 0},
              {QUANTITY_OUTCOME, "outcome", "1", 0, 0, 0},
              {QUANTITY_HIGH_LET, "high_let", "Gy", 0, 1, 0}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(want); i++) {
    const Quantity q = want[i].quantity;
    assert_string_equal(quantities[q].name, want[i].name);
    assert_string_equal(quantities[q].unit, want[i].unit);
    assert_int_equal(QuantityIsDose(q), want[i].dose);
    assert_int_equal(QuantityAddsUp(q), want[i].adds_up);
    assert_int_equal(QuantityIsComputed(q), want[i].computed);
  }
}

/* Derivatives of whatever is computed against differences, with and without dose, by all ways from channels to an effect. */
static void Derivatives(void **state)
{
  const double step = 1e-6, at[N_CHANNELS] = {1.7, 0.9, 0.6, 120}, none[N_CHANNELS] = {0};
  for (Quantity q = 0; q < n_quantities; q++)
    for (int way = 0; way < 3; way++) {
      BiologySpec biology;
      double derivative[N_CHANNELS], value;
      if (!quantities[q].of_channels) continue;
      assert_int_equal(BiologySpecDefault(&biology), 0);
      biology.averaging = way == 1 ? AVERAGE_BETA : AVERAGE_SQRT_BETA;
      biology.approach = way == 2 ? LEM_FULL : LEM_LOW_DOSE;
      value = quantities[q].of_channels(&biology, at, derivative);
      assert_true(value > 0 && value == quantities[q].of_channels(&biology, at, NULL));
      for (int c = 0; c < N_CHANNELS; c++) {
        double low[N_CHANNELS], high[N_CHANNELS];
        memcpy(low, at, sizeof at);
        memcpy(high, at, sizeof at);
        low[c] *= 1 - step;
        high[c] *= 1 + step;
        const double slope =
            (quantities[q].of_channels(&biology, high, NULL) - quantities[q].of_channels(&biology, low, NULL)) /
            (2 * step * at[c]);
        assert_true(fabs(derivative[c] - slope) <= 1e-6 * value / at[c]);
      }
      assert_true(quantities[q].of_channels(&biology, none, derivative) == 0 && isfinite(derivative[CHANNEL_DOSE]));
    }
}

/* The words that studies may use, as messages list them; quantities that the code does not name come behind. */
static void List(const char *(*word)(PetscInt), const char *want)
{
  char found[1024] = "";
  for (PetscInt i = 0; word(i); i++) snprintf(found + strlen(found), sizeof found - strlen(found), " %s", word(i));
  found[PetscMin(strlen(found), strlen(want))] = 0;
  assert_string_equal(found, want);
}

static void Words(void **state)
{
  List(QuantityOfObjective, " rbe_weighted physical effect letd");
  List(QuantityOfGoal, " rbe_weighted physical");
  assert_int_equal(QuantityJudged(QUANTITY_PHYSICAL, "D98"), QUANTITY_PHYSICAL);
  assert_int_equal(QuantityJudged(QUANTITY_RBE_WEIGHTED, "V95"), QUANTITY_RBE_WEIGHTED);
  assert_int_equal(QuantityJudged(QUANTITY_RBE_WEIGHTED, "L50"), QUANTITY_LETD);
  assert_int_equal(QuantityJudged(QUANTITY_RBE_WEIGHTED, "RBE50"), -1); /* is not judged */
}

/* What the third channel holds hangs on how beta is averaged: sqrt(1/Gy2) Gy = 1, (1/Gy2) Gy = 1/Gy. */
static void Channels(void **state)
{
  static const char *const name[] = {"dose", "alpha_dose", "sqrt_beta_dose", "let_dose"};
  for (int c = 0; c < N_CHANNELS; c++) {
    assert_string_equal(ChannelOf(AVERAGE_SQRT_BETA, c).name, name[c]);
    assert_string_equal(ChannelOf(AVERAGE_BETA, c).name, c == CHANNEL_SQRT_BETA ? "beta_dose" : name[c]);
  }
  assert_string_equal(ChannelOf(AVERAGE_SQRT_BETA, CHANNEL_SQRT_BETA).unit, "1");
  assert_string_equal(ChannelOf(AVERAGE_BETA, CHANNEL_SQRT_BETA).unit, "1/Gy");
}

/* Less than nothing of LET, which rounding leaves where next to no dose is, is no LETd; nor is it where there is no dose. */
static void LETdIsNeverNegative(void **state)
{
  BiologySpec biology = {0};
  const double of[][2] = {{1e-5, -3e-4}, {0, 1}, {-1e-9, 1}, {1, 0}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    double channels[N_CHANNELS] = {0}, derivative[N_CHANNELS];
    channels[CHANNEL_DOSE] = of[i][0];
    channels[CHANNEL_LET] = of[i][1];
    assert_true(quantities[QUANTITY_LETD].of_channels(&biology, channels, derivative) == 0);
    for (int c = 0; c < N_CHANNELS; c++) assert_true(derivative[c] == 0);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(LETdIsNeverNegative), cmocka_unit_test(Rows),  cmocka_unit_test(Named),
      cmocka_unit_test(Derivatives),         cmocka_unit_test(Words), cmocka_unit_test(Channels)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failures;
}
