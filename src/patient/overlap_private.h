/* Exact overlap of the voxels of two grids, axis by axis. */
#pragma once
#include "robion/grid.h"

/* Along one axis: which cells of a grid each voxel of another overlaps, and which share of each cell it fills. */
typedef struct Overlap {
  PetscInt width; /* most cells of one voxel */
  PetscInt *first, *n;
  double *share; /* [voxel * width + cell - first] */
} Overlap;

PetscErrorCode OverlapCreate(const Grid *from, const Grid *to, int axis, Overlap *overlap);
PetscErrorCode OverlapDestroy(Overlap *overlap);

/* Add an amount times the volume of one voxel, in cells, to the cells it overlaps. */
void OverlapAdd(const Grid *to, const Overlap overlap[3], const PetscInt voxel[3], double amount, double *cell);
