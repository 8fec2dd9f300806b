/* LEM I's full approach: limits of low dose and low LET, the Poisson mean itself, exact derivatives, dose chain. */
#include "biology_case.h"
#include <math.h>
#include <string.h>

static BiologySpec low, full; /* lem1 of the chordoma set by either approach */

static int SetUp(void **state)
{
  if (Start(state) || BiologySpecDefault(&low)) return 1;
  full = low;
  full.approach = LEM_FULL;
  return 0;
}

/* The dose of one hit of a nucleus of 5 um, Gy per keV/um. */
static const double hit_per_let = 0.1602177 / (M_PI * 25);

static double BetaChannelOf(const BiologySpec *spec, double beta)
{
  return spec->averaging == AVERAGE_BETA ? beta : sqrt(beta);
}

/* Of a pure field. */
static FieldDose FieldOf(const BiologySpec *spec, IonResponse r, double let, double dose)
{
  return (FieldDose){dose, r.alpha_per_Gy * dose, BetaChannelOf(spec, r.beta_per_Gy2) * dose, let * dose};
}

static const struct {
  PetscInt Z, A;
} ions[] = {{1, 1}, {2, 4}, {6, 12}, {8, 16}};

/* At vanishing dose the slope is the low-dose approximation's. */
static void SlopeAtVanishingDose(void **state)
{
  double worst = 0;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(ions); i++)
    for (double e = 0.5; e < 500; e *= 1.7) {
      FieldDose grad,
          tiny = FieldOf(&full, LEM1(&full, ions[i].Z, ions[i].A, e), LET_keV_um(ions[i].Z, ions[i].A, e), 1e-8);
      double want = LEM1(&low, ions[i].Z, ions[i].A, e).alpha_per_Gy;
      double found = FieldEffect(&full, tiny, &grad) / tiny.dose_Gy;
      double along = (grad.dose_Gy * tiny.dose_Gy + grad.alpha_dose * tiny.alpha_dose +
                      grad.sqrt_beta_dose * tiny.sqrt_beta_dose + grad.let_dose * tiny.let_dose) /
                     tiny.dose_Gy;
      worst = fmax(worst, fmax(fabs(found / want - 1), fabs(along / want - 1)));
    }
  print_message("slope at 1e-8 Gy against alpha_D: within %.1e\n", worst);
  assert_true(worst < 1e-6);
}

/* At vanishing LET it is plain LQ-L, and of first order in LET: -slope^2 d1 D / 2. */
static void VanishingLET(void **state)
{
  const IonResponse photons = {1, full.alpha_x_per_Gy, full.beta_x_per_Gy2}, ion = {4, 0.4, 0.045};
  for (double dose = 0.01; dose < 100; dose *= 1.7)
    for (double let = 1e-9; let < 0.2; let *= 30) {
      FieldDose grad, field = FieldOf(&full, photons, let, dose);
      double plain = PhotonEffect(&low, dose), slope = dose < 30 ? 0.1 + 0.1 * dose : 3.1,
             d1 = fmax(hit_per_let * let, 1e-10 * dose);
      double effect = FieldEffect(&full, field, &grad), fall = 0.5 * slope * slope * d1 * dose;
      assert_true(effect <= plain * (1 + 1e-12) + 1e-12);
      assert_double_near(effect / plain, 1, 1e-9 + 1.5 * fall / plain);
      if (dose < 25 && slope * d1 < 1e-4) {
        assert_double_near((plain - effect) / plain, fall / plain, 1e-9 + 1e-3 * fall / plain);
        assert_double_near(grad.let_dose / (-0.5 * slope * slope * hit_per_let), 1, 1e-3);
      }
      if (dose < 25 && let < 1e-8)
        assert_double_near(FieldEffect(&full, FieldOf(&full, ion, let, dose), NULL) / ((0.4 + 0.045 * dose) * dose), 1,
                           1e-8);
    }
}

/* All numbers of hits, summed one by one with the hits' own effects. */
static double PoissonMean(const BiologySpec *spec, double alpha, double beta, double let, double dose)
{
  double d1 = hit_per_let * let, mean = dose / d1, effect = 0, most = -INFINITY;
  double final = spec->alpha_x_per_Gy + 2 * spec->beta_x_per_Gy2 * spec->d_t_Gy;
  enum { N = 6000 };
  static double term[N];
  for (int n = 0; n < N; n++) {
    term[n] = -mean + n * log(mean) - lgamma(n + 1.0) - effect;
    most = fmax(most, term[n]);
    effect += d1 * fmin(alpha + 2 * beta * d1 * n, final);
  }
  double sum = 0;
  for (int n = 0; n < N; n++) sum += exp(term[n] - most);
  return -most - log(sum);
}

static void MeanOverHits(void **state)
{
  double worst = 0;
  for (double dose = 0.02; dose < 60; dose *= 2.3)
    for (double let = fmax(3, dose); let < 1000; let *= 2.1) /* at most 500 hits on average */
      for (int kind = 0; kind < 4; kind++) {
        double alpha = (double[]){0.1, 0.5, 1.7, 3.3}[kind], beta = (double[]){0.05, 0.043, 0.01, 0.02}[kind];
        double want = PoissonMean(&full, alpha, beta, let, dose);
        double found = FieldEffect(&full, FieldOf(&full, (IonResponse){0, alpha, beta}, let, dose), NULL);
        worst = fmax(worst, fabs(found / want - 1));
      }
  print_message("against the sum over 6000 hits: within %.1e\n", worst);
  assert_true(worst < 1e-9);
}

/* Central differences in each of the four inputs, by both averages, below and beyond D_t, with few hits and with many. */
static void Derivatives(void **state)
{
  double worst = 0, straight = 0;
  for (int rule = 0; rule < 2; rule++)
    for (double dose = 0.013; dose < 80; dose *= 1.9)
      for (double let = 0.03; let < 900; let *= 2.7) {
        BiologySpec spec = full;
        spec.averaging = rule ? AVERAGE_BETA : AVERAGE_SQRT_BETA;
        FieldDose grad, field = FieldOf(&spec, (IonResponse){0, 0.7, 0.04}, let, dose);
        double h = 3e-5, effect = FieldEffect(&spec, field, &grad);
        for (int k = 0; k < 4; k++) {
          FieldDose up = field, down = field;
          double x = *(&field.dose_Gy + k);
          *(&up.dose_Gy + k) += h * x;
          *(&down.dose_Gy + k) -= h * x;
          double difference = (FieldEffect(&spec, up, NULL) - FieldEffect(&spec, down, NULL)) / (2 * h);
          double error = fabs(*(&grad.dose_Gy + k) * x - difference) / effect;
          /* nuclei that reach the straight part do so with a whole hit: one more or less within h shows in the difference */
          if (dose < 20) worst = fmax(worst, error);
          straight = fmax(straight, error);
        }
      }
  print_message("derivatives against differences: within %.1e of the effect, with straight parts %.1e\n", worst,
                straight);
  assert_true(worst < 1e-6 && straight < 2e-4);
}

/* Finite, not negative, and rising with dose wherever doses may lie. */
static void NoSurprises(void **state)
{
  for (double dose = 1e-40; dose < 1e4; dose *= 7)
    for (double let = 0; let < 5000; let = 4 * let + 1e-12) {
      FieldDose grad, field = FieldOf(&full, (IonResponse){0, 1.1, 0.03}, let, dose);
      double effect = FieldEffect(&full, field, &grad), rbe = FieldRBE(&full, field);
      assert_true(isfinite(effect) && effect >= 0 && isfinite(rbe) && rbe >= 0);
      assert_true(isfinite(grad.dose_Gy) && isfinite(grad.alpha_dose) && isfinite(grad.sqrt_beta_dose) &&
                  isfinite(grad.let_dose));
      assert_true(FieldEffect(&full, FieldOf(&full, (IonResponse){0, 1.1, 0.03}, let, 1.1 * dose), NULL) >=
                  effect - 1e-12);
    }
  FieldDose grad;
  assert_double_near(FieldEffect(&full, (FieldDose){0}, &grad), 0, 0);
  assert_true(grad.dose_Gy == 0 && grad.alpha_dose == 1 && grad.sqrt_beta_dose == 0 && grad.let_dose == 0);
}

/* What the approaches make of 12C, and that survival, RBE and the clinical factor follow. */
static void AgainstLowDose(void **state)
{
  for (int e = 0; e < 3; e++)
    for (int d = 0; d < 3; d++) {
      const double energy = (double[]){20, 100, 300}[e], dose = (double[]){1, 2, 4}[d];
      double let = LET_keV_um(6, 12, energy), effect[2], weighted[2];
      for (int a = 0; a < 2; a++) {
        const BiologySpec *spec = a ? &full : &low;
        FieldDose field = FieldOf(spec, LEM1(spec, 6, 12, energy), let, dose);
        effect[a] = FieldEffect(spec, field, NULL);
        weighted[a] = RBEWeightedDose(spec, effect[a], NULL);
        assert_double_near(FieldRBE(spec, field), weighted[a] / dose, 1e-12);
        BiologySpec clinical = *spec;
        clinical.clinical_factor = 1.5;
        assert_double_near(FieldRBE(&clinical, field), 1.5 * weighted[a] / dose, 1e-12);
        assert_double_near(PhotonEffect(&clinical, 1.5 * weighted[a]), effect[a], 1e-12);
      }
      print_message("12C %3.0f MeV/u %.0f Gy: low-dose %.3f Gy(RBE), survival %.5f; full %.3f, %.5f; %+.2f %%\n",
                    energy, dose, weighted[0], SurvivalFraction(effect[0]), weighted[1], SurvivalFraction(effect[1]),
                    100 * (weighted[1] / weighted[0] - 1));
      /* beta of the low-dose approximation is already damped, so they stay close at doses of a fraction */
      assert_double_near(weighted[1] / weighted[0], 1, 0.05);
    }
}

/* A machine's field holds alpha_z and beta_z; where there is nothing to approach, a mistake. */
static void Machines(void **state)
{
  Mistakes mistakes = {0};
  Biology *by_low = Create(&low), *by_full = Create(&full), *none;
  assert_true(by_full->spec.approach == LEM_FULL);
  for (PetscInt i = 0; i < machine->n_component * machine->n_depth; i++)
    assert_true(by_full->alpha_per_Gy[i] > by_low->alpha_per_Gy[i] &&
                by_full->sqrt_beta_per_Gy[i] > by_low->sqrt_beta_per_Gy[i]);
  assert_double_near(by_full->alpha_per_Gy[0] / LEM1(&full, 6, 12, 290).alpha_per_Gy, 1, 0.003);
  assert_int_equal(BiologyDestroy(&by_low) || BiologyDestroy(&by_full), 0);
  for (PetscInt i = 1; i < n_biology_model_names; i++) {
    BiologySpec other;
    assert_int_equal(BiologySpecPreset(biology_model_names[i], NULL, &other), 0);
    other.approach = LEM_FULL;
    assert_int_equal(BiologyCreate(&other, machine, &mistakes, &none), 0);
    assert_null(none);
    assert_true(mistakes.n == 1 && MistakesExit(&mistakes) == ROBION_STUDY);
    assert_non_null(strstr(mistakes.item[0].text, "has no approach full"));
    assert_int_equal(MistakesClear(&mistakes), 0);
  }
  assert_string_equal(lem_approach_names[LEM_FULL], "full");
  assert_string_equal(lem_approach_names[LEM_LOW_DOSE], "low-dose");
  assert_int_equal(n_lem_approach_names, 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SlopeAtVanishingDose),
                                     cmocka_unit_test(VanishingLET),
                                     cmocka_unit_test(MeanOverHits),
                                     cmocka_unit_test(Derivatives),
                                     cmocka_unit_test(NoSurprises),
                                     cmocka_unit_test(AgainstLowDose),
                                     cmocka_unit_test(Machines)};
  return cmocka_run_group_tests(tests, SetUp, Stop);
}
