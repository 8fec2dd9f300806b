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
  const struct CMUnitTest tests[] = {cmocka_unit_test(CarbonOnCarbon), cmocka_unit_test(OnWater),
                                     cmocka_unit_test(UnscathedPrimaries), cmocka_unit_test(NeverNegative)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
