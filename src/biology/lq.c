/*
 * The linear-quadratic-linear dose chain: mixed field -> effect -> RBE-weighted dose, with exact derivatives.
 *
 * Beyond the transition dose D_t the effect grows linearly with slope s_max = alpha_x + 2 beta_x D_t (Kraemer & Scholz, PMB
 * 45:3319, 2000), for photons as for ions. The full approach of LEM I is in damping.c.
 */
#include "biology_private.h"
#include <math.h>

double LQLFinalSlope(const BiologySpec *spec)
{
  return spec->alpha_x_per_Gy + 2.0 * spec->beta_x_per_Gy2 * spec->d_t_Gy;
}

/* With b the sum of beta d: beta d^2 = b d. Yagi et al., PLoS One 18:e0288545, 2023. */
static double FieldEffectLinear(const BiologySpec *spec, FieldDose field, FieldDose *grad)
{
  double d = field.dose_Gy, a = field.alpha_dose, b = field.sqrt_beta_dose, dt = spec->d_t_Gy;
  if (d <= dt) {
    if (grad) *grad = (FieldDose){b, 1, d, 0};
    return a + b * d;
  }
  double slope = LQLFinalSlope(spec), t = dt / d;
  if (grad) *grad = (FieldDose){slope - (a + b * dt) * t / d, t, dt * t, 0};
  return (a + b * dt) * t + slope * (d - dt);
}

double FieldEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad)
{
  double d = field.dose_Gy, a = field.alpha_dose, b = field.sqrt_beta_dose, dt = spec->d_t_Gy;
  if (spec->approach == LEM_FULL && d > 0) return DampedEffect(spec, field, grad);
  if (spec->averaging == AVERAGE_BETA) return FieldEffectLinear(spec, field, grad);
  if (d <= dt) {
    if (grad) *grad = (FieldDose){0, 1, 2.0 * b, 0};
    return a + b * b;
  }
  double slope = LQLFinalSlope(spec), t = dt / d;
  if (grad) *grad = (FieldDose){slope - (a * t + 2.0 * b * b * t * t) / d, t, 2.0 * b * t * t, 0};
  return a * t + b * b * t * t + slope * (d - dt);
}

double LQLEffect(const BiologySpec *spec, double dose_Gy)
{
  double alpha = spec->alpha_x_per_Gy, beta = spec->beta_x_per_Gy2, dt = spec->d_t_Gy;
  if (dose_Gy <= dt) return (alpha + beta * dose_Gy) * dose_Gy;
  return (alpha + beta * dt) * dt + LQLFinalSlope(spec) * (dose_Gy - dt);
}

double PhotonEffect(const BiologySpec *spec, double dose_Gy)
{
  return LQLEffect(spec, dose_Gy / spec->clinical_factor);
}

double RBEWeightedDose(const BiologySpec *spec, double effect, double *derivative)
{
  double alpha = spec->alpha_x_per_Gy, beta = spec->beta_x_per_Gy2, dt = spec->d_t_Gy, factor = spec->clinical_factor;
  double transition = LQLEffect(spec, dt), slope = LQLFinalSlope(spec);
  if (effect > transition) {
    if (derivative) *derivative = factor / slope;
    return factor * (dt + (effect - transition) / slope);
  }
  double root = sqrt(alpha * alpha + 4.0 * beta * effect); /* rationalised: no cancellation at small effects */
  if (derivative) *derivative = factor / root;
  return factor * (2.0 * effect / (alpha + root));
}

double SurvivalFraction(double effect)
{
  return exp(-effect);
}

double FieldRBE(const BiologySpec *spec, FieldDose field)
{
  if (!(field.dose_Gy > 0)) return 0;
  return RBEWeightedDose(spec, FieldEffect(spec, field, NULL), NULL) / field.dose_Gy;
}
