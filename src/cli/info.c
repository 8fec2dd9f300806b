/* `robion info`: version, build, libraries and file formats. */
#include "robion/cli.h"
#include "robion/format.h"

static const Command command_info = {.operands = "", .purpose = "version, build and libraries"};

static PetscErrorCode Info(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  Provenance provenance;
  PetscCall(ArgumentsParse(arguments, &verb_info, &command_info, NULL, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  ProvenanceBuild(&provenance);
  ProvenancePrint(&provenance, stdout);
  printf("\n");
  FormatsPrint(stdout);
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_info = {.name = "info", .run = Info, .n_command = 1, .command = &command_info};
