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
  if (term->mode != ROBUST_EXPECTED && term->mode != ROBUST_CVAR && term->mode != ROBUST_PROBABILISTIC) return;
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

PetscErrorCode BoundCreate(const SolveSpec *spec, Problem problem, PetscInt n_spot, const double *weight, Bound *bound,
                           double *coupling)
{
  PetscFunctionBegin;
  const ProblemSpec *terms = spec->terms;
  const PetscBool other = terms->course || terms->spot_cost || terms->field_gradient ? PETSC_TRUE : PETSC_FALSE;
  *bound = (Bound){.lower = -INFINITY, .rigorous = other ? PETSC_FALSE : PETSC_TRUE};
  PetscCall(PetscMalloc3((size_t)MOST_COLUMNS * (size_t)n_spot, &bound->column, MOST_COLUMNS, &bound->goal,
                         MOST_COLUMNS, &bound->value));
  PetscCall(PetscArrayzero(coupling, n_spot));
  for (PetscInt t = 0; t < terms->n_term; t++) {
    const Term *term = &terms->term[t];
    double *column = bound->column + (size_t)bound->n * (size_t)n_spot, chance;
    PetscInt row;
    if (!IsConvex(term)) bound->rigorous = PETSC_FALSE;
    if (!Limits(term) || bound->n == MOST_COLUMNS) continue;
    CountedRow(terms->set, term, &row, &chance);
    if (!(chance > 0)) continue;
    PetscCall(ProblemTermColumn(problem, t, row, weight, column));
    bound->goal[bound->n] = term->goal;
    bound->value[bound->n++] = chance * term->weight;
    for (PetscInt j = 0; j < n_spot; j++) coupling[j] += term->weight * PetscMax(0, column[j]);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode BoundDestroy(Bound *bound)
{
  PetscFunctionBegin;
  PetscCall(CutsDestroy(&bound->cuts));
  PetscCall(PetscFree3(bound->column, bound->goal, bound->value));
  PetscFunctionReturn(0);
}

/* Least of gradient x over the simplex sum_t share_t (c_t x - B_t) <= 0 of the terms with a share. */
static double LeastOnSimplex(const Bound *bound, PetscInt n_spot, const double *gradient, double upper,
                             const double *share)
{
  double limit = 0, least = 0;
  for (PetscInt t = 0; t < bound->n; t++)
    limit += share[t] * (bound->goal[t] + sqrt(PetscMax(0, upper) / bound->value[t]));
  for (PetscInt j = 0; j < n_spot; j++) {
    double column = 0;
    if (!(gradient[j] < 0)) continue;
    for (PetscInt t = 0; t < bound->n; t++) column += share[t] * bound->column[(size_t)t * (size_t)n_spot + (size_t)j];
    if (!(column > 0)) return -INFINITY;
    least = PetscMin(least, gradient[j] / column);
  }
  return limit * least;
}

/* The least of a minorant at + slope x over what the terms leave of the weights: by each term alone, and by their sum. */
static double LeastOfCut(const Bound *bound, PetscInt n_spot, double at, const double *slope, double upper)
{
  double least = -INFINITY, all[MOST_COLUMNS];
  for (PetscInt t = 0; t < bound->n; t++) {
    double one[MOST_COLUMNS] = {0};
    one[t] = all[t] = 1;
    least = PetscMax(least, LeastOnSimplex(bound, n_spot, slope, upper, one));
  }
  if (bound->n > 1) least = PetscMax(least, LeastOnSimplex(bound, n_spot, slope, upper, all));
  return at + least;
}

PetscErrorCode BoundUpdate(Bound *bound, PetscInt n_spot, double value, const double *gradient, const double *weight,
                           double upper)
{
  PetscFunctionBegin;
  double at = value;
  for (PetscInt j = 0; j < n_spot; j++) at -= gradient[j] * weight[j];
  bound->lower = PetscMax(bound->lower, LeastOfCut(bound, n_spot, at, gradient, upper));
  if (bound->cuts.at) PetscCall(CutsAdd(&bound->cuts, at, gradient));
  PetscFunctionReturn(0);
}

PetscErrorCode BoundCombine(Bound *bound, PetscInt n_spot, double upper)
{
  PetscFunctionBegin;
  double *column, *slope, at, limit = 0;
  PetscBool found;
  PetscCall(PetscCalloc2(n_spot, &column, n_spot, &slope));
  for (PetscInt t = 0; t < bound->n; t++) {
    limit += bound->goal[t] + sqrt(PetscMax(0, upper) / bound->value[t]);
    for (PetscInt j = 0; j < n_spot; j++) column[j] += bound->column[(size_t)t * (size_t)n_spot + (size_t)j];
  }
  PetscCall(CutsCombine(&bound->cuts, column, limit, &at, slope, &found));
  if (found) bound->lower = PetscMax(bound->lower, LeastOfCut(bound, n_spot, at, slope, upper));
  PetscCall(PetscFree2(column, slope));
  PetscFunctionReturn(0);
}
