/*
 * Projected L-BFGS. F are the variables that are free: not at a bound that the gradient pushes against. The direction is
 * -H_F g_F, H_F from the two-loop recursion over the curvature pairs (s, y) restricted to F; a pair whose s.y on F is not positive enough
 * is left out, so the direction descends. The step is searched backwards along the projected arc P(x + t d) from t = 1 by
 * quadratic interpolation until f falls by a share of the linear prediction (Armijo). Without a step that lowers f the pairs are
 * forgotten and the gradient is tried; without that either the solver ends. All ranks go the same way, each with its slice of the
 * variables, on sums that have the same bits everywhere (robion/slices.h).
 */
#include "descent.h"
#include <math.h>
#include <petsc/private/taoimpl.h>

static const double SUFFICIENT = 1e-4;       /* share of the predicted fall that a step must bring */
static const double LEAST_CURVATURE = 1e-10; /* of a pair, against its length */
static const double SHORTEST = 1e-10;        /* step length at which a search is given up */
static const double FIRST_STEP = 0.1;        /* length of a step without curvature, relative to the variables */

typedef struct Descent {
  DescentHistory *history;     /* the caller's */
  PetscInt n;                  /* of this rank's slice */
  double *trial, *gradient;    /* [n] the point that is tried, and the gradient there */
  double *direction;           /* [n] */
  double *pair;                /* [2][n] the newest */
  double *free;                /* [n] 1: may move, 0: not */
  Vec trial_vec, gradient_vec; /* on these arrays */
} Descent;

PetscErrorCode DescentHistoryCreate(const Slices *slices, DescentHistory *history)
{
  PetscFunctionBegin;
  *history = (DescentHistory){.slices = slices};
  PetscCall(PetscMalloc1((size_t)DESCENT_PAIRS * (size_t)slices->n_own, &history->step));
  PetscCall(PetscMalloc1((size_t)DESCENT_PAIRS * (size_t)slices->n_own, &history->change));
  PetscFunctionReturn(0);
}

PetscErrorCode DescentHistoryDestroy(DescentHistory *history)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(history->step));
  PetscCall(PetscFree(history->change));
  PetscFunctionReturn(0);
}

/* b += factor a on the free variables. */
static void AddFree(const Descent *d, double factor, const double *a, double *b)
{
  for (PetscInt j = 0; j < d->n; j++) b[j] += factor * (d->free[j] * a[j]);
}

/* Keep the pair of the step from x to trial, unless it shows no curvature; the oldest goes when there is no room. */
static PetscErrorCode AddPair(Descent *d, const double *x, const double *g)
{
  PetscFunctionBegin;
  DescentHistory *h = d->history;
  const size_t n = (size_t)d->n;
  double *s = d->pair, *y = d->pair + n, sum[3];
  for (PetscInt j = 0; j < d->n; j++) {
    s[j] = d->trial[j] - x[j];
    y[j] = d->gradient[j] - g[j];
  }
  const Factors factors[] = {{s, y}, {s, s}, {y, y}};
  PetscCall(SlicesDots(h->slices, 3, factors, NULL, sum));
  if (!(sum[0] > LEAST_CURVATURE * sqrt(sum[1] * sum[2]))) PetscFunctionReturn(0);
  if (h->n_pair == DESCENT_PAIRS) {
    const size_t rest = (size_t)(--h->n_pair) * n;
    PetscCall(PetscArraymove(h->step, h->step + n, rest));
    PetscCall(PetscArraymove(h->change, h->change + n, rest));
  }
  PetscCall(PetscArraycpy(h->step + (size_t)h->n_pair * n, s, n));
  PetscCall(PetscArraycpy(h->change + (size_t)h->n_pair * n, y, n));
  h->n_pair++;
  PetscFunctionReturn(0);
}

/* 1 / (s y) of every pair on the free variables, 0 of those left out, and s y / y y of the newest that is not. */
static PetscErrorCode FindCurvature(const Descent *d, double inverse[DESCENT_PAIRS], double *scale)
{
  PetscFunctionBegin;
  const DescentHistory *h = d->history;
  Factors factors[3 * DESCENT_PAIRS];
  double sum[3 * DESCENT_PAIRS];
  for (PetscInt k = 0; k < h->n_pair; k++) {
    const double *s = h->step + (size_t)k * (size_t)d->n, *y = h->change + (size_t)k * (size_t)d->n;
    factors[3 * k] = (Factors){s, y};
    factors[3 * k + 1] = (Factors){s, s};
    factors[3 * k + 2] = (Factors){y, y};
  }
  PetscCall(SlicesDots(h->slices, 3 * h->n_pair, factors, d->free, sum));
  *scale = 1;
  for (PetscInt k = 0; k < h->n_pair; k++) {
    const double sy = sum[3 * k], ss = sum[3 * k + 1], yy = sum[3 * k + 2];
    inverse[k] = sy > LEAST_CURVATURE * sqrt(ss * yy) ? 1 / sy : 0;
    if (inverse[k] > 0) *scale = sy / yy;
  }
  PetscFunctionReturn(0);
}

/*
 * direction = -H gradient on the free variables by the two-loop recursion; pairs without curvature there are left out. The direction is 0
 * in the others, so its products need no mask.
 */
static PetscErrorCode FindDirection(Descent *d, const double *gradient)
{
  PetscFunctionBegin;
  const DescentHistory *h = d->history;
  double inverse[DESCENT_PAIRS], weight[DESCENT_PAIRS], scale, along;
  PetscCall(FindCurvature(d, inverse, &scale));
  for (PetscInt j = 0; j < d->n; j++) d->direction[j] = -d->free[j] * gradient[j];
  for (PetscInt k = h->n_pair - 1; k >= 0; k--) {
    const double *s = h->step + (size_t)k * (size_t)d->n, *y = h->change + (size_t)k * (size_t)d->n;
    if (inverse[k] == 0) continue;
    PetscCall(SlicesDot(h->slices, s, d->direction, &along));
    weight[k] = inverse[k] * along;
    AddFree(d, -weight[k], y, d->direction);
  }
  for (PetscInt j = 0; j < d->n; j++) d->direction[j] *= scale;
  for (PetscInt k = 0; k < h->n_pair; k++) {
    const double *s = h->step + (size_t)k * (size_t)d->n, *y = h->change + (size_t)k * (size_t)d->n;
    if (inverse[k] == 0) continue;
    PetscCall(SlicesDot(h->slices, y, d->direction, &along));
    AddFree(d, weight[k] - inverse[k] * along, s, d->direction);
  }
  PetscFunctionReturn(0);
}

/* Which variables may move against the gradient, and the norm of the gradient of those. */
static PetscErrorCode FindFree(Descent *d, const double *x, const double *g, const double *low, const double *high,
                               double *norm)
{
  PetscFunctionBegin;
  const Factors factors = {g, g};
  double sum;
  for (PetscInt j = 0; j < d->n; j++) d->free[j] = !(x[j] <= low[j] && g[j] >= 0) && !(x[j] >= high[j] && g[j] <= 0);
  PetscCall(SlicesDots(d->history->slices, 1, &factors, d->free, &sum));
  *norm = sqrt(sum);
  PetscFunctionReturn(0);
}

/* Length of the first step tried: the Newton step where there is curvature. */
static PetscErrorCode FirstLength(const Descent *d, const double *x, double *length)
{
  PetscFunctionBegin;
  const Factors factors[] = {{x, x}, {d->direction, d->direction}};
  double sum[2];
  *length = 1;
  if (d->history->n_pair) PetscFunctionReturn(0);
  PetscCall(SlicesDots(d->history->slices, 2, factors, NULL, sum));
  if (sum[1] > 0) *length = sum[0] > 0 ? FIRST_STEP * sqrt(sum[0] / sum[1]) : 1 / sqrt(sum[1]);
  PetscFunctionReturn(0);
}

/* Along the projected arc from x to a point whose value is low enough; leaves it in trial and gradient. 0: none. */
static PetscErrorCode Search(Tao tao, Descent *d, const double *x, double f, const double *g, const double *low,
                             const double *high, double *length, double *f_new)
{
  PetscFunctionBegin;
  double t, slope;
  PetscCall(FirstLength(d, x, &t));
  for (; t > SHORTEST; t = *length) {
    for (PetscInt j = 0; j < d->n; j++) {
      d->trial[j] = PetscMin(high[j], PetscMax(low[j], x[j] + t * d->direction[j]));
      d->pair[j] = d->trial[j] - x[j];
    }
    PetscCall(SlicesDot(d->history->slices, g, d->pair, &slope));
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
  double length, f_new, slope;
  PetscCall(FindDirection(d, g));
  PetscCall(SlicesDot(d->history->slices, d->direction, g, &slope));
  if (!(slope < 0)) {
    d->history->n_pair = 0;
    PetscCall(FindDirection(d, g));
  }
  PetscCall(Search(tao, d, x, *f, g, low, high, &length, &f_new));
  if (length == 0 && d->history->n_pair) { /* once more without what was learnt of the curvature */
    d->history->n_pair = 0;
    PetscCall(FindDirection(d, g));
    PetscCall(Search(tao, d, x, *f, g, low, high, &length, &f_new));
  }
  *moved = length > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (!*moved) PetscFunctionReturn(0);
  PetscCall(AddPair(d, x, g));
  PetscCall(PetscArraycpy(x, d->trial, d->n));
  PetscCall(PetscArraycpy(g, d->gradient, d->n));
  *f = f_new;
  PetscCall(FindFree(d, x, g, low, high, norm));
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
  PetscCheck(d->history && d->history->slices->n_own == d->n, PETSC_COMM_SELF, PETSC_ERR_ORDER,
             "no history of %d variables", (int)d->n);
  PetscCall(VecMedian(tao->XL, tao->solution, tao->XU, tao->solution));
  PetscCall(TaoComputeObjectiveAndGradient(tao, tao->solution, &f, tao->gradient));
  PetscCall(VecGetArrayRead(tao->XL, &low));
  PetscCall(VecGetArrayRead(tao->XU, &high));
  PetscCall(VecGetArray(tao->gradient, &g));
  PetscCall(VecGetArray(tao->solution, &x));
  PetscCall(FindFree(d, x, g, low, high, &norm));
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
  if (d->trial_vec) PetscFunctionReturn(0);
  MPI_Comm comm = PetscObjectComm((PetscObject)tao);
  PetscCall(PetscMalloc5(d->n, &d->trial, d->n, &d->gradient, d->n, &d->direction, 2 * d->n, &d->pair, d->n, &d->free));
  PetscCall(VecCreateMPIWithArray(comm, 1, d->n, PETSC_DETERMINE, d->trial, &d->trial_vec));
  PetscCall(VecCreateMPIWithArray(comm, 1, d->n, PETSC_DETERMINE, d->gradient, &d->gradient_vec));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescentDestroy(Tao tao)
{
  PetscFunctionBegin;
  Descent *d = tao->data;
  PetscCall(VecDestroy(&d->trial_vec));
  PetscCall(VecDestroy(&d->gradient_vec));
  PetscCall(PetscFree5(d->trial, d->gradient, d->direction, d->pair, d->free));
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
