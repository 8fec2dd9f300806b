/* EQD2 and LKB complication probability against vectors computed apart from this code; derivatives; limits. */
#include "robion/eqd2.h"
#include "robion/ntcp.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static void EQD2Vectors(void **state)
{
  const FractionationSpec optic = FractionationLQ(2), liver_lq = FractionationLQ(2.5);
  assert_double_near(EQD2_Gy(&optic, 20, 3, NULL), 75, 1e-12);
  assert_double_near(EQD2_Gy(&optic, 20, 2.46, NULL), 54.86, 0.005); /* EPTN: 55 */
  const double liver[][3] = {{4, 1, 3.111}, {4, 5, 33.333}, {6, 7, 83.333}, {4, 10, 88.889}};
  for (int i = 0; i < 4; i++)
    assert_double_near(EQD2_Gy(&fractionation_liver, liver[i][0], liver[i][1], NULL), liver[i][2], 5e-4);
  assert_double_near(EQD2_Gy(&liver_lq, 4, 10, NULL), 111.1, 0.05);
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
  } vector[] = {{"el-naqa-1", {.2482, .3445, .4521, .5634}}, {"el-naqa-2", {.0345, .0704, .1299, .2173}},
                {"pursley-1", {.1056, .2769, .5262, .7654}}, {"pursley-2", {.2525, .3234, .4013, .4834}},
                {"burman", {-1, -1, .00043, .0478}},         {"dawson", {-1, -1, .00002, .0201}}};
  for (int s = 0; s < 6; s++)
    for (int i = 0; i < 4; i++)
      if (vector[s].ntcp[i] >= 0)
        assert_double_near(NTCP(NTCPFind(vector[s].name), 10 * i, NULL), vector[s].ntcp[i],
                           vector[s].ntcp[i] < 0.001 ? 5e-6 : 5e-5);
  const double mayo[][2] = {{1.1, 48.91}, {2.5, 52.24}, {3.5, 53.74}, {7.6, 57.56}, {45.6, 70.89}, {53.2, 72.81}};
  for (int i = 0; i < 6; i++) assert_double_near(100 * NTCP(NTCPFind("mayo"), mayo[i][1], NULL), mayo[i][0], 0.02);
  assert_null(NTCPFind("nobody"));
}

static void NTCPDerivative(void **state)
{
  for (PetscInt s = 0; s < n_ntcp_sets; s++)
    for (double eud = 5; eud < 90; eud += 12) {
      double slope, step = 1e-4;
      NTCP(&ntcp_sets[s], eud, &slope);
      double up = NTCP(&ntcp_sets[s], eud + step, NULL), down = NTCP(&ntcp_sets[s], eud - step, NULL);
      assert_double_near((up - down) / (2 * step), slope, 1e-6 * slope + 1e-13);
    }
}

/* Mean for a = 1, towards the extremes for large and small a, no overflow, no dose. */
static void EUD(void **state)
{
  const double share[] = {0.2, 0.5, 0.3}, dose[] = {10, 40, 25}, none[] = {0, 0, 0};
  assert_double_near(GEUD_Gy(1, 3, share, dose), 29.5, 1e-12);
  assert_double_near(GEUD_Gy(2, 3, share, dose), sqrt(0.2 * 100 + 0.5 * 1600 + 0.3 * 625), 1e-12);
  assert_double_near(GEUD_Gy(1000, 3, share, dose), 40, 0.05);
  assert_double_near(GEUD_Gy(0.06, 3, share, none), 0, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(EQD2Vectors), cmocka_unit_test(EQD2Limits),     cmocka_unit_test(EQD2Derivative),
      cmocka_unit_test(NTCPVectors), cmocka_unit_test(NTCPDerivative), cmocka_unit_test(EUD),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
