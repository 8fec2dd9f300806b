/* Tests of cohort statistics against published values and values computed independently (scipy 1.10, brute force). */
#include "robion/statistics.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define NEAR(value, expected, tolerance)                                                                               \
  do {                                                                                                                 \
    const double found_ = (value), wanted_ = (expected);                                                               \
    if (!(fabs(found_ - wanted_) <= (tolerance))) fail_msg("found %.17g, expected %.17g", found_, wanted_);            \
  } while (0)

static const double a[] = {1.1, 2.5, 0.4, 3.9, 7.6, 5.2, 0.9, 2.2, 4.1, 6.3};
static const double b[] = {0.8, 1.9, 0.5, 2.8, 5.5, 4.9, 0.6, 2.0, 3.0, 4.4};

static void TestDescribe(void **state)
{
  Description d;
  assert_int_equal(DescriptionOf(10, a, &d), 0);
  NEAR(d.mean, 3.42, 1e-14);
  NEAR(d.sd, 2.4224872434017986, 1e-14);
  NEAR(d.median, 3.2, 1e-14);
  NEAR(d.q1, 1.375, 1e-14);
  NEAR(d.q3, 4.925, 1e-14);
  assert_true(d.min == 0.4 && d.max == 7.6 && d.n == 10);
  assert_int_equal(DescriptionOf(1, a, &d), 0);
  assert_true(d.sd == 0 && d.q1 == 1.1 && d.q3 == 1.1);
}

static void TestWilcoxon(void **state)
{
  double d[10];
  TestResult r;
  PairedDifferences(10, a, b, d);
  assert_true(d[0] == d[5] && d[5] == d[6] && d[3] == d[8]); /* tied, though not as doubles: 1.1 - 0.8 > 5.2 - 4.9 */
  assert_int_equal(WilcoxonSignedRank(10, d, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.exact && r.n == 10 && r.statistic == 1);
  NEAR(r.p, 0.00390625, 1e-12);
  assert_int_equal(WilcoxonSignedRank(10, d, RANKS_NORMAL, &r), 0);
  NEAR(r.p, 0.007841671558901465, 1e-12);
  assert_false(r.exact);
  /* zeros dropped, ties of both signs; all 2^10 signs counted by brute force */
  const double tied[] = {0, 1, -1, 2, 2, -3, 0, 4, 5, -2, 3, -1};
  assert_int_equal(WilcoxonSignedRank(12, tied, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.n == 10 && r.statistic == 16.5);
  NEAR(r.p, 0.291015625, 1e-12);
  assert_int_equal(WilcoxonSignedRank(12, tied, RANKS_NORMAL, &r), 0);
  NEAR(r.p, 0.2816727554159264, 1e-12);
  /* more than 50 pairs: normal */
  double many[60];
  for (int i = 0; i < 60; i++) many[i] = ((i * 37) % 61 - 25) / 3.0;
  assert_int_equal(WilcoxonSignedRank(60, many, RANKS_AUTOMATIC, &r), 0);
  assert_true(!r.exact && r.statistic == 612);
  NEAR(r.p, 0.03968629824713282, 1e-12);
}

/* The least p of n pairs is 2 / 2^n; the next 4 / 2^n (physics of small cohorts: n = 15 and P < 0.0001 need all pairs). */
static void TestWilcoxonLeast(void **state)
{
  double d[50];
  TestResult r;
  for (int i = 0; i < 50; i++) d[i] = 1 + i;
  for (int n = 1; n <= 50; n++) {
    assert_int_equal(WilcoxonSignedRank(n, d, RANKS_AUTOMATIC, &r), 0);
    NEAR(r.p / ldexp(2, -n), 1, 1e-12);
  }
  d[0] = -1;
  assert_int_equal(WilcoxonSignedRank(15, d, RANKS_AUTOMATIC, &r), 0);
  NEAR(r.p, 1.220703125e-4, 1e-16);
  const double zeros[] = {0, 0, 0};
  assert_int_equal(WilcoxonSignedRank(3, zeros, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.n == 0 && r.p == 1);
}

static void TestMannWhitney(void **state)
{
  TestResult r;
  assert_int_equal(MannWhitney(10, a, 10, b, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.exact && r.statistic == 59);
  NEAR(r.p, 0.5288488601182101, 1e-12);
  assert_int_equal(MannWhitney(10, a, 10, b, RANKS_NORMAL, &r), 0);
  NEAR(r.p, 0.5205228832757727, 1e-12);
  /* ties within and between the samples, unequal sizes; all 792 choices counted by brute force */
  const double x[] = {1, 2, 2, 3, 4, 4, 4}, y[] = {2, 4, 5, 5, 6};
  assert_int_equal(MannWhitney(7, x, 5, y, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.statistic == 6.5);
  NEAR(r.p, 0.08585858585858586, 1e-12);
  assert_int_equal(MannWhitney(7, x, 5, y, RANKS_NORMAL, &r), 0);
  NEAR(r.p, 0.07981647994695878, 1e-12);
  const double same[] = {3, 3};
  assert_int_equal(MannWhitney(2, same, 2, same, RANKS_NORMAL, &r), 0);
  assert_true(r.p == 1);
}

static void TestShapiro(void **state)
{
  static const double royston[] = {148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236};
  static const double three[] = {1, 2, 4}, four[] = {1, 2, 4, 9}, five[] = {1, 3, 2, 8, 4};
  double thirty[30], hundred[100];
  for (int i = 0; i < 30; i++) thirty[i] = pow(1 + i, 1.5);
  for (int i = 0; i < 100; i++) hundred[i] = log(1 + i);
  /* scipy 1.10, which works in single precision: its p is good to 3e-6 */
  const struct {
    PetscInt n;
    const double *value;
    double w, p;
  } known[] = {{10, a, 0.947854, 0.643190},        {10, b, 0.920493, 0.361084},
               {11, royston, 0.788815, 0.006704},  {3, three, 0.9642857, 0.6368868},
               {4, four, 0.8946863, 0.4051475},    {5, five, 0.9030900, 0.4271990},
               {30, thirty, 0.9345617, 0.0649780}, {100, hundred, 0.8492513, 1.1128e-08}};
  /* AS R94 in double precision, computed apart from this code */
  const double double_p[] = {0.6431874671633033, 0.36108282866315, 0.006703814056502984};
  const double double_w[] = {0.9478542934219113, 0.9204927333050703, 0.7888146948353875};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(known); i++) {
    TestResult found;
    assert_int_equal(ShapiroWilk(known[i].n, known[i].value, &found), 0);
    assert_int_equal(found.n, known[i].n);
    NEAR(found.statistic, known[i].w, 1e-6);
    NEAR(found.p, known[i].p, 3e-6);
    if (i < PETSC_STATIC_ARRAY_LENGTH(double_p)) {
      NEAR(found.statistic, double_w[i], 1e-12);
      NEAR(found.p, double_p[i], 1e-12);
    }
  }
  TestResult r;
  const double same[] = {2, 2, 2};
  assert_int_equal(ShapiroWilk(3, same, &r), 0);
  assert_int_equal(r.n, 0);
  assert_int_equal(ShapiroWilk(2, a, &r), 0);
  assert_int_equal(r.n, 0);
}

static void TestPairedT(void **state)
{
  double d[10];
  TestResult r;
  PairedDifferences(10, a, b, d);
  assert_int_equal(PairedT(10, d, &r), 0);
  NEAR(r.statistic, 3.2974103493369187, 1e-9);
  NEAR(r.p, 0.009268112768401426, 1e-10);
  const double same[] = {2, 2, 2};
  assert_int_equal(PairedT(3, same, &r), 0);
  assert_true(r.n == 0 && r.p == 1);
}

/* Complication probabilities of a cohort span many powers of ten: a small one that falls has fallen, one that is the same has not. */
static void TestDifferencesOfAllSizes(void **state)
{
  const double high[] = {0.017, 3e-6, 2e-9, 5e-13, 4e-17, 1e-20, 6e-25},
               low[] = {0.011, 1e-6, 1e-9, 2e-13, 1e-17, 5e-21, 2e-25};
  double same[7], d[7];
  TestResult r;
  PairedDifferences(7, high, low, d);
  for (int i = 0; i < 7; i++) assert_true(d[i] > 0);
  assert_int_equal(WilcoxonSignedRank(7, d, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.exact && r.n == 7 && r.statistic == 0);
  NEAR(r.p, 0.015625, 1e-15); /* 2 / 2^7, the least that seven pairs can give */
  for (int i = 0; i < 7; i++) same[i] = high[i] * (1 + (i - 3) * 1e-11);
  PairedDifferences(7, same, high, d);
  for (int i = 0; i < 7; i++) assert_true(d[i] == 0);
  assert_int_equal(WilcoxonSignedRank(7, d, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.n == 0 && r.p == 1);
  const double zero[7] = {0}, least[7] = {5e-324, 0, 1e-320, 0, 0, 0, 0}; /* a ten billionth of them is nothing */
  PairedDifferences(7, zero, zero, d);
  for (int i = 0; i < 7; i++) assert_true(d[i] == 0);
  assert_int_equal(WilcoxonSignedRank(7, d, RANKS_AUTOMATIC, &r), 0);
  assert_true(r.n == 0 && r.p == 1);
  PairedDifferences(7, least, zero, d);
  for (int i = 0; i < 7; i++) assert_true(d[i] == least[i]);
}

static void TestHolm(void **state)
{
  /* by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then max(0.06, 0.04) */
  double p[] = {0.01, 0.04, 0.03, 0.005}, large[] = {0.5, 0.9};
  assert_int_equal(HolmCorrect(4, p), 0);
  NEAR(p[0], 0.03, 1e-15);
  NEAR(p[1], 0.06, 1e-15);
  NEAR(p[2], 0.06, 1e-15);
  NEAR(p[3], 0.02, 1e-15);
  assert_int_equal(HolmCorrect(2, large), 0);
  assert_true(large[0] == 1 && large[1] == 1);
}

/* Order statistics: for odd n the bootstrap median is at most x_(k) with probability P(Bin(n, k/n) >= (n + 1) / 2). */
static void TestBootstrap(void **state)
{
  double value[11], backwards[11], low, high, again_low, again_high;
  Bootstrap bootstrap;
  for (int i = 0; i < 11; i++) value[i] = backwards[10 - i] = (7 * i) % 11;
  assert_int_equal(BootstrapCreate(11, &bootstrap), 0);
  assert_int_equal(BootstrapMedian(bootstrap, value, &low, &high), 0);
  /* P(median <= 1) = 0.0072, P(median <= 2) = 0.0512: the 2.5 % point is 2, and by symmetry the other one 8 */
  assert_true(low == 2 && high == 8);
  assert_int_equal(BootstrapMedian(bootstrap, backwards, &again_low, &again_high), 0);
  assert_true(low == again_low && high == again_high);
  assert_int_equal(BootstrapDestroy(&bootstrap), 0);
  assert_int_equal(BootstrapCreate(2, &bootstrap), 0); /* means of two, of which a quarter are the least value */
  assert_int_equal(BootstrapMedian(bootstrap, a, &low, &high), 0);
  assert_true(low == 1.1 && high == 2.5);
  assert_int_equal(BootstrapDestroy(&bootstrap), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestDescribe),
      cmocka_unit_test(TestWilcoxon),
      cmocka_unit_test(TestWilcoxonLeast),
      cmocka_unit_test(TestMannWhitney),
      cmocka_unit_test(TestShapiro),
      cmocka_unit_test(TestPairedT),
      cmocka_unit_test(TestDifferencesOfAllSizes),
      cmocka_unit_test(TestHolm),
      cmocka_unit_test(TestBootstrap),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failures;
}
