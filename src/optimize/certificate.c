/*
 * How far a plan is from the optimum. For multipliers lambda that a worst case might choose, the least of sum_s lambda_s F_s over
 * all weights lies below the least worst case. That least is looked for by a minimisation of its own, started from the plan:
 * (max F - sum lambda F) / max F at the plan itself can be a hundred times too small, since the plan does not minimise the sum.
 */
#include "robion/stop.h"
#include "solver_private.h"
#include <math.h>

enum { CERTIFICATE_WINDOW = 10, COMBINE_EVERY = 25 };
/* Fall of the weighted sum over the window below which it has levelled out: a proof needs a small gradient, too. */
static const double LOCAL_FALL = 1e-5, RIGOROUS_FALL = 1e-9;

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
  Certifier certifier = {.s = s, .least = INFINITY};
  s->certifying = PETSC_TRUE;
  if (s->bound.rigorous) PetscCall(CutsCreate(&s->slices, &s->bound.cuts));
  for (PetscInt g = 0; g < s->n_group; g++) s->mu[g] = INFINITY;
  PetscCall(SolverSetSmoothMax(s));
  PetscCall(SolverGoTo(s, s->best));
  PetscCall(SolverEvaluate(s, s->x, &out->weighted_sum, NULL));
  PetscCall(Stationarity(s, &out->stationarity));
  PetscCall(TaoSetConvergenceTest(s->tao, TestCertificate, &certifier));
  PetscCall(TaoSolve(s->tao));
  if (s->bound.rigorous) PetscCall(BoundCombine(&s->bound, s->best_objective));
  out->known = PETSC_TRUE;
  out->objective = s->best_objective;
  out->least_sum = PetscMin(certifier.least, out->weighted_sum);
  out->rigorous = s->bound.rigorous && isfinite(s->bound.lower) ? PETSC_TRUE : PETSC_FALSE;
  out->bounded = out->rigorous || certifier.iteration > 1 || out->stationarity == 0 ? PETSC_TRUE : PETSC_FALSE;
  out->lower_bound = out->rigorous ? s->bound.lower : out->least_sum;
  out->gap = out->objective > 0 ? PetscMax(0, out->objective - out->lower_bound) / out->objective : 0;
  out->stationarity_start = s->first_norm;
  out->n_active = CountActive(s);
  s->certifying = PETSC_FALSE;
  PetscFunctionReturn(0);
}
