/* The patient of a plan, read again from its case file or phantom. */
#include "export_case.h"
#include <string.h>

/* The first input of a kind; false if there is none. */
static PetscBool FindInput(const PlanReader *plan, InputKind kind, Mistakes *mistakes, InputFile *input)
{
  for (PetscInt i = 0; PlanReadInput(plan, i, mistakes, input); i++)
    if (!strcmp(input->kind, input_kind_names[kind])) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The case file must hold what it did when the plan was made. */
static PetscErrorCode CheckCaseFile(const PlanReader *plan, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  InputFile then, now = {.kind = "case"};
  if (!FindInput(plan, INPUT_CASE, mistakes, &then)) PetscFunctionReturn(0);
  PetscCall(PetscStrncpy(now.path, file, sizeof now.path));
  if (InputFileRead(&now, mistakes) && strcmp(now.hash, then.hash))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: has another content than when the plan was made of %s", file,
                          then.path));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadSAD(const Settings *settings, Mistakes *mistakes, double *sad_mm)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  *sad_mm = settings->machine.sad_mm;
  if (!settings->base_data) PetscFunctionReturn(0);
  PetscCall(MachineRead(settings->base_data, mistakes, &machine));
  if (machine) *sad_mm = machine->sad_mm;
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCaseRead(const PlanReader *plan, const char *case_file, Mistakes *mistakes, PlanCase *out)
{
  PetscFunctionBegin;
  InputFile study;
  char *yaml = NULL;
  *out = (PlanCase){.study = NULL};
  if (PlanReadText(plan, PLAN_SETTINGS, mistakes, &yaml)) {
    const PetscBool known = FindInput(plan, INPUT_STUDY, mistakes, &study);
    PetscCall(StudyParse(yaml, strlen(yaml), known ? study.path : plan->source.name, 0, NULL, mistakes, &out->study));
  }
  PetscCall(PetscFree(yaml));
  if (!out->study) PetscFunctionReturn(0);
  Settings *settings = &out->study->plans[0].settings;
  if (case_file && !settings->patient.file)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--case %s: the plan is of a phantom", case_file));
  else if (case_file) {
    PetscCall(PetscFree(settings->patient.file));
    PetscCall(PetscStrallocpy(case_file, &settings->patient.file));
  }
  if (!MistakesAny(mistakes) && settings->patient.file)
    PetscCall(CheckCaseFile(plan, settings->patient.file, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ReadSAD(settings, mistakes, &out->sad_mm));
  if (!MistakesAny(mistakes)) PetscCall(PlanReadCase(settings, mistakes, &out->patient));
  if (out->patient && settings->patient.file)
    PetscCall(DicomOriginRead(settings->patient.file, mistakes, &out->origin));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCaseDestroy(PlanCase *plan)
{
  PetscFunctionBegin;
  PetscCall(DicomOriginDestroy(&plan->origin));
  PetscCall(CaseDestroy(&plan->patient));
  PetscCall(StudyDestroy(&plan->study));
  PetscFunctionReturn(0);
}
