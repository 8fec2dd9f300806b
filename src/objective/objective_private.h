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
