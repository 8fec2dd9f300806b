/* Every preset of every model makes a sound biology or says what it lacks; LEM I for any tissue.
 * sanitizer: slow */
#include "biology_case.h"
#include <math.h>
#include <string.h>

/* Response and RBE of 2 Gy in every component and depth of a 290 MeV/u beam. */
static void CheckBiology(const Biology *biology, double *least, double *most)
{
  for (PetscInt i = 0; i < machine->n_component * machine->n_depth; i++) {
    double alpha = biology->alpha_per_Gy[i], root = biology->sqrt_beta_per_Gy[i];
    assert_true(isfinite(alpha) && alpha > 0 && isfinite(root) && root >= 0);
    FieldDose field = {2, 2 * alpha, 2 * root, 2 * machine->component_letd_keV_um[i]};
    double rbe = FieldRBE(&biology->spec, field) / biology->spec.clinical_factor;
    double survival = SurvivalFraction(FieldEffect(&biology->spec, field, NULL));
    assert_true(survival > 0 && survival < 1);
    /* the same photon dose leaves as many cells */
    double photon = PhotonEffect(&biology->spec, 2 * rbe * biology->spec.clinical_factor);
    assert_double_near(SurvivalFraction(photon) / survival, 1, 1e-9);
    *least = fmin(*least, rbe);
    *most = fmax(*most, rbe);
  }
}

static void EveryPreset(void **state)
{
  const double beta_x[] = {0.05, 0.0593, 0.0615, 0.020};
  for (PetscInt m = 0; m < n_biology_model_names; m++)
    for (PetscInt c = 0; c < n_cell_line_names; c++)
      for (int rule = 0; rule < 2; rule++) {
        BiologySpec spec;
        Biology *biology;
        Mistakes mistakes = {0};
        double least = INFINITY, most = 0;
        assert_int_equal(BiologySpecPreset(biology_model_names[m], cell_line_names[c], &spec), 0);
        spec.averaging = (BetaAveraging)rule;
        assert_int_equal(BiologyCreate(&spec, machine, &mistakes, &biology), 0);
        if (!biology) {
          PetscBool table =
              strcmp(spec.model, "table") ? PETSC_FALSE : PETSC_TRUE; /* this machine has no tissue classes */
          assert_true(mistakes.n == 1 && (table || !BiologySpecKnowsCells(&spec)));
          assert_non_null(strstr(mistakes.item[0].text, table ? "no tissue class" : "knows no parameters"));
          assert_int_equal(MistakesClear(&mistakes), 0);
          continue;
        }
        int known = 0;
        for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(beta_x); i++) known += spec.beta_x_per_Gy2 == beta_x[i];
        assert_true(known == 1 && mistakes.n == 0);
        CheckBiology(biology, &least, &most);
        if (!rule)
          print_message("%-10s %-13s alpha_x %.3f beta_x %.4f factor %.3f: RBE of 2 Gy %.2f to %.2f\n", spec.model,
                        spec.cell_line, spec.alpha_x_per_Gy, spec.beta_x_per_Gy2, spec.clinical_factor, least, most);
        assert_true(least > 0.25 && most < 8);
        assert_int_equal(BiologyDestroy(&biology), 0);
      }
}

/* alpha_x <= alpha_z <= s_max, alpha_D below alpha_z and below one over the dose of a hit, for any tissue. */
static void AnyTissue(void **state)
{
  PetscInt n = 0;
  for (double ax = 0.01; ax < 2; ax *= 2.3)
    for (double bx = 0; bx < 0.3; bx = 2.5 * bx + 0.01)
      for (double dt = 3; dt < 100; dt *= 2.1)
        for (double rn = 1.5; rn < 12; rn *= 1.9) {
          BiologySpec low = {.model = "lem1",
                             .alpha_x_per_Gy = ax,
                             .beta_x_per_Gy2 = bx,
                             .d_t_Gy = dt,
                             .r_nucleus_um = rn,
                             .clinical_factor = 1,
                             .rbe = 1};
          BiologySpec full = low;
          double final = ax + 2 * bx * dt;
          full.approach = LEM_FULL;
          for (double e = 0.3; e < 500; e *= 4.1, n++) {
            double let = LET_keV_um(6, 12, e), hit = 0.1602177 * let / (M_PI * rn * rn);
            IonResponse d = LEM1(&low, 6, 12, e), z = LEM1(&full, 6, 12, e);
            assert_true(z.alpha_per_Gy >= ax * (1 - 1e-9) && z.alpha_per_Gy <= final * (1 + 1e-9));
            assert_true(d.alpha_per_Gy > 0 && d.alpha_per_Gy <= z.alpha_per_Gy && d.alpha_per_Gy * hit <= 1);
            assert_true(d.beta_per_Gy2 >= 0 && d.beta_per_Gy2 <= z.beta_per_Gy2 && z.beta_per_Gy2 <= bx + 1e-9);
            FieldDose field = {2, 2 * z.alpha_per_Gy, 2 * sqrt(z.beta_per_Gy2), 2 * let};
            double effect = FieldEffect(&full, field, NULL), dose = RBEWeightedDose(&full, effect, NULL);
            /* damped: below the undamped effect, below one over the hit, not below the linear part alone */
            double undamped = 2 * z.alpha_per_Gy + 4 * z.beta_per_Gy2;
            assert_true(isfinite(dose) && effect >= 2 * d.alpha_per_Gy * (1 - 1e-9));
            assert_true(effect <= undamped * (1 + 1e-9) && effect <= 2 / hit * (1 + 1e-9));
          }
        }
  print_message("%d tissues and energies\n", (int)n);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryPreset), cmocka_unit_test(AnyTissue)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
