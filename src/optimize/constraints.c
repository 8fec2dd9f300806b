/*
 * Constraints by the method of multipliers: after every round the shifts (multiplier over penalty) take in by how much the
 * bounds are missed, and penalties grow where that did not fall (Hestenes 1969, Powell 1969; bounds on both signs as in
 * Rockafellar 1973). A constraint is settled when no bound is missed and no multiplier pulls at a value that keeps away
 * from its bound, both to the tolerance.
 */
#include "solver_private.h"
#include <math.h>

static const double PENALTY_START = 10; /* times the weights of all objectives together */
static const double PENALTY_GROWTH = 4, ENOUGH_FALL = 0.5, PENALTY_MOST = 1e5; /* the last: times the start */
static const double NEARER = 0.95; /* a round that comes nearer than this share of the least residual is not idle */
enum { MOST_IDLE = 15 };

PetscErrorCode SolverConstraintsCreate(Solver *s)
{
  PetscFunctionBegin;
  PetscCall(PetscCalloc4(s->n_hard, &s->penalty, s->n_hard, &s->residual, s->n_multiplier, &s->shift, s->n_multiplier,
                         &s->excess));
  s->least_residual = PETSC_MAX_REAL;
  PetscFunctionReturn(0);
}

PetscErrorCode SolverConstraintsDestroy(Solver *s)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(s->penalty, s->residual, s->shift, s->excess));
  PetscFunctionReturn(0);
}

static double FirstPenalty(const Solver *s)
{
  double sum = 0;
  for (PetscInt t = 0; t < s->spec->terms->n_term; t++)
    if (!s->spec->terms->term[t].hard) sum += s->spec->terms->term[t].weight;
  return PENALTY_START * (sum > 0 ? sum : 1);
}

PetscErrorCode SolverConstraintsStart(Solver *s)
{
  PetscFunctionBegin;
  if (!s->n_hard) PetscFunctionReturn(0);
  for (PetscInt h = 0; h < s->n_hard; h++) {
    s->penalty[h] = FirstPenalty(s);
    s->residual[h] = PETSC_MAX_REAL;
  }
  PetscCall(ProblemSetConstraints(s->problem, s->penalty, s->shift));
  PetscFunctionReturn(0);
}

static PetscBool IsEquality(const Term *term)
{
  return term->type == &objective_mean_deviation ? PETSC_TRUE : PETSC_FALSE;
}

/* How far a number is from being settled; of a point of the histogram, whose shift is no multiplier, only what it is beyond. */
static double Residual(const Term *term, double excess, double shift)
{
  if (IsEquality(term)) return fabs(excess);
  return term->type == &objective_max_dvh ? PetscMax(0, excess) : fabs(PetscMax(excess, -shift));
}

/* What is kept of a constraint, for people, and its residual. */
static double Judge(const Term *term, double penalty, const double *excess, const double *shift, ConstraintState *out)
{
  const double sign = term->type == &objective_underdose ? -1 : 1;
  const PetscInt n = ConstraintSize(term);
  double residual = 0, worst = excess[0];
  out->missed = 0;
  for (PetscInt i = 0; i < n; i++) {
    residual = PetscMax(residual, Residual(term, excess[i], shift[i]));
    worst = PetscMax(worst, excess[i]);
    if (n == term->n && excess[i] > 0) out->missed += term->share[i];
  }
  out->bound = term->bound;
  out->worst = term->bound + sign * worst;
  out->violation = (IsEquality(term) ? fabs(worst) : PetscMax(0, worst)) / term->bound;
  out->penalty = penalty;
  return residual / term->bound;
}

/* Multipliers take in the excess; a penalty grows, and the shifts with it shrink, where the residual did not fall enough. */
static void Move(const Solver *s, const Term *term, PetscInt h, double before, double *shift, const double *excess)
{
  const PetscBool grows = s->residual[h] > s->spec->optimizer->constraint_tolerance &&
                          s->residual[h] > ENOUGH_FALL * before && s->penalty[h] < PENALTY_MOST * FirstPenalty(s);
  for (PetscInt i = 0; i < ConstraintSize(term); i++) {
    shift[i] += excess[i];
    if (!IsEquality(term)) shift[i] = PetscMax(0, shift[i]);
    if (grows) shift[i] /= PENALTY_GROWTH;
  }
  if (grows) s->penalty[h] *= PENALTY_GROWTH;
}

/* Judge all constraints at the point evaluated last; then move the multipliers, if wanted. */
static PetscErrorCode Pass(Solver *s, PetscBool move, double *residual)
{
  PetscFunctionBegin;
  const ProblemSpec *terms = s->spec->terms;
  PetscInt h = 0, first = 0;
  *residual = 0;
  for (PetscInt t = 0; t < terms->n_term; t++) {
    const Term *term = &terms->term[t];
    if (!term->hard) continue;
    ConstraintState *state = &s->solution->constraint[h];
    const double now = Judge(term, s->penalty[h], s->excess + first, s->shift + first, state), before = s->residual[h];
    state->term = t;
    *residual = PetscMax(*residual, now);
    if (move) {
      s->residual[h] = now;
      Move(s, term, h, before, s->shift + first, s->excess + first);
    }
    first += ConstraintSize(term);
    h++;
  }
  PetscFunctionReturn(0);
}

/* To the best point, which is the one that must keep the bounds. */
static PetscErrorCode GoToBest(Solver *s)
{
  PetscFunctionBegin;
  PetscCall(SolverGoTo(s, s->best));
  s->spending = SPENT_ROUND;
  PetscCall(SolverEvaluate(s, s->x, NULL, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverConstraintsRound(Solver *s)
{
  PetscFunctionBegin;
  double residual;
  PetscCall(GoToBest(s));
  PetscCall(ProblemMeasureConstraints(s->problem, s->excess, &s->solution->constraint_part));
  PetscCall(Pass(s, PETSC_FALSE, &residual));
  if (s->spent || residual <= s->spec->optimizer->constraint_tolerance) PetscFunctionReturn(0);
  s->idle = residual < NEARER * s->least_residual ? 0 : s->idle + 1;
  s->least_residual = PetscMin(s->least_residual, residual);
  s->finished = PETSC_FALSE;
  if (s->idle == MOST_IDLE) {
    PetscCall(SolverFinish(s, PETSC_FALSE, "constraints came no nearer over %d rounds", (int)MOST_IDLE));
    PetscFunctionReturn(0);
  }
  PetscCall(Pass(s, PETSC_TRUE, &residual));
  PetscCall(ProblemSetConstraints(s->problem, s->penalty, s->shift));
  s->known = PETSC_FALSE;
  s->best_objective = INFINITY;
  s->still = 0;
  s->round_start = s->solution->n_history - 1;
  s->solution->n_round++;
  s->spending = SPENT_ROUND;
  PetscCall(SolverEvaluate(s, s->x, NULL, NULL));
  PetscFunctionReturn(0);
}
