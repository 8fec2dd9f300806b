/*
 * Penalties of points of the dose-volume histogram: the squared excess of the coolest 1 - v of the volume, of which nothing is to
 * exceed the goal; the squared lack of the hottest v, of which nothing is to be below it. With q(u) the dose that the coolest
 * share u gets at most, these are the integrals of the penalty of q(u) over u below 1 - v and above it: continuous in the doses,
 * and 0 exactly where the histogram meets the point. The voxel at the edge counts with the part of it that belongs. (matRad
 * penalises the same voxels, the edge's as a whole.)
 */
#include "objective_private.h"

static double Counted(double value, double weight, double *derivative)
{
  *derivative *= weight;
  return weight * value;
}

static double ColdestExcess(const KernelPoint *at, double value, double *derivative)
{
  const double penalty = ObjectiveExcess(at, value, derivative);
  return Counted(penalty, value < at->landmark ? 1 : value > at->landmark ? 0 : 1 - at->edge, derivative);
}

static double HottestLack(const KernelPoint *at, double value, double *derivative)
{
  const double penalty = ObjectiveLack(at, value, derivative);
  return Counted(penalty, value > at->landmark ? 1 : value < at->landmark ? 0 : at->edge, derivative);
}

static LandmarkKind AtVolume(const ObjectiveParameters *parameters)
{
  return LANDMARK_VOLUME;
}

const ObjectiveType objective_max_dvh = {.name = "max-dvh",
                                         .keys = KEY_GOAL | KEY_VOLUME,
                                         .voxel = ColdestExcess,
                                         .landmark = AtVolume,
                                         .worst_high = &objective_max_dvh};

const ObjectiveType objective_min_dvh = {.name = "min-dvh",
                                         .keys = KEY_GOAL | KEY_VOLUME,
                                         .voxel = HottestLack,
                                         .landmark = AtVolume,
                                         .worst_low = &objective_min_dvh,
                                         .wants_dose = PETSC_TRUE};
