/* import dicom: a clinic's folders to a case file. */
#include "import.h"
#include "robion/dicom.h"
#include <string.h>

static struct {
  const char *out;
  DicomImportSpec spec;
  OptionList target, role, dose;
  PetscBool dry_run;
} given = {.out = "case.h5"};

const Option dicom_options[N_DICOM_OPTIONS] = {
    {"-o", "CASE.h5", "file to write", .value = &given.out},
    {"--series", "N", "the CT: its number in the table, or SeriesInstanceUID",
     "the one that the structures were drawn on", .value = &given.spec.series},
    {"--structures", "N", "the structure set: its number, or SOPInstanceUID", "the one of the CT",
     .value = &given.spec.structures},
    {"--target", "NAME", "a structure that is a target", "GTV, CTV, PTV by their type", .list = &given.target},
    {"--external", "NAME", "the structure that is the patient's outline",
     "by its type; made from the CT if there is none", .value = &given.spec.external},
    {"--role", "NAME=ROLE", "target, oar or external", .list = &given.role},
    {"--dose", "N", "a dose to take as a map: its number, or SOPInstanceUID", .list = &given.dose},
    {"--hlut", "FOLDER", "tables of stopping power by scanner", .value = &given.spec.hlut},
    {"--resample", .help = "interpolate slices that are uneven or askew", .flag = &given.spec.resample},
    {"--keep-patient-id", .help = "keep the PatientID, to write plans back with", .flag = &given.spec.keep_patient_id},
    {"--dry-run", .help = "tell what there is, write nothing", .flag = &given.dry_run}};

/* The case is called as its file. */
static PetscErrorCode NameCase(const char *file, Case *patient)
{
  PetscFunctionBegin;
  const char *slash = strrchr(file, '/');
  PetscCall(PetscFree(patient->name));
  PetscCall(PetscStrallocpy(slash ? slash + 1 : file, &patient->name));
  char *ending = strrchr(patient->name, '.');
  if (ending && ending != patient->name) *ending = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode ImportDicom(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *folder[MOST_DICOM_FOLDERS];
  DicomImportSpec *spec = &given.spec;
  Text table = {0};
  Case *patient = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_import, command, folder, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  spec->path = folder;
  while (spec->n_path < MOST_DICOM_FOLDERS && folder[spec->n_path]) spec->n_path++;
  spec->target = given.target.text;
  spec->n_target = given.target.n;
  spec->role = given.role.text;
  spec->n_role = given.role.n;
  spec->dose = given.dose.text;
  spec->n_dose = given.dose.n;
  PetscCall(CaseImportDicom(spec, &table, mistakes, &patient));
  if (table.data) fputs(table.data, stdout);
  PetscCall(TextDestroy(&table));
  if (!patient) PetscFunctionReturn(0);
  PetscCall(NameCase(given.out, patient));
  if (!given.dry_run) PetscCall(CaseWrite(patient, given.out, mistakes));
  if (!given.dry_run && !MistakesAny(mistakes)) printf("%s written\n", given.out);
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}
