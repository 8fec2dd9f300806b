/* robion basedata show and export: base data for people and for other programs. */
#include "basedata.h"
#include "robion/curves.h"
#include "robion/exchange.h"
#include "robion/text.h"
#include "robion/trip98.h"
#include <math.h>
#include <string.h>
#include <strings.h>

enum { MOST_CURVES = 24 };
#define SAME_ENERGY 0.05 /* MeV/u */

/* The file's machine, or without a file the built-in one. */
static PetscErrorCode ReadOrBuild(const char *file, Mistakes *mistakes, Machine **machine)
{
  PetscFunctionBegin;
  MachineSpec spec;
  PetscCall(MachineSpecDefault(&spec));
  if (file)
    PetscCall(MachineRead(file, mistakes, machine));
  else
    PetscCall(MachineBuiltin(PETSC_COMM_SELF, &spec, machine));
  PetscFunctionReturn(0);
}

/* Energies as "100,200.5"; without text five of the machine's, evenly spread. */
static PetscErrorCode TakeEnergies(const Machine *m, const char *text, Mistakes *mistakes, PetscInt *n,
                                   PetscInt *energy)
{
  PetscFunctionBegin;
  char copy[512], *rest = copy, *one;
  *n = 0;
  if (!text) {
    const PetscInt most = PetscMin(5, m->n_energy);
    for (; *n < most; ++*n) energy[*n] = most > 1 ? *n * (m->n_energy - 1) / (most - 1) : 0;
    PetscFunctionReturn(0);
  }
  snprintf(copy, sizeof copy, "%s", text);
  while ((one = strsep(&rest, ",")) && *n < MOST_CURVES) {
    double wanted = 0;
    PetscInt best = 0;
    PetscBool number = TextParseNumber(one, &wanted);
    for (PetscInt e = 1; e < m->n_energy; e++)
      if (fabs(m->energy_MeV_u[e] - wanted) < fabs(m->energy_MeV_u[best] - wanted)) best = e;
    if (number && fabs(m->energy_MeV_u[best] - wanted) <= SAME_ENERGY)
      energy[(*n)++] = best;
    else
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                            "--energy: found %s, expected one of the machine's; the nearest is %g MeV/u", one,
                            m->energy_MeV_u[best]));
  }
  PetscFunctionReturn(0);
}

/* alpha and beta of a model with its own cells; NULL for base data without spectra that are not asked for any. */
static PetscErrorCode TakeBiology(const Machine *m, const char *model, Mistakes *mistakes, Biology **biology)
{
  PetscFunctionBegin;
  BiologySpec spec;
  *biology = NULL;
  if (!model && !m->n_species) PetscFunctionReturn(0);
  PetscCall(BiologySpecDefault(&spec));
  for (PetscInt i = 0; model && i < n_biology_model_names; i++)
    if (!strcmp(model, biology_model_names[i])) PetscCall(BiologySpecPreset(model, NULL, &spec));
  if (model) spec.model = model;
  PetscCall(BiologyCreate(&spec, m, mistakes, biology));
  PetscFunctionReturn(0);
}

PetscErrorCode BaseDataShow(const Arguments *arguments, const char *usage, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  Biology *biology = NULL;
  const char *file, *energies = NULL, *curves = NULL, *plot = NULL, *model = NULL;
  PetscInt n, energy[MOST_CURVES];
  PetscBool csv = PETSC_FALSE;
  const Option option[] = {{.name = "--csv", .flag = &csv},
                           {.name = "--energy", .value = &energies},
                           {.name = "--curves", .value = &curves},
                           {.name = "--plot", .value = &plot},
                           {.name = "--biology", .value = &model}};
  PetscCall(ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 0, 1, usage, &file, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ReadOrBuild(file, mistakes, &machine));
  if (machine && !curves && !plot) PetscCall(MachineShow(machine, csv, stdout));
  if (machine && (curves || plot)) {
    PetscCall(TakeEnergies(machine, energies, mistakes, &n, energy));
    PetscCall(TakeBiology(machine, model, mistakes, &biology));
    if (curves && !MistakesAny(mistakes)) PetscCall(CurvesWrite(machine, biology, n, energy, curves, mistakes));
    if (plot && !MistakesAny(mistakes)) PetscCall(CurvesPlot(machine, biology, n, energy, plot, mistakes));
  }
  PetscCall(BiologyDestroy(&biology));
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}

/* A .ddd file, and where there are spectra an .spc file, per energy: "12C_H2O_10000.ddd" is 100 MeV/u. */
static PetscErrorCode ExportTrip(const Machine *m, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  if (!FolderMake(folder, mistakes)) PetscFunctionReturn(0);
  for (PetscInt e = 0; e < m->n_energy && !MistakesAny(mistakes); e++) {
    TripDepthDose dose;
    TripSpectra spectra;
    const int name = (int)lround(100 * m->energy_MeV_u[e]);
    PetscCall(MachineToTripDepthDose(m, e, &dose));
    snprintf(file, sizeof file, "%s/%d.%d.H2O.%d.ddd", folder, (int)m->Z, (int)m->A, name);
    PetscCall(TripDepthDoseWrite(&dose, file, mistakes));
    PetscCall(TripDepthDoseDestroy(&dose));
    if (!m->n_species) continue;
    PetscCall(MachineToTripSpectra(m, e, mistakes, &spectra));
    snprintf(file, sizeof file, "%s/%d.%d.H2O.%d.spc", folder, (int)m->Z, (int)m->A, name);
    PetscCall(TripSpectraWrite(&spectra, PETSC_FALSE, file, mistakes));
    PetscCall(TripSpectraDestroy(&spectra));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode BaseDataExport(const Arguments *arguments, const char *usage, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  const char *operand[2] = {NULL, NULL};
  PetscCall(ParseArguments(arguments, 0, NULL, 2, 2, usage, operand, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(MachineRead(operand[0], mistakes, &machine));
  if (machine) {
    size_t n = strlen(operand[1]);
    if (n > 4 && !strcasecmp(operand[1] + n - 4, ".mat"))
      PetscCall(MachineWriteMatRad(machine, operand[1], mistakes));
    else
      PetscCall(ExportTrip(machine, operand[1], mistakes));
  }
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}
