/* A plan's dose operator as a file of sparse matrices. */
#include "plan_private.h"
#include "robion/hdf5.h"
#include "robion/log.h"
#include <stdlib.h>

static int CompareIndices(const void *a, const void *b)
{
  const PetscInt *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

static void WriteColumn(H5Sink *sink, const char *path, hid_t type, hsize_t n, const void *data, const char *unit,
                        const char *long_name)
{
  H5WriteArray(sink, path, type, 1, &n, data, unit, long_name);
}

/* Columns of all matrices: beam, place and energy of every spot. */
static PetscErrorCode WriteSpots(H5Sink *sink, const BeamSet *beams, const Machine *machine)
{
  PetscFunctionBegin;
  const PetscInt n = beams->n_spot;
  PetscInt *of_beam;
  double *x, *y, *energy;
  PetscCall(PetscMalloc4(n, &of_beam, n, &x, n, &y, n, &energy));
  for (PetscInt b = 0; b < beams->n_beam; b++)
    for (PetscInt r = 0; r < beams->beam[b].n_run; r++) {
      const SpotRun *run = &beams->beam[b].run[r];
      for (PetscInt i = 0; i < run->n; i++) {
        of_beam[run->first_spot + i] = b;
        x[run->first_spot + i] = run->x_mm;
        y[run->first_spot + i] = run->y_mm;
        energy[run->first_spot + i] = machine->energy_MeV_u[beams->beam[b].energy[run->first_layer + i]];
      }
    }
  const void *column[] = {[SPOT_BEAM] = of_beam, [SPOT_X] = x, [SPOT_Y] = y, [SPOT_ENERGY] = energy};
  for (int c = 0; c < (int)PETSC_STATIC_ARRAY_LENGTH(column); c++) {
    char path[64];
    snprintf(path, sizeof path, "/spots/%s", spot_columns[c].name);
    WriteColumn(sink, path, c == SPOT_BEAM ? H5T_NATIVE_INT : H5T_NATIVE_DOUBLE, (hsize_t)n, column[c],
                spot_columns[c].unit, spot_columns[c].meaning);
  }
  PetscCall(PetscFree4(of_beam, x, y, energy));
  PetscFunctionReturn(0);
}

/* Rows of all matrices: voxels of the dose grid, and what their doses are weighted with. */
static PetscErrorCode WriteVoxels(H5Sink *sink, const PlanInputs *in, const PetscInt *voxel)
{
  PetscFunctionBegin;
  double shape[3], alpha_x[TISSUES_MOST], beta_x[TISSUES_MOST];
  PetscInt *tissue;
  for (int k = 0; k < 3; k++) shape[k] = (double)in->grid.n[2 - k];
  H5WriteGroup(sink, "/grid");
  H5WriteDoubles(sink, "/grid", "shape", 3, shape); /* z, y, x */
  H5WriteDoubles(sink, "/grid", "spacing_mm", 3, in->grid.spacing_mm);
  H5WriteDoubles(sink, "/grid", "origin_mm", 3, in->grid.origin_mm);
  PetscCall(PetscMalloc1(in->n_voxel, &tissue));
  for (PetscInt v = 0; v < in->n_voxel; v++) tissue[v] = TissueOf(&in->tissues, voxel[v]);
  for (PetscInt t = 0; t < in->tissues.n; t++) {
    alpha_x[t] = in->tissues.biology[t]->spec.alpha_x_per_Gy;
    beta_x[t] = in->tissues.biology[t]->spec.beta_x_per_Gy2;
  }
  WriteColumn(sink, "/voxels/index", H5T_NATIVE_INT, (hsize_t)in->n_voxel, voxel, NULL,
              "flat index into the grid [z, y, x]");
  WriteColumn(sink, "/voxels/tissue", H5T_NATIVE_INT, (hsize_t)in->n_voxel, tissue, NULL, "index into /tissues");
  WriteColumn(sink, "/tissues/alpha_x", H5T_NATIVE_DOUBLE, (hsize_t)in->tissues.n, alpha_x, "1/Gy", "photon alpha");
  WriteColumn(sink, "/tissues/beta_x", H5T_NATIVE_DOUBLE, (hsize_t)in->tissues.n, beta_x, "1/Gy2", "photon beta");
  PetscCall(PetscFree(tissue));
  PetscFunctionReturn(0);
}

static void WriteMatrix(H5Sink *sink, BetaAveraging averaging, PetscInt scenario, PetscInt beam,
                        const InfluenceMatrix *matrix)
{
  char path[128];
  const hsize_t n = (hsize_t)matrix->start[matrix->n_column];
  snprintf(path, sizeof path, "/scenario_%d/beam_%d/indptr", (int)scenario, (int)beam);
  WriteColumn(sink, path, H5T_NATIVE_INT64, (hsize_t)matrix->n_column + 1, matrix->start, NULL,
              "where a spot's entries begin");
  snprintf(path, sizeof path, "/scenario_%d/beam_%d/indices", (int)scenario, (int)beam);
  WriteColumn(sink, path, H5T_NATIVE_INT32, n, matrix->row, NULL, "row: position in /voxels");
  for (int c = 0; c < N_CHANNELS; c++) {
    const Channel channel = ChannelOf(averaging, c);
    snprintf(path, sizeof path, "/scenario_%d/beam_%d/%s", (int)scenario, (int)beam, channel.name);
    WriteColumn(sink, path, H5T_NATIVE_FLOAT, n, matrix->value[c], channel.unit, channel.meaning);
  }
}

/* All beams of one scenario; false after a mistake. */
static PetscErrorCode WriteScenario(const PlanInputs *in, Influence influence, PetscInt s, double most_bytes,
                                    const char *file, H5Sink *sink, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Scenario *scenario = &in->optimize->scenario[s];
  char group[64];
  snprintf(group, sizeof group, "/scenario_%d", (int)s);
  H5WriteGroup(sink, group);
  H5WriteString(sink, group, "id", scenario->id);
  H5WriteDoubles(sink, group, "range_percent", scenario->range_of_beam ? in->beams->n_beam : 1,
                 scenario->range_of_beam ? scenario->range_of_beam : &scenario->range_percent);
  H5WriteDoubles(sink, group, "shift_mm", 3, scenario->shift_mm);
  H5WriteDoubles(sink, group, "rotation_deg", 3, scenario->rotation_deg);
  H5WriteString(sink, group, "biology", scenario->biology);
  for (int k = 0; k < 2 && scenario->factor; k++) { /* which entries are without */
    double factor[TISSUES_MOST];
    for (PetscInt t = 0; t < in->tissues.n; t++) factor[t] = ScenarioFactor(scenario, t, k);
    H5WriteDoubles(sink, group, k ? "beta_factors" : "alpha_factors", in->tissues.n, factor);
  }
  for (PetscInt b = 0; b < in->beams->n_beam && !MistakesAny(mistakes); b++) {
    InfluenceMatrix matrix;
    PetscCall(InfluenceGetMatrix(influence, scenario->sums, b, most_bytes, &matrix));
    if (!matrix.row && matrix.start[matrix.n_column])
      PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES,
                            "%s: the matrix of beam %d takes %.2f GiB, expected at most %.2f (memory): a coarser dose "
                            "grid, fewer voxels in objectives, or a larger dropped_dose_fraction",
                            file, (int)b, matrix.bytes / 1073741824.0, most_bytes / 1073741824.0));
    else
      WriteMatrix(sink, in->tissues.biology[0]->spec.averaging, s, b, &matrix); /* the same in all tissues */
    LogLine(LOG_INFO, "matrix", in->patient->name, "scenario %s, beam %d: %lld entries", scenario->id, (int)b,
            (long long)matrix.start[matrix.n_column]);
    PetscCall(InfluenceMatrixDestroy(&matrix));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanWriteMatrix(const PlanInputs *in, double most_bytes, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  H5Sink sink;
  Influence influence;
  PetscInt *voxel;
  if (DoseModelIsSplit(in->model)) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "spots.splitting has no matrix, expected none"));
    PetscFunctionReturn(0);
  }
  if (in->optimize->accumulates) {
    PetscCall(
        MistakesAdd(mistakes, ROBION_STUDY,
                    "scenarios.optimize.motion: found accumulate, expected phases for a matrix of each, or none"));
    PetscFunctionReturn(0);
  }
  if (!H5SinkOpen(file, mistakes, &sink)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(in->n_voxel, &voxel));
  PetscCall(PetscArraycpy(voxel, in->voxel, in->n_voxel));
  qsort(voxel, (size_t)in->n_voxel, sizeof *voxel, CompareIndices);
  H5WriteString(&sink, "/", "format", "robion-matrix");
  PetscCall(WriteSpots(&sink, in->beams, in->machine));
  PetscCall(WriteVoxels(&sink, in, voxel));
  PetscCall(InfluenceCreate(in->model, INFLUENCE_STREAMED, in->optimize, &in->grid, in->n_voxel, voxel, &influence));
  for (PetscInt s = 0; s < in->optimize->n && !MistakesAny(mistakes); s++)
    PetscCall(WriteScenario(in, influence, s, most_bytes, file, &sink, mistakes));
  PetscCall(InfluenceDestroy(&influence));
  PetscCall(PetscFree(voxel));
  if (MistakesAny(mistakes)) sink.failed = PETSC_TRUE; /* nothing is to be left */
  Mistakes closing = {0};
  (void)H5SinkClose(&sink, MistakesAny(mistakes) ? &closing : mistakes);
  PetscCall(MistakesClear(&closing));
  PetscFunctionReturn(0);
}
