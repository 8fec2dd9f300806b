#include "objective_private.h"

/* Squared excess of the structure's mean over the goal. */
static double Excess(const KernelPoint *at, double mean, double *derivative)
{
  return objective_overdose.voxel(at, mean, derivative);
}

const ObjectiveType objective_mean = {
    .name = "mean", .keys = KEY_GOAL, .voxel = ObjectiveIdentity, .outer = Excess, .worst_high = &objective_mean};
