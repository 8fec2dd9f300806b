/*
 * A lower bound of the objective over all weights, by convexity.
 *
 * Let L be convex and nowhere above the objective: the sum of the scenarios' values with weights that a worst case might choose.
 * Then L(x) >= L(y) + g (x - y) for all x, g the gradient at y. At the optimum the mean quantity m of a term that penalises
 * excess over its goal keeps w (m - goal)^2 <= F, where F is the objective of any plan known (Jensen's inequality: the mean
 * of squares is at least the square of the mean). With the term's column c, m = c x for physical dose, this is
 * c x <= B = goal + sqrt(F / w), so the optimum lies in a simplex on which g x is at least B min(0, min_j g_j / c_j). The
 * certificate's minimisation keeps many such L, whose best mean bounds more closely than any of them (cuts.c).
 */
#include "solver_private.h"
#include <math.h>

enum { MOST_COLUMNS = 4 };

/* Terms whose value is at least the squared excess of their mean over the goal. */
static PetscBool Limits(const Term *term)
{
  return !term->hard && (term->type == &objective_uniform || term->type == &objective_overdose) &&
                 !term->goal_of_voxel && QuantityAddsUp(term->quantity) && term->weight > 0
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* The scenario row that surely counts in a term, and the least weight it has there. */
static void CountedRow(const ScenarioSet *set, const Term *term, PetscInt *row, double *weight)
{
  *row = 0;
  *weight = 1;
  if (term->mode != ROBUST_EXPECTED && term->mode != ROBUST_CVAR && term->mode != ROBUST_PROBABILISTIC &&
      term->mode != ROBUST_PERCENTILE)
    return;
  for (PetscInt s = 0; s < set->n; s++)
    if (set->scenario[s].weight > set->scenario[*row].weight) *row = s;
  *weight = set->scenario[*row].weight;
}

/* Convex in the weights: a convex function of a dose that is linear in them, combined by means and maxima. */
static PetscBool IsConvex(const Term *term)
{
  return term->type->convex && quantities[term->quantity].linear && !term->hard && term->mode != ROBUST_PROBABILISTIC
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscErrorCode BoundCreate(const SolveSpec *spec, Problem problem, const Slices *slices, const double *weight,
                           Bound *bound, double *coupling)
{
  PetscFunctionBegin;
  const PetscInt n = slices->n_own;
  double *all;
  const ProblemSpec *terms = spec->terms;
  const PetscBool other = terms->course || terms->spot_cost || terms->field_gradient ? PETSC_TRUE : PETSC_FALSE;
  *bound = (Bound){.slices = slices, .lower = -INFINITY, .rigorous = other ? PETSC_FALSE : PETSC_TRUE};
  PetscCall(PetscMalloc3((size_t)MOST_COLUMNS * (size_t)n, &bound->column, MOST_COLUMNS, &bound->goal, MOST_COLUMNS,
                         &bound->value));
  PetscCall(PetscArrayzero(coupling, n));
  PetscCall(PetscMalloc1(slices->n, &all));
  for (PetscInt t = 0; t < terms->n_term; t++) {
    const Term *term = &terms->term[t];
    double *column = bound->column + (size_t)bound->n * (size_t)n, chance;
    PetscInt row;
    if (!IsConvex(term)) bound->rigorous = PETSC_FALSE;
    if (!Limits(term) || bound->n == MOST_COLUMNS) continue;
    CountedRow(terms->set, term, &row, &chance);
    if (!(chance > 0)) continue;
    PetscCall(ProblemTermColumn(problem, t, row, weight, all));
    PetscCall(PetscArraycpy(column, all + slices->first, n));
    bound->goal[bound->n] = term->goal;
    bound->value[bound->n++] = chance * term->weight;
    for (PetscInt j = 0; j < n; j++) coupling[j] += term->weight * PetscMax(0, column[j]);
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscErrorCode BoundDestroy(Bound *bound)
{
  PetscFunctionBegin;
  PetscCall(CutsDestroy(&bound->cuts));
  PetscCall(PetscFree3(bound->column, bound->goal, bound->value));
  PetscFunctionReturn(0);
}

/* Mean quantity that the terms with a share leave at most, for an objective of no more than `upper`. */
static double Limit(const Bound *bound, const double *share, double upper)
{
  double limit = 0;
  for (PetscInt t = 0; t < bound->n; t++)
    limit += share[t] * (bound->goal[t] + sqrt(PetscMax(0, upper) / bound->value[t]));
  return limit;
}

/* sum_t share_t column_t of an own spot. */
static inline double Column(const Bound *bound, const double *share, PetscInt j)
{
  double sum = 0;
  for (PetscInt t = 0; t < bound->n; t++)
    sum += share[t] * bound->column[(size_t)t * (size_t)bound->slices->n_own + (size_t)j];
  return sum;
}

/* Least of gradient over column in own spots where the gradient falls, at most 0. */
static double LeastRatio(const Bound *bound, const double *gradient, const double *share)
{
  double least = 0;
  for (PetscInt j = 0; j < bound->slices->n_own; j++) {
    if (!(gradient[j] < 0)) continue;
    const double column = Column(bound, share, j);
    if (!(column > 0)) return -INFINITY;
    least = PetscMin(least, gradient[j] / column);
  }
  return least;
}

/*
 * The least of a minorant at + slope x over what the terms leave of the weights, the simplex sum_t share_t (c_t x - B_t) <= 0: of each term
 * alone, and of all together.
 */
static PetscErrorCode LeastOfCut(const Bound *bound, double at, const double *slope, double upper, double *out)
{
  PetscFunctionBegin;
  double share[MOST_COLUMNS + 1][MOST_COLUMNS] = {{0}}, ratio[MOST_COLUMNS + 1];
  const PetscInt n = bound->n > 1 ? bound->n + 1 : bound->n;
  for (PetscInt t = 0; t < bound->n; t++) share[t][t] = share[bound->n][t] = 1;
  for (PetscInt k = 0; k < n; k++) ratio[k] = LeastRatio(bound, slope, share[k]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ratio, (PetscMPIInt)n, MPI_DOUBLE, MPI_MIN, bound->slices->comm));
  *out = -INFINITY;
  for (PetscInt k = 0; k < n; k++)
    if (isfinite(ratio[k])) *out = PetscMax(*out, at + Limit(bound, share[k], upper) * ratio[k]);
  PetscFunctionReturn(0);
}

PetscErrorCode BoundUpdate(Bound *bound, double value, const double *gradient, const double *weight, double upper)
{
  PetscFunctionBegin;
  double along, least;
  if (!bound->n && !bound->cuts.at) PetscFunctionReturn(0);
  PetscCall(SlicesDot(bound->slices, gradient, weight, &along));
  PetscCall(LeastOfCut(bound, value - along, gradient, upper, &least));
  bound->lower = PetscMax(bound->lower, least);
  if (bound->cuts.at) PetscCall(CutsAdd(&bound->cuts, value - along, gradient));
  PetscFunctionReturn(0);
}

PetscErrorCode BoundCombine(Bound *bound, double upper)
{
  PetscFunctionBegin;
  double all[MOST_COLUMNS], *column, *slope, at, least;
  PetscBool found;
  for (PetscInt t = 0; t < bound->n; t++) all[t] = 1;
  PetscCall(PetscCalloc2(bound->slices->n_own, &column, bound->slices->n_own, &slope));
  for (PetscInt j = 0; j < bound->slices->n_own; j++) column[j] = Column(bound, all, j);
  PetscCall(CutsCombine(&bound->cuts, column, Limit(bound, all, upper), &at, slope, &found));
  if (found) {
    PetscCall(LeastOfCut(bound, at, slope, upper, &least));
    bound->lower = PetscMax(bound->lower, least);
  }
  PetscCall(PetscFree2(column, slope));
  PetscFunctionReturn(0);
}
