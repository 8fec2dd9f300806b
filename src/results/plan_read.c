/* Reading plan.h5. */
#include "plan_names.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const PlanAttribute plan_texts[N_PLAN_TEXTS] = {[PLAN_STUDY] = {"/", "study"},
                                                [PLAN_CASE] = {"/", "case"},
                                                [PLAN_ARM] = {"/", "arm"},
                                                [PLAN_SWEEP] = {"/", "sweep"},
                                                [PLAN_SETTINGS] = {DATASET_SETTINGS, NULL},
                                                [PLAN_SETTINGS_HASH] = {"/", "settings_hash"},
                                                [PLAN_ION] = {"/machine", "ion"},
                                                [PLAN_TARGET] = {"/", "target"},
                                                [PLAN_STARTED] = {"/provenance", "started"},
                                                [PLAN_VERSION] = {"/provenance", "version"},
                                                [PLAN_COMMIT] = {"/provenance", "git"},
                                                [PLAN_COMMAND] = {"/provenance", "command"},
                                                [PLAN_RANKS] = {"/provenance", "ranks"},
                                                [PLAN_POSITION] = {"/plan", "patient_position"},
                                                [PLAN_MODE] = {GROUP_OPTIMIZER, "mode"},
                                                [PLAN_STOPPED] = {GROUP_OPTIMIZER, "reason"}};

const PlanAttribute plan_numbers[N_PLAN_NUMBERS] = {
    [PLAN_FRACTIONS] = {"/", "fractions"},
    [PLAN_PRESCRIPTION_Gy_RBE] = {"/", "prescription_Gy_RBE_per_fraction"},
    [PLAN_OBJECTIVE] = {GROUP_OPTIMIZER, "objective"},
    [PLAN_ITERATIONS] = {GROUP_OPTIMIZER, "iterations"},
    [PLAN_SECONDS] = {GROUP_TIMING, "seconds"},
    [PLAN_PREPARE_SECONDS] = {GROUP_TIMING, "prepare_seconds"},
    [PLAN_BUILD_SECONDS] = {GROUP_TIMING, "build_seconds"},
    [PLAN_OPTIMIZE_SECONDS] = {GROUP_TIMING, "optimize_seconds"},
    [PLAN_EVALUATE_SECONDS] = {GROUP_TIMING, "evaluate_seconds"},
    [PLAN_PEAK_MEMORY_MiB] = {GROUP_TIMING, "peak_memory_MiB"},
    [PLAN_EVALUATIONS] = {GROUP_OPTIMIZER, "evaluations"}};

PetscBool PlanReaderOpen(const char *file, Mistakes *mistakes, PlanReader *reader)
{
  return H5SourceOpen(file, mistakes, &reader->source);
}

PetscBool PlanReaderClose(PlanReader *reader, Mistakes *mistakes)
{
  return H5SourceClose(&reader->source, mistakes);
}

PetscBool PlanReadText(const PlanReader *reader, PlanText which, Mistakes *mistakes, char **text)
{
  return H5ReadString(&reader->source, plan_texts[which].object, plan_texts[which].name, PETSC_FALSE, text, mistakes);
}

PetscBool PlanReadNumber(const PlanReader *reader, PlanNumber which, Mistakes *mistakes, double *number)
{
  return H5ReadAttribute(&reader->source, plan_numbers[which].object, plan_numbers[which].name, 1, number, mistakes);
}

/* A column of a beam, all its values such as spots may have; *n as H5ReadArray. */
static PetscBool ReadColumn(const H5Source *source, PetscInt beam, int column, Mistakes *mistakes, hsize_t *n,
                            double **value)
{
  char path[64];
  snprintf(path, sizeof path, GROUP_BEAM "/%s", (int)beam, spot_columns[column].name);
  if (!H5ReadArray(source, path, H5T_NATIVE_DOUBLE, 1, n, value, mistakes)) return PETSC_FALSE;
  for (hsize_t i = 0; i < *n; i++) {
    const char *problem = SpotColumnProblem(column, (*value)[i]);
    if (!problem) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: element %llu is %g, %s", source->name, path,
                      (unsigned long long)i, (*value)[i], problem);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The columns of a spot list; all have the length of the first. */
static PetscBool ReadSpotColumns(const H5Source *source, PetscInt b, Mistakes *mistakes, BeamOnFile *beam)
{
  double **const column[N_SPOT_COLUMNS] = {[SPOT_X] = &beam->x_mm,
                                           [SPOT_Y] = &beam->y_mm,
                                           [SPOT_ENERGY] = &beam->energy_MeV_u,
                                           [SPOT_PARTICLES] = &beam->particles};
  hsize_t n = 0;
  for (int c = SPOT_X; c < N_SPOT_COLUMNS; c++)
    if (!ReadColumn(source, b, c, mistakes, &n, column[c])) return PETSC_FALSE;
  beam->n = (PetscInt)PetscMin(n, (hsize_t)INT_MAX);
  if (n <= INT_MAX) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: more than %d spots", source->name, INT_MAX);
  return PETSC_FALSE;
}

PetscBool PlanReadBeam(const PlanReader *reader, PetscInt b, Mistakes *mistakes, BeamOnFile *beam)
{
  const H5Source *source = &reader->source;
  char group[64], path[96];
  *beam = (BeamOnFile){.n = 0};
  snprintf(group, sizeof group, GROUP_BEAM, (int)b);
  if (!H5SourceHas(source, group) || !ReadSpotColumns(source, b, mistakes, beam)) return PETSC_FALSE;
  hsize_t n = (hsize_t)beam->n;
  snprintf(path, sizeof path, "%s/" BEAM_SPOT_FWHM, group);
  return H5ReadArray(source, path, H5T_NATIVE_DOUBLE, 1, &n, &beam->spot_fwhm_mm, mistakes) &&
                 H5ReadAttribute(source, group, "gantry_deg", 1, &beam->gantry_deg, mistakes) &&
                 H5ReadAttribute(source, group, "couch_deg", 1, &beam->couch_deg, mistakes) &&
                 H5ReadAttribute(source, group, "isocentre_mm", 3, beam->isocentre_mm, mistakes) &&
                 H5ReadAttribute(source, group, "range_shifter_mm", 1, &beam->range_shifter_mm, mistakes) &&
                 H5ReadAttribute(source, group, "range_shifter_to_isocentre_mm", 1,
                                 &beam->range_shifter_to_isocentre_mm, mistakes) &&
                 H5ReadString(source, group, "stage", PETSC_TRUE, &beam->stage, mistakes) &&
                 (!beam->stage ||
                  H5ReadAttribute(source, group, "stage_fractions", 1, &beam->stage_fractions, mistakes))
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscErrorCode BeamOnFileDestroy(BeamOnFile *beam)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(beam->x_mm));
  PetscCall(PetscFree(beam->y_mm));
  PetscCall(PetscFree(beam->energy_MeV_u));
  PetscCall(PetscFree(beam->particles));
  PetscCall(PetscFree(beam->spot_fwhm_mm));
  PetscCall(PetscFree(beam->stage));
  beam->n = 0;
  PetscFunctionReturn(0);
}

/* Append the spots of a beam; false after one mistake. */
static PetscErrorCode AppendBeam(const H5Source *source, PetscInt b, Mistakes *mistakes, SpotList *spots,
                                 PetscBool *good)
{
  PetscFunctionBegin;
  BeamOnFile beam = {.n = 0};
  *good = ReadSpotColumns(source, b, mistakes, &beam);
  if (*good && beam.n > INT_MAX - spots->n) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: more than %d spots", source->name, INT_MAX));
    *good = PETSC_FALSE;
  }
  if (*good) {
    PetscCall(SpotListResize(spots, spots->n + beam.n));
    for (PetscInt i = 0; i < beam.n; i++) spots->beam[spots->n + i] = b;
    PetscCall(PetscArraycpy(spots->x_mm + spots->n, beam.x_mm, beam.n));
    PetscCall(PetscArraycpy(spots->y_mm + spots->n, beam.y_mm, beam.n));
    PetscCall(PetscArraycpy(spots->energy_MeV_u + spots->n, beam.energy_MeV_u, beam.n));
    PetscCall(PetscArraycpy(spots->particles + spots->n, beam.particles, beam.n));
    spots->n += beam.n;
  }
  PetscCall(BeamOnFileDestroy(&beam));
  PetscFunctionReturn(0);
}

PetscBool PlanReadInput(const PlanReader *reader, PetscInt i, Mistakes *mistakes, InputFile *input)
{
  char name[48], *hash = NULL, *path = NULL;
  *input = (InputFile){0};
  snprintf(name, sizeof name, "input_%d_fnv1a64", (int)i);
  if (!H5ReadString(&reader->source, "/provenance", name, PETSC_TRUE, &hash, mistakes) || !hash) return PETSC_FALSE;
  for (int kind = 0; kind < N_INPUT_KINDS && !path; kind++) {
    snprintf(name, sizeof name, "input_%d_%s", (int)i, input_kind_names[kind]);
    snprintf(input->kind, sizeof input->kind, "%s", input_kind_names[kind]);
    (void)H5ReadString(&reader->source, "/provenance", name, PETSC_TRUE, &path, mistakes);
  }
  snprintf(input->path, sizeof input->path, "%s", path ? path : "");
  snprintf(input->hash, sizeof input->hash, "%s", hash);
  (void)PetscFree(hash);
  (void)PetscFree(path);
  return input->path[0] ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode PlanReadSpots(const char *file, Mistakes *mistakes, SpotList *spots)
{
  PetscFunctionBegin;
  PlanReader reader;
  PetscBool good = PETSC_TRUE;
  PetscCall(PetscArrayzero(spots, 1));
  if (!PlanReaderOpen(file, mistakes, &reader)) PetscFunctionReturn(0);
  for (PetscInt beam = 0; good; beam++) {
    char path[64];
    snprintf(path, sizeof path, GROUP_BEAM, (int)beam);
    if (!H5SourceHas(&reader.source, path)) break;
    PetscCall(AppendBeam(&reader.source, beam, mistakes, spots, &good));
  }
  if (!PlanReaderClose(&reader, mistakes)) good = PETSC_FALSE;
  if (good && !spots->n)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s: " GROUP_BEAM ": missing group, expected a plan of robion", file, 0));
  if (!good) PetscCall(SpotListDestroy(spots));
  PetscFunctionReturn(0);
}

PetscBool PlanReadGrid(const PlanReader *reader, Mistakes *mistakes, Grid *grid)
{
  const H5Source *source = &reader->source;
  *grid = (Grid){{0}, {0}, {0}};
  return H5ReadAttribute(source, GROUP_GRID, GRID_SPACING, 3, grid->spacing_mm, mistakes) &&
                 H5ReadAttribute(source, GROUP_GRID, GRID_ORIGIN, 3, grid->origin_mm, mistakes)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

void PlanDosePath(PlanDoses doses, Quantity quantity, char path[64])
{
  static const char *const of_set[N_PLAN_DOSES] = {[PLAN_LOWEST] = "min", [PLAN_HIGHEST] = "max", [PLAN_SD] = "sd"};
  if (doses == PLAN_NOMINAL)
    snprintf(path, 64, "/dose/nominal/%s", quantities[quantity].name);
  else
    snprintf(path, 64, "/dose/robust/%s", of_set[doses]);
}

void PlanActivityPath(const char *scenario, const char *map, char path[PLAN_PATH])
{
  snprintf(path, PLAN_PATH, GROUP_ACTIVITY "/%s/%s", scenario, map);
}

void PlanNamedPath(const char *parent, const char *name, char path[PLAN_PATH])
{
  const int length = snprintf(path, PLAN_PATH, "%s/", parent);
  snprintf(path + length, (size_t)(PLAN_PATH - length), "%s", !strcmp(name, ".") ? "_" : name);
  for (char *c = path + length; *c; c++)
    if (*c == '/') *c = '_';
}

PetscBool PlanHasDose(const PlanReader *reader, PlanDoses doses, Quantity quantity)
{
  char path[64];
  PlanDosePath(doses, quantity, path);
  return H5SourceHas(&reader->source, path);
}

/* An array on the grid, finite. */
static PetscBool ReadCube(const PlanReader *reader, const char *path, Mistakes *mistakes, Grid *grid, float **dose)
{
  const H5Source *source = &reader->source;
  hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  if (!H5ReadArray(source, path, H5T_NATIVE_FLOAT, 3, dims, dose, mistakes)) return PETSC_FALSE;
  const size_t size = (size_t)(dims[0] * dims[1] * dims[2]);
  if (size > INT_MAX) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %zu voxels, expected fewer than 2^31", source->name, path, size);
    return PETSC_FALSE;
  }
  for (int a = 0; a < 3; a++) grid->n[a] = (PetscInt)dims[2 - a];
  for (size_t v = 0; v < size; v++)
    if (!isfinite((*dose)[v])) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: voxel %zu is %g, expected finite numbers", source->name, path,
                        v, (double)(*dose)[v]);
      return PETSC_FALSE;
    }
  return PETSC_TRUE;
}

PetscBool PlanReadDose(const PlanReader *reader, PlanDoses doses, Quantity quantity, Mistakes *mistakes, Grid *grid,
                       float **dose)
{
  char path[64];
  PlanDosePath(doses, quantity, path);
  return ReadCube(reader, path, mistakes, grid, dose);
}

void PlanBeamDosePath(PetscInt beam, char path[64])
{
  snprintf(path, 64, GROUP_BEAM_DOSES "/beam_%d", (int)beam);
}

PetscBool PlanHasBeamDose(const PlanReader *reader, PetscInt beam)
{
  char path[64];
  PlanBeamDosePath(beam, path);
  return H5SourceHas(&reader->source, path);
}

PetscBool PlanReadBeamDose(const PlanReader *reader, PetscInt beam, Mistakes *mistakes, Grid *grid, float **dose)
{
  char path[64];
  PlanBeamDosePath(beam, path);
  return ReadCube(reader, path, mistakes, grid, dose);
}

PetscErrorCode PlanActivityNames(const PlanReader *reader, const char *scenario, const char *kind, Mistakes *mistakes,
                                 H5Names *names)
{
  PetscFunctionBegin;
  char path[PLAN_PATH];
  *names = (H5Names){0};
  PlanActivityPath(scenario, kind, path);
  if (H5SourceHas(&reader->source, path)) (void)H5ReadNames(&reader->source, path, names, mistakes);
  PetscFunctionReturn(0);
}

PetscBool PlanReadActivity(const PlanReader *reader, const char *scenario, const char *map, Mistakes *mistakes,
                           Grid *grid, float **value)
{
  char path[PLAN_PATH];
  PlanActivityPath(scenario, map, path);
  return ReadCube(reader, path, mistakes, grid, value);
}
