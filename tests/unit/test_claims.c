/* Sharing plans out: every plan has one team, however many ask; jobs of an array and simulated nodes.  ranks: 1 2 */
#include "../../src/cohort/cohort_private.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

enum { PLANS = 500 };
static PetscMPIInt rank, size;

static void EveryPlanIsTakenOnce(void **state)
{
  Claims claims;
  long long start[PLANS], now[PLANS];
  int taken[PLANS] = {0}, sum[PLANS], n = 0;
  PetscBool mine, stop;
  for (int p = 0; p < PLANS; p++) start[p] = p % 10 ? CLAIM_FREE : CLAIM_TAKEN;
  assert_int_equal(ClaimsCreate(PETSC_COMM_WORLD, PLANS, start, &claims), 0);
  for (int p = 0; p < PLANS; p++) { /* all ask for all at the same time */
    assert_int_equal(ClaimsTake(claims, p, &mine), 0);
    if (!mine) continue;
    taken[p]++;
    assert_int_equal(ClaimsFinish(claims, p, 0.5 + p), 0);
  }
  assert_int_equal(ClaimsHearStop(claims, &stop), 0);
  if (size == 1) assert_false(stop);
  MPI_Allreduce(taken, sum, PLANS, MPI_INT, MPI_SUM, PETSC_COMM_WORLD);
  assert_int_equal(ClaimsRead(claims, now), 0);
  for (int p = 0; p < PLANS; p++) {
    assert_int_equal(sum[p], p % 10 != 0);
    assert_int_equal(now[p], p % 10 ? 500 + 1000 * p : CLAIM_TAKEN);
    n += taken[p];
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank == size - 1) assert_int_equal(ClaimsTellStop(claims), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_equal(ClaimsHearStop(claims, &stop), 0);
  assert_true(stop);
  assert_int_equal(ClaimsDestroy(&claims), 0);
}

/* Longest first: the textbook case where the greedy order matters. */
static void Makespans(void **state)
{
  const double took[] = {2, 2, 2, 3, 3}, blind[] = {5, 4, 3, 2, 1};
  double makespan;
  assert_int_equal(ScheduleMakespan(5, took, took, 1, &makespan), 0);
  assert_double_near(makespan, 12, 1e-12);
  assert_int_equal(ScheduleMakespan(5, took, took, 2, &makespan), 0);
  assert_double_near(makespan, 7, 1e-12); /* 3 + 2 + 2 beside 3 + 2; the ideal is 6 */
  assert_int_equal(ScheduleMakespan(5, blind, took, 2, &makespan), 0);
  assert_double_near(makespan, 7, 1e-12); /* 2 + 2 + 3 beside 2 + 3 */
  assert_int_equal(ScheduleMakespan(5, took, took, 100, &makespan), 0);
  assert_double_near(makespan, 3, 1e-12);
  assert_int_equal(ScheduleMakespan(0, took, took, 3, &makespan), 0);
  assert_double_near(makespan, 0, 0);
}

/* Graham's bound: longest first is never worse than 4/3 - 1/(3 m) times the best, which is no less than the ideal. */
static void MakespanBound(void **state)
{
  double took[200], sum = 0, longest = 0, makespan;
  srand(7);
  for (int i = 0; i < 200; i++) {
    took[i] = 1 + 1000.0 * rand() / RAND_MAX;
    sum += took[i];
    longest = PetscMax(longest, took[i]);
  }
  for (PetscInt m = 1; m <= 300; m++) {
    assert_int_equal(ScheduleMakespan(200, took, took, m, &makespan), 0);
    const double least = PetscMax(sum / (double)m, longest);
    assert_true(makespan >= least * (1 - 1e-12) && makespan <= least * 2);
    if (m <= 20) assert_true(makespan <= least * (4.0 / 3 - 1.0 / (3.0 * (double)m)));
  }
}

static void PlansOf(Study *study, PlanSpec *plan, char (*folder)[32], PetscInt n)
{
  *study = (Study){.n_plans = n, .plans = plan};
  for (PetscInt p = 0; p < n; p++) {
    snprintf(folder[p], sizeof folder[p], "cases/c%d/a%d", (int)p / 6, (int)p % 6);
    plan[p] = (PlanSpec){
        .folder = folder[p], .arm = folder[p] + strlen(folder[p]) - 2, .case_index = p / 6, .optimized_by = p};
  }
}

static void ArraysShareEvenly(void **state)
{
  Study study;
  static PlanSpec plan[PLANS];
  static char folder[PLANS][32];
  PetscInt job[PLANS], arm[6] = {0};
  PlansOf(&study, plan, folder, PLANS);
  for (PetscInt n = 1; n <= 9; n++) {
    PetscInt count[10] = {0};
    assert_int_equal(ArrayShare(&study, n, job), 0);
    for (PetscInt p = 0; p < PLANS; p++) count[job[p]]++;
    for (PetscInt j = 1; j <= n; j++) assert_true(count[j] >= PLANS / n && count[j] <= PLANS / n + 1);
  }
  assert_int_equal(ArrayShare(&study, 3, job), 0);
  for (PetscInt p = 0; p < PLANS; p++) arm[p % 6] += job[p] == 1; /* not one arm for each job */
  for (int a = 0; a < 6; a++) assert_in_range(arm[a], PLANS / 6 / 3 - 14, PLANS / 6 / 3 + 14);
}

/* Plans that share a stage are of one job. */
static void ArraysKeepStagesTogether(void **state)
{
  Study study;
  PlanSpec plan[12];
  char folder[12][32];
  PetscInt job[12], first[3] = {0};
  PlansOf(&study, plan, folder, 12);
  for (PetscInt p = 0; p < 12; p++) {
    plan[p].stage_hash[0] = 1 + (uint64_t)p % 2;
    plan[p].stage_from[0] = p - p % 6 + p % 2;
  }
  assert_int_equal(ArrayShare(&study, 2, job), 0);
  for (PetscInt p = 0; p < 12; p++) {
    assert_int_equal(job[p], job[p - p % 6 + p % 2]);
    first[job[p]] += p % 6 < 2;
  }
  assert_true(first[1] == 2 && first[2] == 2);
}

static void MeasuredTimesCorrectEstimates(void **state)
{
  Study study;
  PlanSpec plan[12];
  char folder[12][32];
  QueuePlan queue[12] = {{0}};
  double measured[12] = {0}, expected[12];
  PlansOf(&study, plan, folder, 12);
  for (PetscInt p = 0; p < 12; p++) {
    queue[p].arm = p % 6;
    queue[p].estimate_s = 10 + (double)p;
  }
  assert_int_equal(CostsRefine(&study, queue, measured, expected), 0);
  for (PetscInt p = 0; p < 12; p++) assert_double_near(expected[p], 10 + (double)p, 1e-12);
  measured[1] = 33; /* three times what was thought of arm 1 */
  measured[2] = 6;
  assert_int_equal(CostsRefine(&study, queue, measured, expected), 0);
  assert_double_near(expected[1], 33, 1e-12);
  assert_double_near(expected[7], 17 * 3.0, 1e-9);
  assert_double_near(expected[8], 18 * 0.5, 1e-9);
  assert_double_near(expected[9], 19 * 39.0 / 23.0, 1e-9); /* as all arms together */
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryPlanIsTakenOnce),
                                     cmocka_unit_test(Makespans),
                                     cmocka_unit_test(MakespanBound),
                                     cmocka_unit_test(ArraysShareEvenly),
                                     cmocka_unit_test(ArraysKeepStagesTogether),
                                     cmocka_unit_test(MeasuredTimesCorrectEstimates)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
