/**
 * Radiological paths through a CT. Part of step 5.
 *
 * Exact up to rounding: the straight line is cut at every voxel wall it crosses (Siddon, Med Phys 12:252 1985) and each
 * piece counts with the stopping power of its voxel; nothing is interpolated. Points may lie anywhere; what is outside the
 * grid counts nothing. A line that runs inside a wall belongs to the voxel of higher index. Not collective, thread-safe,
 * no memory is allocated.
 */
#pragma once
#include "robion/grid.h"

/**
 * Water-equivalent path length, mm, from one point to another (both mm, patient coordinates): the integral of rsp (on
 * `grid`) along the line, up to `to` exactly. The same bits when from and to change places.
 */
double RaytraceWEPL_mm(const Grid *grid, const float *rsp, const double from_mm[3], const double to_mm[3]);

/**
 * Distance, mm, from `from_mm` along the ray through `to_mm` and beyond it to the first voxel whose rsp is above `threshold`:
 * 0 if `from_mm` lies in one, infinite if the ray meets none.
 */
double RaytraceEntry_mm(const Grid *grid, const float *rsp, const double from_mm[3], const double to_mm[3],
                        double threshold);
