/* EQD2 and LKB complication probability against vectors computed apart from this code; derivatives; limits. */
#include "robion/outcome.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static void EQD2Vectors(void **state)
{
  static const FractionationSpec other = {10, 8, 2.6}, third = {3, 6, 5};
  const FractionationSpec lq = FractionationLQ(2.5);
  const struct {
    const FractionationSpec *spec;
    double n, d, eqd2;
  } vector[] = {{&fractionation_optic, 20, 3, 75},
                {&fractionation_optic, 20, 2.46, 54.858}, /* EPTN: 55 */
                {&fractionation_optic, 22, 2.25, 52.59375},
                {&fractionation_liver, 4, 1, 3.111111},
                {&fractionation_liver, 4, 2, 8},
                {&fractionation_liver, 4, 3.5, 18.666667},
                {&fractionation_liver, 4, 4.2, 25.013333},
                {&fractionation_liver, 4, 5, 33.333333},
                {&fractionation_liver, 4, 7, 55.555556},
                {&fractionation_liver, 4, 10, 88.888889},
                {&fractionation_liver, 4, 12, 111.111111},
                {&fractionation_liver, 6, 1, 4.666667},
                {&fractionation_liver, 6, 2, 12},
                {&fractionation_liver, 6, 3.5, 28},
                {&fractionation_liver, 6, 4.2, 37.52},
                {&fractionation_liver, 6, 5, 50},
                {&fractionation_liver, 6, 7, 83.333333},
                {&fractionation_liver, 6, 10, 133.333333},
                {&fractionation_liver, 6, 12, 166.666667},
                {&third, 5, 12, 144},
                {&other, 3, 18, 101},
                {&lq, 4, 10, 111.111111}};
  for (size_t i = 0; i < sizeof vector / sizeof *vector; i++)
    assert_double_near(EQD2_Gy(vector[i].spec, vector[i].n, vector[i].d, NULL), vector[i].eqd2, 1e-6);
  assert_double_near(BED_Gy(&other, 3, 18, NULL), 121.2, 1e-12);
}

/* 2 Gy is its own equivalent; the linear part goes on with value and slope of the quadratic one. */
static void EQD2Limits(void **state)
{
  const FractionationSpec lq = FractionationLQ(3.3);
  double below, above;
  assert_double_near(EQD2_Gy(&lq, 30, 2, NULL), 60, 1e-12);
  assert_double_near(EQD2_Gy(&lq, 30, 0, NULL), 0, 0);
  EQD2_Gy(&fractionation_liver, 4, 5 - 1e-9, &below);
  EQD2_Gy(&fractionation_liver, 4, 5 + 1e-9, &above);
  assert_double_near(below, above, 1e-7);
}

static void EQD2Derivative(void **state)
{
  for (double d = 0.3; d < 12; d += 0.7) {
    double slope, step = 1e-5;
    EQD2_Gy(&fractionation_liver, 4, d, &slope);
    double up = EQD2_Gy(&fractionation_liver, 4, d + step, NULL),
           down = EQD2_Gy(&fractionation_liver, 4, d - step, NULL);
    assert_double_near((up - down) / (2 * step), slope, 1e-8 * slope);
  }
}

/* NTCP at an EUD of 0, 10, 20, 30 Gy, printed with four digits (smaller ones with two significant). */
static void NTCPVectors(void **state)
{
  const struct {
    const char *name;
    double ntcp[4];
  } vector[] = {{"el-naqa-i", {.2482, .3445, .4521, .5634}}, {"el-naqa-ii", {.0345, .0704, .1299, .2173}},
                {"pursley-i", {.1056, .2769, .5262, .7654}}, {"pursley-ii", {.2525, .3234, .4013, .4834}},
                {"burman", {-1, -1, .00043, .0478}},         {"dawson", {-1, -1, .00002, .0201}}};
  for (int s = 0; s < 6; s++)
    for (int i = 0; i < 4; i++)
      if (vector[s].ntcp[i] >= 0)
        assert_double_near(NTCP(&OutcomeModelFind(vector[s].name)->lkb, 10 * i, NULL), vector[s].ntcp[i],
                           vector[s].ntcp[i] < 0.001 ? 5e-6 : 5e-5);
  const double mayo[][2] = {{1.1, 48.91}, {2.5, 52.24}, {3.5, 53.74}, {7.6, 57.56}, {45.6, 70.89}, {53.2, 72.81}};
  for (int i = 0; i < 6; i++)
    assert_double_near(100 * NTCP(&OutcomeModelFind("mayo")->lkb, mayo[i][1], NULL), mayo[i][0], 0.02);
  assert_null(OutcomeModelFind("nobody"));
}

/* Every model by its name once, with what its kind needs. */
static void Registered(void **state)
{
  PetscInt complications = 0;
  for (PetscInt i = 0; i < n_outcome_model_names; i++) {
    const OutcomeModel *model = &outcome_models[i];
    assert_ptr_equal(OutcomeModelFind(outcome_model_names[i]), model);
    assert_true(model->kind->n_value > 0 && *model->organ && *model->endpoint);
    assert_int_equal(model->lkb.m > 0, model->fractionation != NULL); /* numbers of its own: all of them */
    if (model->kind == &outcome_complication) assert_string_equal(ComplicationModel(complications++), model->name);
  }
  assert_null(ComplicationModel(complications));
}

/* Numbers of a model that brings none, clonogens, and fractions for all of them. */
static OutcomeParameters ParametersOf(const OutcomeModel *model)
{
  OutcomeParameters p = {.lkb = {2.2, 0.4, 45}, .fractionation = {3, 4, 2.5}, .fractions = 4};
  assert_int_equal(TCPSpecDefault(&p.tcp), 0);
  if (model->lkb.m > 0) p.lkb = model->lkb;
  if (model->fractionation) p.fractionation = *model->fractionation;
  p.tcp.fractions = 16;
  return p;
}

/* Slopes of what is averaged and of all that follows from the mean, of every model, below and above the dose it is linear from. */
static void Derivatives(void **state)
{
  for (PetscInt i = 0; i < n_outcome_model_names; i++) {
    const OutcomeModel *model = &outcome_models[i];
    const OutcomeParameters p = ParametersOf(model);
    const OutcomePoint at = {12, 3e5};
    for (double dose = 0.3; dose < 12; dose += 1.3) {
      const double step = 1e-5;
      double slope, none, mean = (*model->kind->voxel)(&p, &at, dose, &slope);
      const double up = (*model->kind->voxel)(&p, &at, dose + step, &none),
                   down = (*model->kind->voxel)(&p, &at, dose - step, &none);
      assert_double_near((up - down) / (2 * step), slope, 1e-6 * fabs(slope));
      for (PetscInt v = 0; v < model->kind->n_value; v++) {
        const OutcomeOfMean of_mean = model->kind->value[v].of_mean;
        const double h = 1e-5 * mean;
        (void)(*of_mean)(&p, &at, mean, &slope);
        const double more = (*of_mean)(&p, &at, mean + h, &none), less = (*of_mean)(&p, &at, mean - h, &none);
        assert_double_near((more - less) / (2 * h), slope, 1e-5 * fabs(slope) + 1e-10 / h);
      }
    }
  }
}

/* The gEUD of doses in single fractions whose EQD2 they are, and the NTCP of that. */
static void Judge(const char *name, PetscInt n, const float *part, const float *dose, double value[2])
{
  PetscInt voxel[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const OutcomeModel *model = OutcomeModelFind(name);
  OutcomeParameters p = ParametersOf(model);
  const OutcomeSpec spec = {.parameters = &p};
  const Outcome outcome = {
      .spec = &spec, .model = model, .region = {.n = n, .voxel = voxel, .fraction = (float *)part}};
  p.fractions = 1;
  p.fractionation = FractionationLQ(1e15);
  OutcomeEvaluate(&outcome, dose, value);
}

/* As in a table of models computed apart from this code. */
static void GEUDVectors(void **state)
{
  static const float part[] = {.4f, .3f, .2f, .1f}, dose[] = {2, 10, 25, 50};
  static const struct {
    const char *name;
    double geud, ntcp;
  } want[] = {{"mayo", 28.988209, .000010},      {"burman", 25.696584, .008565}, {"dawson", 14.013061, 0},
              {"el-naqa-i", 13.8, .384400},      {"el-naqa-ii", 13.8, .089933},  {"pursley-i", 7.723638, .229084},
              {"pursley-ii", 10.377904, .326189}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    double value[2];
    Judge(want[i].name, 4, part, dose, value);
    assert_double_near(value[1], want[i].geud, 1e-5);
    assert_double_near(value[0] / 100, want[i].ntcp, 1e-6);
  }
}

/* No dose is 0 Gy, not a little: nearly a geometric mean sees the difference. Without any, some models still tell of complications. */
static void WithoutDose(void **state)
{
  static const float part[] = {.01f, .99f}, cold[] = {0, 20}, cool[] = {.1f, 20}, none[] = {0, 0};
  static const struct {
    const char *name;
    double ntcp;
  } want[] = {{"el-naqa-i", .248166}, {"el-naqa-ii", .034518}, {"pursley-i", .105650}, {"pursley-ii", .252493}};
  double value[2];
  Judge("pursley-i", 2, part, cold, value);
  assert_double_near(value[1], 16.92, 0.005);
  Judge("pursley-i", 2, part, cool, value);
  assert_double_near(value[1], 19.11, 0.005);
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    const OutcomeParameters p = ParametersOf(OutcomeModelFind(want[i].name));
    const OutcomeSpec spec = {.parameters = (OutcomeParameters *)&p};
    const Outcome outcome = {.spec = &spec, .model = OutcomeModelFind(want[i].name)};
    Judge(want[i].name, 2, part, none, value);
    assert_double_near(value[1], 0, 0);
    assert_double_near(value[0] / 100, want[i].ntcp, 1e-6);
    assert_double_near(OutcomeWithoutDose(&outcome), want[i].ntcp, 1e-6);
  }
}

/* Mean for a = 1, towards the extremes for large and small a, no overflow. */
static void EUD(void **state)
{
  const double share[] = {0.2, 0.5, 0.3}, dose[] = {10, 40, 25};
  static const struct {
    double a, geud, within;
  } want[] = {{1, 29.5, 1e-12}, {2, 31.741140, 1e-5}, {1000, 40, 0.05}, {1e-5, 26.3278, 1e-3}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    const LKBSpec lkb = {.a = want[i].a};
    double mean = 0, slope;
    for (int v = 0; v < 3; v++) mean += share[v] * GEUDPower(&lkb, dose[v], 40, &slope);
    assert_double_near(GEUDOfMean_Gy(&lkb, mean, 40, &slope), want[i].geud, want[i].within);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(EQD2Vectors), cmocka_unit_test(EQD2Limits),  cmocka_unit_test(EQD2Derivative),
      cmocka_unit_test(NTCPVectors), cmocka_unit_test(Registered),  cmocka_unit_test(Derivatives),
      cmocka_unit_test(GEUDVectors), cmocka_unit_test(WithoutDose), cmocka_unit_test(EUD),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
