/* Plans that differ in how they are evaluated alone have the same optimisation: the first of them makes it. */
#include "cohort_private.h"
#include "robion/hdf5.h"
#include "robion/log.h"

/* Weights and objective of a finished plan; the plan it is must be the one of the study. Rank 0. */
static PetscErrorCode ReadPlan(const char *folder, const PlanSpec *from, PetscInt n_spot, Mistakes *mistakes,
                               Solution *solution)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  SpotList spots = {0};
  H5Source source;
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/plan.h5", folder));
  if (PlanFileState(folder, from->yaml, mistakes) == PLAN_FINISHED) {
    PetscCall(SpotListReadPlan(file, mistakes, &spots));
    if (!MistakesAny(mistakes) && H5SourceOpen(file, mistakes, &source)) {
      (void)H5ReadAttribute(&source, "/optimizer", "objective", 1, &solution->objective, mistakes);
      H5SourceClose(&source);
    }
  } else
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: is not there, whose spot weights this plan is to have", file));
  if (!MistakesAny(mistakes) && spots.n != n_spot)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: has %d spots, expected %d", file, (int)spots.n, (int)n_spot));
  if (!MistakesAny(mistakes)) PetscCall(PetscArraycpy(solution->weight, spots.particles, n_spot));
  PetscCall(SpotListDestroy(&spots));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanTakeWeights(RunContext *run, const PlanSpec *plan, PetscInt n_spot, Mistakes *mistakes,
                               Solution *solution)
{
  PetscFunctionBegin;
  const PlanSpec *from = &run->study->plans[plan->optimized_by];
  char folder[PETSC_MAX_PATH_LEN];
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", run->results, from->folder));
  PetscCall(PetscMalloc1(n_spot, &solution->weight));
  if (run->rank == 0) PetscCall(ReadPlan(folder, from, n_spot, mistakes, solution));
  PetscCall(MistakesShare(run->comm, mistakes));
  PetscCallMPI(MPI_Bcast(solution->weight, (PetscMPIInt)n_spot, MPI_DOUBLE, 0, run->comm));
  PetscCallMPI(MPI_Bcast(&solution->objective, 1, MPI_DOUBLE, 0, run->comm));
  PetscCall(PetscSNPrintf(solution->reason, sizeof solution->reason, "weights of %s", from->folder));
  PetscFunctionReturn(0);
}
