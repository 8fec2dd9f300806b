/*
 * What one inelastic reaction in water sets free: the nuclear data as transport asks for them.
 */
#include "machine_private.h"
#include <math.h>

const Species yield_species[YIELD_SPECIES] = {{6, 12}, {6, 11}, {6, 10}, {5, 11}, {5, 10}, {4, 9}, {4, 7},
                                              {3, 7},  {3, 6},  {2, 4},  {2, 3},  {1, 3},  {1, 2}, {1, 1}};

static double CurveAt(const Curve *curve, double energy_MeV_u)
{
  PetscInt i = 0, last = curve->n - 1;
  if (energy_MeV_u <= curve->energy_MeV_u[0]) return curve->value[0];
  if (energy_MeV_u >= curve->energy_MeV_u[last]) return curve->value[last];
  while (curve->energy_MeV_u[i + 1] < energy_MeV_u) i++;
  double t = (energy_MeV_u - curve->energy_MeV_u[i]) / (curve->energy_MeV_u[i + 1] - curve->energy_MeV_u[i]);
  return (1 - t) * curve->value[i] + t * curve->value[i + 1];
}

void YieldSums(const double yield[YIELD_SPECIES], double *charge, double *mass)
{
  *charge = *mass = 0;
  for (int s = 0; s < YIELD_SPECIES; s++) {
    *charge += yield[s] * (double)yield_species[s].Z;
    *mass += yield[s] * (double)yield_species[s].A;
  }
}

/* Mass number left by knocked-out nucleons, protons and as many neutrons, counted by their energy. */
static double Kept(const Fragmentation *nuclear, Species parent)
{
  const Knocked *knocked = &nuclear->knocked[KnockGroupOf(parent)];
  return (double)parent.A - 2 * knocked->protons * knocked->energy_share;
}

/* Curve of an emitter of this kind of nuclei, or NULL. */
static const EmitterData *EmitterDataOf(const EmitterTable *table, Species s)
{
  for (PetscInt i = 0; i < table->n; i++)
    if (table->emitter[i].species.Z == s.Z && table->emitter[i].species.A == s.A) return &table->emitter[i];
  return NULL;
}

/*
 * Partial cross sections go with energy as the total ones, but for 11C and 10C: on hydrogen these are what protons make of carbon, whose
 * excitation functions are known, on oxygen they do not grow.
 */
void CarbonYields(const Fragmentation *nuclear, double energy_MeV_u, double yield[YIELD_SPECIES])
{
  const double hydrogen = ReactionCrossSection_mb(6, 12, 1, 1, energy_MeV_u);
  const double oxygen = ReactionCrossSection_mb(6, 12, 8, 16, energy_MeV_u);
  const double grown_h = hydrogen / nuclear->hydrogen_total_mb, grown_o = oxygen / nuclear->oxygen_total_mb;
  const double total = nuclear->of_tripathi * (2 * hydrogen + oxygen);
  for (int s = 0; s < YIELD_SPECIES; s++) {
    const EmitterData *emitter = EmitterDataOf(&nuclear->from[EMISSION_OF_CARBON], yield_species[s]);
    double on_h = emitter ? CurveAt(&emitter->proton_mb, energy_MeV_u) : grown_h * nuclear->hydrogen_mb[s];
    double on_o = emitter ? nuclear->oxygen_per_carbon * emitter->ion_mb * PetscMin(1.0, grown_o)
                          : grown_o * nuclear->oxygen_mb[s];
    yield[s] = nuclear->light_yield[s] + (total > 0 ? (2 * on_h + on_o) / total : 0);
  }
}

static void Yields(const Fragmentation *nuclear, Species parent, double energy_MeV_u, double yield[YIELD_SPECIES])
{
  double charge, mass, charge_kept, mass_kept, carbon[YIELD_SPECIES];
  const double *table = parent.Z > 2 ? carbon : nuclear->helium_yield;
  if (parent.Z > 2) CarbonYields(nuclear, energy_MeV_u, carbon);
  for (int s = 0; s < YIELD_SPECIES; s++) {
    PetscBool lighter = yield_species[s].A < parent.A && yield_species[s].Z <= parent.Z ? PETSC_TRUE : PETSC_FALSE;
    yield[s] = lighter ? table[s] : 0;
  }
  if (parent.Z <= 2) return;
  /* A heavy secondary opens fewer channels; the open ones share its charge, or its mass if that runs out first, as far as
     12C hands them on and knocked-out nucleons leave it energy. */
  YieldSums(yield, &charge, &mass);
  YieldSums(table, &charge_kept, &mass_kept);
  double by_charge = charge > 0 ? charge_kept / 6.0 * (double)parent.Z / charge : 0;
  double by_mass = mass > 0 ? PetscMin(mass_kept / 12.0 * (double)parent.A, Kept(nuclear, parent)) / mass : 0;
  for (int s = 0; s < YIELD_SPECIES; s++) yield[s] *= PetscMin(by_charge, by_mass);
}

double NeutronOnProtonShare(double energy_MeV)
{
  const double on_protons = 2 * NeutronProton_mb(energy_MeV);
  return on_protons / (on_protons + ReactionCrossSection_mb(1, 1, 8, 16, energy_MeV));
}

void ReactionLeavesOf(const Fragmentation *nuclear, Species parent, double energy_MeV_u, ReactionLeaves *out)
{
  double charge, mass;
  Yields(nuclear, parent, energy_MeV_u, out->yield);
  YieldSums(out->yield, &charge, &mass);
  const double bound = parent.Z ? 1 : 1 - NeutronOnProtonShare(energy_MeV_u); /* a free proton takes what it is given */
  const double left = bound * PetscMax(0.0, Kept(nuclear, parent) - mass) * energy_MeV_u;
  out->local_MeV = PetscMin(bound * CurveAt(&nuclear->target_energy_MeV, energy_MeV_u), left);
  out->neutrons = parent.A > 1 && energy_MeV_u > 0 ? (left - out->local_MeV) / energy_MeV_u : 0;
}

double ReactionLoss_per_mm(const Fragmentation *nuclear, Species parent, double energy_MeV_u)
{
  double share = parent.Z > 2 ? nuclear->of_tripathi : 1;
  if (parent.Z == 0)
    return WaterMolecules_per_mm(2 * NeutronProton_mb(energy_MeV_u) +
                                 ReactionCrossSection_mb(1, 1, 8, 16, energy_MeV_u));
  return share * ReactionCrossSectionWater_per_mm(parent.Z, parent.A, energy_MeV_u);
}

KnockGroup KnockGroupOf(Species parent)
{
  return parent.Z > 2 ? KNOCK_HEAVY : parent.Z == 2 ? KNOCK_HELIUM : KNOCK_HYDROGEN;
}

double KnockedOutProtons(const Fragmentation *nuclear, KnockGroup group)
{
  return group == KNOCK_FREE ? 1 : nuclear->knocked[group].protons;
}

double KnockedOutFall(double energy_share)
{
  double low = 0, high = 1000;
  for (int i = 0; i < 100; i++) { /* the mean 1/fall - 1/(exp(fall) - 1) falls from a half */
    const double fall = 0.5 * (low + high);
    if (fall < 1e-6 || 1 / fall - 1 / expm1(fall) > energy_share)
      low = fall;
    else
      high = fall;
  }
  return low;
}

/* Energy over the parent's per nucleon that a share of the nucleons stays below: x falls off as exp(-fall x) up to 1. */
static double KnockedOutQuantile(const Fragmentation *nuclear, KnockGroup group, double share)
{
  const double fall = group == KNOCK_FREE ? 0 : nuclear->knocked[group].fall;
  return fall < 1e-5 ? share : -log1p(share * expm1(-fall)) / fall;
}

/* Evenly filled, the classes have the distribution's mean: that is where the last one ends. */
double KnockedOutEnergy_MeV(const Fragmentation *nuclear, KnockGroup group, int class, int end, double parent_MeV_u)
{
  if (class + end < KNOCK_CLASSES)
    return KnockedOutQuantile(nuclear, group, (double)(class + end) / KNOCK_CLASSES) * parent_MeV_u;
  double last = KNOCK_CLASSES * (group == KNOCK_FREE ? 0.5 : nuclear->knocked[group].energy_share);
  for (int i = 1; i < KNOCK_CLASSES; i++) last -= KnockedOutQuantile(nuclear, group, (double)i / KNOCK_CLASSES);
  return 2 * last * parent_MeV_u;
}

/* As in a collision of two free nucleons: the share of the energy is the squared cosine of the angle. */
double KnockedOutAngle2(const Fragmentation *nuclear, KnockGroup group, int class)
{
  double angle = acos(sqrt(KnockedOutQuantile(nuclear, group, (class + 0.5) / KNOCK_CLASSES)));
  return 0.5 * angle * angle;
}

/*
 * Of ions the cross section factorises: what a projectile makes of a nucleus goes with the fourth root of its mass (Olson et al.,
 * PRC 28:1602, 1983), not with its reaction cross section, which is small for light ions just where most of the nucleus is left. With
 * energy it stays, and goes down with that one where the ions hardly reach the nucleus.
 */
double EmitterFromTarget_per_mm(const Fragmentation *nuclear, int target, Species p, double energy_MeV_u,
                                Species emitter)
{
  static const Species nucleus[N_EMISSIONS] = {
      [EMISSION_OF_CARBON] = {6, 12}, [EMISSION_OF_NITROGEN] = {7, 14}, [EMISSION_OF_OXYGEN] = {8, 16}};
  const EmitterTable *table = &nuclear->from[target];
  const Species n = nucleus[target];
  double mb = 0;
  const EmitterData *e = EmitterDataOf(table, emitter);
  if (!e || p.Z < 1) return 0;
  const double total = ReactionCrossSection_mb(p.Z, p.A, n.Z, n.A, energy_MeV_u);
  if (p.Z > 1) {
    const double there = ReactionCrossSection_mb(p.Z, p.A, n.Z, n.A, nuclear->reference_MeV_u);
    mb = e->ion_mb * pow((double)p.A / 12, 0.25) * PetscMin(1.0, total / there);
  } else {
    const double proton = ReactionCrossSection_mb(1, 1, n.Z, n.A, energy_MeV_u);
    mb = proton > 0 ? CurveAt(&e->proton_mb, energy_MeV_u) * total / proton : 0;
  }
  return WaterMolecules_per_mm(mb) / WATER_OXYGEN_1E22_CM3;
}
