/* Overdose over a goal that falls with the distance from a structure; the goals are made with the term. */
#include "objective_private.h"

const ObjectiveType objective_falloff = {.name = "falloff",
                                         .keys = KEY_GOAL | KEY_FALLOFF,
                                         .voxel = ObjectiveExcess,
                                         .worst_high = &objective_falloff,
                                         .convex = PETSC_TRUE};
