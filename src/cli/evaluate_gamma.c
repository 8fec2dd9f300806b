/* `robion evaluate --gamma`: the doses just computed against those of a reference. */
#include "evaluate_gamma.h"
#include "robion/cli.h"
#include "robion/evaluate.h"
#include "robion/format.h"
#include "robion/hdf5.h"
#include "robion/plan_read.h"
#include "robion/text.h"
#include <string.h>

static PetscErrorCode TakeOptions(GammaCheck *check, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!check->file && check->criteria)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "criteria of a gamma analysis without --gamma FILE, the doses to compare with"));
  if (check->local && check->global)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--local and --global exclude each other"));
  check->spec.local = check->local;
  PetscFunctionReturn(0);
}

/* A dose to compare with has some to compare. */
static PetscBool CheckDose(const char *file, Quantity quantity, const Grid *grid, const float *dose, Mistakes *mistakes)
{
  char path[64];
  for (size_t v = 0; v < GridSize(grid); v++)
    if (dose[v] > 0) return PETSC_TRUE;
  PlanDosePath(PLAN_NOMINAL, quantity, path);
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: no dose above 0, expected some", file, path);
  return PETSC_FALSE;
}

/* The dose of another program. */
static void ReadForeign(const FileFormat *format, GammaCheck *check, Mistakes *mistakes)
{
  ForeignDose *dose = &check->foreign;
  if ((*format->read_dose)(check->file, mistakes, dose)) {
    check->grid = dose->grid;
    check->reference[dose->quantity] = dose->value;
    dose->value = NULL;
    (void)CheckDose(check->file, dose->quantity, &check->grid, check->reference[dose->quantity], mistakes);
  }
  (void)ForeignDoseDestroy(dose);
}

/* The doses of a fraction that a file has, and their grid. */
static void ReadFile(const char *file, Grid *grid, float *dose[QUANTITIES_MOST], Mistakes *mistakes)
{
  PlanReader reader;
  char where[PETSC_MAX_PATH_LEN];
  PetscBool any = PETSC_FALSE;
  if (!PlanReaderOpen(file, mistakes, &reader)) return;
  PetscBool good = PlanReadGrid(&reader, mistakes, grid);
  for (Quantity q = 0; q < n_quantities && good; q++) {
    if (!QuantityIsDose(q) || !PlanHasDose(&reader, PLAN_NOMINAL, q)) continue;
    any = PETSC_TRUE;
    good =
        PlanReadDose(&reader, PLAN_NOMINAL, q, mistakes, grid, &dose[q]) && CheckDose(file, q, grid, dose[q], mistakes)
            ? PETSC_TRUE
            : PETSC_FALSE;
  }
  if (!PlanReaderClose(&reader, mistakes)) good = PETSC_FALSE;
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

static PetscErrorCode ReadReference(GammaCheck *check, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  const FileFormat *format = FormatOfFile(check->file, FORMAT_READ_DOSE);
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!format) {
    PetscCall(DosesRead(check->file, &check->grid, check->reference, mistakes));
    PetscFunctionReturn(0);
  }
  if (rank == 0) ReadForeign(format, check, mistakes);
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Bcast(&check->foreign, (PetscMPIInt)sizeof check->foreign, MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscCall(ShareDoses(&check->grid, check->reference));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaCheckPrepare(GammaCheck *check, Mistakes *mistakes)
{
  PetscFunctionBegin;
  check->fractions = 1;
  PetscCall(TakeOptions(check, mistakes));
  if (check->file && !MistakesAny(mistakes)) PetscCall(ReadReference(check, mistakes));
  PetscFunctionReturn(0);
}

/* Whether the reference lies in the frame of reference of the case's CT, where both say so. */
static PetscErrorCode CheckFrame(const GammaCheck *check, const char *case_file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  DicomOrigin *origin = NULL;
  const char *frame = check->foreign.frame_of_reference_uid;
  if (!*frame || !case_file) PetscFunctionReturn(0);
  PetscCall(DicomOriginRead(case_file, mistakes, &origin));
  if (origin && *origin->frame_of_reference_uid && strcmp(origin->frame_of_reference_uid, frame))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: the dose is of another frame of reference than the CT of %s",
                          check->file, case_file));
  PetscCall(DicomOriginDestroy(&origin));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaCheckPlan(GammaCheck *check, const Settings *settings, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PetscCall(CheckFrame(check, settings->patient.file, mistakes));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!check->foreign.of_all_fractions) PetscFunctionReturn(0);
  if (check->foreign.of_one_plan && settings->course.n_stages)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: is of one plan (DoseSummationType PLAN), expected MULTI_PLAN or FRACTION: the study's "
                          "course has %d stages",
                          check->file, (int)settings->course.n_stages));
  check->fractions = (double)settings->fractions;
  for (Quantity q = 0; q < n_quantities; q++)
    for (size_t v = 0; check->reference[q] && v < GridSize(&check->grid); v++)
      check->reference[q][v] = (float)((double)check->reference[q][v] / check->fractions);
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
  if (*check->foreign.told) H5WriteString(&sink, "/gamma", "reference_is", check->foreign.told);
  H5WriteDoubles(&sink, "/gamma", "reference_fractions", 1, &check->fractions);
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
  PetscCall(TextAdd(&text, "reference %s", check->file));
  if (*check->foreign.told) PetscCall(TextAdd(&text, " (%s", check->foreign.told));
  if (check->fractions > 1) PetscCall(TextAdd(&text, ", divided by %g", check->fractions));
  PetscCall(TextAdd(&text, "%s, evaluated (searched) %s\n", *check->foreign.told ? ")" : "", file));
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
