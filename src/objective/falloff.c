#include "objective_private.h"

/* Overdose over a goal that falls with the distance from a structure; the goals come voxel by voxel. */
const ObjectiveType objective_falloff = {.name = "falloff",
                                         .keys = KEY_GOAL | KEY_FALLOFF,
                                         .voxel = ObjectiveExcess,
                                         .worst_high = &objective_falloff,
                                         .convex = PETSC_TRUE};
