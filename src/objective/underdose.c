#include "robion/objective.h"

/* Squared lack below the goal. */
static double Lack(const KernelPoint *at, double value, double *derivative)
{
  double lack = PetscMin(0, value - at->goal);
  *derivative = 2 * lack;
  return lack * lack;
}

const ObjectiveType objective_underdose = {.name = "underdose",
                                           .keys = KEY_GOAL | KEY_MAP,
                                           .voxel = Lack,
                                           .worst_low = &objective_underdose,
                                           .wants_dose = PETSC_TRUE};
