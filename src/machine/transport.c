/*
 * One-dimensional transport of an ion beam and all its fragments through water.
 *
 * Every species is a histogram of residual range whose bin width is the depth step, so that slowing down is an exact shift
 * by one bin (continuous slowing down, no energy straggling of fragments). In each step a share of every bin reacts
 * (Tripathi); the daughters go on with the parent's mean velocity (Kempe & Brahme, Phys Med 26:6, 2010, and the YIELD model of
 * Kraemer et al., PMB 45:3299, 2000, make the same approximations) and react in their turn. Every reaction also sets free
 * slower protons of the target; they are followed on their own and count as its recoils. Straggling and the beam's energy spread enter as a Gaussian spread of the
 * initial range. Primaries, sharp at the end of their range, are scored from that Gaussian and their survival in closed form
 * instead of from the histogram. Every bin carries, beside its number of ions, their transverse moments.
 */
#include "machine_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

#define STEPS_PER_RANGE 250 /* dose within 0.2 % of the maximum, LETd within 1 % of the limit of small steps */
#define FINEST_STEP_MM 0.05 /* for ranges of a few mm */
#define SIGMAS 5.0          /* half width of the Gaussian that is followed */
#define PRIMARY_CELLS_PER_SIGMA 8
#define ROUNDING 1e-12 /* of the daughters made in a step: a bin with less holds what differences leave */

/* Limits of equally likely classes that stand for a Gaussian: its quintiles, the ends so that evenly filled classes have the
   variance 1. */
static const double spread_limit[FRAGMENT_CLASSES + 1] = {-2.0187, -0.8416, -0.2533, 0.2533, 0.8416, 2.0187};

/* How daughters of one class start: those of a reference bin are spread evenly over a stretch of their lane. */
typedef struct Birth {
  double *kick;      /* mean square angle, by reference bin */
  double *from, *to; /* in bins of the lane, by reference bin */
} Birth;

/* One species: histogram over residual range, and what depends on the bin only. */
typedef struct Lane {
  Species species;
  PetscInt n_bin, top;                      /* bins from top on are empty */
  Moments *ions;                            /* per primary */
  double *lost_share;                       /* reacting in one step */
  double *local_MeV;                        /* left on the spot per reaction */
  double *edge_MeV_u;                       /* n_bin + 1 */
  double *dose;                             /* MeV cm2/g of one ion in the bin */
  double *let;                              /* keV/um, dose-weighted over the bin */
  Scattering *scatter;                      /* in one step, leaving the bin */
  double *target;                           /* [m][bin] positron emitters m made of the target, 1/mm */
  double yield[YIELD_SPECIES], knocked_out; /* daughters per reaction, protons of the target */
  double local_MeV_per_mm;                  /* left on the spot in the last step */
  int emitter;                              /* what it is in emitters[], or -1 */
  Moments *rise;                            /* n_bin + 2: what is born in a bin less what is in the one before */
  PetscInt lost_top;                        /* nothing lost from there on */
  Moments *lost, *made;                     /* on the reference grid: reacted, produced */
  Birth fragment[FRAGMENT_CLASSES];         /* of the projectile */
  Birth target_proton[KNOCK_CLASSES];       /* in the lane of target protons only */
  Remap to_reference, spectrum;
} Lane;

typedef struct Transport {
  const TransportInput *in;
  PetscInt n_lane, n_reference;
  PetscInt n_species; /* lanes of projectile and fragments; the one behind them holds protons of the target */
  Lane lane[YIELD_SPECIES + 1];
  double step_mm, range_mm;
  double *reference_MeV_u; /* edges of the projectile's own bins: the common energy grid */
  double *attenuation;     /* integral of the primaries' reaction cross section over residual range, at those edges */
  PetscInt n_step;
  double *emitter_made, *emitter_stopped; /* [m][step] */
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
    lane->lost_share[j] = -expm1(-ReactionLoss_per_mm(s, from) * t->step_mm); /* half-way */
    lane->local_MeV[j] = LocalEnergy_MeV(s, from);
    for (int m = 0; m < EMITTERS; m++)
      lane->target[m * lane->n_bin + j] = EmitterFromTarget_per_mm(s, from, emitters[m]);
    if (j) lane->scatter[j] = ScatteringBetween(s, ((double)j + 0.5) * t->step_mm, ((double)j - 0.5) * t->step_mm);
  }
  lane->emitter = EmitterOf(s);
  FragmentYields(s, lane->yield);
  lane->knocked_out = KnockedOutProtons(s);
  PetscCall(RemapSpectrum(lane->n_bin, lane->edge_MeV_u, in->n_bin, in->bin_edge_MeV_u, &lane->spectrum));
  PetscFunctionReturn(0);
}

/* Energy of a daughter whose momentum along the beam is x standard deviations above that of the parent's velocity. */
static double SpreadEnergy(Species projectile, Species daughter, double x, double energy_MeV_u)
{
  double mass = NuclearMass_u(daughter.Z, daughter.A) * ATOMIC_MASS_MEV;
  double sigma = FragmentSpread_MeV_c(projectile, daughter);
  double gamma = 1 + energy_MeV_u / ATOMIC_MASS_MEV, momentum = mass * sqrt(gamma * gamma - 1);
  double spread = PetscMax(0.2 * momentum, momentum + x * gamma * sigma) / mass; /* no fragment turns back */
  return ATOMIC_MASS_MEV * spread * spread / (1 + sqrt(1 + spread * spread));
}

double TransportFastest_MeV_u(Species projectile, Species daughter, double energy_MeV_u)
{
  return SpreadEnergy(projectile, daughter, spread_limit[FRAGMENT_CLASSES], energy_MeV_u);
}

/* Lowest (0) or highest (1) energy of a class of daughters of the projectile or of protons of the target. */
static double ClassEnergy(Species projectile, Species daughter, PetscBool knocked_out, int class, int end,
                          double born_MeV_u)
{
  return knocked_out ? KnockedOutEnergy_MeV(class, end, born_MeV_u)
                     : SpreadEnergy(projectile, daughter, spread_limit[class + end], born_MeV_u);
}

/* Place in a lane, in bins, of a daughter: born half-way through the step, half of which the parent slows and half the daughter,
   but the shift to come is whole. */
static double BirthPlace(const Transport *t, const Lane *lane, double energy_MeV_u)
{
  double place = CSDARange_mm(lane->species.Z, lane->species.A, energy_MeV_u) / t->step_mm + 0.5;
  return PetscMin(place, (double)lane->n_bin);
}

/* A class of daughters of the projectile (knocked_out false) or of protons of the target. */
static PetscErrorCode BirthCreate(const Transport *t, const Lane *lane, PetscBool knocked_out, int class, Birth *birth)
{
  PetscFunctionBegin;
  const Species s = lane->species, p = t->in->projectile;
  PetscCall(PetscMalloc3(t->n_reference, &birth->kick, t->n_reference, &birth->from, t->n_reference, &birth->to));
  for (PetscInt j = 0; j < t->n_reference; j++) {
    double born[2], energy[2];
    for (int end = 0; end < 2; end++) {
      born[end] = EnergyOfRange_MeV_u(p.Z, p.A, ((double)(j + end) - 0.5) * t->step_mm);
      energy[end] = ClassEnergy(p, s, knocked_out, class, end, born[end]);
    }
    birth->from[j] = BirthPlace(t, lane, energy[0]);
    birth->to[j] = PetscMax(BirthPlace(t, lane, energy[1]), birth->from[j] + 1e-3);
    birth->kick[j] = knocked_out ? KnockedOutAngle2(class) : FragmentAngle2(p, s, 0.5 * (energy[0] + energy[1]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode BirthDestroy(Birth *birth)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(birth->kick, birth->from, birth->to));
  PetscFunctionReturn(0);
}

/* Maps between a lane's bins and the reference bins: to equal energy per nucleon, and from it with the spread of birth. */
static PetscErrorCode LaneConnect(Transport *t, Lane *lane, PetscBool of_target)
{
  PetscFunctionBegin;
  const Species p = t->in->projectile;
  double *edge;
  PetscCall(PetscMalloc1(PetscMax(lane->n_bin, t->n_reference) + 1, &edge));
  for (PetscInt j = 0; j <= lane->n_bin; j++) edge[j] = CSDARange_mm(p.Z, p.A, lane->edge_MeV_u[j]);
  PetscCall(RemapOverlap(lane->n_bin, edge, t->n_reference, t->step_mm, &lane->to_reference));
  for (int k = 0; k < FRAGMENT_CLASSES && !of_target; k++)
    PetscCall(BirthCreate(t, lane, PETSC_FALSE, k, &lane->fragment[k]));
  for (int k = 0; k < KNOCK_CLASSES && of_target; k++)
    PetscCall(BirthCreate(t, lane, PETSC_TRUE, k, &lane->target_proton[k]));
  PetscCall(PetscFree(edge));
  PetscFunctionReturn(0);
}

static PetscErrorCode LaneCreate(Transport *t, Species species, PetscBool of_target, Lane *lane)
{
  PetscFunctionBegin;
  double fastest = TransportFastest_MeV_u(t->in->projectile, species, t->reference_MeV_u[t->n_reference]);
  lane->species = species;
  lane->n_bin = (PetscInt)ceil(CSDARange_mm(species.Z, species.A, fastest) / t->step_mm) + 1;
  PetscCall(PetscCalloc7(lane->n_bin, &lane->ions, lane->n_bin, &lane->lost_share, lane->n_bin + 1, &lane->edge_MeV_u,
                         lane->n_bin, &lane->dose, lane->n_bin, &lane->let, lane->n_bin, &lane->scatter,
                         EMITTERS * lane->n_bin, &lane->target));
  PetscCall(PetscCalloc4(lane->n_bin, &lane->local_MeV, t->n_reference, &lane->lost, t->n_reference, &lane->made,
                         lane->n_bin + 2, &lane->rise));
  PetscCall(LaneFill(t, lane));
  PetscCall(LaneConnect(t, lane, of_target));
  PetscFunctionReturn(0);
}

static PetscErrorCode LaneDestroy(Lane *lane)
{
  PetscFunctionBegin;
  PetscCall(
      PetscFree7(lane->ions, lane->lost_share, lane->edge_MeV_u, lane->dose, lane->let, lane->scatter, lane->target));
  PetscCall(PetscFree4(lane->local_MeV, lane->lost, lane->made, lane->rise));
  PetscCall(RemapDestroy(&lane->to_reference));
  for (int k = 0; k < FRAGMENT_CLASSES; k++) PetscCall(BirthDestroy(&lane->fragment[k]));
  for (int k = 0; k < KNOCK_CLASSES; k++) PetscCall(BirthDestroy(&lane->target_proton[k]));
  PetscCall(RemapDestroy(&lane->spectrum));
  PetscFunctionReturn(0);
}

/* Fill the projectile's lane with the beam. */
static void StartPrimaries(Transport *t)
{
  Lane *primary = &t->lane[0];
  double sigma = t->in->range_sigma_mm;
  primary->top = primary->n_bin;
  for (PetscInt j = 0; j < primary->n_bin; j++) {
    double a = (double)j * t->step_mm - t->range_mm, b = a + t->step_mm;
    primary->ions[j].number = gsl_cdf_gaussian_P(b, sigma) - gsl_cdf_gaussian_P(a, sigma);
    primary->local_MeV_per_mm += primary->ions[j].number * primary->lost_share[j] * primary->local_MeV[j] / t->step_mm;
  }
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
    t->attenuation[j + 1] = t->attenuation[j] + t->step_mm * ReactionLoss_per_mm(p, middle);
  }
  t->n_step = (PetscInt)(in->depth_mm[in->n_depth - 1] / t->step_mm) + 1;
  PetscCall(PetscCalloc2(EMITTERS * t->n_step, &t->emitter_made, EMITTERS * t->n_step, &t->emitter_stopped));
  t->n_species = TransportSpecies(p, species);
  t->n_lane = t->n_species + 1;
  for (PetscInt s = 0; s < t->n_species; s++) PetscCall(LaneCreate(t, species[s], PETSC_FALSE, &t->lane[s]));
  PetscCall(LaneCreate(t, (Species){1, 1}, PETSC_TRUE, &t->lane[t->n_species]));
  StartPrimaries(t);
  PetscFunctionReturn(0);
}

static PetscErrorCode TransportDestroy(Transport *t)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) PetscCall(LaneDestroy(&t->lane[s]));
  PetscCall(PetscFree2(t->reference_MeV_u, t->attenuation));
  PetscCall(PetscFree2(t->emitter_made, t->emitter_stopped));
  PetscFunctionReturn(0);
}

/* Take what reacts in one step out of a lane, summed on the reference grid. */
static PetscErrorCode React(Transport *t, Lane *lane)
{
  PetscFunctionBegin;
  double local_MeV = 0;
  const Remap *map = &lane->to_reference;
  PetscCall(PetscArrayzero(lane->lost, t->n_reference));
  for (PetscInt j = 0; j < lane->top; j++) {
    Moments lost = {0};
    MomentsAdd(&lost, lane->lost_share[j], &lane->ions[j]);
    MomentsAdd(&lane->ions[j], -1, &lost);
    local_MeV += lost.number * lane->local_MeV[j];
    for (PetscInt k = map->start[j]; k < map->start[j + 1]; k++)
      MomentsAdd(&lane->lost[map->target[k]], map->weight[k], &lost);
  }
  lane->lost_top = lane->top ? map->target[map->start[lane->top] - 1] + 1 : 0;
  lane->local_MeV_per_mm = local_MeV / t->step_mm;
  PetscFunctionReturn(0);
}

/* Positron emitters that a lane makes of the target in one step; they stay where they are made, within 0.1 mm. */
static void ActivateTarget(Transport *t, const Lane *lane, PetscInt step)
{
  for (int m = 0; m < EMITTERS; m++) {
    const double *per_mm = lane->target + m * lane->n_bin;
    double made = 0;
    for (PetscInt j = 0; j < lane->top; j++) made += lane->ions[j].number * (1 - 0.5 * lane->lost_share[j]) * per_mm[j];
    t->emitter_made[m * t->n_step + step] += made * t->step_mm;
    t->emitter_stopped[m * t->n_step + step] += made * t->step_mm;
  }
}

/* Where a species of the yield table is followed, or -1. */
static PetscInt LaneOf(const Transport *t, int yield_index)
{
  Species s = yield_species[yield_index];
  for (PetscInt i = 1; i < t->n_species; i++)
    if (t->lane[i].species.Z == s.Z && t->lane[i].species.A == s.A) return i;
  return -1;
}

/* Add ions evenly over a stretch of a lane, to what rises from bin to bin. */
static void AddStretch(Moments *rise, double from, double to, double weight, const Moments *ions)
{
  const PetscInt first = (PetscInt)from, last = (PetscInt)to;
  const double density = weight / (to - from), a = from - (double)first, b = to - (double)last;
  MomentsAdd(&rise[first], density * (1 - a), ions);
  MomentsAdd(&rise[first + 1], density * a, ions);
  MomentsAdd(&rise[last], density * (b - 1), ions);
  MomentsAdd(&rise[last + 1], -density * b, ions);
}

/* Put daughters made on the reference grid below `top` into their lane, a class of energy at a time. */
static PetscErrorCode Deliver(const Transport *t, PetscInt top, int n_class, const Birth *birth, Lane *daughter)
{
  PetscFunctionBegin;
  double highest = 0, made = 0;
  Moments here = {0};
  for (int c = 0; c < n_class; c++)
    for (PetscInt j = 0; j < top; j++) {
      if (daughter->made[j].number <= 0) continue;
      Moments born = daughter->made[j];
      MomentsKick(&born, birth[c].kick[j], 0.5 * t->step_mm);
      AddStretch(daughter->rise, birth[c].from[j], birth[c].to[j], 1.0 / n_class, &born);
      highest = PetscMax(highest, birth[c].to[j]);
      made += born.number;
    }
  if (made <= 0) PetscFunctionReturn(0);
  const PetscInt end = PetscMin(daughter->n_bin, (PetscInt)highest + 1);
  for (PetscInt j = 0; j < end; j++) {
    MomentsAdd(&here, 1, &daughter->rise[j]);
    if (here.number > ROUNDING * made) MomentsAdd(&daughter->ions[j], 1, &here);
  }
  PetscCall(PetscArrayzero(daughter->rise, end + 2));
  daughter->top = PetscMax(daughter->top, end);
  PetscFunctionReturn(0);
}

/* Make the daughters of this step's reactions. */
static PetscErrorCode Produce(Transport *t, PetscInt step)
{
  PetscFunctionBegin;
  for (int y = 0; y < YIELD_SPECIES; y++) {
    PetscInt to = LaneOf(t, y), top = 0;
    if (to < 0) continue;
    Lane *daughter = &t->lane[to];
    PetscCall(PetscArrayzero(daughter->made, t->n_reference));
    for (PetscInt s = 0; s < to; s++) {
      const Lane *parent = &t->lane[s];
      if (!(parent->yield[y] > 0)) continue;
      for (PetscInt j = 0; j < parent->lost_top; j++)
        MomentsAdd(&daughter->made[j], parent->yield[y], &parent->lost[j]);
      top = PetscMax(top, parent->lost_top);
    }
    if (daughter->emitter >= 0)
      for (PetscInt j = 0; j < top; j++)
        t->emitter_made[daughter->emitter * t->n_step + step] += daughter->made[j].number;
    PetscCall(Deliver(t, top, FRAGMENT_CLASSES, daughter->fragment, daughter));
  }
  PetscFunctionReturn(0);
}

/* Put the protons that this step's reactions knock out of the target into their lane. */
static PetscErrorCode KnockOut(Transport *t)
{
  PetscFunctionBegin;
  Lane *proton = &t->lane[t->n_species];
  PetscInt top = 0;
  PetscCall(PetscArrayzero(proton->made, t->n_reference));
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *parent = &t->lane[s];
    for (PetscInt j = 0; j < parent->lost_top; j++) MomentsAdd(&proton->made[j], parent->knocked_out, &parent->lost[j]);
    top = PetscMax(top, parent->lost_top);
  }
  PetscCall(Deliver(t, top, KNOCK_CLASSES, proton->target_proton, proton));
  PetscFunctionReturn(0);
}

/* Slow everything down by one step; what was in the first bin comes to rest. */
static void Shift(Transport *t, PetscInt step)
{
  for (PetscInt s = 0; s < t->n_lane; s++) {
    Lane *lane = &t->lane[s];
    if (!lane->top) continue;
    if (s && lane->emitter >= 0) t->emitter_stopped[lane->emitter * t->n_step + step] += lane->ions[0].number;
    for (PetscInt j = 1; j < lane->top; j++) {
      lane->ions[j - 1] = lane->ions[j];
      MomentsDrift(&lane->ions[j - 1], t->step_mm, &lane->scatter[j]);
    }
    lane->ions[--lane->top] = (Moments){0};
  }
}

/* From the boundary before a step to the one behind it. */
static PetscErrorCode Step(Transport *t, PetscInt step)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) {
    ActivateTarget(t, &t->lane[s], step);
    PetscCall(React(t, &t->lane[s]));
  }
  PetscCall(Produce(t, step));
  PetscCall(KnockOut(t));
  Shift(t, step);
  PetscFunctionReturn(0);
}

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
    field->emitter_stopped_per_mm[m * in->n_depth + d] += share / (to - from) * exp(-Attenuation(t, z));
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
  StopPrimaries(t, field);
  PetscFunctionReturn(0);
}

static PetscErrorCode FieldCreate(const TransportInput *in, TransportField *field)
{
  PetscFunctionBegin;
  field->n_species = TransportSpecies(in->projectile, field->species);
  PetscInt n = in->n_depth * field->n_species;
  PetscCall(PetscCalloc5(in->n_depth, &field->dose_MeV_cm2_g, in->n_depth, &field->letd_keV_um, n, &field->fluence,
                         in->n_depth, &field->target_dose, in->n_depth, &field->target_on_axis));
  PetscCall(PetscCalloc5(n, &field->species_dose, n, &field->species_letd, n, &field->species_sigma2_mm2, n,
                         &field->species_recoil, n * in->n_bin, &field->spectrum));
  PetscCall(PetscCalloc2(EMITTERS * in->n_depth, &field->emitter_made_per_mm, EMITTERS * in->n_depth,
                         &field->emitter_stopped_per_mm));
  PetscFunctionReturn(0);
}

/* Add the current depth to the nodes from `first` on that lie before `end_mm`; returns the first that does not. */
static PetscInt ScoreNodes(const Transport *t, PetscInt first, double end_mm, double here_mm, TransportField *field)
{
  PetscInt d = first;
  for (; d < t->in->n_depth && t->in->depth_mm[d] < end_mm; d++) {
    double weight = 1 - fabs(t->in->depth_mm[d] - here_mm) / t->step_mm;
    ScoreFragments(t, weight, d, field);
    ScoreRecoils(t, weight, d, field);
  }
  return d;
}

PetscErrorCode TransportRun(const TransportInput *in, TransportField *field)
{
  PetscFunctionBegin;
  Transport t;
  PetscCall(TransportCreate(in, &t));
  PetscCall(FieldCreate(in, field));
  /* a node between steps gets both, linearly: first those up to here from the step before, then those up to the next */
  PetscInt below = ScoreNodes(&t, 0, t.step_mm, 0, field), upto = 0;
  for (PetscInt k = 1; k <= t.n_step; k++) {
    double here = (double)k * t.step_mm;
    PetscCall(Step(&t, k - 1));
    upto = ScoreNodes(&t, upto, here, here, field);
    below = ScoreNodes(&t, below, (double)(k + 1) * t.step_mm, here, field); /* the next `here`, to the last bit */
  }
  for (PetscInt d = 0; d < in->n_depth; d++) ScorePrimaries(&t, d, field);
  FinishMeans(&t, field);
  PetscCall(FinishEmitters(&t, field));
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
  PetscCall(
      PetscFree5(field->dose_MeV_cm2_g, field->letd_keV_um, field->fluence, field->target_dose, field->target_on_axis));
  PetscCall(PetscFree5(field->species_dose, field->species_letd, field->species_sigma2_mm2, field->species_recoil,
                       field->spectrum));
  PetscCall(PetscFree2(field->emitter_made_per_mm, field->emitter_stopped_per_mm));
  PetscFunctionReturn(0);
}
