/*
 * Contours to masks.
 *
 * A ring is filled by flags (Ackland and Weste, 1981): each of its edges turns a flag over in every row of voxel centres that it
 * crosses, at the first centre right of the crossing; along a row, an odd number of flags so far is inside. An edge that is run
 * to and fro turns the same flag twice, so keyholes leave nothing. Rows belong to an edge from its lower end (included) to
 * its upper end, by the same rounding for both edges of a corner, so that rings are closed.
 */
#include "contours_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLACK 1e-3 /* of a slice's gap: planes that are this near to the middle between two slices are on it */

PetscErrorCode ContoursAddRing(Contours *c, PetscInt n, const double (*point_mm)[3])
{
  PetscFunctionBegin;
  if (c->n_rings == c->room_rings) {
    c->room_rings = 2 * c->room_rings + 16;
    PetscCall(PetscRealloc((size_t)c->room_rings * sizeof *c->ring_points, &c->ring_points));
  }
  if (n > c->room_points - c->n_points) {
    c->room_points = 2 * c->room_points + n + 64;
    PetscCall(PetscRealloc((size_t)c->room_points * sizeof *c->point_mm, &c->point_mm));
  }
  if (n) memcpy(c->point_mm[c->n_points], point_mm, (size_t)n * sizeof *point_mm);
  c->n_points += n;
  c->ring_points[c->n_rings++] = n;
  PetscFunctionReturn(0);
}

PetscErrorCode ContoursDestroy(Contours *c)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(c->ring_points));
  PetscCall(PetscFree(c->point_mm));
  *c = (Contours){0};
  PetscFunctionReturn(0);
}

/* A ring's limits; false after it was counted as skipped. */
static PetscBool RingTake(PetscInt n, const double (*point)[3], ContourCounts *counts, Ring *ring)
{
  double z_low = INFINITY, z_high = -INFINITY;
  *ring = (Ring){n, 0, point, {INFINITY, INFINITY}, {-INFINITY, -INFINITY}, 0};
  for (PetscInt i = 0; i < n; i++) {
    for (int k = 0; k < 3; k++)
      if (!(fabs(point[i][k]) <= CONTOUR_FAR_MM)) {
        counts->unplaceable++;
        return PETSC_FALSE;
      }
    for (int k = 0; k < 2; k++) {
      ring->low[k] = fmin(ring->low[k], point[i][k]);
      ring->high[k] = fmax(ring->high[k], point[i][k]);
    }
    z_low = fmin(z_low, point[i][2]);
    z_high = fmax(z_high, point[i][2]);
  }
  ring->z = (z_low + z_high) / 2;
  if (n < 3)
    counts->few_points++;
  else if (z_high - z_low > CONTOUR_FLAT_MM)
    counts->oblique++;
  else
    return PETSC_TRUE;
  return PETSC_FALSE;
}

static int CompareRings(const void *a, const void *b)
{
  const Ring *r = a, *s = b;
  if (r->z != s->z) return r->z < s->z ? -1 : 1;
  return r->point < s->point ? -1 : r->point > s->point; /* as in the file */
}

/* The rings that are taken, sorted by z. */
static PetscErrorCode RingsSort(const Contours *contours, ContourCounts *counts, PetscInt *n, Ring **out)
{
  PetscFunctionBegin;
  Ring *ring;
  PetscCall(PetscMalloc1(contours->n_rings + 1, &ring));
  *n = 0;
  for (PetscInt i = 0, point = 0; i < contours->n_rings; point += contours->ring_points[i++]) {
    const PetscInt points = contours->ring_points[i];
    if (RingTake(points, points ? (const double(*)[3])contours->point_mm + point : NULL, counts, &ring[*n])) (*n)++;
  }
  qsort(ring, (size_t)*n, sizeof *ring, CompareRings);
  counts->rings = contours->n_rings;
  *out = ring;
  PetscFunctionReturn(0);
}

/* The number of rings from the first that are in one plane. */
static PetscInt PlaneRings(PetscInt n, const Ring *ring)
{
  PetscInt i = 0;
  while (i < n && ring[i].z - ring[0].z <= CONTOUR_FLAT_MM) i++;
  return i;
}

/* How many mm of z a plane fills: the gap of the slices, or that of the planes if all of them are coarser. */
static double PlaneThickness(const Grid *grid, PetscInt n, const Ring *ring)
{
  double least = INFINITY;
  PetscInt planes = 0;
  for (PetscInt i = 0; i < n; planes++) {
    const PetscInt next = i + PlaneRings(n - i, ring + i);
    if (next < n) least = fmin(least, ring[next].z - ring[i].z);
    i = next;
  }
  return planes > 2 && least > 1.05 * grid->spacing_mm[2] && least <= CONTOUR_BETWEEN_MM ? least : grid->spacing_mm[2];
}

/* The first index whose place is not below a coordinate, from 0 to n. */
static PetscInt FirstFrom(const Grid *grid, int axis, double mm, double slack)
{
  const double i = ceil((mm - grid->origin_mm[axis]) / grid->spacing_mm[axis] - slack);
  return i <= 0 ? 0 : i >= (double)grid->n[axis] ? grid->n[axis] : (PetscInt)i;
}

/* The slices from `first` to before `end` that a plane fills. */
static void PlaneSlices(const Grid *grid, double z, double thickness, PetscInt *first, PetscInt *end)
{
  *first = FirstFrom(grid, 2, z - thickness / 2, SLACK);
  *end = FirstFrom(grid, 2, z + thickness / 2, SLACK);
}

/* Turn over the flags where a ring's edges cross rows. */
static void RingFlags(const Grid *grid, const Ring *ring, unsigned char *slice)
{
  for (PetscInt p = 0; p < ring->n; p++) {
    const double *a = ring->point[p], *b = ring->point[p + 1 < ring->n ? p + 1 : 0];
    const double *low = a[1] < b[1] ? a : b, *high = a[1] < b[1] ? b : a;
    const PetscInt end = FirstFrom(grid, 1, high[1], 0);
    for (PetscInt j = FirstFrom(grid, 1, low[1], 0); j < end; j++) {
      const double y = grid->origin_mm[1] + (double)j * grid->spacing_mm[1];
      const double along = fmin(1, fmax(0, (y - low[1]) / (high[1] - low[1])));
      const PetscInt i = FirstFrom(grid, 0, low[0] + along * (high[0] - low[0]), 0);
      if (i < grid->n[0]) slice[(size_t)j * (size_t)grid->n[0] + (size_t)i] ^= 1;
    }
  }
}

/* Flags of the rows that a ring meets become what is inside. */
static void FillRows(const Grid *grid, double y_low, double y_high, unsigned char *slice)
{
  const size_t nx = (size_t)grid->n[0];
  const PetscInt end = FirstFrom(grid, 1, y_high, 0);
  for (PetscInt j = FirstFrom(grid, 1, y_low, 0); j < end; j++)
    for (size_t i = 1; i < nx; i++) slice[(size_t)j * nx + i] ^= slice[(size_t)j * nx + i - 1];
}

/* Slices for the work on a plane. */
typedef struct Sheets {
  size_t size;
  unsigned char *plane, *group, *ring;
} Sheets;

/* The union of the rings of a group, turned over in the plane. */
static void AddGroup(const Grid *grid, PetscInt n, const Ring *ring, PetscInt group, const Sheets *sheets)
{
  memset(sheets->group, 0, sheets->size);
  for (PetscInt r = 0; r < n; r++) {
    if (ring[r].group != group) continue;
    memset(sheets->ring, 0, sheets->size);
    RingFlags(grid, &ring[r], sheets->ring);
    FillRows(grid, ring[r].low[1], ring[r].high[1], sheets->ring);
    for (size_t v = 0; v < sheets->size; v++) sheets->group[v] |= sheets->ring[v];
  }
  for (size_t v = 0; v < sheets->size; v++) sheets->plane[v] ^= sheets->group[v];
}

/* What is inside of the rings of a plane. */
static void FillPlane(const Grid *grid, PetscInt n, Ring *ring, const Sheets *sheets, ContourCounts *counts)
{
  memset(sheets->plane, 0, sheets->size);
  if (!RingsGroup(n, ring)) {
    double low = INFINITY, high = -INFINITY;
    for (PetscInt r = 0; r < n; r++) {
      RingFlags(grid, &ring[r], sheets->plane);
      low = fmin(low, ring[r].low[1]);
      high = fmax(high, ring[r].high[1]);
    }
    FillRows(grid, low, high, sheets->plane);
    return;
  }
  counts->crossed++;
  for (PetscInt r = 0; r < n; r++)
    if (ring[r].group == r) AddGroup(grid, n, ring, r, sheets);
}

static void CountCut(const Grid *grid, PetscInt n, const Ring *ring, ContourCounts *counts)
{
  for (PetscInt r = 0; r < n; r++) {
    PetscBool cut = PETSC_FALSE;
    for (int k = 0; k < 2; k++) {
      const double half = grid->spacing_mm[k] * (0.5 + SLACK), last = (double)(grid->n[k] - 1) * grid->spacing_mm[k];
      if (ring[r].low[k] < grid->origin_mm[k] - half || ring[r].high[k] > grid->origin_mm[k] + last + half)
        cut = PETSC_TRUE;
    }
    counts->cut += cut;
  }
}

/* The voxels that hold the centres of the rings' limits. */
static void TakeCentres(const Grid *grid, PetscInt n, const Ring *ring, unsigned char *mask)
{
  for (PetscInt r = 0; r < n; r++) {
    PetscInt voxel[3], end;
    PetscBool within = PETSC_TRUE;
    for (int k = 0; k < 2; k++) {
      const double centre = (ring[r].low[k] + ring[r].high[k]) / 2;
      voxel[k] = FirstFrom(grid, k, centre, 0.5);
      if (voxel[k] == grid->n[k] || centre < grid->origin_mm[k] - grid->spacing_mm[k] / 2) within = PETSC_FALSE;
    }
    PlaneSlices(grid, ring[r].z, grid->spacing_mm[2], &voxel[2], &end);
    if (within && voxel[2] < end) mask[GridIndex(grid, voxel[0], voxel[1], voxel[2])] = 1;
  }
}

/* Join a plane with the slices that it fills; seen: how many planes did so before. */
static void JoinPlane(const Grid *grid, double z, double thickness, const Sheets *sheets, unsigned char *mask,
                      unsigned char *seen, ContourCounts *counts)
{
  PetscInt first, end, own, own_end;
  PlaneSlices(grid, z, thickness, &first, &end);
  PlaneSlices(grid, z, grid->spacing_mm[2], &own, &own_end);
  for (PetscInt k = first; k < end; k++) {
    unsigned char *slice = mask + (size_t)k * sheets->size;
    if (seen[k] == 1) counts->merged_slices++;
    if (seen[k] < 2) seen[k]++;
    if (k < own || k >= own_end) counts->between++;
    for (size_t v = 0; v < sheets->size; v++) slice[v] |= sheets->plane[v];
  }
}

static size_t CountVoxels(const Grid *grid, const unsigned char *mask)
{
  size_t n = 0;
  for (size_t v = 0; v < GridSize(grid); v++) n += mask[v];
  return n;
}

PetscErrorCode ContoursToMask(const Grid *grid, const Contours *contours, unsigned char *mask, ContourCounts *counts)
{
  PetscFunctionBegin;
  PetscInt n, first, end;
  Ring *ring;
  unsigned char *seen;
  Sheets sheets = {.size = (size_t)grid->n[0] * (size_t)grid->n[1]};
  *counts = (ContourCounts){0};
  memset(mask, 0, GridSize(grid));
  PetscCall(RingsSort(contours, counts, &n, &ring));
  PetscCall(PetscCalloc1(grid->n[2], &seen));
  PetscCall(PetscMalloc3(sheets.size, &sheets.plane, sheets.size, &sheets.group, sheets.size, &sheets.ring));
  const double thickness = PlaneThickness(grid, n, ring);
  for (PetscInt i = 0, m; i < n; i += m) {
    m = PlaneRings(n - i, ring + i);
    PlaneSlices(grid, ring[i].z, thickness, &first, &end);
    if (first >= end) {
      counts->outside += m;
      continue;
    }
    counts->planes++;
    CountCut(grid, m, ring + i, counts);
    FillPlane(grid, m, ring + i, &sheets, counts);
    JoinPlane(grid, ring[i].z, thickness, &sheets, mask, seen, counts);
  }
  counts->voxels = CountVoxels(grid, mask);
  if (!counts->voxels) {
    TakeCentres(grid, n, ring, mask);
    counts->voxels = CountVoxels(grid, mask);
    counts->tiny = counts->voxels ? PETSC_TRUE : PETSC_FALSE;
  }
  PetscCall(PetscFree3(sheets.plane, sheets.group, sheets.ring));
  PetscCall(PetscFree(seen));
  PetscCall(PetscFree(ring));
  PetscFunctionReturn(0);
}
