/* Complication probability of the course, by a model of outcomes (outcome.h). */
#include "objective_private.h"

static double Voxel(const KernelPoint *at, double value, double *derivative)
{
  const OutcomePoint point = {.highest_Gy_RBE = at->landmark};
  return (*outcome_complication.voxel)(&at->parameters->outcome, &point, value, derivative);
}

static double Probability(const KernelPoint *at, double mean, double *derivative)
{
  const OutcomePoint point = {.highest_Gy_RBE = at->landmark};
  return (*outcome_complication.value->of_mean)(&at->parameters->outcome, &point, mean, derivative);
}

static LandmarkKind Unit(const ObjectiveParameters *parameters)
{
  return LANDMARK_HIGHEST;
}

const ObjectiveType objective_ntcp = {.name = "ntcp",
                                      .keys = KEY_NTCP,
                                      .voxel = Voxel,
                                      .outer = Probability,
                                      .landmark = Unit,
                                      .worst_high = &objective_ntcp};
