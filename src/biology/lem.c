/*
 * LEM I (Scholz & Kraft, Radiat Prot Dosim 52:29, 1994) with the low-dose approximation (Kraemer & Scholz, PMB 51:1959,
 * 2006).
 *
 * The radial dose is constant inside r_min and falls as 1/r^2 up to r_max, and the photon response is linear-quadratic up to
 * D_t and linear beyond, so the response integrated over the whole track has a closed form in three rings.
 */
#include "biology_private.h"
#include <math.h>

#define R_MIN_UM 0.01
#define R_MAX_FACTOR_UM 0.05 /* r_max = 0.05 (E in MeV/u)^1.7 um (Kiefer & Straaten 1986, as in LEM I) */
#define R_MAX_POWER 1.7

double HitDose_Gy(const BiologySpec *spec, double let_keV_um)
{
  return GY_UM2_PER_KEV_UM * let_keV_um / (M_PI * spec->r_nucleus_um * spec->r_nucleus_um);
}

/* Effect of all rings of one track, um2; the track deposits let_Gy_um2 in all. */
static double TrackEffect(const BiologySpec *spec, double energy_MeV_u, double let_Gy_um2)
{
  double alpha = spec->alpha_x_per_Gy, beta = spec->beta_x_per_Gy2, dt = spec->d_t_Gy, slope = LQLFinalSlope(spec);
  double r_max = PetscMax(R_MIN_UM, R_MAX_FACTOR_UM * pow(energy_MeV_u, R_MAX_POWER));
  double k = let_Gy_um2 / (M_PI * (1.0 + 2.0 * log(r_max / R_MIN_UM))); /* D = k/r^2 */
  double effect = M_PI * R_MIN_UM * R_MIN_UM * LQLEffect(spec, k / (R_MIN_UM * R_MIN_UM));
  double r_t = PetscClipInterval(sqrt(k / dt), R_MIN_UM, r_max); /* D > D_t inside */
  double offset = alpha * dt + beta * dt * dt - slope * dt;
  effect += M_PI * offset * (r_t * r_t - R_MIN_UM * R_MIN_UM) + 2.0 * M_PI * slope * k * log(r_t / R_MIN_UM);
  effect +=
      2.0 * M_PI * alpha * k * log(r_max / r_t) + M_PI * beta * k * k * (1.0 / (r_t * r_t) - 1.0 / (r_max * r_max));
  return effect;
}

IonResponse LEM1OfSlope(const BiologySpec *spec, double alpha_z, double let_keV_um)
{
  double beta_z = PetscMax(0.0, (LQLFinalSlope(spec) - alpha_z) / (2.0 * spec->d_t_Gy));
  double rbe = alpha_z / spec->alpha_x_per_Gy;
  if (spec->approach == LEM_FULL) return (IonResponse){rbe, alpha_z, beta_z};
  double hit = HitDose_Gy(spec, let_keV_um), alpha_d = -expm1(-alpha_z * hit) / hit, ratio = alpha_d / alpha_z;
  return (IonResponse){rbe, alpha_d, ratio * ratio * beta_z};
}

IonResponse LEM1(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u)
{
  double let = LET_keV_um(Z, A, energy_MeV_u), deposit = GY_UM2_PER_KEV_UM * let;
  return LEM1OfSlope(spec, TrackEffect(spec, energy_MeV_u, deposit) / deposit, let);
}
