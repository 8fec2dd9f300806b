/* Generalised equivalent uniform dose (sum_i v_i q_i^a)^(1/a) (Niemierko, Med Phys 26:1100, 1999), and penalties of it. */
#include "objective_private.h"

/* Powers of nothing are kept out of the way: a billionth of a Gy, Gy(RBE) or keV/um. */
#define POWER_FLOOR 1e-9

/* (value / unit)^a, as the volume mean of a generalised mean takes it; unit is the largest or smallest value there is. */
static double PowerOf(double value, double unit, double a, double *derivative)
{
  const double q = PetscMax(value, POWER_FLOOR), m = PetscMax(unit, POWER_FLOOR);
  *derivative = a * pow(q / m, a - 1) / m;
  return pow(q / m, a);
}

/* The generalised mean unit * mean^(1/a) of that volume mean. */
static double PowerMean(double mean, double unit, double a, double *derivative)
{
  const double m = PetscMax(unit, POWER_FLOOR);
  *derivative = m / a * pow(mean, 1 / a - 1);
  return m * pow(mean, 1 / a);
}

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
