/*
 * What transport leaves at depths: dose, fluence, spectra, LET, lateral spread and positron emitters.
 */
#include "transport_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

#define PRIMARY_CELLS_PER_SIGMA 8

/* Until the end of the run species_letd holds the sum of dose times LET, species_sigma2 that of dose on the axis of the spot. */
static void ScoreSpecies(const Transport *t, PetscInt d, PetscInt s, double number, double dose, double dose_let,
                         TransportField *field)
{
  field->fluence[d * t->n_species + s] += number;
  field->species_dose[d * t->n_species + s] += dose;
  field->species_letd[d * t->n_species + s] += dose_let;
  field->dose_MeV_cm2_g[d] += dose;
}

/* Add the fragments at the current depth, times `weight`, to the field at node d. */
static void ScoreFragments(const Transport *t, double weight, PetscInt d, TransportField *field)
{
  PetscInt n_bin = t->in->n_bin;
  double spot2 = t->in->spot_sigma_mm * t->in->spot_sigma_mm;
  for (PetscInt s = 1; s < t->n_species; s++) {
    const Lane *lane = &t->lane[s];
    double *spectrum = field->spectrum + (d * t->n_species + s) * n_bin, number = 0, dose_sum = 0, let_sum = 0,
           axis = 0;
    for (PetscInt j = 0; j < lane->top; j++) {
      if (lane->ions[j].number <= 0) continue;
      double n = weight * lane->ions[j].number, dose = n * lane->dose[j];
      number += n;
      dose_sum += dose;
      let_sum += dose * lane->let[j];
      axis += dose / (spot2 + lane->ions[j].offset2_mm2 / lane->ions[j].number);
      for (PetscInt k = lane->spectrum.start[j]; k < lane->spectrum.start[j + 1]; k++)
        spectrum[lane->spectrum.target[k]] += dose * lane->spectrum.weight[k];
    }
    ScoreSpecies(t, d, s, number, dose_sum, let_sum, field);
    field->species_sigma2_mm2[d * t->n_species + s] += axis;
  }
}

/* Dose that stays where ions react, and that of protons of the target, at the current depth and times `weight`. */
static void ScoreRecoils(const Transport *t, double weight, PetscInt d, TransportField *field)
{
  const Lane *target = &t->lane[t->n_species];
  const double spot2 = t->in->spot_sigma_mm * t->in->spot_sigma_mm;
  for (PetscInt s = 0; s < t->n_lane; s++) {
    double dose = weight * t->lane[s].local_MeV_per_mm * 10.0; /* MeV/mm to MeV cm2/g */
    field->species_recoil[d * t->n_species + PetscMin(s, t->n_species - 1)] += dose;
    field->dose_MeV_cm2_g[d] += dose;
  }
  for (PetscInt j = 0; j < target->top; j++) {
    if (target->ions[j].number <= 0) continue;
    double dose = weight * target->ions[j].number * target->dose[j];
    field->target_dose[d] += dose;
    field->target_on_axis[d] += dose / (spot2 + target->ions[j].offset2_mm2 / target->ions[j].number);
    field->dose_MeV_cm2_g[d] += dose;
  }
}

/* Integral of the primaries' reaction cross section up to a residual range. */
static double Attenuation(const Transport *t, double residual_mm)
{
  double position = PetscClipInterval(residual_mm / t->step_mm, 0.0, (double)t->n_reference);
  PetscInt j = PetscMin((PetscInt)position, t->n_reference - 1);
  return t->attenuation[j] + (position - (double)j) * (t->attenuation[j + 1] - t->attenuation[j]);
}

/* Add the primaries with residual range a..b mm at node d. */
static void ScorePrimaryCell(const Transport *t, PetscInt d, double a, double b, TransportField *field)
{
  Species p = t->in->projectile;
  double z = t->in->depth_mm[d], middle = 0.5 * (a + b), initial = middle + z;
  double number = (gsl_cdf_gaussian_P(b + z - t->range_mm, t->in->range_sigma_mm) -
                   gsl_cdf_gaussian_P(a + z - t->range_mm, t->in->range_sigma_mm)) *
                  exp(Attenuation(t, middle) - Attenuation(t, initial));
  if (number <= 0) return;
  double from = EnergyOfRange_MeV_u(p.Z, p.A, a), to = EnergyOfRange_MeV_u(p.Z, p.A, b), energy = 0.5 * (from + to);
  double dose = number * MeanStopping(p, from, to, b - a), upper;
  double *spectrum = field->spectrum + d * t->n_species * t->in->n_bin;
  PetscInt lower;
  SpectrumPlace(t->in->n_bin, t->in->bin_edge_MeV_u, energy, &lower, &upper);
  spectrum[lower] += dose * (1 - upper);
  spectrum[lower + 1] += dose * upper;
  ScoreSpecies(t, d, 0, number, dose, dose * LET_keV_um(p.Z, p.A, energy), field);
}

/* Score the primaries at node d in cells of residual range, finer and finer towards its end. */
static void ScorePrimaries(const Transport *t, PetscInt d, TransportField *field)
{
  double sigma = t->in->range_sigma_mm, cell = sigma / PRIMARY_CELLS_PER_SIGMA;
  double residual = t->range_mm - t->in->depth_mm[d];
  double top = residual + SIGMAS * sigma, bottom = PetscMax(0.0, residual - SIGMAS * sigma);
  if (top <= 0) return;
  while (top > bottom + 1e-9 * cell) {
    double next = PetscMax(bottom, PetscMin(top - cell, top));
    if (bottom == 0 && top < 8 * cell)
      next = top > 1e-5 ? top * 0.9 : 0; /* near the end S changes with every percent */
    ScorePrimaryCell(t, d, next, top, field);
    top = next;
  }
}

/* Turn the sums into means. */
static void FinishMeans(const Transport *t, TransportField *field)
{
  double spot2 = t->in->spot_sigma_mm * t->in->spot_sigma_mm;
  for (PetscInt d = 0; d < t->in->n_depth; d++) {
    double dose = 0, dose_let = 0;
    for (PetscInt i = d * t->n_species; i < (d + 1) * t->n_species; i++) {
      dose += field->species_dose[i];
      dose_let += field->species_letd[i];
      field->species_letd[i] = field->species_dose[i] > 0 ? field->species_letd[i] / field->species_dose[i] : 0;
      field->species_sigma2_mm2[i] =
          field->species_dose[i] > 0 ? PetscMax(0.0, field->species_dose[i] / field->species_sigma2_mm2[i] - spot2) : 0;
    }
    double primaries = LateralSigma_mm(t->in->projectile, t->range_mm, t->in->depth_mm[d]);
    field->species_sigma2_mm2[d * t->n_species] = primaries * primaries;
    field->letd_keV_um[d] = dose > 0 ? dose_let / dose : 0;
  }
}

/* Where the beam's own ions come to rest, if they are emitters: the Gaussian of their range times their survival. */
static void StopPrimaries(const Transport *t, TransportField *field)
{
  int m = t->lane[0].emitter;
  const TransportInput *in = t->in;
  if (m < 0) return;
  for (PetscInt d = 0; d < in->n_depth; d++) {
    double z = in->depth_mm[d], from, to;
    DepthCell(in->n_depth, in->depth_mm, d, &from, &to);
    double share = gsl_cdf_gaussian_P(to - t->range_mm, in->range_sigma_mm) -
                   gsl_cdf_gaussian_P(from - t->range_mm, in->range_sigma_mm);
    if (d == 0) field->emitter_made_per_mm[m * in->n_depth] += 1 / (to - from);
    const double stopped = share / (to - from) * exp(-Attenuation(t, z));
    field->emitter_stopped_per_mm[m * in->n_depth + d] += stopped;
    field->emission[(m * N_EMISSIONS + EMISSION_STOPPED) * LATERAL_COMPONENTS * in->n_depth + d] += stopped;
  }
}

static PetscErrorCode FinishEmitters(const Transport *t, TransportField *field)
{
  PetscFunctionBegin;
  const TransportInput *in = t->in;
  for (int m = 0; m < EMITTERS; m++) {
    PetscCall(DepthDensity(t->n_step, t->step_mm, t->emitter_made + m * t->n_step, in->n_depth, in->depth_mm,
                           field->emitter_made_per_mm + m * in->n_depth));
    PetscCall(DepthDensity(t->n_step, t->step_mm, t->emitter_stopped + m * t->n_step, in->n_depth, in->depth_mm,
                           field->emitter_stopped_per_mm + m * in->n_depth));
  }
  for (int i = 0; i < EMITTERS * N_EMISSIONS * LATERAL_COMPONENTS; i++)
    PetscCall(DepthDensity(t->n_step, t->step_mm, t->emission + i * t->n_step, in->n_depth, in->depth_mm,
                           field->emission + i * in->n_depth));
  StopPrimaries(t, field);
  PetscFunctionReturn(0);
}

PetscErrorCode FieldCreate(const TransportInput *in, TransportField *field)
{
  PetscFunctionBegin;
  field->n_species = TransportSpecies(in->projectile, field->species);
  PetscInt n = in->n_depth * field->n_species;
  PetscCall(PetscCalloc5(in->n_depth, &field->dose_MeV_cm2_g, in->n_depth, &field->letd_keV_um, n, &field->fluence,
                         in->n_depth, &field->target_dose, in->n_depth, &field->target_on_axis));
  PetscCall(PetscCalloc5(n, &field->species_dose, n, &field->species_letd, n, &field->species_sigma2_mm2, n,
                         &field->species_recoil, n * in->n_bin, &field->spectrum));
  PetscCall(PetscCalloc3(EMITTERS * in->n_depth, &field->emitter_made_per_mm, EMITTERS * in->n_depth,
                         &field->emitter_stopped_per_mm, EMITTERS * N_EMISSIONS * LATERAL_COMPONENTS * in->n_depth,
                         &field->emission));
  PetscFunctionReturn(0);
}

PetscInt ScoreNodes(const Transport *t, PetscInt first, double end_mm, double here_mm, TransportField *field)
{
  PetscInt d = first;
  for (; d < t->in->n_depth && t->in->depth_mm[d] < end_mm; d++) {
    double weight = 1 - fabs(t->in->depth_mm[d] - here_mm) / t->step_mm;
    ScoreFragments(t, weight, d, field);
    ScoreRecoils(t, weight, d, field);
    if (t->count) BudgetScore(t, weight, d);
  }
  return d;
}

PetscErrorCode FieldFinish(const Transport *t, TransportField *field)
{
  PetscFunctionBegin;
  for (PetscInt d = 0; d < t->in->n_depth; d++) ScorePrimaries(t, d, field);
  FinishMeans(t, field);
  PetscCall(FinishEmitters(t, field));
  PetscFunctionReturn(0);
}

double TransportFluenceOfCharge(const TransportField *field, PetscInt d, PetscInt Z)
{
  double sum = 0;
  for (PetscInt s = 0; s < field->n_species; s++)
    if (field->species[s].Z == Z) sum += field->fluence[d * field->n_species + s];
  return sum;
}

PetscErrorCode TransportFieldDestroy(TransportField *field)
{
  PetscFunctionBegin;
  PetscCall(
      PetscFree5(field->dose_MeV_cm2_g, field->letd_keV_um, field->fluence, field->target_dose, field->target_on_axis));
  PetscCall(PetscFree5(field->species_dose, field->species_letd, field->species_sigma2_mm2, field->species_recoil,
                       field->spectrum));
  PetscCall(PetscFree3(field->emitter_made_per_mm, field->emitter_stopped_per_mm, field->emission));
  PetscFunctionReturn(0);
}
