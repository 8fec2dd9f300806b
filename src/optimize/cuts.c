/*
 * The best lower bound that many linear minorants of an objective give together.
 *
 * Minorants (cuts) L_k(x) = at_k + slope_k x of a convex objective bound it from below, and so does every mean of them with weights
 * alpha_k. Over the simplex {x >= 0, c x <= B} that holds the optimum, the mean is least in a corner: x = 0 or B / c_j in one spot
 * j. The weights whose least is highest are the row player's of a matrix game with the payoffs of cut k in corner j, which the
 * simplex method solves. One gradient alone hardly ever is >= 0 in all spots as closely as a proof needs; a mean of many is.
 *
 * Every rank holds the tableau's columns of its own spots and those that belong to no spot; all pivot alike.
 */
#include "solver_private.h"
#include <math.h>

static const double LEAST_REDUCED_COST = 1e-9, LEAST_PIVOT = 1e-9;

PetscErrorCode CutsCreate(const Slices *slices, Cuts *cuts)
{
  PetscFunctionBegin;
  *cuts = (Cuts){.slices = slices};
  PetscCall(PetscMalloc2(MOST_CUTS, &cuts->at, (size_t)MOST_CUTS * (size_t)slices->n_own, &cuts->slope));
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
  PetscCall(PetscArraycpy(cuts->slope + (size_t)k * (size_t)cuts->slices->n_own, slope, cuts->slices->n_own));
  PetscFunctionReturn(0);
}

/* Own spots in which some cut falls: in all others the corner is no better than x = 0. */
static PetscInt FallingSpots(const Cuts *cuts, const double *column, PetscInt *spot)
{
  const PetscInt n_own = cuts->slices->n_own;
  PetscInt n = 0;
  for (PetscInt j = 0; j < n_own; j++) {
    PetscBool falls = PETSC_FALSE;
    for (PetscInt k = 0; k < cuts->n && !falls; k++)
      falls = cuts->slope[(size_t)k * (size_t)n_own + (size_t)j] < 0 ? PETSC_TRUE : PETSC_FALSE;
    if (falls && column[j] > 0) spot[n++] = j;
  }
  return n;
}

/*
 * The tableau of: maximise sum y, payoff y <= 1, y >= 0, payoffs shifted to be positive. [cuts + 1][width]: a row per cut with a column
 * per corner (own spots, then x = 0), one slack per cut and the right-hand side; the last row holds the reduced costs.
 */
typedef struct Tableau {
  PetscInt n, n_own, width; /* cuts; corners in own spots; columns */
  MPI_Comm comm;
  PetscMPIInt rank;
  double *entry, *entering; /* [n + 1][width], [n + 1] the column that enters */
} Tableau;

static inline double *Row(const Tableau *t, PetscInt k)
{
  return t->entry + (size_t)k * (size_t)t->width;
}

static PetscErrorCode FillTableau(const Cuts *cuts, const double *column, double limit, const PetscInt *spot,
                                  Tableau *t)
{
  PetscFunctionBegin;
  const PetscInt n_corner = t->n_own + 1;
  double least = INFINITY, most = -INFINITY;
  for (PetscInt k = 0; k < t->n; k++) {
    const double *slope = cuts->slope + (size_t)k * (size_t)cuts->slices->n_own;
    double *row = Row(t, k);
    for (PetscInt c = 0; c < t->n_own; c++) row[c] = cuts->at[k] + slope[spot[c]] * limit / column[spot[c]];
    row[t->n_own] = cuts->at[k];
    for (PetscInt c = 0; c < n_corner; c++) least = PetscMin(least, row[c]);
    most = PetscMax(most, cuts->at[k]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, t->comm));
  const double shift = PetscMax(most - least, PETSC_SMALL) - least;
  for (PetscInt k = 0; k <= t->n; k++) {
    double *row = Row(t, k);
    for (PetscInt c = 0; c < n_corner; c++) row[c] = k < t->n ? row[c] + shift : 1;
    for (PetscInt c = n_corner; c < t->width; c++) row[c] = c - n_corner == k && k < t->n ? 1 : 0;
    row[t->width - 1] = k < t->n ? 1 : 0;
  }
  PetscFunctionReturn(0);
}

/* The place of the largest of some reduced costs, the first of equal ones. */
static PetscInt LargestCost(const double *cost, PetscInt begin, PetscInt end)
{
  PetscInt best = begin;
  for (PetscInt c = begin; c < end; c++)
    if (cost[c] > cost[best]) best = c;
  return best;
}

/* The column that gains most becomes `entering` on all ranks: x = 0 before the spots in their order, these before slacks. */
static PetscErrorCode ChooseColumn(Tableau *t, PetscBool *found)
{
  PetscFunctionBegin;
  const double *cost = Row(t, t->n);
  const PetscInt own = LargestCost(cost, 0, t->n_own), slack = LargestCost(cost, t->n_own, t->width - 1);
  struct {
    double cost;
    int rank;
  } best = {t->n_own ? cost[own] : -INFINITY, t->rank};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, t->comm));
  const PetscBool of_spot = best.cost > cost[t->n_own] && best.cost >= cost[slack] ? PETSC_TRUE : PETSC_FALSE;
  const PetscInt column = of_spot ? own : slack;
  *found = (of_spot ? best.cost : cost[slack]) > LEAST_REDUCED_COST ? PETSC_TRUE : PETSC_FALSE;
  if (!*found) PetscFunctionReturn(0);
  for (PetscInt k = 0; k <= t->n && (!of_spot || best.rank == t->rank); k++) t->entering[k] = Row(t, k)[column];
  if (of_spot)
    PetscCallMPI(MPI_Bcast(t->entering, (PetscMPIInt)(t->n + 1), MPI_DOUBLE, (PetscMPIInt)best.rank, t->comm));
  PetscFunctionReturn(0);
}

/* The row that ends the growth of the entering column; false: none does. */
static PetscBool ChooseRow(const Tableau *t, PetscInt *row)
{
  double least = INFINITY;
  for (PetscInt k = 0; k < t->n; k++) {
    const double right = Row(t, k)[t->width - 1];
    if (t->entering[k] > LEAST_PIVOT && right / t->entering[k] < least) {
      least = right / t->entering[k];
      *row = k;
    }
  }
  return isfinite(least) ? PETSC_TRUE : PETSC_FALSE;
}

static void Pivot(const Tableau *t, PetscInt row)
{
  double *from = Row(t, row);
  const double inverse = 1 / t->entering[row];
  for (PetscInt c = 0; c < t->width; c++) from[c] *= inverse;
  for (PetscInt k = 0; k <= t->n; k++) {
    double *to = Row(t, k);
    const double factor = t->entering[k];
    if (k == row || factor == 0) continue;
    for (PetscInt c = 0; c < t->width; c++) to[c] -= factor * from[c];
  }
}

/* The weights of the cuts, from what the slacks cost; whatever rounding did to them, they are >= 0 and their sum is 1. */
static PetscBool TakeWeights(const Tableau *t, double *weight)
{
  const double *cost = Row(t, t->n) + t->width - 1 - t->n;
  double sum = 0;
  for (PetscInt k = 0; k < t->n; k++) sum += weight[k] = PetscMax(0, -cost[k]);
  for (PetscInt k = 0; k < t->n; k++) weight[k] /= sum;
  return sum > 0 && isfinite(sum) ? PETSC_TRUE : PETSC_FALSE;
}

/* Weights of the cuts whose mean is least in no corner lower than need be. */
static PetscErrorCode SolveGame(const Cuts *cuts, const double *column, double limit, double *weight, PetscBool *found)
{
  PetscFunctionBegin;
  PetscInt *spot, row, left = 20 * MOST_CUTS;
  Tableau t = {.n = cuts->n, .comm = cuts->slices->comm, .rank = cuts->slices->rank};
  PetscCall(PetscMalloc1(cuts->slices->n_own, &spot));
  t.n_own = FallingSpots(cuts, column, spot);
  t.width = t.n_own + 1 + t.n + 1;
  PetscCall(PetscMalloc2((size_t)(t.n + 1) * (size_t)t.width, &t.entry, t.n + 1, &t.entering));
  PetscCall(FillTableau(cuts, column, limit, spot, &t));
  while (left-- > 0) {
    PetscCall(ChooseColumn(&t, found));
    if (!*found || !ChooseRow(&t, &row)) break;
    Pivot(&t, row);
  }
  *found = TakeWeights(&t, weight);
  PetscCall(PetscFree2(t.entry, t.entering));
  PetscCall(PetscFree(spot));
  PetscFunctionReturn(0);
}

PetscErrorCode CutsCombine(const Cuts *cuts, const double *column, double limit, double *at, double *slope,
                           PetscBool *found)
{
  PetscFunctionBegin;
  const PetscInt n_own = cuts->slices->n_own;
  double weight[MOST_CUTS];
  *found = PETSC_FALSE;
  if (!cuts->n) PetscFunctionReturn(0);
  PetscCall(SolveGame(cuts, column, limit, weight, found));
  *at = 0;
  PetscCall(PetscArrayzero(slope, n_own));
  for (PetscInt k = 0; k < cuts->n && *found; k++) {
    *at += weight[k] * cuts->at[k];
    for (PetscInt j = 0; j < n_own && weight[k] > 0; j++)
      slope[j] += weight[k] * cuts->slope[(size_t)k * (size_t)n_own + (size_t)j];
  }
  PetscFunctionReturn(0);
}
