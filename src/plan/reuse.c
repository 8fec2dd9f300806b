/* Plans that differ in how they are evaluated alone have the same optimisation: the first of them makes it. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/plan_read.h"

/* Spot weights of a finished plan; the plan it is must be the one of the study. Rank 0. */
static PetscErrorCode ReadWeights(const char *folder, const PlanSpec *from, PetscInt n_spot, Mistakes *mistakes,
                                  double *weight)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], reason[PLAN_REASON];
  SpotList spots = {0};
  PlanFilePath(folder, PLAN_H5, file);
  if (PlanInspect(folder, PlanSettingsOf(from), LOOK_SETTINGS, reason) == PLAN_FINISHED)
    PetscCall(PlanReadSpots(file, mistakes, &spots));
  else
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s, whose spot weights this plan is to have", file,
                          reason[0] ? reason : "is not there"));
  if (!MistakesAny(mistakes) && spots.n != n_spot)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: has %d spots, expected %d", file, (int)spots.n, (int)n_spot));
  if (!MistakesAny(mistakes)) PetscCall(PetscArraycpy(weight, spots.particles, n_spot));
  PetscCall(SpotListDestroy(&spots));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadObjective(const char *folder, Mistakes *mistakes, double *objective)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  PlanReader reader;
  PlanFilePath(folder, PLAN_H5, file);
  if (!PlanReaderOpen(file, mistakes, &reader)) PetscFunctionReturn(0);
  (void)PlanReadNumber(&reader, PLAN_OBJECTIVE, mistakes, objective);
  (void)PlanReaderClose(&reader, mistakes);
  PetscFunctionReturn(0);
}

PetscErrorCode PlanTakeWeights(PlanContext *context, const PlanSpec *plan, PetscInt n_spot, Mistakes *mistakes,
                               Solution *solution)
{
  PetscFunctionBegin;
  const PlanSpec *from = &context->study->plans[plan->optimized_by];
  char folder[PETSC_MAX_PATH_LEN];
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", context->results, from->folder));
  PetscCall(PetscMalloc1(n_spot, &solution->weight));
  if (context->rank == 0) PetscCall(ReadWeights(folder, from, n_spot, mistakes, solution->weight));
  if (context->rank == 0 && !MistakesAny(mistakes)) PetscCall(ReadObjective(folder, mistakes, &solution->objective));
  PetscCall(MistakesShare(context->comm, mistakes));
  PetscCallMPI(MPI_Bcast(solution->weight, (PetscMPIInt)n_spot, MPI_DOUBLE, 0, context->comm));
  PetscCallMPI(MPI_Bcast(&solution->objective, 1, MPI_DOUBLE, 0, context->comm));
  PetscCall(PetscSNPrintf(solution->reason, sizeof solution->reason, "weights of %s", from->folder));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanFindStage(PlanContext *context, const PlanSpec *from, PetscInt n_spot, const CourseStage *stage,
                             double *weight, int *there)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN];
  double *all;
  Mistakes unread = {0}; /* then the stage is planned anew */
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", context->results, from->folder));
  PetscCall(PetscMalloc1(n_spot, &all));
  PetscCall(ReadWeights(folder, from, n_spot, &unread, all));
  if (!MistakesAny(&unread)) {
    PetscCall(PetscArraycpy(weight + stage->first_spot, all + stage->first_spot, stage->n_spot));
    *there = 1;
  }
  PetscCall(MistakesClear(&unread));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}
