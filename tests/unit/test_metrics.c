/* Metrics of a structure and their statistics over scenarios, by hand. */
#include "robion/evaluate.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

enum { N = 100 };

static const Grid grid = {{N, 1, 1}, {1, 1, 1}, {0, 0, 0}}; /* voxels of 0.001 cm3 */

/*
 * RBE-weighted dose 1..100 % of 4 Gy(RBE), RBE 4, LETd falling from 199 to 100 keV/um; survival 0.01 to 1, whatever the dose.
 */
static void FillDoses(float dose[QUANTITIES_MOST][N])
{
  for (int i = 0; i < N; i++) {
    dose[QUANTITY_RBE_WEIGHTED][i] = (float)(0.04 * (i + 1));
    dose[QUANTITY_PHYSICAL][i] = (float)(0.01 * (i + 1));
    dose[QUANTITY_LETD][i] = (float)(199 - i);
    dose[QUANTITY_RBE][i] = 4;
    dose[QUANTITY_SURVIVAL][i] = (float)(0.01 * (i + 1));
  }
}

static Region WholeLine(PetscInt *voxel, float *fraction)
{
  for (int i = 0; i < N; i++) {
    voxel[i] = i;
    fraction[i] = 1;
  }
  return (Region){"Left lung", ROLE_OAR, N, voxel, fraction, 0.1};
}

static double Find(const MetricList *list, Quantity quantity, const char *name, const char *unit)
{
  for (PetscInt i = 0; i < list->n; i++)
    if (list->item[i].quantity == quantity && !strcmp(list->item[i].name, name)) {
      assert_string_equal(list->item[i].unit, unit);
      assert_string_equal(list->item[i].structure, "Left lung");
      return list->item[i].value;
    }
  fail_msg("no metric %s", name);
  return 0;
}

static void OfStructure(void **state)
{
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5]};
  PetscInt voxel[N];
  Region region = WholeLine(voxel, fraction);
  MetricList list = {0};
  FillDoses(dose);
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 4, &list), 0);
  assert_int_equal(list.n, 8 + 8 + 1 + 4 + 4 + 2);
  const struct {
    const char *name;
    double share; /* of the prescription; the p-th hottest of 100 equal voxels */
  } want[] = {{"D98", .03}, {"D95", .06}, {"D50", .51},     {"D2", .99},
              {"D1", 1},    {"Dmax", 1},  {"D0.03cc", .71}, {"Dmean", .505}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    assert_double_near(Find(&list, QUANTITY_RBE_WEIGHTED, want[i].name, "Gy(RBE)"), 4 * want[i].share, 1e-6);
    assert_double_near(Find(&list, QUANTITY_PHYSICAL, want[i].name, "Gy"), want[i].share, 1e-6);
  }
  /* 3.8f is 3.7999999523: the voxel at exactly 95 % may fall on either side of the bound in single precision. */
  assert_double_near(Find(&list, QUANTITY_RBE_WEIGHTED, "V95", "%"), 6, 1);
  assert_double_near(Find(&list, QUANTITY_LETD, "Lmean", "keV/um"), 149.5, 0.51);
  assert_double_near(Find(&list, QUANTITY_LETD, "L1", "keV/um"), 199, 1.01);
  assert_double_near(Find(&list, QUANTITY_RBE, "RBEmean", "1"), 4, 1e-6);
  assert_double_near(Find(&list, QUANTITY_RBE, "RBE98", "1"), 4, 0);
  assert_double_near(Find(&list, QUANTITY_SURVIVAL, "Smean", "%"), 50.5, 1e-5);
  assert_double_near(Find(&list, QUANTITY_SURVIVAL, "Smax", "%"), 100, 0);
  MetricListDestroy(&list);
}

/* LETd is asked only where the dose is at least 1 % of the prescription; without such voxels the rows stay, as 0. */
static void LETdNeedsDose(void **state)
{
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5]};
  PetscInt voxel[N];
  Region region = WholeLine(voxel, fraction);
  MetricList list = {0}, none = {0};
  FillDoses(dose);
  for (int i = 0; i < N / 2; i++) dose[QUANTITY_RBE_WEIGHTED][i] = 0.0399f;
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 4, &list), 0);
  assert_double_near(Find(&list, QUANTITY_LETD, "Lmean", "keV/um"), 124.5, 1e-9); /* voxels 50..99: 149..100 */
  assert_double_near(Find(&list, QUANTITY_LETD, "L1", "keV/um"), 149, 1e-9);
  assert_double_near(Find(&list, QUANTITY_LETD, "L50", "keV/um"), 125, 1e-9);
  assert_double_near(Find(&list, QUANTITY_LETD, "L98", "keV/um"), 101, 1e-9);
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 1000, &none), 0);
  assert_int_equal(none.n, list.n);
  assert_double_near(Find(&none, QUANTITY_LETD, "Lmean", "keV/um"), 0, 0);
  assert_double_near(Find(&none, QUANTITY_RBE, "RBE50", "1"), 0, 0);
  MetricListDestroy(&list);
  MetricListDestroy(&none);
}

/* Voxel i of 100 has the physical dose 0.01 (i + 1) Gy and RBE 5 - 0.02 i; the first two are below 1 % of the prescription. */
static void RBE(void **state)
{
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5]};
  PetscInt voxel[N];
  Region region = WholeLine(voxel, fraction);
  MetricList list = {0}, none = {0};
  double weighted = 0, physical = 0;
  FillDoses(dose);
  for (int i = 0; i < N; i++) {
    dose[QUANTITY_RBE][i] = (float)(5 - 0.02 * i);
    dose[QUANTITY_RBE_WEIGHTED][i] = dose[QUANTITY_RBE][i] * dose[QUANTITY_PHYSICAL][i];
    fraction[i] = i % 2 ? 1 : 0.25f;
    physical += (double)fraction[i] * 0.01 * (i + 1);
    weighted += (double)fraction[i] * 0.01 * (i + 1) * (5 - 0.02 * i);
  }
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 10, &list), 0);
  assert_double_near(Find(&list, QUANTITY_RBE, "RBEmean", "1"), weighted / physical, 1e-6);
  assert_true(fabs(weighted / physical - 4.01) > 0.1); /* which is the mean by volume */
  /* 98 voxels left: 49 whole and 49 quarters, the first (i = 2) a quarter. 2 % of the volume are reached at i = 3. */
  assert_double_near(Find(&list, QUANTITY_RBE, "RBE2", "1"), 4.94, 0.02);
  assert_double_near(Find(&list, QUANTITY_RBE, "RBE50", "1"), 4, 0.04);
  assert_double_near(Find(&list, QUANTITY_RBE, "RBE98", "1"), 3.04, 0.03);
  for (int i = 0; i < N; i++) dose[QUANTITY_RBE][i] = dose[QUANTITY_RBE_WEIGHTED][i] = dose[QUANTITY_PHYSICAL][i] = 0;
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 10, &none), 0);
  assert_double_near(Find(&none, QUANTITY_RBE, "RBEmean", "1"), 0, 0);
  assert_double_near(Find(&none, QUANTITY_RBE, "RBE98", "1"), 0, 0);
  MetricListDestroy(&list);
  MetricListDestroy(&none);
}

/* Half the cells of 98 voxels and a tenth of those of the last; the first, of which a quarter lies inside, loses none. */
static void Survival(void **state)
{
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5]};
  PetscInt voxel[N];
  Region region = WholeLine(voxel, fraction);
  MetricList list = {0}, thin = {0};
  FillDoses(dose);
  for (int i = 0; i < N; i++) dose[QUANTITY_SURVIVAL][i] = i < N - 1 ? 0.5f : 0.1f;
  dose[QUANTITY_SURVIVAL][0] = 1;
  fraction[0] = 0.25f;
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 4, &list), 0);
  assert_double_near(Find(&list, QUANTITY_SURVIVAL, "Smean", "%"), 100 * (0.25 + 98 * 0.5 + 0.1) / 99.25, 1e-5);
  assert_double_near(Find(&list, QUANTITY_SURVIVAL, "Smax", "%"), 100, 0);
  for (int i = 0; i < N; i++) fraction[i] = 0.25f;
  dose[QUANTITY_SURVIVAL][0] = 0;
  assert_int_equal(MetricsOfStructure(&region, &grid, doses, 4, &thin), 0);
  assert_double_near(Find(&thin, QUANTITY_SURVIVAL, "Smax", "%"), 50, 0);
  MetricListDestroy(&list);
  MetricListDestroy(&thin);
}

/* Hotter and hotter metrics of one quantity, as they must come out whatever the structure. */
static void CheckOrder(const MetricList *list, Quantity quantity, const char *unit, int n, const char *const *name)
{
  for (int i = 1; i < n; i++) {
    const double lower = Find(list, quantity, name[i - 1], unit), higher = Find(list, quantity, name[i], unit);
    if (!(lower <= higher))
      fail_msg("%s: %s %.17g above %s %.17g", quantities[quantity].name, name[i - 1], lower, name[i], higher);
  }
}

/*
 * Random structures, from parts of one voxel to all of them, touched by anything from 1e-3 to all of their volume, on grids whose
 * voxels are below and above 0.03 cm3, with doses that fall towards the rim, rise there, or have nothing to do with it.
 */
static void Ordered(void **state)
{
  static const char *const dose_order[] = {"D98", "D95", "D50", "D2", "D1", "Dmax"},
                           *const small[] = {"D0.03cc", "Dmax"}, *const mean[] = {"Dmean", "Dmax"},
                           *const letd[] = {"L98", "L50", "L1"}, *const rbe[] = {"RBE98", "RBE50", "RBE2"},
                           *const survival[] = {"Smean", "Smax"};
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5], dose[6], dose[7]};
  PetscInt voxel[N];
  unsigned seed = 7;
  for (int trial = 0; trial < 600; trial++) {
    const double size_mm = (double)(1 + trial % 7);
    const Grid coarse = {{N, 1, 1}, {size_mm, size_mm, size_mm}, {0, 0, 0}};
    Region region = WholeLine(voxel, fraction);
    MetricList list = {0};
    region.n = trial % 5 ? 1 + trial % N : 1;
    for (PetscInt i = 0; i < region.n; i++) {
      float part;
      for (Quantity q = 0; q < n_quantities; q++) {
        seed = seed * 1664525u + 1013904223u;
        const float random = (float)(seed >> 8) / 16777216.0f;
        if (q == 0) fraction[i] = seed & 1 ? 1 : PetscMax(1e-3f, random * random * random);
        part = trial % 3 == 0 ? random : trial % 3 == 1 ? fraction[i] : 1 - fraction[i];
        dose[q][i] = q == QUANTITY_SURVIVAL ? part : 6 * part;
      }
    }
    assert_int_equal(MetricsOfStructure(&region, &coarse, doses, 4, &list), 0);
    static const struct {
      Quantity quantity;
      const char *unit;
    } all[] = {{QUANTITY_PHYSICAL, "Gy"},
               {QUANTITY_RBE_WEIGHTED, "Gy(RBE)"},
               {QUANTITY_COURSE, "Gy(RBE)"},
               {QUANTITY_COURSE_EQD2, "Gy(RBE)"}};
    for (int k = 0; k < 4; k++) {
      CheckOrder(&list, all[k].quantity, all[k].unit, 6, dose_order);
      CheckOrder(&list, all[k].quantity, all[k].unit, 2, small);
      CheckOrder(&list, all[k].quantity, all[k].unit, 2, mean);
      const char *const near[] = {"D1", "D0.03cc"}, *const far[] = {"D0.03cc", "D1"};
      double volume_cm3 = 0;
      for (PetscInt i = 0; i < region.n; i++) volume_cm3 += (double)fraction[i] * GridVoxelVolume_cm3(&coarse);
      if (volume_cm3 > 3.001) CheckOrder(&list, all[k].quantity, all[k].unit, 2, near); /* 0.03 cm3 are less than 1 % */
      if (volume_cm3 > 0.0301 && volume_cm3 < 2.999) CheckOrder(&list, all[k].quantity, all[k].unit, 2, far);
    }
    CheckOrder(&list, QUANTITY_LETD, "keV/um", 3, letd);
    CheckOrder(&list, QUANTITY_RBE, "1", 3, rbe);
    CheckOrder(&list, QUANTITY_SURVIVAL, "%", 2, survival);
    MetricListDestroy(&list);
  }
}

static void OverScenarios(void **state)
{
  Metric rows[4][2];
  MetricList lists[4], out[SCENARIO_STATISTICS];
  const double value[4][2] = {{3, 1}, {1, 1}, {10, 2}, {2, 8}};
  memset(rows, 0, sizeof rows);
  for (int s = 0; s < 4; s++) {
    for (int i = 0; i < 2; i++) {
      strcpy(rows[s][i].structure, "CTV");
      strcpy(rows[s][i].name, i ? "D2" : "D98");
      rows[s][i].value = value[s][i];
    }
    lists[s] = (MetricList){2, 2, rows[s]};
  }
  const double even[SCENARIO_STATISTICS][2] = {{1, 1}, {10, 8}, {2.5, 1.5}, {9, 7}, {1.15, 1}, {8.95, 7.1}},
               odd[SCENARIO_STATISTICS][2] = {{1, 1}, {10, 2}, {3, 1}, {9, 1}, {1.2, 1}, {9.3, 1.9}};
  for (int n = 3; n <= 4; n++) {
    assert_int_equal(MetricsOverScenarios(n, lists, out), 0);
    for (int k = 0; k < SCENARIO_STATISTICS; k++) {
      for (int i = 0; i < 2; i++)
        assert_double_near(out[k].item[i].value, n == 4 ? even[k][i] : odd[k][i], k < 4 ? 0 : 1e-14);
      assert_string_equal(out[k].item[1].name, "D2");
      MetricListDestroy(&out[k]);
    }
  }
  assert_string_equal(scenario_statistic_names[3], "index");
}

/* The unit vectors of the model, as a region of equal parts and as a map. */
static void Control(void **state)
{
  static const double count[3] = {2.1e5, 3.8e5, 3.8e5}, course_Gy[3] = {73.6, 73.6, 80.96},
                      survival[3] = {0.1983, 0.3076, 0.0886};
  PetscInt voxel[3] = {0, 2, 3};
  float fraction[3] = {1, 1, 1}, dose[4], tcp[4] = {0, 7, 0, 0};
  double clonogens[N_CELL_CASES][3];
  char name[] = "GTV";
  MetricList list = {0};
  OutcomeParameters parameters = {.fractions = 16};
  OutcomeSpec spec = {.structure = name, .model = "tcp", .parameters = &parameters};
  Outcome control = {.spec = &spec,
                     .model = OutcomeModelFind("tcp"),
                     .region = {.name = name, .n = 3, .voxel = voxel, .fraction = fraction}};
  assert_int_equal(TCPSpecDefault(&parameters.tcp), 0);
  for (int c = 0; c < N_CELL_CASES; c++) control.clonogens[c] = clonogens[c];
  for (int i = 0; i < 3; i++) {
    dose[voxel[i]] = (float)(course_Gy[i] / 16);
    clonogens[CELLS_NOMINAL][i] = count[i];
    clonogens[CELLS_BEST][i] = 0;
    clonogens[CELLS_WORST][i] = 1.5 * count[i];
  }
  assert_int_equal(MetricsOfOutcome(&control, dose, &list), 0);
  const double sum = (survival[0] + survival[1] + survival[2]) / 3;
  const double expected[3] = {100 * exp(-sum), 100, 100 * exp(-sum * pow(1.5, 0.74))};
  static const char *const metric[] = {"TCP", "TCP_best", "TCP_worst"};
  for (int c = 0; c < 3; c++) {
    assert_string_equal(list.item[c].name, metric[c]);
    assert_string_equal(list.item[c].structure, "GTV");
    assert_int_equal(list.item[c].quantity, QUANTITY_TCP);
    assert_double_near(list.item[c].value, expected[c], 0.01);
  }
  spec.name = (char *)"local";
  assert_int_equal(MetricsOfOutcome(&control, dose, &list), 0);
  assert_int_equal(list.n, 6);
  assert_string_equal(list.item[4].name, "TCP_best-local");
  assert_int_equal(list.item[4].quantity, QUANTITY_OUTCOME);
  assert_true(list.item[5].value == list.item[2].value);
  OutcomeMap(&control, dose, tcp);
  for (int i = 0; i < 3; i++) assert_double_near(tcp[voxel[i]], exp(-survival[i]), 1e-4);
  assert_double_near(tcp[1], 7, 0);
  MetricListDestroy(&list);
}

/* Rows that do not match and doses that are no numbers are bugs, not results. */
static void Refuses(void **state)
{
  float dose[QUANTITIES_MOST][N], fraction[N];
  const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1], dose[2], dose[3], dose[4], dose[5]};
  PetscInt voxel[N];
  Region region = WholeLine(voxel, fraction);
  Metric a = {"CTV", "D98", "Gy", QUANTITY_PHYSICAL, 1}, b = {"CTV", "D95", "Gy", QUANTITY_PHYSICAL, 1};
  MetricList lists[2] = {{1, 1, &a}, {1, 1, &b}}, out[SCENARIO_STATISTICS], list = {0};
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  assert_int_not_equal(MetricsOverScenarios(2, lists, out), 0);
  FillDoses(dose);
  dose[QUANTITY_PHYSICAL][7] = NAN;
  assert_int_not_equal(MetricsOfStructure(&region, &grid, doses, 4, &list), 0);
  PetscPopErrorHandler();
  MetricListDestroy(&list);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OfStructure), cmocka_unit_test(LETdNeedsDose),
                                     cmocka_unit_test(Ordered),     cmocka_unit_test(RBE),
                                     cmocka_unit_test(Survival),    cmocka_unit_test(OverScenarios),
                                     cmocka_unit_test(Refuses),     cmocka_unit_test(Control)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failures;
}
