/* Reaction cross sections (Tripathi): the Geant4 physics manual's 12C + 12C, and ion + water from the published formulas. */
#include "robion/machine.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static void CarbonOnCarbon(void **state)
{
  const double published[][2] = {{30, 1269.24}, {83, 989.96}, {200, 864.56}};
  for (int i = 0; i < 3; i++) {
    double found = ReactionCrossSection_mb(6, 12, 6, 12, published[i][0]);
    print_message("12C on 12C, %g MeV/u: %.2f mb (%.2f)\n", published[i][0], found, published[i][1]);
    assert_double_near(found, published[i][1], 0.02);
  }
}

/*
 * Helium against Horst et al., PRC 96:024624 (2017) and 99:014603 (2019), EXFOR O2435 and O2441: MeV/u, mass changing cross section and
 * its error, mb. Each within 10 % or 1.5 errors; on carbon, oxygen and water together within 5 %.
 */
static void Helium(void **state)
{
  const struct {
    PetscInt Z, A; /* Z 0: water */
    double energy_MeV_u, mb, error_mb;
  } measured[] = {{6, 12, 74, 602, 66},  {6, 12, 83.5, 548, 47}, {6, 12, 125, 497, 40}, {6, 12, 176, 500, 35},
                  {6, 12, 216, 520, 32}, {8, 16, 71, 678, 152},  {8, 16, 119, 613, 88}, {8, 16, 213, 584, 75},
                  {0, 0, 213, 800, 58},  {1, 1, 71, 137, 69},    {1, 1, 119, 117, 37},  {1, 1, 213, 104, 35}};
  double sum = 0;
  int n = 0;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(measured); i++) {
    const PetscInt Z = measured[i].Z, A = measured[i].A;
    const double e = measured[i].energy_MeV_u;
    double mb = Z ? ReactionCrossSection_mb(2, 4, Z, A, e)
                  : 2 * ReactionCrossSection_mb(2, 4, 1, 1, e) + ReactionCrossSection_mb(2, 4, 8, 16, e);
    double off = fabs(mb - measured[i].mb), ratio = mb / measured[i].mb;
    print_message("4He on %s, %5.1f MeV/u: %3.0f mb, measured %.0f +- %.0f, ratio %.3f\n",
                  Z == 1   ? "H"
                  : Z == 6 ? "C"
                  : Z      ? "O"
                           : "H2O",
                  e, mb, measured[i].mb, measured[i].error_mb, ratio);
    assert_true(off < 0.1 * measured[i].mb || (Z == 1 && off < 1.5 * measured[i].error_mb));
    if (Z != 1) {
      sum += ratio;
      n++;
    }
  }
  assert_double_near(sum / n, 1, 0.05);
}

/* No cross section of a light ion jumps or turns negative from 20 to 430 MeV/u, and more nucleons meet more. */
static void LightIons(void **state)
{
  static const Species light[] = {{1, 1}, {1, 2}, {1, 3}, {2, 3}, {2, 4}, {3, 6}, {3, 7}},
                       target[] = {{6, 12}, {8, 16}};
  for (int t = 0; t < 2; t++)
    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(light); i++)
      for (double e = 20; e < 430; e *= 1.05) {
        double here = ReactionCrossSection_mb(light[i].Z, light[i].A, target[t].Z, target[t].A, e);
        double next = ReactionCrossSection_mb(light[i].Z, light[i].A, target[t].Z, target[t].A, 1.05 * e);
        double proton = ReactionCrossSection_mb(1, 1, target[t].Z, target[t].A, e);
        assert_true(next > 0.95 * here && next < 1.02 * here && here >= proton);
        assert_true(here < ReactionCrossSection_mb(6, 12, target[t].Z, target[t].A, e));
      }
}

/* MeV/u; on H, on O, on H2O in mb, mean free path in cm; 12C then 11C. */
static void OnWater(void **state)
{
  const double table[][9] = {
      {10, 385, 1514, 2285, 13.1, 349, 1452, 2151, 13.9},  {50, 333, 1260, 1926, 15.5, 299, 1215, 1812, 16.5},
      {100, 270, 1077, 1616, 18.5, 238, 1036, 1513, 19.8}, {200, 242, 988, 1471, 20.3, 212, 949, 1373, 21.8},
      {300, 237, 980, 1453, 20.6, 207, 942, 1357, 22.1},   {400, 239, 993, 1472, 20.3, 210, 955, 1374, 21.8},
      {440, 241, 1000, 1483, 20.2, 212, 962, 1385, 21.6}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (int k = 0; k < 2; k++) {
      const double *row = table[i] + 1 + 4 * k, e = table[i][0];
      PetscInt A = 12 - k;
      assert_double_near(ReactionCrossSection_mb(6, A, 1, 1, e), row[0], 1.2);
      assert_double_near(ReactionCrossSection_mb(6, A, 8, 16, e), row[1], 1.2);
      double per_mm = ReactionCrossSectionWater_per_mm(6, A, e);
      assert_double_near(0.1 / per_mm, row[3], 0.06);
      assert_double_near(per_mm / (3.343e22 * 1e-28), row[2], 2.5);
    }
}

/* 12C that reach the end of their range without a reaction. */
static void UnscathedPrimaries(void **state)
{
  const double table[][3] = {
      {100, 0.85, 0.87}, {200, 0.62, 0.67}, {270, 0.47, 0.52}, {400, 0.25, 0.30}, {430, 0.21, 0.26}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (int k = 0; k < 2; k++) {
      PetscInt A = 12 - k;
      double range = CSDARange_mm(6, A, table[i][0]), sum = 0;
      for (int j = 0; j < 1000; j++)
        sum +=
            1e-3 * range * ReactionCrossSectionWater_per_mm(6, A, EnergyOfRange_MeV_u(6, A, (j + 0.5) * 1e-3 * range));
      assert_double_near(exp(-sum), table[i][1 + k], 0.0101);
    }
}

static void NeverNegative(void **state)
{
  const PetscInt ions[][2] = {{1, 1}, {1, 2}, {1, 3}, {2, 3}, {2, 4}, {3, 6}, {4, 7}, {5, 10}, {6, 10}, {6, 12}};
  for (size_t i = 0; i < sizeof ions / sizeof *ions; i++)
    for (double e = 1e-3; e < 1000; e *= 1.4) {
      double per_mm = ReactionCrossSectionWater_per_mm(ions[i][0], ions[i][1], e);
      assert_true(per_mm >= 0 && per_mm < 0.02);
    }
  assert_double_near(ReactionCrossSection_mb(1, 1, 1, 1, 200), 0, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(CarbonOnCarbon),     cmocka_unit_test(Helium),
                                     cmocka_unit_test(LightIons),          cmocka_unit_test(OnWater),
                                     cmocka_unit_test(UnscathedPrimaries), cmocka_unit_test(NeverNegative)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
