/* Stopping power and range in water against FLUKA (I = 77 eV), ICRU 73 (2009), ICRU 90 and the TRiP98 header values. */
#include "robion/machine.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

/* MeV/u, LET keV/um, CSDA range cm (FLUKA 2020), CSDA range cm (ICRU 73 of 2009) of 12C in water. */
static const double carbon[][4] = {{10, 159.8, 0.0438, 0.0427}, {50, 44.36, 0.755, 0.753},  {80, 30.77, 1.750, 1.748},
                                   {100, 26.02, 2.602, 2.600},  {150, 19.46, 5.309, 5.305}, {200, 16.08, 8.726, 8.720},
                                   {250, 14.01, 12.74, 12.73},  {270, 13.39, 14.49, 14.49}, {300, 12.62, 17.27, 17.26},
                                   {350, 11.63, 22.23, 22.22},  {400, 10.88, 27.57, 27.56}, {430, 10.52, 30.94, 30.92},
                                   {440, 10.42, 32.08, 32.07}};
enum { ROWS = sizeof carbon / sizeof *carbon };

static void near_relative(double found, double want, double tolerance, const char *what, double energy)
{
  if (fabs(found / want - 1) > tolerance || !isfinite(found))
    fail_msg("%s at %g MeV/u: %.5g, expected %.5g within %g %%", what, energy, found, want, 100 * tolerance);
}

static void LETOfCarbon(void **state)
{
  double worst = 0;
  for (int i = 0; i < ROWS; i++) {
    double found = LET_keV_um(6, 12, carbon[i][0]);
    near_relative(found, carbon[i][1], 0.015, "LET", carbon[i][0]);
    print_message("12C %3g MeV/u: LET %.2f keV/um (FLUKA %.2f, %+.2f %%)\n", carbon[i][0], found, carbon[i][1],
                  100 * (found / carbon[i][1] - 1));
    worst = fmax(worst, fabs(found / carbon[i][1] - 1));
  }
  print_message("worst LET difference from FLUKA 10..440 MeV/u: %.2f %%\n", 100 * worst);
  near_relative(LET_keV_um(6, 12, 1), 652.3, 0.015, "LET", 1);
  near_relative(StoppingPower_MeV_cm2_g(6, 12, 277.407), 131.461, 0.005, "stopping power (TRiP98)", 277.407);
}

static void RangeOfCarbon(void **state)
{
  double worst = 0;
  for (int i = 0; i < ROWS; i++) {
    double found = 0.1 * CSDARange_mm(6, 12, carbon[i][0]);
    near_relative(found, carbon[i][2], 0.007, "range (FLUKA)", carbon[i][0]);
    print_message("12C %3g MeV/u: range %.4g cm (FLUKA %.4g, %+.2f %%)\n", carbon[i][0], found, carbon[i][2],
                  100 * (found / carbon[i][2] - 1));
    worst = fmax(worst, fabs(found / carbon[i][2] - 1));
    if (carbon[i][0] > 10) near_relative(found, carbon[i][3], 0.007, "range (ICRU 73)", carbon[i][0]);
  }
  print_message("worst range difference from FLUKA 10..440 MeV/u: %.2f %%\n", 100 * worst);
}

/* ICRU 90, protons in liquid water, MeV cm2/g. */
static void Protons(void **state)
{
  const double table[][2] = {{0.1, 814.5}, {0.3, 543.5}, {1, 257.4},   {3, 116.0},   {10, 45.32},
                             {30, 18.64},  {100, 7.250}, {200, 4.470}, {400, 3.018}, {1000, 2.203}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    near_relative(StoppingPower_MeV_cm2_g(1, 1, table[i][0]), table[i][1], table[i][0] < 1 ? 0.025 : 0.006, "proton S",
                  table[i][0]);
}

/* Equal velocity: same dE/dx, range as mass over charge squared. */
static void Isotopes(void **state)
{
  for (double e = 20; e < 450; e += 43) {
    assert_double_near(LET_keV_um(6, 11, e), LET_keV_um(6, 12, e), 1e-12);
    near_relative(CSDARange_mm(6, 11, e) / CSDARange_mm(6, 12, e), 0.9176, 0.0005, "11C/12C range", e);
  }
  print_message("range of 11C over that of 12C at 300 MeV/u: %.5f (0.9176)\n",
                CSDARange_mm(6, 11, 300) / CSDARange_mm(6, 12, 300));
  const double expected_cm[][2] = {{100, 2.39}, {200, 8.00}, {300, 15.83}, {400, 25.28}, {430, 28.37}};
  for (int i = 0; i < 5; i++)
    near_relative(0.1 * CSDARange_mm(6, 11, expected_cm[i][0]), expected_cm[i][1], 0.005, "11C range",
                  expected_cm[i][0]);
  near_relative(CSDARange_mm(2, 4, 150) / CSDARange_mm(1, 1, 150), 0.993, 0.01, "4He/proton range", 150);
}

static void InverseAndSlope(void **state)
{
  const PetscInt species[][2] = {{1, 1}, {1, 3}, {2, 4}, {3, 7}, {5, 11}, {6, 12}};
  for (size_t s = 0; s < sizeof species / sizeof *species; s++) {
    PetscInt Z = species[s][0], A = species[s][1];
    double before = 0;
    for (double e = 1e-4; e < 1000; e *= 1.23) {
      double range = CSDARange_mm(Z, A, e);
      assert_true(range > before && isfinite(range));
      near_relative(EnergyOfRange_MeV_u(Z, A, range), e, 1e-7, "energy of range", e);
      before = range;
      if (e < 0.1) continue;
      double mass = 1.0 * (double)A,
             slope = (CSDARange_mm(Z, A, 1.001 * e) - CSDARange_mm(Z, A, 0.999 * e)) / (0.002 * e);
      near_relative(10 * mass / slope, StoppingPower_MeV_cm2_g(Z, A, e), 0.009, "dE/dx from range", e);
    }
  }
  assert_double_near(EnergyOfRange_MeV_u(6, 12, 0), 0, 0);
  assert_double_near(EnergyOfRange_MeV_u(6, 12, -1), 0, 0);
}

/* No step where the low-energy form takes over, one maximum below it. */
static void SmoothBelowOneMeV(void **state)
{
  for (PetscInt Z = 1; Z <= 6; Z++) {
    near_relative(LET_keV_um(Z, 2 * Z, 1 - 1e-9), LET_keV_um(Z, 2 * Z, 1 + 1e-9), 1e-6, "S across 1 MeV/u", 1);
    int turns = 0;
    double before = LET_keV_um(Z, 2 * Z, 0.001), slope = 1;
    for (double e = 0.00105; e < 1000; e *= 1.05) {
      double now = LET_keV_um(Z, 2 * Z, e);
      if ((now - before) * slope < 0) {
        turns++;
        slope = -slope;
      }
      before = now;
    }
    assert_int_equal(turns, 1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(LETOfCarbon),     cmocka_unit_test(RangeOfCarbon),
                                     cmocka_unit_test(Protons),         cmocka_unit_test(Isotopes),
                                     cmocka_unit_test(InverseAndSlope), cmocka_unit_test(SmoothBelowOneMeV)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
