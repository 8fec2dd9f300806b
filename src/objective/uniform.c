/* Squared deviation from the goal. */
#include "objective_private.h"

const ObjectiveType objective_uniform = {.name = "uniform",
                                         .keys = KEY_GOAL | KEY_MAP,
                                         .voxel = ObjectiveDeviation,
                                         .worst_high = &objective_overdose,
                                         .worst_low = &objective_underdose,
                                         .convex = PETSC_TRUE,
                                         .wants_dose = PETSC_TRUE};
