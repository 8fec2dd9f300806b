#include "cli.h"
#include <string.h>

static PetscErrorCode Import(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[2], *out = NULL;
  char name[PETSC_MAX_PATH_LEN];
  Case *patient = NULL;
  const Option option[] = {{.name = "-o", .value = &out}};
  PetscCall(ParseArguments(arguments, 1, option, 2, 2, verb_import.usage, operand, mistakes));
  if (!MistakesAny(mistakes) && strcmp(operand[0], "matrad"))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "import: unknown format %s, expected matrad", operand[0]));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(ImportMatRadCase(operand[1], mistakes, &patient));
  if (!patient) PetscFunctionReturn(0);
  snprintf(name, sizeof name, "%s.h5", patient->name);
  if (!out) out = name;
  PetscCall(CaseWrite(patient, out, mistakes));
  if (!MistakesAny(mistakes))
    printf("%s: %d x %d x %d voxels of %g x %g x %g mm, %d structures\n", out, (int)patient->ct.n[0],
           (int)patient->ct.n[1], (int)patient->ct.n[2], patient->ct.spacing_mm[0], patient->ct.spacing_mm[1],
           patient->ct.spacing_mm[2], (int)patient->n_structures);
  PetscCall(CaseDestroy(&patient));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_import = {.name = "import",
                          .usage = "import matrad FILE.mat [-o CASE.h5]",
                          .purpose = "turn a foreign patient file into a case file",
                          .run = Import};
