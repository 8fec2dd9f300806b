/* What the verbs share that work on one plan of a study and on spots made elsewhere. */
#include "robion/cli.h"
#include "robion/plan_read.h"
#include "robion/text.h"
#include "robion/trip98.h"
#include <string.h>

PetscErrorCode ReadSpots(const char *file, Mistakes *mistakes, SpotList *spots)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscArrayzero(spots, 1));
  if (rank == 0) {
    if (TextHasEnding(file, ".h5"))
      PetscCall(PlanReadSpots(file, mistakes, spots));
    else if (TextHasEnding(file, ".rst"))
      PetscCall(SpotListReadRaster(file, mistakes, spots));
    else
      PetscCall(SpotListReadCSV(file, mistakes, spots));
  }
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(SpotListBroadcast(PETSC_COMM_WORLD, 0, spots));
  PetscFunctionReturn(0);
}

const PlanSpec *ChoosePlan(const Study *study, const char *case_name, const char *arm, Mistakes *mistakes)
{
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const PlanSpec *plan = &study->plans[p];
    if ((!case_name || !strcmp(case_name, plan->case_name)) && (!arm || !strcmp(arm, plan->arm))) return plan;
  }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "the study has no plan of case %s, arm %s",
                    case_name ? case_name : "any", arm ? arm : "any");
  return NULL;
}
