/*
 * What a seed draws of a chordoma patient, and its maps of clonogens and misfit.
 *
 * ln N, N clonogens per 27 mm3, is normal over the population: mean 12.561, SD 0.696, so that the terciles of all voxels are
 * the published 2.1e5 and 3.8e5; between patients its mean has SD 0.357, which gives the published spread of TCP under uniform
 * dose (5.6 %). Inside a patient it is a smooth random field with a correlation length of 9 mm plus a gradient along one direction and
 * one from centre to rim. Volume and mean of ln N are drawn from a Latin hypercube of ten patients, so that seeds 1 to 10 (11 to 20,
 * ...) are a fair sample of the population; everything else is drawn independently.
 */
#include "chordoma_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

static const double ln_clonogens_mean = 12.561, ln_clonogens_sd = 0.696, between_patients_sd = 0.357;
static const double correlation_mm = 9, misfit_correlation_mm = 6;
static const double misfit_um2_ms = 0.06; /* SD of measured minus matched diffusion coefficient */
static const double volume_cm3[2] = {50, 1270}, volume_median_cm3 = 220, volume_ln_sd = 0.85;
static const double noise_part = 0.8, rim_part = 0.45, gradient_part = 0.4;

/* Log-normal, cut off at both ends. */
static double DrawVolume(double quantile)
{
  double low = gsl_cdf_ugaussian_P(log(volume_cm3[0] / volume_median_cm3) / volume_ln_sd);
  double high = gsl_cdf_ugaussian_P(log(volume_cm3[1] / volume_median_cm3) / volume_ln_sd);
  return volume_median_cm3 * exp(volume_ln_sd * gsl_cdf_ugaussian_Pinv(low + quantile * (high - low)));
}

/* A normal number, cut off; drawn once, since PetscClipInterval takes its argument more than once. */
static double DrawWithin(double sd, double most, CounterRandom *random)
{
  const double drawn = sd * CounterRandomNormal(random);
  return PetscClipInterval(drawn, -most, most);
}

void ChordomaDraw(PetscInt seed, Chordoma *drawn)
{
  CounterRandom body = {.seed = (uint64_t)seed, .stream = STREAM_BODY};
  CounterRandom shape = {.seed = (uint64_t)seed, .stream = STREAM_SHAPE};
  drawn->seed = seed;
  drawn->size = 1 + DrawWithin(0.05, 0.1, &body);
  drawn->gas = CounterRandomUniform(&body) < 0.5 ? PETSC_TRUE : PETSC_FALSE;
  drawn->gtv_cm3 = DrawVolume(QuantileOfTen(seed, STREAM_TENTHS, STREAM_WITHIN_TENTH));
  drawn->gtv.radius_mm = RadiusOfVolume_mm(drawn->gtv_cm3);
  drawn->ln_clonogens =
      ln_clonogens_mean +
      between_patients_sd * gsl_cdf_ugaussian_Pinv(QuantileOfTen(seed, STREAM_TENTHS + 1, STREAM_WITHIN_TENTH + 1));
  drawn->within_patient_sd = sqrt(ln_clonogens_sd * ln_clonogens_sd - between_patients_sd * between_patients_sd);
  /* Small tumours lie in the sacrum, large ones have grown out of it towards anterior. */
  drawn->gtv.centre_mm[0] = DrawWithin(5, 10, &shape);
  drawn->gtv.centre_mm[1] = drawn->size * 68 - 0.75 * PetscMax(0, drawn->gtv.radius_mm - 22);
  drawn->gtv.centre_mm[2] = DrawWithin(10, 20, &shape);
  for (int k = 0; k < 3; k++) drawn->gtv.axis[k] = 1 + DrawWithin(0.1, 0.2, &shape);
  RandomFieldDraw(&shape, 0.5, &drawn->gtv.shape);
}

/* Subtract the mean over the mask and divide by the standard deviation there. */
static void Standardise(size_t n, const unsigned char *mask, double *value)
{
  double mean = 0, square = 0, count = 0;
  for (size_t v = 0; v < n; v++)
    if (mask[v]) mean += value[v], count++;
  mean /= count;
  for (size_t v = 0; v < n; v++)
    if (mask[v]) square += (value[v] - mean) * (value[v] - mean);
  const double sd = sqrt(square / count);
  for (size_t v = 0; v < n; v++) value[v] = mask[v] && sd > 0 ? (value[v] - mean) / sd : 0;
}

/* Random field and gradients inside the mask, standardised. */
static PetscErrorCode FillCells(const Chordoma *drawn, const Grid *ct, const unsigned char *gtv, const float *rim,
                                double *score)
{
  PetscFunctionBegin;
  CounterRandom random = {.seed = (uint64_t)drawn->seed, .stream = STREAM_CELLS};
  RandomField field;
  double direction[3], length = 0;
  size_t n = GridSize(ct);
  double *to_rim;
  RandomFieldDraw(&random, correlation_mm, &field);
  for (int k = 0; k < 3; k++) direction[k] = CounterRandomNormal(&random), length += direction[k] * direction[k];
  const double sign = CounterRandomUniform(&random) < 0.5 ? -1 : 1,
               per_mm = 1.7 / (sqrt(length) * drawn->gtv.radius_mm);
  PetscCall(PetscMalloc1(n, &to_rim));
  for (size_t v = 0; v < n; v++) to_rim[v] = rim[v];
  Standardise(n, gtv, to_rim);
  for (size_t v = 0; v < n; v++) {
    double x[3], along = 0;
    if (!gtv[v]) continue;
    GridCentre(ct, v, x);
    for (int k = 0; k < 3; k++) along += direction[k] * (x[k] - drawn->gtv.centre_mm[k]) * per_mm;
    score[v] = noise_part * RandomFieldAt(&field, x) + rim_part * sign * to_rim[v] + gradient_part * along;
  }
  Standardise(n, gtv, score);
  PetscCall(PetscFree(to_rim));
  PetscFunctionReturn(0);
}

PetscErrorCode ChordomaAddMaps(const Chordoma *drawn, const unsigned char *gtv, const float *rim, Case *patient)
{
  PetscFunctionBegin;
  CounterRandom random = {.seed = (uint64_t)drawn->seed, .stream = STREAM_MISFIT};
  RandomField misfit;
  const Grid *ct = &patient->ct;
  const double per_voxel = GridVoxelVolume_cm3(ct) * 1e3 / 27;
  size_t n = GridSize(ct);
  double *score;
  float *clonogens, *rmse;
  RandomFieldDraw(&random, misfit_correlation_mm, &misfit);
  PetscCall(PetscCalloc1(n, &score));
  PetscCall(PetscCalloc1(n, &clonogens));
  PetscCall(PetscCalloc1(n, &rmse));
  PetscCall(FillCells(drawn, ct, gtv, rim, score));
  for (size_t v = 0; v < n; v++) {
    double x[3];
    if (!gtv[v]) continue;
    GridCentre(ct, v, x);
    clonogens[v] = (float)(per_voxel * exp(drawn->ln_clonogens + drawn->within_patient_sd * score[v]));
    rmse[v] = (float)(misfit_um2_ms * fabs(RandomFieldAt(&misfit, x)));
  }
  PetscCall(CaseAddMap(patient, MAP_CLONOGENS, MAP_CLONOGENS_UNIT, clonogens));
  PetscCall(CaseAddMap(patient, MAP_RMSE, MAP_RMSE_UNIT, rmse));
  PetscCall(PetscFree(score));
  PetscFunctionReturn(0);
}
