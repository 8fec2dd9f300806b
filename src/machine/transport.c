/*
 * One-dimensional transport of an ion beam and all its fragments through water.
 *
 * Every species is a histogram of residual range whose bin width is the depth step, so that slowing down is an exact shift
 * by one bin (continuous slowing down, no energy straggling of fragments). In each step a share of every bin reacts
 * (Tripathi); the daughters go on with the parent's mean velocity (Kempe & Brahme, Phys Med 26:6, 2010, and the YIELD model of
 * Kraemer et al., PMB 45:3299, 2000, make the same approximations) and react in their turn. Straggling and the beam's
 * energy spread enter as a Gaussian spread of the initial range. Primaries, sharp at the end of their range, are scored
 * from that Gaussian and their survival in closed form instead of from the histogram.
 */
#include "machine_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

#define STEPS_PER_RANGE 250 /* dose within 0.2 % of the maximum, LETd within 1 % of the limit of small steps */
#define FINEST_STEP_MM 0.05 /* for ranges of a few mm */
#define SIGMAS 5.0          /* half width of the Gaussian that is followed */
#define PRIMARY_CELLS_PER_SIGMA 8

/* Five equally likely classes that stand for a Gaussian of variance 1. */
enum { SPREAD_CLASSES = 5 };
static const double spread_class[SPREAD_CLASSES] = {-1.463, -0.599, 0, 0.599, 1.463};

/* One species: histogram over residual range, and what depends on the bin only. */
typedef struct Lane {
  Species species;
  PetscInt n_bin, top; /* bins from top on are empty */
  double *number;      /* per primary */
  double *lost_share;  /* reacting in one step */
  double *local_MeV;   /* left on the spot per reaction */
  double *edge_MeV_u;  /* n_bin + 1 */
  double *dose;        /* MeV cm2/g of one ion in the bin */
  double *let;         /* keV/um, dose-weighted over the bin */
  double yield[YIELD_SPECIES];
  double *lost, *made; /* on the reference grid: reacted, produced */
  Remap to_reference, from_reference[SPREAD_CLASSES], spectrum;
} Lane;

typedef struct Transport {
  const TransportInput *in;
  PetscInt n_lane, n_reference;
  Lane lane[YIELD_SPECIES];
  double step_mm, range_mm;
  double *reference_MeV_u; /* edges of the projectile's own bins: the common energy grid */
  double *attenuation;     /* integral of the primaries' reaction cross section over residual range, at those edges */
  double local_MeV_per_mm; /* left on the spot in the last step */
} Transport;

PetscInt TransportSpecies(Species projectile, Species species[YIELD_SPECIES])
{
  PetscInt n = 0;
  species[n++] = projectile;
  for (int s = 0; s < YIELD_SPECIES; s++)
    if (yield_species[s].A < projectile.A && yield_species[s].Z <= projectile.Z) species[n++] = yield_species[s];
  return n;
}

/* Mean over an energy interval of the LET, keV/um: LET weighted by dose, since a slowing ion gives A dE of dose. */
static double MeanLET(Species s, double from_MeV_u, double to_MeV_u)
{
  enum { PIECES = 16 };
  double sum = 0;
  for (int i = 0; i < PIECES; i++) { /* E = from + width u^3: fine at the low end, where LET varies most */
    double u = (i + 0.5) / PIECES;
    sum += 3 * u * u * LET_keV_um(s.Z, s.A, from_MeV_u + (to_MeV_u - from_MeV_u) * u * u * u);
  }
  return sum / (PIECES * (1 - 0.25 / (PIECES * PIECES))); /* the midpoint rule's value of the integral of 3 u^2 */
}

/* Mean stopping power, MeV cm2/g, of an ion that slows from `to` to `from` (MeV/u) within length_mm of water. */
static double MeanStopping(Species s, double from_MeV_u, double to_MeV_u, double length_mm)
{
  double middle = 0.5 * (from_MeV_u + to_MeV_u);
  if (to_MeV_u < 1.02 * from_MeV_u) return StoppingPower_MeV_cm2_g(s.Z, s.A, middle);
  return 10.0 * NuclearMass_u(s.Z, s.A) * (to_MeV_u - from_MeV_u) / length_mm;
}

static PetscErrorCode LaneFill(Transport *t, Lane *lane)
{
  PetscFunctionBegin;
  Species s = lane->species;
  const TransportInput *in = t->in;
  for (PetscInt j = 0; j <= lane->n_bin; j++)
    lane->edge_MeV_u[j] = EnergyOfRange_MeV_u(s.Z, s.A, (double)j * t->step_mm);
  for (PetscInt j = 0; j < lane->n_bin; j++) {
    double from = lane->edge_MeV_u[j], to = lane->edge_MeV_u[j + 1];
    lane->dose[j] = MeanStopping(s, from, to, t->step_mm);
    lane->let[j] = MeanLET(s, from, to);
    lane->lost_share[j] = -expm1(-ReactionCrossSectionWater_per_mm(s.Z, s.A, from) * t->step_mm); /* half-way */
    lane->local_MeV[j] = LocalEnergy_MeV(s, from);
  }
  FragmentYields(s, lane->yield);
  PetscCall(RemapSpectrum(lane->n_bin, lane->edge_MeV_u, in->n_bin, in->bin_edge_MeV_u, &lane->spectrum));
  PetscFunctionReturn(0);
}

/*
 * Energy of a daughter whose momentum along the beam is x standard deviations above that of the parent's velocity. In the
 * parent's frame sigma^2 = sigma_0^2 F (A - F)/(A - 1) (Goldhaber, Phys Lett B 53:306, 1974); A is the projectile's.
 */
static double SpreadEnergy(Species projectile, Species daughter, double x, double energy_MeV_u)
{
  double F = (double)daughter.A, A = (double)projectile.A;
  double mass = NuclearMass_u(daughter.Z, daughter.A) * ATOMIC_MASS_MEV;
  double sigma = F < A ? FragmentMomentum_MeV_c() * sqrt(F * (A - F) / (A - 1)) : 0;
  double gamma = 1 + energy_MeV_u / ATOMIC_MASS_MEV, momentum = mass * sqrt(gamma * gamma - 1);
  double spread = PetscMax(0.2 * momentum, momentum + x * gamma * sigma) / mass; /* no fragment turns back */
  return ATOMIC_MASS_MEV * spread * spread / (1 + sqrt(1 + spread * spread));
}

/* Maps between a lane's bins and the reference bins: to equal energy per nucleon, and from it with the spread of birth. */
static PetscErrorCode LaneConnect(Transport *t, Lane *lane)
{
  PetscFunctionBegin;
  Species s = lane->species, p = t->in->projectile;
  double *edge;
  PetscCall(PetscMalloc1(PetscMax(lane->n_bin, t->n_reference) + 1, &edge));
  for (PetscInt j = 0; j <= lane->n_bin; j++) edge[j] = CSDARange_mm(p.Z, p.A, lane->edge_MeV_u[j]);
  PetscCall(RemapOverlap(lane->n_bin, edge, t->n_reference, t->step_mm, &lane->to_reference));
  for (int k = 0; k < SPREAD_CLASSES; k++) {
    for (PetscInt j = 0; j <= t->n_reference; j++) {
      /* born half-way through the step: half of it the parent slows, half the daughter, but the shift to come is whole */
      double born = EnergyOfRange_MeV_u(p.Z, p.A, ((double)j - 0.5) * t->step_mm);
      edge[j] = CSDARange_mm(s.Z, s.A, SpreadEnergy(p, s, spread_class[k], born)) + 0.5 * t->step_mm;
    }
    PetscCall(RemapOverlap(t->n_reference, edge, lane->n_bin, t->step_mm, &lane->from_reference[k]));
  }
  PetscCall(PetscFree(edge));
  PetscFunctionReturn(0);
}

static PetscErrorCode LaneCreate(Transport *t, Species species, Lane *lane)
{
  PetscFunctionBegin;
  double fastest =
      SpreadEnergy(t->in->projectile, species, spread_class[SPREAD_CLASSES - 1], t->reference_MeV_u[t->n_reference]);
  lane->species = species;
  lane->n_bin = (PetscInt)ceil(CSDARange_mm(species.Z, species.A, fastest) / t->step_mm);
  PetscCall(PetscCalloc6(lane->n_bin, &lane->number, lane->n_bin, &lane->lost_share, lane->n_bin, &lane->local_MeV,
                         lane->n_bin + 1, &lane->edge_MeV_u, lane->n_bin, &lane->dose, lane->n_bin, &lane->let));
  PetscCall(PetscCalloc2(t->n_reference, &lane->lost, t->n_reference, &lane->made));
  PetscCall(LaneFill(t, lane));
  PetscCall(LaneConnect(t, lane));
  PetscFunctionReturn(0);
}

static PetscErrorCode LaneDestroy(Lane *lane)
{
  PetscFunctionBegin;
  PetscCall(PetscFree6(lane->number, lane->lost_share, lane->local_MeV, lane->edge_MeV_u, lane->dose, lane->let));
  PetscCall(PetscFree2(lane->lost, lane->made));
  PetscCall(RemapDestroy(&lane->to_reference));
  for (int k = 0; k < SPREAD_CLASSES; k++) PetscCall(RemapDestroy(&lane->from_reference[k]));
  PetscCall(RemapDestroy(&lane->spectrum));
  PetscFunctionReturn(0);
}

static PetscErrorCode TransportCreate(const TransportInput *in, Transport *t)
{
  PetscFunctionBegin;
  Species p = in->projectile, species[YIELD_SPECIES];
  *t = (Transport){.in = in};
  t->range_mm = CSDARange_mm(p.Z, p.A, in->energy_MeV_u);
  t->step_mm = PetscMax(FINEST_STEP_MM, t->range_mm / STEPS_PER_RANGE);
  t->n_reference = (PetscInt)ceil((t->range_mm + SIGMAS * in->range_sigma_mm) / t->step_mm);
  PetscCall(PetscCalloc2(t->n_reference + 1, &t->reference_MeV_u, t->n_reference + 1, &t->attenuation));
  for (PetscInt j = 0; j <= t->n_reference; j++)
    t->reference_MeV_u[j] = EnergyOfRange_MeV_u(p.Z, p.A, (double)j * t->step_mm);
  for (PetscInt j = 0; j < t->n_reference; j++) {
    double middle = EnergyOfRange_MeV_u(p.Z, p.A, ((double)j + 0.5) * t->step_mm);
    t->attenuation[j + 1] = t->attenuation[j] + t->step_mm * ReactionCrossSectionWater_per_mm(p.Z, p.A, middle);
  }
  t->n_lane = TransportSpecies(p, species);
  for (PetscInt s = 0; s < t->n_lane; s++) PetscCall(LaneCreate(t, species[s], &t->lane[s]));
  Lane *primary = &t->lane[0];
  primary->top = primary->n_bin;
  for (PetscInt j = 0; j < primary->n_bin; j++) {
    double a = (double)j * t->step_mm - t->range_mm, b = a + t->step_mm;
    primary->number[j] = gsl_cdf_gaussian_P(b, in->range_sigma_mm) - gsl_cdf_gaussian_P(a, in->range_sigma_mm);
    t->local_MeV_per_mm += primary->number[j] * primary->lost_share[j] * primary->local_MeV[j] / t->step_mm;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TransportDestroy(Transport *t)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) PetscCall(LaneDestroy(&t->lane[s]));
  PetscCall(PetscFree2(t->reference_MeV_u, t->attenuation));
  PetscFunctionReturn(0);
}

/* Take what reacts in one step out of every lane, summed on the reference grid. */
static PetscErrorCode React(Transport *t)
{
  PetscFunctionBegin;
  double local_MeV = 0;
  for (PetscInt s = 0; s < t->n_lane; s++) {
    Lane *lane = &t->lane[s];
    const Remap *map = &lane->to_reference;
    PetscCall(PetscArrayzero(lane->lost, t->n_reference));
    for (PetscInt j = 0; j < lane->top; j++) {
      double lost = lane->number[j] * lane->lost_share[j];
      lane->number[j] -= lost;
      local_MeV += lost * lane->local_MeV[j];
      for (PetscInt k = map->start[j]; k < map->start[j + 1]; k++) lane->lost[map->target[k]] += lost * map->weight[k];
    }
  }
  t->local_MeV_per_mm = local_MeV / t->step_mm;
  PetscFunctionReturn(0);
}

/* Where a species of the yield table is followed, or -1. */
static PetscInt LaneOf(const Transport *t, int yield_index)
{
  Species s = yield_species[yield_index];
  for (PetscInt i = 1; i < t->n_lane; i++)
    if (t->lane[i].species.Z == s.Z && t->lane[i].species.A == s.A) return i;
  return -1;
}

/* Put daughters made on the reference grid into their lane, a class of momentum at a time. */
static void Deliver(const Transport *t, Lane *daughter)
{
  for (int c = 0; c < SPREAD_CLASSES; c++) {
    const Remap *map = &daughter->from_reference[c];
    for (PetscInt j = 0; j < t->n_reference; j++) {
      double made = daughter->made[j] / SPREAD_CLASSES;
      if (made <= 0) continue;
      for (PetscInt k = map->start[j]; k < map->start[j + 1]; k++)
        daughter->number[map->target[k]] += made * map->weight[k];
      daughter->top = PetscMax(daughter->top, map->target[map->start[j + 1] - 1] + 1);
    }
  }
}

/* Make the daughters of this step's reactions. */
static PetscErrorCode Produce(Transport *t)
{
  PetscFunctionBegin;
  for (int y = 0; y < YIELD_SPECIES; y++) {
    PetscInt to = LaneOf(t, y);
    if (to < 0) continue;
    Lane *daughter = &t->lane[to];
    PetscCall(PetscArrayzero(daughter->made, t->n_reference));
    for (PetscInt s = 0; s < to; s++) {
      double yield = t->lane[s].yield[y];
      if (yield > 0)
        for (PetscInt j = 0; j < t->n_reference; j++) daughter->made[j] += yield * t->lane[s].lost[j];
    }
    Deliver(t, daughter);
  }
  PetscFunctionReturn(0);
}

/* Slow everything down by one step. */
static PetscErrorCode Shift(Transport *t)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) {
    Lane *lane = &t->lane[s];
    if (!lane->top) continue;
    PetscCall(PetscArraymove(lane->number, lane->number + 1, lane->top - 1));
    lane->number[--lane->top] = 0;
  }
  PetscFunctionReturn(0);
}

/* Until the end of the run species_letd holds the sum of dose times LET. */
static void ScoreSpecies(const Transport *t, PetscInt d, PetscInt s, double number, double dose, double dose_let,
                         TransportField *field)
{
  field->fluence[d * t->n_lane + s] += number;
  field->species_dose[d * t->n_lane + s] += dose;
  field->species_letd[d * t->n_lane + s] += dose_let;
  field->dose_MeV_cm2_g[d] += dose;
}

/* Add the fragments at the current depth, times `weight`, to the field at node d. */
static void ScoreFragments(const Transport *t, double weight, PetscInt d, TransportField *field)
{
  PetscInt n_bin = t->in->n_bin;
  for (PetscInt s = 1; s < t->n_lane; s++) {
    const Lane *lane = &t->lane[s];
    double *spectrum = field->spectrum + (d * t->n_lane + s) * n_bin, number = 0, dose_sum = 0, let_sum = 0;
    for (PetscInt j = 0; j < lane->top; j++) {
      if (lane->number[j] <= 0) continue;
      double n = weight * lane->number[j], dose = n * lane->dose[j];
      number += n;
      dose_sum += dose;
      let_sum += dose * lane->let[j];
      for (PetscInt k = lane->spectrum.start[j]; k < lane->spectrum.start[j + 1]; k++)
        spectrum[lane->spectrum.target[k]] += dose * lane->spectrum.weight[k];
    }
    ScoreSpecies(t, d, s, number, dose_sum, let_sum, field);
  }
  field->dose_MeV_cm2_g[d] += weight * t->local_MeV_per_mm * 10.0; /* MeV/mm to MeV cm2/g */
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
  double *spectrum = field->spectrum + d * t->n_lane * t->in->n_bin;
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

/* Turn the sums of dose times LET into means. */
static void FinishLET(const Transport *t, TransportField *field)
{
  for (PetscInt d = 0; d < t->in->n_depth; d++) {
    double dose = 0, dose_let = 0;
    for (PetscInt i = d * t->n_lane; i < (d + 1) * t->n_lane; i++) {
      dose += field->species_dose[i];
      dose_let += field->species_letd[i];
      field->species_letd[i] = field->species_dose[i] > 0 ? field->species_letd[i] / field->species_dose[i] : 0;
    }
    field->letd_keV_um[d] = dose > 0 ? dose_let / dose : 0;
  }
}

PetscErrorCode TransportRun(const TransportInput *in, TransportField *field)
{
  PetscFunctionBegin;
  Transport t;
  PetscCall(TransportCreate(in, &t));
  field->n_species = TransportSpecies(in->projectile, field->species);
  PetscInt n = in->n_depth * t.n_lane;
  PetscCall(PetscCalloc6(in->n_depth, &field->dose_MeV_cm2_g, in->n_depth, &field->letd_keV_um, n, &field->fluence, n,
                         &field->species_dose, n, &field->species_letd, n * in->n_bin, &field->spectrum));
  PetscInt below = 0, upto = 0; /* nodes scored with the depths before and at the current one */
  for (PetscInt k = 0; upto < in->n_depth; k++) {
    /* node d between steps k-1 and k gets both, linearly */
    if (k) {
      PetscCall(React(&t));
      PetscCall(Produce(&t));
      PetscCall(Shift(&t));
    }
    for (PetscInt d = upto; d < in->n_depth && in->depth_mm[d] < (double)k * t.step_mm; d++, upto++)
      ScoreFragments(&t, in->depth_mm[d] / t.step_mm - (double)(k - 1), d, field);
    for (PetscInt d = below; d < in->n_depth && in->depth_mm[d] < (double)(k + 1) * t.step_mm; d++, below++)
      ScoreFragments(&t, (double)(k + 1) - in->depth_mm[d] / t.step_mm, d, field);
  }
  for (PetscInt d = 0; d < in->n_depth; d++) ScorePrimaries(&t, d, field);
  FinishLET(&t, field);
  PetscCall(TransportDestroy(&t));
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
  PetscCall(PetscFree6(field->dose_MeV_cm2_g, field->letd_keV_um, field->fluence, field->species_dose,
                       field->species_letd, field->spectrum));
  PetscFunctionReturn(0);
}
