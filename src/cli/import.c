/* `robion import`: the formats by name. */
#include "import.h"
#include "robion/format.h"
#include <string.h>

static PetscErrorCode Import(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[2], *out = NULL;
  char name[PETSC_MAX_PATH_LEN];
  Case *patient = NULL;
  const Option option[] = {{.name = "-o", .value = &out}};
  if (arguments->argc && !strcmp(arguments->argv[0], "adc")) {
    PetscCall(ImportADC(arguments, verb_import.usage, mistakes));
    *exit_code = MistakesExit(mistakes);
    PetscFunctionReturn(0);
  }
  PetscCall(ParseArguments(arguments, 1, option, 2, 2, verb_import.usage, operand, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const FileFormat *format = FormatFind(operand[0], 1, (const FormatTask[]){FORMAT_READ_CASE}, mistakes);
  if (!format) PetscFunctionReturn(0);
  PetscCall((*format->read_case)(operand[1], mistakes, &patient));
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

const Verb verb_import = {
    .name = "import",
    .usage = "import matrad FILE.mat [-o CASE.h5] | import adc CASE.h5 IMAGE [-o OUT.h5] [--structure GTV] "
             "[--b-s-mm2 0,400,1000] [--delta-ms 20] [--Delta-ms 40] [--unit um2/ms] "
             "[--clonogenic-fraction 0.01] [--radius-um 5] [--radius-sd-um 0.5]",
    .purpose = "turn a foreign patient file into a case file; add cell counts from diffusion images",
    .run = Import};
