/* Estimates of time, corrected by what plans of this machine have taken. */
#include "../../src/cohort/cohort_private.h"
#include "fake_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[64], times[96];

static const char header[] = "formulas,processor,operator,set_up_estimated_s,set_up_s,optimize_estimated_s,optimize_s,"
                             "evaluate_estimated_s,evaluate_s\n";

static Calibration Known(const char *rows)
{
  char text[8192];
  Calibration c;
  Mistakes mistakes = {0};
  unlink(times);
  if (rows) {
    snprintf(text, sizeof text, "%s%s", header, rows);
    assert_true(FileReplace(times, text, strlen(text), &mistakes));
  }
  assert_int_equal(CalibrationRead(PETSC_COMM_WORLD, &c), 0);
  return c;
}

static void NothingIsKnown(void **state)
{
  static const char *const rows[] = {NULL, "", "0,x,factored,1,1,1,1,1,1\n", "1,x,factored,1\n"}; /* old, damaged */
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(rows); i++) {
    char text[COST_BASIS];
    const Calibration c = Known(rows[i]);
    assert_int_equal(c.n_plans, 0);
    for (int k = 0; k < N_COSTS; k++) assert_double_near(c.factor[0][k] + c.factor[1][k], 2, 0);
    assert_double_near(c.spread, 4, 0);
    CalibrationText(&c, text);
    assert_non_null(strstr(text, "no finished plans yet"));
  }
}

/* Set-up takes what is estimated, optimising three times that, evaluating half; of stored rows five times. Seconds hardly count. */
static void PhasesByOperator(void **state)
{
  const Calibration c =
      Known("1,x,factored,10,10,100,300,20,10\n1,x,factored,10,11,100,310,20,10\n"
            "1,x,factored,0.1,2,0.1,2,0.1,0.9\n1,x,factored,10,10,50,140,20,10\n1,x,assembled,10,10,10,50,20,10\n");
  assert_int_equal(c.n_plans, 5);
  assert_true(c.other_machine);
  assert_double_near(c.factor[OPERATOR_FACTORED][COST_OPTIMIZE], 3, 1e-12);
  assert_double_near(c.factor[OPERATOR_ASSEMBLED][COST_OPTIMIZE], 5, 1e-12);
  assert_double_near(c.factor[OPERATOR_FACTORED][COST_EVALUATE], 0.5, 1e-12);
  assert_double_near(c.spread, 1.3, 0.3);
}

static void AbsurdTimesDoNotCount(void **state)
{
  const Calibration c =
      Known("1,x,factored,10,10,100,1e9,0,5\n1,x,factored,10,10,100,200,20,0.001\n1,x,factored,1,-1,1,nan,1,\n");
  assert_double_near(c.factor[0][COST_OPTIMIZE], 2, 1e-12);
  assert_double_near(c.factor[0][COST_EVALUATE], 1, 0);
}

/* A plan of a second tells little, one of a minute much. */
static void ShortPlansHardlyCount(void **state)
{
  const Calibration brief = Known("1,x,factored,1,1,0.2,1,0.1,0.1\n");
  assert_double_near(brief.factor[0][COST_OPTIMIZE], 1, 0);
  assert_double_near(brief.spread, 4, 1e-12);
  const Calibration longer = Known("1,x,factored,1,1,0.2,1,0.1,0.1\n1,x,factored,1,1,30,60,0.1,0.1\n");
  assert_double_near(longer.factor[0][COST_OPTIMIZE], 2, 1e-12);
}

/* The fake plan took 4, 12.5 and 58.5 s, on ranks worth two; after many plans the file does not grow any more. */
static void PlansAreLearnt(void **state)
{
  FakePlan *fake = FakePlanCreate(3);
  Mistakes mistakes = {0};
  const QueuePlan plan = {.cost_s = {2, 5, 234}, .assembled = OPERATOR_FACTORED};
  Table table;
  assert_int_equal(PlanFileWrite(PETSC_COMM_WORLD, &fake->result, folder, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  unlink(times);
  for (int i = 0; i < 3; i++) assert_int_equal(CalibrationLearn(&plan, folder, 2), 0);
  Calibration c;
  assert_int_equal(CalibrationRead(PETSC_COMM_WORLD, &c), 0);
  assert_int_equal(c.n_plans, 3);
  assert_false(c.other_machine);
  assert_double_near(c.factor[0][COST_SET_UP], 4, 1e-12);
  assert_double_near(c.factor[0][COST_OPTIMIZE], 5, 1e-12);
  assert_double_near(c.factor[0][COST_EVALUATE], 0.5, 1e-12);
  for (int i = 0; i < 210; i++) assert_int_equal(CalibrationLearn(&plan, folder, 2), 0);
  char line[sizeof header];
  snprintf(line, sizeof line, "%.*s", (int)sizeof header - 2, header);
  assert_true(TableRead(times, line, &mistakes, &table));
  assert_int_equal(table.n_rows, 200);
  assert_int_equal(TableDestroy(&table), 0);
  FakePlanDestroy(fake);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  snprintf(folder, sizeof folder, "/tmp/robion-calibration.%ld", (long)getpid());
  snprintf(times, sizeof times, "%s/times.csv", folder);
  Mistakes mistakes = {0};
  if (!FolderMake(folder, &mistakes) || setenv("ROBION_CACHE", folder, 1)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(NothingIsKnown), cmocka_unit_test(PhasesByOperator),
                                     cmocka_unit_test(AbsurdTimesDoNotCount), cmocka_unit_test(ShortPlansHardlyCount),
                                     cmocka_unit_test(PlansAreLearnt)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(times);
  char file[96];
  snprintf(file, sizeof file, "%s/plan.h5", folder);
  unlink(file);
  rmdir(folder);
  return PetscFinalize() ? 1 : failures;
}
