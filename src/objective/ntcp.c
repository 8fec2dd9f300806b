/* Complication probability of the course: the LKB model (ntcp.h) of the EQD2 (eqd2.h) of every voxel. */
#include "objective_private.h"
#include "robion/eqd2.h"
#include "robion/ntcp.h"

static double VoxelEQD2_Gy(const ObjectiveParameters *p, double dose, double *derivative)
{
  const FractionationSpec fractionation = FractionationLQ(p->alpha_beta_Gy);
  return EQD2_Gy(&fractionation, p->fractions, dose, derivative);
}

static double Power(const KernelPoint *at, double value, double *derivative)
{
  double slope, unit = VoxelEQD2_Gy(at->parameters, at->landmark, NULL);
  double out = PowerOf(VoxelEQD2_Gy(at->parameters, value, &slope), unit, at->parameters->a, derivative);
  *derivative *= slope;
  return out;
}

static double Probability(const KernelPoint *at, double mean, double *derivative)
{
  const ObjectiveParameters *p = at->parameters;
  const NTCPSpec spec = {.a = p->a, .m = p->m, .td50_Gy = p->td50_Gy};
  double slope, geud_Gy = PowerMean(mean, VoxelEQD2_Gy(p, at->landmark, NULL), p->a, &slope);
  double out = NTCP(&spec, geud_Gy, derivative);
  *derivative *= slope;
  return out;
}

static LandmarkKind Unit(const ObjectiveParameters *parameters)
{
  return LANDMARK_HIGHEST;
}

const ObjectiveType objective_ntcp = {.name = "ntcp",
                                      .keys = KEY_A | KEY_NTCP,
                                      .voxel = Power,
                                      .outer = Probability,
                                      .landmark = Unit,
                                      .worst_high = &objective_ntcp};
