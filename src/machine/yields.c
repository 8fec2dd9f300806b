/*
 * What one inelastic reaction in water sets free: the nuclear data in use, as transport asks for them. Partial cross sections
 * vary little with energy above 150 MeV/u, hence yields per reaction that do not depend on it.
 */
#include "machine_private.h"
#include <math.h>

const Species yield_species[YIELD_SPECIES] = {{6, 12}, {6, 11}, {6, 10}, {5, 11}, {5, 10}, {4, 9}, {4, 7},
                                              {3, 7},  {3, 6},  {2, 4},  {2, 3},  {1, 3},  {1, 2}, {1, 1}};

static Fragmentation in_use;
static PetscBool in_use_set = PETSC_FALSE, builtin_in_use = PETSC_FALSE;

PetscErrorCode FragmentationUse(const char *file)
{
  PetscFunctionBegin;
  Mistakes mistakes = {0};
  Fragmentation read;
  if (!file && builtin_in_use) PetscFunctionReturn(0);
  PetscCall(FragmentationRead(file, &mistakes, &read));
  PetscCheck(!MistakesAny(&mistakes), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s", MistakesFirst(&mistakes));
  in_use = read;
  in_use_set = PETSC_TRUE;
  builtin_in_use = file ? PETSC_FALSE : PETSC_TRUE;
  PetscFunctionReturn(0);
}

static const Fragmentation *InUse(void)
{
  if (!in_use_set) PetscCallAbort(PETSC_COMM_SELF, FragmentationUse(NULL));
  return &in_use;
}

uint64_t FragmentationHash(void)
{
  return InUse()->hash;
}

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

void FragmentYields(Species parent, double yield[YIELD_SPECIES])
{
  const Fragmentation *data = InUse();
  const double *table = parent.Z > 2 ? data->carbon_yield : data->helium_yield;
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
  double left = (double)parent.A - data->knocked_energy_share * KnockedOutProtons(parent);
  double by_mass = mass > 0 ? PetscMin(mass_kept / 12.0 * (double)parent.A, left) / mass : 0;
  for (int s = 0; s < YIELD_SPECIES; s++) yield[s] *= PetscMin(by_charge, by_mass);
}

double LocalEnergy_MeV(Species parent, double energy_MeV_u)
{
  double yield[YIELD_SPECIES], charge, mass;
  FragmentYields(parent, yield);
  YieldSums(yield, &charge, &mass);
  /* no more than the other fragments leave of the parent's energy */
  double left = (double)parent.A - mass - InUse()->knocked_energy_share * KnockedOutProtons(parent);
  return PetscMin(CurveAt(&InUse()->target_energy_MeV, energy_MeV_u), PetscMax(0.0, left * energy_MeV_u));
}

double ReactionLoss_per_mm(Species parent, double energy_MeV_u)
{
  double share = parent.Z > 2 ? InUse()->of_tripathi : 1;
  return share * ReactionCrossSectionWater_per_mm(parent.Z, parent.A, energy_MeV_u);
}

double KnockedOutProtons(Species parent)
{
  return InUse()->knocked_out[parent.Z > 2 ? 0 : 3 - parent.Z];
}

/* Mean energy of a class over that of a nucleon of the parent: energies x fall off as exp(-x). */
static double KnockedOutMean(int class)
{
  double p = (double)class / KNOCK_CLASSES, q = (double)(class + 1) / KNOCK_CLASSES;
  double from = (1 - p) * (1 - log1p(-p)), to = class + 1 < KNOCK_CLASSES ? (1 - q) * (1 - log1p(-q)) : 0;
  return (from - to) * KNOCK_CLASSES * InUse()->knocked_energy_share;
}

/* The classes border on each other; evenly filled, the last has its mean. No proton is faster than the parent. */
double KnockedOutEnergy_MeV(int class, int end, double parent_MeV_u)
{
  double share = InUse()->knocked_energy_share, from = -share * log1p(-(double)class / KNOCK_CLASSES);
  double to = class + 1 < KNOCK_CLASSES ? -share * log1p(-(double)(class + 1) / KNOCK_CLASSES)
                                        : 2 * KnockedOutMean(class) - from;
  return PetscMin(1.0, end ? to : from) * parent_MeV_u;
}

/* As in a collision of two free nucleons: the share of the energy is the squared cosine of the angle. */
double KnockedOutAngle2(int class)
{
  double angle = acos(sqrt(PetscMin(1.0, KnockedOutMean(class))));
  return 0.5 * angle * angle;
}

double FragmentMomentum_MeV_c(void)
{
  return InUse()->momentum_MeV_c;
}

double EmitterFromTarget_per_mm(Species p, double energy_MeV_u, Species emitter)
{
  const Fragmentation *data = InUse();
  double mb = 0, total = ReactionCrossSection_mb(p.Z, p.A, 8, 16, energy_MeV_u);
  for (PetscInt i = 0; i < data->n_emitter; i++) {
    const EmitterData *e = &data->emitter[i];
    if (e->species.Z != emitter.Z || e->species.A != emitter.A) continue;
    double proton = ReactionCrossSection_mb(1, 1, 8, 16, energy_MeV_u);
    if (p.Z > 1)
      mb = e->ion_mb * total / ReactionCrossSection_mb(6, 12, 8, 16, data->reference_MeV_u);
    else if (proton > 0)
      mb = CurveAt(&e->proton_mb, energy_MeV_u) * total / proton;
  }
  return WaterMolecules_per_mm(mb);
}
