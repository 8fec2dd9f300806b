/*
 * What a seed draws of a liver patient. CTV volumes of seeds 1 to 10 are those of Sokol et al. (arXiv 2210.04684, Table I: patients 6
 * and 9 have two and three targets), and patient 6 has 927 cm3 of healthy liver, as there. Others have one target, two or three
 * (80, 10, 10 %) with volumes log-normal as the table's. Livers have 1281 +- 219 cm3 (Jasper, J Clin Diagn Res 13:TC01, 2019) with
 * their tumours, and without at least 935 (the least of a published trial). The GTV is the CTV without 5 mm. Targets lie anywhere in
 * the liver, 10 mm apart from each other.
 */
#include "liver_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

enum { STREAM_BODY, STREAM_VOLUME, STREAM_PLACE, STREAM_SHAPE, STREAM_TENTHS, STREAM_WITHIN_TENTH };

static const double liver_ctv_cm3[][MOST_TARGETS] = {
    {30.0}, {16.1}, {17.4}, {12.2}, {70.6}, {198.2, 24.6}, {40.2}, {162.2}, {60.0, 38.0, 32.8}, {7.8}};
enum { N_TABLE = PETSC_STATIC_ARRAY_LENGTH(liver_ctv_cm3), OUTLIER = 6 };
static const double outlier_healthy_cm3 = 927, least_healthy_cm3 = 935, gtv_margin_mm = 5, apart_mm = 10;

/* Number and volumes of the targets. */
static void DrawTargets(PetscInt seed, LiverPatient *p)
{
  CounterRandom random = {.seed = (uint64_t)seed, .stream = STREAM_VOLUME};
  double known[N_TABLE * MOST_TARGETS];
  PetscInt n = 0;
  for (PetscInt i = 0; i < N_TABLE; i++)
    for (PetscInt t = 0; t < MOST_TARGETS && liver_ctv_cm3[i][t] > 0; t++) known[n++] = liver_ctv_cm3[i][t];
  const double share = CounterRandomUniform(&random);
  p->n_targets = share < 0.8 ? 1 : share < 0.9 ? 2 : 3;
  for (PetscInt t = 0; t < MOST_TARGETS; t++) p->ctv_cm3[t] = DrawVolume_cm3(n, known, &random);
  if (seed <= N_TABLE) {
    p->n_targets = 0;
    for (PetscInt t = 0; t < MOST_TARGETS && liver_ctv_cm3[seed - 1][t] > 0; t++)
      p->ctv_cm3[p->n_targets++] = liver_ctv_cm3[seed - 1][t];
  }
  for (PetscInt t = 0; t < p->n_targets; t++) {
    p->target[t].radius_mm = RadiusOfVolume_mm(p->ctv_cm3[t]);
    p->gtv_cm3[t] = p->ctv_cm3[t] * pow(1 - gtv_margin_mm / p->target[t].radius_mm, 3);
  }
}

/* With its tumours. */
static double DrawLiver_cm3(PetscInt seed, const LiverPatient *p)
{
  const double quantile = QuantileOfTen(seed, STREAM_TENTHS, STREAM_WITHIN_TENTH);
  const double drawn_cm3 = 1281 + 219 * gsl_cdf_ugaussian_Pinv(quantile);
  double gtv_cm3 = 0;
  for (PetscInt t = 0; t < p->n_targets; t++) gtv_cm3 += p->gtv_cm3[t];
  if (seed == OUTLIER) return outlier_healthy_cm3 + gtv_cm3;
  return PetscMax(drawn_cm3, least_healthy_cm3 + gtv_cm3);
}

/* Whether a target there is in the liver, and far enough from those before it: `part` of what is wanted. */
static PetscBool FitsThere(const LiverPatient *p, PetscInt target, double part, const double x[3])
{
  const double surface = 0.915 * cbrt(p->liver_cm3 / 1281); /* its level, about */
  const double deep = 0.85 * surface;                       /* part of a large target's sphere may lie outside */
  if (LiverLevel(p, x, deep) > deep) return PETSC_FALSE;
  for (PetscInt t = 0; t < target; t++) {
    double apart2 = 0;
    for (int k = 0; k < 3; k++) apart2 += Square(x[k] - p->target[t].centre_mm[k]);
    if (sqrt(apart2) < part * (p->target[t].radius_mm + p->target[target].radius_mm + apart_mm)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static void PlaceTargets(PetscInt seed, LiverPatient *p)
{
  static const double low[3] = {-135, -70, -80}, high[3] = {75, 65, 90};
  CounterRandom place = {.seed = (uint64_t)seed, .stream = STREAM_PLACE};
  CounterRandom shape = {.seed = (uint64_t)seed, .stream = STREAM_SHAPE};
  for (PetscInt t = 0; t < p->n_targets; t++) {
    double *centre = p->target[t].centre_mm, part = 1; /* less and less where the liver is too small for all */
    PetscInt tries = 0;
    do {
      for (int k = 0; k < 3; k++) centre[k] = DrawBetween(&place, low[k], high[k]);
      if (++tries % 200 == 0) part *= 0.9;
    } while (!FitsThere(p, t, part, centre));
    BlobDraw(&shape, &p->target[t]);
  }
}

void LiverPatientDraw(PetscInt seed, LiverPatient *p)
{
  CounterRandom body = {.seed = (uint64_t)seed, .stream = STREAM_BODY};
  *p = (LiverPatient){.size = DrawAround(&body, 1, 0.03, 0.95, 1.05)};
  p->gas = CounterRandomUniform(&body) < 0.5 ? PETSC_TRUE : PETSC_FALSE;
  DrawTargets(seed, p);
  p->liver_cm3 = DrawLiver_cm3(seed, p);
  PlaceTargets(seed, p);
}
