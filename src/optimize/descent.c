/*
 * Projected L-BFGS. F are the variables that are free: not at a bound that the gradient pushes against. The direction is
 * -H_F g_F, H_F from the two-loop recursion over the curvature pairs (s, y) restricted to F; a pair whose s.y on F is not positive enough
 * is left out, so the direction descends. The step is searched backwards along the projected arc P(x + t d) from t = 1 by
 * quadratic interpolation until f falls by a share of the linear prediction (Armijo). Without a step that lowers f the pairs are
 * forgotten and the gradient is tried; without that either the solver ends. All sums run over the variables in their order.
 */
#include "descent.h"
#include <math.h>
#include <petsc/private/taoimpl.h>

static const double SUFFICIENT = 1e-4;       /* share of the predicted fall that a step must bring */
static const double LEAST_CURVATURE = 1e-10; /* of a pair, against its length */
static const double SHORTEST = 1e-10;        /* step length at which a search is given up */
static const double FIRST_STEP = 0.1;        /* length of a step without curvature, relative to the variables */

typedef struct Descent {
  DescentHistory *history; /* the caller's */
  PetscInt n;
  double *trial, *gradient;    /* [n] the point that is tried, and the gradient there */
  double *direction;           /* [n] */
  double *inverse;             /* [DESCENT_PAIRS] 1 / (s y) on the free variables; 0: pair left out */
  unsigned char *free;         /* [n] may move */
  Vec trial_vec, gradient_vec; /* on these arrays */
} Descent;

PetscErrorCode DescentHistoryCreate(PetscInt n_variable, DescentHistory *history)
{
  PetscFunctionBegin;
  *history = (DescentHistory){.n_variable = n_variable};
  PetscCall(PetscMalloc1((size_t)DESCENT_PAIRS * (size_t)n_variable, &history->step));
  PetscCall(PetscMalloc1((size_t)DESCENT_PAIRS * (size_t)n_variable, &history->change));
  PetscFunctionReturn(0);
}

PetscErrorCode DescentHistoryDestroy(DescentHistory *history)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(history->step));
  PetscCall(PetscFree(history->change));
  PetscFunctionReturn(0);
}

static double DotFree(PetscInt n, const unsigned char *free, const double *a, const double *b)
{
  double sum = 0;
  for (PetscInt j = 0; j < n; j++) sum += free[j] ? a[j] * b[j] : 0;
  return sum;
}

static void AddFree(PetscInt n, const unsigned char *free, double factor, const double *a, double *b)
{
  for (PetscInt j = 0; j < n; j++) b[j] += free[j] ? factor * a[j] : 0;
}

/* Keep the pair of a step, unless it shows no curvature; the oldest goes when there is no room. */
static PetscErrorCode AddPair(DescentHistory *h, const double *x, const double *x_new, const double *g,
                              const double *g_new)
{
  PetscFunctionBegin;
  const PetscInt n = h->n_variable;
  double curvature = 0, s2 = 0, y2 = 0;
  for (PetscInt j = 0; j < n; j++) {
    double s = x_new[j] - x[j], y = g_new[j] - g[j];
    curvature += s * y;
    s2 += s * s;
    y2 += y * y;
  }
  if (!(curvature > LEAST_CURVATURE * sqrt(s2 * y2))) PetscFunctionReturn(0);
  if (h->n_pair == DESCENT_PAIRS) {
    const size_t rest = (size_t)(--h->n_pair) * (size_t)n;
    PetscCall(PetscArraymove(h->step, h->step + n, rest));
    PetscCall(PetscArraymove(h->change, h->change + n, rest));
  }
  double *s = h->step + (size_t)h->n_pair * (size_t)n, *y = h->change + (size_t)h->n_pair * (size_t)n;
  for (PetscInt j = 0; j < n; j++) {
    s[j] = x_new[j] - x[j];
    y[j] = g_new[j] - g[j];
  }
  h->n_pair++;
  PetscFunctionReturn(0);
}

/* direction = -H gradient on the free variables by the two-loop recursion; pairs without curvature there are left out. */
static void FindDirection(Descent *d, const double *gradient)
{
  const PetscInt n = d->n;
  const DescentHistory *h = d->history;
  double weight[DESCENT_PAIRS], scale = 1;
  PetscBool scaled = PETSC_FALSE;
  for (PetscInt j = 0; j < n; j++) d->direction[j] = d->free[j] ? -gradient[j] : 0;
  for (PetscInt k = h->n_pair - 1; k >= 0; k--) {
    const double *s = h->step + (size_t)k * (size_t)n, *y = h->change + (size_t)k * (size_t)n;
    const double sy = DotFree(n, d->free, s, y), yy = DotFree(n, d->free, y, y), ss = DotFree(n, d->free, s, s);
    d->inverse[k] = sy > LEAST_CURVATURE * sqrt(ss * yy) ? 1 / sy : 0;
    if (d->inverse[k] == 0) continue;
    if (!scaled) scale = sy / yy;
    scaled = PETSC_TRUE;
    weight[k] = d->inverse[k] * DotFree(n, d->free, s, d->direction);
    AddFree(n, d->free, -weight[k], y, d->direction);
  }
  for (PetscInt j = 0; j < n; j++) d->direction[j] *= scale;
  for (PetscInt k = 0; k < h->n_pair; k++) {
    const double *s = h->step + (size_t)k * (size_t)n, *y = h->change + (size_t)k * (size_t)n;
    if (d->inverse[k] == 0) continue;
    const double back = d->inverse[k] * DotFree(n, d->free, y, d->direction);
    AddFree(n, d->free, weight[k] - back, s, d->direction);
  }
}

/* Which variables may move against the gradient, and the norm of the gradient of those. */
static double FindFree(Descent *d, const double *x, const double *g, const double *low, const double *high)
{
  double norm2 = 0;
  for (PetscInt j = 0; j < d->n; j++) {
    d->free[j] = !(x[j] <= low[j] && g[j] >= 0) && !(x[j] >= high[j] && g[j] <= 0);
    norm2 += d->free[j] ? g[j] * g[j] : 0;
  }
  return sqrt(norm2);
}

/* Length of the first step tried: the Newton step where there is curvature. */
static double FirstLength(const Descent *d, const double *x)
{
  double x2 = 0, p2 = 0;
  if (d->history->n_pair) return 1;
  for (PetscInt j = 0; j < d->n; j++) {
    x2 += x[j] * x[j];
    p2 += d->direction[j] * d->direction[j];
  }
  return p2 > 0 ? (x2 > 0 ? FIRST_STEP * sqrt(x2 / p2) : 1 / sqrt(p2)) : 1;
}

/* Along the projected arc from x to a point whose value is low enough; leaves it in trial and gradient. 0: none. */
static PetscErrorCode Search(Tao tao, Descent *d, const double *x, double f, const double *g, const double *low,
                             const double *high, double *length, double *f_new)
{
  PetscFunctionBegin;
  double t = FirstLength(d, x);
  for (; t > SHORTEST; t = *length) {
    double slope = 0;
    for (PetscInt j = 0; j < d->n; j++) {
      d->trial[j] = PetscMin(high[j], PetscMax(low[j], x[j] + t * d->direction[j]));
      slope += g[j] * (d->trial[j] - x[j]);
    }
    PetscCall(TaoComputeObjectiveAndGradient(tao, d->trial_vec, f_new, d->gradient_vec));
    *length = t;
    if (slope < 0 && *f_new <= f + SUFFICIENT * slope) PetscFunctionReturn(0);
    const double best = -0.5 * slope * t / (*f_new - f - slope);
    *length = PetscMin(0.5 * t, PetscMax(0.1 * t, isfinite(best) ? best : 0));
  }
  *length = 0;
  PetscFunctionReturn(0);
}

/* One iteration; *moved false if no step lowers the value even along the gradient. */
static PetscErrorCode Iterate(Tao tao, Descent *d, double *x, double *f, double *g, const double *low,
                              const double *high, PetscReal *norm, PetscBool *moved)
{
  PetscFunctionBegin;
  double length, f_new;
  FindDirection(d, g);
  if (!(DotFree(d->n, d->free, d->direction, g) < 0)) {
    d->history->n_pair = 0;
    FindDirection(d, g);
  }
  PetscCall(Search(tao, d, x, *f, g, low, high, &length, &f_new));
  if (length == 0 && d->history->n_pair) { /* once more without what was learnt of the curvature */
    d->history->n_pair = 0;
    FindDirection(d, g);
    PetscCall(Search(tao, d, x, *f, g, low, high, &length, &f_new));
  }
  *moved = length > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (!*moved) PetscFunctionReturn(0);
  PetscCall(AddPair(d->history, x, d->trial, g, d->gradient));
  PetscCall(PetscArraycpy(x, d->trial, d->n));
  PetscCall(PetscArraycpy(g, d->gradient, d->n));
  *f = f_new;
  *norm = FindFree(d, x, g, low, high);
  PetscFunctionReturn(0);
}

static PetscErrorCode Report(Tao tao, double f, double norm)
{
  PetscFunctionBegin;
  PetscCall(TaoLogConvergenceHistory(tao, f, norm, 0, 0));
  PetscCall(TaoMonitor(tao, tao->niter, f, norm, 0, 1));
  PetscCall((*tao->ops->convergencetest)(tao, tao->cnvP));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescentSolve(Tao tao)
{
  PetscFunctionBegin;
  Descent *d = tao->data;
  PetscScalar *x, *g;
  const PetscScalar *low, *high;
  PetscReal f, norm;
  PetscBool moved = PETSC_TRUE;
  PetscCall(TaoComputeVariableBounds(tao));
  PetscCheck(d->history && d->history->n_variable == d->n, PETSC_COMM_SELF, PETSC_ERR_ORDER,
             "no history of %d variables", (int)d->n);
  PetscCall(VecMedian(tao->XL, tao->solution, tao->XU, tao->solution));
  PetscCall(TaoComputeObjectiveAndGradient(tao, tao->solution, &f, tao->gradient));
  PetscCall(VecGetArrayRead(tao->XL, &low));
  PetscCall(VecGetArrayRead(tao->XU, &high));
  PetscCall(VecGetArray(tao->gradient, &g));
  PetscCall(VecGetArray(tao->solution, &x));
  norm = FindFree(d, x, g, low, high);
  tao->reason = TAO_CONTINUE_ITERATING;
  PetscCall(Report(tao, f, norm));
  while (tao->reason == TAO_CONTINUE_ITERATING) {
    PetscCall(Iterate(tao, d, x, &f, g, low, high, &norm, &moved));
    tao->niter++;
    if (moved)
      PetscCall(Report(tao, f, norm));
    else
      tao->reason = TAO_DIVERGED_LS_FAILURE;
  }
  PetscCall(VecRestoreArray(tao->solution, &x));
  PetscCall(VecRestoreArray(tao->gradient, &g));
  PetscCall(VecRestoreArrayRead(tao->XL, &low));
  PetscCall(VecRestoreArrayRead(tao->XU, &high));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescentSetUp(Tao tao)
{
  PetscFunctionBegin;
  Descent *d = tao->data;
  PetscCall(VecGetLocalSize(tao->solution, &d->n));
  if (!tao->gradient) PetscCall(VecDuplicate(tao->solution, &tao->gradient));
  if (d->trial) PetscFunctionReturn(0);
  PetscCall(PetscMalloc5(d->n, &d->trial, d->n, &d->gradient, d->n, &d->direction, DESCENT_PAIRS, &d->inverse, d->n,
                         &d->free));
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, d->n, d->trial, &d->trial_vec));
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, d->n, d->gradient, &d->gradient_vec));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescentDestroy(Tao tao)
{
  PetscFunctionBegin;
  Descent *d = tao->data;
  PetscCall(VecDestroy(&d->trial_vec));
  PetscCall(VecDestroy(&d->gradient_vec));
  PetscCall(PetscFree5(d->trial, d->gradient, d->direction, d->inverse, d->free));
  PetscCall(PetscObjectComposeFunction((PetscObject)tao, "DescentSetHistory_C", NULL));
  PetscCall(PetscFree(tao->data));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetHistory(Tao tao, DescentHistory *history)
{
  PetscFunctionBegin;
  ((Descent *)tao->data)->history = history;
  PetscFunctionReturn(0);
}

static PetscErrorCode DescentCreate(Tao tao)
{
  PetscFunctionBegin;
  Descent *d;
  PetscCall(PetscNew(&d));
  tao->data = d;
  tao->ops->setup = DescentSetUp;
  tao->ops->solve = DescentSolve;
  tao->ops->destroy = DescentDestroy;
  PetscCall(PetscObjectComposeFunction((PetscObject)tao, "DescentSetHistory_C", SetHistory));
  PetscFunctionReturn(0);
}

PetscErrorCode DescentRegister(void)
{
  PetscFunctionBegin;
  PetscCall(TaoRegister(TAO_DESCENT, DescentCreate));
  PetscFunctionReturn(0);
}

PetscErrorCode DescentSetHistory(Tao tao, DescentHistory *history)
{
  PetscFunctionBegin;
  PetscTryMethod(tao, "DescentSetHistory_C", (Tao, DescentHistory *), (tao, history));
  PetscFunctionReturn(0);
}
