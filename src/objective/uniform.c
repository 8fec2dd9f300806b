#include "robion/objective.h"

/* Squared deviation from the goal. */
static double Squared(const KernelPoint *at, double value, double *derivative)
{
  *derivative = 2 * (value - at->goal);
  return (value - at->goal) * (value - at->goal);
}

const ObjectiveType objective_uniform = {.name = "uniform",
                                         .keys = KEY_GOAL | KEY_MAP,
                                         .voxel = Squared,
                                         .worst_high = &objective_overdose,
                                         .worst_low = &objective_underdose,
                                         .wants_dose = PETSC_TRUE};
