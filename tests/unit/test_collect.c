/* Looking at results: what JSON says, statistics.csv of made-up metrics, the status of a run in the middle of its work. */
#include "robion/collect.h"
#include "robion/json.h"
#include "robion/log.h"
#include "robion/results.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { CASES = 10 };

static char results[64];

static void TestJSON(void **state)
{
  const char *text = "{\"a\": \"x \\\"b\\\": 3\\u0009\\\\ /\", \"b\": -1.5e3,\n \"none\": null, \"last\" : \"y\"}";
  char value[32], cut[4];
  double number;
  assert_true(JSONFindString(text, "a", sizeof value, value));
  assert_string_equal(value, "x \"b\": 3\t\\ /");
  assert_true(JSONFindString(text, "a", sizeof cut, cut));
  assert_string_equal(cut, "x \"");
  assert_true(JSONFindNumber(text, "b", &number) && number == -1500); /* not the "b" inside of a string */
  assert_true(JSONFindString(text, "last", sizeof value, value));
  assert_string_equal(value, "y");
  assert_false(JSONFindString(text, "none", sizeof value, value));
  assert_false(JSONFindNumber(text, "none", &number));
  assert_false(JSONFindString(text, "b", sizeof value, value));
  static const char *const broken[] = {"", "[1]", "{", "{\"a", "{\"a\"", "{\"a\": ", "{\"a\": \"x", "{\"a\": \"\\u00"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(broken); i++) {
    assert_false(JSONFindString(broken[i], "a", sizeof value, value));
    assert_false(JSONFindNumber(broken[i], "z", &number));
  }
}

/* Ten water boxes, two arms. */
static const char two_arms[] = "arms: {plain: {}, \"ro,bust\": {}}\n";

static Study *MakeStudy(const char *arms)
{
  char text[4096] = "robion: 1\nname: cohort\ncases:\n";
  Mistakes mistakes = {0};
  Study *study;
  for (int k = 0; k < CASES; k++) sprintf(text + strlen(text), "  - {phantom: water-box, name: p%d}\n", k);
  strcat(text, "prescription: {dose_Gy_RBE: 3, target: CTV}\nbeams: [{gantry_deg: 0}]\ndose_grid_mm: 4\n"
               "objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 3}]\n");
  strcat(text, arms);
  char file[128];
  snprintf(file, sizeof file, "%s/study.yaml", results);
  assert_true(FileReplace(file, text, strlen(text), &mistakes));
  assert_int_equal(ResultsStudy(results, &mistakes, &study), 0);
  assert_false(MistakesAny(&mistakes));
  return study;
}

static void WriteFile(const PlanSpec *plan, const char *name, const char *text)
{
  char folder[256], file[320];
  Mistakes mistakes = {0};
  snprintf(folder, sizeof folder, "%s/%s", results, plan ? plan->folder : "");
  snprintf(file, sizeof file, "%s/%s", folder, name);
  assert_true(FolderMake(folder, &mistakes) && FileReplace(file, text, strlen(text), &mistakes));
}

static void WriteMetric(const PlanSpec *plan, double value)
{
  char text[512];
  snprintf(text, sizeof text,
           "study,case,arm,sweep,scenario,structure,quantity,metric,value,unit\n"
           "cohort,%s,\"%s\",,min,CTV,rbe_weighted,D98,%.9g,Gy(RBE)\n"
           "cohort,%s,\"%s\",,r+3.5,CTV,rbe_weighted,D98,7,Gy(RBE)\n",
           plan->case_name, plan->arm, value, plan->case_name, plan->arm);
  WriteFile(plan, "metrics.csv", text);
}

static const char statistics_columns[] =
    "scenario,structure,quantity,metric,unit,arm,sweep,versus_arm,versus_sweep,n,mean,"
    "sd,min,q1,median,q3,max,median_low,median_high,ratio,shapiro_p,wilcoxon_p,"
    "wilcoxon_holm_p,t_p,mann_whitney_p";

/* A field of the row of an arm, or of its comparison. */
static const char *Field(const Table *table, const char *arm, PetscBool compared, const char *column)
{
  PetscInt c = 0;
  const char *at = strstr(statistics_columns, column);
  for (const char *s = statistics_columns; s < at; s++) c += *s == ',';
  for (PetscInt i = 0; i < table->n_rows; i++) {
    char **row = table->field + i * table->n_columns;
    if (!strcmp(row[5], arm) && (row[7][0] != 0) == compared) return row[c];
  }
  fail_msg("no row of %s", arm);
  return NULL;
}

#define NEAR(column_of, expected, tolerance)                                                                           \
  do {                                                                                                                 \
    const double found_ = strtod(column_of, NULL);                                                                     \
    if (!(fabs(found_ - (expected)) <= (tolerance)))                                                                   \
      fail_msg("found %.17g, expected %.17g", found_, (double)(expected));                                             \
  } while (0)

/* What is printed of the plans that are done; free() it. */
static char *Statistics(const Study *study, const PetscBool *done, Mistakes *mistakes)
{
  char *printed = NULL, path[2 * CASES][256];
  const char *folder[2 * CASES] = {NULL};
  size_t length;
  Samples samples;
  FILE *out = open_memstream(&printed, &length);
  for (PetscInt p = 0; p < study->n_plans; p++) {
    if (!done[p]) continue;
    snprintf(path[p], sizeof path[p], "%s/%s", results, study->plans[p].folder);
    folder[p] = path[p];
  }
  assert_int_equal(SamplesCreate(study->n_plans, &samples), 0);
  assert_int_equal(TablesMerge(results, study->n_plans, folder, &samples, mistakes), 0);
  assert_int_equal(StatisticsWrite(out, results, study, &samples, mistakes), 0);
  assert_int_equal(SamplesDestroy(&samples), 0);
  fclose(out);
  return printed;
}

/* The pairs of the rank test's vectors: a in the arm that is compared, b in the arm before. */
static void TestStatistics(void **state)
{
  static const double a[] = {1.1, 2.5, 0.4, 3.9, 7.6, 5.2, 0.9, 2.2, 4.1, 6.3};
  static const double b[] = {0.8, 1.9, 0.5, 2.8, 5.5, 4.9, 0.6, 2.0, 3.0, 4.4};
  Study *study = MakeStudy(two_arms);
  PetscBool done[2 * CASES];
  Mistakes mistakes = {0};
  Table table;
  char file[128];
  for (int k = 0; k < CASES; k++) {
    WriteMetric(&study->plans[2 * k], b[k]);
    WriteMetric(&study->plans[2 * k + 1], a[k]);
    done[2 * k] = done[2 * k + 1] = PETSC_TRUE;
  }
  char *printed = Statistics(study, done, &mistakes);
  snprintf(file, sizeof file, "%s/statistics.csv", results);
  assert_true(TableRead(file, statistics_columns, &mistakes, &table));
  assert_int_equal(table.n_rows, 3); /* single scenarios are left out */
  NEAR(Field(&table, "ro,bust", PETSC_FALSE, "mean"), 3.42, 1e-9);
  NEAR(Field(&table, "ro,bust", PETSC_FALSE, "sd"), 2.4224872434, 1e-8);
  NEAR(Field(&table, "ro,bust", PETSC_FALSE, "shapiro_p"), 0.643187467, 1e-8);
  NEAR(Field(&table, "plain", PETSC_FALSE, "median,q3"), 2.4, 1e-9);
  assert_string_equal(Field(&table, "plain", PETSC_FALSE, "wilcoxon_p"), "");
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "wilcoxon_p"), 0.00390625, 1e-12);
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "wilcoxon_holm_p"), 0.00390625, 1e-12);
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "t_p"), 0.00926811277, 1e-9);
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "mann_whitney_p"), 0.52884886, 1e-8);
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "median,q3"), 0.45, 1e-9); /* .3 .6 -.1 1.1 2.1 .3 .3 .2 1.1 1.9 */
  NEAR(Field(&table, "ro,bust", PETSC_TRUE, "ratio"), (4.1 / 3.0 + 1.1 / 0.8) / 2, 1e-8);
  assert_non_null(strstr(printed, "ro,bust - plain"));
  free(printed);
  assert_int_equal(TableDestroy(&table), 0);
  /* one plan missing: its case leaves the comparison */
  done[3] = PETSC_FALSE;
  free(Statistics(study, done, &mistakes));
  assert_true(TableRead(file, statistics_columns, &mistakes, &table));
  assert_string_equal(Field(&table, "plain", PETSC_FALSE, "n,"), "10");
  assert_string_equal(Field(&table, "ro,bust", PETSC_TRUE, "n,"), "9");
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(TableDestroy(&table) || StudyDestroy(&study), 0);
}

static void TestStatus(void **state)
{
  Study *study = MakeStudy(two_arms);
  char now[32], text[1024], *printed = NULL;
  size_t length;
  TimeText(TimeNow() - 5, now);
  WriteFile(&study->plans[0], "status.json", "{\"state\": \"done\", \"seconds\": 100}");
  WriteFile(&study->plans[1], "status.json", "{\"state\": \"running\"}");
  WriteFile(&study->plans[2], "status.json", "{\"state\": \"failed\", \"message\": \"case p1:\\u0009no CTV\"}");
  WriteMetric(&study->plans[0], 2.4);
  snprintf(text, sizeof text,
           "{\"time\": \"%s\", \"event\": \"plan_started\", \"plan\": \"%s\"}\n"
           "{\"time\": \"%s\", \"event\": \"iteration\", \"plan\": \"%s\", \"iteration\": 30, \"objective\": 0.25, "
           "\"worst\": \"x+3\", \"seconds\": 10}\n{\"time\": \"%s\", \"event\": \"iterat",
           now, study->plans[1].folder, now, study->plans[1].folder, now);
  WriteFile(NULL, "events-2.jsonl", text);
  PetscBool going;
  FILE *out = open_memstream(&printed, &length);
  assert_true(!ResultsStatus(out, results, study, &going) && going); /* plans are to do */
  fclose(out);
  assert_non_null(strstr(printed, "study cohort: 20 plans, 1 done, 1 running, 1 failed, 17 to do; about "));
  assert_non_null(strstr(printed, "30/300         0.25 x+3"));
  assert_non_null(strstr(printed, "at most 1 min 30 s\n"));
  assert_non_null(strstr(printed, "cases/p1/plain: case p1: no CTV\n"));
  assert_non_null(strstr(printed, "0.800  cases/p0/plain\n"));
  free(printed);
  assert_int_equal(StudyDestroy(&study), 0);
}

/* Arms with different targets are ranked and compared on each of them, the study's own before its margin. */
static void TestTwoTargets(void **state)
{
  static const char *const arm[] = {"conventional", "worst-case"}, *const target[] = {"CTV", "PTV"};
  static const double share[2][2] = {{0.906, 0.946}, {0.796, 0.853}}; /* [target][arm] */
  Study *study = MakeStudy("structures: {PTV: CTV plus 2 mm}\n"
                           "arms: {conventional: {prescription.target: PTV}, worst-case: {}}\n");
  char text[1024], *printed = NULL, *at;
  size_t length;
  PetscBool done[2 * CASES] = {PETSC_TRUE, PETSC_TRUE};
  Mistakes mistakes = {0};
  for (int p = 0; p < 2; p++) {
    assert_string_equal(study->plans[p].arm, arm[p]);
    snprintf(text, sizeof text,
             "study,case,arm,sweep,scenario,structure,quantity,metric,value,unit\n"
             "cohort,p0,%s,,min,PTV,rbe_weighted,D98,%g,Gy(RBE)\ncohort,p0,%s,,min,CTV,rbe_weighted,D98,%g,Gy(RBE)\n",
             arm[p], 3 * share[1][p], arm[p], 3 * share[0][p]);
    WriteFile(&study->plans[p], "metrics.csv", text);
    WriteFile(&study->plans[p], "status.json", "{\"state\": \"done\", \"seconds\": 100}");
  }
  PetscBool going;
  FILE *out = open_memstream(&printed, &length);
  assert_true(!ResultsStatus(out, results, study, &going) && going); /* plans are to do */
  fclose(out);
  at = printed;
  for (int t = 0; t < 2; t++)
    for (int p = 0; p < 2; p++) {
      snprintf(text, sizeof text, "\n%-24s %6d  %-16s %6.3f  cases/p0/", arm[p], 1, target[t], share[t][p]);
      at = strstr(at, text);
      assert_non_null(at);
    }
  free(printed);
  printed = Statistics(study, done, &mistakes);
  assert_non_null(strstr(printed, "\nCTV D98 min"));
  assert_true(strstr(printed, "\nPTV D98 min") > strstr(printed, "\nCTV D98 min"));
  free(printed);
  assert_int_equal(StudyDestroy(&study), 0);
}

/* Without a plan.h5 a status that says done is not believed. */
static void TestCollectGaps(void **state)
{
  Study *study = MakeStudy(two_arms);
  Mistakes mistakes = {0};
  RobionExit code;
  char *printed = NULL;
  size_t length;
  WriteFile(&study->plans[0], "status.json", "{\"state\": \"done\", \"seconds\": 100}");
  WriteFile(&study->plans[4], "status.json", "{\"state\": \"stopped\", \"message\": \"run again\"}");
  FILE *out = open_memstream(&printed, &length);
  assert_int_equal(ResultsCollect(out, results, study, &mistakes, &code), 0);
  fclose(out);
  assert_int_equal(code, ROBION_SOME_FAILED);
  assert_non_null(strstr(printed, "damaged  cases/p0/plain: its status says done, but its files are not complete\n"));
  assert_non_null(strstr(printed, "stopped  cases/p2/plain: run again\n"));
  assert_non_null(strstr(printed, "missing  cases/p9/ro,bust\n"));
  assert_non_null(
      strstr(printed, "study cohort: 0 of 20 plans done, 1 failed, 1 damaged, 1 stopped, 1 running, 16 missing\n"));
  free(printed);
  assert_int_equal(MistakesClear(&mistakes) || StudyDestroy(&study), 0);
  assert_int_equal(ResultsStudy("/nonexistent", &mistakes, &study), 0);
  assert_null(study);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestJSON), cmocka_unit_test(TestStatistics),
                                     cmocka_unit_test(TestStatus), cmocka_unit_test(TestTwoTargets),
                                     cmocka_unit_test(TestCollectGaps)};
  char command[128];
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  snprintf(results, sizeof results, "/tmp/robion_test_collect_XXXXXX");
  if (!mkdtemp(results)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof command, "rm -r %s", results);
  if (system(command)) failures++;
  PetscFinalize();
  return failures;
}
