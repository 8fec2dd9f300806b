/* Biological maps of a case, and maps on other grids. */
#include "robion/map.h"
#include "overlap_private.h"
#include <math.h>
#include <string.h>

PetscInt CaseFindMap(const Case *patient, const char *name)
{
  for (PetscInt m = 0; m < patient->n_maps; m++)
    if (!strcmp(patient->maps[m].name, name)) return m;
  return -1;
}

PetscErrorCode CaseAddMap(Case *patient, const char *name, const char *unit, float *value)
{
  PetscFunctionBegin;
  PetscInt m = CaseFindMap(patient, name);
  if (m < 0) {
    m = patient->n_maps++;
    PetscCall(PetscRealloc((size_t)patient->n_maps * sizeof *patient->maps, &patient->maps));
    patient->maps[m] = (BiologyMap){NULL, NULL, NULL};
    PetscCall(PetscStrallocpy(name, &patient->maps[m].name));
  }
  PetscCall(PetscFree(patient->maps[m].unit));
  PetscCall(PetscFree(patient->maps[m].value));
  PetscCall(PetscStrallocpy(unit, &patient->maps[m].unit));
  patient->maps[m].value = value;
  PetscFunctionReturn(0);
}

/* Sum over the voxels that have mask 1 (NULL: all) of value (NULL: 1) times their volume in each cell, in cells. */
static PetscErrorCode Spread(const Grid *from, const double *value, const unsigned char *mask, const Grid *to,
                             double **out)
{
  PetscFunctionBegin;
  Overlap overlap[3];
  for (int k = 0; k < 3; k++) PetscCall(OverlapCreate(from, to, k, &overlap[k]));
  PetscCall(PetscCalloc1(GridSize(to), out));
  size_t v = 0;
  for (PetscInt k = 0; k < from->n[2]; k++)
    for (PetscInt j = 0; j < from->n[1]; j++)
      for (PetscInt i = 0; i < from->n[0]; i++, v++)
        if (mask ? mask[v] : !value || value[v] != 0)
          OverlapAdd(to, overlap, (PetscInt[]){i, j, k}, value ? value[v] : 1, *out);
  for (int k = 0; k < 3; k++) PetscCall(OverlapDestroy(&overlap[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode GridResampleCounts(const Grid *from, const double *count, const Grid *to, double **out)
{
  PetscFunctionBegin;
  const double cells_per_voxel = GridVoxelVolume_cm3(from) / GridVoxelVolume_cm3(to);
  PetscCall(Spread(from, count, NULL, to, out));
  for (size_t v = 0; v < GridSize(to); v++) (*out)[v] /= cells_per_voxel;
  PetscFunctionReturn(0);
}

PetscErrorCode GridResampleMeans(const Grid *from, const double *value, const unsigned char *mask, const Grid *to,
                                 double **out)
{
  PetscFunctionBegin;
  double *volume;
  const double least = 1e-6; /* of a cell: less is rounding */
  PetscCall(Spread(from, value, mask, to, out));
  PetscCall(Spread(from, NULL, mask, to, &volume));
  for (size_t v = 0; v < GridSize(to); v++) (*out)[v] = volume[v] > least ? (*out)[v] / volume[v] : 0;
  PetscCall(PetscFree(volume));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseMapToGrid(const Case *patient, PetscInt map, const Grid *grid, double **out)
{
  PetscFunctionBegin;
  PetscCheck(map >= 0 && map < patient->n_maps, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "map %d of %d", (int)map,
             (int)patient->n_maps);
  const BiologyMap *own = &patient->maps[map];
  size_t n = GridSize(&patient->ct);
  double *value;
  unsigned char *some;
  PetscCall(PetscMalloc2(n, &value, n, &some));
  for (size_t v = 0; v < n; v++) {
    value[v] = own->value[v];
    some[v] = own->value[v] != 0;
  }
  if (!strcmp(own->unit, MAP_CLONOGENS_UNIT))
    PetscCall(GridResampleCounts(&patient->ct, value, grid, out));
  else
    PetscCall(GridResampleMeans(&patient->ct, value, some, grid, out));
  PetscCall(PetscFree2(value, some));
  PetscFunctionReturn(0);
}

/* For each half of each voxel along an axis the nearest of the CT's, or -1 beyond it: [2 n]. */
static PetscErrorCode NearestAlong(const Grid *ct, const Grid *grid, int axis, PetscInt **nearest)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(2 * grid->n[axis], nearest));
  for (PetscInt i = 0; i < 2 * grid->n[axis]; i++) {
    const double at_mm = grid->origin_mm[axis] + (0.5 * (double)i - 0.25) * grid->spacing_mm[axis];
    const double at = floor((at_mm - ct->origin_mm[axis]) / ct->spacing_mm[axis] + 0.5);
    (*nearest)[i] = at >= 0 && at < (double)ct->n[axis] ? (PetscInt)at : -1;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CaseHUToGrid(const Case *patient, const Grid *grid, short **hu)
{
  PetscFunctionBegin;
  const double beyond = -1000;
  PetscInt *near[3];
  for (int a = 0; a < 3; a++) PetscCall(NearestAlong(&patient->ct, grid, a, &near[a]));
  PetscCall(PetscMalloc1(GridSize(grid), hu));
  size_t v = 0;
  for (PetscInt k = 0; k < grid->n[2]; k++)
    for (PetscInt j = 0; j < grid->n[1]; j++)
      for (PetscInt i = 0; i < grid->n[0]; i++, v++) {
        double sum = 0;
        for (int part = 0; part < 8; part++) {
          const PetscInt x = near[0][2 * i + (part & 1)], y = near[1][2 * j + (part >> 1 & 1)],
                         z = near[2][2 * k + (part >> 2)];
          sum += x < 0 || y < 0 || z < 0 ? beyond : (double)patient->hu[GridIndex(&patient->ct, x, y, z)];
        }
        (*hu)[v] = (short)lround(sum / 8);
      }
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(near[a]));
  PetscFunctionReturn(0);
}

/* Misfits that vary less are rounding: all counts are sure. */
static const double LEAST_SIGMA_UM2_MS = 1e-6;

const char *const cell_case_names[N_CELL_CASES] = {"nominal", "best", "worst"};

/* Standard deviation of a map where there are clonogens. */
static double Deviation(size_t n, const float *value, const float *clonogens)
{
  double count = 0, mean = 0, square = 0;
  for (size_t v = 0; v < n; v++)
    if (clonogens[v] > 0) count++, mean += (double)value[v];
  if (!(count > 0)) return 0;
  mean /= count;
  for (size_t v = 0; v < n; v++)
    if (clonogens[v] > 0) square += ((double)value[v] - mean) * ((double)value[v] - mean);
  return sqrt(square / count);
}

PetscErrorCode CaseClonogens(const Case *patient, PetscInt map, CellCase which, const Grid *grid, double **per_mm3)
{
  PetscFunctionBegin;
  const Grid *ct = &patient->ct;
  const size_t n = GridSize(ct);
  const PetscInt misfit = CaseFindMap(patient, MAP_RMSE);
  const float *count = patient->maps[map].value, *rmse = misfit >= 0 ? patient->maps[misfit].value : NULL;
  const double sigma = rmse ? Deviation(n, rmse, count) : 0, per_voxel = 1e-3 / GridVoxelVolume_cm3(ct);
  double *density;
  unsigned char *some;
  PetscCall(PetscMalloc2(n, &density, n, &some));
  for (size_t v = 0; v < n; v++) {
    const double weight = sigma > LEAST_SIGMA_UM2_MS ? CellCaseWeight(which, (double)rmse[v], sigma) : 1;
    some[v] = count[v] > 0;
    density[v] = some[v] ? per_voxel * weight * (double)count[v] : 0;
  }
  PetscCall(GridResampleMeans(ct, density, some, grid, per_mm3));
  PetscCall(PetscFree2(density, some));
  PetscFunctionReturn(0);
}
