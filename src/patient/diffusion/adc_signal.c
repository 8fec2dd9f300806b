/* The diffusion signal of cells and the space between them. */
#include "robion/adc.h"
#include <math.h>

/* Roots of j1'(x) = 0, alpha_m R: the m-th lies just below m pi + pi/2 from the fourth on. */
static const double root[] = {2.0815759778,  5.9403699906,  9.2058401429,  12.4044450219, 15.5792364104, 18.7426455848,
                              21.8996964795, 25.0528252810, 28.2033610040, 31.3520917266, 34.4995149214, 37.6459603231};
enum { N_ROOTS = sizeof root / sizeof *root };

/* -ln S of water in spheres over b, um2/ms, which no b changes, and its derivatives by the radius and by D. */
static double SphereCoefficient(double radius_um, double D_um2_ms, double delta_ms, double Delta_ms, double slope[2])
{
  /* b = (gamma G delta)^2 (Delta - delta/3) */
  const double factor = 2 / (D_um2_ms * delta_ms * delta_ms * (Delta_ms - delta_ms / 3));
  double sum = 0, by_rate = 0; /* the latter: derivative by ln(rate) of all terms */
  for (int m = 0; m < N_ROOTS; m++) {
    const double alpha = root[m] / radius_um, rate = alpha * alpha * D_um2_ms; /* 1/ms */
    const double between = exp(-rate * (Delta_ms - delta_ms)), pulse = exp(-rate * delta_ms),
                 distance = exp(-rate * Delta_ms), whole = exp(-rate * (Delta_ms + delta_ms));
    const double echo = 2 + between - 2 * pulse - 2 * distance + whole;
    const double echo_slope = 2 * delta_ms * pulse + 2 * Delta_ms * distance - (Delta_ms - delta_ms) * between -
                              (Delta_ms + delta_ms) * whole;
    const double weight = 1 / (pow(alpha, 4) * (root[m] * root[m] - 2));
    sum += weight * (2 * delta_ms - echo / rate);
    by_rate += weight * (echo / rate - echo_slope);
  }
  slope[0] = factor * (4 * sum - 2 * by_rate) / radius_um;
  slope[1] = factor * (by_rate - sum) / D_um2_ms;
  return factor * sum;
}

double SphereSignal(double radius_um, double D_um2_ms, double delta_ms, double Delta_ms, double b_ms_um2)
{
  double slope[2];
  return exp(-b_ms_um2 * SphereCoefficient(radius_um, D_um2_ms, delta_ms, Delta_ms, slope));
}

double DiffusionSignal(const DiffusionTissue *t, const DiffusionProtocol *p, double b_ms_um2)
{
  const double hindered = t->D0_um2_ms / (1 + 0.5 * t->fraction);
  double cells = t->fraction > 0 ? SphereSignal(t->radius_um, t->Di_um2_ms, p->delta_ms, p->Delta_ms, b_ms_um2) : 0;
  return t->fraction * cells + (1 - t->fraction) * exp(-b_ms_um2 * hindered);
}

void DiffusionAttenuations(const DiffusionTissue *t, const DiffusionProtocol *p, double *minus_ln,
                           double (*slope)[N_TISSUE])
{
  const double tortuosity = 1 + 0.5 * t->fraction, hindered = t->D0_um2_ms / tortuosity;
  double sphere_slope[2],
      sphere = SphereCoefficient(t->radius_um, t->Di_um2_ms, p->delta_ms, p->Delta_ms, sphere_slope);
  for (PetscInt k = 0; k < p->n_b; k++) {
    const double b = p->b_ms_um2[k], cells = exp(-b * sphere), between = exp(-b * hindered);
    const double signal = t->fraction * cells + (1 - t->fraction) * between;
    minus_ln[k] = -log(signal);
    slope[k][TISSUE_RADIUS] = t->fraction * cells * b * sphere_slope[0] / signal;
    slope[k][TISSUE_DI] = t->fraction * cells * b * sphere_slope[1] / signal;
    slope[k][TISSUE_D0] = (1 - t->fraction) * between * b / tortuosity / signal;
    slope[k][TISSUE_FRACTION] =
        (between - cells - (1 - t->fraction) * between * b * 0.5 * hindered / tortuosity) / signal;
  }
}

double ADCOfSignals(const DiffusionProtocol *p, const double *signal)
{
  double mean_b = 0, mean_ln = 0, product = 0, square = 0;
  for (PetscInt k = 0; k < p->n_b; k++) {
    mean_b += p->b_ms_um2[k] / p->n_b;
    mean_ln += log(signal[k]) / p->n_b;
  }
  for (PetscInt k = 0; k < p->n_b; k++) {
    product += (p->b_ms_um2[k] - mean_b) * (log(signal[k]) - mean_ln);
    square += (p->b_ms_um2[k] - mean_b) * (p->b_ms_um2[k] - mean_b);
  }
  return -product / square;
}

double ADCOfTissue(const DiffusionTissue *tissue, const DiffusionProtocol *p)
{
  double signal[ADC_MOST_B];
  for (PetscInt k = 0; k < p->n_b; k++) signal[k] = DiffusionSignal(tissue, p, p->b_ms_um2[k]);
  return ADCOfSignals(p, signal);
}

double CellsOfTissue(const DiffusionTissue *t, double volume_mm3)
{
  const double cell_um3 = 4.0 / 3.0 * PETSC_PI * t->radius_um * t->radius_um * t->radius_um;
  return t->fraction * volume_mm3 * 1e9 / cell_um3;
}

double CellCaseWeight(CellCase which, double rmse_um2_ms, double sigma_um2_ms)
{
  if (which == CELLS_NOMINAL) return 1;
  const double g = sigma_um2_ms > 0  ? exp(-0.5 * rmse_um2_ms * rmse_um2_ms / (sigma_um2_ms * sigma_um2_ms))
                   : rmse_um2_ms > 0 ? 0
                                     : 1;
  return which == CELLS_BEST ? 0.5 + 0.5 * g : 1.5 - 0.5 * g;
}
