/**
 * Regular grids in patient coordinates (DICOM LPS, mm). Arrays on a grid are stored x fastest: index = (k*ny + j)*nx + i,
 * which is HDF5 shape [z][y][x]. Voxel (i,j,k) has its centre at origin + (i,j,k)*spacing.
 */
#pragma once
#include "robion/error.h"
#include <petscsys.h>

typedef struct Grid {
  PetscInt n[3];        /* voxels along x, y, z */
  double spacing_mm[3]; /* voxel size */
  double origin_mm[3];  /* centre of voxel (0,0,0) */
} Grid;

/**
 * Whether a grid that was read is one of a patient: voxels of 0.01 to 1000 mm within 1 km of the origin, as many as a PetscInt
 * counts, 1 mm to 4 m along each axis. False after mistakes (ROBION_INPUT) that begin with `where`.
 */
PetscBool GridCheck(const Grid *grid, const char *where, Mistakes *mistakes);

/**
 * Whether there is memory for arrays of so many bytes per voxel in all; false after a mistake (ROBION_RESOURCES) that begins with
 * `where` if there is not. Not collective.
 */
PetscBool GridFits(const Grid *grid, double bytes_per_voxel, const char *where, Mistakes *mistakes);

static inline size_t GridSize(const Grid *g)
{
  return (size_t)g->n[0] * (size_t)g->n[1] * (size_t)g->n[2];
}

static inline size_t GridIndex(const Grid *g, PetscInt i, PetscInt j, PetscInt k)
{
  return ((size_t)k * (size_t)g->n[1] + (size_t)j) * (size_t)g->n[0] + (size_t)i;
}

/** Centre of the voxel with flat index v, mm. */
static inline void GridCentre(const Grid *g, size_t v, double centre_mm[3])
{
  size_t nx = (size_t)g->n[0], ny = (size_t)g->n[1];
  centre_mm[0] = g->origin_mm[0] + (double)(v % nx) * g->spacing_mm[0];
  centre_mm[1] = g->origin_mm[1] + (double)((v / nx) % ny) * g->spacing_mm[1];
  centre_mm[2] = g->origin_mm[2] + (double)(v / (nx * ny)) * g->spacing_mm[2];
}

/** Voxel volume, cm3. */
static inline double GridVoxelVolume_cm3(const Grid *g)
{
  return g->spacing_mm[0] * g->spacing_mm[1] * g->spacing_mm[2] * 1e-3;
}

/**
 * The eight voxels around a place and their weights, linear between centres and constant beyond the outermost ones: of a function of
 * voxels the value there is the sum of weight times value.
 */
static inline void GridCorners(const Grid *grid, const double point_mm[3], size_t voxel[8], double weight[8])
{
  PetscInt low[3];
  double share[3];
  for (int k = 0; k < 3; k++) {
    const double last = (double)(grid->n[k] - 1), at = (point_mm[k] - grid->origin_mm[k]) / grid->spacing_mm[k],
                 inside = PetscClipInterval(at, 0.0, last);
    low[k] = PetscMin((PetscInt)inside, PetscMax(grid->n[k] - 2, 0));
    share[k] = inside - (double)low[k];
  }
  for (int corner = 0; corner < 8; corner++) {
    weight[corner] = 1;
    voxel[corner] = 0;
    for (int k = 2; k >= 0; k--) {
      const int high = corner >> k & 1;
      weight[corner] *= high ? share[k] : 1 - share[k];
      voxel[corner] = voxel[corner] * (size_t)grid->n[k] + (size_t)PetscMin(low[k] + high, grid->n[k] - 1);
    }
  }
}
