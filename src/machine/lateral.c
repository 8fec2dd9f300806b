/*
 * Lateral spread: Fermi-Eyges moments with the scattering power f/(residual range) of Kanematsu (NIM B 266:5056, 2008), and
 * the angles at which fragments are born. Everything is per projected plane.
 */
#include "machine_private.h"
#include <math.h>

#define WIDEST_ANGLE2 1.0   /* rad^2: slow fragments are born no wider than about isotropic */
#define LEAST_RESIDUAL 0.01 /* of the range: energies that end in the beam line leave it with this much */
#define SLOWEST_A 6         /* lighter fragments lose as much velocity: Morrissey measured none */
#define PROTON_MASS_U 1.00728

/* Kanematsu's f: the mean square angle per ln(residual range). */
static double ScatteringFactor(Species s)
{
  return 1e-3 * pow((double)s.Z, -0.16) * pow(NuclearMass_u(s.Z, s.A) / PROTON_MASS_U, -0.92);
}

Scattering ScatteringBetween(Species s, double from_mm, double to_mm)
{
  double f = ScatteringFactor(s), length = from_mm - to_mm, decades = log(from_mm / to_mm);
  double offset2 = 0.5 * length * (from_mm + to_mm) - 2 * to_mm * length + to_mm * to_mm * decades;
  return (Scattering){f * decades, f * PetscMax(0.0, length - to_mm * decades), f * PetscMax(0.0, offset2)};
}

/*
 * Behind the range only fragments are left; primaries are taken to go on with the slope reached there,
 * d sigma/dz = sqrt(2 f).
 */
double LateralSigma_mm(Species p, double range_mm, double depth_mm)
{
  double rest = range_mm - depth_mm, f = ScatteringFactor(p);
  if (rest <= 0) return sqrt(0.5 * f) * range_mm - sqrt(2.0 * f) * rest;
  return sqrt(ScatteringBetween(p, range_mm, rest).offset2_mm2);
}

double FragmentSpread_MeV_c(const Fragmentation *nuclear, Species projectile, Species daughter)
{
  double F = (double)daughter.A, A = (double)projectile.A;
  return F < A ? nuclear->momentum_MeV_c * sqrt(F * (A - F) / (A - 1)) : 0;
}

double FragmentSlowing(const Fragmentation *nuclear, Species projectile, Species daughter)
{
  const double F = (double)PetscMax(SLOWEST_A, daughter.A), gone = (double)projectile.A - F;
  const double gamma = 1 + nuclear->slowing_reference_MeV_u / ATOMIC_MASS_MEV, beta2_gamma2 = gamma * gamma - 1;
  if (daughter.A >= projectile.A || gone <= 0) return 0;
  return nuclear->slowing_MeV_c * gone * gamma * (gamma + 1) / (beta2_gamma2 * F * ATOMIC_MASS_MEV);
}

/* Over that of light. */
static double Velocity(double energy_MeV_u)
{
  double gamma = 1 + energy_MeV_u / ATOMIC_MASS_MEV;
  return sqrt(1 - 1 / (gamma * gamma));
}

double FragmentAngle2(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u)
{
  double gamma = 1 + energy_MeV_u / ATOMIC_MASS_MEV, F = (double)daughter.A, A = (double)projectile.A;
  double momentum = NuclearMass_u(daughter.Z, daughter.A) * ATOMIC_MASS_MEV * sqrt(gamma * gamma - 1);
  double own = FragmentSpread_MeV_c(nuclear, projectile, daughter);
  double of_all = nuclear->orbital_MeV_c * Velocity(nuclear->orbital_reference_MeV_u) / Velocity(energy_MeV_u);
  double shared2 = F < A ? of_all * of_all * F * (F - 1) / (A * (A - 1)) : 0;
  return PetscMin(WIDEST_ANGLE2, (own * own + shared2) / (momentum * momentum));
}

/* What the ripple filter adds to the beam by the time it leaves the filter. */
static Scattering RippleScattering(const MachineSpec *spec, Species p, double range_mm)
{
  double least = LEAST_RESIDUAL * range_mm, before = PetscMax(least, range_mm - spec->offset_mm);
  return ScatteringBetween(p, before, PetscMax(least, before - spec->ripple_thickness_mm));
}

double SpotSigma_mm(const MachineSpec *spec, Species p, double range_mm)
{
  double sigma = spec->spot_fwhm_mm / (2 * sqrt(2 * M_LN2)), gap = spec->ripple_to_isocentre_mm;
  Scattering filter = RippleScattering(spec, p, range_mm);
  return sqrt(sigma * sigma + gap * (2 * filter.mixed_mm + gap * filter.angle2));
}

double GapSpread2_mm2(const MachineSpec *spec, Species p, double range_mm, double depth_mm)
{
  double behind = PetscMax(0.0, depth_mm - spec->offset_mm - spec->ripple_thickness_mm);
  return 2 * behind * spec->ripple_to_isocentre_mm * RippleScattering(spec, p, range_mm).angle2;
}

double MachineRangeShifterSpread2_mm2(const Machine *m, PetscInt e, double thickness_mm, double gap_mm, double depth_mm)
{
  const double range = m->csda_range_mm[e], least = LEAST_RESIDUAL * range;
  const double before = PetscMax(least, range - m->offset_mm);
  Scattering shifter = ScatteringBetween((Species){m->Z, m->A}, before, PetscMax(least, before - thickness_mm));
  double behind = PetscMax(0.0, depth_mm - m->offset_mm - thickness_mm);
  return gap_mm * (2 * (shifter.mixed_mm + behind * shifter.angle2) + gap_mm * shifter.angle2);
}
