/* `robion basedata`: build, import, export, show. */
#include "basedata.h"
#include "robion/format.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* The library blames what a study says; here it is an option that is wrong. */
static PetscErrorCode CheckSpec(const MachineSpec *spec, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  PetscCall(MachineSpecCheck(spec, where, &found));
  PetscCall(MistakesMove(&found, ROBION_COMMAND_LINE, mistakes));
  PetscFunctionReturn(0);
}

/* "100,200.5" as ascending energies, to be freed; their order and range are checked with the rest. */
static PetscErrorCode TakeEnergyList(const char *text, Mistakes *mistakes, PetscInt *n, double **energy_MeV_u)
{
  PetscFunctionBegin;
  char *copy, *rest, *one;
  PetscInt most = 1;
  *n = 0;
  *energy_MeV_u = NULL;
  if (!text) PetscFunctionReturn(0);
  for (const char *c = text; *c; c++) most += *c == ',';
  PetscCall(PetscMalloc1(most, energy_MeV_u));
  PetscCall(PetscStrallocpy(text, &copy));
  rest = copy;
  while ((one = strsep(&rest, ",")))
    PetscCall(OptionNumber("--energies-MeV-u", one, -INFINITY, INFINITY, mistakes, &(*energy_MeV_u)[(*n)++]));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

static struct {
  MachineSpec spec;
  double fwhm;
  const char *out, *energies;
  PetscBool spread, by_fwhm, grid; /* given: the one, the other; lowest, highest energy or step */
} build;

static void BuildPresets(void)
{
  (void)MachineSpecDefault(&build.spec);
}

static const Option build_options[] = {
    {"--ion", "ION", "projectile", .value = &build.spec.ion},
    {"--out", "FILE.h5", "file to write", "the ion and .h5", .value = &build.out},
    {"-o", "FILE.h5", "as --out", "as --out", .value = &build.out},
    {"--energy-min-MeV-u", "E", "lowest energy", .number = &build.spec.energy_min_MeV_u, .given = &build.grid},
    {"--energy-max-MeV-u", "E", "highest energy", .number = &build.spec.energy_max_MeV_u, .given = &build.grid},
    {"--range-step-mm", "D", "step in range between energies", .number = &build.spec.range_step_mm,
     .given = &build.grid},
    {"--energies-MeV-u", "E,E,...", "these energies instead", .value = &build.energies},
    {"--ripple-sigma-mm", "S", "spread of range by a ripple filter", .number = &build.spec.ripple_sigma_mm},
    {"--ripple-thickness-mm", "D", "water equivalent of the filter", .number = &build.spec.ripple_thickness_mm},
    {"--ripple-to-isocentre-mm", "D", "its distance", .number = &build.spec.ripple_to_isocentre_mm},
    {"--offset-mm", "D", "water equivalent of the beam line", .number = &build.spec.offset_mm},
    {"--momentum-spread", "P", "relative sigma", .number = &build.spec.momentum_spread, .given = &build.spread},
    {"--momentum-spread-fwhm", "P", "the same as full width at half maximum", "2.355 times --momentum-spread",
     .number = &build.fwhm, .given = &build.by_fwhm},
    {"--spot-fwhm-mm", "F", "width of a spot at the isocentre in air", .number = &build.spec.spot_fwhm_mm},
    {"--sad-mm", "D", "source-axis distance, 0: parallel beams", .number = &build.spec.sad_mm},
    {"--fragmentation", "FILE.yaml", "nuclear data", "built in", .value = &build.spec.fragmentation}};

/* Energies, momentum spread and all the rest of the options of a command; `energy` is to be freed. */
static PetscErrorCode TakeBuildOptions(const char *where, Mistakes *mistakes, double **energy)
{
  PetscFunctionBegin;
  MachineSpec *spec = &build.spec;
  if (build.by_fwhm && build.spread)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--momentum-spread-fwhm: found beside --momentum-spread, expected one of them"));
  if (build.by_fwhm) spec->momentum_spread = build.fwhm / FWHM_PER_SIGMA;
  if (build.energies && build.grid)
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                    "--energies-MeV-u: found beside the lowest, the highest or the step, expected in their place"));
  PetscCall(TakeEnergyList(build.energies, mistakes, &spec->n_energy, energy));
  spec->energy_MeV_u = *energy;
  if (!MistakesAny(mistakes)) PetscCall(CheckSpec(spec, where, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode Build(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const MachineSpec *spec = &build.spec;
  Machine *machine = NULL;
  PetscMPIInt rank;
  double *energy = NULL;
  char name[64];
  PetscCall(ArgumentsParse(arguments, &verb_basedata, command, NULL, mistakes));
  PetscCall(TakeBuildOptions("basedata build", mistakes, &energy));
  if (MistakesAny(mistakes)) {
    PetscCall(PetscFree(energy));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.h5", spec->ion));
  const char *out = build.out ? build.out : name;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(MachineBuild(PETSC_COMM_WORLD, spec, &machine));
  PetscCall(PetscFree(energy));
  if (rank == 0) PetscCall(MachineWrite(machine, out, mistakes));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s: %s, %d energies, %g to %g MeV/u, hash %s\n", out, machine->name,
                          (int)machine->n_energy, machine->energy_MeV_u[0],
                          machine->energy_MeV_u[machine->n_energy - 1], machine->hash));
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}

static PetscBool budget_csv;

static void BudgetPresets(void)
{
  BuildPresets();
  build.energies = "100,200,400";
}

static const Option budget_options[] = {
    {"--ion", "ION", "projectile", .value = &build.spec.ion},
    {"--energies-MeV-u", "E,E,...", "energies", .value = &build.energies},
    {"--fragmentation", "FILE.yaml", "nuclear data", "built in", .value = &build.spec.fragmentation},
    {"--csv", NULL, "all depths as CSV, in MeV and elementary charges", .flag = &budget_csv}};

static PetscErrorCode BudgetAction(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  double *energy = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_basedata, command, NULL, mistakes));
  PetscCall(TakeBuildOptions("basedata budget", mistakes, &energy));
  if (!MistakesAny(mistakes)) PetscCall(MachineBudgetShow(&build.spec, budget_csv, stdout));
  PetscCall(PetscFree(energy));
  PetscFunctionReturn(0);
}

/* "carbon.h5" of "folder/carbon.mat". */
static PetscErrorCode StemName(const char *file, char name[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
  PetscCall(PetscSNPrintf(name, PETSC_MAX_PATH_LEN, "%.*s.h5", (int)(dot ? (size_t)(dot - base) : strlen(base)), base));
  PetscFunctionReturn(0);
}

static struct {
  const char *out;
  TripMachineSpec beam;
  PetscBool fwhm, offset; /* given */
} import;

static const Option import_options[] = {
    {"--out", "FILE.h5", "file to write", "as the input, with .h5", .value = &import.out},
    {"-o", "FILE.h5", "as --out", "as --out", .value = &import.out},
    {"--spot-fwhm-mm", "F", "width of a spot at the isocentre, of TRiP98's files", "that of built-in base data",
     .number = &import.beam.spot_fwhm_mm, .least = 0.1, .most = 100, .given = &import.fwhm},
    {"--offset-mm", "D", "water equivalent of the beam line, of TRiP98's files", .number = &import.beam.offset_mm,
     .least = -100, .most = 100, .given = &import.offset}};

static PetscErrorCode ImportMachine(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  const char *file;
  char name[PETSC_MAX_PATH_LEN];
  PetscCall(ArgumentsParse(arguments, &verb_basedata, command, &file, mistakes));
  PetscCall(StemName(file ? file : "", name));
  /* of "folder/" or "." no name is left */
  const char *out = import.out ? import.out : name[0] == '.' ? "machine.h5" : name;
  const FileFormat *format = file ? FormatOfFile(file, FORMAT_READ_MACHINE) : NULL;
  if (format && !format->leaves_beam_open && (import.fwhm || import.offset))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s is for folders and .ddd files of TRiP98 only",
                          import.fwhm ? "--spot-fwhm-mm" : "--offset-mm"));
  if (!MistakesAny(mistakes)) PetscCall((*format->read_machine)(file, &import.beam, mistakes, &machine));
  if (machine && !machine->n_species && format->leaves_beam_open)
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%s: no .spc files: LETd is 0, and only doses without RBE are meaningful\n",
                          file));
  if (machine) PetscCall(MachineCheck(machine, file, mistakes));
  if (machine && !MistakesAny(mistakes)) PetscCall(MachineWrite(machine, out, mistakes));
  if (machine && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%s: %s, %d energies, %g to %g MeV/u\n", out, machine->name,
                          (int)machine->n_energy, machine->energy_MeV_u[0],
                          machine->energy_MeV_u[machine->n_energy - 1]));
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}

static const Command basedata_commands[] = {
    {.name = "build",
     .operands = "",
     .purpose = "compute the base data of an ion",
     .n_option = PETSC_STATIC_ARRAY_LENGTH(build_options),
     .option = build_options,
     .presets = BuildPresets},
    {.name = "import",
     .operands = "FILE.mat|FILE.ddd|FOLDER",
     .purpose = "take a matRad machine, or TRiP98's depth doses and spectra",
     .least = 1,
     .most = 1,
     .n_option = PETSC_STATIC_ARRAY_LENGTH(import_options),
     .option = import_options},
    {.name = "show",
     .operands = "[FILE.h5]",
     .purpose = "energies, ranges, doses and LET as a table, curves or picture; without a file of the built-in ones",
     .most = 1,
     .n_option = N_SHOW_OPTIONS,
     .option = basedata_show_options},
    {.name = "budget",
     .operands = "",
     .purpose = "where the energy and the charge of a beam are over depth: deposited, carried on, lost",
     .n_option = PETSC_STATIC_ARRAY_LENGTH(budget_options),
     .option = budget_options,
     .presets = BudgetPresets},
    {.name = "export",
     .operands = "FILE.h5 OUT.mat|FOLDER",
     .purpose = "write them for matRad or TRiP98",
     .least = 2,
     .most = 2,
     .n_option = N_EXPORT_OPTIONS,
     .option = basedata_export_options}};

/* Only `build` uses more than one rank; the others act on the first. */
static PetscErrorCode BaseData(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  static PetscErrorCode (*const action[])(const Arguments *, const Command *, Mistakes *) = {
      Build, ImportMachine, BaseDataShow, BudgetAction, BaseDataExport};
  const Command *command;
  Arguments rest = *arguments;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(CommandFind(&verb_basedata, &rest, mistakes, &command));
  if (command && (rank == 0 || command == &basedata_commands[0]))
    PetscCall((*action[command - basedata_commands])(&rest, command, mistakes));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_basedata = {.name = "basedata",
                            .parallel = PETSC_TRUE,
                            .run = BaseData,
                            .n_command = PETSC_STATIC_ARRAY_LENGTH(basedata_commands),
                            .command = basedata_commands};
