/* A folder of TRiP98's base data -> Machine. */
#include "robion/log.h"
#include "trip_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* .ddd, .spc and .sis files of a folder, or the file itself. One mistake if there is no .ddd file. */
static PetscErrorCode FindFiles(const char *path, Mistakes *mistakes, TripFiles *ddd, TripFiles *spc, TripFiles *sis)
{
  PetscFunctionBegin;
  struct stat facts;
  if (stat(path, &facts) || !S_ISDIR(facts.st_mode)) {
    PetscCall(TripFilesOne(path, ddd));
    PetscFunctionReturn(0);
  }
  PetscCall(TripFilesFind(path, ".ddd", ddd));
  PetscCall(TripFilesFind(path, ".spc", spc));
  PetscCall(TripFilesFind(path, ".sis", sis));
  if (!ddd->n) PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no .ddd file in this folder", path));
  if (sis->n > 1)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %d .sis files, expected at most one", path, (int)sis->n));
  if (ddd->n && spc->n && ddd->n != spc->n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: %d .ddd files and %d .spc files, expected one of each per energy", path, (int)ddd->n,
                          (int)spc->n));
  PetscFunctionReturn(0);
}

/* The species of all spectra, in the order they are met. Files are large: they are read one at a time, and again later. */
static PetscErrorCode CollectSpecies(const TripFiles *spc, Mistakes *mistakes, PetscInt *n, Species **species)
{
  PetscFunctionBegin;
  for (PetscInt f = 0; f < spc->n; f++) {
    TripSpectra spectra;
    PetscCall(TripSpectraRead(spc->path[f], mistakes, &spectra));
    for (PetscInt d = 0; d < spectra.n; d++)
      for (PetscInt k = 0; k < spectra.depth[d].n; k++) {
        Species found = spectra.depth[d].spectrum[k].species;
        PetscInt s = 0;
        while (s < *n && ((*species)[s].Z != found.Z || (*species)[s].A != found.A)) s++;
        if (s < *n) continue;
        PetscCall(TripGrow(*n, sizeof found, species));
        (*species)[(*n)++] = found;
      }
    PetscCall(TripSpectraDestroy(&spectra));
  }
  PetscFunctionReturn(0);
}

/* Fill the spectra of every energy; equally many files as energies, so each must be of another energy. */
static PetscErrorCode TakeSpectra(const TripFiles *spc, Machine *m, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n;
  for (PetscInt f = 0; f < spc->n && mistakes->n == before; f++) {
    TripSpectra spectra;
    PetscCall(TripSpectraRead(spc->path[f], mistakes, &spectra));
    if (spectra.n) PetscCall(MachineSetTripSpectra(m, &spectra, spc->path[f], mistakes));
    PetscCall(TripSpectraDestroy(&spectra));
  }
  PetscCall(MachineDeriveSpecies(m));
  PetscFunctionReturn(0);
}

/* The first focus of the accelerator's table at an energy, linear between its energies; the table's dummy of 0 does not count. */
static double FocusAt_mm(const TripBeamTable *table, double energy_MeV_u)
{
  const PetscInt first = table->energy_MeV_u[0] > 0 ? 0 : 1;
  PetscInt e = first;
  while (e + 1 < table->n && table->energy_MeV_u[e + 1] < energy_MeV_u) e++;
  const PetscInt next = PetscMin(e + 1, table->n - 1);
  const double step = table->energy_MeV_u[next] - table->energy_MeV_u[e];
  const double t = step > 0 ? PetscClipInterval((energy_MeV_u - table->energy_MeV_u[e]) / step, 0.0, 1.0) : 0;
  return (1 - t) * table->focus_fwhm_mm[e * table->n_focus] + t * table->focus_fwhm_mm[next * table->n_focus];
}

/* Widths of spots from the accelerator's table. */
static PetscErrorCode TakeFoci(const char *file, Machine *m, Mistakes *mistakes)
{
  PetscFunctionBegin;
  TripBeamTable table;
  PetscCall(TripBeamTableRead(file, mistakes, &table));
  if (!table.n) PetscFunctionReturn(0);
  const PetscBool any = table.energy_MeV_u[table.n - 1] > 0 ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt e = 0; any && e < m->n_energy; e++) {
    const double fwhm_mm = FocusAt_mm(&table, m->energy_MeV_u[e]);
    m->spot_sigma_mm[e] = fwhm_mm / FWHM_PER_SIGMA;
    if (fwhm_mm > 0) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: the first focus at %g MeV/u is %g mm, expected a width", file,
                          m->energy_MeV_u[e], fwhm_mm));
    break;
  }
  if (any)
    LogLine(LOG_INFO, "import", NULL, "%s: spots as wide as the first of its %d foci", file, (int)table.n_focus);
  else
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no energy above 0, expected those of the beam", file));
  PetscCall(TripBeamTableDestroy(&table));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineReadTrip(const char *path, const TripMachineSpec *spec, Mistakes *mistakes, Machine **out)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n;
  TripFiles ddd = {0}, spc = {0}, sis = {0};
  TripMachineSpec beam = *spec;
  MachineSpec builtin;
  TripDepthDose *dose = NULL;
  TripWidths widths = {{0}, {0}, 0};
  Species *species = NULL;
  PetscInt n_species = 0, n_dose = 0;
  *out = NULL;
  PetscCall(FindFiles(path, mistakes, &ddd, &spc, &sis));
  PetscCall(MachineSpecDefault(&builtin));
  if (spec->spot_fwhm_mm <= 0) beam.spot_fwhm_mm = builtin.spot_fwhm_mm;
  if (mistakes->n == before) {
    PetscCall(PetscCalloc1(ddd.n, &dose));
    for (; n_dose < ddd.n; n_dose++) {
      PetscCall(TripDepthDoseRead(ddd.path[n_dose], mistakes, &dose[n_dose]));
      if (dose[n_dose].n && TripCheckWater(ddd.path[n_dose], &dose[n_dose], mistakes))
        (void)TripSettleWidths(ddd.path[n_dose], &dose[n_dose], &widths, mistakes);
    }
    PetscCall(CollectSpecies(&spc, mistakes, &n_species, &species));
  }
  if (mistakes->n == before) PetscCall(MachineFromTrip(&beam, n_dose, dose, n_species, species, path, mistakes, out));
  if (*out) PetscCall(TripCheckRanges(*out, path, mistakes));
  if (*out && mistakes->n == before) TripTellWidths(path, &widths);
  if (*out && mistakes->n == before && sis.n && spec->spot_fwhm_mm <= 0)
    PetscCall(TakeFoci(sis.path[0], *out, mistakes));
  if (*out && mistakes->n == before) PetscCall(TakeSpectra(&spc, *out, mistakes));
  if (*out && mistakes->n == before) PetscCall(MachineCheck(*out, path, mistakes));
  if (mistakes->n > before) PetscCall(MachineDestroy(out));
  for (PetscInt i = 0; i < n_dose; i++) PetscCall(TripDepthDoseDestroy(&dose[i]));
  PetscCall(PetscFree(dose));
  PetscCall(PetscFree(species));
  PetscCall(TripFilesDestroy(&ddd));
  PetscCall(TripFilesDestroy(&spc));
  PetscCall(TripFilesDestroy(&sis));
  PetscFunctionReturn(0);
}
