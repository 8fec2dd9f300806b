/* Shapiro and Wilk's test of normality as Royston approximates it (AS R94). */
#include "robion/statistics.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_poly.h>
#include <math.h>

enum { SMALLEST = 3, LARGEST = 5000 };

#define POLY(coefficients, x) gsl_poly_eval(coefficients, (int)PETSC_STATIC_ARRAY_LENGTH(coefficients), x)

/* Weights of the upper half of the order statistics, largest first; those of the lower half are their negatives. */
static void Weights(PetscInt n, double *weight)
{
  static const double largest[] = {0, 0.221157, -0.147981, -2.071190, 4.434685, -2.706056};
  static const double second[] = {0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633};
  const PetscInt half = n / 2, corrected = n > 5 ? 2 : 1;
  const double u = 1 / sqrt((double)n);
  double sum = 0, used = 0, share = 0;
  if (n == 3) {
    weight[0] = sqrt(0.5);
    return;
  }
  for (PetscInt i = 0; i < half; i++) { /* expected normal order statistics (Blom) */
    weight[i] = -gsl_cdf_ugaussian_Pinv(((double)i + 1 - 0.375) / ((double)n + 0.25));
    sum += 2 * weight[i] * weight[i];
  }
  const double exact[2] = {weight[0] / sqrt(sum) + POLY(largest, u),
                           weight[PetscMin(1, half - 1)] / sqrt(sum) + POLY(second, u)};
  for (PetscInt i = 0; i < corrected; i++) {
    used += 2 * weight[i] * weight[i];
    share += 2 * exact[i] * exact[i];
    weight[i] = exact[i];
  }
  const double scale = sqrt((sum - used) / (1 - share));
  for (PetscInt i = corrected; i < half; i++) weight[i] /= scale;
}

/* 1 - W, as the sum of squares that a line through the weights leaves: W near 1 keeps its digits. */
static double OneMinusW(PetscInt n, const double *sorted, const double *weight)
{
  const double range = sorted[n - 1] - sorted[0];
  double mean = 0, aa = 0, ax = 0, xx = 0;
  for (PetscInt i = 0; i < n; i++) mean += (sorted[i] - sorted[0]) / range / (double)n;
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt mirror = n - 1 - i;
    const double a = i == mirror ? 0 : i < mirror ? -weight[i] : weight[mirror];
    const double x = (sorted[i] - sorted[0]) / range - mean;
    aa += a * a;
    ax += a * x;
    xx += x * x;
  }
  const double root = sqrt(aa * xx);
  return (root - ax) * (root + ax) / (aa * xx);
}

static double ProbabilityOf(PetscInt n, double one_minus_w)
{
  static const double limit[] = {-2.273, 0.459};
  static const double mean_small[] = {0.5440, -0.39978, 0.025054, -6.714e-4};
  static const double sd_small[] = {1.3822, -0.77857, 0.062767, -0.0020322};
  static const double mean_large[] = {-1.5861, -0.31082, -0.083751, 0.0038915};
  static const double sd_large[] = {-0.4803, -0.082676, 0.0030302};
  const double size = (double)n, y = log(one_minus_w);
  if (n == 3) return PetscMax(0.0, 6 / M_PI * (asin(sqrt(1 - one_minus_w)) - asin(sqrt(0.75))));
  if (n > 11) return gsl_cdf_ugaussian_Q((y - POLY(mean_large, log(size))) / exp(POLY(sd_large, log(size))));
  const double gamma = POLY(limit, size);
  if (y >= gamma) return 0; /* W below the least value it can have */
  return gsl_cdf_ugaussian_Q((-log(gamma - y) - POLY(mean_small, size)) / exp(POLY(sd_small, size)));
}

PetscErrorCode ShapiroWilk(PetscInt n, const double *value, TestResult *out)
{
  PetscFunctionBegin;
  double *sorted, *weight;
  *out = (TestResult){.p = 1};
  if (n < SMALLEST || n > LARGEST) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(n, &sorted, n / 2, &weight));
  PetscCall(PetscArraycpy(sorted, value, n));
  PetscCall(PetscSortReal(n, sorted));
  if (sorted[0] < sorted[n - 1]) {
    Weights(n, weight);
    const double rest = PetscMax(OneMinusW(n, sorted, weight), PETSC_SMALL * PETSC_SMALL);
    out->n = n;
    out->statistic = 1 - rest;
    out->p = ProbabilityOf(n, rest);
  }
  PetscCall(PetscFree2(sorted, weight));
  PetscFunctionReturn(0);
}
