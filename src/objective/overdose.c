#include "robion/objective.h"

/* Squared excess over the goal. */
static double Excess(double value, double goal, double *derivative)
{
  double excess = PetscMax(0, value - goal);
  *derivative = 2 * excess;
  return excess * excess;
}

const ObjectiveType objective_overdose = {.name = "overdose", .voxel = Excess, .worst_high = Excess};
