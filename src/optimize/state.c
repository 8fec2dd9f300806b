/* A solver's state as named arrays of numbers, to be written down and taken up again. */
#include "solver_private.h"
#include <math.h>
#include <string.h>

const char *const solve_state_names[] = {"counts", "temperature", "multiplier", "variable", "best",  "step",
                                         "change", "history",     "penalty",    "residual", "shift", "round"};
const PetscInt n_solve_state_names = PETSC_STATIC_ARRAY_LENGTH(solve_state_names);

PetscErrorCode SolveStateAdd(SolveState *state, const char *name, PetscInt n, const double *value)
{
  PetscFunctionBegin;
  PetscCheck(state->n_field < MOST_STATE_FIELDS, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "more than %d fields",
             (int)MOST_STATE_FIELDS);
  StateField *field = &state->field[state->n_field++];
  snprintf(field->name, sizeof field->name, "%s", name);
  field->n = n;
  PetscCall(PetscMalloc1(n, &field->value));
  PetscCall(PetscArraycpy(field->value, value, n));
  PetscFunctionReturn(0);
}

const StateField *SolveStateFind(const SolveState *state, const char *name)
{
  for (PetscInt i = 0; i < state->n_field; i++)
    if (!strcmp(state->field[i].name, name)) return &state->field[i];
  return NULL;
}

PetscErrorCode SolveStateDestroy(SolveState *state)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < state->n_field; i++) PetscCall(PetscFree(state->field[i].value));
  state->n_field = 0;
  PetscFunctionReturn(0);
}

/* Counts and single numbers, in the order of the file. */
enum { COUNT_EVALUATIONS, COUNT_STILL, COUNT_KNOWN, COUNT_BEST, COUNT_LOWER, COUNT_NORM, COUNT_SECONDS, COUNT_SPENT };
enum { N_COUNTS = COUNT_SPENT + N_SPENT, ITERATION_NUMBERS = 7, N_ROUND = 4 };

static PetscErrorCode SaveHistory(Solver *s, SolveState *state)
{
  PetscFunctionBegin;
  const Solution *solution = s->solution;
  double(*line)[ITERATION_NUMBERS];
  PetscCall(PetscMalloc1(solution->n_history, &line));
  for (PetscInt i = 0; i < solution->n_history; i++) {
    const Iteration *h = &solution->history[i];
    const double number[] = {h->iteration,     h->evaluations, h->objective, h->minimised,
                             h->gradient_norm, h->seconds,     h->worst};
    PetscCall(PetscArraycpy(line[i], number, ITERATION_NUMBERS));
  }
  PetscCall(SolveStateAdd(state, "history", solution->n_history * ITERATION_NUMBERS, (const double *)line));
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverSave(Solver *s)
{
  PetscFunctionBegin;
  SolveState *state = &s->state;
  const PetscInt n = s->slices.n_own;
  const PetscScalar *x;
  double count[N_COUNTS] = {s->solution->n_evaluation, s->still,       s->known,
                            s->best_objective,         s->bound.lower, s->first_norm,
                            SolverSeconds(s)};
  for (int k = 0; k < N_SPENT; k++) count[COUNT_SPENT + k] = s->solution->spent[k];
  if (!isfinite(count[COUNT_BEST])) count[COUNT_BEST] = PETSC_MAX_REAL;
  if (!isfinite(count[COUNT_LOWER])) count[COUNT_LOWER] = -PETSC_MAX_REAL;
  PetscCall(SolveStateDestroy(state));
  PetscCall(SolveStateAdd(state, "counts", N_COUNTS, count));
  PetscCall(SolveStateAdd(state, "temperature", s->n_group, s->mu));
  PetscCall(SolveStateAdd(state, "multiplier", s->n_group * s->n_row, s->multiplier));
  PetscCall(VecGetArrayRead(s->x, &x));
  PetscCall(SolveStateAdd(state, "variable", n, x));
  PetscCall(VecRestoreArrayRead(s->x, &x));
  PetscCall(SolveStateAdd(state, "best", n, s->best));
  PetscCall(SolveStateAdd(state, "step", s->history.n_pair * n, s->history.step));
  PetscCall(SolveStateAdd(state, "change", s->history.n_pair * n, s->history.change));
  PetscCall(SaveHistory(s, state));
  PetscCall(SolveStateAdd(state, "penalty", s->n_hard, s->penalty));
  PetscCall(SolveStateAdd(state, "residual", s->n_hard, s->residual));
  PetscCall(SolveStateAdd(state, "shift", s->n_multiplier, s->shift));
  const double round[N_ROUND] = {s->round_start, s->idle, s->least_residual, s->solution->n_round};
  PetscCall(SolveStateAdd(state, "round", N_ROUND, round));
  PetscFunctionReturn(0);
}

/* Fields with a row, or some, of a number per spot. */
static const char *const of_spots[] = {"variable", "best", "step", "change"};

static PetscBool IsOfSpots(const char *name)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of_spots); i++)
    if (!strcmp(name, of_spots[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode SolverCollectState(Solver *s, SolveState *whole)
{
  PetscFunctionBegin;
  const PetscBool root = s->slices.rank == 0 ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < s->state.n_field; i++) {
    const StateField *field = &s->state.field[i];
    PetscInt rows = s->slices.n_own ? field->n / s->slices.n_own : 0;
    double *all = NULL;
    if (!IsOfSpots(field->name)) {
      if (root) PetscCall(SolveStateAdd(whole, field->name, field->n, field->value));
      continue;
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &rows, 1, MPIU_INT, MPI_MAX, s->slices.comm));
    if (root) PetscCall(PetscMalloc1((size_t)rows * (size_t)s->slices.n, &all));
    PetscCall(SlicesCollect(&s->slices, rows, field->value, all));
    if (root) PetscCall(SolveStateAdd(whole, field->name, rows * s->slices.n, all));
    PetscCall(PetscFree(all));
  }
  PetscFunctionReturn(0);
}

/* How many numbers rank 0's state has of a name. */
static PetscErrorCode Count(const Solver *s, const SolveState *state, const char *name, PetscInt *n)
{
  PetscFunctionBegin;
  const StateField *field = s->slices.rank == 0 ? SolveStateFind(state, name) : NULL;
  *n = field ? field->n : -1;
  PetscCallMPI(MPI_Bcast(n, 1, MPIU_INT, 0, s->slices.comm));
  PetscFunctionReturn(0);
}

/* Rank 0's values of a field that must have n of them, on every rank. */
static PetscErrorCode Load(const Solver *s, const SolveState *state, const char *name, PetscInt n, double *out)
{
  PetscFunctionBegin;
  PetscInt found;
  PetscCall(Count(s, state, name, &found));
  PetscCheck(found == n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "state of a solver: %s has %d numbers, expected %d", name,
             (int)found, (int)n);
  if (s->slices.rank == 0) PetscCall(PetscArraycpy(out, SolveStateFind(state, name)->value, n));
  PetscCallMPI(MPI_Bcast(out, (PetscMPIInt)n, MPI_DOUBLE, 0, s->slices.comm));
  PetscFunctionReturn(0);
}

/* The same of rows of a number per spot, in slices; *rows: as many as there are, `most` at most. */
static PetscErrorCode LoadRows(const Solver *s, const SolveState *state, const char *name, PetscInt most, double *out,
                               PetscInt *rows)
{
  PetscFunctionBegin;
  PetscInt found;
  PetscCall(Count(s, state, name, &found));
  PetscCheck(found >= 0 && found % s->slices.n == 0 && found / s->slices.n <= most, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "state of a solver: %s has %d numbers, expected %d or fewer", name, (int)found, (int)(most * s->slices.n));
  *rows = found / s->slices.n;
  PetscCall(SlicesDeal(&s->slices, *rows, s->slices.rank == 0 ? SolveStateFind(state, name)->value : NULL, out));
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadHistory(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  Solution *solution = s->solution;
  PetscInt n;
  double *value;
  PetscCall(Count(s, state, "history", &n));
  PetscCheck(n >= 0 && n % ITERATION_NUMBERS == 0, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "state without history");
  solution->n_history = solution->history_capacity = n / ITERATION_NUMBERS;
  PetscCall(PetscMalloc1(solution->n_history, &solution->history));
  PetscCall(PetscMalloc1(n, &value));
  PetscCall(Load(s, state, "history", n, value));
  for (PetscInt i = 0; i < solution->n_history; i++) {
    const double *number = value + i * ITERATION_NUMBERS;
    solution->history[i] = (Iteration){.iteration = (PetscInt)number[0],
                                       .evaluations = (PetscInt)number[1],
                                       .objective = number[2],
                                       .minimised = number[3],
                                       .gradient_norm = number[4],
                                       .seconds = number[5],
                                       .worst = (PetscInt)number[6]};
  }
  PetscCall(PetscFree(value));
  if (solution->n_history) solution->n_iteration = solution->history[solution->n_history - 1].iteration;
  PetscFunctionReturn(0);
}

/* The point, the best one, and what is known of the curvature. */
static PetscErrorCode LoadPoint(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  PetscScalar *x;
  PetscInt rows, pairs;
  PetscCall(VecGetArray(s->x, &x));
  PetscCall(LoadRows(s, state, "variable", 1, x, &rows));
  PetscCall(VecRestoreArray(s->x, &x));
  PetscCall(LoadRows(s, state, "best", 1, s->best, &rows));
  PetscCall(LoadRows(s, state, "step", DESCENT_PAIRS, s->history.step, &s->history.n_pair));
  PetscCall(LoadRows(s, state, "change", DESCENT_PAIRS, s->history.change, &pairs));
  PetscCheck(rows == 1 && pairs == s->history.n_pair, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "state of a solver with %d steps and %d changes", (int)s->history.n_pair, (int)pairs);
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadConstraints(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  double round[N_ROUND];
  PetscCall(Load(s, state, "penalty", s->n_hard, s->penalty));
  PetscCall(Load(s, state, "residual", s->n_hard, s->residual));
  PetscCall(Load(s, state, "shift", s->n_multiplier, s->shift));
  PetscCall(Load(s, state, "round", N_ROUND, round));
  s->round_start = (PetscInt)round[0];
  s->idle = (PetscInt)round[1];
  s->least_residual = round[2];
  s->solution->n_round = (PetscInt)round[3];
  if (s->n_hard) PetscCall(ProblemSetConstraints(s->problem, s->penalty, s->shift));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverLoad(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  double count[N_COUNTS];
  PetscCall(Load(s, state, "counts", N_COUNTS, count));
  PetscCall(Load(s, state, "temperature", s->n_group, s->mu));
  PetscCall(Load(s, state, "multiplier", s->n_group * s->n_row, s->multiplier));
  PetscCall(LoadPoint(s, state));
  PetscCall(LoadHistory(s, state));
  PetscCall(LoadConstraints(s, state));
  s->best_objective = count[COUNT_BEST];
  s->earlier_s = count[COUNT_SECONDS];
  PetscCall(SolverSetSmoothMax(s));
  if (count[COUNT_KNOWN] != 0) PetscCall(SolverEvaluate(s, s->x, NULL, NULL)); /* the run before knew this point */
  s->still = (PetscInt)count[COUNT_STILL];
  s->bound.lower = count[COUNT_LOWER];
  s->first_norm = count[COUNT_NORM];
  s->solution->n_evaluation = (PetscInt)count[COUNT_EVALUATIONS];
  for (int k = 0; k < N_SPENT; k++) s->solution->spent[k] = (PetscInt)count[COUNT_SPENT + k];
  s->resumed = PETSC_TRUE;
  PetscFunctionReturn(0);
}
