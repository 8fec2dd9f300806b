/* Stochastic MKM: its two coefficients, the correction for the spread of the nucleus' energy, published survival. */
#include "../../src/biology/biology_private.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static BiologySpec spec;

static int Start(void **state)
{
  return PetscInitializeNoArguments() || BiologySpecPreset("smk", NULL, &spec);
}

static int Stop(void **state)
{
  return PetscFinalize();
}

static void Coefficients(void **state)
{
  assert_double_near(SaturationDose_Gy(&spec), 66, 0);
  double before = 0.0568;
  for (double energy = 430; energy > 1; energy *= 0.8) {
    double z = SpecificEnergy_Gy(6, 12, energy, 0.28, 66), all = SpecificEnergy_Gy(6, 12, energy, 0.28, 0);
    IonResponse r = SMK(&spec, 6, 12, energy);
    assert_double_near(r.alpha_per_Gy, 0.174 + 0.0568 * z, 1e-9);
    assert_double_near(r.beta_per_Gy2, 0.0568 * z / all, 1e-9);
    assert_true(r.beta_per_Gy2 > 0 && r.beta_per_Gy2 < before); /* overkill grows as the ion slows down */
    before = r.beta_per_Gy2;
  }
  /* sparsely ionising: nothing saturates */
  assert_double_near(SMK(&spec, 1, 1, 200).beta_per_Gy2, 0.0568, 2e-4);
}

/* The factor is the second-order term of the mean over a spread of nucleus doses with variance D z_n: here a Gaussian one. */
static void SpreadOfNucleusDose(void **state)
{
  const IonResponse r = {0, 1.1, 0.05};
  for (double z_n = 1e-4; z_n < 0.02; z_n *= 2)
    for (double dose = 0.5; dose < 4; dose += 0.7) {
      double sum = 0, norm = 0, sigma = sqrt(dose * z_n);
      for (double u = -7; u <= 7; u += 0.01) {
        double d = dose + u * sigma, weight = exp(-0.5 * u * u);
        sum += weight * exp(-(r.alpha_per_Gy + r.beta_per_Gy2 * d) * d);
        norm += weight;
      }
      double second = z_n * dose * pow(r.alpha_per_Gy + 2 * r.beta_per_Gy2 * dose, 2);
      assert_double_near(SMKSurvival(r, z_n, dose) / (sum / norm), 1, 0.2 * second * second + 1e-9);
    }
  assert_double_near(SMKSurvival(r, 0, 2), exp(-2.4), 1e-15);
  assert_double_near(SMKSurvival(r, 0.1, 0), 1, 0);
}

/* The dose chain's pair is survival's own slope and curvature at dose 0. */
static void Expansion(void **state)
{
  for (double energy = 2; energy < 400; energy *= 1.9) {
    double z_n = SpecificEnergy_Gy(6, 12, energy, spec.r_nucleus_um, 0), h = 1e-3;
    IonResponse r = SMK(&spec, 6, 12, energy), e = SMKExpansion(&spec, r, z_n);
    double one = -log(SMKSurvival(r, z_n, h)), two = -log(SMKSurvival(r, z_n, 2 * h));
    assert_double_near((2 * one - 0.5 * two) / h, e.alpha_per_Gy, 1e-5);
    assert_double_near((two - 2 * one) / (2 * h * h), e.beta_per_Gy2, 1e-3);
    assert_double_near(e.rbe_alpha, e.alpha_per_Gy / 0.331, 1e-12);
  }
}

/* HSG in 12C beams, digitised from Inaniwa & Kanematsu, PMB 63:095011, 2018: within 10 % in the logarithm of survival. */
static void SurvivalCurves(void **state)
{
  static const double point[][4] = {/* MeV/u, Gy, survival, keV/um */
                                    {122.0, 0.597, 0.677, 22.5}, {122.0, 1.91, 0.246, 22.5},
                                    {122.0, 3.66, 0.0494, 22.5}, {122.0, 5.32, 0.00776, 22.5},
                                    {12.37, 0.42, 0.427, 137},   {12.37, 1.48, 0.0497, 137},
                                    {12.37, 2.68, 0.00393, 137}, {3.73, 0.43, 0.603, 333},
                                    {3.73, 2.13, 0.0773, 333},   {3.73, 3.95, 0.00572, 333}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(point); i++) {
    double energy = point[i][0], dose = point[i][1], let = LET_keV_um(6, 12, energy);
    assert_double_near(let / point[i][3], 1, 0.005);
    double z_n = SpecificEnergy_Gy(6, 12, energy, spec.r_nucleus_um, 0);
    IonResponse r = SMK(&spec, 6, 12, energy), expansion = SMKExpansion(&spec, r, z_n);
    double survival = SMKSurvival(r, z_n, dose);
    double chain = (expansion.alpha_per_Gy + expansion.beta_per_Gy2 * dose) * dose / -log(point[i][2]);
    double ratio = log(survival) / log(point[i][2]);
    print_message("HSG %.1f keV/um %.3f Gy: %+.1f %% in ln S (dose chain: %+.1f %%)\n", let, dose, 100 * (ratio - 1),
                  100 * (chain - 1));
    assert_double_near(ratio, 1, 0.1);
    assert_double_near(chain, 1, 0.1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Coefficients), cmocka_unit_test(SpreadOfNucleusDose),
                                     cmocka_unit_test(Expansion), cmocka_unit_test(SurvivalCurves)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
