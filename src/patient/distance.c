/*
 * Exact Euclidean distance on an anisotropic grid by lower envelopes of parabolas, one axis after another (Felzenszwalb
 * and Huttenlocher, Theory of Computing 8:415, 2012). What is carried is not the squared distance but the nearest voxel
 * itself: half the memory, no rounding, and the direction is known in the end.
 */
#include "structure_private.h"
#include <math.h>

/* Work space for one line of voxels. */
typedef struct Envelope {
  PetscInt *site;    /* positions whose parabolas form the envelope */
  double *height;    /* of these parabolas at their site, mm2 */
  double *start;     /* where each begins to be the lowest */
  PetscInt *nearest; /* the line's nearest voxels, before this axis */
} Envelope;

/* Nearest mask voxel within each row along x, as index i in the row, -1 if there is none. */
static void NearestInRows(const Grid *grid, const unsigned char *mask, PetscInt *nearest)
{
  PetscInt nx = grid->n[0];
  for (size_t row = 0; row < GridSize(grid); row += (size_t)nx) {
    PetscInt left = -1, right = -1;
    for (PetscInt i = 0; i < nx; i++) {
      if (mask[row + (size_t)i]) left = i;
      nearest[row + (size_t)i] = left;
    }
    for (PetscInt i = nx - 1; i >= 0; i--) {
      if (mask[row + (size_t)i]) right = i;
      PetscInt *n = &nearest[row + (size_t)i];
      if (right >= 0 && (*n < 0 || right - i < i - *n)) *n = right;
    }
  }
}

/* Squared distance in the plane or row already done: from (i, j) to voxel `nearest` of the plane. */
static double FlatDistance2(const Grid *grid, PetscInt i, PetscInt j, PetscInt nearest)
{
  double dx = grid->spacing_mm[0] * (nearest % grid->n[0] - i), dy = grid->spacing_mm[1] * (nearest / grid->n[0] - j);
  return dx * dx + dy * dy;
}

/* Lower envelope of n parabolas spacing^2 (x - q)^2 + height(q); returns how many take part. */
static PetscInt BuildEnvelope(const Envelope *e, PetscInt n, const double *height_mm2, double spacing_mm)
{
  PetscInt top = 0;
  for (PetscInt q = 0; q < n; q++) {
    if (e->nearest[q] < 0) continue;
    double start = 0;
    while (top > 0) { /* where the new parabola meets the last one */
      PetscInt p = e->site[top - 1];
      start = 0.5 * (p + q) + (height_mm2[q] - e->height[top - 1]) / (2 * spacing_mm * spacing_mm * (q - p));
      if (start > e->start[top - 1]) break;
      top--;
    }
    e->site[top] = q;
    e->height[top] = height_mm2[q];
    e->start[top] = top > 0 ? start : -INFINITY;
    top++;
  }
  return top;
}

/* One line of `n` voxels, `stride` apart from `at`: from nearest within the planes across it to nearest of all of them. */
static void SweepLine(const Grid *grid, int axis, PetscInt i, PetscInt j, size_t at, const Envelope *e,
                      double *height_mm2, PetscInt *nearest)
{
  PetscInt n = grid->n[axis];
  size_t nx = (size_t)grid->n[0], plane = nx * (size_t)grid->n[1], stride = axis == 1 ? nx : plane;
  for (PetscInt q = 0; q < n; q++) {
    e->nearest[q] = nearest[at + (size_t)q * stride];
    if (e->nearest[q] >= 0) height_mm2[q] = FlatDistance2(grid, i, j, e->nearest[q]);
  }
  PetscInt top = BuildEnvelope(e, n, height_mm2, grid->spacing_mm[axis]);
  for (PetscInt q = 0, p = 0; top > 0 && q < n; q++) {
    while (p + 1 < top && e->start[p + 1] < q) p++;
    nearest[at + (size_t)q * stride] = e->nearest[e->site[p]] + (PetscInt)((size_t)e->site[p] * stride);
  }
}

/* The nearest mask voxel of every voxel as flat index, -1 everywhere if the mask is empty. */
static PetscErrorCode NearestVoxels(const Grid *grid, const unsigned char *mask, PetscInt *nearest)
{
  PetscFunctionBegin;
  Envelope e;
  double *height_mm2;
  size_t longest = (size_t)PetscMax(grid->n[1], grid->n[2]), nx = (size_t)grid->n[0];
  PetscCall(
      PetscMalloc5(longest, &e.site, longest, &e.height, longest, &e.start, longest, &e.nearest, longest, &height_mm2));
  NearestInRows(grid, mask, nearest);
  for (PetscInt k = 0; k < grid->n[2]; k++)
    for (PetscInt i = 0; i < grid->n[0]; i++)
      SweepLine(grid, 1, i, 0, GridIndex(grid, i, 0, k), &e, height_mm2, nearest);
  for (PetscInt j = 0; j < grid->n[1]; j++)
    for (PetscInt i = 0; i < grid->n[0]; i++)
      SweepLine(grid, 2, i, j, (size_t)j * nx + (size_t)i, &e, height_mm2, nearest);
  PetscCall(PetscFree5(e.site, e.height, e.start, e.nearest, height_mm2));
  PetscFunctionReturn(0);
}

/* Distance of each voxel to its nearest mask voxel: centre to centre, or less half a step between neighbours. */
static PetscErrorCode Distances(const Grid *grid, const unsigned char *mask, PetscBool to_surface, float *distance_mm)
{
  PetscFunctionBegin;
  PetscInt *nearest, nx = grid->n[0], ny = grid->n[1];
  PetscCall(PetscMalloc1(GridSize(grid), &nearest));
  PetscCall(NearestVoxels(grid, mask, nearest));
  size_t v = 0;
  for (PetscInt k = 0; k < grid->n[2]; k++)
    for (PetscInt j = 0; j < ny; j++)
      for (PetscInt i = 0; i < nx; i++, v++) {
        PetscInt m = nearest[v];
        const double step[3] = {m % nx - i, m / nx % ny - j, m / nx / ny - k};
        double steps = 0, mm2 = 0;
        for (int axis = 0; axis < 3; axis++) {
          steps += fabs(step[axis]);
          mm2 += step[axis] * step[axis] * grid->spacing_mm[axis] * grid->spacing_mm[axis];
        }
        double share = to_surface && steps > 0 ? 1 - 0.5 / steps : 1;
        distance_mm[v] = m < 0 ? INFINITY : (float)(share * sqrt(mm2));
      }
  PetscCall(PetscFree(nearest));
  PetscFunctionReturn(0);
}

PetscErrorCode DistanceToMask(const Grid *grid, const unsigned char *mask, float *distance_mm)
{
  return Distances(grid, mask, PETSC_FALSE, distance_mm);
}

PetscErrorCode DistanceToSurface(const Grid *grid, const unsigned char *mask, float *distance_mm)
{
  return Distances(grid, mask, PETSC_TRUE, distance_mm);
}
