/* `robion import`: the formats by name. */
#include "import.h"
#include "robion/format.h"
#include <string.h>

static struct {
  const char *out;
} given;

static const Option case_options[] = {
    {"-o", "CASE.h5", "file to write", "the case's name and .h5", .value = &given.out}};

static const Command import_commands[] = {{.name = "adc",
                                           .operands = "CASE.h5 IMAGE",
                                           .purpose = "add cell counts from diffusion images to a case file",
                                           .least = 2,
                                           .most = 2,
                                           .n_option = N_ADC_OPTIONS,
                                           .option = adc_options,
                                           .presets = ADCPresets},
                                          {.name = "dicom",
                                           .operands = "FOLDER...",
                                           .purpose = "turn a clinic's CT and structures into a case file",
                                           .least = 1,
                                           .most = MOST_DICOM_FOLDERS,
                                           .n_option = N_DICOM_OPTIONS,
                                           .option = dicom_options},
                                          {.name = "matrad",
                                           .operands = "FILE.mat",
                                           .purpose = "turn a foreign patient file into a case file",
                                           .least = 1,
                                           .most = 1,
                                           .n_option = PETSC_STATIC_ARRAY_LENGTH(case_options),
                                           .option = case_options}};

/* A patient of the format that the command is called by. */
static PetscErrorCode ImportCase(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *file;
  char name[PETSC_MAX_PATH_LEN];
  Case *patient = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_import, command, &file, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const FileFormat *format = FormatFind(command->name, 1, (const FormatTask[]){FORMAT_READ_CASE}, mistakes);
  if (!format) PetscFunctionReturn(0);
  PetscCall((*format->read_case)(file, mistakes, &patient));
  if (!patient) PetscFunctionReturn(0);
  snprintf(name, sizeof name, "%s.h5", patient->name);
  const char *out = given.out ? given.out : name;
  PetscCall(CaseWrite(patient, out, mistakes));
  if (!MistakesAny(mistakes))
    printf("%s: %d x %d x %d voxels of %g x %g x %g mm, %d structures\n", out, (int)patient->ct.n[0],
           (int)patient->ct.n[1], (int)patient->ct.n[2], patient->ct.spacing_mm[0], patient->ct.spacing_mm[1],
           patient->ct.spacing_mm[2], (int)patient->n_structures);
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

static PetscErrorCode Import(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const Command *command;
  Arguments rest = *arguments;
  PetscCall(CommandFind(&verb_import, &rest, mistakes, &command));
  static PetscErrorCode (*const import[])(const Arguments *, const Command *, Mistakes *) = {ImportADC, ImportDicom,
                                                                                             ImportCase};
  if (command) PetscCall(import[command - import_commands](&rest, command, mistakes));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_import = {.name = "import",
                          .run = Import,
                          .n_command = PETSC_STATIC_ARRAY_LENGTH(import_commands),
                          .command = import_commands};
