/*
 * Vectors in slices: the sums of one rank on any number of them, for lengths around blocks of sums; and the solver that lives on
 * them, step by step. ranks: 1 2
 */
#include "../../src/optimize/descent.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { B = SLICE_BLOCK, MOST_LENGTH = 9 * B, M = 3 };

static const PetscInt lengths[] = {1, 7, 8, 9, B - 1, B, B + 1, 2 * B - 1, 2 * B, 2 * B + 1, 4 * B, 8 * B + 3, 9 * B};

static double Value(PetscInt k, PetscInt j)
{
  return sin(1.0 + 7.0 * (double)k + 13.0 * (double)j) * ldexp(1.0, (int)((31 * k + 17 * j) % 40) - 20);
}

/* What every rank has of vectors that one rank alone has whole; the last is a mask. */
static void Fill(const Slices *slices, double vector[M + 1][MOST_LENGTH])
{
  for (PetscInt k = 0; k <= M; k++)
    for (PetscInt j = 0; j < slices->n_own; j++)
      vector[k][j] = k < M ? Value(k, slices->first + j) : (slices->first + j) % 3 > 0;
}

static void SameSums(void **state)
{
  static double own[M + 1][MOST_LENGTH], whole[M + 1][MOST_LENGTH], gathered[MOST_LENGTH];
  const PetscBool on_first = *state ? PETSC_TRUE : PETSC_FALSE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(lengths); i++) {
    Slices shared, alone;
    double sum[2][M], masked[2][M];
    assert_int_equal(SlicesCreate(PETSC_COMM_WORLD, lengths[i], on_first, &shared), 0);
    assert_int_equal(SlicesCreate(PETSC_COMM_SELF, lengths[i], PETSC_FALSE, &alone), 0);
    assert_int_equal(alone.n_own, lengths[i]);
    if (on_first) assert_int_equal(shared.n_own, shared.rank ? 0 : lengths[i]);
    Fill(&shared, own);
    Fill(&alone, whole);
    const Factors of_own[M] = {{own[0], own[1]}, {own[2], own[2]}, {.a = own[1]}},
                  of_whole[M] = {{whole[0], whole[1]}, {whole[2], whole[2]}, {.a = whole[1]}};
    assert_int_equal(SlicesDots(&shared, M, of_own, NULL, sum[0]) || SlicesDots(&alone, M, of_whole, NULL, sum[1]), 0);
    assert_int_equal(SlicesDots(&shared, M, of_own, own[M], masked[0]), 0);
    assert_int_equal(SlicesDots(&alone, M, of_whole, whole[M], masked[1]), 0);
    assert_memory_equal(sum[0], sum[1], sizeof sum[0]);
    assert_memory_equal(masked[0], masked[1], sizeof masked[0]);
    for (int k = 0; k < M; k++) {
      long double exact[2] = {0}, size = 0;
      for (PetscInt j = 0; j < lengths[i]; j++) {
        const long double product = (long double)of_whole[k].a[j] * (of_whole[k].b ? of_whole[k].b[j] : 1);
        exact[0] += product;
        exact[1] += whole[M][j] > 0 ? product : 0;
        size += fabsl(product);
      }
      assert_true(fabsl(sum[0][k] - exact[0]) <= 1e-14L * size);
      assert_true(fabsl(masked[0][k] - exact[1]) <= 1e-14L * size);
    }
    assert_int_equal(SlicesGather(&shared, own[0], gathered), 0);
    assert_memory_equal(gathered, whole[0], (size_t)lengths[i] * sizeof(double));
    assert_int_equal(SlicesDestroy(&shared) || SlicesDestroy(&alone), 0);
  }
}

/* Rows of vectors come to rank 0 whole, and go back as they were. */
static void ThereAndBack(void **state)
{
  (void)state;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(lengths); i++) {
    Slices slices;
    double *own, *back, *whole = NULL;
    assert_int_equal(SlicesCreate(PETSC_COMM_WORLD, lengths[i], PETSC_FALSE, &slices), 0);
    const PetscInt n = slices.n_own;
    assert_int_equal(PetscMalloc2(M * n, &own, M * n, &back), 0);
    if (slices.rank == 0) assert_int_equal(PetscMalloc1(M * lengths[i], &whole), 0);
    for (PetscInt k = 0; k < M; k++)
      for (PetscInt j = 0; j < n; j++) own[k * n + j] = Value(k, slices.first + j);
    assert_int_equal(SlicesCollect(&slices, M, own, whole), 0);
    for (PetscInt k = 0; k < M && whole; k++)
      for (PetscInt j = 0; j < lengths[i]; j++) assert_true(whole[k * lengths[i] + j] == Value(k, j));
    assert_int_equal(SlicesDeal(&slices, M, whole, back), 0);
    for (PetscInt j = 0; j < M * n; j++) assert_true(back[j] == own[j]);
    assert_int_equal(PetscFree2(own, back) || PetscFree(whole) || SlicesDestroy(&slices), 0);
  }
}

/* f = sum_j c_j (x_j - a_j)^2 + (sum_j x_j)^2 / n + sum_j x_j^4, of which some a_j < 0: bounds hold. */
static PetscErrorCode Bowl(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  PetscFunctionBegin;
  const Slices *slices = context;
  const PetscScalar *at;
  PetscScalar *slope;
  double *part, sum[2];
  (void)tao;
  PetscCall(PetscMalloc1(slices->n_own, &part));
  PetscCall(VecGetArrayRead(x, &at));
  PetscCall(VecGetArrayWrite(g, &slope));
  for (PetscInt j = 0; j < slices->n_own; j++) {
    const double wanted = Value(0, slices->first + j) > 0 ? 1 + 0.01 * (double)((slices->first + j) % 50) : -1,
                 stiff = 1 + (double)((slices->first + j) % 17), off = at[j] - wanted;
    part[j] = stiff * off * off + pow(at[j], 4);
    slope[j] = 2 * stiff * off + 4 * pow(at[j], 3);
  }
  const Factors factors[] = {{.a = part}, {.a = at}};
  PetscCall(SlicesDots(slices, 2, factors, NULL, sum));
  for (PetscInt j = 0; j < slices->n_own; j++) slope[j] += 2 * sum[1] / slices->n;
  *f = sum[0] + sum[1] * sum[1] / slices->n;
  PetscCall(VecRestoreArrayWrite(g, &slope));
  PetscCall(VecRestoreArrayRead(x, &at));
  PetscCall(PetscFree(part));
  PetscFunctionReturn(0);
}

/* The minimum, whole on every rank, and the curvature pairs' length on the way. */
static PetscErrorCode Minimise(MPI_Comm comm, PetscInt n, double *whole, PetscReal *f, PetscInt *iterations)
{
  PetscFunctionBegin;
  Slices slices;
  DescentHistory history;
  Tao tao;
  Vec x, low, high;
  const PetscScalar *found;
  PetscReal norm;
  PetscCall(SlicesCreate(comm, n, PETSC_FALSE, &slices));
  PetscCall(DescentHistoryCreate(&slices, &history));
  PetscCall(VecCreateMPI(comm, slices.n_own, n, &x));
  PetscCall(VecDuplicate(x, &low));
  PetscCall(VecDuplicate(x, &high));
  PetscCall(VecSet(x, 0.5));
  PetscCall(VecSet(low, 0));
  PetscCall(VecSet(high, 1.2));
  PetscCall(TaoCreate(comm, &tao));
  PetscCall(TaoSetType(tao, TAO_DESCENT));
  PetscCall(DescentSetHistory(tao, &history));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetVariableBounds(tao, low, high));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, Bowl, &slices));
  PetscCall(TaoSetTolerances(tao, 1e-12, 0, 0));
  PetscCall(TaoSetMaximumIterations(tao, 60));
  PetscCall(TaoSolve(tao));
  PetscCall(TaoGetSolutionStatus(tao, iterations, f, &norm, NULL, NULL, NULL));
  assert_true(norm < 1e-6 * n);
  PetscCall(VecGetArrayRead(x, &found));
  PetscCall(SlicesGather(&slices, found, whole));
  PetscCall(VecRestoreArrayRead(x, &found));
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&low));
  PetscCall(VecDestroy(&high));
  PetscCall(DescentHistoryDestroy(&history));
  PetscCall(SlicesDestroy(&slices));
  PetscFunctionReturn(0);
}

/* Every step of the solver has the bits of one rank alone: so have the last point, its value and the number of steps. */
static void SameDescent(void **state)
{
  (void)state;
  static double x[2][MOST_LENGTH];
  assert_int_equal(DescentRegister(), 0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(lengths); i++) {
    PetscReal f[2];
    PetscInt iterations[2], low = 0, high = 0;
    assert_int_equal(Minimise(PETSC_COMM_WORLD, lengths[i], x[0], &f[0], &iterations[0]), 0);
    assert_int_equal(Minimise(PETSC_COMM_SELF, lengths[i], x[1], &f[1], &iterations[1]), 0);
    assert_memory_equal(x[0], x[1], (size_t)lengths[i] * sizeof(double));
    assert_true(f[0] == f[1]);
    assert_int_equal(iterations[0], iterations[1]);
    for (PetscInt j = 0; j < lengths[i]; j++) {
      low += x[0][j] == 0;
      high += x[0][j] > 0 && x[0][j] < 1.2;
    }
    assert_true(lengths[i] < B || (iterations[0] > 5 && low > 0 && high > 0)); /* bounds, and more than one pair */
  }
}

int main(int argc, char **argv)
{
  int on_first = 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(SameSums), cmocka_unit_test_prestate(SameSums, &on_first),
                                     cmocka_unit_test(ThereAndBack), cmocka_unit_test(SameDescent)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
