/*
 * Stopping power and range in water.
 *
 * From 1 MeV/u: Bethe for a unit charge with an exponential shell term, times the square of the effective charge. Below:
 * the interpolation of Varelas and Biersack (NIM 79:213, 1970), continuous at 1 MeV/u. The shell term and the
 * Varelas-Biersack coefficients are fitted to the proton table of ICRU report 90 (within 0.4 % from 1 MeV, 2 % below).
 * Ions of Z > 3 get the higher-order terms of a point charge, Mott's and Bloch's, which with ICRU 90's I of 78 eV bring
 * carbon within 0.2 % of FLUKA's LET above 30 MeV/u and within 0.1 % of its ranges above 80.
 */
#include "machine_private.h"
#include <gsl/gsl_spline.h>
#include <math.h>

#define ELECTRON_MASS_MEV 0.510999
#define BETHE_K 0.307075       /* MeV cm2/mol */
#define WATER_Z_PER_A 0.55508  /* mol/g */
#define WATER_I_MEV 78e-6      /* mean excitation energy, ICRU report 90 */
#define SHELL 0.137            /* shell correction SHELL exp(-E/SHELL_DECAY) of the stopping number */
#define SHELL_DECAY_MEV_U 4.00 /* MeV/u */
#define BETHE_FROM_MEV_U 1.0   /* Varelas-Biersack below */
#define VB_LOW 4069.0          /* S_low = VB_LOW E^VB_POWER, MeV cm2/g with E in MeV */
#define VB_POWER 0.493         /* S_high = c/E ln(1 + VB_A/E + VB_B E); c from continuity */
#define VB_A 1.633
#define VB_B 55.12
#define BARKAS 125.0    /* of the effective charge Z (1 - exp(-125 beta Z^(-2/3))); Barkas (1963) */
#define BARKAS_RISE 7.0 /* up to 1 MeV/u: fitted to carbon, between FLUKA and MSTAR at 1 to 5, TRiP98 at 0.13 MeV/u */
#define FINE_STRUCTURE (1 / 137.036)
#define BLOCH_FROM_MEV_U                                                                                               \
  16.0 /* far below it the effective charge, fitted to the same tables, stands for these terms too */

#define TABLE_POINTS 2200
#define TABLE_FROM_MEV_U 1e-3
#define TABLE_TO_MEV_U 3000.0 /* light fragments are faster than a beam of 1000 MeV/u */

static double BetaSquared(double energy_MeV_u)
{
  double gamma = 1.0 + energy_MeV_u / ATOMIC_MASS_MEV;
  return (gamma - 1.0) * (gamma + 1.0) / (gamma * gamma);
}

static double Bethe(double energy_MeV_u)
{
  double b2 = BetaSquared(energy_MeV_u), t_max = 2.0 * ELECTRON_MASS_MEV * b2 / (1.0 - b2);
  double number = log(t_max / WATER_I_MEV) - b2 - SHELL * exp(-energy_MeV_u / SHELL_DECAY_MEV_U);
  return BETHE_K * WATER_Z_PER_A / b2 * number;
}

/* Electronic stopping power for unit charge, MeV cm2/g. */
static double UnitChargeStopping(double energy_MeV_u)
{
  if (energy_MeV_u >= BETHE_FROM_MEV_U) return Bethe(energy_MeV_u);
  static double high_factor = 0;
  if (high_factor == 0) {
    double high = 1.0 / (1.0 / Bethe(BETHE_FROM_MEV_U) - 1.0 / (VB_LOW * pow(BETHE_FROM_MEV_U, VB_POWER)));
    high_factor = high * BETHE_FROM_MEV_U / log(1.0 + VB_A / BETHE_FROM_MEV_U + VB_B * BETHE_FROM_MEV_U);
  }
  double low = VB_LOW * pow(energy_MeV_u, VB_POWER);
  double high = high_factor / energy_MeV_u * log(1.0 + VB_A / energy_MeV_u + VB_B * energy_MeV_u);
  return low * high / (low + high);
}

/* Helium charge fraction, polynomial in ln(E/keV) of Ziegler, Biersack, Littmark, Stopping and Range of Ions (1985). */
static double HeliumCharge(double energy_MeV_u)
{
  static const double c[6] = {0.2865, 0.1266, -0.001429, 0.02402, -0.01135, 0.001475};
  double l = log(PetscMin(PetscMax(energy_MeV_u * 1e3, 1.0), 1e4)), sum = 0;
  for (int i = 5; i >= 0; i--) sum = sum * l + c[i];
  return sqrt(-expm1(-PetscMax(sum, 1e-3)));
}

/* Lithium charge fraction, ibid. */
static double LithiumCharge(double energy_MeV_u)
{
  double e_keV = energy_MeV_u * 1e3;
  return -expm1(-(0.7138 + 0.002797 * e_keV + 1.348e-6 * e_keV * e_keV));
}

/* Effective charge relative to that of a proton at the same velocity. */
static double EffectiveCharge(PetscInt Z, double energy_MeV_u)
{
  if (Z == 1) return 1.0;
  if (Z == 2) return 2.0 * HeliumCharge(energy_MeV_u);
  if (Z == 3) return 3.0 * LithiumCharge(energy_MeV_u);
  double constant = BARKAS + BARKAS_RISE * sqrt(PetscMin(1.0, energy_MeV_u));
  double x = constant * sqrt(BetaSquared(energy_MeV_u));
  return (double)Z * expm1(-x / cbrt((double)(Z * Z))) / expm1(-x);
}

/*
 * What Mott scattering and Bloch's correction add to the stopping power of a heavier ion, relative to it: pi alpha beta Z / 2
 * (Jackson & McCarthy, PRB 6:4131, 1972) and -y^2 sum 1/(n (n^2 + y^2)), y = alpha Z / beta (Bloch, Ann Phys 16:285, 1933).
 */
static double HigherOrders(PetscInt Z, double energy_MeV_u)
{
  if (Z <= 3 || energy_MeV_u < BETHE_FROM_MEV_U) return 0;
  double b2 = BetaSquared(energy_MeV_u), y2 = FINE_STRUCTURE * FINE_STRUCTURE * (double)(Z * Z) / b2, sum = 0;
  for (int n = 1; n <= 20; n++) sum += 1.0 / (n * (n * n + y2));
  double terms = 0.5 * M_PI * FINE_STRUCTURE * (double)Z * sqrt(b2) - y2 * sum;
  double bethe = Bethe(energy_MeV_u) * b2 / (BETHE_K * WATER_Z_PER_A), below = BLOCH_FROM_MEV_U / energy_MeV_u;
  return terms / bethe * exp(-below * below);
}

double StoppingPower_MeV_cm2_g(PetscInt Z, PetscInt A, double energy_MeV_u)
{
  if (!(energy_MeV_u > 0)) return 0;
  double charge = EffectiveCharge(Z, energy_MeV_u);
  (void)A; /* at equal velocity isotopes lose the same; the recoil term of T_max is below 0.1 % */
  return UnitChargeStopping(energy_MeV_u) * charge * charge * (1.0 + HigherOrders(Z, energy_MeV_u));
}

double LET_keV_um(PetscInt Z, PetscInt A, double energy_MeV_u)
{
  return 0.1 * StoppingPower_MeV_cm2_g(Z, A, energy_MeV_u);
}

/* AME 2020 atomic masses less the electrons. */
double NuclearMass_u(PetscInt Z, PetscInt A)
{
  static const struct {
    PetscInt Z, A;
    double mass;
  } known[] = {{1, 1, 1.00728},   {1, 2, 2.01355},   {1, 3, 3.01550},   {2, 3, 3.01493},  {2, 4, 4.00151},
               {3, 6, 6.01348},   {3, 7, 7.01436},   {4, 7, 7.01473},   {4, 9, 9.00999},  {5, 10, 10.01019},
               {5, 11, 11.00656}, {6, 10, 10.01356}, {6, 11, 11.00814}, {6, 12, 11.99671}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].Z == Z && known[i].A == A) return known[i].mass;
  return (double)A;
}

/* Range tables of one nuclide: monotone splines ln(range) of ln(energy) and back. */
typedef struct RangeTable {
  PetscInt Z, A;
  double range_from_mm; /* at TABLE_FROM_MEV_U; below, S ~ sqrt(E) makes the range ~ sqrt(E) */
  gsl_spline *range, *energy;
  gsl_interp_accel *range_place, *energy_place;
} RangeTable;

/* Range gained from energy a to b (MeV/u, close together), mm: Gauss-Legendre on ln(E). */
static double RangeBetween(PetscInt Z, PetscInt A, double a, double b)
{
  static const double x[3] = {-0.7745966692414834, 0, 0.7745966692414834}, w[3] = {5.0 / 18, 8.0 / 18, 5.0 / 18};
  double half = 0.5 * log(b / a), mid = sqrt(a * b), sum = 0;
  for (int i = 0; i < 3; i++) {
    double e = mid * exp(half * x[i]);
    sum += w[i] * e / StoppingPower_MeV_cm2_g(Z, A, e);
  }
  return 10.0 * NuclearMass_u(Z, A) * 2.0 * half * sum;
}

static void RangeTableFill(RangeTable *table, PetscInt Z, PetscInt A)
{
  double *ln_energy = malloc(TABLE_POINTS * sizeof(double)), *ln_range = malloc(TABLE_POINTS * sizeof(double));
  double step = log(TABLE_TO_MEV_U / TABLE_FROM_MEV_U) / (TABLE_POINTS - 1), previous = TABLE_FROM_MEV_U;
  double range = 20.0 * NuclearMass_u(Z, A) * previous / StoppingPower_MeV_cm2_g(Z, A, previous);
  table->Z = Z;
  table->A = A;
  table->range_from_mm = range;
  for (int i = 0; i < TABLE_POINTS; i++) {
    ln_energy[i] = log(TABLE_FROM_MEV_U) + i * step;
    double energy = exp(ln_energy[i]);
    if (i) range += RangeBetween(Z, A, previous, energy);
    ln_range[i] = log(range);
    previous = energy;
  }
  table->range = gsl_spline_alloc(gsl_interp_steffen, TABLE_POINTS);
  table->energy = gsl_spline_alloc(gsl_interp_steffen, TABLE_POINTS);
  table->range_place = gsl_interp_accel_alloc();
  table->energy_place = gsl_interp_accel_alloc();
  gsl_spline_init(table->range, ln_energy, ln_range, TABLE_POINTS);
  gsl_spline_init(table->energy, ln_range, ln_energy, TABLE_POINTS);
  free(ln_energy);
  free(ln_range);
}

/* The table of a nuclide, made at first use and kept for the life of the program. */
static RangeTable *RangeTableOf(PetscInt Z, PetscInt A)
{
  static RangeTable tables[32];
  static int count = 0;
  for (int i = 0; i < count; i++)
    if (tables[i].Z == Z && tables[i].A == A) return &tables[i];
  RangeTable *table = &tables[count < 32 ? count++ : 31];
  if (table->range) {
    gsl_spline_free(table->range);
    gsl_spline_free(table->energy);
    gsl_interp_accel_free(table->range_place);
    gsl_interp_accel_free(table->energy_place);
  }
  RangeTableFill(table, Z, A);
  return table;
}

double CSDARange_mm(PetscInt Z, PetscInt A, double energy_MeV_u)
{
  if (!(energy_MeV_u > 0)) return 0;
  RangeTable *table = RangeTableOf(Z, A);
  if (energy_MeV_u <= TABLE_FROM_MEV_U) return table->range_from_mm * sqrt(energy_MeV_u / TABLE_FROM_MEV_U);
  double ln_energy = PetscMin(log(energy_MeV_u), table->range->x[TABLE_POINTS - 1]);
  return exp(gsl_spline_eval(table->range, ln_energy, table->range_place));
}

double EnergyOfRange_MeV_u(PetscInt Z, PetscInt A, double range_mm)
{
  if (!(range_mm > 0)) return 0;
  RangeTable *table = RangeTableOf(Z, A);
  double fraction = range_mm / table->range_from_mm;
  if (fraction <= 1) return TABLE_FROM_MEV_U * fraction * fraction;
  double ln_range = PetscMin(log(range_mm), table->energy->x[TABLE_POINTS - 1]);
  return exp(gsl_spline_eval(table->energy, ln_range, table->energy_place));
}
