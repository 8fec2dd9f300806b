/* Squared excess over the goal. */
#include "objective_private.h"

const ObjectiveType objective_overdose = {.name = "overdose",
                                          .keys = KEY_GOAL | KEY_MAP,
                                          .voxel = ObjectiveExcess,
                                          .worst_high = &objective_overdose,
                                          .convex = PETSC_TRUE};
