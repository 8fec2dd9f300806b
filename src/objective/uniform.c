#include "robion/objective.h"

/* Squared deviation from the goal. */
static double Squared(double value, double goal, double *derivative)
{
  *derivative = 2 * (value - goal);
  return (value - goal) * (value - goal);
}

static double High(double value, double goal, double *derivative)
{
  return objective_overdose.voxel(value, goal, derivative);
}

static double Low(double value, double goal, double *derivative)
{
  return objective_underdose.voxel(value, goal, derivative);
}

const ObjectiveType objective_uniform = {.name = "uniform", .voxel = Squared, .worst_high = High, .worst_low = Low};
