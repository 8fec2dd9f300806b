/*
 * PETSc's options for the solver, tried on three variables before anything is planned: what TAO does not know, or cannot do with an
 * objective and a gradient alone, is the user's mistake and no failed plan.
 */
#include "robion/failure.h"
#include "solver_private.h"
#include <string.h>

enum { N_TRIED = 3, MOST_STEPS = 2 };

static PetscErrorCode SquaredLength(Tao tao, Vec x, PetscReal *f, Vec gradient, void *context)
{
  PetscFunctionBegin;
  PetscCall(VecDot(x, x, f));
  PetscCall(VecCopy(x, gradient));
  PetscCall(VecScale(gradient, 2));
  PetscFunctionReturn(0);
}

/* A copy of all options but those that print: the user wants to see the plans' solvers. */
static PetscErrorCode CopyQuiet(PetscOptions *quiet)
{
  PetscFunctionBegin;
  char *all, **name, **value, option[256];
  PetscInt n;
  PetscCall(PetscOptionsGetAll(NULL, &all));
  PetscCall(PetscOptionsCreate(quiet));
  PetscCall(PetscOptionsInsertString(*quiet, all));
  PetscCall(PetscFree(all));
  PetscCall(PetscOptionsLeftGet(*quiet, &n, &name, &value));
  for (PetscInt i = 0; i < n; i++) {
    if (!strstr(name[i], "monitor") && !strstr(name[i], "view")) continue;
    snprintf(option, sizeof option, "-%s", name[i]);
    PetscCall(PetscOptionsClearValue(*quiet, option));
  }
  PetscCall(PetscOptionsLeftRestore(*quiet, &n, &name, &value));
  PetscFunctionReturn(0);
}

static PetscErrorCode Try(Tao *tao, Vec x[3])
{
  PetscFunctionBegin;
  PetscBool ours, other_kind;
  PetscCall(TaoCreate(PETSC_COMM_SELF, tao));
  for (int k = 0; k < 3; k++) {
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, N_TRIED, &x[k]));
    PetscCall(VecSet(x[k], k == 0 ? 1 : k == 1 ? 0 : PETSC_INFINITY));
  }
  PetscCall(TaoSetType(*tao, TAO_DESCENT));
  PetscCall(TaoSetObjectiveAndGradient(*tao, NULL, SquaredLength, NULL));
  PetscCall(TaoSetFromOptions(*tao));
  PetscCall(PetscObjectTypeCompare((PetscObject)*tao, TAO_DESCENT, &ours));
  if (ours) PetscFunctionReturn(0); /* it has no options of its own */
  PetscCall(PetscObjectTypeCompareAny((PetscObject)*tao, &other_kind, TAOPOUNDERS, TAOBRGN, TAOADMM, ""));
  if (other_kind)
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_SUP,
            "this Tao type is for sums of parts, plans have an objective and its gradient");
  PetscCall(TaoSetMaximumIterations(*tao, MOST_STEPS));
  PetscCall(TaoSetVariableBounds(*tao, x[1], x[2]));
  PetscCall(TaoSetSolution(*tao, x[0]));
  PetscCall(TaoSolve(*tao));
  PetscFunctionReturn(0);
}

PetscErrorCode SolverCheckOptions(Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscOptions quiet;
  Tao tao = NULL;
  Vec x[3] = {NULL, NULL, NULL};
  Failure failure = {.memory = PETSC_FALSE};
  PetscCall(DescentRegister());
  PetscCall(CopyQuiet(&quiet));
  PetscCall(PetscOptionsPush(quiet));
  PetscCall(PetscPushErrorHandler(FailureKeep, &failure));
  const PetscErrorCode error = Try(&tao, x);
  (void)TaoDestroy(&tao);
  for (int k = 0; k < 3; k++) (void)VecDestroy(&x[k]);
  PetscCall(PetscPopErrorHandler());
  PetscCall(PetscOptionsPop());
  PetscCall(PetscOptionsDestroy(&quiet));
  if (error)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "PETSc options (after --): %s",
                          *failure.text ? failure.text : "the solver does not take them"));
  PetscFunctionReturn(0);
}
