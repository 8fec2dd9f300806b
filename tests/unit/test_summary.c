/* The table at the end of a run: values, width, plans without results. */
#include "fake_plan.h"
#include "robion/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <cmocka.h>

enum { PLANS = 4 };

static char results[64], file[PETSC_MAX_PATH_LEN];

static const char *const folders[PLANS] = {"cases/P01/plain", "cases/P01/robust/2", "cases/P01/robust/3",
                                           "cases/P02/plain"};

/* A study with the settings that the summary looks at. */
static void FakeStudy(Study *study, PlanSpec plans[PLANS], ObjectiveSpec objectives[4])
{
  const char *const structure[4] = {"CTV", "CTV", "Cord, left", "Absent organ"};
  const char *const type[4] = {"uniform", "overdose", "overdose", "mean"};
  memset(study, 0, sizeof *study);
  memset(plans, 0, PLANS * sizeof *plans);
  memset(objectives, 0, 4 * sizeof *objectives);
  for (int o = 0; o < 4; o++) {
    objectives[o].structure = (char *)structure[o];
    objectives[o].type = (char *)type[o];
  }
  for (int p = 0; p < PLANS; p++) {
    PlanSpec *plan = &plans[p];
    plan->case_index = p / 3;
    plan->case_name = (char *)(p < 3 ? "P01" : "P02");
    plan->arm = (char *)(p % 3 ? "robust" : "plain");
    plan->sweep = (char *)(p == 1   ? "biology.alpha_x_per_Gy=0.1,spots.layer_mm=2,scenarios.optimize.setup_mm=2"
                           : p == 2 ? "a=3"
                                    : "");
    plan->folder = (char *)folders[p];
    plan->yaml = (char *)"robion: 1\nname: fake\n";
    plan->settings.prescription_Gy_RBE = 4;
    plan->settings.target = (char *)"CTV";
    plan->settings.n_objectives = 4;
    plan->settings.objectives = objectives;
  }
  study->n_plans = PLANS;
  study->plans = plans;
}

static void WritePlan(const FakePlan *fake, const char *folder)
{
  Mistakes mistakes = {0};
  snprintf(file, sizeof file, "%s/%s", results, folder);
  assert_true(FolderMake(file, &mistakes));
  assert_true(PlanTablesWrite(&fake->result, file, &mistakes));
  assert_int_equal(PlanFileWrite(PETSC_COMM_SELF, &fake->result, file, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
}

/* The summary as one string; free() it. */
static __attribute__((noinline)) char *Print(const Study *study, Mistakes *mistakes)
{
  char *text = NULL, path[PLANS][256];
  const char *folder[PLANS];
  size_t length;
  Samples samples;
  assert_int_equal(SamplesCreate(PLANS, &samples), 0);
  for (int p = 0; p < PLANS; p++) {
    snprintf(path[p], sizeof path[p], "%s/%s", results, folders[p]);
    folder[p] = path[p];
  }
  assert_int_equal(TablesMerge(results, PLANS, folder, &samples, mistakes), 0);
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_int_equal(SummaryPrint(out, results, study, &samples, mistakes), 0);
  fclose(out);
  assert_int_equal(SamplesDestroy(&samples), 0);
  return text;
}

static double Value(const FakePlan *fake, int k, const char *structure, const char *name)
{
  const MetricList *list = k < 0 ? &fake->metrics[0] : &fake->statistics[k];
  for (PetscInt i = 0; i < list->n; i++)
    if (!strcmp(list->item[i].structure, structure) && !strcmp(list->item[i].name, name) &&
        list->item[i].quantity == QUANTITY_RBE_WEIGHTED)
      return list->item[i].value;
  fail();
  return 0;
}

static void Values(void **state)
{
  Study study;
  PlanSpec plans[PLANS];
  ObjectiveSpec objectives[4];
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  char expected[200];
  FakeStudy(&study, plans, objectives);
  for (int p = 0; p < 3; p++) WritePlan(fake, folders[p]);
  char *text = Print(&study, &mistakes);
  if (MistakesAny(&mistakes)) fail_msg("%s", mistakes.item[0].text);
  snprintf(expected, sizeof expected, "%7.3f%7.3f%7.3f%7.3f  %7.1f", Value(fake, -1, "CTV", "D98") / 4,
           Value(fake, 0, "CTV", "D98") / 4, Value(fake, 1, "CTV", "D98") / 4, Value(fake, 3, "CTV", "D98") / 4,
           Value(fake, 0, "CTV", "V95"));
  assert_non_null(strstr(text, expected));
  snprintf(expected, sizeof expected, "%7.3f%7.3f%7.3f", Value(fake, -1, "Cord, left", "Dmax") / 4,
           Value(fake, 1, "Cord, left", "Dmax") / 4, Value(fake, 3, "Cord, left", "Dmax") / 4);
  assert_non_null(strstr(text, expected));
  assert_non_null(strstr(text, "1 min 15 s    1.5 GiB\n"));
  assert_non_null(strstr(text, "      -      -      -")); /* an organ that this case does not have */
  assert_non_null(strstr(text, "\ncase P02: no results\n"));
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    assert_true(strlen(line) <= 120);
    assert_true(line[strlen(line) - 1] != ' ');
  }
  free(text);
  FakePlanDestroy(fake);
}

static int Count(const char *text, const char *part)
{
  int n = 0;
  for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
  return n;
}

/* Where arms have targets of their own every line has the values of all of them, below a header that names each. */
static void TwoTargets(void **state)
{
  Study study;
  PlanSpec plans[PLANS];
  ObjectiveSpec objectives[4];
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  DerivedStructure margin = {.name = (char *)"Cord, left"};
  FakeStudy(&study, plans, objectives);
  for (int p = 0; p < 3; p++) {
    plans[p].settings.n_derived = 1;
    plans[p].settings.derived = &margin;
  }
  plans[0].settings.target = margin.name; /* the first arm's is the margin, as with conventional plans */
  char *text = Print(&study, &mistakes);
  static const char *const structure[] = {"CTV", "Cord, left"};
  for (int s = 0; s < 2; s++) {
    char expected[200];
    snprintf(expected, sizeof expected, "%7.3f%7.3f%7.3f%7.3f  %7.1f", Value(fake, -1, structure[s], "D98") / 4,
             Value(fake, 0, structure[s], "D98") / 4, Value(fake, 1, structure[s], "D98") / 4,
             Value(fake, 3, structure[s], "D98") / 4, Value(fake, 0, structure[s], "V95"));
    assert_int_equal(Count(text, expected), 3);
    snprintf(expected, sizeof expected, "%s D98 ", structure[s]);
    assert_int_equal(Count(text, expected), 1);
  }
  assert_true(strstr(text, "CTV D98") < strstr(text, "Cord, left D98"));
  assert_null(strstr(text, "Cord, left Dmax")); /* a target of one arm is no organ of the others */
  free(text);
  FakePlanDestroy(fake);
}

/* A damaged table is a mistake and no results; the other plans are still shown. */
static void Damage(void **state)
{
  Study study;
  PlanSpec plans[PLANS];
  ObjectiveSpec objectives[4];
  Mistakes mistakes = {0};
  FakeStudy(&study, plans, objectives);
  snprintf(file, sizeof file, "%s/%s/metrics.csv", results, folders[0]);
  assert_int_equal(truncate(file, 500), 0);
  char *text = Print(&study, &mistakes);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(mistakes.item[0].text, "metrics.csv:"));
  assert_non_null(strstr(text, "robust a=3"));
  assert_non_null(strstr(text, "1 min 15 s"));
  free(text);
  MistakesClear(&mistakes);
}

static void CleanUp(void)
{
  static const char *const folder[] = {"cases/P01/robust", "cases/P01", "cases"};
  for (int p = 0; p < 3; p++) {
    snprintf(file, sizeof file, "%s/%s", results, folders[p]);
    PlanFilesRemove(file);
    rmdir(file);
  }
  for (int i = 0; i < 3; i++) {
    snprintf(file, sizeof file, "%s/%s", results, folder[i]);
    rmdir(file);
  }
  for (int f = PLAN_METRICS; f < N_PLAN_FILES; f++) {
    PlanFilePath(results, f, file);
    unlink(file);
  }
  rmdir(results);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Values), cmocka_unit_test(TwoTargets), cmocka_unit_test(Damage)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  snprintf(results, sizeof results, "/tmp/robion_test_summary_XXXXXX");
  if (!mkdtemp(results)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  CleanUp();
  PetscFinalize();
  return failures;
}
