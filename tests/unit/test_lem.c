/* LEM I of the chordoma set against the published TRiP98 table chordom02 and an independent evaluation of the same recipe. */
#include "robion/biology.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static BiologySpec chordoma;

static int SetUp(void **state)
{
  return BiologySpecDefault(&chordoma);
}

static void near_relative(double found, double want, double tolerance, const char *what, PetscInt Z, double energy)
{
  if (fabs(found / want - 1) > tolerance || !isfinite(found))
    fail_msg("%s of Z = %d at %g MeV/u: %.5g, expected %.5g within %g %%", what, (int)Z, energy, found, want,
             100 * tolerance);
}

/* chordom02: initial RBE of 12C at two table energies; the 280 MeV/u beam has 277.4 MeV/u on average at the surface. */
static void Chordom02(void **state)
{
  near_relative(LEM1(&chordoma, 6, 12, 0.126).rbe_alpha, 30.858, 0.01, "RBE_alpha", 6, 0.126);
  IonResponse r = LEM1(&chordoma, 6, 12, 12.6), surface = LEM1(&chordoma, 6, 12, 277.407);
  near_relative(r.rbe_alpha, 15.562, 0.01, "RBE_alpha", 6, 12.6);
  near_relative(r.alpha_per_Gy, 1.266495, 0.01, "alpha", 6, 12.6);
  near_relative(r.beta_per_Gy2, 0.0170418, 0.01, "beta", 6, 12.6);
  near_relative(surface.alpha_per_Gy, 0.5165, 0.01, "alpha", 6, 277.407);
  near_relative(surface.beta_per_Gy2, 0.0423958, 0.01, "beta", 6, 277.407);
  print_message(
      "RBE_alpha(0.126) %.3f (30.858), (12.6) %.3f (15.562); alpha, beta at 277.4: %.4f (0.5165) %.5f (0.04240)\n",
      LEM1(&chordoma, 6, 12, 0.126).rbe_alpha, r.rbe_alpha, surface.alpha_per_Gy, surface.beta_per_Gy2);
}

/* RBE_alpha, alpha_D, beta_D with FLUKA's LET, p 4He 7Li 9Be 11B 12C. */
static void Table(void **state)
{
  static const PetscInt A[6] = {1, 4, 7, 9, 11, 12};
  static const double energy[8] = {1, 3, 10, 30, 100, 200, 300, 400};
  static const double table[8][6][3] = {{{30.15, 2.788, .0012},
                                         {30.79, 2.267, .0002},
                                         {30.90, 1.633, .00004},
                                         {30.94, 1.274, .00002},
                                         {30.96, .956, .00001},
                                         {30.97, .739, 0}},
                                        {{16.82, 1.649, .0227},
                                         {21.91, 1.980, .0124},
                                         {24.72, 1.928, .0064},
                                         {26.51, 1.698, .0031},
                                         {27.76, 1.407, .0014},
                                         {28.63, 1.130, .0006}},
                                        {{8.10, .807, .0379},
                                         {11.55, 1.131, .0311},
                                         {13.56, 1.283, .0260},
                                         {14.99, 1.346, .0215},
                                         {16.09, 1.347, .0174},
                                         {16.98, 1.304, .0138}},
                                        {{4.21, .421, .0446},
                                         {6.85, .681, .0398},
                                         {8.39, .827, .0366},
                                         {9.48, .922, .0339},
                                         {10.33, .984, .0313},
                                         {11.02, 1.024, .0287}},
                                        {{1.93, .193, .0484},
                                         {3.87, .387, .0451},
                                         {5.10, .508, .0429},
                                         {5.97, .593, .0411},
                                         {6.64, .656, .0396},
                                         {7.19, .706, .0382}},
                                        {{1.46, .146, .0492},
                                         {2.76, .276, .0470},
                                         {3.86, .386, .0451},
                                         {4.64, .462, .0436},
                                         {5.24, .521, .0424},
                                         {5.74, .568, .0413}},
                                        {{1.32, .132, .0495},
                                         {2.28, .228, .0478},
                                         {3.31, .331, .0461},
                                         {4.04, .403, .0447},
                                         {4.61, .459, .0436},
                                         {5.07, .504, .0427}},
                                        {{1.25, .125, .0496},
                                         {2.01, .201, .0483},
                                         {2.99, .299, .0466},
                                         {3.69, .368, .0454},
                                         {4.24, .422, .0443},
                                         {4.68, .466, .0434}}};
  double worst[3] = {0};
  for (int e = 0; e < 8; e++)
    for (PetscInt Z = 1; Z <= 6; Z++) {
      const double *want = table[e][Z - 1];
      IonResponse r = LEM1(&chordoma, Z, A[Z - 1], energy[e]);
      near_relative(r.rbe_alpha, want[0], 0.015, "RBE_alpha", Z, energy[e]);
      near_relative(r.alpha_per_Gy, want[1], 0.015, "alpha", Z, energy[e]);
      assert_double_near(r.beta_per_Gy2, want[2], 0.015 * want[2] + 1e-4); /* the table has 4 decimals */
      worst[0] = fmax(worst[0], fabs(r.rbe_alpha / want[0] - 1));
      worst[1] = fmax(worst[1], fabs(r.alpha_per_Gy / want[1] - 1));
      worst[2] = fmax(worst[2], fabs(r.beta_per_Gy2 - want[2]));
    }
  print_message("worst differences: RBE_alpha %.2f %%, alpha %.2f %%, beta %.5f\n", 100 * worst[0], 100 * worst[1],
                worst[2]);
}

/* The closed form against brute-force integration of the track, for other tissues too. */
static void ClosedFormIsTheIntegral(void **state)
{
  BiologySpec tissue = chordoma;
  for (int i = 0; i < 4; i++) {
    tissue.d_t_Gy = i & 1 ? 8 : 30;
    tissue.alpha_x_per_Gy = i & 2 ? 0.5 : 0.1;
    for (double e = 0.2; e < 450; e *= 3.3) {
      double let = 0.1602177 * LET_keV_um(6, 12, e), r_min = 0.01, r_max = fmax(r_min, 0.05 * pow(e, 1.7));
      double k = let / (M_PI * (1 + 2 * log(r_max / r_min))),
             sum = M_PI * r_min * r_min * PhotonEffect(&tissue, k / (r_min * r_min));
      enum { N = 20000 };
      for (int j = 0; j < N; j++) {
        double l = (j + 0.5) / N * log(r_max / r_min), r = r_min * exp(l);
        sum += 2 * M_PI * r * r * log(r_max / r_min) / N * PhotonEffect(&tissue, k / (r * r));
      }
      near_relative(LEM1(&tissue, 6, 12, e).rbe_alpha, sum / let / tissue.alpha_x_per_Gy, 1e-5, "RBE_alpha", 6, e);
    }
  }
}

/* Far above any overkill an ion is as photons are, and the effect per dose falls when one hit kills. */
static void Limits(void **state)
{
  IonResponse r = LEM1(&chordoma, 1, 1, 1000);
  assert_true(r.rbe_alpha > 1 && r.rbe_alpha < 1.25);
  assert_true(r.beta_per_Gy2 < 0.05 && r.beta_per_Gy2 > 0.049);
  for (double e = 0.1; e < 500; e *= 1.7) {
    IonResponse c = LEM1(&chordoma, 6, 12, e);
    assert_true(c.alpha_per_Gy > 0 && c.alpha_per_Gy <= c.rbe_alpha * 0.1 && c.beta_per_Gy2 >= 0 && c.rbe_alpha <= 31);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Chordom02), cmocka_unit_test(Table),
                                     cmocka_unit_test(ClosedFormIsTheIntegral), cmocka_unit_test(Limits)};
  return cmocka_run_group_tests(tests, SetUp, NULL);
}
