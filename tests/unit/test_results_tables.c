/* metrics.csv, dvh.csv, scenarios.csv: round trip, quoting, any locale, merging, damage. */
#include "fake_plan.h"
#include "robion/samples.h"
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[2][64], results[64], file[128];
static const char *const names[3] = {"metrics.csv", "dvh.csv", "scenarios.csv"};
static const char dvh_header[] =
    "study,case,arm,sweep,structure,quantity,dose,unit,nominal_percent,min_percent,max_percent";
static const char scenario_header[] =
    "set,id,x_mm,y_mm,z_mm,range_percent,weight,in_set,range_percent_of_beams,biology,alpha_factors,beta_factors,"
    "rotation_x_deg,rotation_y_deg,rotation_z_deg,phase";

static const char *Path(const char *where, const char *name)
{
  snprintf(file, sizeof file, "%s/%s", where, name);
  return file;
}

static char *Slurp(const char *where, const char *name)
{
  char *text;
  size_t length;
  Mistakes mistakes = {0};
  if (!FileRead(Path(where, name), &text, &length, &mistakes)) fail_msg("%s", mistakes.item[0].text);
  return text;
}

static void Put(const char *where, const char *name, const char *text)
{
  Mistakes mistakes = {0};
  assert_true(FileReplace(Path(where, name), text, strlen(text), &mistakes));
}

static void RoundTrip(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  Table table;
  assert_true(PlanTablesWrite(&fake->result, folder[0], &mistakes));
  assert_true(MetricTableRead(Path(folder[0], "metrics.csv"), &mistakes, &table));
  assert_int_equal(table.n_columns, N_METRIC_COLUMNS);
  assert_int_equal(table.n_rows, (FAKE_SCENARIOS + SCENARIO_STATISTICS) * FakeMetricCount());
  assert_string_equal(table.field[COLUMN_ARM], "worst, \"case\"");
  assert_string_equal(table.field[COLUMN_SWEEP], "spots.layer_mm=2");
  for (PetscInt i = 0; i < FakeMetricCount(); i++) {
    const Metric *m = &fake->metrics[2].item[i];
    double value;
    assert_true(MetricTableFind(&table, "r+3.5_x+2", m->structure, quantities[m->quantity].name, m->name, &value));
    assert_double_near(value, m->value, 1e-8 * m->value); /* nine digits */
  }
  double value;
  assert_true(MetricTableFind(&table, "index", "Cord, left", "rbe_weighted", "D0.03cc", &value));
  assert_false(MetricTableFind(&table, "index", "Cord", "rbe_weighted", "D0.03cc", &value));
  TableDestroy(&table);
  assert_true(TableRead(Path(folder[0], "dvh.csv"), dvh_header, &mistakes, &table));
  assert_int_equal(table.n_rows, 2 * FAKE_BAND);
  TableDestroy(&table);
  assert_true(TableRead(Path(folder[0], "scenarios.csv"), scenario_header, &mistakes, &table));
  assert_int_equal(table.n_rows, 2 * FAKE_SCENARIOS);
  assert_string_equal(table.field[2 * table.n_columns + 5], "3.5");
  TableDestroy(&table);
  assert_false(MistakesAny(&mistakes));
  FakePlanDestroy(fake);
}

/* The chains of two organs by hand, from doses per fraction in a plan to its table: EQD2, gEUD and NTCP of every model. */
static void Outcomes(void **state)
{
  static const struct {
    const char *model;
    double fractions, geud, ntcp;
  } want[] = {{"mayo", 20, 48.997470, .011245},      {"burman", 4, 35.825812, .243309},
              {"dawson", 4, 13.337459, 0},           {"el-naqa-i", 4, 12.955556, .375400},
              {"el-naqa-ii", 4, 12.955556, .085288}, {"pursley-i", 4, 4.523133, .170441},
              {"pursley-ii", 4, 7.510593, .304957}};
  enum { N_WANT = sizeof want / sizeof *want };
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  Table table;
  PetscInt voxel[4] = {4, 10, 17, 33};
  float part[2][4] = {{.4f, .3f, .2f, .1f}, {.55f, .25f, .12f, .08f}}, dose[2][40] = {{0}};
  static const float fraction_Gy[2][4] = {{1, 2, 2.46f, 3}, {.5f, 2, 5, 9}};
  OutcomeParameters parameters[N_WANT];
  OutcomeSpec spec[N_WANT];
  for (int i = 0; i < 8; i++) dose[i / 4][voxel[i % 4]] = fraction_Gy[i / 4][i % 4];
  for (int i = 0; i < N_WANT; i++) {
    const OutcomeModel *model = OutcomeModelFind(want[i].model);
    const int organ = i > 0;
    parameters[i] =
        (OutcomeParameters){.lkb = model->lkb, .fractionation = *model->fractionation, .fractions = want[i].fractions};
    spec[i] = (OutcomeSpec){.name = (char *)want[i].model, .model = want[i].model, .parameters = &parameters[i]};
    const Outcome outcome = {.spec = &spec[i],
                             .model = model,
                             .region = {.name = (char *)"organ", .n = 4, .voxel = voxel, .fraction = part[organ]}};
    for (int s = 0; s < FAKE_SCENARIOS; s++)
      assert_int_equal(MetricsOfOutcome(&outcome, dose[organ], &fake->metrics[s]), 0);
  }
  assert_true(PlanTablesWrite(&fake->result, folder[1], &mistakes));
  assert_true(MetricTableRead(Path(folder[1], "metrics.csv"), &mistakes, &table));
  for (int i = 0; i < N_WANT; i++) {
    char name[64];
    double value;
    snprintf(name, sizeof name, "gEUD-%s", want[i].model);
    assert_true(MetricTableFind(&table, "nominal", "organ", "outcome", name, &value));
    assert_double_near(value, want[i].geud, 1e-5);
    snprintf(name, sizeof name, "NTCP-%s", want[i].model);
    assert_true(MetricTableFind(&table, "nominal", "organ", "outcome", name, &value));
    assert_double_near(value / 100, want[i].ntcp, 1e-6);
  }
  TableDestroy(&table);
  FakePlanDestroy(fake);
}

static void DotInAnyLocale(void **state)
{
  static const char *const comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  const char *found = NULL;
  for (size_t i = 0; i < sizeof comma / sizeof *comma && !found; i++) found = setlocale(LC_NUMERIC, comma[i]);
  if (!found) {
    FakePlanDestroy(fake);
    print_message("no locale with a decimal comma is installed\n");
    skip();
  }
  char *before = Slurp(folder[0], "metrics.csv");
  assert_true(PlanTablesWrite(&fake->result, folder[0], &mistakes));
  char *after = Slurp(folder[0], "metrics.csv");
  setlocale(LC_NUMERIC, "C");
  assert_string_equal(after, before);
  PetscFree(before);
  PetscFree(after);
  FakePlanDestroy(fake);
}

/* Study order, one header, scenarios once; plans without tables are left out. */
static void Merge(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  const char *const order[] = {folder[1], "/nonexistent", folder[0]};
  fake->result.patient = "P00";
  assert_true(PlanTablesWrite(&fake->result, folder[1], &mistakes));
  assert_int_equal(TablesMerge(results, 3, order, NULL, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  for (int t = 0; t < 2; t++) {
    char *first = Slurp(folder[1], names[t]), *second = Slurp(folder[0], names[t]), *merged = Slurp(results, names[t]);
    const char *body = strchr(second, '\n') + 1;
    assert_memory_equal(merged, first, strlen(first));
    assert_string_equal(merged + strlen(first), body);
    PetscFree(first);
    PetscFree(second);
    PetscFree(merged);
  }
  char *alone = Slurp(folder[0], names[2]), *merged = Slurp(results, names[2]);
  assert_string_equal(merged, alone);
  PetscFree(alone);
  PetscFree(merged);
  FakePlanDestroy(fake);
}

static void Damaged(void **state)
{
  static const struct {
    const char *text, *says;
  } bad[] = {
      {"a,b\n1,2\n", ":1: damaged table: the line is not the expected header"},
      {"set,id\n1\n", ":2: damaged table: the line has another number of fields than the header"},
      {"set,id\n1,2,3\n", ":2: damaged table: the line has another number of fields than the header"},
      {"set,id\n1,2\n1,\"x\n", ":3: damaged table: the line has an open quote"},
      {"set,id\n1,2\n1,\"x\"y\n", ":3: damaged table: the line has a stray character"},
      {"set,id\n1,2\n1,2", ":3: damaged table: the line does not end with a line end"},
  };
  Table table;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Mistakes mistakes = {0};
    Put(results, "bad.csv", bad[i].text);
    assert_false(TableRead(Path(results, "bad.csv"), "set,id", &mistakes, &table));
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    assert_non_null(strstr(mistakes.item[0].text, bad[i].says));
    MistakesClear(&mistakes);
  }
  Mistakes mistakes = {0};
  Put(results, "good.csv", "set,id\n\"a\"\"b\",\"c\nd\"\n,\n");
  assert_true(TableRead(Path(results, "good.csv"), "set,id", &mistakes, &table));
  assert_string_equal(table.field[0], "a\"b");
  assert_string_equal(table.field[1], "c\nd");
  assert_string_equal(table.field[3], "");
  TableDestroy(&table);
  static const char *const foreign[] = {"\357\273\277set,id\na,b\n", "set,id\r\na,b\r\n", "set,id\ra,b\r",
                                        "\357\273\277set,id\r\na,\"b\"\r\n"};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) { /* as spreadsheets write them */
    Put(results, "good.csv", foreign[i]);
    assert_true(TableRead(Path(results, "good.csv"), "set,id", &mistakes, &table));
    assert_true(table.n_rows == 1 && !strcmp(table.field[0], "a") && !strcmp(table.field[1], "b"));
    TableDestroy(&table);
  }
  Put(results, "good.csv", "set,id\na,b\nc,d\n"); /* of a version before columns were added */
  assert_true(TableReadGrown(Path(results, "good.csv"), "set,id,more,most", &mistakes, &table));
  assert_true(table.n_columns == 4 && table.n_rows == 2);
  assert_true(!strcmp(table.field[4], "c") && !strcmp(table.field[5], "d") && !*table.field[6] && !*table.field[7]);
  TableDestroy(&table);
  static const char *const others[] = {"set,i\na,b\n", "set,id,more,most,what\na,b,c,d,e\n", "\na,b\n",
                                       "set,id\na,b,c\n"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    Put(results, "bad.csv", others[i]);
    assert_false(TableReadGrown(Path(results, "bad.csv"), "set,id,more,most", &mistakes, &table));
    MistakesClear(&mistakes);
  }
  unlink(Path(results, "good.csv"));
  unlink(Path(results, "bad.csv"));
}

/* A damaged plan table is named and left out of the merged one; the others are still there. */
static void MergeWithDamage(void **state)
{
  Mistakes mistakes = {0};
  const char *const order[] = {folder[0], folder[1]};
  char *text = Slurp(folder[0], "metrics.csv");
  char *value = strstr(text, "Dmean,") + strlen("Dmean,");
  *value = 'x';
  Put(folder[0], "metrics.csv", text);
  assert_int_equal(TablesMerge(results, 2, order, NULL, &mistakes), 0);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(mistakes.item[0].text, "expected a number"));
  char *merged = Slurp(results, "metrics.csv"), *whole = Slurp(folder[1], "metrics.csv");
  assert_string_equal(merged, whole);
  PetscFree(text);
  PetscFree(merged);
  PetscFree(whole);
  MistakesClear(&mistakes);
  assert_int_equal(TablesMerge("/nonexistent", 2, order, NULL, &mistakes), 0);
  assert_int_equal(mistakes.item[mistakes.n - 1].exit, ROBION_RESOURCES);
  MistakesClear(&mistakes);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RoundTrip),      cmocka_unit_test(Outcomes),
                                     cmocka_unit_test(DotInAnyLocale), cmocka_unit_test(Merge),
                                     cmocka_unit_test(Damaged),        cmocka_unit_test(MergeWithDamage)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  snprintf(results, sizeof results, "/tmp/robion_test_tables_XXXXXX");
  if (!mkdtemp(results)) return 1;
  for (int i = 0; i < 2; i++) {
    snprintf(folder[i], sizeof folder[i], "%.40s/%d", results, i);
    if (mkdir(folder[i], 0777)) return 1;
  }
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  for (int t = 0; t < 3; t++) {
    for (int i = 0; i < 2; i++) unlink(Path(folder[i], names[t]));
    unlink(Path(results, names[t]));
  }
  for (int i = 0; i < 2; i++) rmdir(folder[i]);
  rmdir(results);
  PetscFinalize();
  return failures;
}
