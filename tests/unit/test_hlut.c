/* HU -> RSP: the nodes of matRad's default table, between and beyond them, and the way back. */
#include "robion/case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static HLUT hlut;

static int SetUp(void **state)
{
  return HLUTDefault(&hlut);
}

static int TearDown(void **state)
{
  return PetscFree(hlut.point);
}

/* matRad_default.hlut of e0404/matRad. */
static void NodesArePublished(void **state)
{
  const double hu[] = {-1024, -999, -90, -45, 0, 100, 350, 3000};
  const double rsp[] = {0.001, 0.001, 0.95, 0.99, 1, 1.095, 1.199, 2.505};
  assert_int_equal(hlut.n, 8);
  for (int i = 0; i < 8; i++) assert_double_near(HLUTEvaluate(&hlut, hu[i]), rsp[i], 1e-15);
}

static void BetweenAndBeyond(void **state)
{
  assert_double_near(HLUTEvaluate(&hlut, 50), 1.0475, 1e-12);
  assert_double_near(HLUTEvaluate(&hlut, -22.5), 0.995, 1e-12);
  assert_double_near(HLUTEvaluate(&hlut, 1675), 1.852, 1e-12);
  assert_double_near(HLUTEvaluate(&hlut, -3024), 0.001, 0);
  assert_double_near(HLUTEvaluate(&hlut, 32767), 2.505, 0);
}

static void NeverFallsWithHU(void **state)
{
  for (int hu = -1100; hu < 3100; hu++) assert_true(HLUTEvaluate(&hlut, hu + 1) >= HLUTEvaluate(&hlut, hu));
}

static void InverseComesBack(void **state)
{
  for (int hu = -999; hu <= 3000; hu++) assert_double_near(HLUTInvert(&hlut, HLUTEvaluate(&hlut, hu)), hu, 1e-9);
  assert_double_near(HLUTInvert(&hlut, 0.001), -999, 0); /* flat from -1024 */
  assert_double_near(HLUTInvert(&hlut, 0), -1024, 0);
  assert_double_near(HLUTInvert(&hlut, 9), 3000, 0);
}

static void FillsCase(void **state)
{
  short hu[4] = {0, 350, -999, 350};
  unsigned char mask[4] = {1, 1, 0, 0};
  Structure body = {"BODY", ROLE_EXTERNAL, mask};
  Case patient = {.ct = {{4, 1, 1}, {1, 1, 1}, {0, 0, 0}}, .hu = hu, .n_structures = 1, .structures = &body};
  assert_int_equal(CaseSetRSP(&patient, &hlut), 0);
  const double want[4] = {1, 1.199, RSP_AIR, RSP_AIR}; /* bone outside the body is the couch: air */
  for (int v = 0; v < 4; v++) assert_double_near(patient.rsp[v], want[v], 1e-7);
  const float unscaled = patient.rsp[1];
  assert_int_equal(CaseScaleRSP(&patient, 0), 0);
  assert_memory_equal(&patient.rsp[1], &unscaled, sizeof unscaled);
  assert_int_equal(CaseScaleRSP(&patient, 3.5), 0);
  for (int v = 0; v < 4; v++) assert_double_near(patient.rsp[v], v < 2 ? 1.035 * want[v] : RSP_AIR, 1e-7);
  patient.n_structures = 0;
  assert_int_equal(CaseSetRSP(&patient, &hlut), 0);
  assert_double_near(patient.rsp[3], 1.199, 1e-7);
  assert_int_equal(PetscFree(patient.rsp), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(NodesArePublished), cmocka_unit_test(BetweenAndBeyond), cmocka_unit_test(NeverFallsWithHU),
      cmocka_unit_test(InverseComesBack),  cmocka_unit_test(FillsCase),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
