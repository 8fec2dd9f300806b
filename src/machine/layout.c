/*
 * Where the tables have their nodes, and the range spread that goes with a beam energy.
 */
#include "machine_private.h"
#include <math.h>
#include <string.h>

#define FINEST_MM 0.125  /* node distance around the end of the range */
#define FINE_HALF_MM 4.0 /* half width of that part */
#define GROWTH 0.1       /* node distance gained per mm away from it: below 0.1 % error of linear interpolation */
#define COARSEST_MM 8.0

const char *const builtin_ions[N_BUILTIN_IONS] = {"12C", "11C", "10C", "4He"};

PetscBool SpeciesOfIon(const char *ion, Species *species)
{
  for (int i = 0; i < N_BUILTIN_IONS; i++)
    if (ion && !strcmp(ion, builtin_ions[i])) return SpeciesFind(ion, species);
  return PETSC_FALSE;
}

PetscErrorCode LayoutEnergies(const MachineSpec *spec, Species p, PetscInt *n, double **energy_MeV_u)
{
  PetscFunctionBegin;
  if (spec->n_energy) {
    *n = spec->n_energy;
    PetscCall(PetscMalloc1(*n, energy_MeV_u));
    PetscCall(PetscArraycpy(*energy_MeV_u, spec->energy_MeV_u, *n));
    PetscFunctionReturn(0);
  }
  double from = CSDARange_mm(p.Z, p.A, spec->energy_min_MeV_u), to = CSDARange_mm(p.Z, p.A, spec->energy_max_MeV_u);
  PetscInt steps = to > from ? PetscMax(1, (PetscInt)ceil((to - from) / spec->range_step_mm - 1e-9)) : 0;
  *n = steps + 1;
  PetscCall(PetscMalloc1(*n, energy_MeV_u));
  for (PetscInt i = 0; i <= steps; i++)
    (*energy_MeV_u)[i] = EnergyOfRange_MeV_u(p.Z, p.A, from + (to - from) * (double)i / (double)PetscMax(1, steps));
  (*energy_MeV_u)[0] = spec->energy_min_MeV_u;
  (*energy_MeV_u)[steps] = spec->energy_max_MeV_u;
  PetscFunctionReturn(0);
}

PetscErrorCode MachineSpecHasEnergies(const MachineSpec *spec, PetscInt n, const double *energy_MeV_u, PetscBool *has)
{
  PetscFunctionBegin;
  const double same = 1e-3;
  Mistakes bad = {0};
  Species projectile;
  PetscInt n_own, found = 0;
  double *own;
  *has = PETSC_FALSE;
  PetscCall(MachineSpecCheck(spec, "", &bad));
  const PetscBool good = !MistakesAny(&bad) && SpeciesOfIon(spec->ion, &projectile) ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(MistakesClear(&bad));
  if (!good) PetscFunctionReturn(0);
  PetscCall(LayoutEnergies(spec, projectile, &n_own, &own));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt e = 0; e < n_own; e++)
      if (fabs(own[e] - energy_MeV_u[i]) <= same) {
        found++;
        break;
      }
  *has = found == n ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscFree(own));
  PetscFunctionReturn(0);
}

/* Depth of the last node: the tail of light fragments goes far beyond the range. */
static double LastDepth_mm(double range_mm)
{
  return range_mm + PetscClipInterval(range_mm, 60.0, 250.0);
}

/* Nodes between the end of the range and a distance from it; node distance is FINEST, then grows, then is COARSEST. */
static double NodesWithin(double distance_mm)
{
  double grown = (COARSEST_MM - FINEST_MM) / GROWTH, beyond = PetscMax(0.0, distance_mm - FINE_HALF_MM);
  double in_growth = PetscMin(beyond, grown);
  return PetscMin(distance_mm, FINE_HALF_MM) / FINEST_MM + log1p(GROWTH * in_growth / FINEST_MM) / GROWTH +
         (beyond - in_growth) / COARSEST_MM;
}

/* Inverse of NodesWithin. */
static double DistanceOf(double nodes)
{
  double fine = FINE_HALF_MM / FINEST_MM, growing = log(COARSEST_MM / FINEST_MM) / GROWTH;
  if (nodes <= fine) return nodes * FINEST_MM;
  nodes -= fine;
  if (nodes <= growing) return FINE_HALF_MM + FINEST_MM / GROWTH * expm1(GROWTH * nodes);
  return FINE_HALF_MM + (COARSEST_MM - FINEST_MM) / GROWTH + (nodes - growing) * COARSEST_MM;
}

PetscInt LayoutDepthCount(PetscInt n_energy, const double *range_mm)
{
  double most = 0;
  for (PetscInt e = 0; e < n_energy; e++)
    most = PetscMax(most, NodesWithin(range_mm[e]) + NodesWithin(LastDepth_mm(range_mm[e]) - range_mm[e]));
  return 1 + (PetscInt)ceil(most);
}

void LayoutDepths(double range_mm, PetscInt n_depth, double *depth_mm)
{
  double before = NodesWithin(range_mm), after = NodesWithin(LastDepth_mm(range_mm) - range_mm);
  for (PetscInt d = 0; d < n_depth; d++) {
    double node = (before + after) * (double)d / (double)(n_depth - 1) - before;
    depth_mm[d] = range_mm + (node < 0 ? -DistanceOf(-node) : DistanceOf(node));
  }
  depth_mm[0] = 0;
  depth_mm[n_depth - 1] = LastDepth_mm(range_mm);
}

double RangeSpread_mm(const MachineSpec *spec, Species p, double energy_MeV_u)
{
  double range_mm = CSDARange_mm(p.Z, p.A, energy_MeV_u);
  /* Chu, Ludewigt, Renner, Rev Sci Instrum 64:2055 (1993), R in cm */
  double straggling = 10.0 * 0.012 * pow(0.1 * range_mm, 0.951) / sqrt((double)p.A);
  double gamma = 1.0 + energy_MeV_u / ATOMIC_MASS_MEV;
  double energy_spread = energy_MeV_u * (gamma + 1.0) / gamma * spec->momentum_spread; /* dE/E = (gamma+1)/gamma dp/p */
  double slope = 10.0 * NuclearMass_u(p.Z, p.A) / StoppingPower_MeV_cm2_g(p.Z, p.A, energy_MeV_u);
  return hypot(hypot(straggling, spec->ripple_sigma_mm), slope * energy_spread);
}
