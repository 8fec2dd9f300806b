/* Moving the point: TAO in rounds, and the multipliers and temperatures of the worst cases between them. */
#include "robion/log.h"
#include "robion/stop.h"
#include "solver_private.h"
#include <math.h>
#include <stdarg.h>

/* Multipliers of constraints need many moves more than they need exact ones. */
enum { ROUND_ITERATIONS = 20, HARD_ROUND_ITERATIONS = 10 };
static const double MU_START = 0.2; /* temperature of the first round, as share of the largest scenario value */
static const double MU_GAP = 2;     /* of later ones, in gaps between largest value and weighted sum ... */
static const double MU_LEAST = 0.05, MU_MOST = 0.2; /* ... within these shares of the largest value */
/* Multipliers that keep every scenario in the game follow the gap, too: a scenario of multiplier m may exceed the others by
   -mu ln m before it is felt, and one that counts without being among the worst costs its multiplier. */
static const double FLOOR_LEAST = 1e-4, FLOOR_MOST = 0.03;

static PetscErrorCode ObjectiveAndGradient(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  PetscFunctionBegin;
  PetscScalar *gradient;
  (void)tao;
  PetscCall(VecGetArrayWrite(g, &gradient));
  PetscCall(SolverEvaluate(context, x, f, gradient));
  PetscCall(VecRestoreArrayWrite(g, &gradient));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverFinish(Solver *s, PetscBool stopped, const char *format, ...)
{
  PetscFunctionBegin;
  va_list arguments;
  s->finished = PETSC_TRUE;
  s->solution->stopped = stopped;
  va_start(arguments, format);
  vsnprintf(s->solution->reason, sizeof s->solution->reason, format, arguments);
  va_end(arguments);
  PetscFunctionReturn(0);
}

/* What rank 0 has made up its mind about. */
typedef struct Verdict {
  PetscBool finished, spent, stopped, go_on;
  double seconds;
  char reason[sizeof((Solution *)0)->reason];
} Verdict;

PetscErrorCode SolverAgree(Solver *s, PetscBool *go_on, double *seconds)
{
  PetscFunctionBegin;
  Solution *solution = s->solution;
  Verdict verdict = {.finished = s->finished,
                     .spent = s->spent,
                     .stopped = solution->stopped,
                     .go_on = *go_on,
                     .seconds = seconds ? *seconds : 0};
  PetscCall(PetscArraycpy(verdict.reason, solution->reason, sizeof verdict.reason));
  PetscCallMPI(MPI_Bcast(&verdict, (PetscMPIInt)sizeof verdict, MPI_BYTE, 0, s->slices.comm));
  s->finished = verdict.finished;
  s->spent = verdict.spent;
  solution->stopped = verdict.stopped;
  PetscCall(PetscArraycpy(solution->reason, verdict.reason, sizeof verdict.reason));
  *go_on = verdict.go_on;
  if (seconds) *seconds = verdict.seconds;
  PetscFunctionReturn(0);
}

static PetscErrorCode AppendHistory(Solution *solution, Iteration line)
{
  PetscFunctionBegin;
  if (solution->n_history == solution->history_capacity) {
    solution->history_capacity = solution->history_capacity ? 2 * solution->history_capacity : 64;
    PetscCall(PetscRealloc((size_t)solution->history_capacity * sizeof line, &solution->history));
  }
  solution->history[solution->n_history++] = line;
  PetscFunctionReturn(0);
}

/* Whether the objective has levelled out over the window. */
static PetscBool LevelledOut(const Solver *s)
{
  const Solution *solution = s->solution;
  const PetscInt last = solution->n_history - 1, window = s->spec->optimizer->window;
  if (last - window <= s->round_start) return PETSC_FALSE;
  const double before = solution->history[last - window].objective, now = solution->history[last].objective;
  return before - now <= s->spec->optimizer->relative_tolerance * fabs(before) ? PETSC_TRUE : PETSC_FALSE;
}

/* Whether further iterations are expected to bring no more than wanted. */
static PetscBool GapExpected(const Solver *s)
{
  PetscBool known;
  const double fall = SolverExpectedFall(s, &known);
  return known && fall <= s->spec->optimizer->relative_gap * s->best_objective ? PETSC_TRUE : PETSC_FALSE;
}

/* Whether the proven gap is as small as wanted. */
static PetscBool GapClosed(const Solver *s)
{
  return s->bound.rigorous && s->best_objective - s->bound.lower <= s->spec->optimizer->relative_gap * s->best_objective
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* Rank 0 alone, which has the clock. */
static PetscErrorCode CheckLimits(Solver *s, const Iteration *line)
{
  PetscFunctionBegin;
  const OptimizerSpec *optimizer = s->spec->optimizer;
  if (StopRequested())
    PetscCall(SolverFinish(s, PETSC_TRUE, "%s", StopReason()));
  else if ((s->spent = line->iteration >= optimizer->max_iterations))
    PetscCall(SolverFinish(s, PETSC_FALSE, "reached max_iterations %d", (int)optimizer->max_iterations));
  else if ((s->spent = optimizer->max_minutes > 0 && line->seconds > 60 * optimizer->max_minutes))
    PetscCall(SolverFinish(s, PETSC_FALSE, "reached max_minutes %g", optimizer->max_minutes));
  else if (line->gradient_norm == 0)
    PetscCall(SolverFinish(s, PETSC_FALSE, "projected gradient is zero"));
  else if (GapClosed(s))
    PetscCall(SolverFinish(s, PETSC_FALSE, "proven to be within %g %% of the optimum", 100 * optimizer->relative_gap));
  else if (GapExpected(s))
    PetscCall(
        SolverFinish(s, PETSC_FALSE, "expected to be within %g %% of the optimum", 100 * optimizer->relative_gap));
  else if (!s->n_group && LevelledOut(s))
    PetscCall(SolverFinish(s, PETSC_FALSE, "objective fell by less than %g over %d iterations",
                           optimizer->relative_tolerance, (int)optimizer->window));
  PetscFunctionReturn(0);
}

/* Once per iteration: record it, report it, and decide whether to go on. */
static PetscErrorCode TestConvergence(Tao tao, void *context)
{
  PetscFunctionBegin;
  Solver *s = context;
  Iteration line = {.iteration = s->solution->n_history, .seconds = SolverSeconds(s)};
  PetscReal norm;
  PetscCall(TaoGetSolutionStatus(tao, NULL, &line.minimised, &norm, NULL, NULL, NULL));
  const PetscBool begins = s->round_iterations < 0 ? PETSC_TRUE : PETSC_FALSE;
  s->round_iterations++;
  s->spending = SPENT_STEP;
  if (begins && s->solution->n_history > 0) PetscFunctionReturn(0); /* a round starts where the last one ended */
  if (s->solution->n_history == 0) s->first_norm = norm;
  line.evaluations = s->solution->n_evaluation;
  line.gradient_norm = norm;
  PetscCall(ProblemGetTrueObjective(s->problem, &line.objective, &line.worst));
  PetscCall(AppendHistory(s->solution, line));
  s->solution->n_iteration = line.iteration;
  if (s->slices.rank == 0) {
    if (s->spec->monitor) PetscCall((*s->spec->monitor)(&line, s->spec->optimizer->max_iterations, s->spec->context));
    PetscCall(CheckLimits(s, &line));
  }
  PetscBool go_on = s->finished || s->round_iterations >= s->round_end ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(SolverAgree(s, &go_on, &s->solution->history[line.iteration].seconds));
  if (!go_on) PetscCall(TaoSetConvergedReason(tao, TAO_CONVERGED_USER));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverCreateTao(MPI_Comm comm, Solver *s)
{
  PetscFunctionBegin;
  PetscBool ours;
  PetscCall(DescentRegister());
  PetscCall(TaoCreate(comm, &s->tao));
  PetscCall(TaoSetType(s->tao, TAO_DESCENT));
  PetscCall(TaoSetObjectiveAndGradient(s->tao, NULL, ObjectiveAndGradient, s));
  PetscCall(TaoSetConvergenceTest(s->tao, TestConvergence, s));
  PetscCall(TaoSetMaximumFunctionEvaluations(s->tao, 100 * s->spec->optimizer->max_iterations));
  PetscCall(TaoSetMaximumIterations(s->tao, PETSC_MAX_INT));
  PetscCall(TaoSetTolerances(s->tao, 0, 0, 0));
  PetscCall(TaoSetFromOptions(s->tao));
  /* Others add up over the ranks in the order of MPI's: on one rank's numbers and zeros they cannot but agree. */
  PetscCall(PetscObjectTypeCompare((PetscObject)s->tao, TAO_DESCENT, &ours));
  PetscCall(SlicesCreate(comm, s->spec->terms->n_spot, ours ? PETSC_FALSE : PETSC_TRUE, &s->slices));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverSetVectors(Solver *s)
{
  PetscFunctionBegin;
  PetscCall(VecCreateMPI(s->slices.comm, s->slices.n_own, s->slices.n, &s->x));
  PetscCall(VecDuplicate(s->x, &s->low));
  PetscCall(VecDuplicate(s->x, &s->high));
  PetscCall(VecSet(s->low, 0));
  PetscCall(VecSet(s->high, PETSC_INFINITY));
  PetscCall(DescentHistoryCreate(&s->slices, &s->history));
  PetscCall(DescentSetHistory(s->tao, &s->history));
  PetscCall(TaoSetVariableBounds(s->tao, s->low, s->high));
  PetscCall(TaoSetSolution(s->tao, s->x));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverRunRound(Solver *s, PetscInt iterations, PetscBool *moved)
{
  PetscFunctionBegin;
  s->round_end = iterations;
  s->round_iterations = -1;
  s->spending = SPENT_ROUND;
  PetscCall(TaoSolve(s->tao));
  *moved = s->round_iterations > 0 ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* All scenarios alike, and as smooth as the groups' largest values at the start are large. */
static PetscErrorCode FirstMultipliers(Solver *s)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < s->n_group * s->n_row; i++) s->multiplier[i] = 1.0 / (double)s->n_row;
  if (!s->n_group) PetscFunctionReturn(0);
  for (PetscInt g = 0; g < s->n_group; g++) s->mu[g] = INFINITY;
  PetscCall(SolverSetSmoothMax(s));
  s->spending = SPENT_ROUND;
  PetscCall(SolverEvaluate(s, s->x, NULL, NULL));
  for (PetscInt g = 0; g < s->n_group; g++) {
    double highest = 0;
    for (PetscInt i = g * s->n_row; i < (g + 1) * s->n_row; i++) highest = PetscMax(highest, s->total[i]);
    s->mu[g] = PetscMax(MU_START * highest, PETSC_SMALL);
  }
  PetscFunctionReturn(0);
}

/* The weights that the scenarios have at the point become the multipliers; temperature and floor follow the gap. The last ones
   are the certificate's, and stay as they are. */
static void NextMultipliers(Solver *s)
{
  for (PetscInt g = 0; g < s->n_group; g++) {
    double highest = 0, weighted = 0, sum = 0;
    const PetscInt begin = g * s->n_row, end = begin + s->n_row;
    for (PetscInt i = begin; i < end; i++) {
      highest = PetscMax(highest, s->total[i]);
      weighted += s->lambda[i] * s->total[i];
    }
    const double gap = highest > 0 ? (highest - weighted) / highest : 0;
    const double least = s->finished ? 0 : PetscMax(FLOOR_LEAST, PetscMin(FLOOR_MOST, gap));
    for (PetscInt i = begin; i < end; i++) sum += s->multiplier[i] = PetscMax(s->lambda[i], least);
    for (PetscInt i = begin; i < end; i++) s->multiplier[i] /= sum;
    const double wanted = PetscMax(MU_LEAST * highest, PetscMin(MU_MOST * highest, MU_GAP * (highest - weighted)));
    s->mu[g] = PetscMax(wanted, PETSC_SMALL);
  }
}

static PetscInt RoundIterations(const Solver *s)
{
  return s->n_hard ? HARD_ROUND_ITERATIONS : ROUND_ITERATIONS;
}

/* Between rounds: new multipliers where the round ended (a line search may have looked elsewhere last). */
static PetscErrorCode EndRound(Solver *s, double before, PetscBool moved)
{
  PetscFunctionBegin;
  const double fall = before - s->best_objective;
  const double expected = s->spec->optimizer->relative_tolerance * RoundIterations(s) / s->spec->optimizer->window;
  s->still = fall < expected * fabs(before) || !moved ? s->still + 1 : 0;
  if (!s->finished && s->n_group && s->still == 2)
    PetscCall(SolverFinish(s, PETSC_FALSE, "worst case levelled out between rounds"));
  if (!s->finished && !s->n_group && !moved) PetscCall(SolverFinish(s, PETSC_FALSE, "no step lowers the objective"));
  if (s->n_group) {
    s->spending = SPENT_SEARCH;
    PetscCall(SolverEvaluate(s, s->x, NULL, NULL));
    NextMultipliers(s);
    PetscCall(SolverSetSmoothMax(s));
  }
  PetscFunctionReturn(0);
}

/* Hand the state to whoever writes it down, when it is time for that by rank 0's clock. */
static PetscErrorCode Checkpoint(Solver *s)
{
  PetscFunctionBegin;
  SolveState whole = {0};
  PetscBool due = TimeSteady() - s->kept_s >= 60 * s->spec->optimizer->checkpoint_minutes ? PETSC_TRUE : PETSC_FALSE;
  if (!s->spec->checkpoint) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Bcast(&due, 1, MPIU_BOOL, 0, s->slices.comm));
  if (!due) PetscFunctionReturn(0);
  PetscCall(SolverCollectState(s, &whole));
  if (s->slices.rank == 0) PetscCall((*s->spec->checkpoint)(&whole, s->spec->context));
  PetscCall(SolveStateDestroy(&whole));
  s->kept_s = TimeSteady();
  PetscFunctionReturn(0);
}

PetscErrorCode SolverRun(Solver *s)
{
  PetscFunctionBegin;
  if (!s->resumed) {
    PetscCall(SolverConstraintsStart(s));
    PetscCall(FirstMultipliers(s));
    PetscCall(SolverSetSmoothMax(s));
  }
  PetscCall(SolverSave(s));
  while (!s->finished) {
    const double before = s->best_objective;
    PetscBool moved;
    PetscCall(SolverRunRound(s, RoundIterations(s), &moved));
    if (s->solution->stopped) break; /* this round is gone through again */
    PetscCall(EndRound(s, before, moved));
    if (s->n_hard) PetscCall(SolverConstraintsRound(s));
    if (s->finished) break; /* whoever is stopped from here on goes through the last round again, and ends with it */
    PetscCall(SolverSave(s));
    PetscCall(Checkpoint(s));
  }
  PetscFunctionReturn(0);
}
