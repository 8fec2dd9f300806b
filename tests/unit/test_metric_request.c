/* Metrics by request: their names, answers on a DVH made by hand, per fraction and course, once each. */
#include "robion/metric_request.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static void Names(void **state)
{
  static const struct {
    const char *name;
    MetricForm form;
  } good[] = {
      {"Dmean", {ASK_MEAN, 0, 0, 0}},        {"Dmax", {ASK_MAX, 0, 0, 0}},           {"D95", {ASK_HOTTEST, 95, 0, 0}},
      {"D0.5", {ASK_HOTTEST, 0.5, 0, 0}},    {"D0.03cc", {ASK_HOTTEST, 0.03, 1, 0}}, {"DC30", {ASK_COOLEST, 30, 0, 0}},
      {"DC700cc", {ASK_COOLEST, 700, 1, 0}}, {"V95", {ASK_VOLUME, 95, 0, 0}},        {"V95_cc", {ASK_VOLUME, 95, 0, 1}},
      {"V20Gy", {ASK_VOLUME, 20, 1, 0}},     {"V2.5Gy_cc", {ASK_VOLUME, 2.5, 1, 1}}};
  static const char *const bad[] = {
      "",      "D",       "D-5", "D0",   "D101",   "D95%",
      "D95Gy", "D5mm",    "DC",  "DCcc", "VC30",   "V20gy",
      "V20cc", "V20Gycc", "V",   "Vmax", "Dmin",   "d95",
      "D1e1",  "D..5",    "L98", "D 95", "NTCP-a", "D0.0300000000000000000000000000000000000000001cc"};
  MetricForm form;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(MetricFormRead(good[i].name, &form));
    assert_true(form.question == good[i].form.question && form.number == good[i].form.number &&
                form.absolute == good[i].form.absolute && form.cm3 == good[i].form.cm3);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (MetricFormRead(bad[i], &form)) fail_msg("%s is taken for a metric", bad[i]);
}

/*
 * Twenty voxels of 50 cm3 with 0.25, 0.5, ... 5 Gy(RBE) and half of that in Gy, the last two of which lie inside by half: 950 cm3. A
 * course of 4 fractions.
 */
enum { N = 20 };
static const Grid grid = {{N, 1, 1}, {50, 50, 20}, {0, 0, 0}};
static float weighted[N], physical[N], fraction[N];
static PetscInt voxel[N];
static const Region liver = {(char *)"liver", ROLE_OAR, N, voxel, fraction, 950};

static int SetUp(void **state)
{
  for (int i = 0; i < N; i++) {
    voxel[i] = i;
    fraction[i] = i < N - 2 ? 1 : 0.5f;
    weighted[i] = 0.25f * (float)(i + 1);
    physical[i] = 0.5f * weighted[i];
  }
  return 0;
}

static void Answers(void **state)
{
  static const struct {
    const char *name, *unit;
    Quantity quantity;
    PetscBool course;
    Quantity row;
    double value;
  } want[] = {
      {"D50cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 4.75}, /* 25 cm3 at 5, 25 at 4.75 */
      {"D1000cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 5},  /* more than there is */
      {"D950cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 0.25},
      {"DC700cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 3.5}, /* 14 voxels */
      {"DC725cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 3.625},
      {"DC950cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 5},
      {"DC1000cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 5},
      {"DC50", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 2.375}, /* 475 cm3: 9.5 voxels */
      {"DC700cc", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 1, QUANTITY_COURSE, 14},
      {"D95", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 1, QUANTITY_COURSE,
       4 * 0.4875}, /* 902.5 cm3: 0.05 voxels of 0.25 to 0.5 */
      {"Dmean", "Gy(RBE)", QUANTITY_RBE_WEIGHTED, 1, QUANTITY_COURSE, 4 * (42.75 + 0.5 * 9.75) / 19},
      {"Dmean", "Gy", QUANTITY_PHYSICAL, 1, QUANTITY_PHYSICAL_COURSE, 2 * (42.75 + 0.5 * 9.75) / 19},
      {"V3Gy", "%", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED,
       100 * 8. / 19}, /* 12th voxel on: 7 and two halves */
      {"V3Gy_cc", "cm3", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 400},
      {"V12Gy", "%", QUANTITY_RBE_WEIGHTED, 1, QUANTITY_COURSE, 100 * 8. / 19},
      {"V6Gy_cc", "cm3", QUANTITY_PHYSICAL, 1, QUANTITY_PHYSICAL_COURSE, 400},
      {"V30", "%", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 100 * 14. / 19}, /* 1.5: the 6th on */
      {"V30_cc", "cm3", QUANTITY_RBE_WEIGHTED, 0, QUANTITY_RBE_WEIGHTED, 700},       /* 13 and two halves */
  };
  enum { MANY = sizeof want / sizeof *want };
  const float *const dose[QUANTITIES_MOST] = {[QUANTITY_RBE_WEIGHTED] = weighted, [QUANTITY_PHYSICAL] = physical};
  const DVH none[QUANTITIES_MOST] = {{0}};
  MetricSpec spec[MANY];
  MetricRequestList list = {0};
  MetricList rows = {0};
  for (int i = 0; i < MANY; i++) {
    spec[i] = (MetricSpec){(char *)"liver", NULL, (char *)want[i].name, want[i].quantity, want[i].course, PETSC_FALSE};
    assert_int_equal(MetricRequestAdd(&spec[i], 4, NULL, &list), 0);
  }
  assert_int_equal(list.n, MANY);
  assert_int_equal(MetricsByRequest(&list, &liver, &grid, dose, none, 5, &rows), 0);
  assert_int_equal(rows.n, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_string_equal(rows.item[i].name, want[i].name);
    assert_string_equal(rows.item[i].unit, want[i].unit);
    assert_int_equal(rows.item[i].quantity, want[i].row);
    assert_double_near(rows.item[i].value, want[i].value, 1e-5);
  }
  assert_int_equal(MetricListDestroy(&rows) || PetscFree(list.item), 0);
}

/* What every plan has is not asked for again, nor anything twice; of other structures no row. */
static void Once(void **state)
{
  static MetricSpec spec[] = {{(char *)"liver", NULL, (char *)"D95", QUANTITY_RBE_WEIGHTED, 0, 0},
                              {(char *)"liver", NULL, (char *)"DC5cc", QUANTITY_RBE_WEIGHTED, 0, 0},
                              {(char *)"liver", NULL, (char *)"DC5cc", QUANTITY_RBE_WEIGHTED, 0, 0},
                              {(char *)"liver", NULL, (char *)"DC5cc", QUANTITY_RBE_WEIGHTED, 1, 0},
                              {(char *)"liver", NULL, (char *)"DC5cc", QUANTITY_PHYSICAL, 0, 0},
                              {(char *)"heart", NULL, (char *)"DC5cc", QUANTITY_RBE_WEIGHTED, 0, 0},
                              {(char *)"liver", NULL, (char *)"NTCP-a", QUANTITY_OUTCOME, 0, 0},
                              {(char *)"liver", NULL, (char *)"D95", QUANTITY_RBE_WEIGHTED, 1, 0}};
  const Course staged = {.n = 2, .accumulation = ACCUMULATE_EQD2, .alpha_beta_Gy = 2, .fractions = 4};
  const float *const dose[QUANTITIES_MOST] = {
      [QUANTITY_RBE_WEIGHTED] = weighted, [QUANTITY_PHYSICAL] = physical, [QUANTITY_COURSE_EQD2] = physical};
  const DVH none[QUANTITIES_MOST] = {{0}};
  for (int stages = 0; stages < 2; stages++) {
    MetricRequestList list = {0};
    MetricList rows = {0};
    for (size_t i = 0; i < sizeof spec / sizeof *spec; i++)
      assert_int_equal(MetricRequestAdd(&spec[i], 4, stages ? &staged : NULL, &list), 0);
    assert_int_equal(list.n, stages ? 4 : 5); /* D95 of the course is there in stages */
    assert_int_equal(MetricsByRequest(&list, &liver, &grid, dose, none, 5, &rows), 0);
    assert_int_equal(rows.n, list.n - 1);
    assert_int_equal(rows.item[1].quantity, stages ? QUANTITY_COURSE_EQD2 : QUANTITY_COURSE);
    assert_double_near(rows.item[1].value, stages ? 0.125 : 1, 1e-6); /* stages have a dose of their own */
    assert_int_equal(MetricListDestroy(&rows) || PetscFree(list.item), 0);
  }
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(Names), cmocka_unit_test(Answers), cmocka_unit_test(Once)};
  const int failures = cmocka_run_group_tests(tests, SetUp, NULL);
  return PetscFinalize() ? 1 : failures;
}
