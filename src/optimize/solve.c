/*
 * Spot weights by TAO's bound-constrained limited-memory solver (BLMVM unless -tao_type says otherwise).
 *
 * Plans that look for a worst case use exponential multipliers: stages of minimising a smooth maximum over scenarios (see
 * robust.h), after each of which the multipliers become the weights that the scenarios had in it. The solver's curvature history is kept
 * between stages.
 */
#include "robion/optimize.h"
#include "robion/stop.h"
#include <math.h>
#include <petsctao.h>
#include <petsctime.h>
#include <string.h>

enum { STAGE_ITERATIONS = 40 };
static const double MU_START = 1.0, MU_SHARE = 0.05; /* of the largest scenario value: first stage, later stages */
static const double MULTIPLIER_FLOOR = 1e-6;         /* keeps every scenario in the game */

typedef struct Solver {
  Problem problem;
  const OptimizerSpec *optimizer;
  const ScenarioSet *set;
  PetscInt n_group;           /* of terms whose worst case is looked for; 0: no minimax */
  PetscInt n_spot, stage_end; /* iteration at which the stage ends */
  double unit;                /* particles per unit of TAO's variables */
  double *weight, *best, best_objective, *total;
  SolveMonitor monitor;
  void *context;
  PetscLogDouble start;
  Solution *solution;
  PetscBool stage_begins, finished;
} Solver;

/* Evaluate at TAO's variables; gradient may be NULL. Remembers the best point. */
static PetscErrorCode EvaluateAt(Solver *solver, Vec x, double *f, double *gradient)
{
  PetscFunctionBegin;
  const PetscScalar *y;
  PetscInt worst;
  double objective;
  PetscCall(VecGetArrayRead(x, &y));
  for (PetscInt j = 0; j < solver->n_spot; j++) solver->weight[j] = y[j] * solver->unit;
  PetscCall(VecRestoreArrayRead(x, &y));
  PetscCall(ProblemEvaluate(solver->problem, solver->weight, f, gradient));
  for (PetscInt j = 0; gradient && j < solver->n_spot; j++) gradient[j] *= solver->unit;
  solver->solution->n_evaluation++;
  PetscCall(ProblemGetTrueObjective(solver->problem, &objective, &worst));
  if (objective < solver->best_objective) {
    solver->best_objective = objective;
    PetscCall(PetscArraycpy(solver->best, solver->weight, solver->n_spot));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ObjectiveAndGradient(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  PetscFunctionBegin;
  PetscScalar *gradient;
  (void)tao;
  PetscCall(VecGetArray(g, &gradient));
  PetscCall(EvaluateAt(context, x, f, gradient));
  PetscCall(VecRestoreArray(g, &gradient));
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

static void Finish(Solver *solver, PetscBool stopped, const char *reason)
{
  solver->finished = PETSC_TRUE;
  solver->solution->stopped = stopped;
  snprintf(solver->solution->reason, sizeof solver->solution->reason, "%s", reason);
}

/* Whether the best objective has levelled out over the window. */
static PetscBool LevelledOut(const Solver *solver)
{
  const Solution *solution = solver->solution;
  PetscInt last = solution->n_history - 1, window = solver->optimizer->window;
  if (last < window) return PETSC_FALSE;
  double before = solution->history[last - window].objective, now = solution->history[last].objective;
  return before - now <= solver->optimizer->relative_tolerance * fabs(before) ? PETSC_TRUE : PETSC_FALSE;
}

/* Once per iteration: record it, report it, and decide whether to go on. */
static PetscErrorCode TestConvergence(Tao tao, void *context)
{
  PetscFunctionBegin;
  Solver *solver = context;
  Solution *solution = solver->solution;
  PetscReal f, norm;
  PetscLogDouble now;
  char reason[128];
  PetscCall(TaoGetSolutionStatus(tao, NULL, &f, &norm, NULL, NULL, NULL));
  PetscBool first_of_stage = solver->stage_begins;
  solver->stage_begins = PETSC_FALSE;
  if (first_of_stage && solution->n_history > 0) PetscFunctionReturn(0); /* a stage starts where the last one ended */
  PetscCall(PetscTime(&now));
  Iteration line = {
      .iteration = solution->n_history, .evaluations = solution->n_evaluation, .minimised = f, .gradient_norm = norm};
  line.seconds = now - solver->start;
  PetscCall(ProblemGetTrueObjective(solver->problem, &line.objective, &line.worst));
  PetscCall(AppendHistory(solution, line));
  solution->n_iteration = line.iteration;
  if (solver->monitor) PetscCall((*solver->monitor)(&line, solver->optimizer->max_iterations, solver->context));
  if (StopRequested())
    Finish(solver, PETSC_TRUE, StopReason());
  else if (line.iteration >= solver->optimizer->max_iterations) {
    snprintf(reason, sizeof reason, "reached max_iterations %d", (int)solver->optimizer->max_iterations);
    Finish(solver, PETSC_FALSE, reason);
  } else if (solver->optimizer->max_minutes > 0 && line.seconds > 60 * solver->optimizer->max_minutes) {
    snprintf(reason, sizeof reason, "reached max_minutes %g", solver->optimizer->max_minutes);
    Finish(solver, PETSC_FALSE, reason);
  } else if (norm == 0)
    Finish(solver, PETSC_FALSE, "projected gradient is zero");
  else if (!solver->n_group && LevelledOut(solver)) {
    snprintf(reason, sizeof reason, "objective fell by less than %g over %d iterations",
             solver->optimizer->relative_tolerance, (int)solver->optimizer->window);
    Finish(solver, PETSC_FALSE, reason);
  }
  if (solver->finished || line.iteration >= solver->stage_end)
    PetscCall(TaoSetConvergedReason(tao, TAO_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* BLMVM keeps its curvature pairs between solves only through its option; a choice of the user stays. */
static PetscErrorCode KeepHistory(Tao tao)
{
  PetscFunctionBegin;
  PetscBool blmvm, chosen;
  PetscCall(PetscObjectTypeCompare((PetscObject)tao, TAOBLMVM, &blmvm));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-tao_blmvm_recycle", &chosen));
  if (!blmvm || chosen) PetscFunctionReturn(0);
  PetscCall(PetscOptionsSetValue(NULL, "-tao_blmvm_recycle", "1"));
  PetscCall(TaoSetFromOptions(tao));
  PetscCall(PetscOptionsClearValue(NULL, "-tao_blmvm_recycle"));
  PetscFunctionReturn(0);
}

/* A TAO solver over weight >= 0. */
static PetscErrorCode CreateTao(Solver *solver, Vec x, Tao *tao)
{
  PetscFunctionBegin;
  Vec lower, upper;
  PetscCall(VecDuplicate(x, &lower));
  PetscCall(VecDuplicate(x, &upper));
  PetscCall(VecSet(lower, 0));
  PetscCall(VecSet(upper, PETSC_INFINITY));
  PetscCall(TaoCreate(PETSC_COMM_SELF, tao));
  PetscCall(TaoSetType(*tao, TAOBLMVM));
  PetscCall(TaoSetVariableBounds(*tao, lower, upper));
  PetscCall(TaoSetObjectiveAndGradient(*tao, NULL, ObjectiveAndGradient, solver));
  PetscCall(TaoSetConvergenceTest(*tao, TestConvergence, solver));
  PetscCall(TaoSetMaximumFunctionEvaluations(*tao, 100 * solver->optimizer->max_iterations));
  PetscCall(TaoSetMaximumIterations(*tao, solver->optimizer->max_iterations + 1));
  PetscCall(TaoSetTolerances(*tao, 0, 0, 0));
  PetscCall(TaoSetFromOptions(*tao));
  if (solver->n_group) PetscCall(KeepHistory(*tao));
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&upper));
  PetscFunctionReturn(0);
}

/* New multipliers: the weights the scenarios had at the last evaluation; mu follows the largest value of the group. */
static PetscErrorCode UpdateMultipliers(Solver *solver, double *mu, double *multiplier)
{
  PetscFunctionBegin;
  const PetscInt n = solver->set->n;
  PetscCall(ProblemGetTotals(solver->problem, solver->total, multiplier));
  for (PetscInt g = 0; g < solver->n_group; g++) {
    double highest = -INFINITY, sum = 0;
    for (PetscInt i = g * n; i < (g + 1) * n; i++) {
      highest = PetscMax(highest, solver->total[i]);
      multiplier[i] = PetscMax(multiplier[i], MULTIPLIER_FLOOR);
      sum += multiplier[i];
    }
    for (PetscInt i = g * n; i < (g + 1) * n; i++) multiplier[i] /= sum;
    mu[g] = PetscMax(MU_SHARE * highest, PETSC_SMALL);
  }
  PetscFunctionReturn(0);
}

/* One run of TAO up to iteration `stage_end` of the whole solution; false if it could not make a step. */
static PetscErrorCode RunStage(Solver *solver, Tao tao, PetscInt stage_end, PetscBool *moved)
{
  PetscFunctionBegin;
  PetscInt before = solver->solution->n_history;
  solver->stage_end = stage_end;
  solver->stage_begins = PETSC_TRUE;
  PetscCall(TaoSolve(tao));
  *moved = solver->solution->n_history > PetscMax(before, 1) ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The first stage: all scenarios alike, and as smooth as the groups' largest values are large. */
static PetscErrorCode FirstMultipliers(Solver *solver, Vec x, double *mu, double *multiplier)
{
  PetscFunctionBegin;
  const PetscInt n = solver->set->n;
  double f;
  PetscCall(EvaluateAt(solver, x, &f, NULL));
  PetscCall(ProblemGetTotals(solver->problem, solver->total, NULL));
  for (PetscInt g = 0; g < solver->n_group; g++) {
    double highest = -INFINITY;
    for (PetscInt i = g * n; i < (g + 1) * n; i++) {
      multiplier[i] = 1.0 / (double)n;
      highest = PetscMax(highest, solver->total[i]);
    }
    mu[g] = PetscMax(MU_START * highest, PETSC_SMALL);
  }
  PetscFunctionReturn(0);
}

/* Stages of exponential multipliers until the true maximum levels out. */
static PetscErrorCode SolveMinimax(Solver *solver, Tao tao, Vec x)
{
  PetscFunctionBegin;
  double *multiplier = solver->solution->multiplier, *mu, f;
  PetscInt still = 0;
  PetscCall(PetscMalloc1(solver->n_group, &mu));
  PetscCall(FirstMultipliers(solver, x, mu, multiplier));
  while (!solver->finished) {
    double before = solver->best_objective;
    PetscBool moved;
    PetscCall(ProblemSetSmoothMax(solver->problem, mu, multiplier));
    PetscCall(RunStage(solver, tao, solver->solution->n_iteration + STAGE_ITERATIONS, &moved));
    PetscCall(EvaluateAt(solver, x, &f, NULL)); /* where the stage ended, not at a step it rejected */
    PetscCall(UpdateMultipliers(solver, mu, multiplier));
    still = before - solver->best_objective <= solver->optimizer->relative_tolerance * fabs(before) ? still + 1 : 0;
    if (!solver->finished && (still == 2 || (!moved && still)))
      Finish(solver, PETSC_FALSE, "maximum over scenarios levelled out between multiplier stages");
  }
  PetscCall(PetscFree(mu));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveSmooth(Solver *solver, Tao tao)
{
  PetscFunctionBegin;
  PetscBool moved;
  TaoConvergedReason reason;
  PetscCall(RunStage(solver, tao, PETSC_MAX_INT, &moved));
  PetscCall(TaoGetConvergedReason(tao, &reason));
  if (!solver->finished) {
    char text[128];
    snprintf(text, sizeof text, "TAO stopped: %s", TaoConvergedReasons[reason]);
    Finish(solver, PETSC_FALSE, text);
  }
  PetscFunctionReturn(0);
}

/* Everything rank 0 does: TAO on a sequential vector, variables scaled by the mean start weight. */
static PetscErrorCode SolveOnRoot(Solver *solver, const double *start)
{
  PetscFunctionBegin;
  Tao tao;
  Vec x;
  PetscScalar *y;
  double sum = 0;
  for (PetscInt j = 0; j < solver->n_spot; j++) sum += start[j];
  solver->unit = sum > 0 ? sum / solver->n_spot : 1;
  PetscCall(PetscMalloc3(solver->n_spot, &solver->weight, solver->n_spot, &solver->best,
                         solver->n_group * solver->set->n, &solver->total));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, solver->n_spot, &x));
  PetscCall(VecGetArray(x, &y));
  for (PetscInt j = 0; j < solver->n_spot; j++) y[j] = start[j] / solver->unit;
  PetscCall(VecRestoreArray(x, &y));
  PetscCall(CreateTao(solver, x, &tao));
  PetscCall(TaoSetSolution(tao, x));
  if (solver->n_group)
    PetscCall(SolveMinimax(solver, tao, x));
  else
    PetscCall(SolveSmooth(solver, tao));
  PetscCall(PetscArraycpy(solver->solution->weight, solver->best, solver->n_spot));
  solver->solution->objective = solver->best_objective;
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  PetscCall(PetscFree3(solver->weight, solver->best, solver->total));
  PetscCall(ProblemRelease(solver->problem));
  PetscFunctionReturn(0);
}

/* Give rank 0's solution to all ranks (the history stays on rank 0, where it is written). */
static PetscErrorCode ShareSolution(MPI_Comm comm, PetscInt n_spot, PetscInt n_multiplier, Solution *solution)
{
  PetscFunctionBegin;
  PetscInt count[4] = {solution->n_iteration, solution->n_evaluation, solution->n_history, solution->stopped};
  PetscCallMPI(MPI_Bcast(count, 4, MPIU_INT, 0, comm));
  solution->n_iteration = count[0];
  solution->n_evaluation = count[1];
  solution->stopped = (PetscBool)count[3];
  if (!solution->history) PetscCall(PetscMalloc1(count[2], &solution->history));
  solution->n_history = count[2];
  PetscCallMPI(MPI_Bcast(solution->history, (PetscMPIInt)((size_t)count[2] * sizeof(Iteration)), MPI_BYTE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->weight, (PetscMPIInt)n_spot, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->reason, (PetscMPIInt)sizeof solution->reason, MPI_CHAR, 0, comm));
  PetscCallMPI(MPI_Bcast(&solution->objective, 1, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(&solution->seconds, 1, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->multiplier, (PetscMPIInt)n_multiplier, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode Solve(MPI_Comm comm, Problem problem, const OptimizerSpec *optimizer, const ScenarioSet *set,
                     PetscInt n_spot, const double *start, SolveMonitor monitor, void *context, Solution *solution)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscLogDouble now;
  Solver solver = {.problem = problem,
                   .optimizer = optimizer,
                   .set = set,
                   .n_spot = n_spot,
                   .best_objective = INFINITY,
                   .monitor = monitor,
                   .context = context,
                   .solution = solution};
  PetscCall(PetscArrayzero(solution, 1));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscTime(&solver.start));
  PetscCall(PetscCalloc1(n_spot, &solution->weight));
  PetscCall(ProblemGetGroups(problem, &solver.n_group));
  solution->n_group = solver.n_group;
  PetscCall(PetscCalloc1(solver.n_group * set->n, &solution->multiplier));
  if (rank == 0)
    PetscCall(SolveOnRoot(&solver, start));
  else
    PetscCall(ProblemServe(problem));
  PetscCall(PetscTime(&now));
  solution->seconds = now - solver.start;
  PetscCall(ShareSolution(comm, n_spot, solution->n_group * set->n, solution));
  PetscFunctionReturn(0);
}

PetscErrorCode SolutionDestroy(Solution *solution)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(solution->weight));
  PetscCall(PetscFree(solution->history));
  PetscCall(PetscFree(solution->multiplier));
  solution->n_history = 0;
  PetscFunctionReturn(0);
}
