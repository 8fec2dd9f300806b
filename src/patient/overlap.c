/* Exact overlap of the voxels of two grids: a product of the overlaps along the three axes. */
#include "overlap_private.h"
#include <math.h>

PetscErrorCode OverlapCreate(const Grid *from, const Grid *to, int axis, Overlap *overlap)
{
  PetscFunctionBegin;
  size_t n = (size_t)from->n[axis];
  double per_cell = from->spacing_mm[axis] / to->spacing_mm[axis];
  double offset = (from->origin_mm[axis] - to->origin_mm[axis]) / to->spacing_mm[axis] + 0.5;
  overlap->width = (PetscInt)ceil(per_cell) + 1;
  PetscCall(PetscMalloc3(n, &overlap->first, n, &overlap->n, n * (size_t)overlap->width, &overlap->share));
  for (size_t i = 0; i < n; i++) { /* in units of cells: voxel [low, high], cell [c, c + 1] */
    double low = offset + ((double)i - 0.5) * per_cell, high = offset + ((double)i + 0.5) * per_cell;
    double first = fmax(0, floor(low)), last = fmin(to->n[axis], ceil(high)) - 1;
    overlap->first[i] = (PetscInt)fmin(first, to->n[axis]);
    overlap->n[i] = last >= first ? PetscMin((PetscInt)(last - first) + 1, overlap->width) : 0;
    for (PetscInt c = 0; c < overlap->n[i]; c++)
      overlap->share[i * (size_t)overlap->width + (size_t)c] =
          fmax(0, fmin(high, first + c + 1) - fmax(low, first + c));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode OverlapDestroy(Overlap *overlap)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(overlap->first, overlap->n, overlap->share));
  PetscFunctionReturn(0);
}

void OverlapAdd(const Grid *to, const Overlap overlap[3], const PetscInt voxel[3], double amount, double *cell)
{
  const double *share[3];
  PetscInt first[3], n[3];
  for (int k = 0; k < 3; k++) {
    share[k] = overlap[k].share + (size_t)voxel[k] * (size_t)overlap[k].width;
    first[k] = overlap[k].first[voxel[k]];
    n[k] = overlap[k].n[voxel[k]];
  }
  for (PetscInt c = 0; c < n[2]; c++)
    for (PetscInt b = 0; b < n[1]; b++) {
      double yz = share[2][c] * share[1][b];
      double *row = cell + GridIndex(to, first[0], first[1] + b, first[2] + c);
      for (PetscInt a = 0; a < n[0]; a++) row[a] += yz * share[0][a] * amount;
    }
}
