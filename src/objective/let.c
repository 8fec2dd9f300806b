/* Bounds of the dose-averaged LET, relative to the goal: ((L - goal) / goal)^2 where it is on the wrong side. */
#include "objective_private.h"

static double Relative(ObjectiveKernel penalty, const KernelPoint *at, double value, double *derivative)
{
  const double scale = 1 / (at->goal * at->goal), out = scale * penalty(at, value, derivative);
  *derivative *= scale;
  return out;
}

static double Above(const KernelPoint *at, double value, double *derivative)
{
  return Relative(ObjectiveExcess, at, value, derivative);
}

static double Below(const KernelPoint *at, double value, double *derivative)
{
  return Relative(ObjectiveLack, at, value, derivative);
}

const ObjectiveType objective_max_let = {
    .name = "max-let", .keys = KEY_LET_GOAL, .voxel = Above, .worst_high = &objective_max_let};

const ObjectiveType objective_min_let = {
    .name = "min-let", .keys = KEY_LET_GOAL, .voxel = Below, .worst_low = &objective_min_let};
