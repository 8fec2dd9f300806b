/*
 * The best lower bound that many linear minorants of an objective give together.
 *
 * Minorants (cuts) L_k(x) = at_k + slope_k x of a convex objective bound it from below, and so does every mean of them with weights
 * alpha_k. Over the simplex {x >= 0, c x <= B} that holds the optimum, the mean is least in a corner: x = 0 or B / c_j in one spot
 * j. The weights whose least is highest are the row player's of a matrix game with the payoffs of cut k in corner j, which the
 * simplex method solves. One gradient alone hardly ever is >= 0 in all spots as closely as a proof needs; a mean of many is.
 */
#include "solver_private.h"
#include <math.h>

static const double LEAST_REDUCED_COST = 1e-9, LEAST_PIVOT = 1e-9;

PetscErrorCode CutsCreate(PetscInt n_spot, Cuts *cuts)
{
  PetscFunctionBegin;
  *cuts = (Cuts){.n_spot = n_spot};
  PetscCall(PetscMalloc2(MOST_CUTS, &cuts->at, (size_t)MOST_CUTS * (size_t)n_spot, &cuts->slope));
  PetscFunctionReturn(0);
}

PetscErrorCode CutsDestroy(Cuts *cuts)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(cuts->at, cuts->slope));
  PetscFunctionReturn(0);
}

PetscErrorCode CutsAdd(Cuts *cuts, double at, const double *slope)
{
  PetscFunctionBegin;
  const PetscInt k = cuts->n_seen++ % MOST_CUTS;
  cuts->n = PetscMin(cuts->n + 1, MOST_CUTS);
  cuts->at[k] = at;
  PetscCall(PetscArraycpy(cuts->slope + (size_t)k * (size_t)cuts->n_spot, slope, cuts->n_spot));
  PetscFunctionReturn(0);
}

/* Spots in which some cut falls: in all others the corner is no better than x = 0. */
static PetscInt FallingSpots(const Cuts *cuts, const double *column, PetscInt *spot)
{
  PetscInt n = 0;
  for (PetscInt j = 0; j < cuts->n_spot; j++) {
    PetscBool falls = PETSC_FALSE;
    for (PetscInt k = 0; k < cuts->n && !falls; k++)
      falls = cuts->slope[(size_t)k * (size_t)cuts->n_spot + (size_t)j] < 0 ? PETSC_TRUE : PETSC_FALSE;
    if (falls && column[j] > 0) spot[n++] = j;
  }
  return n;
}

/*
 * The tableau of: maximise sum y, payoff y <= 1, y >= 0, payoffs shifted to be positive: [cuts + 1][width], a row per cut with a
 * column per corner, one slack per cut and the right-hand side; the last row holds the reduced costs.
 */
static void FillTableau(const Cuts *cuts, const double *column, double limit, PetscInt n_corner, const PetscInt *spot,
                        PetscInt width, double *tableau)
{
  const PetscInt n = cuts->n;
  double least = INFINITY, most = -INFINITY;
  for (PetscInt k = 0; k < n; k++) {
    double *row = tableau + (size_t)k * (size_t)width;
    const double *slope = cuts->slope + (size_t)k * (size_t)cuts->n_spot;
    row[0] = cuts->at[k];
    for (PetscInt c = 1; c < n_corner; c++) row[c] = cuts->at[k] + slope[spot[c - 1]] * limit / column[spot[c - 1]];
    for (PetscInt c = 0; c < n_corner; c++) least = PetscMin(least, row[c]);
    most = PetscMax(most, cuts->at[k]);
  }
  const double shift = PetscMax(most - least, PETSC_SMALL) - least;
  for (PetscInt k = 0; k <= n; k++) {
    double *row = tableau + (size_t)k * (size_t)width;
    for (PetscInt c = 0; c < n_corner; c++) row[c] = k < n ? row[c] + shift : 1;
    for (PetscInt c = n_corner; c < width; c++) row[c] = c - n_corner == k && k < n ? 1 : 0;
    row[width - 1] = k < n ? 1 : 0;
  }
}

/* The column that gains most, and the row that ends its growth; false at the optimum. */
static PetscBool ChoosePivot(PetscInt n, PetscInt width, const double *tableau, PetscInt *row, PetscInt *column)
{
  const double *cost = tableau + (size_t)n * (size_t)width;
  double least = INFINITY;
  *column = 0;
  for (PetscInt c = 1; c < width - 1; c++)
    if (cost[c] > cost[*column]) *column = c;
  if (!(cost[*column] > LEAST_REDUCED_COST)) return PETSC_FALSE;
  for (PetscInt k = 0; k < n; k++) {
    const double *at = tableau + (size_t)k * (size_t)width;
    if (at[*column] > LEAST_PIVOT && at[width - 1] / at[*column] < least) {
      least = at[width - 1] / at[*column];
      *row = k;
    }
  }
  return isfinite(least) ? PETSC_TRUE : PETSC_FALSE;
}

static void Pivot(PetscInt n, PetscInt width, double *tableau, PetscInt row, PetscInt column)
{
  double *from = tableau + (size_t)row * (size_t)width;
  const double inverse = 1 / from[column];
  for (PetscInt c = 0; c < width; c++) from[c] *= inverse;
  for (PetscInt k = 0; k <= n; k++) {
    double *to = tableau + (size_t)k * (size_t)width;
    const double factor = to[column];
    if (k == row || factor == 0) continue;
    for (PetscInt c = 0; c < width; c++) to[c] -= factor * from[c];
  }
}

/* The weights of the cuts, from what the slacks cost; whatever rounding did to them, they are >= 0 and their sum is 1. */
static PetscBool TakeWeights(PetscInt n, PetscInt width, const double *tableau, double *weight)
{
  const double *cost = tableau + (size_t)n * (size_t)width + width - 1 - n;
  double sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += weight[k] = PetscMax(0, -cost[k]);
  for (PetscInt k = 0; k < n; k++) weight[k] /= sum;
  return sum > 0 && isfinite(sum) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode CutsCombine(const Cuts *cuts, const double *column, double limit, double *at, double *slope,
                           PetscBool *found)
{
  PetscFunctionBegin;
  PetscInt *spot, row, entering, left = 20 * MOST_CUTS;
  double *tableau, weight[MOST_CUTS];
  *found = PETSC_FALSE;
  if (!cuts->n) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(cuts->n_spot, &spot));
  const PetscInt n_corner = 1 + FallingSpots(cuts, column, spot), width = n_corner + cuts->n + 1;
  PetscCall(PetscMalloc1((size_t)(cuts->n + 1) * (size_t)width, &tableau));
  FillTableau(cuts, column, limit, n_corner, spot, width, tableau);
  while (left-- > 0 && ChoosePivot(cuts->n, width, tableau, &row, &entering))
    Pivot(cuts->n, width, tableau, row, entering);
  *found = TakeWeights(cuts->n, width, tableau, weight);
  *at = 0;
  PetscCall(PetscArrayzero(slope, cuts->n_spot));
  for (PetscInt k = 0; k < cuts->n && *found; k++) {
    *at += weight[k] * cuts->at[k];
    for (PetscInt j = 0; j < cuts->n_spot && weight[k] > 0; j++)
      slope[j] += weight[k] * cuts->slope[(size_t)k * (size_t)cuts->n_spot + (size_t)j];
  }
  PetscCall(PetscFree(tableau));
  PetscCall(PetscFree(spot));
  PetscFunctionReturn(0);
}
