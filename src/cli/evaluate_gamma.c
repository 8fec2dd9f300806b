/* `robion evaluate --gamma`: the doses just computed against those of a reference. */
#include "evaluate_gamma.h"
#include "robion/evaluate.h"
#include "robion/hdf5.h"
#include "robion/text.h"
#include <limits.h>
#include <math.h>

/* A number given as an option, or unchanged. */
static PetscErrorCode TakeNumber(const char *option, const char *text, double least, double most, double *value,
                                 Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (text && !(TextParseNumber(text, value) && *value >= least && *value <= most))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: found %s, expected a number from %g to %g", option, text,
                          least, most));
  PetscFunctionReturn(0);
}

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
  PetscCall(TakeNumber("--dose-percent", check->dose_percent, 1e-3, 100, &check->spec.dose_percent, mistakes));
  PetscCall(TakeNumber("--distance-mm", check->distance_mm, 1e-3, 10, &check->spec.distance_mm, mistakes));
  PetscCall(
      TakeNumber("--threshold-percent", check->threshold_percent, 0, 100, &check->spec.threshold_percent, mistakes));
  PetscFunctionReturn(0);
}

static void DosePath(Quantity q, char path[64])
{
  snprintf(path, 64, "/dose/nominal/%s", quantities[q].name);
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
static void ReadFile(const char *file, Grid *grid, float *dose[QUANTITIES_MOST], Mistakes *mistakes)
{
  H5Source source;
  char path[64], where[PETSC_MAX_PATH_LEN];
  PetscBool good = H5SourceOpen(file, mistakes, &source), any = PETSC_FALSE;
  good = good && ReadGrid(&source, grid, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  for (Quantity q = 0; q < n_quantities && good; q++) {
    DosePath(q, path);
    if (!QuantityIsDose(q) || !H5SourceHas(&source, path)) continue;
    any = PETSC_TRUE;
    good = ReadDose(&source, path, grid, &dose[q], mistakes);
  }
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  snprintf(where, sizeof where, "%s: /grid", file);
  if (good && any)
    (void)GridCheck(grid, where, mistakes);
  else if (good)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: no dose of a fraction in /dose/nominal, expected a plan.h5", file);
}

/* Rank 0's doses on every rank. */
static PetscErrorCode ShareDoses(Grid *grid, float *dose[QUANTITIES_MOST])
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Bcast(grid, (PetscMPIInt)sizeof *grid, MPI_BYTE, 0, PETSC_COMM_WORLD));
  for (Quantity q = 0; q < n_quantities; q++) {
    PetscMPIInt there = dose[q] ? 1 : 0;
    PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, PETSC_COMM_WORLD));
    if (!there) continue;
    if (rank > 0) PetscCall(PetscMalloc1(GridSize(grid), &dose[q]));
    PetscCallMPI(MPI_Bcast(dose[q], (PetscMPIInt)GridSize(grid), MPI_FLOAT, 0, PETSC_COMM_WORLD));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DosesRead(const char *file, Grid *grid, float *dose[QUANTITIES_MOST], Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscArrayzero(grid, 1));
  PetscCall(PetscArrayzero(dose, QUANTITIES_MOST));
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
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(PetscFree(check->reference[q]));
  PetscFunctionReturn(0);
}

static const char *Normalisation(const GammaSpec *spec)
{
  return spec->local ? "local: percent of the reference dose in the voxel"
                     : "global: percent of the highest reference dose";
}

static void WriteResult(H5Sink *sink, Quantity q, const Grid *grid, const GammaResult *result)
{
  const hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  const double counts[3] = {result->n_compared, result->n_passed, result->n_outside};
  char path[64];
  snprintf(path, sizeof path, "/gamma/%s", quantities[q].name);
  H5WriteArray(sink, path, H5T_NATIVE_FLOAT, 3, dims, result->gamma, "1",
               "gamma in the voxels of the reference; -1: not compared");
  H5WriteString(sink, path, "dose_unit", quantities[q].unit);
  H5WriteDoubles(sink, path, "reference_maximum", 1, &result->reference_maximum);
  H5WriteDoubles(sink, path, "voxels_compared", 1, &counts[0]);
  H5WriteDoubles(sink, path, "voxels_passed", 1, &counts[1]);
  H5WriteDoubles(sink, path, "voxels_outside", 1, &counts[2]);
  H5WriteDoubles(sink, path, "pass_percent", 1, &result->pass_percent);
  H5WriteDoubles(sink, path, "mean", 1, &result->mean);
  H5WriteDoubles(sink, path, "highest", 1, &result->highest);
}

static void WriteGamma(const GammaCheck *check, const char *file, const GammaResult result[QUANTITIES_MOST],
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
  for (Quantity q = 0; q < n_quantities; q++)
    if (result[q].gamma) WriteResult(&sink, q, &check->grid, &result[q]);
  (void)H5SinkClose(&sink, mistakes);
}

static PetscErrorCode Print(const GammaCheck *check, const char *file, const GammaResult result[QUANTITIES_MOST])
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "gamma %g %% / %g mm, %s; reference doses from %g %% of the highest\n",
                    check->spec.dose_percent, check->spec.distance_mm, Normalisation(&check->spec),
                    check->spec.threshold_percent));
  PetscCall(TextAdd(&text, "reference %s, evaluated (searched) %s\n", check->file, file));
  for (Quantity q = 0; q < n_quantities; q++) {
    const GammaResult *r = &result[q];
    if (!r->gamma) continue;
    PetscCall(
        TextAdd(&text, "%-12s  %.2f %% of %d voxels pass; gamma: mean %.3f, highest %s%.3f; highest dose %.4g %s\n",
                quantities[q].name, r->pass_percent, (int)r->n_compared, r->mean,
                r->highest < check->spec.largest ? "" : ">= ", r->highest, r->reference_maximum, quantities[q].unit));
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
  float *evaluated[QUANTITIES_MOST];
  GammaResult result[QUANTITIES_MOST] = {{0}};
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(DosesRead(file, &grid, evaluated, mistakes));
  for (Quantity q = 0; q < n_quantities && !MistakesAny(mistakes); q++) {
    if (!check->reference[q]) continue;
    PetscCall(GammaAnalyse(PETSC_COMM_WORLD, &check->spec, &check->grid, check->reference[q], &grid, evaluated[q],
                           &result[q]));
    if (!result[q].n_compared)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no %s dose above the threshold lies within the grid of %s",
                            check->file, quantities[q].name, file));
  }
  if (rank == 0 && !MistakesAny(mistakes)) WriteGamma(check, file, result, mistakes);
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(Print(check, file, result));
  for (Quantity q = 0; q < n_quantities; q++) {
    PetscCall(GammaResultDestroy(&result[q]));
    PetscCall(PetscFree(evaluated[q]));
  }
  PetscFunctionReturn(0);
}
