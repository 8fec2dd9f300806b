/* Gamma against closed forms, against a search in small steps, and on any number of ranks. ranks: 1 2 */
#include "robion/gamma.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

typedef double (*Shape)(const double x_mm[3]);

static float *Fill(const Grid *grid, Shape shape, double shift_mm, double factor)
{
  float *dose = malloc(GridSize(grid) * sizeof *dose);
  for (size_t v = 0; v < GridSize(grid); v++) {
    double x_mm[3];
    GridCentre(grid, v, x_mm);
    x_mm[0] -= shift_mm;
    dose[v] = (float)(factor * shape(x_mm));
  }
  return dose;
}

static GammaSpec Criteria(double dose_percent, double distance_mm, PetscBool local)
{
  GammaSpec spec;
  GammaSpecDefault(&spec);
  spec.dose_percent = dose_percent;
  spec.distance_mm = distance_mm;
  spec.local = local;
  return spec;
}

static GammaResult Analyse(const GammaSpec *spec, const Grid *grid, const float *reference, const Grid *searched,
                           const float *evaluated)
{
  GammaResult result;
  assert_int_equal(GammaAnalyse(PETSC_COMM_WORLD, spec, grid, reference, searched, evaluated, &result), 0);
  for (size_t v = 0; v < GridSize(grid); v++)
    assert_true(result.gamma[v] == GAMMA_NONE || (result.gamma[v] >= 0 && (double)result.gamma[v] <= spec->largest));
  return result;
}

static const Grid box = {{21, 15, 13}, {1, 1.5, 2}, {-10, -10.5, -12}};

static double Uniform(const double x_mm[3])
{
  (void)x_mm;
  return 2;
}

static const double gradient_Gy_mm[3] = {0.02, -0.01, 0.015}, middle_Gy = 2;

static double Slope(const double x_mm[3])
{
  return middle_Gy + gradient_Gy_mm[0] * x_mm[0] + gradient_Gy_mm[1] * x_mm[1] + gradient_Gy_mm[2] * x_mm[2];
}

static const double sigma_mm = 8;

static double Gaussian(const double x_mm[3])
{
  return exp(-0.5 * x_mm[0] * x_mm[0] / (sigma_mm * sigma_mm));
}

static void OfEqualDosesIsZero(void **state)
{
  (void)state;
  float *dose = Fill(&box, Slope, 0, 1);
  for (int local = 0; local < 2; local++) {
    const GammaSpec spec = Criteria(2, 2, local ? PETSC_TRUE : PETSC_FALSE);
    GammaResult result = Analyse(&spec, &box, dose, &box, dose);
    assert_int_equal(result.n_compared, GridSize(&box));
    assert_int_equal(result.n_passed, result.n_compared);
    assert_int_equal(result.n_outside, 0);
    assert_true(result.pass_percent == 100 && result.mean == 0 && result.highest == 0);
    GammaResultDestroy(&result);
  }
  free(dose);
}

/* No distance helps where the dose is uniform: gamma = |s - 1| / criterion. */
static void OfScaledUniformDose(void **state)
{
  (void)state;
  static const double factor[] = {1.03, 0.97, 1.019, 1.021};
  static const int passes[] = {0, 0, 1, 0};
  float *reference = Fill(&box, Uniform, 0, 1);
  for (int i = 0; i < 8; i++) {
    const GammaSpec spec = Criteria(2, 3, i < 4 ? PETSC_TRUE : PETSC_FALSE);
    float *dose = Fill(&box, Uniform, 0, factor[i % 4]);
    GammaResult result = Analyse(&spec, &box, reference, &box, dose);
    for (size_t v = 0; v < GridSize(&box); v++)
      assert_double_near(result.gamma[v], fabs(factor[i % 4] - 1) / 0.02, 1e-5);
    assert_true(result.pass_percent == 100 * passes[i % 4]);
    GammaResultDestroy(&result);
    free(dose);
  }
  free(reference);
}

/* Gamma of a slope |g| moved by s along its gradient: s / sqrt(dd^2 + (dD / |g|)^2). Moving along x counts as g_x s / |g|. */
static void CheckSlope(const Grid *grid, const Grid *searched, double shift_mm, PetscBool local)
{
  const GammaSpec spec = Criteria(3, 2, local);
  const double *g = gradient_Gy_mm, steepness = sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  float *reference = Fill(grid, Slope, 0, 1), *dose = Fill(searched, Slope, shift_mm, 1);
  GammaResult result = Analyse(&spec, grid, reference, searched, dose);
  int checked = 0;
  for (size_t v = 0; v < GridSize(grid); v++) {
    PetscBool inner = PETSC_TRUE; /* the nearest point lies within the grid */
    double x_mm[3];
    GridCentre(grid, v, x_mm);
    for (int a = 0; a < 3; a++)
      if (fabs(x_mm[a]) > -searched->origin_mm[a] - 3) inner = PETSC_FALSE;
    if (!inner) continue;
    const double criterion = 0.03 * (local ? (double)reference[v] : result.reference_maximum);
    const double move_mm = fabs(g[0] * shift_mm) / steepness;
    assert_double_near(result.gamma[v], move_mm / hypot(2, criterion / steepness), 2e-5);
    checked++;
  }
  assert_true(checked > 200);
  GammaResultDestroy(&result);
  free(reference);
  free(dose);
}

static void OfShiftedSlope(void **state)
{
  (void)state;
  CheckSlope(&box, &box, 1.5, PETSC_FALSE);
  CheckSlope(&box, &box, -2.5, PETSC_FALSE);
  CheckSlope(&box, &box, 1.5, PETSC_TRUE);
}

static void BetweenDifferentGrids(void **state)
{
  (void)state;
  const Grid fine = SANITIZED ? (Grid){{17, 15, 21}, {1.2, 1.4, 1}, {-9.7, -10.1, -9.9}}
                              : (Grid){{33, 30, 41}, {0.6, 0.7, 0.5}, {-9.7, -10.1, -9.9}};
  static const Grid coarse = {{9, 8, 7}, {2.7, 3, 3.3}, {-10.5, -10.7, -10.2}};
  CheckSlope(&fine, &coarse, 1.5, PETSC_FALSE);
  CheckSlope(&fine, &box, 1.5, PETSC_TRUE);
  const GammaSpec spec = Criteria(3, 2, PETSC_FALSE);
  const Grid half = {{11, 15, 13}, {1, 1.5, 2}, {0, -10.5, -12}}; /* the right half of box */
  float *whole = Fill(&box, Uniform, 0, 1), *part = Fill(&half, Uniform, 0, 1);
  GammaResult result = Analyse(&spec, &box, whole, &half, part);
  assert_int_equal(result.n_compared, GridSize(&half));
  assert_int_equal(result.n_outside, GridSize(&box) - GridSize(&half));
  assert_true(result.pass_percent == 100 && result.gamma[0] == GAMMA_NONE);
  GammaResultDestroy(&result);
  free(whole);
  free(part);
}

/* Least of the definition over points 0.002 mm apart on the analytic curve. */
static double GaussianGamma(double at_mm, double shift_mm, double distance_mm, double criterion)
{
  const double here[3] = {at_mm}, reach_mm = 2 * distance_mm;
  double least = INFINITY;
  for (double step_mm = -reach_mm; step_mm <= reach_mm; step_mm += 0.002) {
    const double there[3] = {at_mm + step_mm - shift_mm};
    least = fmin(least, hypot(step_mm / distance_mm, (Gaussian(there) - Gaussian(here)) / criterion));
  }
  return least;
}

/*
 * A Gaussian moved by 1.5 mm, 2 % of the maximum or 2 mm. Straight pieces 0.1 mm long miss its top by h^2 / (8 sigma^2) = 2e-5,
 * a thousandth of the criterion. On the slope at x = sigma it is straight: the closed form of the slope. At the top it is a
 * parabola: with w the way left to the evaluated top, gamma^2 = ((1.5 - w) / 2)^2 + (w^2 / (2 8^2 0.02))^2 is least where
 * 1.5 - w = 8 w^3 / 2.56^2, at w = 0.822: gamma = 0.430.
 */
static void OfShiftedGaussian(void **state)
{
  (void)state;
  static const Grid line = {{401, 3, 3}, {0.1, 2, 2}, {-20, -2, -2}};
  const double shift_mm = 1.5, slope_per_mm = exp(-0.5) / sigma_mm;
  GammaSpec spec = Criteria(2, 2, PETSC_FALSE);
  float *reference = Fill(&line, Gaussian, 0, 1), *dose = Fill(&line, Gaussian, shift_mm, 1);
  GammaResult result = Analyse(&spec, &line, reference, &line, dose);
  const float *gamma = result.gamma + GridIndex(&line, 0, 1, 1);
  for (int i = 40; i <= 360; i += 8)
    assert_double_near(gamma[i], GaussianGamma(-20 + 0.1 * i, shift_mm, 2, 0.02), 2e-3);
  assert_double_near(gamma[280], shift_mm / hypot(2, 0.02 / slope_per_mm), 5e-3);
  assert_double_near(gamma[120], shift_mm / hypot(2, 0.02 / slope_per_mm), 5e-3);
  assert_double_near(gamma[200], 0.430, 2e-3);
  assert_true(result.pass_percent == 100);
  GammaResultDestroy(&result);
  spec.distance_mm = 0.5;
  result = Analyse(&spec, &line, reference, &line, dose);
  assert_true(result.pass_percent < 50 && result.pass_percent > 5); /* the top still passes, by its dose */
  assert_true(result.gamma[GridIndex(&line, 200, 1, 1)] < 1 && result.gamma[GridIndex(&line, 280, 1, 1)] > 1);
  GammaResultDestroy(&result);
  free(reference);
  free(dose);
}

static void OnlyAboveTheThreshold(void **state)
{
  (void)state;
  static const Grid line = {{10, 2, 2}, {3, 3, 3}, {0, 0, 0}};
  float reference[40], dose[40];
  GammaSpec spec = Criteria(3, 2, PETSC_FALSE);
  for (int v = 0; v < 40; v++) {
    reference[v] = (float)(v % 10); /* highest: 9 */
    dose[v] = v % 10 < 3 ? 100 : reference[v];
  }
  spec.threshold_percent = 34; /* 3.06 */
  GammaResult result = Analyse(&spec, &line, reference, &line, dose);
  assert_int_equal(result.n_compared, 4 * 6);
  assert_true(result.pass_percent == 100 && result.reference_maximum == 9);
  for (int v = 0; v < 40; v++) assert_true((result.gamma[v] == GAMMA_NONE) == (v % 10 < 4));
  GammaResultDestroy(&result);
  spec.threshold_percent = 0; /* all that have a dose */
  result = Analyse(&spec, &line, reference, &line, dose);
  assert_int_equal(result.n_compared, 4 * 9);
  assert_int_equal(result.n_passed, 4 * 7);
  GammaResultDestroy(&result);
  memset(reference, 0, sizeof reference);
  result = Analyse(&spec, &line, reference, &line, dose);
  assert_int_equal(result.n_compared, 0);
  assert_true(result.pass_percent == 0 && result.mean == 0);
  GammaResultDestroy(&result);
}

/* Where nothing within the search radius comes near, gamma is told as the largest; zero doses make no NaN. */
static void IsBounded(void **state)
{
  (void)state;
  float *reference = Fill(&box, Slope, 0, 1), *none = Fill(&box, Uniform, 0, 0);
  for (int local = 0; local < 2; local++) {
    const GammaSpec spec = Criteria(2, 2, local ? PETSC_TRUE : PETSC_FALSE);
    GammaResult result = Analyse(&spec, &box, reference, &box, none);
    assert_true(result.pass_percent == 0 && result.mean == 2 && result.highest == 2);
    GammaResultDestroy(&result);
  }
  free(reference);
  free(none);
}

/* Linear interpolation in the tetrahedron that the order of the fractions picks, in voxels. */
static double Interpolate(const Grid *grid, const float *dose, const double place[3])
{
  PetscInt at[3];
  double fraction[3], value, before = 1;
  int order[3] = {0, 1, 2};
  for (int a = 0; a < 3; a++) {
    at[a] = PetscMin((PetscInt)place[a], grid->n[a] - 2);
    fraction[a] = place[a] - (double)at[a];
  }
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 2; k++)
      if (fraction[order[k]] < fraction[order[k + 1]]) {
        const int swap = order[k];
        order[k] = order[k + 1];
        order[k + 1] = swap;
      }
  value = 0;
  for (int i = 0; i < 3; i++) {
    value += (before - fraction[order[i]]) * (double)dose[GridIndex(grid, at[0], at[1], at[2])];
    before = fraction[order[i]];
    at[order[i]]++;
  }
  return value + before * (double)dose[GridIndex(grid, at[0], at[1], at[2])];
}

/* The least over points 1/48 voxel apart can only be above the exact one, and not by much. */
static void OfRoughDosesAgainstASearch(void **state)
{
  (void)state;
  enum { FINE = 48 };
  static const Grid rough = {{4, 4, 4}, {2, 2.5, 3}, {0, 0, 0}};
  GammaSpec spec = Criteria(20, 2, PETSC_FALSE);
  float reference[64], dose[64];
  unsigned seed = 12345;
  spec.largest = 4;
  for (int v = 0; v < 64; v++) {
    reference[v] = (float)(0.2 + (double)((seed = seed * 1103515245u + 12345u) >> 16 & 1023) / 1023);
    dose[v] = (float)((double)((seed = seed * 1103515245u + 12345u) >> 16 & 1023) / 1023);
  }
  GammaResult result = Analyse(&spec, &rough, reference, &rough, dose);
  for (int v = 0; v < 64; v += SANITIZED ? 21 : 7) {
    double least2 = INFINITY, place[3], centre_mm[3];
    GridCentre(&rough, (size_t)v, centre_mm);
    for (int k = 0; k <= 3 * FINE; k++)
      for (int j = 0; j <= 3 * FINE; j++)
        for (int i = 0; i <= 3 * FINE; i++) {
          const int fine[3] = {i, j, k};
          double sum = 0;
          for (int a = 0; a < 3; a++) {
            place[a] = (double)fine[a] / FINE;
            sum += pow((place[a] * rough.spacing_mm[a] - centre_mm[a]) / spec.distance_mm, 2);
          }
          if (sum >= least2) continue;
          const double difference = Interpolate(&rough, dose, place) - (double)reference[v];
          least2 = fmin(least2, sum + pow(difference / (0.2 * result.reference_maximum), 2));
        }
    assert_true(sqrt(least2) >= (double)result.gamma[v] - 1e-6);
    assert_double_near(result.gamma[v], sqrt(least2), 0.01);
  }
  assert_true(result.highest < spec.largest && result.n_passed > 5 && result.n_passed < 64);
  GammaResultDestroy(&result);
}

/* One slice: a plane of triangles. */
static void InAPlane(void **state)
{
  (void)state;
  static const Grid plane = {{15, 15, 1}, {1, 1, 3}, {-7, -7, 5}};
  const GammaSpec spec = Criteria(3, 2, PETSC_FALSE);
  const double steepness = hypot(gradient_Gy_mm[0], gradient_Gy_mm[1]), shift_mm = 1.2;
  float *reference = Fill(&plane, Slope, 0, 1), *dose = Fill(&plane, Slope, shift_mm, 1);
  GammaResult result = Analyse(&spec, &plane, reference, &plane, dose);
  const double way = hypot(2, 0.03 * result.reference_maximum / steepness);
  assert_int_equal(result.n_compared, 225);
  assert_double_near(result.gamma[112], gradient_Gy_mm[0] * shift_mm / steepness / way, 2e-5);
  GammaResultDestroy(&result);
  free(reference);
  free(dose);
}

static void SameBitsOnAnyNumberOfRanks(void **state)
{
  (void)state;
  const GammaSpec spec = Criteria(3, 2, PETSC_TRUE);
  float *reference = Fill(&box, Gaussian, 0, 1), *dose = Fill(&box, Gaussian, 1.1, 1.02);
  GammaResult all, alone;
  assert_int_equal(GammaAnalyse(PETSC_COMM_WORLD, &spec, &box, reference, &box, dose, &all), 0);
  assert_int_equal(GammaAnalyse(PETSC_COMM_SELF, &spec, &box, reference, &box, dose, &alone), 0);
  assert_memory_equal(all.gamma, alone.gamma, GridSize(&box) * sizeof *all.gamma);
  assert_true(all.mean == alone.mean && all.n_passed == alone.n_passed && all.highest == alone.highest);
  GammaResultDestroy(&all);
  GammaResultDestroy(&alone);
  free(reference);
  free(dose);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(OfEqualDosesIsZero), cmocka_unit_test(OfScaledUniformDose),
      cmocka_unit_test(OfShiftedSlope),     cmocka_unit_test(BetweenDifferentGrids),
      cmocka_unit_test(OfShiftedGaussian),  cmocka_unit_test(OnlyAboveTheThreshold),
      cmocka_unit_test(IsBounded),          cmocka_unit_test(OfRoughDosesAgainstASearch),
      cmocka_unit_test(InAPlane),           cmocka_unit_test(SameBitsOnAnyNumberOfRanks),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
