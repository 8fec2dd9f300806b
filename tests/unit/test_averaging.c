/* Both averages of beta in the dose chain, with exact derivatives; the model of constant RBE. */
#include "biology_case.h"
#include <math.h>

/* Central differences of effect and RBE-weighted dose in each input, by both rules, below and beyond D_t. */
static void Derivatives(void **state)
{
  for (int rule = 0; rule < 2; rule++)
    for (double dose = 1e-3; dose < 200; dose *= 1.9) {
      BiologySpec spec = hsg;
      spec.averaging = rule ? AVERAGE_BETA : AVERAGE_SQRT_BETA;
      spec.d_t_Gy = 30;
      FieldDose field = {dose, 0.7 * dose, (rule ? 0.05 : 0.22) * dose, 0}, grad;
      double slope, value = RBEWeightedDose(&spec, FieldEffect(&spec, field, &grad), &slope), h = 1e-6 * dose;
      assert_true(value > 0);
      const double exact[3] = {grad.dose_Gy, grad.alpha_dose, grad.sqrt_beta_dose};
      for (int k = 0; k < 3; k++) {
        FieldDose up = field, down = field;
        *(&up.dose_Gy + k) += h;
        *(&down.dose_Gy + k) -= h;
        double above = FieldEffect(&spec, up, NULL), below = FieldEffect(&spec, down, NULL);
        assert_double_near(exact[k], (above - below) / (2 * h), 1e-6 * (1 + fabs(exact[k])));
        double difference = RBEWeightedDose(&spec, above, NULL) - RBEWeightedDose(&spec, below, NULL);
        assert_double_near(slope * exact[k], difference / (2 * h), 1e-5 * (1 + fabs(slope * exact[k])));
      }
    }
}

/* One ion: both rules agree. A mixture of beta 0.01 and 0.09 in equal parts: 0.04 by its root, 0.05 by itself. */
static void BothAverages(void **state)
{
  BiologySpec linear = hsg;
  linear.averaging = AVERAGE_BETA;
  for (double dose = 0.5; dose < 2000; dose *= 3) {
    FieldDose root = {dose, 0.5 * dose, 0.2 * dose, 0}, one = {dose, 0.5 * dose, 0.04 * dose, 0};
    FieldDose mixed_root = {dose, 0.5 * dose, 0.5 * (0.1 + 0.3) * dose, 0}, mixed = {dose, 0.5 * dose, 0.05 * dose, 0};
    assert_double_near(FieldEffect(&hsg, root, NULL) / FieldEffect(&linear, one, NULL), 1, 1e-12);
    assert_double_near(FieldEffect(&hsg, mixed_root, NULL) / FieldEffect(&hsg, root, NULL), 1, 1e-12);
    if (dose <= linear.d_t_Gy)
      assert_double_near(FieldEffect(&linear, mixed, NULL) / ((0.5 + 0.05 * dose) * dose), 1, 1e-12);
  }
  FieldDose grad;
  assert_double_near(FieldEffect(&linear, (FieldDose){0}, &grad), 0, 0);
  assert_true(grad.dose_Gy == 0 && grad.alpha_dose == 1 && grad.sqrt_beta_dose == 0);
  /* lem1: its beta differs between ions, so its mean is above the square of the mean root */
  BiologySpec lem;
  assert_int_equal(BiologySpecDefault(&lem), 0);
  Biology *by_root = Create(&lem);
  lem.averaging = AVERAGE_BETA;
  Biology *by_itself = Create(&lem);
  for (PetscInt d = 0; d < machine->n_depth; d++) {
    assert_true(by_itself->alpha_per_Gy[d] == by_root->alpha_per_Gy[d]);
    assert_true(by_itself->sqrt_beta_per_Gy[d] > pow(by_root->sqrt_beta_per_Gy[d], 2) * (1 - 1e-12));
    assert_true(by_itself->sqrt_beta_per_Gy[d] <= 0.05 * (1 + 1e-12));
  }
  assert_int_equal(BiologyDestroy(&by_root) || BiologyDestroy(&by_itself), 0);
}

/* model constant: the same alpha and beta everywhere, or the same RBE at every dose. */
static void Constant(void **state)
{
  BiologySpec spec;
  assert_int_equal(BiologySpecPreset("constant", NULL, &spec), 0);
  spec.rbe = 3;
  for (int rule = 0; rule < 2; rule++) {
    spec.averaging = rule ? AVERAGE_BETA : AVERAGE_SQRT_BETA;
    Biology *biology = Create(&spec);
    for (double d = 0.1; d < 50; d *= 2) {
      FieldDose field = {d, biology->alpha_per_Gy[7] * d, biology->sqrt_beta_per_Gy[7] * d, 0};
      assert_double_near(FieldRBE(&spec, field), 3, 1e-12);
    }
    assert_int_equal(BiologyDestroy(&biology), 0);
  }
  spec.alpha_per_Gy = 0.6;
  spec.beta_per_Gy2 = 0.09;
  spec.averaging = AVERAGE_SQRT_BETA;
  Biology *biology = Create(&spec);
  PetscInt last = machine->n_depth - 1;
  assert_double_near(biology->alpha_per_Gy[0], 0.6, 0);
  assert_double_near(biology->sqrt_beta_per_Gy[last], 0.3, 1e-15);
  assert_int_equal(BiologyDestroy(&biology), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Derivatives), cmocka_unit_test(BothAverages),
                                     cmocka_unit_test(Constant)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
