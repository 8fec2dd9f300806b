/*
 * Lanes of transport: one species as a histogram over residual range, and how its ions are born from the reactions of others.
 */
#include "transport_private.h"
#include <math.h>

#define ROUNDING 1e-12 /* of the daughters made in a step: a bin with less holds what differences leave */

/* Limits of equally likely classes that stand for a Gaussian: its quintiles, the ends so that evenly filled classes have the
   variance 1. */
static const double spread_limit[FRAGMENT_CLASSES + 1] = {-2.0187, -0.8416, -0.2533, 0.2533, 0.8416, 2.0187};

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

double MeanStopping(Species s, double from_MeV_u, double to_MeV_u, double length_mm)
{
  double middle = 0.5 * (from_MeV_u + to_MeV_u);
  if (to_MeV_u < 1.02 * from_MeV_u) return StoppingPower_MeV_cm2_g(s.Z, s.A, middle);
  return 10.0 * NuclearMass_u(s.Z, s.A) * (to_MeV_u - from_MeV_u) / length_mm;
}

/* Energies of the bins' edges, and added up those of ions spread evenly over each (Simpson). */
static void FillEnergies(const Transport *t, Lane *lane)
{
  const Species s = lane->ranged;
  for (PetscInt j = 0; j <= lane->n_bin; j++)
    lane->edge_MeV_u[j] = EnergyOfRange_MeV_u(s.Z, s.A, (double)j * t->step_mm);
  for (PetscInt j = 0; j < lane->n_bin; j++) {
    const double middle = EnergyOfRange_MeV_u(s.Z, s.A, ((double)j + 0.5) * t->step_mm);
    lane->sum_MeV_u[j + 1] = lane->sum_MeV_u[j] + (lane->edge_MeV_u[j] + 4 * middle + lane->edge_MeV_u[j + 1]) / 6;
  }
}

static PetscErrorCode LaneFill(Transport *t, Lane *lane)
{
  PetscFunctionBegin;
  Species s = lane->species;
  const TransportInput *in = t->in;
  ReactionLeaves leaves;
  FillEnergies(t, lane);
  for (PetscInt j = 0; j < lane->n_bin; j++) {
    double from = lane->edge_MeV_u[j], to = lane->edge_MeV_u[j + 1];
    lane->lost_share[j] = -expm1(-ReactionLoss_per_mm(in->nuclear, s, from) * t->step_mm); /* half-way */
    ReactionLeavesOf(in->nuclear, s, from, &leaves);
    lane->local_MeV[j] = leaves.local_MeV;
    if (!s.Z) continue;
    lane->dose[j] = MeanStopping(s, from, to, t->step_mm);
    lane->let[j] = MeanLET(s, from, to);
    for (int i = 0; i < EMITTERS * N_EMISSIONS; i++)
      lane->target[j * EMITTERS * N_EMISSIONS + i] =
          EmitterFromTarget_per_mm(in->nuclear, i % N_EMISSIONS, s, from, emitters[i / N_EMISSIONS]);
    if (j) lane->scatter[j] = ScatteringBetween(s, ((double)j + 0.5) * t->step_mm, ((double)j - 0.5) * t->step_mm);
  }
  lane->emitter = EmitterOf(s);
  lane->component = lane >= &t->lane[t->n_species] ? LATERAL_LIGHT : LateralComponentOf(in->projectile, s);
  lane->knocks = KnockGroupOf(s);
  for (PetscInt j = 0; j < t->n_reference; j++) {
    double energy = 0.5 * (t->reference_MeV_u[j] + t->reference_MeV_u[j + 1]);
    ReactionLeavesOf(in->nuclear, s, energy, &leaves);
    PetscCall(PetscArraycpy(lane->yield + j * YIELD_SPECIES, leaves.yield, YIELD_SPECIES));
    lane->neutrons[j] = leaves.neutrons;
  }
  if (s.Z) PetscCall(RemapSpectrum(lane->n_bin, lane->edge_MeV_u, in->n_bin, in->bin_edge_MeV_u, &lane->spectrum));
  PetscFunctionReturn(0);
}

/* Energy of a daughter whose momentum along the beam is x standard deviations above its mean. */
static double SpreadEnergy(const Fragmentation *nuclear, Species projectile, Species daughter, double x,
                           double energy_MeV_u)
{
  double mass = NuclearMass_u(daughter.Z, daughter.A) * ATOMIC_MASS_MEV;
  double sigma = FragmentSpread_MeV_c(nuclear, projectile, daughter);
  double gamma = 1 + energy_MeV_u / ATOMIC_MASS_MEV, momentum = mass * sqrt(gamma * gamma - 1);
  double kept = 1 - FragmentSlowing(nuclear, projectile, daughter);
  double spread = PetscMax(0.2 * momentum, kept * momentum + x * gamma * sigma) / mass; /* no fragment turns back */
  return ATOMIC_MASS_MEV * spread * spread / (1 + sqrt(1 + spread * spread));
}

double TransportFastest_MeV_u(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u)
{
  return SpreadEnergy(nuclear, projectile, daughter, spread_limit[FRAGMENT_CLASSES], energy_MeV_u);
}

double FragmentBorn_MeV_u(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u)
{
  double sum = 0;
  for (int c = 0; c < FRAGMENT_CLASSES; c++)
    for (int end = 0; end < 2; end++)
      sum += SpreadEnergy(nuclear, projectile, daughter, spread_limit[c + end], energy_MeV_u);
  return sum / (2 * FRAGMENT_CLASSES);
}

/* The shift to come of a daughter that is born half-way through the step, less what slows it: neutrons are not shifted. */
static double ShiftToCome(const Lane *lane)
{
  return lane->species.Z ? 0.5 : 0;
}

/* Place in a lane, in bins, of a daughter: half of the step the parent slows and half the daughter, but the shift to come is whole. */
static double BirthPlace(const Transport *t, const Lane *lane, double energy_MeV_u)
{
  double place = CSDARange_mm(lane->ranged.Z, lane->ranged.A, energy_MeV_u) / t->step_mm + ShiftToCome(lane);
  return PetscMin(place, (double)lane->n_bin);
}

/* Integral of energy over places in a lane, in bins, from 0 on: a cubic in a bin, of its edges' energies and its mean. */
static double EnergyUpTo(const Lane *lane, double place, double *energy_MeV_u)
{
  const PetscInt j = PetscMin((PetscInt)place, lane->n_bin - 1);
  const double f = place - (double)j, a = lane->edge_MeV_u[j], b = lane->edge_MeV_u[j + 1];
  const double mean = lane->sum_MeV_u[j + 1] - lane->sum_MeV_u[j], c3 = a + b - 2 * mean, c2 = mean - a - c3;
  *energy_MeV_u = a + f * (2 * c2 + f * 3 * c3);
  return lane->sum_MeV_u[j] + f * (a + f * (c2 + f * c3));
}

/* The end of a stretch over which evenly spread ions have a mean energy. Energy over range is bent: that of equal energies lies beyond. */
static double StretchEnd(const Lane *lane, double from, double to, double mean_MeV_u)
{
  enum {
    ROUNDS = 4
  }; /* of Newton's method, that comes from above to where the integral of what is above the mean is 0 */
  const double shift = ShiftToCome(lane);
  double low_MeV_u, high_MeV_u;
  const double below = EnergyUpTo(lane, from - shift, &low_MeV_u);
  for (int i = 0; i < ROUNDS && low_MeV_u < mean_MeV_u; i++) {
    const double above = EnergyUpTo(lane, to - shift, &high_MeV_u) - below - mean_MeV_u * (to - from);
    if (above <= 0) break;
    to -= above / (high_MeV_u - mean_MeV_u);
  }
  return PetscMax(to, from + 1e-3);
}

/* Energy of the end of a class of daughters of the projectile (group KNOCK_GROUPS) or of nucleons that collisions of a group knock out. */
static double ClassEnd_MeV_u(const Transport *t, const Lane *lane, KnockGroup group, int class, int end, double born)
{
  const Fragmentation *nuclear = t->in->nuclear;
  return group < KNOCK_GROUPS
             ? KnockedOutEnergy_MeV(nuclear, group, class, end, born)
             : SpreadEnergy(nuclear, t->in->projectile, lane->species, spread_limit[class + end], born);
}

/* A class of daughters, from the slowest of those that the slower end of a reference bin makes to the fastest of the faster end. */
static PetscErrorCode BirthCreate(const Transport *t, const Lane *lane, KnockGroup group, int class, Birth *birth)
{
  PetscFunctionBegin;
  const Fragmentation *nuclear = t->in->nuclear;
  const Species p = t->in->projectile;
  PetscCall(PetscMalloc3(t->n_reference, &birth->kick, t->n_reference, &birth->from, t->n_reference, &birth->to));
  for (PetscInt j = 0; j < t->n_reference; j++) {
    double energy[2], mean = 0;
    for (int end = 0; end < 2; end++) {
      double born = EnergyOfRange_MeV_u(p.Z, p.A, ((double)(j + end) - 0.5) * t->step_mm);
      energy[end] = ClassEnd_MeV_u(t, lane, group, class, end, born);
      mean += 0.5 * ClassEnd_MeV_u(t, lane, group, class, end, t->reference_MeV_u[j]);
    }
    birth->from[j] = BirthPlace(t, lane, energy[0]);
    birth->to[j] =
        StretchEnd(lane, birth->from[j], PetscMax(BirthPlace(t, lane, energy[1]), birth->from[j] + 1e-3), mean);
    birth->kick[j] = group < KNOCK_GROUPS ? KnockedOutAngle2(nuclear, group, class)
                                          : FragmentAngle2(nuclear, p, lane->species, 0.5 * (energy[0] + energy[1]));
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
static PetscErrorCode LaneConnect(Transport *t, Lane *lane, PetscBool knocked)
{
  PetscFunctionBegin;
  const Species p = t->in->projectile;
  double *edge;
  PetscCall(PetscMalloc1(PetscMax(lane->n_bin, t->n_reference) + 1, &edge));
  for (PetscInt j = 0; j <= lane->n_bin; j++) edge[j] = CSDARange_mm(p.Z, p.A, lane->edge_MeV_u[j]);
  PetscCall(RemapOverlap(lane->n_bin, edge, t->n_reference, t->step_mm, &lane->to_reference));
  for (int k = 0; k < FRAGMENT_CLASSES && (!knocked || !lane->species.Z); k++)
    PetscCall(BirthCreate(t, lane, KNOCK_GROUPS, k, &lane->fragment[k]));
  for (int k = 0; k < KNOCK_GROUPS * KNOCK_CLASSES && knocked; k++)
    PetscCall(BirthCreate(t, lane, (KnockGroup)(k / KNOCK_CLASSES), k % KNOCK_CLASSES,
                          &lane->knocked[k / KNOCK_CLASSES][k % KNOCK_CLASSES]));
  PetscCall(PetscFree(edge));
  PetscFunctionReturn(0);
}

PetscErrorCode LaneCreate(Transport *t, Species species, PetscBool knocked, Lane *lane)
{
  PetscFunctionBegin;
  double fastest =
      TransportFastest_MeV_u(t->in->nuclear, t->in->projectile, species, t->reference_MeV_u[t->n_reference]);
  lane->species = species;
  lane->ranged = species.Z ? species : t->in->projectile;
  lane->n_bin = (PetscInt)ceil(CSDARange_mm(lane->ranged.Z, lane->ranged.A, fastest) / t->step_mm) + 1;
  PetscCall(PetscCalloc7(lane->n_bin, &lane->ions, lane->n_bin, &lane->lost_share, lane->n_bin + 1, &lane->edge_MeV_u,
                         lane->n_bin, &lane->dose, lane->n_bin, &lane->let, lane->n_bin, &lane->scatter,
                         EMITTERS * N_EMISSIONS * lane->n_bin, &lane->target));
  PetscCall(PetscCalloc7(lane->n_bin, &lane->local_MeV, t->n_reference, &lane->lost, t->n_reference, &lane->made,
                         lane->n_bin + 2, &lane->rise, t->n_reference * YIELD_SPECIES, &lane->yield, t->n_reference,
                         &lane->neutrons, lane->n_bin + 1, &lane->sum_MeV_u));
  PetscCall(LaneFill(t, lane));
  PetscCall(LaneConnect(t, lane, knocked));
  PetscFunctionReturn(0);
}

PetscErrorCode LaneDestroy(Lane *lane)
{
  PetscFunctionBegin;
  PetscCall(
      PetscFree7(lane->ions, lane->lost_share, lane->edge_MeV_u, lane->dose, lane->let, lane->scatter, lane->target));
  PetscCall(
      PetscFree7(lane->local_MeV, lane->lost, lane->made, lane->rise, lane->yield, lane->neutrons, lane->sum_MeV_u));
  PetscCall(RemapDestroy(&lane->to_reference));
  for (int k = 0; k < FRAGMENT_CLASSES; k++) PetscCall(BirthDestroy(&lane->fragment[k]));
  for (int k = 0; k < KNOCK_GROUPS * KNOCK_CLASSES; k++)
    PetscCall(BirthDestroy(&lane->knocked[k / KNOCK_CLASSES][k % KNOCK_CLASSES]));
  PetscCall(RemapDestroy(&lane->spectrum));
  PetscFunctionReturn(0);
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

PetscErrorCode LaneDeliver(const Transport *t, PetscInt top, int n_class, const Birth *birth, Lane *daughter)
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
    if (here.number > ROUNDING * made)
      MomentsAdd(&daughter->ions[j], 1, &here);
    else if (t->count)
      BudgetCut(t, daughter, j, here.number);
  }
  PetscCall(PetscArrayzero(daughter->rise, end + 2));
  daughter->top = PetscMax(daughter->top, end);
  PetscFunctionReturn(0);
}
