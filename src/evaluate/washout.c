/*
 * Decays of positron emitters in windows of time, while blood washes them out.
 *
 * Nuclei made at a constant rate from s to e decay at the rate lp and leave by each of a tissue's parts M_i at l_i - lp. Of those made
 * in that time N(t) = M_i (1 - exp(-l_i (t - s))) / (l_i (e - s)) are there until e, and fall off as exp(-l_i (t - e)) from then on;
 * decays are lp times the integral of N.
 */
#include "robion/activity.h"
#include <math.h>

const char *const washout_names[] = {"none", "mizuno"};
const PetscInt n_washout_names = PETSC_STATIC_ARRAY_LENGTH(washout_names);

enum { MOST_PARTS = 3 };

/* Shares and biological half-lives: Mizuno et al., PMB 48:2269 (2003), 11C in rabbits, muscle's shares of 1.01 in all scaled to 1;
   bone and fat hold on to them as the slow part of muscle does (assumed). */
static const struct {
  int n;
  double share[MOST_PARTS], half_life_s[MOST_PARTS];
} washout[N_WASHOUTS] = {
    [WASHOUT_KEPT] = {1, {1}, {INFINITY}},
    [WASHOUT_SLOW] = {1, {1}, {3175}},
    [WASHOUT_MUSCLE] = {3, {0.30 / 1.01, 0.19 / 1.01, 0.52 / 1.01}, {10, 195, 3175}},
    [WASHOUT_BRAIN] = {3, {0.35, 0.30, 0.35}, {2, 140, 10191}},
};

/* Integral from a to b, both behind 0, of what is there of one nucleus made from 0 to T, leaving at rate l. */
static double TimeIntegral(double l, double T, double a, double b)
{
  const double during_to = PetscMin(b, T), after_from = PetscMax(a, T);
  double sum = 0;
  if (a < during_to) sum += (during_to - a + (exp(-l * during_to) - exp(-l * a)) / l) / (l * T);
  if (after_from < b) sum += -expm1(-l * T) * (exp(-l * (after_from - T)) - exp(-l * (b - T))) / (l * l * T);
  return sum;
}

/* Decays in [a, b] of one nucleus made in [s, e]. */
static double Decays(double half_life_s, WashoutTissue tissue, double s, double e, double a, double b)
{
  const double physical = M_LN2 / half_life_s;
  double sum = 0;
  if (b <= s) return 0;
  for (int i = 0; i < washout[tissue].n; i++) {
    const double l = physical + M_LN2 / washout[tissue].half_life_s[i];
    sum += washout[tissue].share[i] * physical * TimeIntegral(l, e - s, PetscMax(0.0, a - s), b - s);
  }
  return sum;
}

double DecaysPerNucleus(double half_life_s, WashoutTissue tissue, const Irradiation *irradiation, double from_s,
                        double to_s)
{
  const double end = irradiation->duration_s, from = end + from_s, to = end + to_s;
  const double spill = PetscMin(irradiation->spill_s, end), period = spill + irradiation->pause_s;
  double sum = 0;
  if (!(spill > 0)) return Decays(half_life_s, tissue, 0, end, PetscMax(0.0, from), to);
  const PetscInt n =
      PetscMax(1, (PetscInt)((end + irradiation->pause_s) / period + 1e-9)); /* no pause behind the last */
  for (PetscInt k = 0; k < n; k++) {
    const double s = (double)k * period, e = s + spill;
    for (PetscInt p = k; p < n; p++) { /* what follows spill p: a pause, or the end */
      const double a = (double)p * period + spill, b = p + 1 < n ? (double)(p + 1) * period : to;
      sum += Decays(half_life_s, tissue, s, e, PetscMax(a, from), PetscMin(b, to));
    }
  }
  return sum / (double)n;
}
