/*
 * How far a plan is from the optimum. For multipliers lambda that a worst case might choose, the least of sum_s lambda_s F_s over
 * all weights lies below the least worst case. That least is looked for by a minimisation of its own, started from the plan:
 * (max F - sum lambda F) / max F at the plan itself can be a hundred times too small, since the plan does not minimise the sum.
 * A plan without such multipliers has been minimised like this all the way: how its objective has fallen tells what more iterations would
 * bring, so none are spent on it. The falls of two spans are taken as terms of a geometric series, whose rest is at least the last one.
 */
#include "robion/stop.h"
#include "solver_private.h"
#include <math.h>

enum { CERTIFICATE_WINDOW = 10, COMBINE_EVERY = 25 };
/* Fall of the weighted sum over the window below which it has levelled out: a proof needs a small gradient, too. */
static const double LOCAL_FALL = 1e-5, RIGOROUS_FALL = 1e-9;

enum { SPAN_SHARE = 4, SPAN_LEAST = 10 }; /* iterations of a span: a quarter of all, but so many */
static const double RATIO_LEAST = 0.5, RATIO_MOST = 0.95;

typedef struct Certifier {
  Solver *s;
  PetscInt iteration; /* at least 2 once a step was taken */
  double least, window[CERTIFICATE_WINDOW];
} Certifier;

/* Stop when the weighted sum has levelled out, the gap is closed, or there is no time; a stopped plan gets its own later. */
static PetscErrorCode TestCertificate(Tao tao, void *context)
{
  PetscFunctionBegin;
  Certifier *c = context;
  Solver *s = c->s;
  const OptimizerSpec *optimizer = s->spec->optimizer;
  PetscReal f, norm;
  PetscCall(TaoGetSolutionStatus(tao, NULL, &f, &norm, NULL, NULL, NULL));
  c->least = PetscMin(c->least, f);
  if (s->spec->certifying && s->slices.rank == 0)
    PetscCall((*s->spec->certifying)(c->iteration, optimizer->certificate_iterations, s->spec->context));
  double *oldest = &c->window[c->iteration % CERTIFICATE_WINDOW];
  const PetscBool level =
      c->iteration >= CERTIFICATE_WINDOW && *oldest - f <= (s->bound.rigorous ? RIGOROUS_FALL : LOCAL_FALL) * fabs(f);
  *oldest = f;
  const PetscBool late = optimizer->max_minutes > 0 && SolverSeconds(s) > 60 * optimizer->max_minutes;
  if (s->bound.rigorous && c->iteration % COMBINE_EVERY == COMBINE_EVERY - 1)
    PetscCall(BoundCombine(&s->bound, s->best_objective));
  const double gap = s->best_objective - s->bound.lower;
  const PetscBool closed = s->bound.rigorous && gap <= optimizer->relative_gap * s->best_objective;
  if (s->slices.rank == 0 && StopRequested()) PetscCall(SolverFinish(s, PETSC_TRUE, "%s", StopReason()));
  PetscBool go_on = level || late || closed || norm == 0 || s->solution->stopped ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(SolverAgree(s, &go_on, NULL));
  if (!go_on || c->iteration++ >= optimizer->certificate_iterations)
    PetscCall(TaoSetConvergedReason(tao, TAO_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* Norm of the gradient of the variables that may move. */
static PetscErrorCode Stationarity(Solver *s, double *norm)
{
  PetscFunctionBegin;
  const PetscScalar *x, *low, *high;
  double *moves, sum;
  PetscCall(PetscMalloc1(s->slices.n_own, &moves));
  PetscCall(VecGetArrayRead(s->x, &x));
  PetscCall(VecGetArrayRead(s->low, &low));
  PetscCall(VecGetArrayRead(s->high, &high));
  for (PetscInt j = 0; j < s->slices.n_own; j++) {
    const double g = s->known_g[j];
    moves[j] = !(x[j] <= low[j] && g >= 0) && !(x[j] >= high[j] && g <= 0) ? g : 0;
  }
  PetscCall(VecRestoreArrayRead(s->x, &x));
  PetscCall(VecRestoreArrayRead(s->low, &low));
  PetscCall(VecRestoreArrayRead(s->high, &high));
  PetscCall(SlicesDot(&s->slices, moves, moves, &sum));
  PetscCall(PetscFree(moves));
  *norm = sqrt(sum);
  PetscFunctionReturn(0);
}

const char *CertificateKind(const Certificate *c)
{
  return !c->bounded ? "none" : c->rigorous ? "rigorous" : c->expected ? "expected" : "local";
}

double SolverExpectedFall(const Solver *s, PetscBool *known)
{
  const Iteration *history = s->solution->history;
  const PetscInt last = s->solution->n_history - 1, span = PetscMax(SPAN_LEAST, last / SPAN_SHARE);
  *known = s->n_group || s->n_hard || s->bound.rigorous || last < SPAN_SHARE * SPAN_LEAST ? PETSC_FALSE : PETSC_TRUE;
  if (!*known) return 0;
  const double fall = history[last - span].objective - history[last].objective,
               before = history[last - 2 * span].objective - history[last - span].objective,
               ratio = before > 0 ? PetscClipInterval(fall / before, RATIO_LEAST, RATIO_MOST) : RATIO_MOST;
  return PetscMax(0, fall) * ratio / (1 - ratio);
}

/* A minimisation of the weighted sum, from the plan. */
static PetscErrorCode MinimiseSum(Solver *s, Certificate *out)
{
  PetscFunctionBegin;
  Certifier certifier = {.s = s, .least = INFINITY};
  PetscCall(TaoSetConvergenceTest(s->tao, TestCertificate, &certifier));
  PetscCall(TaoSolve(s->tao));
  if (s->bound.rigorous) PetscCall(BoundCombine(&s->bound, s->best_objective));
  out->least_sum = PetscMin(certifier.least, out->weighted_sum);
  out->bounded = certifier.iteration > 1 || out->stationarity == 0 ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscInt CountActive(const Solver *s)
{
  PetscInt n = 0;
  for (PetscInt i = 0; i < s->n_row && s->n_group; i++) n += s->multiplier[i] > 0.01;
  return n;
}

PetscErrorCode SolverCertify(Solver *s)
{
  PetscFunctionBegin;
  Certificate *out = &s->solution->certificate;
  const double fall = SolverExpectedFall(s, &out->expected);
  if (!s->spec->optimizer->certificate_iterations) out->expected = PETSC_FALSE;
  s->certifying = PETSC_TRUE;
  if (s->bound.rigorous) PetscCall(CutsCreate(&s->slices, &s->bound.cuts));
  for (PetscInt g = 0; g < s->n_group; g++) s->mu[g] = INFINITY;
  PetscCall(SolverSetSmoothMax(s));
  PetscCall(SolverGoTo(s, s->best));
  PetscCall(SolverEvaluate(s, s->x, &out->weighted_sum, NULL));
  PetscCall(Stationarity(s, &out->stationarity));
  out->known = PETSC_TRUE;
  out->objective = s->best_objective;
  if (out->expected) {
    out->least_sum = s->best_objective - fall;
    out->bounded = PETSC_TRUE;
  } else
    PetscCall(MinimiseSum(s, out));
  out->rigorous = s->bound.rigorous && isfinite(s->bound.lower) ? PETSC_TRUE : PETSC_FALSE;
  if (out->rigorous) out->bounded = PETSC_TRUE;
  out->lower_bound = out->rigorous ? s->bound.lower : out->least_sum;
  out->gap = out->objective > 0 ? PetscMax(0, out->objective - out->lower_bound) / out->objective : 0;
  out->stationarity_start = s->first_norm;
  out->n_active = CountActive(s);
  s->certifying = PETSC_FALSE;
  PetscFunctionReturn(0);
}
