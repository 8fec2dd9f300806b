/* Cubic splines over depth: their B-splines as polynomials, and fits of functions. */
#include "depth_spline.h"
#include <math.h>

enum { ORDER = 4 };

/* Knot i of the n + 4 with the end ones counted four times. */
static inline double Knot(const DepthSpline *s, PetscInt i)
{
  return s->knot_mm[PetscClipInterval(i - (ORDER - 1), 0, s->n - ORDER + 1)];
}

/* Polynomials of the four B-splines over interval k, by the recurrence of de Boor and Cox on their powers. */
static void IntervalPolynomials(const DepthSpline *s, PetscInt k, Four power[ORDER])
{
  const PetscInt at = k + ORDER - 1; /* the interval's first knot */
  const double origin = Knot(s, at);
  double old[ORDER][ORDER] = {{1}}, new[ORDER][ORDER]; /* [B-spline][power] */
  for (int order = 2; order <= ORDER; order++) {
    for (int i = 0; i < order; i++)
      for (int p = 0; p < ORDER; p++) new[i][p] = 0;
    for (int i = 0; i + 1 < order; i++) {
      const double low = Knot(s, at + i + 2 - order), high = Knot(s, at + i + 1), rate = 1 / (high - low);
      for (int p = 0; p < order; p++) {
        const double here = old[i][p] * rate, below = p ? old[i][p - 1] * rate : 0;
        new[i][p] += here *(high - origin) - below;
        new[i + 1][p] += below - here *(low - origin);
      }
    }
    for (int i = 0; i < order; i++)
      for (int p = 0; p < ORDER; p++) old[i][p] = new[i][p];
  }
  for (int p = 0; p < ORDER; p++)
    for (int i = 0; i < ORDER; i++) power[p][i] = old[i][ORDER - 1 - p];
}

/* Sum of the products of B-splines over the samples, weighted by the intervals' lengths, and its banded Cholesky factor. */
static void FactorNormalEquations(DepthSpline *s)
{
  for (PetscInt j = 0; j < (s->n - ORDER + 1) * SPLINE_SAMPLES; j++) {
    const PetscInt k = j / SPLINE_SAMPLES;
    Four w;
    const PetscInt first = DepthSplineWeights(s, s->sample_mm[j], &w);
    for (int a = 0; a < ORDER; a++)
      for (int b = a; b < ORDER; b++)
        s->cholesky[(first + a) * ORDER + b - a] += w[a] * w[b] * (s->knot_mm[k + 1] - s->knot_mm[k]);
  }
  for (PetscInt i = 0; i < s->n; i++) {
    double *column = s->cholesky + i * ORDER;
    column[0] = 1 / sqrt(column[0]);
    for (int a = 1; a < ORDER; a++) column[a] *= column[0];
    for (int a = 1; a < ORDER && i + a < s->n; a++)
      for (int b = a; b < ORDER && i + b < s->n; b++) s->cholesky[(i + a) * ORDER + b - a] -= column[a] * column[b];
  }
}

PetscErrorCode DepthSplineCreate(PetscInt n_knot, const double *knot_mm, DepthSpline *s)
{
  PetscFunctionBegin;
  const PetscInt n_interval = n_knot - 1;
  PetscCheck(n_knot >= 2, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d knots, expected at least 2", (int)n_knot);
  s->n = n_interval + ORDER - 1;
  s->n_bin = (PetscInt)((knot_mm[n_interval] - knot_mm[0]) / BIN_MM) + 1;
  PetscCall(PetscMalloc4(n_knot, &s->knot_mm, ORDER * n_interval, &s->weight, s->n_bin, &s->bin,
                         n_interval * SPLINE_SAMPLES, &s->sample_mm));
  PetscCall(PetscCalloc1(s->n * ORDER, &s->cholesky));
  PetscCall(PetscArraycpy(s->knot_mm, knot_mm, n_knot));
  for (PetscInt k = 0; k < n_interval; k++) {
    const double length = knot_mm[k + 1] - knot_mm[k];
    PetscCheck(length > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "knots at %g and %g mm, expected ascending ones",
               knot_mm[k], knot_mm[k + 1]);
    IntervalPolynomials(s, k, s->weight + ORDER * k);
    for (int j = 0; j < SPLINE_SAMPLES; j++)
      s->sample_mm[k * SPLINE_SAMPLES + j] = knot_mm[k] + length * (j + 0.5) / SPLINE_SAMPLES;
  }
  for (PetscInt bin = 0, k = 0; bin < s->n_bin; bin++) {
    while (k + 1 < n_interval && knot_mm[k + 1] <= knot_mm[0] + bin * BIN_MM) k++;
    s->bin[bin] = k;
  }
  FactorNormalEquations(s);
  PetscFunctionReturn(0);
}

void DepthSplineFit(const DepthSpline *s, const double *value, double *coefficient)
{
  for (PetscInt i = 0; i < s->n; i++) coefficient[i] = 0;
  for (PetscInt j = 0; j < (s->n - ORDER + 1) * SPLINE_SAMPLES; j++) {
    const PetscInt k = j / SPLINE_SAMPLES;
    Four w;
    const PetscInt first = DepthSplineWeights(s, s->sample_mm[j], &w);
    const double part = value[j] * (s->knot_mm[k + 1] - s->knot_mm[k]);
    for (int a = 0; a < ORDER; a++) coefficient[first + a] += w[a] * part;
  }
  for (PetscInt i = 0; i < s->n; i++) {
    const double *column = s->cholesky + i * ORDER;
    coefficient[i] *= column[0];
    for (int a = 1; a < ORDER && i + a < s->n; a++) coefficient[i + a] -= column[a] * coefficient[i];
  }
  for (PetscInt i = s->n - 1; i >= 0; i--) {
    const double *column = s->cholesky + i * ORDER;
    for (int a = 1; a < ORDER && i + a < s->n; a++) coefficient[i] -= column[a] * coefficient[i + a];
    coefficient[i] *= column[0];
  }
}

PetscErrorCode DepthSplineDestroy(DepthSpline *s)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(s->knot_mm, s->weight, s->bin, s->sample_mm));
  PetscCall(PetscFree(s->cholesky));
  PetscFunctionReturn(0);
}
