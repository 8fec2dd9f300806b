/*
 * LEM I, full approach: survival is the mean over the number n of particles that hit a nucleus.
 *
 * n is Poisson with mean lambda = D/d1, d1 the dose of one hit. The hit after n others adds the effect d1 s(n d1), where s is the
 * slope of the ion's LQ-L curve at the dose which the nucleus already has, s(y) = min(alpha_z + 2 beta_z y, s_max), so that n
 * hits below the straight part have effect e_n = alpha_z n d1 + beta_z n (n - 1) d1^2 and one has alpha_z d1. As
 * E[exp(-a n) f(n)] = exp(-lambda (1 - exp(-a))) E'[f(n)] with lambda' = lambda exp(-a), a = alpha_z d1,
 *
 *   -ln E[exp(-e_n)] = alpha_D D - ln E'[exp(-(e_n - a n))],  alpha_D = (1 - exp(-alpha_z d1)) / d1,
 *
 * the low-dose approximation's linear term and what is left of the quadratic one.
 */
#include "biology_private.h"
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_lambert.h>
#include <gsl/gsl_sf_log.h>
#include <math.h>

#define LEAST_HIT 1e-10     /* smallest d1/D; there the share of LQ-L that is missing is 1e-10 s D / 2 */
#define NEGLIGIBLE 1e-17    /* of the sum */
#define POINTS_PER_SIGMA 32 /* of wide distributions, where not every n is needed */

/* One field on one nucleus. */
typedef struct Hits {
  double dose_Gy, alpha, beta, hit_Gy, slope_most;
  double mean;       /* lambda' */
  double n_straight; /* hits from this number on act with slope_most; below 0: all do */
} Hits;

/* Sums over n with the weights of the surviving nuclei; those behind `weight` only for derivatives. */
typedef struct HitSums {
  double weight, killed, alpha, beta, hit;
} HitSums;

static double HitSlope(const Hits *h, double n)
{
  return n < h->n_straight ? h->alpha + 2.0 * h->beta * h->hit_Gy * n : h->slope_most;
}

/* How many of n hits act below the straight part. */
static double CurvedHits(const Hits *h, double n)
{
  return PetscClipInterval(floor(h->n_straight) + 1.0, 0.0, n);
}

/* Effect of n hits above alpha n d1. */
static double ExtraEffect(const Hits *h, double n)
{
  double m = CurvedHits(h, n), d = h->hit_Gy;
  return h->beta * d * d * m * (m - 1.0) + (n - m) * d * (h->slope_most - h->alpha);
}

/* ln of the Poisson probability of n (Loader's form: nothing cancels at large n), less the extra effect. */
static double LogWeight(const Hits *h, double n)
{
  if (n == 0) return -h->mean;
  double ln = n * gsl_sf_log_1plusx_mx((h->mean - n) / n) - 0.5 * log(2.0 * M_PI * n) - log(gsl_sf_gammastar(n));
  return ln - ExtraEffect(h, n);
}

/* The likeliest n. */
static double LikeliestHits(const Hits *h)
{
  double curve = 2.0 * h->beta * h->hit_Gy * h->hit_Gy;
  double n = curve * h->mean > 1e-9 ? gsl_sf_lambert_W0(curve * h->mean) / curve : h->mean;
  if (n > h->n_straight)
    n = PetscMax(PetscMax(h->n_straight, 0.0), h->mean * exp(-h->hit_Gy * (h->slope_most - h->alpha)));
  return floor(n);
}

static void AddHits(const Hits *h, double n, double weight, PetscBool derivatives, HitSums *sums)
{
  sums->weight += weight;
  if (!derivatives) return;
  double d = h->hit_Gy, m = CurvedHits(h, n), next = CurvedHits(h, n + 1.0), kill = -expm1(-d * HitSlope(h, n));
  /* d1 times the derivative of e_(n+1) in d1, per hit */
  double y = d * ((h->alpha + 2.0 * h->beta * d * (next - 1.0)) * next + (n + 1.0 - next) * h->slope_most) / (n + 1.0);
  sums->killed += weight * kill;
  sums->alpha += weight * m;
  sums->beta += weight * m * (m - 1.0);
  sums->hit += weight * (y * (1.0 - kill) - kill);
}

/* exp of the extra effect of the hit after n. */
static double ExtraRise(const Hits *h, double n)
{
  return exp(h->hit_Gy * (HitSlope(h, n) - h->alpha));
}

/* Sums over every n, relative to the weight of `centre`. From one hit to the next the extra effect rises by a constant. */
static HitSums SumEveryHit(const Hits *h, double centre, PetscBool derivatives)
{
  HitSums sums = {0};
  double bend = exp(-2.0 * h->beta * h->hit_Gy * h->hit_Gy), straight = exp(h->hit_Gy * (h->alpha - h->slope_most));
  double w = 1, fall = 1.0 / ExtraRise(h, centre), rise = ExtraRise(h, PetscMax(centre - 1.0, 0.0));
  for (double n = centre; w > NEGLIGIBLE * sums.weight; n++) {
    AddHits(h, n, w, derivatives, &sums);
    w *= h->mean * fall / (n + 1.0);
    fall = n + 1.0 < h->n_straight ? fall * bend : straight;
  }
  w = 1;
  for (double n = centre - 1.0; n >= 0; n--) {
    w *= (n + 1.0) * rise / h->mean;
    if (!(w > NEGLIGIBLE * sums.weight)) break;
    AddHits(h, n, w, derivatives, &sums);
    rise = n < h->n_straight ? rise * bend : ExtraRise(h, n - 1.0);
  }
  return sums;
}

/* The same of a wide distribution from every step-th n: the trapezoidal rule, which is exact for its smooth shape. */
static HitSums SumSomeHits(const Hits *h, double centre, double step, PetscBool derivatives)
{
  HitSums sums = {0};
  double top = LogWeight(h, centre);
  for (int way = 1; way >= -1; way -= 2) {
    double n = way > 0 ? centre : centre - step;
    for (double w; n >= 0 && (w = step * exp(LogWeight(h, n) - top)) > NEGLIGIBLE * sums.weight; n += way * step)
      AddHits(h, n, w, derivatives, &sums);
  }
  return sums;
}

/*
 * Derivatives in dose, alpha, beta and d1, then in the sums of the field. E[n g(n)] = lambda E[g(n + 1)] turns the differences of
 * large numbers that lambda = D/d1 brings into sums of small ones.
 */
static FieldDose HitGradient(const BiologySpec *spec, FieldDose field, double let_factor, const Hits *h,
                             const HitSums *sums)
{
  double D = h->dose_Gy, d = h->hit_Gy, by_alpha = d * sums->alpha / sums->weight;
  double by_beta = d * d * sums->beta / sums->weight, by_dose = sums->killed / (d * sums->weight);
  double by_hit = D / (d * d) * sums->hit / sums->weight;
  PetscBool mean_beta = spec->averaging == AVERAGE_BETA ? PETSC_TRUE : PETSC_FALSE;
  double power = mean_beta ? 1 : 2, channel = mean_beta ? 1 / D : 2.0 * (field.sqrt_beta_dose / D) / D;
  return (FieldDose){by_dose - (by_alpha * h->alpha + power * by_beta * h->beta + by_hit * d) / D, by_alpha / D,
                     by_beta * channel, by_hit * let_factor / D};
}

double DampedEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad)
{
  double D = field.dose_Gy, root = field.sqrt_beta_dose / D, let_factor = HitDose_Gy(spec, 1);
  Hits h = {.dose_Gy = D,
            .alpha = field.alpha_dose / D,
            .beta = spec->averaging == AVERAGE_BETA ? root : root * root,
            .hit_Gy = PetscMax(let_factor * field.let_dose / D, LEAST_HIT * D)};
  h.slope_most = LQLFinalSlope(spec);
  double rise = 2.0 * h.beta * h.hit_Gy, left = h.slope_most - h.alpha;
  h.n_straight = left < 0 ? -1.0 : rise > 0 ? left / rise : INFINITY;
  h.mean = D / h.hit_Gy * exp(-h.alpha * h.hit_Gy);
  double centre = LikeliestHits(&h), step = floor(sqrt(centre) / POINTS_PER_SIGMA);
  PetscBool derivatives = grad ? PETSC_TRUE : PETSC_FALSE;
  HitSums sums = step > 1 ? SumSomeHits(&h, centre, step, derivatives) : SumEveryHit(&h, centre, derivatives);
  if (grad) *grad = HitGradient(spec, field, let_factor, &h, &sums);
  double linear = -D * expm1(-h.alpha * h.hit_Gy) / h.hit_Gy, rest = -LogWeight(&h, centre) - log(sums.weight);
  return PetscMax(linear + rest, 0.0);
}
