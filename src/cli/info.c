/* `robion info`: version, build, libraries and file formats. */
#include "robion/cli.h"
#include "robion/format.h"

static PetscErrorCode Info(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  Provenance provenance;
  PetscCall(ParseArguments(arguments, 0, NULL, 0, 0, verb_info.usage, NULL, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  ProvenanceBuild(&provenance);
  ProvenancePrint(&provenance, stdout);
  printf("\n");
  FormatsPrint(stdout);
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_info = {
    .name = "info", .usage = "info", .purpose = "version, build, libraries and file formats", .run = Info};
