/* The verbs that look at results: collect and status. */
#include "robion/cli.h"
#include "robion/collect.h"
#include <unistd.h>

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

static double watch_s; /* 0: once */

static const Option status_options[] = {{"--watch", "SECONDS", "tell it so often, until no plan runs or is to do",
                                         "once", .number = &watch_s, .least = 1, .most = 86400}};

static const Command command_status = {.operands = "RESULTS",
                                       .purpose = "plans done, running and failed, also while a run goes on",
                                       .least = 1,
                                       .most = 1,
                                       .n_option = PETSC_STATIC_ARRAY_LENGTH(status_options),
                                       .option = status_options};

/* Once, or again and again: on a terminal each time from its top. */
static PetscErrorCode Tell(const char *results, const Study *study)
{
  PetscFunctionBegin;
  const PetscBool repeat = watch_s > 0 ? PETSC_TRUE : PETSC_FALSE;
  const char *const before = !repeat ? "" : isatty(STDOUT_FILENO) ? "\033[H\033[J" : "\n";
  PetscBool going = PETSC_FALSE;
  do {
    if (going) PetscCall(PetscSleep(watch_s));
    printf("%s", before);
    PetscCall(ResultsStatus(stdout, results, study, &going));
    fflush(stdout);
  } while (repeat && going);
  PetscFunctionReturn(0);
}

static PetscErrorCode Status(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_status, &command_status, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) PetscCall(Tell(results, study));
  PetscCall(StudyDestroy(&study));
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_status = {.name = "status", .run = Status, .n_command = 1, .command = &command_status};
