/*
 * Microdosimetric kinetic models: modified (Inaniwa et al., PMB 55:6721, 2010) and stochastic (Inaniwa & Kanematsu, PMB
 * 63:095011, 2018).
 */
#include "biology_private.h"
#include <math.h>

/* Kase et al., Radiat Res 166:629, 2006: z0 = (R_n/r_d)^2 / sqrt(beta (1 + (R_n/r_d)^2)). */
double SaturationDose_Gy(const BiologySpec *spec)
{
  double ratio = spec->r_nucleus_um / spec->r_domain_um, squared = ratio * ratio;
  return spec->z0_Gy > 0 ? spec->z0_Gy : squared / sqrt(spec->beta0_per_Gy2 * (1.0 + squared));
}

IonResponse MKM(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u)
{
  double z = SpecificEnergy_Gy(Z, A, energy_MeV_u, spec->r_domain_um, SaturationDose_Gy(spec));
  double alpha = spec->alpha0_per_Gy + spec->beta0_per_Gy2 * z;
  return (IonResponse){alpha / spec->alpha_x_per_Gy, alpha, spec->beta0_per_Gy2};
}

IonResponse SMK(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u)
{
  IonResponse response = MKM(spec, Z, A, energy_MeV_u);
  double saturated = (response.alpha_per_Gy - spec->alpha0_per_Gy) / spec->beta0_per_Gy2;
  response.beta_per_Gy2 *= saturated / SpecificEnergy_Gy(Z, A, energy_MeV_u, spec->r_domain_um, 0);
  return response;
}

IonResponse SMKExpansion(const BiologySpec *spec, IonResponse response, double z_nucleus_Gy)
{
  double alpha = response.alpha_per_Gy, beta = response.beta_per_Gy2,
         spread = z_nucleus_Gy * (0.5 * alpha * alpha - beta);
  double slope = alpha - spread, curvature = beta * (1.0 - 2.0 * alpha * z_nucleus_Gy) + 0.5 * spread * spread;
  return (IonResponse){slope / spec->alpha_x_per_Gy, slope, PetscMax(curvature, 0.0)};
}

double SMKSurvival(IonResponse response, double z_nucleus_Gy, double dose_Gy)
{
  double alpha = response.alpha_per_Gy, beta = response.beta_per_Gy2, slope = alpha + 2.0 * beta * dose_Gy;
  double factor = 1.0 + dose_Gy * z_nucleus_Gy * (0.5 * slope * slope - beta);
  return exp(-(alpha + beta * dose_Gy) * dose_Gy) * PetscMax(factor, 0.0);
}
