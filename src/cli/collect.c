/* The verbs that look at results: collect and status. */
#include "robion/cli.h"
#include "robion/collect.h"

static const Command command_collect = {
    .operands = "RESULTS",
    .purpose = "merge the tables of all plans, say what is missing, compare arms over cases",
    .least = 1,
    .most = 1};

static PetscErrorCode Collect(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_collect, &command_collect, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) PetscCall(ResultsCollect(stdout, results, study, mistakes, exit_code));
  PetscCall(StudyDestroy(&study));
  PetscFunctionReturn(0);
}

const Verb verb_collect = {.name = "collect", .run = Collect, .n_command = 1, .command = &command_collect};

static const Command command_status = {.operands = "RESULTS",
                                       .purpose = "plans done, running and failed, also while a run goes on",
                                       .least = 1,
                                       .most = 1};

static PetscErrorCode Status(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_status, &command_status, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) PetscCall(ResultsStatus(stdout, results, study));
  PetscCall(StudyDestroy(&study));
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_status = {.name = "status", .run = Status, .n_command = 1, .command = &command_status};
