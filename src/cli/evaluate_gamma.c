/* `robion evaluate --gamma`: the doses just computed against those of a reference. */
#include "evaluate_gamma.h"
#include "robion/cli.h"
#include "robion/evaluate.h"
#include "robion/hdf5.h"
#include "robion/text.h"
#include <limits.h>
#include <math.h>

static const DoseKind compared[GAMMA_DOSES] = {DOSE_PHYSICAL, DOSE_RBE_WEIGHTED};

static PetscErrorCode TakeOptions(GammaCheck *check, Mistakes *mistakes)
{
  PetscFunctionBegin;
  GammaSpecDefault(&check->spec);
  if (!check->file &&
      (check->dose_percent || check->distance_mm || check->threshold_percent || check->local || check->global))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "criteria of a gamma analysis without --gamma FILE.h5, the doses to compare with"));
  if (check->local && check->global)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--local and --global exclude each other"));
  check->spec.local = check->local;
  PetscCall(OptionNumber("--dose-percent", check->dose_percent, 1e-3, 100, mistakes, &check->spec.dose_percent));
  PetscCall(OptionNumber("--distance-mm", check->distance_mm, 1e-3, 10, mistakes, &check->spec.distance_mm));
  PetscCall(
      OptionNumber("--threshold-percent", check->threshold_percent, 0, 100, mistakes, &check->spec.threshold_percent));
  PetscFunctionReturn(0);
}

static void DosePath(int i, char path[64])
{
  snprintf(path, 64, "/dose/nominal/%s", dose_kind_names[compared[i]]);
}

/* Spacing and origin; the size is that of the doses. */
static PetscBool ReadGrid(const H5Source *source, Grid *grid, Mistakes *mistakes)
{
  return H5ReadAttribute(source, "/grid", "spacing_mm", 3, grid->spacing_mm, mistakes) &&
                 H5ReadAttribute(source, "/grid", "origin_mm", 3, grid->origin_mm, mistakes)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* One dose on the grid; the first that is read gives the grid its size. */
static PetscBool ReadDose(const H5Source *source, const char *path, Grid *grid, float **dose, Mistakes *mistakes)
{
  hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  double highest = 0;
  if (!H5ReadArray(source, path, H5T_NATIVE_FLOAT, 3, dims, dose, mistakes)) return PETSC_FALSE;
  const size_t size = (size_t)(dims[0] * dims[1] * dims[2]);
  if (size > INT_MAX) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %zu voxels, expected fewer than 2^31", source->name, path, size);
    return PETSC_FALSE;
  }
  for (int a = 0; a < 3; a++) grid->n[a] = (PetscInt)dims[2 - a];
  for (size_t v = 0; v < size && isfinite(highest); v++)
    highest = isfinite((*dose)[v]) ? fmax(highest, (double)(*dose)[v]) : (double)INFINITY;
  if (highest > 0 && isfinite(highest)) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %s, expected finite doses, some of them above 0", source->name,
                    path, isfinite(highest) ? "no dose above 0" : "a dose is not finite");
  return PETSC_FALSE;
}

/* The doses that a file has of those compared, and their grid. */
static void ReadFile(const char *file, Grid *grid, float *dose[GAMMA_DOSES], Mistakes *mistakes)
{
  H5Source source;
  char path[64], where[PETSC_MAX_PATH_LEN];
  PetscBool good = H5SourceOpen(file, mistakes, &source), any = PETSC_FALSE;
  good = good && ReadGrid(&source, grid, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  for (int i = 0; i < GAMMA_DOSES && good; i++) {
    DosePath(i, path);
    if (!H5SourceHas(&source, path)) continue;
    any = PETSC_TRUE;
    good = ReadDose(&source, path, grid, &dose[i], mistakes);
  }
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  snprintf(where, sizeof where, "%s: /grid", file);
  if (good && any)
    (void)GridCheck(grid, where, mistakes);
  else if (good)
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: neither /dose/nominal/physical nor /dose/nominal/rbe_weighted, expected a plan.h5", file);
}

/* Rank 0's doses on every rank. */
static PetscErrorCode ShareDoses(Grid *grid, float *dose[GAMMA_DOSES])
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Bcast(grid, (PetscMPIInt)sizeof *grid, MPI_BYTE, 0, PETSC_COMM_WORLD));
  for (int i = 0; i < GAMMA_DOSES; i++) {
    PetscMPIInt there = dose[i] ? 1 : 0;
    PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, PETSC_COMM_WORLD));
    if (!there) continue;
    if (rank > 0) PetscCall(PetscMalloc1(GridSize(grid), &dose[i]));
    PetscCallMPI(MPI_Bcast(dose[i], (PetscMPIInt)GridSize(grid), MPI_FLOAT, 0, PETSC_COMM_WORLD));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DosesRead(const char *file, Grid *grid, float *dose[GAMMA_DOSES], Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscArrayzero(grid, 1));
  PetscCall(PetscArrayzero(dose, GAMMA_DOSES));
  if (rank == 0) ReadFile(file, grid, dose, mistakes);
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ShareDoses(grid, dose));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaCheckPrepare(GammaCheck *check, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscCall(TakeOptions(check, mistakes));
  if (check->file && !MistakesAny(mistakes))
    PetscCall(DosesRead(check->file, &check->grid, check->reference, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaCheckDestroy(GammaCheck *check)
{
  PetscFunctionBegin;
  for (int i = 0; i < GAMMA_DOSES; i++) PetscCall(PetscFree(check->reference[i]));
  PetscFunctionReturn(0);
}

static const char *Normalisation(const GammaSpec *spec)
{
  return spec->local ? "local: percent of the reference dose in the voxel"
                     : "global: percent of the highest reference dose";
}

static void WriteResult(H5Sink *sink, int i, const Grid *grid, const GammaResult *result)
{
  const hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  const double counts[3] = {result->n_compared, result->n_passed, result->n_outside};
  char path[64];
  snprintf(path, sizeof path, "/gamma/%s", dose_kind_names[compared[i]]);
  H5WriteArray(sink, path, H5T_NATIVE_FLOAT, 3, dims, result->gamma, "1",
               "gamma in the voxels of the reference; -1: not compared");
  H5WriteString(sink, path, "dose_unit", dose_kind_units[compared[i]]);
  H5WriteDoubles(sink, path, "reference_maximum", 1, &result->reference_maximum);
  H5WriteDoubles(sink, path, "voxels_compared", 1, &counts[0]);
  H5WriteDoubles(sink, path, "voxels_passed", 1, &counts[1]);
  H5WriteDoubles(sink, path, "voxels_outside", 1, &counts[2]);
  H5WriteDoubles(sink, path, "pass_percent", 1, &result->pass_percent);
  H5WriteDoubles(sink, path, "mean", 1, &result->mean);
  H5WriteDoubles(sink, path, "highest", 1, &result->highest);
}

static void WriteGamma(const GammaCheck *check, const char *file, const GammaResult result[GAMMA_DOSES],
                       Mistakes *mistakes)
{
  const GammaSpec *spec = &check->spec;
  H5Sink sink;
  if (!H5SinkExtend(file, file, mistakes, &sink)) return;
  H5WriteGroup(&sink, "/gamma");
  H5WriteString(&sink, "/gamma", "reference", check->file);
  H5WriteString(&sink, "/gamma", "evaluated", "/dose/nominal of this file, searched with linear interpolation");
  H5WriteString(&sink, "/gamma", "normalisation", Normalisation(spec));
  H5WriteDoubles(&sink, "/gamma", "dose_percent", 1, &spec->dose_percent);
  H5WriteDoubles(&sink, "/gamma", "distance_mm", 1, &spec->distance_mm);
  H5WriteDoubles(&sink, "/gamma", "threshold_percent_of_highest_reference_dose", 1, &spec->threshold_percent);
  H5WriteDoubles(&sink, "/gamma", "largest", 1, &spec->largest);
  H5WriteDoubles(&sink, "/gamma", "spacing_mm", 3, check->grid.spacing_mm);
  H5WriteDoubles(&sink, "/gamma", "origin_mm", 3, check->grid.origin_mm);
  for (int i = 0; i < GAMMA_DOSES; i++)
    if (result[i].gamma) WriteResult(&sink, i, &check->grid, &result[i]);
  (void)H5SinkClose(&sink, mistakes);
}

static PetscErrorCode Print(const GammaCheck *check, const char *file, const GammaResult result[GAMMA_DOSES])
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "gamma %g %% / %g mm, %s; reference doses from %g %% of the highest\n",
                    check->spec.dose_percent, check->spec.distance_mm, Normalisation(&check->spec),
                    check->spec.threshold_percent));
  PetscCall(TextAdd(&text, "reference %s, evaluated (searched) %s\n", check->file, file));
  for (int i = 0; i < GAMMA_DOSES; i++) {
    const GammaResult *r = &result[i];
    if (!r->gamma) continue;
    PetscCall(TextAdd(
        &text, "%-12s  %.2f %% of %d voxels pass; gamma: mean %.3f, highest %s%.3f; highest dose %.4g %s\n",
        dose_kind_names[compared[i]], r->pass_percent, (int)r->n_compared, r->mean,
        r->highest < check->spec.largest ? "" : ">= ", r->highest, r->reference_maximum, dose_kind_units[compared[i]]));
    if (r->n_outside)
      PetscCall(
          TextAdd(&text, "%-12s  %d voxels lie outside the evaluated grid: not compared\n", "", (int)r->n_outside));
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s", text.data));
  PetscCall(TextDestroy(&text));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaCheckRun(const GammaCheck *check, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  Grid grid;
  float *evaluated[GAMMA_DOSES];
  GammaResult result[GAMMA_DOSES] = {{0}};
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(DosesRead(file, &grid, evaluated, mistakes));
  for (int i = 0; i < GAMMA_DOSES && !MistakesAny(mistakes); i++) {
    if (!check->reference[i]) continue;
    PetscCall(GammaAnalyse(PETSC_COMM_WORLD, &check->spec, &check->grid, check->reference[i], &grid, evaluated[i],
                           &result[i]));
    if (!result[i].n_compared)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no %s dose above the threshold lies within the grid of %s",
                            check->file, dose_kind_names[compared[i]], file));
  }
  if (rank == 0 && !MistakesAny(mistakes)) WriteGamma(check, file, result, mistakes);
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(Print(check, file, result));
  for (int i = 0; i < GAMMA_DOSES; i++) {
    PetscCall(GammaResultDestroy(&result[i]));
    PetscCall(PetscFree(evaluated[i]));
  }
  PetscFunctionReturn(0);
}
