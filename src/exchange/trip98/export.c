/* What TRiP98 needs to plan with robion's base data, or to recalculate a plan of robion's: folders of its files. */
#include "robion/log.h"
#include "trip_private.h"
#include <math.h>
#include <string.h>

/* Depth dose and, where there are any, spectra of an energy: "FOLDER/12C.H2O.10000.ddd" and .spc of 100 MeV/u. */
static PetscErrorCode WriteEnergy(const Machine *m, PetscInt e, const char *folder, Mistakes *mistakes)
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
static PetscErrorCode WriteRBE(const Machine *m, const BiologySpec *spec, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  TripRBE rbe;
  char file[PETSC_MAX_PATH_LEN];
  const Species projectile = {m->Z, m->A};
  PetscCall(TripRBEFromLEM1(spec, m->n_species ? m->n_species : 1, m->n_species ? m->species : &projectile, &rbe));
  snprintf(file, sizeof file, "%s/%s.rbe", folder, spec->cell_line);
  PetscCall(TripRBEWrite(&rbe, file, mistakes));
  PetscCall(TripRBEDestroy(&rbe));
  PetscFunctionReturn(0);
}

/* The accelerator's table "FOLDER/12C.sis": n energies, ascending, behind the dummy of 0 that makes their numbers begin with 1. */
static PetscErrorCode WriteFoci(const char *ion, PetscInt n, const double *energy_MeV_u, const double *fwhm_mm,
                                const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  Species species = {0};
  TripBeamTable table = {.n = n + 1, .n_focus = 1, .table_version = 1};
  (void)SpeciesFind(ion, &species);
  table.charge = (double)species.Z;
  table.mass = (double)species.A;
  TripNameSet(table.projectile, ion);
  PetscCall(PetscMalloc1(n + 1, &table.energy_MeV_u));
  PetscCall(PetscMalloc1(n + 1, &table.focus_fwhm_mm));
  table.energy_MeV_u[0] = 0;
  table.focus_fwhm_mm[0] = 0;
  PetscCall(PetscArraycpy(table.energy_MeV_u + 1, energy_MeV_u, n));
  PetscCall(PetscArraycpy(table.focus_fwhm_mm + 1, fwhm_mm, n));
  snprintf(file, sizeof file, "%s/%s.sis", folder, ion);
  PetscCall(TripBeamTableWrite(&table, file, mistakes));
  PetscCall(TripBeamTableDestroy(&table));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineWriteTrip(const Machine *m, const BiologySpec *rbe, const char *path, Mistakes *mistakes)
{
  PetscFunctionBegin;
  TripDepthDose first;
  double *fwhm_mm;
  if (!FolderMake(path, mistakes)) PetscFunctionReturn(0);
  for (PetscInt e = 0; e < m->n_energy && !MistakesAny(mistakes); e++) PetscCall(WriteEnergy(m, e, path, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(WriteRBE(m, rbe, path, mistakes));
  PetscCall(PetscMalloc1(m->n_energy, &fwhm_mm));
  for (PetscInt e = 0; e < m->n_energy; e++) fwhm_mm[e] = FWHM_PER_SIGMA * m->spot_sigma_mm[e];
  PetscCall(MachineToTripDepthDose(m, 0, &first));
  if (!MistakesAny(mistakes))
    PetscCall(WriteFoci(first.projectile, m->n_energy, m->energy_MeV_u, fwhm_mm, path, mistakes));
  PetscCall(TripDepthDoseDestroy(&first));
  PetscCall(PetscFree(fwhm_mm));
  if (!MistakesAny(mistakes) && m->offset_mm != 0)
    LogLine(LOG_WARNING, "export", NULL,
            "left behind: depth 0 lies before %g mm of water in the beam line, which these files cannot say",
            m->offset_mm);
  PetscFunctionReturn(0);
}

/* An energy of a plan, and how wide its spots are. */
typedef struct Focus {
  double energy_MeV_u, fwhm_mm;
} Focus;

static int CompareFoci(const void *a, const void *b)
{
  const double x = ((const Focus *)a)->energy_MeV_u, y = ((const Focus *)b)->energy_MeV_u;
  return (x > y) - (x < y);
}

/* The energies of all beams, ascending, each once. */
static PetscErrorCode CollectFoci(const PlanReader *plan, Mistakes *mistakes, PetscInt *n, Focus **foci)
{
  PetscFunctionBegin;
  BeamOnFile beam;
  PetscInt n_all = 0;
  *n = 0;
  *foci = NULL;
  for (PetscInt b = 0; PlanReadBeam(plan, b, mistakes, &beam); b++) {
    PetscCall(PetscRealloc(sizeof **foci * (size_t)(n_all + beam.n), foci));
    for (PetscInt i = 0; i < beam.n; i++) (*foci)[n_all++] = (Focus){beam.energy_MeV_u[i], beam.spot_fwhm_mm[i]};
    PetscCall(BeamOnFileDestroy(&beam));
  }
  PetscCall(BeamOnFileDestroy(&beam));
  if (n_all) qsort(*foci, (size_t)n_all, sizeof **foci, CompareFoci);
  for (PetscInt i = 0; i < n_all; i++)
    if (!*n || (*foci)[i].energy_MeV_u > (*foci)[*n - 1].energy_MeV_u) (*foci)[(*n)++] = (*foci)[i];
  PetscFunctionReturn(0);
}

/* The least step between different coordinates of a layer's spots along one axis; 0 with less than two. */
static double StepOf(PetscInt n, const TripRasterPoint *point, int axis)
{
  double step = 0;
  for (PetscInt i = 1; i < n; i++) {
    const double apart = axis ? fabs(point[i].y_mm - point[i - 1].y_mm) : fabs(point[i].x_mm - point[i - 1].x_mm);
    if (apart > 1e-6 && (step == 0 || apart < step)) step = apart;
  }
  return step;
}

/* The spots of one energy; none: the layer stays out. Spots without particles are no points of a scan. */
static PetscErrorCode FillSlice(const BeamOnFile *beam, PetscInt index, const Focus *focus, TripRaster *raster)
{
  PetscFunctionBegin;
  TripRasterSlice slice = {.energy_index = index + 1,
                           .focus_index = 1,
                           .energy_MeV_u = focus->energy_MeV_u,
                           .focus_fwhm_mm = focus->fwhm_mm};
  for (PetscInt i = 0; i < beam->n; i++) {
    if (beam->energy_MeV_u[i] != focus->energy_MeV_u || !(beam->particles[i] > 0)) continue;
    PetscCall(TripGrow(slice.n, sizeof *slice.point, &slice.point));
    slice.point[slice.n++] = (TripRasterPoint){beam->y_mm[i], 0 - beam->x_mm[i], beam->particles[i]};
  }
  if (!slice.n) PetscFunctionReturn(0);
  slice.step_x_mm = StepOf(slice.n, slice.point, 0);
  slice.step_y_mm = StepOf(slice.n, slice.point, 1);
  PetscCall(TripGrow(raster->n, sizeof *raster->slice, &raster->slice));
  raster->slice[raster->n++] = slice;
  PetscFunctionReturn(0);
}

/* TRiP98's angles of a beam: the way back of SpotListReadRaster. */
static void SetAngles(const BeamOnFile *beam, TripRaster *raster)
{
  raster->gantry_deg = fmod(beam->gantry_deg + 270, 360);
  raster->couch_deg = fmod(630 - beam->couch_deg, 360);
}

static PetscErrorCode WriteBeam(const BeamOnFile *beam, PetscInt b, const char *ion, const char *patient, PetscInt n,
                                const Focus *foci, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  Species species = {0};
  TripRaster raster = {.version = "20030630", .sistable = "1", .machine = "0", .bolus = "0", .ripple_filter = "0"};
  (void)SpeciesFind(ion, &species);
  raster.charge = (double)species.Z;
  raster.mass = (double)species.A;
  TripNameSet(raster.projectile, ion);
  TripNameSet(raster.patient, *patient ? patient : "robion");
  SetAngles(beam, &raster);
  for (PetscInt e = 0; e < n; e++) PetscCall(FillSlice(beam, e, &foci[e], &raster));
  PetscCall(TripRasterSum(&raster));
  snprintf(file, sizeof file, "%s/beam_%d.rst", folder, (int)b);
  PetscCall(TripRasterWrite(&raster, file, mistakes));
  PetscCall(TripRasterDestroy(&raster));
  if (beam->range_shifter_mm > 0)
    LogLine(LOG_WARNING, "export", NULL, "left behind: the range shifter of beam %d, %g mm of water", (int)b,
            beam->range_shifter_mm);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteBeams(const PlanReader *plan, const char *ion, const char *patient, PetscInt n,
                                 const Focus *foci, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  BeamOnFile beam;
  double *column;
  PetscCall(PetscMalloc1(2 * n, &column));
  for (PetscInt e = 0; e < n; e++) {
    column[e] = foci[e].energy_MeV_u;
    column[n + e] = foci[e].fwhm_mm;
  }
  PetscCall(WriteFoci(ion, n, column, column + n, folder, mistakes));
  PetscCall(PetscFree(column));
  for (PetscInt b = 0; !MistakesAny(mistakes) && PlanReadBeam(plan, b, mistakes, &beam); b++) {
    PetscCall(WriteBeam(&beam, b, ion, patient, n, foci, folder, mistakes));
    PetscCall(BeamOnFileDestroy(&beam));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanWriteTrip(const PlanReader *plan, const char *plan_file, const char *path, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char *ion = NULL, *patient = NULL;
  PetscInt n = 0;
  Focus *foci = NULL;
  const PetscInt before = mistakes->n;
  if (PlanReadText(plan, PLAN_ION, mistakes, &ion) && PlanReadText(plan, PLAN_CASE, mistakes, &patient))
    PetscCall(CollectFoci(plan, mistakes, &n, &foci));
  if (mistakes->n == before && !n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no spots, expected a plan of robion", plan_file));
  if (mistakes->n == before && FolderMake(path, mistakes))
    PetscCall(WriteBeams(plan, ion, patient, n, foci, path, mistakes));
  PetscCall(PetscFree(foci));
  PetscCall(PetscFree(ion));
  PetscCall(PetscFree(patient));
  PetscFunctionReturn(0);
}
