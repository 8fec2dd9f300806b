/* Biologically effective dose and its equivalent in fractions of 2 Gy. */
#include "robion/eqd2.h"

const FractionationSpec fractionation_optic = {.alpha_beta_Gy = 2},
                        fractionation_liver = {.alpha_beta_Gy = 2.5, .d_t_Gy = 5, .gamma_over_alpha = 5};

FractionationSpec FractionationLQ(double alpha_beta_Gy)
{
  return (FractionationSpec){.alpha_beta_Gy = alpha_beta_Gy};
}

double BED_Gy(const FractionationSpec *spec, double n, double d_Gy, double *slope)
{
  const double quadratic = spec->d_t_Gy > 0 ? PetscMin(d_Gy, spec->d_t_Gy) : d_Gy, linear = d_Gy - quadratic;
  if (slope) *slope = n * (linear > 0 ? spec->gamma_over_alpha : 1 + 2 * d_Gy / spec->alpha_beta_Gy);
  return n * (quadratic * (1 + quadratic / spec->alpha_beta_Gy) + spec->gamma_over_alpha * linear);
}

double EQD2_Gy(const FractionationSpec *spec, double n, double d_Gy, double *slope)
{
  const double scale = 1 + 2 / spec->alpha_beta_Gy, bed_Gy = BED_Gy(spec, n, d_Gy, slope);
  if (slope) *slope /= scale;
  return bed_Gy / scale;
}
