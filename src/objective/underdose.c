/* Squared lack below the goal. */
#include "objective_private.h"

const ObjectiveType objective_underdose = {.name = "underdose",
                                           .keys = KEY_GOAL | KEY_MAP,
                                           .voxel = ObjectiveLack,
                                           .worst_low = &objective_underdose,
                                           .convex = PETSC_TRUE,
                                           .wants_dose = PETSC_TRUE};
