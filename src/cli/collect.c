/* The verbs that look at results: collect and status. */
#include "robion/cli.h"
#include "robion/collect.h"

static PetscErrorCode Collect(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  Study *study = NULL;
  PetscCall(ParseArguments(arguments, 0, NULL, 1, 1, verb_collect.usage, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) PetscCall(ResultsCollect(stdout, results, study, mistakes, exit_code));
  PetscCall(StudyDestroy(&study));
  PetscFunctionReturn(0);
}

const Verb verb_collect = {.name = "collect",
                           .usage = "collect RESULTS",
                           .purpose = "merge the tables of all plans, say what is missing, compare arms over cases",
                           .parallel = PETSC_FALSE,
                           .run = Collect};

static PetscErrorCode Status(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  Study *study = NULL;
  PetscCall(ParseArguments(arguments, 0, NULL, 1, 1, verb_status.usage, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) PetscCall(ResultsStatus(stdout, results, study));
  PetscCall(StudyDestroy(&study));
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_status = {.name = "status",
                          .usage = "status RESULTS",
                          .purpose = "plans done, running and failed, also while a run goes on",
                          .parallel = PETSC_FALSE,
                          .run = Status};
