#include "robion/objective.h"

static double Identity(double value, double goal, double *derivative)
{
  (void)goal;
  *derivative = 1;
  return value;
}

/* Squared excess of the structure's mean over the goal. */
static double Excess(double mean, double goal, double *derivative)
{
  return objective_overdose.voxel(mean, goal, derivative);
}

const ObjectiveType objective_mean = {.name = "mean", .voxel = Identity, .outer = Excess, .worst_high = Identity};
