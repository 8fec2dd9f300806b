/* The files that the plans of a run are made from, for its provenance.json. */
#include "cohort_private.h"
#include <string.h>

/* Files of plans that this job has to do with, each once, in the order of the plans. */
static PetscErrorCode List(const RunContext *run, const QueuePlan *plan, PetscInt *n, InputFile **input)
{
  PetscFunctionBegin;
  const Study *study = run->plan.study;
  PetscInt capacity = 0;
  *n = 0;
  *input = NULL;
  for (PetscInt p = 0; p < study->n_plans; p++) {
    PetscInt n_own;
    InputFile *own;
    if (plan[p].left == LEFT_OUT) continue;
    PetscCall(PlanInputFiles(study, &study->plans[p].settings, &n_own, &own));
    for (PetscInt i = 0, k; i < n_own; i++) {
      for (k = *n; k > 0 && strcmp((*input)[k - 1].path, own[i].path); k--) continue;
      if (k) continue;
      if (*n == capacity) PetscCall(PetscRealloc((size_t)(capacity = 2 * capacity + 16) * sizeof **input, input));
      (*input)[(*n)++] = own[i];
    }
    PetscCall(PetscFree(own));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RunInputFiles(const RunContext *run, const QueuePlan *plan, PetscInt *n, InputFile **input)
{
  PetscFunctionBegin;
  Mistakes unread = {0}; /* their plans will tell */
  PetscMPIInt bytes;
  PetscCall(List(run, plan, n, input));
  for (PetscInt i = run->plan.rank; i < *n; i += run->plan.size) (void)InputFileRead(&(*input)[i], &unread);
  PetscCall(MistakesClear(&unread));
  /* hash and size are zeros but on the rank that has read the file */
  PetscCall(PetscMPIIntCast((PetscInt)((size_t)*n * sizeof **input), &bytes));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, *input, bytes, MPI_BYTE, MPI_BOR, run->plan.comm));
  PetscFunctionReturn(0);
}
