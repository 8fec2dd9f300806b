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
  SolveState *state = &s->solution->state;
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
  PetscCall(SolveStateAdd(state, "variable", s->n_spot, x));
  PetscCall(VecRestoreArrayRead(s->x, &x));
  PetscCall(SolveStateAdd(state, "best", s->n_spot, s->best));
  PetscCall(SolveStateAdd(state, "step", s->history.n_pair * s->n_spot, s->history.step));
  PetscCall(SolveStateAdd(state, "change", s->history.n_pair * s->n_spot, s->history.change));
  PetscCall(SaveHistory(s, state));
  PetscCall(SolveStateAdd(state, "penalty", s->n_hard, s->penalty));
  PetscCall(SolveStateAdd(state, "residual", s->n_hard, s->residual));
  PetscCall(SolveStateAdd(state, "shift", s->n_multiplier, s->shift));
  const double round[N_ROUND] = {s->round_start, s->idle, s->least_residual, s->solution->n_round};
  PetscCall(SolveStateAdd(state, "round", N_ROUND, round));
  PetscFunctionReturn(0);
}

/* The values of a field that must have n of them. */
static PetscErrorCode Load(const SolveState *state, const char *name, PetscInt n, double *out)
{
  PetscFunctionBegin;
  const StateField *field = SolveStateFind(state, name);
  PetscCheck(field && field->n == n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
             "state of a solver: %s has %d numbers, expected %d", name, field ? (int)field->n : 0, (int)n);
  PetscCall(PetscArraycpy(out, field->value, n));
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadHistory(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  Solution *solution = s->solution;
  const StateField *field = SolveStateFind(state, "history");
  PetscCheck(field && field->n % ITERATION_NUMBERS == 0, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "state without history");
  solution->n_history = solution->history_capacity = field->n / ITERATION_NUMBERS;
  PetscCall(PetscMalloc1(solution->n_history, &solution->history));
  for (PetscInt i = 0; i < solution->n_history; i++) {
    const double *n = field->value + i * ITERATION_NUMBERS;
    solution->history[i] = (Iteration){.iteration = (PetscInt)n[0],
                                       .evaluations = (PetscInt)n[1],
                                       .objective = n[2],
                                       .minimised = n[3],
                                       .gradient_norm = n[4],
                                       .seconds = n[5],
                                       .worst = (PetscInt)n[6]};
  }
  if (solution->n_history) solution->n_iteration = solution->history[solution->n_history - 1].iteration;
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadPairs(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  const StateField *step = SolveStateFind(state, "step");
  PetscCheck(step && step->n % s->n_spot == 0 && step->n / s->n_spot <= DESCENT_PAIRS, PETSC_COMM_SELF,
             PETSC_ERR_ARG_SIZ, "state with %d numbers of steps", step ? (int)step->n : 0);
  s->history.n_pair = step->n / s->n_spot;
  PetscCall(Load(state, "step", step->n, s->history.step));
  PetscCall(Load(state, "change", step->n, s->history.change));
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadConstraints(Solver *s, const SolveState *state)
{
  PetscFunctionBegin;
  double round[N_ROUND];
  PetscCall(Load(state, "penalty", s->n_hard, s->penalty));
  PetscCall(Load(state, "residual", s->n_hard, s->residual));
  PetscCall(Load(state, "shift", s->n_multiplier, s->shift));
  PetscCall(Load(state, "round", N_ROUND, round));
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
  PetscScalar *x;
  PetscCall(Load(state, "counts", N_COUNTS, count));
  PetscCall(Load(state, "temperature", s->n_group, s->mu));
  PetscCall(Load(state, "multiplier", s->n_group * s->n_row, s->multiplier));
  PetscCall(VecGetArray(s->x, &x));
  PetscCall(Load(state, "variable", s->n_spot, x));
  PetscCall(VecRestoreArray(s->x, &x));
  PetscCall(Load(state, "best", s->n_spot, s->best));
  PetscCall(LoadPairs(s, state));
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
