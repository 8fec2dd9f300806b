/* `robion export`: plans for other programs. */
#include "export_case.h"
#include <string.h>

#define DEFAULT_VOLUME "nominal/rbe_weighted"

static const FormatTask export_tasks[] = {FORMAT_WRITE_VOLUME, FORMAT_WRITE_PLAN};

static PetscErrorCode ExportVolume(const FileFormat *format, const PlanReader *plan, const char *name, const char *out,
                                   Mistakes *mistakes)
{
  PetscFunctionBegin;
  Volume volume;
  if (PlanReadVolume(plan, name, mistakes, &volume)) PetscCall((*format->write_volume)(&volume, out, mistakes));
  if (!MistakesAny(mistakes))
    printf("%s: %s, %s, %d x %d x %d voxels\n", out, name, volume.unit, (int)volume.grid.n[0], (int)volume.grid.n[1],
           (int)volume.grid.n[2]);
  PetscCall(VolumeDestroy(&volume));
  PetscFunctionReturn(0);
}

/* What the file is called if nobody says: as plan.h5 beside it; a folder "trip98" of formats that are folders. */
static PetscErrorCode DefaultName(const FileFormat *format, const char *plan, char out[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  const char *slash = strrchr(plan, '/'), *dot = strrchr(plan, '.');
  const int folder = slash ? (int)(slash - plan + 1) : 0;
  const int stem = dot && dot > plan + folder ? (int)(dot - plan) : (int)strlen(plan);
  if (FormatIsFolder(format))
    PetscCall(PetscSNPrintf(out, PETSC_MAX_PATH_LEN, "%.*s%s", folder, plan, format->name));
  else
    PetscCall(PetscSNPrintf(out, PETSC_MAX_PATH_LEN, "%.*s%s", stem, plan, format->ending[0]));
  PetscFunctionReturn(0);
}

static struct {
  const char *out, *volume, *case_file;
  PetscBool letd;
} given;

/* A plan with its patient. */
static PetscErrorCode ExportWithCase(const FileFormat *format, const PlanReader *plan, const char *out,
                                     Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanCase of;
  PetscCall(PlanCaseRead(plan, given.case_file, mistakes, &of));
  if (of.patient && !MistakesAny(mistakes)) {
    const Settings *settings = &of.study->plans[0].settings;
    const MachineSpec *machine = &settings->machine;
    const PlanExtras extras = {.patient = of.patient,
                               .origin = of.origin,
                               .ripple_mm = settings->base_data ? 0 : machine->ripple_thickness_mm,
                               .ripple_to_isocentre_mm = machine->ripple_to_isocentre_mm,
                               .sad_mm = of.sad_mm,
                               .letd = given.letd};
    PetscCall((*format->write_with_case)(plan, &extras, out, mistakes));
  }
  PetscCall(PlanCaseDestroy(&of));
  PetscFunctionReturn(0);
}

static const Option export_options[] = {
    {"-o", "FILE", "file or folder to write", "as the plan, with the format's ending", .value = &given.out},
    {"--out", "FILE", "as -o", "as -o", .value = &given.out},
    {"--volume", "NAME", "which dose or structure, of formats that hold one", DEFAULT_VOLUME, .value = &given.volume},
    {"--case", "FILE.h5", "the plan's case file (DICOM)", "where the plan had it", .value = &given.case_file},
    {"--letd", NULL, "the LETd too (DICOM)", .flag = &given.letd}};

static const Command command_export = {
    .operands = "nifti|nrrd|mha|xdmf|trip98|dicom PLAN.h5",
    .purpose = "doses and structures of a plan for viewers, its spots for TRiP98, all of it for planning systems",
    .least = 2,
    .most = 2,
    .n_option = PETSC_STATIC_ARRAY_LENGTH(export_options),
    .option = export_options};

static PetscErrorCode Export(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[2];
  char name[PETSC_MAX_PATH_LEN];
  PlanReader plan;
  PetscCall(ArgumentsParse(arguments, &verb_export, &command_export, operand, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const FileFormat *format = FormatFind(operand[0], PETSC_STATIC_ARRAY_LENGTH(export_tasks), export_tasks, mistakes);
  if (format && given.volume && !format->write_volume)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--volume: %s holds the whole plan", format->name));
  if (format && (given.letd || given.case_file) && !format->write_with_case)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: %s has no place for it", given.letd ? "--letd" : "--case",
                          format->name));
  if (format && format->write_with_case && format->needs)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: missing in this build: %s", format->name, format->needs));
  if (MistakesAny(mistakes) || !PlanReaderOpen(operand[1], mistakes, &plan)) PetscFunctionReturn(0);
  PetscCall(DefaultName(format, operand[1], name));
  const char *out = given.out ? given.out : name;
  if (format->write_volume)
    PetscCall(ExportVolume(format, &plan, given.volume ? given.volume : DEFAULT_VOLUME, out, mistakes));
  else if (format->write_with_case)
    PetscCall(ExportWithCase(format, &plan, out, mistakes));
  else
    PetscCall((*format->write_plan)(&plan, operand[1], out, mistakes));
  if (PlanReaderClose(&plan, mistakes) && !MistakesAny(mistakes) && !format->write_volume)
    printf("%s: %s\n", out, format->meaning);
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_export = {.name = "export", .run = Export, .n_command = 1, .command = &command_export};
