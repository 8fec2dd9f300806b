/* Clinical goals against metrics made by hand: limits, courses, worst cases, shares of scenarios. */
#include "robion/goals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

/* 21 scenarios behind a nominal one that is not of the set. D95 of scenario s: 2.8 + 0.01 s Gy(RBE), D2 of the OAR 1 + 0.1 s. */
enum { N = 22 };
static Scenario scenario[N];
static ScenarioSet set = {.n = N, .n_set = N - 1, .scenario = scenario};
static MetricList metrics[N], statistics[SCENARIO_STATISTICS];
static GoalBasis basis = {
    .prescription_Gy_RBE = 3, .fractions = 20, .set = &set, .metrics = metrics, .statistics = statistics};

static int SetUp(void **state)
{
  for (int s = 0; s < N; s++) {
    const Metric row[] = {{"CTV", "D95", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 2.8 + 0.01 * s},
                          {"OAR", "D2", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 1 + 0.1 * s},
                          {"OAR", "V20Gy", "%", QUANTITY_COURSE, 2.0 * s},
                          {"OAR", "NTCP-failure", "%", QUANTITY_OUTCOME, 0.5 * s}};
    scenario[s].in_set = s ? PETSC_TRUE : PETSC_FALSE;
    metrics[s] = (MetricList){.n = 4, .capacity = 4};
    if (PetscMalloc1(4, &metrics[s].item)) return 1;
    memcpy(metrics[s].item, row, sizeof row);
  }
  return MetricsOverScenarios(N - 1, metrics + 1, statistics);
}

static int TearDown(void **state)
{
  for (int s = 0; s < N; s++)
    if (MetricListDestroy(&metrics[s])) return 1;
  for (int k = 0; k < SCENARIO_STATISTICS; k++)
    if (MetricListDestroy(&statistics[k])) return 1;
  return 0;
}

static GoalSpec Spec(const char *structure, const char *metric, Quantity quantity, PetscBool at_least, double limit)
{
  return (GoalSpec){
      .metric = {(char *)structure, (char *)"study.yaml:1:1", (char *)metric, quantity, PETSC_FALSE, PETSC_FALSE},
      .at_least = at_least,
      .limit = limit};
}

static Goal Judge(GoalSpec spec)
{
  Mistakes mistakes = {0};
  Goal goal;
  assert_int_equal(GoalsJudge(&basis, 1, &spec, &mistakes, &goal), 0);
  assert_false(MistakesAny(&mistakes));
  return goal;
}

static void OneScenario(void **state)
{
  GoalSpec spec = Spec("CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 2.8);
  Goal goal = Judge(spec);
  assert_true(goal.met && goal.value == 2.8 && goal.bound.limit == 2.8 && !goal.share);
  assert_string_equal(goal.scenario, "nominal");
  assert_string_equal(GoalRelation(&goal.bound), "at least");
  spec.of_prescription = spec.worst = PETSC_TRUE;
  spec.limit = 95;
  goal = Judge(spec);
  assert_double_near(goal.bound.limit, 2.85, 1e-12);
  assert_true(!goal.met && goal.value == 2.8 + 0.01); /* the nominal is not of the set */
  assert_string_equal(goal.scenario, "min");
  spec.metric.course = PETSC_TRUE;
  goal = Judge(spec);
  assert_double_near(goal.bound.limit, 57, 1e-12);
  assert_double_near(goal.value, 56.2, 1e-12);
  goal = Judge(Spec("OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 0.9));
  assert_true(!goal.met && goal.value == 1);
}

/* 95 % of 21 scenarios are 20 of them. What is counted is the set alone, of which every scenario is held to the limit. */
static void ShareOfScenarios(void **state)
{
  static const struct {
    const char *structure, *metric;
    Quantity quantity;
    PetscBool at_least;
    double limit, least_percent, good;
    PetscBool met;
  } want[] = {{"CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 2.815, 95, 20, PETSC_TRUE},
              {"CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 2.825, 95, 19, PETSC_FALSE},
              {"CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 2.8, 100, 21, PETSC_TRUE},
              {"CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 3.2, 5, 0, PETSC_FALSE},
              {"OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 2.05, 50, 10, PETSC_FALSE},
              {"OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 2.15, 50, 11, PETSC_TRUE},
              {"OAR", "NTCP-failure", QUANTITY_OUTCOME, PETSC_FALSE, 5, 40, 10, PETSC_TRUE}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    GoalSpec spec = Spec(want[i].structure, want[i].metric, want[i].quantity, want[i].at_least, want[i].limit);
    spec.least_percent = want[i].least_percent;
    const Goal goal = Judge(spec);
    assert_double_near(goal.value, 100 * want[i].good / 21, 1e-12);
    assert_int_equal(goal.met, want[i].met);
    assert_true(goal.share && goal.bound.at_least && goal.bound.limit == want[i].least_percent);
    assert_string_equal(goal.bound.unit, "%");
    assert_string_equal(goal.scenario, "share");
    assert_int_equal(goal.course, want[i].quantity == QUANTITY_OUTCOME); /* which is of the whole course */
    assert_true(goal.each.at_least == want[i].at_least && goal.each.limit == want[i].limit);
    assert_string_equal(goal.each.unit, want[i].quantity == QUANTITY_OUTCOME ? "%" : "Gy(RBE)");
  }
}

/* Goals per course on what is asked for over the course, and on the fraction's doses. */
static void OfCourse(void **state)
{
  GoalSpec spec = Spec("OAR", "V20Gy", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 10);
  spec.metric.course = PETSC_TRUE;
  spec.least_percent = 20;
  Goal goal = Judge(spec);
  assert_int_equal(goal.quantity, QUANTITY_COURSE);
  assert_double_near(goal.value, 100.0 * 5 / 21, 1e-12);
  spec = Spec("OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 30);
  spec.metric.course = PETSC_TRUE;
  spec.least_percent = 25;
  goal = Judge(spec); /* 20 (1 + 0.1 s) <= 30: s up to 5 */
  assert_double_near(goal.value, 100.0 * 5 / 21, 1e-12);
  assert_false(goal.met);
}

/* Lowest where more is better, highest where less is, the first of equals, never a row outside the set; whatever scenario counts. */
static void WorstScenario(void **state)
{
  GoalSpec spec = Spec("CTV", "D95", QUANTITY_RBE_WEIGHTED, PETSC_TRUE, 2.8);
  assert_int_equal(Judge(spec).worst, 1);
  spec.worst = PETSC_TRUE;
  assert_int_equal(Judge(spec).worst, 1);
  assert_int_equal(Judge(Spec("OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 1)).worst, N - 1);
  const double kept = metrics[5].item[1].value;
  metrics[5].item[1].value = metrics[N - 1].item[1].value;
  assert_int_equal(Judge(Spec("OAR", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 1)).worst, 5);
  metrics[5].item[1].value = kept;
  spec = Spec("OAR", "NTCP-failure", QUANTITY_OUTCOME, PETSC_FALSE, 5);
  spec.least_percent = 40;
  assert_int_equal(Judge(spec).worst, N - 1);
}

static void NoSuchRow(void **state)
{
  const GoalSpec spec = Spec("Lens", "D2", QUANTITY_RBE_WEIGHTED, PETSC_FALSE, 1);
  Mistakes mistakes = {0};
  Goal goal;
  assert_int_equal(GoalsJudge(&basis, 1, &spec, &mistakes, &goal), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_string_equal(mistakes.item[0].text,
                      "study.yaml:1:1: goals: structure Lens has no D2: it has no volume on the dose grid");
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(OneScenario), cmocka_unit_test(ShareOfScenarios),
                                     cmocka_unit_test(OfCourse), cmocka_unit_test(WorstScenario),
                                     cmocka_unit_test(NoSuchRow)};
  const int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
