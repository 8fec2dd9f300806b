/* The diffusion signal against vectors, the ADC table, the match of known tissues, weights of best and worst counts. */
#include "robion/adc.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(SphereVectors), cmocka_unit_test(Limits),
                                     cmocka_unit_test(ADCTable),      cmocka_unit_test(Clonogens),
                                     cmocka_unit_test(Match),         cmocka_unit_test(Weights),
                                     cmocka_unit_test(Impossible)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
