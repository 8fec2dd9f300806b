#include "objective_private.h"

/* Squared excess over the goal. */
const ObjectiveType objective_overdose = {.name = "overdose",
                                          .keys = KEY_GOAL | KEY_MAP,
                                          .voxel = ObjectiveExcess,
                                          .worst_high = &objective_overdose,
                                          .convex = PETSC_TRUE};
