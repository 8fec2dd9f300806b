/*
 * The fit of the TCP model: planted parameters of a synthetic cohort of 200 come back within their bootstrap intervals; AUC of
 * small sets by hand. timeout: 120
 */
#include "robion/tcp_fit.h"
#include "robion/counter_random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

enum { PATIENTS = 200, VOXELS = 24, HELD_OUT = 50, BOOTSTRAP = 200 };

/* Cells as in the population of the digital cohort, course doses from 60 to 84 Gy(RBE) with a spread inside each patient. */
static void MakeCohort(PetscInt seed, const TCPSpec *planted, TCPPatient *patient)
{
  CounterRandom random = {.seed = (uint64_t)seed, .stream = 9};
  for (PetscInt p = 0; p < PATIENTS; p++) {
    double mean_ln = 12.561 + 0.357 * CounterRandomNormal(&random), dose = 60 + 24 * CounterRandomUniform(&random);
    patient[p].n = VOXELS;
    assert_int_equal(
        PetscMalloc3(VOXELS, &patient[p].share, VOXELS, &patient[p].clonogens, VOXELS, &patient[p].dose_Gy_RBE), 0);
    for (int v = 0; v < VOXELS; v++) {
      patient[p].share[v] = 1.0 / VOXELS;
      patient[p].clonogens[v] = exp(mean_ln + 0.6 * CounterRandomNormal(&random));
      patient[p].dose_Gy_RBE[v] = dose + 1.5 * CounterRandomNormal(&random);
    }
    double tcp = TCPOfSurvival(
        TCPRegionSurvival(planted, VOXELS, patient[p].share, patient[p].clonogens, patient[p].dose_Gy_RBE));
    patient[p].control = CounterRandomUniform(&random) < tcp ? PETSC_TRUE : PETSC_FALSE;
    patient[p].held_out = p >= PATIENTS - HELD_OUT ? PETSC_TRUE : PETSC_FALSE;
  }
}

static void FreeCohort(TCPPatient *patient)
{
  for (PetscInt p = 0; p < PATIENTS; p++)
    assert_int_equal(PetscFree3(patient[p].share, patient[p].clonogens, patient[p].dose_Gy_RBE), 0);
}

static void PlantedParameters(void **state)
{
  TCPPatient patient[PATIENTS] = {{0}};
  TCPSpec planted, start;
  TCPFit fit;
  assert_int_equal(TCPSpecDefault(&planted) || TCPSpecDefault(&start), 0);
  start.ln_a = -2, start.kappa = 0.5, start.alpha_per_Gy = 0.02;
  MakeCohort(1, &planted, patient);
  assert_int_equal(TCPFitAll(PATIENTS, patient, &start, BOOTSTRAP, 1, &fit), 0);
  const double truth[N_TCP_FITTED] = {planted.ln_a, planted.kappa, planted.alpha_per_Gy};
  for (int k = 0; k < N_TCP_FITTED; k++) {
    print_message("%s: planted %.4g, fitted %.4g, 95 %% interval %.4g to %.4g\n", tcp_fitted_names[k], truth[k],
                  fit.parameter[k].value, fit.parameter[k].low, fit.parameter[k].high);
    assert_true(fit.parameter[k].low <= truth[k] && truth[k] <= fit.parameter[k].high);
  }
  print_message("%d fitted: AUC %.3f, Brier %.3f; %d held out: AUC %.3f (%.3f to %.3f), expected - observed %.3f (%.3f "
                "to %.3f)\n",
                (int)fit.fitted.n, fit.fitted.auc, fit.fitted.brier, (int)fit.held_out.n, fit.auc.value, fit.auc.low,
                fit.auc.high, fit.expected.value, fit.expected.low, fit.expected.high);
  assert_int_equal(fit.fitted.n, PATIENTS - HELD_OUT);
  assert_int_equal(fit.held_out.n, HELD_OUT);
  assert_true(fit.expected.low <= 0 && 0 <= fit.expected.high);
  FreeCohort(patient);
}

/* Where outcomes are the probabilities' signs of a steep model, the fit gets at least as good a sum of squares as the truth. */
static void BetterThanTheTruth(void **state)
{
  TCPPatient patient[PATIENTS] = {{0}};
  TCPSpec planted, fitted;
  assert_int_equal(TCPSpecDefault(&planted), 0);
  for (int link = 0; link < N_TCP_LINKS; link++) {
    planted.link = (TCPLink)link;
    planted.ln_a = link ? 4.2 : -3.643;
    fitted = planted;
    fitted.alpha_per_Gy = 0.01;
    MakeCohort(5 + link, &planted, patient);
    assert_int_equal(TCPFitParameters(PATIENTS, patient, NULL, &fitted), 0);
    double found = TCPJudge(&fitted, PATIENTS, patient, NULL, PETSC_FALSE).brier,
           truth = TCPJudge(&planted, PATIENTS, patient, NULL, PETSC_FALSE).brier;
    print_message("%s: Brier score %.5f, of the planted parameters %.5f\n", tcp_link_names[link], found, truth);
    assert_true(found <= truth);
    FreeCohort(patient);
  }
}

/*
 * Doses so low, or so high, that the start's TCP is 0 or 1 for all: squares have no slope there. From a start of middling TCP low doses are
 * fitted at least as well as by one TCP for everyone; doses of more than 1000 Gy(RBE) end with a number.
 */
static void FarStart(void **state)
{
  const double scale[] = {1.0 / 16, 20};
  for (int far = 0; far < 2; far++) {
    TCPPatient patient[PATIENTS] = {{0}};
    TCPSpec planted, fitted;
    double controlled = 0;
    assert_int_equal(TCPSpecDefault(&planted), 0);
    fitted = planted;
    MakeCohort(3, &planted, patient);
    for (int i = 0; i < PATIENTS; i++) {
      for (PetscInt v = 0; v < patient[i].n; v++) patient[i].dose_Gy_RBE[v] *= scale[far];
      controlled += patient[i].control ? 1.0 / PATIENTS : 0;
    }
    assert_int_equal(TCPFitParameters(PATIENTS, patient, NULL, &fitted), 0);
    const double found = TCPJudge(&fitted, PATIENTS, patient, NULL, PETSC_FALSE).brier;
    print_message("doses times %g: Brier score %.4f, of one TCP for everyone %.4f\n", scale[far], found,
                  controlled * (1 - controlled));
    assert_true(found <= (far ? 1 : controlled * (1 - controlled) + 1e-3));
    FreeCohort(patient);
  }
}

/* TCP 0.9, 0.6, 0.6, 0.2 with outcomes 1, 1, 0, 0: pairs 4, won 3, tied 1. */
static void Quality(void **state)
{
  const double tcp[] = {0.9, 0.6, 0.6, 0.2};
  double share = 1, clonogens[4], dose[4];
  TCPPatient patient[4];
  TCPSpec spec;
  assert_int_equal(TCPSpecDefault(&spec), 0);
  for (int i = 0; i < 4; i++) {
    clonogens[i] = 3e5, dose[i] = 70;
    double per_power = TCPSurvival(&spec, 1, 70, NULL);
    clonogens[i] = pow(-log(tcp[i]) / per_power, 1 / spec.kappa);
    patient[i] = (TCPPatient){1, &share, &clonogens[i], &dose[i], i < 2 ? PETSC_TRUE : PETSC_FALSE, PETSC_FALSE};
  }
  clonogens[2] = clonogens[1]; /* an exact tie */
  TCPQuality q = TCPJudge(&spec, 4, patient, NULL, PETSC_FALSE);
  assert_double_near(q.auc, 3.5 / 4, 1e-12);
  assert_double_near(q.expected, 2.3 / 4 - 0.5, 1e-6);
  assert_double_near(q.brier, (0.01 + 0.16 + 0.36 + 0.04) / 4, 1e-6);
  const PetscInt use[] = {2, 0, 1, 1};
  q = TCPJudge(&spec, 4, patient, use, PETSC_FALSE);
  assert_int_equal(q.n, 4);
  assert_double_near(q.auc, 1, 1e-12);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(Quality), cmocka_unit_test(BetterThanTheTruth),
                                     cmocka_unit_test(PlantedParameters), cmocka_unit_test(FarStart)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
