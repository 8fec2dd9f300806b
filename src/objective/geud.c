/* Generalised equivalent uniform dose (sum_i v_i q_i^a)^(1/a) (Niemierko, Med Phys 26:1100, 1999), and penalties of it. */
#include "objective_private.h"

static double Power(const KernelPoint *at, double value, double *derivative)
{
  return PowerOf(value, at->landmark, at->parameters->a, derivative);
}

/* Penalty of the gEUD that belongs to a mean of powers. */
static double OfMean(ObjectiveKernel penalty, const KernelPoint *at, double mean, double *derivative)
{
  double slope, value = penalty(at, PowerMean(mean, at->landmark, at->parameters->a, &slope), derivative);
  *derivative *= slope;
  return value;
}

static double Above(const KernelPoint *at, double mean, double *derivative)
{
  return OfMean(ObjectiveExcess, at, mean, derivative);
}

static double Below(const KernelPoint *at, double mean, double *derivative)
{
  return OfMean(ObjectiveLack, at, mean, derivative);
}

/* No power of a value over this one is above 1. */
static LandmarkKind Unit(const ObjectiveParameters *parameters)
{
  return parameters->a > 0 ? LANDMARK_HIGHEST : LANDMARK_LOWEST;
}

const ObjectiveType objective_max_geud = {.name = "max-geud",
                                          .keys = KEY_GOAL | KEY_A,
                                          .voxel = Power,
                                          .outer = Above,
                                          .landmark = Unit,
                                          .worst_high = &objective_max_geud};

const ObjectiveType objective_min_geud = {.name = "min-geud",
                                          .keys = KEY_GOAL | KEY_A,
                                          .voxel = Power,
                                          .outer = Below,
                                          .landmark = Unit,
                                          .worst_low = &objective_min_geud,
                                          .wants_dose = PETSC_TRUE};
