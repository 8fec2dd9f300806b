/*
 * Exact ray tracing, slab by slab. One slab is the voxels with one index along the axis on which the line crosses most
 * walls. There the other two coordinates change by at most one voxel, so the line has at most three pieces, found from
 * two wall crossings without a loop or a branch; slabs do not depend on each other and fill vector lanes. Stepping
 * from wall to wall (Amanatides and Woo, Eurographics 1987) finds the same pieces but each waits for the one before.
 */
#include "robion/raytrace.h"
#include <math.h>

/*
 * A line in voxel units from the grid's lower corner. q is its coordinate along the main axis, ascending, and its
 * parameter; it is always set up from the end of lower q, so that exchanging the ends changes no bit.
 */
typedef struct Line {
  double low, high;     /* q of the two ends */
  PetscBool reversed;   /* the caller's `from` is the end of higher q */
  double begin, end;    /* the part inside the grid; none unless begin < end */
  double start[2];      /* the other two coordinates at q = low */
  double slope[2];      /* their change per q, at most 1 in size */
  double per_slope[2];  /* 1 / slope, or huge */
  PetscInt last[2];     /* highest voxel index of the other axes */
  PetscInt stride[2];   /* from voxel to voxel along the other axes */
  PetscInt main_stride; /* along the main axis */
  PetscInt main_last;   /* highest index of the main axis */
  double mm_per_q;
} Line;

enum { LANES = 8 }; /* slabs that are computed together */

/* Narrow [begin, end] to where the coordinate `side` is inside the grid. */
static void Clip(Line *line, int side, double upper)
{
  double start = line->start[side], slope = line->slope[side];
  if (slope == 0) {
    if (start < 0 || start >= upper) line->end = line->begin;
    return;
  }
  double at_lower = line->low - start / slope, at_upper = line->low + (upper - start) / slope;
  line->begin = fmax(line->begin, fmin(at_lower, at_upper));
  line->end = fmin(line->end, fmax(at_lower, at_upper));
}

/* Returns the distance of the two points, mm; the line is set if that is a number above 0. `beyond`: it goes on past to_mm. */
static double LineCreate(const Grid *grid, const double from_mm[3], const double to_mm[3], PetscBool beyond, Line *line)
{
  double change[3], length2_mm2 = 0;
  int main = 0;
  for (int k = 0; k < 3; k++) {
    change[k] = (to_mm[k] - from_mm[k]) / grid->spacing_mm[k];
    length2_mm2 += (to_mm[k] - from_mm[k]) * (to_mm[k] - from_mm[k]);
    if (fabs(change[k]) > fabs(change[main])) main = k;
  }
  double length_mm = sqrt(length2_mm2);
  if (!(length_mm > 0 && isfinite(length_mm))) return length_mm;
  line->reversed = change[main] < 0;
  const double *low_mm = line->reversed ? to_mm : from_mm;
  double low[3];
  for (int k = 0; k < 3; k++) low[k] = (low_mm[k] - grid->origin_mm[k]) / grid->spacing_mm[k] + 0.5;
  const PetscInt stride[3] = {1, grid->n[0], grid->n[0] * grid->n[1]};
  line->low = low[main];
  line->high = low[main] + fabs(change[main]);
  line->begin = beyond && line->reversed ? 0 : fmax(0, line->low);
  line->end = beyond && !line->reversed ? grid->n[main] : fmin(grid->n[main], line->high);
  line->main_stride = stride[main];
  line->main_last = grid->n[main] - 1;
  line->mm_per_q = length_mm / fabs(change[main]);
  for (int side = 0; side < 2; side++) {
    int k = (main + 1 + side) % 3;
    line->start[side] = low[k];
    line->slope[side] = change[k] / change[main];
    line->per_slope[side] = line->slope[side] != 0 ? 1 / line->slope[side] : 1e300;
    line->last[side] = grid->n[k] - 1;
    line->stride[side] = stride[k];
    Clip(line, side, grid->n[k]);
  }
  return length_mm;
}

/* The line's pieces in one slab: from cut[i] to cut[i + 1] in voxel[i]. Pieces may have no length. */
typedef struct Pieces {
  double cut[4];
  PetscInt voxel[3];
} Pieces;

static inline double Within(double x, double low, double high)
{
  double above = x > low ? x : low;
  return above < high ? above : high;
}

static inline PetscInt WithinIndex(PetscInt i, PetscInt last)
{
  PetscInt above = i > 0 ? i : 0;
  return above < last ? above : last;
}

static inline Pieces CutSlab(const Line *line, PetscInt slab)
{
  Pieces pieces;
  double begin = Within(slab, line->begin, line->end), end = Within(slab + 1.0, line->begin, line->end);
  double wall[2];
  PetscInt before[2], after[2];
  for (int side = 0; side < 2; side++) {
    double x = line->start[side] + (begin - line->low) * line->slope[side];
    double cell = floor(x);
    PetscBool up = line->slope[side] >= 0;
    wall[side] = Within(begin + (cell + (up ? 1.0 : 0.0) - x) * line->per_slope[side], begin, end);
    PetscInt i = (PetscInt)cell;
    before[side] = WithinIndex(i, line->last[side]) * line->stride[side];
    after[side] = WithinIndex(i + (up ? 1 : -1), line->last[side]) * line->stride[side];
  }
  PetscBool first = wall[0] <= wall[1];
  PetscInt base = WithinIndex(slab, line->main_last) * line->main_stride;
  pieces.cut[0] = begin;
  pieces.cut[1] = first ? wall[0] : wall[1];
  pieces.cut[2] = first ? wall[1] : wall[0];
  pieces.cut[3] = end;
  pieces.voxel[0] = base + before[0] + before[1];
  pieces.voxel[1] = base + (first ? after[0] + before[1] : before[0] + after[1]);
  pieces.voxel[2] = base + after[0] + after[1];
  return pieces;
}

/* Along the main axis the line stays in one row of voxels: what CutSlab finds there, without looking for walls. */
static inline void SumRow(const Line *line, const float *rsp, double sum[LANES])
{
  const float *row = rsp;
  for (int side = 0; side < 2; side++)
    row += WithinIndex((PetscInt)floor(line->start[side]), line->last[side]) * line->stride[side];
  for (PetscInt slab = (PetscInt)line->begin; slab < line->end; slab += LANES)
    for (int lane = 0; lane < LANES; lane++) {
      const PetscInt here = slab + lane;
      const double begin = Within(here, line->begin, line->end), end = Within(here + 1.0, line->begin, line->end);
      sum[lane] += (end - begin) * row[WithinIndex(here, line->main_last) * line->main_stride];
    }
}

static inline void SumSlabs(const Line *line, const float *rsp, double sum[LANES])
{
  for (PetscInt slab = (PetscInt)line->begin; slab < line->end; slab += LANES)
    for (int lane = 0; lane < LANES; lane++) { /* those beyond the end have no length */
      Pieces p = CutSlab(line, slab + lane);
      sum[lane] += (p.cut[1] - p.cut[0]) * rsp[p.voxel[0]] + (p.cut[2] - p.cut[1]) * rsp[p.voxel[1]] +
                   (p.cut[3] - p.cut[2]) * rsp[p.voxel[2]];
    }
}

double RaytraceWEPL_mm(const Grid *grid, const float *rsp, const double from_mm[3], const double to_mm[3])
{
  Line line = {0};
  double length_mm = LineCreate(grid, from_mm, to_mm, PETSC_FALSE, &line);
  if (!(length_mm > 0 && isfinite(length_mm))) return length_mm;
  double sum[LANES] = {0};
  if (line.begin < line.end) (line.slope[0] == 0 && line.slope[1] == 0 ? SumRow : SumSlabs)(&line, rsp, sum);
  double total = 0;
  for (int lane = 0; lane < LANES; lane++) total += sum[lane];
  return total * line.mm_per_q;
}

double RaytraceEntry_mm(const Grid *grid, const float *rsp, const double from_mm[3], const double to_mm[3],
                        double threshold)
{
  Line line = {0};
  double length_mm = LineCreate(grid, from_mm, to_mm, PETSC_TRUE, &line);
  if (!isfinite(length_mm)) return length_mm;
  if (!(length_mm > 0 && line.begin < line.end)) return INFINITY;
  PetscInt first = (PetscInt)line.begin, last = (PetscInt)ceil(line.end) - 1;
  for (PetscInt n = 0; n <= last - first; n++) {
    Pieces p = CutSlab(&line, line.reversed ? last - n : first + n);
    for (int m = 0; m < 3; m++) {
      int i = line.reversed ? 2 - m : m;
      if (p.cut[i] < p.cut[i + 1] && rsp[p.voxel[i]] > threshold)
        return (line.reversed ? line.high - p.cut[i + 1] : p.cut[i] - line.low) * line.mm_per_q;
    }
  }
  return INFINITY;
}
