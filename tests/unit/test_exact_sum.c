/* Sums that do not depend on order: against exact values, in any order, on any number of ranks, and when they do not fit. ranks: 1 2 */
#include "robion/exact_sum.h"
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { N = 500, ADDENDS = 300 };

/* Deterministic values over many magnitudes and both signs. */
static double Value(int addend, int i)
{
  return sin(1.0 + 7.0 * addend + 13.0 * i) * ldexp(1.0, (addend * 31 + i * 17) % 40 - 30);
}

static void Fill(int addend, double *value)
{
  for (int i = 0; i < N; i++) value[i] = Value(addend, i);
}

static void SameBitsInAnyOrderAndPartition(void **state)
{
  (void)state;
  ExactSum forward, backward, shared;
  double value[N], a[N], b[N], c[N];
  PetscMPIInt rank, size;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  assert_int_equal(ExactSumCreate(N, &forward) || ExactSumCreate(N, &backward) || ExactSumCreate(N, &shared), 0);
  for (int k = 0; k < ADDENDS; k++) {
    Fill(k, value);
    assert_int_equal(ExactSumAdd(&forward, value), 0);
    if (k % size == rank) assert_int_equal(ExactSumAdd(&shared, value), 0);
    Fill(ADDENDS - 1 - k, value);
    assert_int_equal(ExactSumAdd(&backward, value), 0);
  }
  assert_int_equal(ExactSumReduce(PETSC_COMM_WORLD, &shared), 0);
  assert_int_equal(ExactSumGet(&forward, a) || ExactSumGet(&backward, b) || ExactSumGet(&shared, c), 0);
  assert_memory_equal(a, b, sizeof a);
  assert_memory_equal(a, c, sizeof a);
  for (int i = 0; i < N; i++) {
    long double exact = 0;
    for (int k = 0; k < ADDENDS; k++) exact += (long double)Value(k, i);
    assert_true(fabs(a[i] - (double)exact) <= 1e-15 * fabs((double)exact) + 1e-18);
  }
  assert_int_equal(ExactSumDestroy(&forward) || ExactSumDestroy(&backward) || ExactSumDestroy(&shared), 0);
}

static void TellsWhatDoesNotFit(void **state)
{
  (void)state;
  ExactSum sum;
  double value[2] = {1.0, 3e9}, total[2];
  assert_int_equal(ExactSumCreate(2, &sum), 0);
  assert_int_equal(ExactSumAdd(&sum, value), 0);
  assert_int_equal(sum.overflow, ilogb(3e9) + 1);
  assert_int_equal(ExactSumReset(&sum, sum.overflow), 0);
  assert_int_equal(ExactSumAdd(&sum, value), 0);
  assert_int_equal(sum.overflow, INT_MIN);
  assert_int_equal(ExactSumGet(&sum, total), 0);
  assert_true(total[0] == 1.0 && total[1] == 3e9);
  assert_int_equal(ExactSumDestroy(&sum), 0);
}

static void RefusesNaN(void **state)
{
  (void)state;
  ExactSum sum;
  double value[2] = {NAN, 1}; /* a number after it must not hide it */
  assert_int_equal(ExactSumCreate(2, &sum), 0);
  assert_int_equal(PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL), 0);
  assert_int_not_equal(ExactSumAdd(&sum, value), 0);
  assert_int_equal(PetscPopErrorHandler(), 0);
  assert_int_equal(ExactSumDestroy(&sum), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SameBitsInAnyOrderAndPartition),
                                     cmocka_unit_test(TellsWhatDoesNotFit), cmocka_unit_test(RefusesNaN)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
