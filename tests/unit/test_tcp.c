/* The TCP model: reconstructed unit vectors, derivative, regions, the other link, impossible parameters. */
#include "robion/tcp.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static TCPSpec chordoma;

static int SetUp(void **state)
{
  return TCPSpecDefault(&chordoma);
}

/* N per 27 mm3, D in Gy(RBE), S and TCP of the recommended set; printed with four digits. */
static void UnitVectors(void **state)
{
  const double vector[][4] = {{2.1e5, 73.60, 0.1983, 0.8201}, {2.852e5, 73.60, 0.2487, 0.7798},
                              {3.8e5, 73.60, 0.3076, 0.7352}, {3.8e5, 75.80, 0.2142, 0.8072},
                              {3.8e5, 80.96, 0.0886, 0.9152}, {2.1e5, 69.92, 0.3561, 0.7004}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(vector); i++) {
    double survival = TCPSurvival(&chordoma, vector[i][0], vector[i][1], NULL);
    print_message("N %.4g, D %.2f Gy(RBE): S %.5f (%.4f), TCP %.5f (%.4f)\n", vector[i][0], vector[i][1], survival,
                  vector[i][2], TCPOfSurvival(survival), vector[i][3]);
    assert_double_near(survival, vector[i][2], 1e-4);
    assert_double_near(TCPOfSurvival(survival), vector[i][3], 1e-4);
  }
}

/* Survival relative to 73.6 Gy(RBE) at three other doses. */
static void DoseFactors(void **state)
{
  const double factor[][2] = {{69.92, 1.7956}, {75.8, 0.6965}, {80.96, 0.2881}};
  double at_prescription = TCPSurvival(&chordoma, 3e5, 73.6, NULL);
  for (int i = 0; i < 3; i++)
    assert_double_near(TCPSurvival(&chordoma, 3e5, factor[i][0], NULL) / at_prescription, factor[i][1], 1e-4);
}

static void Derivative(void **state)
{
  for (int link = 0; link < N_TCP_LINKS; link++) {
    TCPSpec spec = chordoma;
    spec.link = (TCPLink)link;
    for (double dose = 0; dose < 100; dose += 7.3) {
      const double h = 1e-3;
      double slope, up, down;
      TCPSurvival(&spec, 2.5e5, dose, &slope);
      up = TCPSurvival(&spec, 2.5e5, dose + h, NULL);
      down = TCPSurvival(&spec, 2.5e5, dose - h, NULL);
      assert_double_near(slope / ((up - down) / (2 * h)), 1, 1e-7);
    }
  }
}

static void Links(void **state)
{
  TCPSpec spec = chordoma;
  assert_double_near(TCPSurvival(&spec, 0, 70, NULL), 0, 0);
  double power = TCPSurvival(&spec, 2e5, 70, NULL);
  assert_double_near(TCPSurvival(&spec, 4e5, 70, NULL) / power, pow(2, 0.74), 1e-12);
  spec.link = TCP_LINK_LOGARITHM;
  assert_double_near(TCPSurvival(&spec, 0, 70, NULL), 0, 0);
  double logarithm = TCPSurvival(&spec, spec.n0_clonogens, 70, NULL);
  assert_double_near(logarithm, log(2) * exp(-3.643 - 0.029 * 70 - 0.0145 * 70 * 70 / 16), 1e-15);
  assert_double_near(TCPSurvival(&spec, 3 * spec.n0_clonogens, 70, NULL) / logarithm, 2, 1e-12);
}

/* A region is the product of its voxels' TCP to the power of their volumes, however it is cut into voxels. */
static void Regions(void **state)
{
  const double share[] = {0.25, 0.5, 0.25}, clonogens[] = {1e5, 3e5, 6e5}, dose[] = {70, 74, 80};
  double product = 1, survival = TCPRegionSurvival(&chordoma, 3, share, clonogens, dose);
  for (int i = 0; i < 3; i++)
    product *= pow(TCPOfSurvival(TCPSurvival(&chordoma, clonogens[i], dose[i], NULL)), share[i]);
  assert_double_near(TCPOfSurvival(survival), product, 1e-14);
  const double fine_share[] = {0.25, 0.2, 0.3, 0.25}, fine_clonogens[] = {1e5, 3e5, 3e5, 6e5},
               fine_dose[] = {70, 74, 74, 80};
  assert_double_near(TCPRegionSurvival(&chordoma, 4, fine_share, fine_clonogens, fine_dose), survival, 1e-15);
}

static void Impossible(void **state)
{
  Mistakes mistakes = {0};
  assert_int_equal(TCPSpecCheck(&chordoma, "s.yaml:1:2", &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  TCPSpec spec = chordoma;
  spec.alpha_per_Gy = NAN;
  spec.alpha_beta_Gy = 0;
  assert_int_equal(TCPSpecCheck(&spec, "s.yaml:1:2", &mistakes), 0);
  assert_int_equal(mistakes.n, 2);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  assert_non_null(strstr(mistakes.item[1].text, "s.yaml:1:2: alpha_beta_Gy is 0"));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(UnitVectors), cmocka_unit_test(DoseFactors), cmocka_unit_test(Derivative),
      cmocka_unit_test(Links),       cmocka_unit_test(Regions),     cmocka_unit_test(Impossible),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, NULL);
  return PetscFinalize() ? 1 : failures;
}
