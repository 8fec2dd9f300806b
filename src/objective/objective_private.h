/* Kernels that several types share. */
#pragma once
#include "robion/objective.h"
#include <math.h>

static inline double ObjectiveIdentity(const KernelPoint *at, double value, double *derivative)
{
  (void)at;
  *derivative = 1;
  return value;
}

/* Squared deviation from, squared excess over, and squared lack below, the goal. */
static inline double ObjectiveDeviation(const KernelPoint *at, double value, double *derivative)
{
  *derivative = 2 * (value - at->goal);
  return (value - at->goal) * (value - at->goal);
}

static inline double ObjectiveExcess(const KernelPoint *at, double value, double *derivative)
{
  const double excess = PetscMax(0, value - at->goal);
  *derivative = 2 * excess;
  return excess * excess;
}

static inline double ObjectiveLack(const KernelPoint *at, double value, double *derivative)
{
  const double lack = PetscMin(0, value - at->goal);
  *derivative = 2 * lack;
  return lack * lack;
}

/* Powers of nothing are kept out of the way: a billionth of a Gy, Gy(RBE) or keV/um. */
#define POWER_FLOOR 1e-9

/* (value / unit)^a, as the volume mean of a generalised mean takes it; unit is the largest or smallest value there is. */
static inline double PowerOf(double value, double unit, double a, double *derivative)
{
  const double q = PetscMax(value, POWER_FLOOR), m = PetscMax(unit, POWER_FLOOR);
  *derivative = a * pow(q / m, a - 1) / m;
  return pow(q / m, a);
}

/* The generalised mean unit * mean^(1/a) of that volume mean. */
static inline double PowerMean(double mean, double unit, double a, double *derivative)
{
  const double m = PetscMax(unit, POWER_FLOOR);
  *derivative = m / a * pow(mean, 1 / a - 1);
  return m * pow(mean, 1 / a);
}
