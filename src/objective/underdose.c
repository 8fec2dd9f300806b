#include "robion/objective.h"

/* Squared lack below the goal. */
static double Lack(double value, double goal, double *derivative)
{
  double lack = PetscMin(0, value - goal);
  *derivative = 2 * lack;
  return lack * lack;
}

const ObjectiveType objective_underdose = {.name = "underdose", .voxel = Lack, .worst_low = Lack};
