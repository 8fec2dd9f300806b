/* `robion report`: results as pages for a browser. */
#include "robion/cli.h"
#include "robion/collect.h"
#include "robion/index_page.h"
#include <string.h>

static struct {
  const char *out;
} given;

static const Option report_options[] = {
    {"-o", "FOLDER", "where the pages go", "report in the results folder", .value = &given.out}};

static const Command command_report = {.operands = "RESULTS",
                                       .purpose = "pages for a browser: one for the study, one for each finished plan",
                                       .least = 1,
                                       .most = 1,
                                       .n_option = PETSC_STATIC_ARRAY_LENGTH(report_options),
                                       .option = report_options};

static PetscErrorCode Report(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *results;
  char folder[PETSC_MAX_PATH_LEN];
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_report, &command_report, &results, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ResultsStudy(results, mistakes, &study));
  if (study) {
    PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/report", results));
    PetscCall(StudyPagesWrite(stdout, results, study, given.out ? given.out : folder, mistakes));
  }
  PetscCall(StudyDestroy(&study));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_report = {.name = "report", .run = Report, .n_command = 1, .command = &command_report};
