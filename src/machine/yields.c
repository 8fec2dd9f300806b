/*
 * What one inelastic reaction in water sets free: the nuclear data as transport asks for them. Partial cross sections
 * vary little with energy above 150 MeV/u, hence yields per reaction that do not depend on it.
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

void FragmentYields(const Fragmentation *nuclear, Species parent, double yield[YIELD_SPECIES])
{
  const double *table = parent.Z > 2 ? nuclear->carbon_yield : nuclear->helium_yield;
  double charge, mass, charge_kept, mass_kept;
  for (int s = 0; s < YIELD_SPECIES; s++) {
    PetscBool lighter = yield_species[s].A < parent.A && yield_species[s].Z <= parent.Z ? PETSC_TRUE : PETSC_FALSE;
    yield[s] = lighter ? table[s] : 0;
  }
  if (parent.Z <= 2) return;
  /* A heavy secondary opens fewer channels; the open ones share its charge, or its mass if that runs out first, as far as
     12C hands them on and knocked-out protons leave it energy. */
  YieldSums(yield, &charge, &mass);
  YieldSums(table, &charge_kept, &mass_kept);
  double by_charge = charge > 0 ? charge_kept / 6.0 * (double)parent.Z / charge : 0;
  double left = (double)parent.A - nuclear->knocked_energy_share * KnockedOutProtons(nuclear, parent);
  double by_mass = mass > 0 ? PetscMin(mass_kept / 12.0 * (double)parent.A, left) / mass : 0;
  for (int s = 0; s < YIELD_SPECIES; s++) yield[s] *= PetscMin(by_charge, by_mass);
}

double LocalEnergy_MeV(const Fragmentation *nuclear, Species parent, double energy_MeV_u)
{
  double yield[YIELD_SPECIES], charge, mass;
  FragmentYields(nuclear, parent, yield);
  YieldSums(yield, &charge, &mass);
  /* no more than the other fragments leave of the parent's energy */
  double left = (double)parent.A - mass - nuclear->knocked_energy_share * KnockedOutProtons(nuclear, parent);
  return PetscMin(CurveAt(&nuclear->target_energy_MeV, energy_MeV_u), PetscMax(0.0, left * energy_MeV_u));
}

double ReactionLoss_per_mm(const Fragmentation *nuclear, Species parent, double energy_MeV_u)
{
  double share = parent.Z > 2 ? nuclear->of_tripathi : 1;
  return share * ReactionCrossSectionWater_per_mm(parent.Z, parent.A, energy_MeV_u);
}

double KnockedOutProtons(const Fragmentation *nuclear, Species parent)
{
  return nuclear->knocked_out[parent.Z > 2 ? 0 : 3 - parent.Z];
}

/* Mean energy of a class over that of a nucleon of the parent: energies x fall off as exp(-x). */
static double KnockedOutMean(const Fragmentation *nuclear, int class)
{
  double p = (double)class / KNOCK_CLASSES, q = (double)(class + 1) / KNOCK_CLASSES;
  double from = (1 - p) * (1 - log1p(-p)), to = class + 1 < KNOCK_CLASSES ? (1 - q) * (1 - log1p(-q)) : 0;
  return (from - to) * KNOCK_CLASSES * nuclear->knocked_energy_share;
}

/* The classes border on each other; evenly filled, the last has its mean. No proton is faster than the parent. */
double KnockedOutEnergy_MeV(const Fragmentation *nuclear, int class, int end, double parent_MeV_u)
{
  double share = nuclear->knocked_energy_share, from = -share * log1p(-(double)class / KNOCK_CLASSES);
  double to = class + 1 < KNOCK_CLASSES ? -share * log1p(-(double)(class + 1) / KNOCK_CLASSES)
                                        : 2 * KnockedOutMean(nuclear, class) - from;
  return PetscMin(1.0, end ? to : from) * parent_MeV_u;
}

/* As in a collision of two free nucleons: the share of the energy is the squared cosine of the angle. */
double KnockedOutAngle2(const Fragmentation *nuclear, int class)
{
  double angle = acos(sqrt(PetscMin(1.0, KnockedOutMean(nuclear, class))));
  return 0.5 * angle * angle;
}

/*
 * Of ions the cross section factorises: what a projectile makes of a nucleus goes with the fourth root of its mass (Olson et al.,
 * PRC 28:1602, 1983), not with its reaction cross section, which is small for light ions just where most of the nucleus is left. With
 * energy it goes as that one does.
 */
double EmitterFromTarget_per_mm(const Fragmentation *nuclear, int target, Species p, double energy_MeV_u,
                                Species emitter)
{
  static const Species nucleus[N_EMISSIONS] = {
      [EMISSION_OF_CARBON] = {6, 12}, [EMISSION_OF_NITROGEN] = {7, 14}, [EMISSION_OF_OXYGEN] = {8, 16}};
  const EmitterTable *table = &nuclear->from[target];
  const Species n = nucleus[target];
  double mb = 0;
  for (PetscInt i = 0; i < table->n; i++) {
    const EmitterData *e = &table->emitter[i];
    if (e->species.Z != emitter.Z || e->species.A != emitter.A) continue;
    const double total = ReactionCrossSection_mb(p.Z, p.A, n.Z, n.A, energy_MeV_u);
    double proton = ReactionCrossSection_mb(1, 1, n.Z, n.A, energy_MeV_u);
    if (p.Z > 1)
      mb = e->ion_mb * pow((double)p.A / 12, 0.25) * total /
           ReactionCrossSection_mb(p.Z, p.A, n.Z, n.A, nuclear->reference_MeV_u);
    else if (proton > 0)
      mb = CurveAt(&e->proton_mb, energy_MeV_u) * total / proton;
  }
  return WaterMolecules_per_mm(mb) / WATER_OXYGEN_1E22_CM3;
}
