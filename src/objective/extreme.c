/*
 * Penalties of the hottest and the coldest voxel: the squared excess over, or lack below, the goal of the smooth maximum
 * w ln sum_i (v_i / v_max) exp(q_i / w), or the smooth minimum likewise. It lies above the true maximum (below the minimum) by at
 * most w ln(n): a structure that meets the goal by it meets it truly. Width w: the objective's smoothing, a share of the goal.
 */
#include "objective_private.h"

static double Width(const KernelPoint *at)
{
  return at->parameters->smoothing * at->goal;
}

/* exp(sign (q - extreme) / w) / v_max, whose volume mean is the sum. */
static double Exponential(const KernelPoint *at, double sign, double value, double *derivative)
{
  const double w = Width(at), e = exp(sign * (value - at->landmark) / w) / at->largest_share;
  *derivative = sign * e / w;
  return e;
}

static double OfHottest(const KernelPoint *at, double value, double *derivative)
{
  return Exponential(at, 1, value, derivative);
}

static double OfColdest(const KernelPoint *at, double value, double *derivative)
{
  return Exponential(at, -1, value, derivative);
}

static double Maximum(const KernelPoint *at, double mean, double *derivative)
{
  const double w = Width(at), value = ObjectiveExcess(at, at->landmark + w * log(mean), derivative);
  *derivative *= w / mean;
  return value;
}

static double Minimum(const KernelPoint *at, double mean, double *derivative)
{
  const double w = Width(at), value = ObjectiveLack(at, at->landmark - w * log(mean), derivative);
  *derivative *= -w / mean;
  return value;
}

static LandmarkKind Hottest(const ObjectiveParameters *parameters)
{
  return LANDMARK_HIGHEST;
}

static LandmarkKind Coldest(const ObjectiveParameters *parameters)
{
  return LANDMARK_LOWEST;
}

const ObjectiveType objective_maximum = {.name = "maximum",
                                         .keys = KEY_GOAL | KEY_SMOOTHING,
                                         .voxel = OfHottest,
                                         .outer = Maximum,
                                         .landmark = Hottest,
                                         .worst_high = &objective_maximum,
                                         .convex = PETSC_TRUE};

const ObjectiveType objective_minimum = {.name = "minimum",
                                         .keys = KEY_GOAL | KEY_SMOOTHING,
                                         .voxel = OfColdest,
                                         .outer = Minimum,
                                         .landmark = Coldest,
                                         .worst_low = &objective_minimum,
                                         .convex = PETSC_TRUE,
                                         .wants_dose = PETSC_TRUE};
