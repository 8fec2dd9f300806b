/*
 * The linear-quadratic-linear dose chain: mixed field -> effect -> RBE-weighted dose, with exact derivatives.
 *
 * Beyond the transition dose D_t the effect grows linearly with slope s_max = alpha_x + 2 beta_x D_t (Kraemer & Scholz, PMB
 * 45:3319, 2000), for photons as for ions.
 */
#include "robion/biology.h"
#include <math.h>

double FieldEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad)
{
  double d = field.dose_Gy, a = field.alpha_dose, b = field.sqrt_beta_dose, dt = spec->d_t_Gy;
  if (d <= dt) {
    if (grad) *grad = (FieldDose){0, 1, 2.0 * b};
    return a + b * b;
  }
  double slope = spec->alpha_x_per_Gy + 2.0 * spec->beta_x_per_Gy2 * dt, t = dt / d;
  if (grad) *grad = (FieldDose){slope - (a * t + 2.0 * b * b * t * t) / d, t, 2.0 * b * t * t};
  return a * t + b * b * t * t + slope * (d - dt);
}

double PhotonEffect(const BiologySpec *spec, double dose_Gy)
{
  double alpha = spec->alpha_x_per_Gy, beta = spec->beta_x_per_Gy2, dt = spec->d_t_Gy;
  if (dose_Gy <= dt) return (alpha + beta * dose_Gy) * dose_Gy;
  return (alpha + beta * dt) * dt + (alpha + 2.0 * beta * dt) * (dose_Gy - dt);
}

double RBEWeightedDose(const BiologySpec *spec, double effect, double *derivative)
{
  double alpha = spec->alpha_x_per_Gy, beta = spec->beta_x_per_Gy2, dt = spec->d_t_Gy;
  double transition = PhotonEffect(spec, dt), slope = alpha + 2.0 * beta * dt;
  if (effect > transition) {
    if (derivative) *derivative = 1.0 / slope;
    return dt + (effect - transition) / slope;
  }
  double root = sqrt(alpha * alpha + 4.0 * beta * effect); /* rationalised: no cancellation at small effects */
  if (derivative) *derivative = 1.0 / root;
  return 2.0 * effect / (alpha + root);
}
