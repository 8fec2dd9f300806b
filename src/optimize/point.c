/* One point of the optimisation: weights from TAO's variables, the objective there, and who asked for it. */
#include "robion/log.h"
#include "solver_private.h"
#include <math.h>

const char *const spent_names[N_SPENT] = {"steps", "line searches", "rounds", "certificate", "delivery"};

double SolverSeconds(const Solver *s)
{
  return TimeSteady() - s->start + s->earlier_s;
}

/* Whether x is the point evaluated last, and what TAO minimises still the same. */
static PetscErrorCode FindKnown(const Solver *s, const PetscScalar *x, PetscBool *known)
{
  PetscFunctionBegin;
  *known = s->known;
  if (!s->known) PetscFunctionReturn(0);
  PetscCall(PetscArraycmp(s->known_x, x, s->slices.n_own, known));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, known, 1, MPIU_BOOL, MPI_LAND, s->slices.comm));
  PetscFunctionReturn(0);
}

/* sum_s lambda_s F_s from the smooth maximum, which is less by mu sum_s lambda_s ln(lambda_s / multiplier_s). */
static double WeightedSum(const Solver *s, double smooth)
{
  for (PetscInt g = 0; g < s->n_group; g++)
    for (PetscInt i = g * s->n_row; i < (g + 1) * s->n_row; i++)
      if (s->lambda[i] > 0 && isfinite(s->mu[g]))
        smooth += s->mu[g] * s->lambda[i] * log(s->lambda[i] / s->multiplier[i]);
  return smooth;
}

static PetscErrorCode EvaluateAnew(Solver *s, const PetscScalar *x)
{
  PetscFunctionBegin;
  const PetscInt n = s->slices.n_own;
  PetscInt worst;
  double objective, weighted;
  for (PetscInt j = 0; j < n; j++) s->weight[j] = x[j] * s->unit[j];
  PetscCall(SlicesGather(&s->slices, s->weight, s->all));
  PetscCall(ProblemEvaluate(s->problem, s->all, &s->known_f, s->slope));
  s->solution->n_evaluation++;
  s->solution->spent[s->certifying ? SPENT_CERTIFICATE : s->spending]++;
  if (s->spending == SPENT_STEP || s->spending == SPENT_ROUND) s->spending = SPENT_SEARCH;
  PetscCall(ProblemGetTotals(s->problem, s->total, s->lambda));
  PetscCall(ProblemGetTrueObjective(s->problem, &objective, &worst));
  if (objective < s->best_objective && !s->certifying) {
    s->best_objective = objective;
    PetscCall(PetscArraycpy(s->best, s->weight, n));
  }
  weighted = WeightedSum(s, s->known_f);
  PetscCallMPI(MPI_Bcast(&weighted, 1, MPI_DOUBLE, 0, s->slices.comm)); /* as the problem's numbers: one for all */
  const double *slope = s->slope + s->slices.first;
  PetscCall(BoundUpdate(&s->bound, weighted, slope, s->weight, s->best_objective));
  for (PetscInt j = 0; j < n; j++) s->known_g[j] = slope[j] * s->unit[j];
  PetscCall(PetscArraycpy(s->known_x, x, n));
  s->known = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode SolverEvaluate(Solver *s, Vec x, double *f, double *gradient)
{
  PetscFunctionBegin;
  const PetscScalar *variable;
  PetscBool known;
  PetscCall(VecGetArrayRead(x, &variable));
  PetscCall(FindKnown(s, variable, &known));
  if (!known) PetscCall(EvaluateAnew(s, variable));
  PetscCall(VecRestoreArrayRead(x, &variable));
  if (f) *f = s->known_f;
  if (gradient) PetscCall(PetscArraycpy(gradient, s->known_g, s->slices.n_own));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverGoTo(Solver *s, const double *weight)
{
  PetscFunctionBegin;
  PetscScalar *x;
  PetscCall(VecGetArray(s->x, &x));
  for (PetscInt j = 0; j < s->slices.n_own; j++) x[j] = weight[j] / s->unit[j];
  PetscCall(VecRestoreArray(s->x, &x));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverSetSmoothMax(Solver *s)
{
  PetscFunctionBegin;
  if (!s->n_group) PetscFunctionReturn(0);
  PetscCall(ProblemSetSmoothMax(s->problem, s->mu, s->multiplier));
  s->known = PETSC_FALSE;
  PetscFunctionReturn(0);
}
