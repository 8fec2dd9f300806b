/* The LQ-L dose chain: round trip, exact derivatives, continuity at D_t, published low-dose assembly. */
#include "robion/biology.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static BiologySpec tissue;

static int SetUp(void **state)
{
  return BiologySpecDefault(&tissue);
}

static void RoundTrip(void **state)
{
  for (double dose = 1e-9; dose < 300; dose *= 1.3)
    assert_double_near(RBEWeightedDose(&tissue, PhotonEffect(&tissue, dose), NULL) / dose, 1, 1e-12);
  assert_double_near(RBEWeightedDose(&tissue, 0, NULL), 0, 0);
  assert_double_near(PhotonEffect(&tissue, 30), 48, 1e-12);   /* 0.1*30 + 0.05*900 */
  assert_double_near(PhotonEffect(&tissue, 31), 51.1, 1e-12); /* s_max 3.1 1/Gy */
  BiologySpec linear = tissue;
  linear.beta_x_per_Gy2 = 0;
  for (double dose = 0.1; dose < 100; dose *= 3)
    assert_double_near(RBEWeightedDose(&linear, PhotonEffect(&linear, dose), NULL), dose, 1e-11);
}

static void DoseDerivative(void **state)
{
  for (double effect = 1e-4; effect < 200; effect *= 1.17) {
    double slope, h = 1e-5 * effect;
    RBEWeightedDose(&tissue, effect, &slope);
    double difference =
        (RBEWeightedDose(&tissue, effect + h, NULL) - RBEWeightedDose(&tissue, effect - h, NULL)) / (2 * h);
    assert_double_near(slope / difference, 1, 1e-7);
  }
  double below, above;
  RBEWeightedDose(&tissue, 48 - 1e-9, &below);
  RBEWeightedDose(&tissue, 48 + 1e-9, &above);
  assert_double_near(below, above, 1e-9);
  assert_double_near(above, 1 / 3.1, 1e-9);
  RBEWeightedDose(&tissue, 0, &below);
  assert_double_near(below, 10, 1e-12);
}

/* Central differences of the effect in each of its three inputs. */
static void EffectGradient(void **state)
{
  const double doses[] = {1e-3, 0.5, 2, 10, 29.9, 30.1, 31, 60, 200};
  for (size_t i = 0; i < sizeof doses / sizeof *doses; i++) {
    double d = doses[i], h = 1e-6 * d;
    FieldDose field = {d, 0.6 * d, 0.19 * d, 0}, grad;
    FieldEffect(&tissue, field, &grad);
    const double exact[3] = {grad.dose_Gy, grad.alpha_dose, grad.sqrt_beta_dose};
    for (int k = 0; k < 3; k++) {
      FieldDose up = field, down = field;
      *(&up.dose_Gy + k) += h;
      *(&down.dose_Gy + k) -= h;
      double difference = (FieldEffect(&tissue, up, NULL) - FieldEffect(&tissue, down, NULL)) / (2 * h);
      assert_double_near(exact[k], difference, 1e-6 * (1 + fabs(difference)));
    }
  }
}

static void EffectOfField(void **state)
{
  FieldDose grad, nothing = {0}, two = {2, 1.2, 0.4, 0};
  assert_double_near(FieldEffect(&tissue, nothing, &grad), 0, 0);
  assert_true(grad.dose_Gy == 0 && grad.alpha_dose == 1 && grad.sqrt_beta_dose == 0);
  assert_double_near(FieldEffect(&tissue, two, NULL), 1.2 + 0.16, 1e-15);
  /* above D_t: alpha D_t + beta D_t^2 + s_max (D - D_t) with alpha 0.6, beta 0.04 */
  FieldDose forty = {40, 24, 8, 0};
  assert_double_near(FieldEffect(&tissue, forty, NULL), 0.6 * 30 + 0.04 * 900 + 3.1 * 10, 1e-12);
  /* value is continuous at D_t */
  FieldDose below = {30 - 1e-10, 18, 6, 0}, above = {30 + 1e-10, 18, 6, 0};
  assert_double_near(FieldEffect(&tissue, below, NULL), FieldEffect(&tissue, above, NULL), 1e-8);
  /* photons come out as photons */
  for (double d = 0.1; d < 100; d *= 1.9) {
    FieldDose photons = {d, 0.1 * d, sqrt(0.05) * d, 0};
    assert_double_near(RBEWeightedDose(&tissue, FieldEffect(&tissue, photons, NULL), NULL) / d, 1, 1e-12);
  }
}

/* A TRiP98 voxel (chordom02): sums of dose, alpha dose and sqrt(beta) dose over the spectrum, MeV/g; the RBE is found at the
   spectrum's dose and multiplies the depth-dose table's. */
static void PublishedVoxel(void **state)
{
  const double Gy = 1.602189e-8, table_dose = 49048289.198 * Gy;
  FieldDose voxel = {49191444.797 * Gy, 45172107.196 * Gy, 8382307.271 * Gy, 0};
  assert_double_near(voxel.dose_Gy, 0.788140, 1e-6);
  assert_double_near(table_dose, 0.785846, 1e-6);
  double rbe = RBEWeightedDose(&tissue, FieldEffect(&tissue, voxel, NULL), NULL) / voxel.dose_Gy;
  print_message("RBE %.6f (3.780287), RBE-weighted dose %.6f (2.970724)\n", rbe, rbe * table_dose);
  assert_double_near(rbe, 3.780287, 1e-4);
  assert_double_near(rbe * table_dose, 2.970724, 1e-4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RoundTrip), cmocka_unit_test(DoseDerivative),
                                     cmocka_unit_test(EffectGradient), cmocka_unit_test(EffectOfField),
                                     cmocka_unit_test(PublishedVoxel)};
  return cmocka_run_group_tests(tests, SetUp, NULL);
}
