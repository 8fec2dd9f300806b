#include "robion/objective.h"

/* Squared excess over the goal. */
static double Excess(const KernelPoint *at, double value, double *derivative)
{
  double excess = PetscMax(0, value - at->goal);
  *derivative = 2 * excess;
  return excess * excess;
}

const ObjectiveType objective_overdose = {
    .name = "overdose", .keys = KEY_GOAL | KEY_MAP, .voxel = Excess, .worst_high = &objective_overdose};
