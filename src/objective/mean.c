/* Objectives on the mean of a structure: over a bound, off a goal, as it is. */
#include "objective_private.h"

/* Squared excess of the structure's mean over the goal. */
const ObjectiveType objective_mean = {.name = "mean",
                                      .keys = KEY_GOAL,
                                      .voxel = ObjectiveIdentity,
                                      .outer = ObjectiveExcess,
                                      .worst_high = &objective_mean,
                                      .convex = PETSC_TRUE};

/* Squared lack of the mean below the goal: the lower half of mean-deviation. */
static const ObjectiveType mean_lack = {
    .name = "mean-lack", .voxel = ObjectiveIdentity, .outer = ObjectiveLack, .worst_low = &mean_lack};

const ObjectiveType objective_mean_deviation = {.name = "mean-deviation",
                                                .keys = KEY_GOAL,
                                                .voxel = ObjectiveIdentity,
                                                .outer = ObjectiveDeviation,
                                                .worst_high = &objective_mean,
                                                .worst_low = &mean_lack,
                                                .convex = PETSC_TRUE,
                                                .wants_dose = PETSC_TRUE};

/* The mean itself. */
const ObjectiveType objective_mean_linear = {.name = "mean-linear",
                                             .keys = KEY_QUANTITY,
                                             .voxel = ObjectiveIdentity,
                                             .worst_high = &objective_mean_linear,
                                             .convex = PETSC_TRUE};
