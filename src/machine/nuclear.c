/*
 * Total reaction cross sections: Tripathi, Cucinotta, Wilson (NASA TP-3621, 1997), with their parameters for light systems
 * (NIM B 155:349, 1999) for deuterons and 3He and their form where one partner is a nucleon; for 4He the parameter that Horst et al.
 * (PRC 99:014603, 2019) refitted to their measurements, which the first form falls short of by a third around 150 MeV/u.
 */
#include "machine_private.h"
#include <math.h>

#define R0_FM 1.1
#define WATER_MOLECULES_PER_CM3 3.343e22
#define CM2_PER_MB 1e-27

/* Kinetic energy in the centre of mass, MeV, of projectile a at E MeV/u on target b. */
static double CentreOfMassEnergy(double Aa, double Ab, double energy_MeV_u)
{
  double ma = Aa * ATOMIC_MASS_MEV, mb = Ab * ATOMIC_MASS_MEV;
  return sqrt(ma * ma + mb * mb + 2.0 * (ma + Aa * energy_MeV_u) * mb) - ma - mb;
}

/* Root-mean-square charge radius, fm, of the nuclides met in water. */
static double ChargeRadius_fm(PetscInt Z, PetscInt A)
{
  if (Z == 1) return A == 1 ? 0.85 : A == 2 ? 2.168 : 1.70;
  if (Z == 2) return A == 3 ? 1.976 : 1.671;
  if (Z == 3) return A == 6 ? 2.57 : 2.41;
  if (Z == 4) return 2.519;
  if (Z == 5) return A == 10 ? 2.45 : 2.42;
  if (Z == 6) return 2.471;
  if (Z == 8) return 2.73;
  return 0.84 * cbrt((double)A) + 0.55;
}

/* Energy dependent transparency and Pauli blocking. */
static double Transparency(double scale, double decay_MeV_u, double energy_MeV_u)
{
  return scale * -expm1(-energy_MeV_u / decay_MeV_u) -
         0.292 * exp(-energy_MeV_u / 792.0) * cos(0.229 * pow(energy_MeV_u, 0.453));
}

/* delta_E without the transparency. (Zh, Ah) is the nucleus whose neutron excess counts, Zl the other's charge. */
static double Overlap(double Ap, double At, double e_cm, double asymmetry)
{
  double p = cbrt(Ap), t = cbrt(At), s = p * t / (p + t);
  return 1.85 * s + 0.16 * s / cbrt(e_cm) + 0.91 * asymmetry;
}

/* Scale of the transparency, and the energy it grows over, of projectile (Zp, Ap) on a nucleus of mass At. */
static double Density(double Zp, double Ap, double At, double energy_MeV_u, double *decay_MeV_u)
{
  *decay_MeV_u = Zp == 1 && Ap == 2 ? 23.0 : 40.0;
  if (Zp == 1 && Ap == 2) return 1.65 + 0.1 / (1.0 + exp((500.0 - energy_MeV_u) / 200.0));
  if (Zp == 2 && Ap == 3) return 1.55;
  if (Zp == 2 && Ap == 4) return 2.2 - 8e-3 * At + 1.8e-5 * At * At - 0.3 / (1.0 + exp((120.0 - energy_MeV_u) / 50.0));
  return 1.75;
}

static double HeavySystem_mb(double Zp, double Ap, double Zt, double At, double energy_MeV_u)
{
  double e_cm = CentreOfMassEnergy(Ap, At, energy_MeV_u), p = cbrt(Ap), t = cbrt(At), decay;
  double density = Density(Zp, Ap, At, energy_MeV_u, &decay);
  double delta = Overlap(Ap, At, e_cm, (At - 2.0 * Zt) * Zp / (At * Ap)) - Transparency(density, decay, energy_MeV_u);
  double radius = 1.29 * 0.6 * 1.36 / 1.1 * (p + t) + 1.2 * (p + t) / cbrt(e_cm);
  double barrier = 1.44 * Zp * Zt / radius, size = R0_FM * (p + t + delta);
  return PetscMax(0.0, 10.0 * M_PI * size * size * (1.0 - barrier / e_cm));
}

/* One partner is a proton, (Z, A) the other. e_cm and MeV/u are those of the collision, whoever moves. */
static double ProtonSystem_mb(double Z, double A, double e_cm, double energy_MeV_u)
{
  double p = 1.0, t = cbrt(A);
  double density = 1.85 + 0.16 / (1.0 + exp((500.0 - energy_MeV_u) / 200.0));
  double delta = Overlap(1.0, A, e_cm, (A - 2.0 * Z) / A) - Transparency(density, 23.0, energy_MeV_u);
  double radius =
      1.29 * (ChargeRadius_fm(1, 1) + ChargeRadius_fm((PetscInt)Z, (PetscInt)A)) + 1.2 * (p + t) / cbrt(e_cm);
  double barrier = 1.44 * Z / radius, size = R0_FM * (p + t + delta);
  double x1 = 2.83 - 0.031 * A + 1.7e-4 * A * A, sl = 1.2 + 1.6 * -expm1(-energy_MeV_u / 15.0);
  double medium = 1.0 - x1 * exp(-energy_MeV_u / (x1 * sl));
  if (barrier >= e_cm || medium <= 0) return 0;
  return 10.0 * M_PI * size * size * (1.0 - barrier / e_cm) * medium;
}

double ReactionCrossSection_mb(PetscInt Zp, PetscInt Ap, PetscInt Zt, PetscInt At, double energy_MeV_u)
{
  if (!(energy_MeV_u > 0.1) || (Ap == 1 && At == 1)) return 0; /* protons on protons: only elastic here */
  double e_cm = CentreOfMassEnergy((double)Ap, (double)At, energy_MeV_u);
  if (At == 1) return ProtonSystem_mb((double)Zp, (double)Ap, e_cm, energy_MeV_u);
  if (Ap == 1) return ProtonSystem_mb((double)Zt, (double)At, e_cm, energy_MeV_u);
  return HeavySystem_mb((double)Zp, (double)Ap, (double)Zt, (double)At, energy_MeV_u);
}

/*
 * Free neutrons on protons, mb: what collisions in water make protons of. Linear between values of the phase-shift analysis of Arndt
 * et al., PRC 76:025209 (2007), rounded.
 */
double NeutronProton_mb(double energy_MeV)
{
  static const double table[][2] = {{20, 482}, {30, 305}, {50, 167}, {70, 114}, {100, 73},   {150, 50},
                                    {200, 42}, {250, 38}, {300, 35}, {400, 33}, {600, 36.5}, {1000, 39}};
  const size_t n = PETSC_STATIC_ARRAY_LENGTH(table);
  if (energy_MeV <= table[0][0]) return table[0][1];
  for (size_t i = 1; i < n; i++)
    if (energy_MeV <= table[i][0]) {
      double t = (energy_MeV - table[i - 1][0]) / (table[i][0] - table[i - 1][0]);
      return (1 - t) * table[i - 1][1] + t * table[i][1];
    }
  return table[n - 1][1];
}

double WaterMolecules_per_mm(double mb)
{
  return WATER_MOLECULES_PER_CM3 * CM2_PER_MB * mb * 0.1;
}

double ReactionCrossSectionWater_per_mm(PetscInt Z, PetscInt A, double energy_MeV_u)
{
  double mb =
      2.0 * ReactionCrossSection_mb(Z, A, 1, 1, energy_MeV_u) + ReactionCrossSection_mb(Z, A, 8, 16, energy_MeV_u);
  return WaterMolecules_per_mm(mb);
}
