/* Planning the stages of a course one after the other, each once: plans that differ in later stages alone share the first. */
#include "plan_private.h"
#include "robion/log.h"

/* Take a stage's weights and what it took into the solution of the whole course. */
static PetscErrorCode AddStage(const CourseStage *stage, double *weight, Solution *one, Solution *whole)
{
  PetscFunctionBegin;
  const PetscInt before[2] = {whole->n_iteration, whole->n_evaluation};
  const Delivery delivered = whole->delivery;
  PetscCall(PetscArraycpy(weight + stage->first_spot, one->weight, stage->n_spot));
  PetscCall(SolutionDestroy(whole));
  for (PetscInt i = 0; i < one->n_history; i++) {
    one->history[i].iteration += before[0];
    one->history[i].evaluations += before[1];
  }
  *whole = *one;
  whole->n_iteration += before[0];
  whole->n_evaluation += before[1];
  whole->delivery.n_before += delivered.n_before;
  whole->delivery.n_after += delivered.n_after;
  PetscArrayzero(one, 1);
  PetscFunctionReturn(0);
}

/* Weights of a stage that is planned already: by an earlier run, or for the plan that has the same one. Rank 0. */
static PetscErrorCode FindStage(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, PetscInt k,
                                const char *folder, double *weight, int *there)
{
  PetscFunctionBegin;
  const CourseStage *stage = &in->course.stage[k];
  const PlanSpec *from = &context->study->plans[plan->stage_from[k]];
  if (context->resume && StageFileRead(folder, plan->yaml, stage, weight + stage->first_spot)) {
    LogLine(LOG_INFO, "optimize", plan->case_name, "%s  stage %s was planned earlier", plan->arm, stage->name);
    *there = 1;
  } else if (from != plan) {
    PetscCall(PlanFindStage(context, from, in->beams->n_spot, stage, weight, there));
    if (*there)
      LogLine(LOG_INFO, "optimize", plan->case_name, "%s  stage %s is that of %s", plan->arm, stage->name, from->arm);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeStage(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, PetscInt k,
                                const char *folder, double *weight, PetscBool *found)
{
  PetscFunctionBegin;
  const CourseStage *stage = &in->course.stage[k];
  int there = 0;
  if (context->rank == 0) PetscCall(FindStage(context, plan, in, k, folder, weight, &there));
  PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, context->comm));
  *found = there ? PETSC_TRUE : PETSC_FALSE;
  if (there)
    PetscCallMPI(MPI_Bcast(weight + stage->first_spot, (PetscMPIInt)stage->n_spot, MPI_DOUBLE, 0, context->comm));
  PetscFunctionReturn(0);
}

/* Keep a finished stage; the checkpoint was its own. */
static PetscErrorCode KeepStage(PlanContext *context, const PlanSpec *plan, const CourseStage *stage,
                                const char *folder, const double *weight, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (context->rank == 0 && StageFileWrite(folder, plan->yaml, stage, weight + stage->first_spot, mistakes))
    CheckpointRemove(folder);
  PetscCall(MistakesShare(context->comm, mistakes));
  PetscFunctionReturn(0);
}

/* One stage after the other, each with those before it as they are. */
PetscErrorCode PlanOptimiseStages(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, const char *folder,
                                  double stage_seconds[N_STAGES], Mistakes *mistakes, Solution *solution)
{
  PetscFunctionBegin;
  double *weight, seconds = 0;
  PetscCall(PetscCalloc1(in->beams->n_spot, &weight));
  for (PetscInt k = 0; k < in->course.n && !solution->stopped && !MistakesAny(mistakes); k++) {
    const CourseStage *stage = &in->course.stage[k];
    PetscBool planned = PETSC_FALSE;
    PlanInputs part;
    Solution one = {0};
    if (k < in->course.n - 1) PetscCall(TakeStage(context, plan, in, k, folder, weight, &planned));
    if (planned) continue;
    PetscCall(CoursePartCreate(in, k, weight, &part));
    LogLine(LOG_INFO, "optimize", plan->case_name, "%s  stage %s", plan->arm, stage->name);
    PetscCall(PlanOptimise(context, plan, &part, folder, stage_seconds, mistakes, &one));
    seconds += stage_seconds[STAGE_OPTIMIZE];
    if (!MistakesAny(mistakes)) PetscCall(AddStage(stage, weight, &one, solution));
    if (!MistakesAny(mistakes) && !solution->stopped && k < in->course.n - 1)
      PetscCall(KeepStage(context, plan, stage, folder, weight, mistakes));
    PetscCall(SolutionDestroy(&one));
    PetscCall(CoursePartDestroy(&part));
  }
  stage_seconds[STAGE_OPTIMIZE] = seconds;
  if (!solution->stopped && !MistakesAny(mistakes)) {
    PetscCall(PetscFree(solution->weight));
    solution->weight = weight;
  } else
    PetscCall(PetscFree(weight)); /* a checkpoint is of the stage at which it stopped */
  PetscFunctionReturn(0);
}
