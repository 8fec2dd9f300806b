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

void BandFactor(PetscInt n, double *matrix)
{
  for (PetscInt i = 0; i < n; i++) {
    double *column = matrix + i * ORDER;
    column[0] = 1 / sqrt(column[0]);
    for (int a = 1; a < ORDER; a++) column[a] *= column[0];
    for (int a = 1; a < ORDER && i + a < n; a++)
      for (int b = a; b < ORDER && i + b < n; b++) matrix[(i + a) * ORDER + b - a] -= column[a] * column[b];
  }
}

void BandSolve(PetscInt n, const double *factor, double *x)
{
  for (PetscInt i = 0; i < n; i++) {
    const double *column = factor + i * ORDER;
    x[i] *= column[0];
    for (int a = 1; a < ORDER && i + a < n; a++) x[i + a] -= column[a] * x[i];
  }
  for (PetscInt i = n - 1; i >= 0; i--) {
    const double *column = factor + i * ORDER;
    for (int a = 1; a < ORDER && i + a < n; a++) x[i] -= column[a] * x[i + a];
    x[i] *= column[0];
  }
}

/* Sum of the products of B-splines over the samples, weighted by the intervals' lengths, factored. */
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
  BandFactor(s->n, s->cholesky);
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
  BandSolve(s->n, s->cholesky, coefficient);
}

void DepthSplineSupport(const DepthSpline *s, PetscInt i, double *first_mm, double *last_mm)
{
  *first_mm = Knot(s, i);
  *last_mm = Knot(s, i + ORDER);
}

/* What a coarse spline is between two knots, polarised at the three knots that belong to the fine coefficient. */
static Four Blossom(const DepthSpline *coarse, PetscInt interval, const double x[ORDER - 1])
{
  Four d[ORDER] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
  for (int r = 1; r < ORDER; r++)
    for (int a = ORDER - 1; a >= r; a--) {
      const double low = Knot(coarse, interval + a), high = Knot(coarse, interval + a + ORDER - r);
      const double part = (x[r - 1] - low) / (high - low);
      d[a] = (1 - part) * d[a - 1] + part * d[a];
    }
  return d[ORDER - 1];
}

void DepthSplineRefinement(const DepthSpline *coarse, const DepthSpline *fine, int32_t *first, Four *factor)
{
  for (PetscInt i = 0; i < fine->n; i++) {
    const PetscInt k = PetscClipInterval(i - 1, 0, fine->n - ORDER); /* an interval that the coefficient is for */
    Four unused;
    first[i] = DepthSplineWeights(coarse, 0.5 * (fine->knot_mm[k] + fine->knot_mm[k + 1]), &unused);
    factor[i] = Blossom(coarse, first[i], (double[]){Knot(fine, i + 1), Knot(fine, i + 2), Knot(fine, i + 3)});
  }
}

PetscErrorCode DepthSplineDestroy(DepthSpline *s)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(s->knot_mm, s->weight, s->bin, s->sample_mm));
  PetscCall(PetscFree(s->cholesky));
  PetscFunctionReturn(0);
}
