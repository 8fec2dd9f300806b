/* robion basedata show: base data for people, and as curves for other programs. */
#include "basedata.h"
#include "robion/curves.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

enum { MOST_CURVES = 24, CURVES_BY_DEFAULT = 5 };
#define ROUNDING_MEV_U 0.05 /* a machine's energies as people write them */

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

/* Add the machine's energy that is nearest to one as text, once. */
static PetscErrorCode AddEnergy(const Machine *m, const char *text, Mistakes *mistakes, PetscInt *n, PetscInt *energy)
{
  PetscFunctionBegin;
  const double lowest = m->energy_MeV_u[0], highest = m->energy_MeV_u[m->n_energy - 1];
  double wanted = 0;
  PetscInt best = 0;
  if (!TextParseNumber(text, &wanted) || wanted < lowest - ROUNDING_MEV_U || wanted > highest + ROUNDING_MEV_U) {
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--energy: found '%s', expected numbers from %g to %g MeV/u",
                          text, lowest, highest));
    PetscFunctionReturn(0);
  }
  for (PetscInt e = 1; e < m->n_energy; e++)
    if (fabs(m->energy_MeV_u[e] - wanted) < fabs(m->energy_MeV_u[best] - wanted)) best = e;
  for (PetscInt i = 0; i < *n; i++)
    if (energy[i] == best) PetscFunctionReturn(0);
  if (*n == MOST_CURVES)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--energy: expected at most %d energies", (int)MOST_CURVES));
  else
    energy[(*n)++] = best;
  PetscFunctionReturn(0);
}

/* Energies as "100,200.5"; without text some of the machine's, evenly spread. */
static PetscErrorCode TakeEnergies(const Machine *m, const char *text, Mistakes *mistakes, PetscInt *n,
                                   PetscInt *energy)
{
  PetscFunctionBegin;
  char *copy, *rest, *one;
  const PetscInt before = mistakes->n;
  *n = 0;
  if (!text) {
    const PetscInt most = PetscMin(CURVES_BY_DEFAULT, m->n_energy);
    for (; *n < most; ++*n) energy[*n] = most > 1 ? *n * (m->n_energy - 1) / (most - 1) : 0;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscStrallocpy(text, &copy));
  rest = copy;
  while (mistakes->n == before && (one = strsep(&rest, ","))) PetscCall(AddEnergy(m, one, mistakes, n, energy));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckName(const char *option, const char *found, PetscInt n, const char *const *known,
                                Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++)
    if (!found || !strcmp(found, known[i])) PetscFunctionReturn(0);
  PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: found '%s', which is unknown%s", option, found,
                        SuggestName("; ", found, n, known).text));
  PetscFunctionReturn(0);
}

PetscErrorCode BaseDataBiologySpec(const char *model, const char *cell_line, Mistakes *mistakes, BiologySpec *spec)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n;
  PetscCall(CheckName("--biology", model, n_biology_model_names, biology_model_names, mistakes));
  PetscCall(CheckName("--cell-line", cell_line, n_cell_line_names, cell_line_names, mistakes));
  if (mistakes->n == before) PetscCall(BiologySpecPreset(model ? model : "lem1", cell_line, spec));
  PetscFunctionReturn(0);
}

/*
 * alpha and beta of a model with its own cells or others; of the machine's first tissue class if nothing is asked for and it has
 * any; NULL where there is nothing to compute them from.
 */
static PetscErrorCode TakeBiology(const Machine *m, const char *model, const char *cell_line, Mistakes *mistakes,
                                  Biology **biology)
{
  PetscFunctionBegin;
  BiologySpec spec;
  const PetscInt before = mistakes->n;
  const PetscBool table = m->n_tissue && !cell_line && (!model || !strcmp(model, "table")) ? PETSC_TRUE : PETSC_FALSE;
  *biology = NULL;
  if (!model && !cell_line && !m->n_species && !table) PetscFunctionReturn(0);
  PetscCall(BaseDataBiologySpec(table ? "table" : model, cell_line, mistakes, &spec));
  if (mistakes->n > before) PetscFunctionReturn(0);
  if (table) {
    spec.alpha_x_per_Gy = m->alpha_x[0];
    spec.beta_x_per_Gy2 = m->beta_x[0];
  }
  PetscCall(BiologyCreate(&spec, m, mistakes, biology));
  PetscFunctionReturn(0);
}

static struct {
  PetscBool csv;
  const char *energies, *curves, *plot, *model, *cell_line;
} given;

const Option basedata_show_options[N_SHOW_OPTIONS] = {
    {"--csv", NULL, "the table as CSV", .flag = &given.csv},
    {"--curves", "OUT.csv", "write curves over depth", .value = &given.curves},
    {"--plot", "OUT.png|OUT.svg", "draw them", .value = &given.plot},
    {"--energy", "E,E,...", "energies of the curves, MeV/u", "some, evenly spread", .value = &given.energies},
    {"--biology", "MODEL", "model of their alpha and beta", "the file's own tissue, else lem1", .value = &given.model},
    {"--cell-line", "CELLS", "cells of the model", "the model's own", .value = &given.cell_line}};

PetscErrorCode BaseDataShow(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  Biology *biology = NULL;
  const char *file;
  PetscInt n, energy[MOST_CURVES];
  PetscCall(ArgumentsParse(arguments, &verb_basedata, command, &file, mistakes));
  const char *idle = given.energies ? "--energy" : given.model ? "--biology" : given.cell_line ? "--cell-line" : NULL;
  if (!MistakesAny(mistakes) && idle && !given.curves && !given.plot)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: expected beside --curves or --plot", idle));
  if (given.csv) LogToStandardError();
  if (!MistakesAny(mistakes)) PetscCall(ReadOrBuild(file, mistakes, &machine));
  if (machine && (given.curves || given.plot)) {
    PetscCall(TakeEnergies(machine, given.energies, mistakes, &n, energy));
    if (!MistakesAny(mistakes)) PetscCall(TakeBiology(machine, given.model, given.cell_line, mistakes, &biology));
    if (given.curves && !MistakesAny(mistakes))
      PetscCall(CurvesWrite(machine, biology, n, energy, given.curves, mistakes));
    if (given.plot && !MistakesAny(mistakes)) PetscCall(CurvesPlot(machine, biology, n, energy, given.plot, mistakes));
  }
  if (machine && !MistakesAny(mistakes)) PetscCall(MachineShow(machine, given.csv, stdout));
  PetscCall(BiologyDestroy(&biology));
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}
