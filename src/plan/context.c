/* What is shared by all plans that a team makes. */
#include "robion/plan.h"

PetscErrorCode PlanContextCreate(MPI_Comm comm, int argc, char **argv, const Study *study, const char *results,
                                 PlanContext *context)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(context, 1));
  context->comm = comm;
  context->study = study;
  context->results = results;
  context->nodes = 1;
  PetscCallMPI(MPI_Comm_rank(comm, &context->rank));
  PetscCallMPI(MPI_Comm_size(comm, &context->size));
  PetscCall(ProvenanceFill(comm, argc, argv, study->hash, &context->provenance));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanContextDestroy(PlanContext *context)
{
  PetscFunctionBegin;
  PetscCall(MachineDestroy(&context->machine));
  PetscCall(PetscFree(context->machine_key));
  PetscFunctionReturn(0);
}
