/*
 * Cubic splines over depth, on knots of any spacing, fitted to functions by least squares.
 *
 * A spline has n coefficients; between knots k and k + 1 of the n - 2 places in `knot_mm` it is the sum of coefficients
 * k ... k + 3 times B-splines, which are nowhere negative and add up to 1. The end knots count four times (de Boor, A Practical
 * Guide to Splines, 1978, chapters IX and XIV).
 */
#pragma once
#include "influence_private.h"

/* Four numbers side by side: the channels of a voxel, neighbouring modes, or neighbouring weights. */
typedef double Four __attribute__((vector_size(32), aligned(8)));
enum { FOUR = 4 };

typedef struct DepthSpline {
  PetscInt n;      /* coefficients, at least 4 */
  double *knot_mm; /* [n - 2], from the first depth to the last */
  Four *
      weight; /* [n - 3][4] powers 3, 2, 1, 0 of the distance from the interval's first knot, of the four B-splines over it */
  PetscInt n_bin;
  int32_t *bin; /* the interval of depth knot_mm[0] + bin * BIN_MM */
  /* Points where functions are fitted, SPLINE_SAMPLES in every interval, and the factor of the fit's equations. */
  double *sample_mm;
  double *cholesky; /* [n][4] the diagonal's reciprocal, then the next three of the column */
} DepthSpline;

enum { SPLINE_SAMPLES = 6 };

/* Take over n_knot >= 2 ascending depths; the caller's array is copied. Not collective. */
PetscErrorCode DepthSplineCreate(PetscInt n_knot, const double *knot_mm, DepthSpline *spline);
PetscErrorCode DepthSplineDestroy(DepthSpline *spline);

/* Coefficients [n] of the spline closest to a function of values value[SPLINE_SAMPLES * (n - 3)] at sample_mm. */
void DepthSplineFit(const DepthSpline *spline, const double *value, double *coefficient);

/* Depths between which B-spline i is not 0. */
void DepthSplineSupport(const DepthSpline *spline, PetscInt i, double *first_mm, double *last_mm);

/*
 * How a spline becomes one on more knots, all of its own among them: its coefficient i there is the sum of factor[i][k] times
 * coefficient first[i] + k here, k = 0 ... 3 (Ramshaw, Comput Aided Geom Des 6:323, 1989). Arrays of fine->n.
 */
void DepthSplineRefinement(const DepthSpline *coarse, const DepthSpline *fine, int32_t *first, Four *factor);

/* A symmetric positive matrix of bandwidth 3, [n][4] the diagonal and the next three of each column: its Cholesky factor in its
 * place, with reciprocal diagonal, and the solution in the place of a right-hand side. */
void BandFactor(PetscInt n, double *matrix);
void BandSolve(PetscInt n, const double *factor, double *x);

/* The first of the four coefficients at a depth between the first and the last knot, and their weights. */
static inline PetscInt DepthSplineWeights(const DepthSpline *spline, double z_mm, Four *weight)
{
  PetscInt i = spline->bin[(PetscInt)((z_mm - spline->knot_mm[0]) / BIN_MM)];
  while (i + 4 < spline->n && spline->knot_mm[i + 1] <= z_mm) i++;
  const double t = z_mm - spline->knot_mm[i];
  const Four *power = spline->weight + 4 * i;
  *weight = ((power[0] * t + power[1]) * t + power[2]) * t + power[3];
  return i;
}
