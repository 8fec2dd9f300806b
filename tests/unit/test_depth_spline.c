/* Splines over depth: what B-splines are, what a fit reproduces, and the same spline on more knots.  ranks: 1 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../src/influence/depth_spline.h"
#include <math.h>

enum { N_KNOT = 33, MOST = N_KNOT + 2 };

/* Knots from 0 to 60 mm, dense around 40; the coarse ones are every fourth, at least. */
static PetscInt MakeKnots(PetscInt every, double *knot_mm)
{
  PetscInt n = 0;
  for (PetscInt i = 0; i < N_KNOT; i += every) {
    const double t = (double)i / (N_KNOT - 1) - 0.6;
    knot_mm[n++] = 60 * (0.3 * t + t * t * t + 0.396) / 0.64;
  }
  knot_mm[0] = 0;
  knot_mm[n - 1] = 60;
  return n;
}

static void Create(PetscInt every, DepthSpline *spline)
{
  double knot_mm[N_KNOT];
  const PetscInt n = MakeKnots(every, knot_mm);
  assert_int_equal(DepthSplineCreate(n, knot_mm, spline), 0);
  assert_int_equal(spline->n, n + 2);
}

static double Value(const DepthSpline *spline, const double *coefficient, double z_mm)
{
  Four w;
  const PetscInt i = DepthSplineWeights(spline, z_mm, &w);
  double sum = 0;
  for (int k = 0; k < 4; k++) sum += w[k] * coefficient[i + k];
  return sum;
}

/* Fit a function; the largest difference anywhere. */
static double FitError(const DepthSpline *spline, double (*function)(double))
{
  double value[SPLINE_SAMPLES * N_KNOT], coefficient[MOST], worst = 0;
  for (PetscInt j = 0; j < SPLINE_SAMPLES * (spline->n - 3); j++) value[j] = function(spline->sample_mm[j]);
  DepthSplineFit(spline, value, coefficient);
  for (double z = 0; z <= 60; z += 0.03125) worst = PetscMax(worst, fabs(Value(spline, coefficient, z) - function(z)));
  return worst;
}

static double Cubic(double z)
{
  return 1 - 0.3 * z + 0.02 * z * z - 2e-4 * z * z * z;
}

static double Peak(double z)
{
  return exp(-0.5 * (z - 36) * (z - 36) / 9);
}

static void WeightsAddUpToOne(void **state)
{
  (void)state;
  DepthSpline spline;
  Create(1, &spline);
  for (double z = 0; z <= 60; z += 0.0625) {
    Four w;
    double sum = 0, low_mm, high_mm;
    const PetscInt first = DepthSplineWeights(&spline, z, &w);
    for (int k = 0; k < 4; k++) {
      DepthSplineSupport(&spline, first + k, &low_mm, &high_mm);
      assert_true(w[k] >= -1e-15 && z >= low_mm && z <= high_mm);
      sum += w[k];
    }
    assert_true(fabs(sum - 1) < 1e-14);
  }
  assert_int_equal(DepthSplineDestroy(&spline), 0);
}

/* Cubic polynomials come back as they were; of a smooth peak half the step leaves a tenth of the error. */
static void Fits(void **state)
{
  (void)state;
  DepthSpline fine, coarse;
  Create(1, &fine);
  Create(2, &coarse);
  const double of_cubic = FitError(&fine, Cubic), of_peak = FitError(&fine, Peak), before = FitError(&coarse, Peak);
  print_message("cubic %.1e; peak %.1e, on every second knot %.1e\n", of_cubic, of_peak, before);
  assert_true(of_cubic < 1e-12);
  assert_true(of_peak < 2e-3 && of_peak < 0.1 * before);
  assert_int_equal(DepthSplineDestroy(&fine) || DepthSplineDestroy(&coarse), 0);
}

/* Every fourth knot only, then all of them: the same values everywhere. */
static void RefinesExactly(void **state)
{
  (void)state;
  DepthSpline fine, coarse;
  int32_t first[MOST];
  Four factor[MOST];
  double c[MOST], refined[MOST], worst = 0;
  Create(1, &fine);
  Create(4, &coarse);
  DepthSplineRefinement(&coarse, &fine, first, factor);
  for (PetscInt j = 0; j < coarse.n; j++) c[j] = sin(3.0 * j);
  for (PetscInt i = 0; i < fine.n; i++) {
    assert_true(first[i] >= 0 && first[i] + 4 <= coarse.n);
    refined[i] = 0;
    for (int k = 0; k < 4; k++) refined[i] += factor[i][k] * c[first[i] + k];
  }
  for (double z = 0; z <= 60; z += 0.0625)
    worst = PetscMax(worst, fabs(Value(&fine, refined, z) - Value(&coarse, c, z)));
  print_message("refined: largest difference %.1e\n", worst);
  assert_true(worst < 1e-13);
  assert_int_equal(DepthSplineDestroy(&fine) || DepthSplineDestroy(&coarse), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(WeightsAddUpToOne), cmocka_unit_test(Fits),
                                     cmocka_unit_test(RefinesExactly)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
