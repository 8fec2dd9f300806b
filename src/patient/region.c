/* Structures on the dose grid: exact volume overlap of CT voxels and dose voxels. */
#include "robion/structure.h"
#include "overlap_private.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static const double least_fraction = 1e-3;

/* Fill voxel, fraction and volume of a region from the fractions on the whole grid. */
static PetscErrorCode RegionFill(const Grid *grid, const double *fraction, Region *region)
{
  PetscFunctionBegin;
  PetscInt n = 0;
  for (size_t v = 0; v < GridSize(grid); v++) n += fraction[v] >= least_fraction;
  region->n = n;
  PetscCall(PetscMalloc1((size_t)n, &region->voxel));
  PetscCall(PetscMalloc1((size_t)n, &region->fraction));
  n = 0;
  double sum = 0;
  for (size_t v = 0; v < GridSize(grid); v++) {
    if (fraction[v] < least_fraction) continue;
    region->voxel[n] = (PetscInt)v;
    region->fraction[n] = (float)fmin(1, fraction[v]);
    sum += region->fraction[n++];
  }
  region->volume_cm3 = sum * GridVoxelVolume_cm3(grid);
  PetscFunctionReturn(0);
}

static PetscErrorCode MaskToGrid(const Grid *ct, const unsigned char *mask, const Grid *grid, Region *region)
{
  PetscFunctionBegin;
  Overlap overlap[3];
  double *fraction;
  for (int k = 0; k < 3; k++) PetscCall(OverlapCreate(ct, grid, k, &overlap[k]));
  PetscCall(PetscCalloc1(GridSize(grid), &fraction));
  size_t v = 0;
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[1]; j++)
      for (PetscInt i = 0; i < ct->n[0]; i++, v++)
        if (mask[v]) OverlapAdd(grid, overlap, (PetscInt[]){i, j, k}, 1, fraction);
  PetscCall(RegionFill(grid, fraction, region));
  PetscCall(PetscFree(fraction));
  for (int k = 0; k < 3; k++) PetscCall(OverlapDestroy(&overlap[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode StructureToGrid(const Case *patient, PetscInt structure, const Grid *grid, Region *region)
{
  PetscFunctionBegin;
  PetscCall(StructureToGridWithPriority(patient, structure, 0, NULL, grid, region));
  PetscFunctionReturn(0);
}

PetscErrorCode StructureToGridWithPriority(const Case *patient, PetscInt structure, PetscInt n_priority,
                                           const char *const *priority, const Grid *grid, Region *region)
{
  PetscFunctionBegin;
  PetscCheck(structure >= 0 && structure < patient->n_structures, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "structure %d of %d", (int)structure, (int)patient->n_structures);
  const Structure *own = &patient->structures[structure];
  size_t n = GridSize(&patient->ct);
  PetscInt rank = 0;
  while (rank < n_priority && strcmp(priority[rank], own->name)) rank++;
  PetscCall(PetscMemzero(region, sizeof *region));
  PetscCall(PetscStrallocpy(own->name, &region->name));
  region->role = own->role;
  unsigned char *left;
  PetscCall(PetscMalloc1(n, &left));
  PetscCall(PetscArraycpy(left, own->mask, n));
  for (PetscInt p = 0; priority && rank < n_priority && p < rank; p++) {
    PetscInt s = CaseFindStructure(patient, priority[p]);
    for (size_t v = 0; s >= 0 && v < n; v++) left[v] &= !patient->structures[s].mask[v];
  }
  PetscCall(MaskToGrid(&patient->ct, left, grid, region));
  PetscCall(PetscFree(left));
  PetscFunctionReturn(0);
}

PetscInt RegionMark(const Region *region, unsigned char value, unsigned char *mask)
{
  PetscInt n = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    if (region->fraction[i] < 0.5f) continue;
    n++;
    if (!mask[region->voxel[i]]) mask[region->voxel[i]] = value;
  }
  return n;
}

PetscErrorCode RegionDestroy(Region *region)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(region->name));
  PetscCall(PetscFree(region->voxel));
  PetscCall(PetscFree(region->fraction));
  PetscCall(PetscMemzero(region, sizeof *region));
  PetscFunctionReturn(0);
}

double StructureVolume_cm3(const Case *patient, PetscInt structure)
{
  const unsigned char *mask = patient->structures[structure].mask;
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += mask[v];
  return (double)n * GridVoxelVolume_cm3(&patient->ct);
}

double StructureOutside_cm3(const Case *patient, PetscInt structure)
{
  const PetscInt external = CaseFindExternal(patient);
  if (external < 0) return 0;
  const unsigned char *mask = patient->structures[structure].mask, *inside = patient->structures[external].mask;
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += mask[v] && !inside[v];
  return (double)n * GridVoxelVolume_cm3(&patient->ct);
}

/* First and last index along each axis. */
typedef struct Box {
  PetscInt first[3], last[3];
} Box;

/* Stretch a box over a mask. */
static void Stretch(const Grid *ct, const unsigned char *mask, Box *box)
{
  size_t v = 0;
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[1]; j++)
      for (PetscInt i = 0; i < ct->n[0]; i++, v++) {
        if (!mask[v]) continue;
        const PetscInt at[3] = {i, j, k};
        for (int a = 0; a < 3; a++) {
          box->first[a] = PetscMin(box->first[a], at[a]);
          box->last[a] = PetscMax(box->last[a], at[a]);
        }
      }
}

/* What a dose grid has to cover: without an external structure, or if all are empty, the whole CT. */
static Box Covered(const Case *patient, PetscInt n, const PetscInt *structure)
{
  const Grid *ct = &patient->ct;
  const PetscInt external = CaseFindExternal(patient);
  const Box whole = {{0, 0, 0}, {ct->n[0] - 1, ct->n[1] - 1, ct->n[2] - 1}};
  Box box = {{ct->n[0], ct->n[1], ct->n[2]}, {-1, -1, -1}};
  if (external < 0) return whole;
  Stretch(ct, patient->structures[external].mask, &box);
  for (PetscInt i = 0; i < n; i++) Stretch(ct, patient->structures[structure[i]].mask, &box);
  return box.last[0] < 0 ? whole : box;
}

PetscErrorCode CaseDoseGrid(const Case *patient, double spacing_mm, PetscInt n, const PetscInt *structure, Grid *grid)
{
  PetscFunctionBegin;
  PetscCheck(isfinite(spacing_mm) && spacing_mm > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "dose grid of %g mm, expected a number above 0", spacing_mm);
  const Grid *ct = &patient->ct;
  const Box box = Covered(patient, n, structure);
  const double rounding = 1e-6; /* of a cell: walls that coincide but for rounding make no further cell */
  double total = 1;
  for (int k = 0; k < 3; k++) {
    double corner_mm = ct->origin_mm[k] - 0.5 * ct->spacing_mm[k], per_cell = ct->spacing_mm[k] / spacing_mm;
    double low = floor(box.first[k] * per_cell + rounding), high = ceil((box.last[k] + 1) * per_cell - rounding);
    total *= high - low;
    PetscCheck(total <= INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "dose grid of %g mm has more than %d voxels", spacing_mm, INT_MAX);
    grid->n[k] = (PetscInt)(high - low);
    grid->spacing_mm[k] = spacing_mm;
    grid->origin_mm[k] = corner_mm + (low + 0.5) * spacing_mm;
  }
  PetscFunctionReturn(0);
}
