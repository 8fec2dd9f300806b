/* Complication probability of a dose distribution. */
#include "robion/ntcp.h"
#include <math.h>

/* The slope of a power below 1 has no end at 0 Gy: it is taken a billionth of a Gy from there. */
static const double SLOPE_FROM_Gy = 1e-9;

double GEUDPower(const LKBSpec *spec, double dose_Gy, double unit_Gy, double *slope)
{
  const double unit = PetscMax(unit_Gy, SLOPE_FROM_Gy);
  *slope = spec->a * pow(PetscMax(dose_Gy, SLOPE_FROM_Gy) / unit, spec->a - 1) / unit;
  return dose_Gy > 0 ? pow(dose_Gy / unit, spec->a) : 0;
}

double GEUDOfMean_Gy(const LKBSpec *spec, double mean, double unit_Gy, double *slope)
{
  *slope = 0;
  if (!(mean > 0)) return 0;
  *slope = unit_Gy / spec->a * pow(mean, 1 / spec->a - 1);
  return unit_Gy * pow(mean, 1 / spec->a);
}

double NTCP(const LKBSpec *spec, double geud_Gy, double *slope)
{
  const double width_Gy = spec->m * spec->td50_Gy, t = (geud_Gy - spec->td50_Gy) / width_Gy;
  if (slope) *slope = exp(-0.5 * t * t) / (sqrt(2 * PETSC_PI) * width_Gy);
  return 0.5 * erfc(-t / sqrt(2));
}
