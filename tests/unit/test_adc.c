/* The diffusion signal against vectors, the ADC table, the match of known tissues, weights of best and worst counts. */
#include "robion/adc.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static const double b_vector[] = {0.05, 0.4, 1.0};

/* D = 1 um2/ms, delta = 20, Delta = 40 ms; four digits. */
static void SphereVectors(void **state)
{
  const double radius[] = {3, 5, 8, 12};
  const double signal[][3] = {
      {0.9995, 0.9960, 0.9901}, {0.9969, 0.9757, 0.9404}, {0.9888, 0.9140, 0.7986}, {0.9780, 0.8371, 0.6411}};
  for (int r = 0; r < 4; r++)
    for (int k = 0; k < 3; k++) {
      double found = SphereSignal(radius[r], 1, 20, 40, b_vector[k]);
      print_message("R %.0f um, b %.2f ms/um2: %.5f (%.4f)\n", radius[r], b_vector[k], found, signal[r][k]);
      assert_double_near(found, signal[r][k], 1e-4);
    }
}

/*
 * Short pulses and diffusion times in a large cell: nearly free diffusion, whose ADC is 1; the sum of 4,000 terms gives 0.97565,
 * and 0.3 % of it are beyond the terms summed here. Long times: the cell's size alone, S = exp(-q^2 R^2 / 5).
 */
static void Limits(void **state)
{
  assert_double_near(-log(SphereSignal(50, 1, 1, 2, 0.5)) / 0.5, 0.97565, 3e-3);
  const double q2 = 1e-4 * 1e-4; /* small, so that the phase is Gaussian */
  double delta = 1e-3, Delta = 1e4, b = q2 * (Delta - delta / 3);
  assert_double_near(-log(SphereSignal(5, 1, delta, Delta, b)) / q2, 25.0 / 5, 0.02);
}

/* D_0 = 2, D_i = 1 um2/ms; ADC over these b-values within 1 %. */
static void ADCTable(void **state)
{
  DiffusionProtocol protocol = {.delta_ms = 20, .Delta_ms = 40, .n_b = 3, .b_ms_um2 = {0.05, 0.4, 1.0}};
  const double fraction[] = {0.3, 0.5, 0.65}, radius[] = {6, 10};
  const double table[][3] = {{0.908, 0.576, 0.399}, {1.071, 0.770, 0.608}};
  for (int r = 0; r < 2; r++)
    for (int f = 0; f < 3; f++) {
      const DiffusionTissue tissue = {radius[r], fraction[f], 1, 2};
      double adc = ADCOfTissue(&tissue, &protocol);
      print_message("R %.0f um, f %.2f: ADC %.4f um2/ms (%.3f)\n", radius[r], fraction[f], adc, table[r][f]);
      assert_double_near(adc / table[r][f], 1, 0.01);
    }
}

/* 1 % of the cells of 27 mm3. */
static void Clonogens(void **state)
{
  const double fraction[] = {0.3, 0.5, 0.65}, of6[] = {9.0e4, 1.5e5, 1.9e5}, of4[] = {3.0e5, 5.0e5, 6.6e5};
  for (int f = 0; f < 3; f++) {
    const DiffusionTissue six = {6, fraction[f], 1, 2}, four = {4, fraction[f], 1, 2};
    assert_double_near(0.01 * CellsOfTissue(&six, 27) / of6[f], 1, 0.03);
    assert_double_near(0.01 * CellsOfTissue(&four, 27) / of4[f], 1, 0.03);
  }
}

/* What searches follow: the attenuations are those of the signals, and their slopes those of differences. */
static void Slopes(void **state)
{
  DiffusionProtocol protocol = {.delta_ms = 20, .Delta_ms = 40, .n_b = 3, .b_ms_um2 = {0.05, 0.4, 2.0}};
  const double at[][N_TISSUE] = {{0.2, 3, 0.8, 1.6}, {0.5, 5, 1, 2}, {0.75, 12, 1.2, 2.4}};
  for (int t = 0; t < 3; t++)
    for (int i = 0; i < N_TISSUE; i++) {
      double around[2][ADC_MOST_B], minus_ln[ADC_MOST_B], slope[ADC_MOST_B][N_TISSUE], none[ADC_MOST_B][N_TISSUE];
      const double h = 1e-4 * at[t][i];
      for (int side = 0; side < 3; side++) {
        double x[N_TISSUE];
        for (int j = 0; j < N_TISSUE; j++) x[j] = at[t][j] + (i == j ? h * (side == 2 ? 0 : 2 * side - 1) : 0);
        const DiffusionTissue tissue = {x[TISSUE_RADIUS], x[TISSUE_FRACTION], x[TISSUE_DI], x[TISSUE_D0]};
        DiffusionAttenuations(&tissue, &protocol, side == 2 ? minus_ln : around[side], side == 2 ? slope : none);
        for (PetscInt k = 0; k < protocol.n_b && side == 2; k++)
          assert_double_near(minus_ln[k], -log(DiffusionSignal(&tissue, &protocol, protocol.b_ms_um2[k])), 1e-12);
      }
      for (PetscInt k = 0; k < protocol.n_b; k++)
        assert_double_near(slope[k][i], (around[1][k] - around[0][k]) / (2 * h), 1e-6);
    }
}

/* What is measured of a tissue or of any signals: the ADC, or the apparent coefficients. */
static PetscInt Measure(const DiffusionProtocol *p, const double *signal, PetscBool adc, double *out)
{
  if (adc) {
    out[0] = ADCOfSignals(p, signal);
    return 1;
  }
  for (PetscInt k = 1; k < p->n_b; k++) out[k - 1] = log(signal[0] / signal[k]) / (p->b_ms_um2[k] - p->b_ms_um2[0]);
  return p->n_b - 1;
}

/* Minus the logarithm of the posterior, written again from its definition. */
static double Unlikely(const ADCLibrarySpec *spec, const DiffusionProtocol *p, PetscInt n, const double *measured,
                       const DiffusionTissue *t)
{
  double signal[ADC_MOST_B], model[ADC_MOST_B], sum = 0;
  for (PetscInt k = 0; k < p->n_b; k++) signal[k] = DiffusionSignal(t, p, p->b_ms_um2[k]);
  Measure(p, signal, n == 1 ? PETSC_TRUE : PETSC_FALSE, model);
  for (PetscInt k = 0; k < n; k++) sum += pow((model[k] - measured[k]) / spec->adc_sd_um2_ms, 2) / 2;
  sum += pow((t->radius_um - spec->radius_prior_um[0]) / spec->radius_prior_um[1], 2) / 2;
  sum += pow((t->Di_um2_ms - spec->Di_prior_um2_ms[0]) / spec->Di_prior_um2_ms[1], 2) / 2;
  return sum + pow((t->D0_um2_ms - spec->D0_prior_um2_ms[0]) / spec->D0_prior_um2_ms[1], 2) / 2;
}

/* Another search for the likeliest tissue, without slopes: along each axis and each pair of axes, with ever smaller steps. */
static DiffusionTissue Seek(const ADCLibrarySpec *spec, const DiffusionProtocol *p, PetscInt n, const double *measured)
{
  const double *range[] = {spec->fraction, spec->radius_um, spec->Di_um2_ms, spec->D0_um2_ms};
  double x[] = {0.4, 5.5, 1, 2}, least = PETSC_INFINITY;
  for (double step = 0.25; step > 1e-6;) {
    PetscBool better = PETSC_FALSE;
    for (int i = 0; i < 81; i++) { /* every way of one step down, none or one up along four axes */
      double y[4];
      for (int j = 0, way = i; j < 4; j++, way /= 3)
        y[j] = PetscClipInterval(x[j] + (way % 3 - 1) * step * (range[j][1] - range[j][0]), range[j][0], range[j][1]);
      const DiffusionTissue tissue = {y[1], y[0], y[2], y[3]};
      const double value = Unlikely(spec, p, n, measured, &tissue);
      if (value >= least) continue;
      least = value;
      better = PETSC_TRUE;
      memcpy(x, y, sizeof x);
    }
    if (!better) step *= 0.5;
  }
  return (DiffusionTissue){x[1], x[0], x[2], x[3]};
}

/* Counts by the library are those of the other search: over ADCs, b-values, noise and priors, for maps and for signals. */
static void MatchIsTheLikeliest(void **state)
{
  double worst = 0;
  for (int c = 0; c < 48; c++) {
    ADCLibrarySpec spec;
    DiffusionProtocol p;
    ADCLibrary library;
    double signal[ADC_MOST_B], measured[ADC_MOST_B];
    const PetscBool adc = (PetscBool)(c % 2);
    assert_int_equal(ADCLibrarySpecDefault(&spec) || DiffusionProtocolDefault(&p), 0);
    spec.radius_prior_um[1] = c % 3 == 2 ? 1.5 : 0.5;
    spec.radius_prior_um[0] = c % 5 == 4 ? 7 : 5;
    if (c % 4 > 1) p = (DiffusionProtocol){15, 45, 5, {0.05, 0.2, 0.5, 0.8, 1.5}};
    for (PetscInt k = 0; k < p.n_b; k++)
      signal[k] = exp(-p.b_ms_um2[k] * (0.25 + 0.035 * c)) * (1 + 0.03 * sin(5.0 * c + 3.0 * (double)k));
    const PetscInt n = Measure(&p, signal, adc, measured);
    assert_int_equal(ADCLibraryCreate(&spec, &p, &library), 0);
    const ADCMatch match = adc ? ADCMatchADC(library, measured[0]) : ADCMatchSignals(library, signal);
    const DiffusionTissue other = Seek(&spec, &p, n, measured);
    const double ratio = CellsOfTissue(&match.tissue, 27) / CellsOfTissue(&other, 27);
    assert_true(Unlikely(&spec, &p, n, measured, &match.tissue) <
                Unlikely(&spec, &p, n, measured, &other) * (1 + 1e-9) + 1e-9);
    worst = PetscMax(worst, fabs(ratio - 1));
    assert_double_near(ratio, 1, 0.01);
    assert_int_equal(ADCLibraryDestroy(&library), 0);
  }
  print_message("cells by the library and by another search: within %.3g\n", worst);
}

/* The higher the ADC the fewer cells, and none of the steps of a grid: 0.0005 um2/ms more take less than 1 % of them. */
static void CountsAreSmooth(void **state)
{
  for (int c = 0; c < 8; c++) {
    ADCLibrarySpec spec;
    DiffusionProtocol p;
    ADCLibrary library;
    double last = 0, most = 0;
    assert_int_equal(ADCLibrarySpecDefault(&spec) || DiffusionProtocolDefault(&p), 0);
    if (c & 2) spec.radius_prior_um[1] = 1;
    if (c & 4) p = (DiffusionProtocol){15, 45, 4, {0.05, 0.2, 0.8, 1.2}};
    assert_int_equal(ADCLibraryCreate(&spec, &p, &library), 0);
    for (double adc = 0.3; adc < 2.2; adc += 0.0005) {
      double signal[ADC_MOST_B];
      for (PetscInt k = 0; k < p.n_b; k++) signal[k] = 500 * exp(-p.b_ms_um2[k] * adc);
      const ADCMatch match = c & 1 ? ADCMatchADC(library, adc) : ADCMatchSignals(library, signal);
      const double cells = CellsOfTissue(&match.tissue, 27), ratio = last > 0 ? cells / last : 1;
      if (!(ratio < 1 + 1e-6 && ratio > 0.99)) fail_msg("ADC %.4f: %g after %g cells", adc, cells, last);
      most = PetscMax(most, 1 - ratio);
      last = cells;
    }
    print_message("%s: cells fall by at most %.2f %% per 0.0005 um2/ms\n", c & 1 ? "ADC" : "signals", 100 * most);
    assert_int_equal(ADCLibraryDestroy(&library), 0);
  }
}

/* A tissue at the prior's means is found again, from its ADC and from its signals; others are found where signals tell. */
static void Match(void **state)
{
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  ADCLibrary library;
  assert_int_equal(ADCLibrarySpecDefault(&spec), 0);
  assert_int_equal(DiffusionProtocolDefault(&protocol), 0);
  assert_int_equal(ADCLibraryCreate(&spec, &protocol, &library), 0);
  for (double fraction = 0.25; fraction < 0.75; fraction += 0.083) {
    const DiffusionTissue tissue = {5, fraction, 1, 2};
    double signal[ADC_MOST_B], adc = ADCOfTissue(&tissue, &protocol);
    for (PetscInt k = 0; k < protocol.n_b; k++)
      signal[k] = 300 * DiffusionSignal(&tissue, &protocol, protocol.b_ms_um2[k]);
    ADCMatch one = ADCMatchADC(library, adc), all = ADCMatchSignals(library, signal);
    assert_double_near(CellsOfTissue(&one.tissue, 27) / CellsOfTissue(&tissue, 27), 1, 0.005);
    assert_double_near(CellsOfTissue(&all.tissue, 27) / CellsOfTissue(&tissue, 27), 1, 0.005);
    assert_double_near(one.adc_um2_ms, adc, 1e-4);
    assert_true(one.rmse_um2_ms < 1e-6 && all.rmse_um2_ms < 1e-3);
  }
  ADCMatch outside = ADCMatchADC(library, 2.5); /* freer than anything in the library: the least cells, and a misfit */
  assert_double_near(outside.tissue.fraction, 0.2, 1e-9);
  assert_double_near(outside.rmse_um2_ms, 2.5 - outside.adc_um2_ms, 1e-9);
  assert_true(outside.rmse_um2_ms > 0.5);
  double last = PETSC_INFINITY; /* the higher the ADC the fewer cells */
  for (double adc = 0.3; adc < 1.3; adc += 0.1) {
    ADCMatch match = ADCMatchADC(library, adc);
    assert_true(CellsOfTissue(&match.tissue, 27) < last);
    last = CellsOfTissue(&match.tissue, 27);
  }
  assert_int_equal(ADCLibraryDestroy(&library), 0);
}

static void Weights(void **state)
{
  assert_double_near(CellCaseWeight(CELLS_NOMINAL, 0.1, 0.05), 1, 0);
  assert_double_near(CellCaseWeight(CELLS_BEST, 0, 0.05), 1, 0);
  assert_double_near(CellCaseWeight(CELLS_WORST, 0, 0.05), 1, 0);
  assert_double_near(CellCaseWeight(CELLS_BEST, 0.05, 0.05), 0.5 + 0.5 * exp(-0.5), 1e-15);
  assert_double_near(CellCaseWeight(CELLS_WORST, 0.05, 0.05), 1.5 - 0.5 * exp(-0.5), 1e-15);
  assert_double_near(CellCaseWeight(CELLS_BEST, 10, 0.05), 0.5, 1e-12);
  assert_double_near(CellCaseWeight(CELLS_WORST, 10, 0.05), 1.5, 1e-12);
}

static void Impossible(void **state)
{
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  Mistakes mistakes = {0};
  assert_int_equal(ADCLibrarySpecDefault(&spec), 0);
  assert_int_equal(DiffusionProtocolDefault(&protocol), 0);
  assert_int_equal(ADCCheck(&spec, &protocol, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  protocol.Delta_ms = 10;
  protocol.b_ms_um2[2] = 0.1;
  spec.clonogenic_fraction = 2;
  assert_int_equal(ADCCheck(&spec, &protocol, &mistakes), 0);
  assert_int_equal(mistakes.n, 3);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(SphereVectors),  cmocka_unit_test(Limits), cmocka_unit_test(ADCTable),
      cmocka_unit_test(Clonogens),      cmocka_unit_test(Match),  cmocka_unit_test(Weights),
      cmocka_unit_test(Impossible),     cmocka_unit_test(Slopes), cmocka_unit_test(MatchIsTheLikeliest),
      cmocka_unit_test(CountsAreSmooth)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
