/* robion basedata export: base data for other programs. */
#include "basedata.h"
#include "robion/exchange.h"
#include "robion/text.h"
#include "robion/trip98.h"
#include <math.h>
#include <string.h>

/* Depth dose and, where there are any, spectra of an energy: "FOLDER/12C.H2O.10000.ddd" and .spc of 100 MeV/u. */
static PetscErrorCode ExportEnergy(const Machine *m, PetscInt e, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char stem[PETSC_MAX_PATH_LEN], file[PETSC_MAX_PATH_LEN + 8];
  TripDepthDose dose;
  TripSpectra spectra;
  PetscCall(MachineToTripDepthDose(m, e, &dose));
  snprintf(stem, sizeof stem, "%s/%s.H2O.%ld", folder, dose.projectile, lround(100 * m->energy_MeV_u[e]));
  snprintf(file, sizeof file, "%s.ddd", stem);
  PetscCall(TripDepthDoseWrite(&dose, file, mistakes));
  PetscCall(TripDepthDoseDestroy(&dose));
  if (!m->n_species || MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(MachineToTripSpectra(m, e, mistakes, &spectra));
  snprintf(file, sizeof file, "%s.spc", stem);
  if (!MistakesAny(mistakes)) PetscCall(TripSpectraWrite(&spectra, PETSC_FALSE, file, mistakes));
  PetscCall(TripSpectraDestroy(&spectra));
  PetscFunctionReturn(0);
}

/* RBE of the machine's ions by LEM I, "FOLDER/chordoma.rbe". */
static PetscErrorCode ExportRBE(const Machine *m, const char *folder, const char *cell_line, Mistakes *mistakes)
{
  PetscFunctionBegin;
  BiologySpec spec;
  TripRBE rbe;
  char file[PETSC_MAX_PATH_LEN];
  const Species projectile = {m->Z, m->A};
  PetscCall(BaseDataBiologySpec("lem1", cell_line, mistakes, &spec));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(TripRBEFromLEM1(&spec, m->n_species ? m->n_species : 1, m->n_species ? m->species : &projectile, &rbe));
  snprintf(file, sizeof file, "%s/%s.rbe", folder, spec.cell_line);
  PetscCall(TripRBEWrite(&rbe, file, mistakes));
  PetscCall(TripRBEDestroy(&rbe));
  PetscFunctionReturn(0);
}

static PetscErrorCode ExportTrip(const Machine *m, const char *folder, const char *cell_line, Mistakes *mistakes)
{
  PetscFunctionBegin;
  BiologySpec spec;
  if (cell_line) PetscCall(BaseDataBiologySpec("lem1", cell_line, mistakes, &spec)); /* before anything is written */
  if (MistakesAny(mistakes) || !FolderMake(folder, mistakes)) PetscFunctionReturn(0);
  for (PetscInt e = 0; e < m->n_energy && !MistakesAny(mistakes); e++) PetscCall(ExportEnergy(m, e, folder, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ExportRBE(m, folder, cell_line, mistakes));
  if (!MistakesAny(mistakes) && m->offset_mm != 0)
    PetscCall(PetscPrintf(PETSC_COMM_SELF,
                          "%s: depth 0 lies before %g mm of water in the beam line, which these files cannot say\n",
                          folder, m->offset_mm));
  PetscFunctionReturn(0);
}

PetscErrorCode BaseDataExport(const Arguments *arguments, const char *usage, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *m = NULL;
  const char *operand[2] = {NULL, NULL}, *cell_line = NULL;
  const Option option[] = {{.name = "--cell-line", .value = &cell_line}};
  PetscCall(ParseArguments(arguments, 1, option, 2, 2, usage, operand, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const PetscBool matrad = TextHasEnding(operand[1], ".mat");
  if (matrad && cell_line)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--cell-line is for folders of TRiP98's files only"));
  if (!MistakesAny(mistakes)) PetscCall(MachineRead(operand[0], mistakes, &m));
  if (m && matrad) PetscCall(MachineWriteMatRad(m, operand[1], mistakes));
  if (m && !matrad) PetscCall(ExportTrip(m, operand[1], cell_line, mistakes));
  if (m && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%s: %s, %d energies, %g to %g MeV/u\n", operand[1], m->name,
                          (int)m->n_energy, m->energy_MeV_u[0], m->energy_MeV_u[m->n_energy - 1]));
  PetscCall(MachineDestroy(&m));
  PetscFunctionReturn(0);
}
