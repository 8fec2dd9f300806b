/* `robion basedata`: build, import, export, show. */
#include "basedata.h"
#include "robion/format.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* The library blames what a study says; here it is an option that is wrong. */
static PetscErrorCode CheckSpec(const MachineSpec *spec, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  PetscCall(MachineSpecCheck(spec, "basedata build", &found));
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

static PetscErrorCode Build(const Arguments *arguments, Mistakes *mistakes)
{
  PetscFunctionBegin;
  MachineSpec spec;
  Machine *machine = NULL;
  PetscMPIInt rank;
  const char *out = NULL, *unused, *number[10] = {NULL}, *fwhm = NULL, *energies = NULL;
  double *energy;
  char name[64];
  PetscCall(MachineSpecDefault(&spec));
  const Option option[] = {{.name = "--ion", .value = &spec.ion},
                           {.name = "--out", .value = &out},
                           {.name = "-o", .value = &out},
                           {.name = "--energy-min-MeV-u", .value = &number[0]},
                           {.name = "--energy-max-MeV-u", .value = &number[1]},
                           {.name = "--range-step-mm", .value = &number[2]},
                           {.name = "--ripple-sigma-mm", .value = &number[3]},
                           {.name = "--momentum-spread", .value = &number[4]},
                           {.name = "--ripple-thickness-mm", .value = &number[5]},
                           {.name = "--ripple-to-isocentre-mm", .value = &number[6]},
                           {.name = "--offset-mm", .value = &number[7]},
                           {.name = "--spot-fwhm-mm", .value = &number[8]},
                           {.name = "--sad-mm", .value = &number[9]},
                           {.name = "--momentum-spread-fwhm", .value = &fwhm},
                           {.name = "--energies-MeV-u", .value = &energies},
                           {.name = "--fragmentation", .value = &spec.fragmentation}};
  double *field[] = {&spec.energy_min_MeV_u,       &spec.energy_max_MeV_u,
                     &spec.range_step_mm,          &spec.ripple_sigma_mm,
                     &spec.momentum_spread,        &spec.ripple_thickness_mm,
                     &spec.ripple_to_isocentre_mm, &spec.offset_mm,
                     &spec.spot_fwhm_mm,           &spec.sad_mm};
  PetscCall(ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 0, 0, verb_basedata.usage, &unused,
                           mistakes));
  for (int i = 0; i < 10; i++)
    PetscCall(OptionNumber(option[3 + i].name, number[i], -INFINITY, INFINITY, mistakes, field[i]));
  if (fwhm && number[4])
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--momentum-spread-fwhm: found beside --momentum-spread, expected one of them"));
  if (fwhm) {
    PetscCall(OptionNumber("--momentum-spread-fwhm", fwhm, -INFINITY, INFINITY, mistakes, &spec.momentum_spread));
    spec.momentum_spread /= FWHM_PER_SIGMA;
  }
  if (energies && (number[0] || number[1] || number[2]))
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                    "--energies-MeV-u: found beside the lowest, the highest or the step, expected in their place"));
  PetscCall(TakeEnergyList(energies, mistakes, &spec.n_energy, &energy));
  spec.energy_MeV_u = energy;
  if (!MistakesAny(mistakes)) PetscCall(CheckSpec(&spec, mistakes));
  if (MistakesAny(mistakes)) {
    PetscCall(PetscFree(energy));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.h5", spec.ion));
  if (!out) out = name;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(MachineBuild(PETSC_COMM_WORLD, &spec, &machine));
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

/* "carbon.h5" of "folder/carbon.mat". */
static PetscErrorCode StemName(const char *file, char name[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
  PetscCall(PetscSNPrintf(name, PETSC_MAX_PATH_LEN, "%.*s.h5", (int)(dot ? (size_t)(dot - base) : strlen(base)), base));
  PetscFunctionReturn(0);
}

/* What files of some formats leave open: width of the beam, 0: as the format says; nothing in the beam line unless told. */
static PetscErrorCode TakeBeam(const FileFormat *format, const char *fwhm, const char *offset, Mistakes *mistakes,
                               TripMachineSpec *spec)
{
  PetscFunctionBegin;
  *spec = (TripMachineSpec){0};
  if (!format->leaves_beam_open && (fwhm || offset))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s is for folders and .ddd files of TRiP98 only",
                          fwhm ? "--spot-fwhm-mm" : "--offset-mm"));
  PetscCall(OptionNumber("--spot-fwhm-mm", fwhm, 0.1, 100, mistakes, &spec->spot_fwhm_mm));
  PetscCall(OptionNumber("--offset-mm", offset, -100, 100, mistakes, &spec->offset_mm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ImportMachine(const Arguments *arguments, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  const char *file, *out = NULL, *fwhm = NULL, *offset = NULL;
  char name[PETSC_MAX_PATH_LEN];
  const Option option[] = {{.name = "--out", .value = &out},
                           {.name = "-o", .value = &out},
                           {.name = "--spot-fwhm-mm", .value = &fwhm},
                           {.name = "--offset-mm", .value = &offset}};
  PetscCall(
      ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 1, 1, verb_basedata.usage, &file, mistakes));
  PetscCall(StemName(file ? file : "", name));
  if (!out) out = name[0] == '.' ? "machine.h5" : name; /* of "folder/" or "." no name is left */
  const FileFormat *format = file ? FormatOfFile(file, FORMAT_READ_MACHINE) : NULL;
  TripMachineSpec spec;
  if (format) PetscCall(TakeBeam(format, fwhm, offset, mistakes, &spec));
  if (!MistakesAny(mistakes)) PetscCall((*format->read_machine)(file, &spec, mistakes, &machine));
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

/* Only `build` uses more than one rank; the others act on the first. */
static PetscErrorCode BaseData(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  static const char *const actions[] = {"build", "import", "show", "export"};
  const char *action = arguments->argc ? arguments->argv[0] : "";
  Arguments rest = *arguments;
  PetscMPIInt rank;
  rest.argc = PetscMax(0, arguments->argc - 1);
  rest.argv = arguments->argv + 1;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!strcmp(action, "build"))
    PetscCall(Build(&rest, mistakes));
  else if (!strcmp(action, "import")) {
    if (rank == 0) PetscCall(ImportMachine(&rest, mistakes));
  } else if (!strcmp(action, "show")) {
    if (rank == 0) PetscCall(BaseDataShow(&rest, verb_basedata.usage, mistakes));
  } else if (!strcmp(action, "export")) {
    if (rank == 0) PetscCall(BaseDataExport(&rest, verb_basedata.usage, mistakes));
  } else {
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "basedata: found '%s', expected build, import, show or export%s", action,
                          SuggestName("; ", action, 4, actions).text));
  }
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_basedata = {
    .name = "basedata",
    .usage =
        "basedata build [--out FILE.h5] [--ion 12C] [--energy-min-MeV-u E] [--energy-max-MeV-u E] "
        "[--range-step-mm D] [--energies-MeV-u E,E,...] [--ripple-sigma-mm S] [--ripple-thickness-mm D] "
        "[--ripple-to-isocentre-mm D] [--offset-mm "
        "D] "
        "[--momentum-spread P | --momentum-spread-fwhm P] [--spot-fwhm-mm F] [--sad-mm D] [--fragmentation FILE.yaml] "
        "| "
        "basedata import "
        "FILE.mat|FILE.ddd|FOLDER [--out FILE.h5] [--spot-fwhm-mm F] [--offset-mm D] | basedata show [FILE.h5] [--csv] "
        "[--curves OUT.csv] [--plot OUT.png|OUT.svg] [--energy E,E,...] [--biology MODEL] [--cell-line CELLS] "
        "| basedata export FILE.h5 OUT.mat|FOLDER [--cell-line CELLS]",
    .purpose = "build, import, show or export the base data of an ion",
    .parallel = PETSC_TRUE,
    .run = BaseData};
