/* Work that fails on one rank: nobody waits for ever, everybody hears why, the team goes on.  ranks: 1 3 */
#include "robion/guard.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static PetscMPIInt rank, size;

/* What a plan does with its team, and where one of its ranks fails. */
typedef enum { NOWHERE, AT_START, IN_NODE, WITH_WINDOW, AT_END, N_PLACES } Place;
typedef struct Work {
  Place fails;
  PetscMPIInt who;
  PetscErrorCode code;
  MPI_Comm team;
  int steps;
  PetscBool together; /* the error is one of the whole team, as a library makes it */
} Work;

static PetscErrorCode Step(Work *work, Place place)
{
  PetscFunctionBegin;
  PetscCheck(work->fails != place || work->who != rank, work->together ? work->team : PETSC_COMM_SELF, work->code,
             "value is nan at step %d", work->steps);
  work->steps++;
  PetscFunctionReturn(0);
}

/* A window shared on a node, as the dose operator has it, and collective calls on node and team in turn. */
static PetscErrorCode DoWork(void *context)
{
  PetscFunctionBegin;
  Work *work = context;
  MPI_Comm node;
  MPI_Win window;
  double *base, sum = 1;
  PetscMPIInt any = 0;
  PetscCall(Step(work, AT_START));
  PetscCallMPI(MPI_Comm_split(work->team, rank % 2, rank, &node)); /* as if ranks were dealt to two nodes */
  PetscCall(Step(work, IN_NODE));
  PetscCallMPI(MPI_Barrier(node));
  PetscCallMPI(MPI_Win_allocate_shared(64, 1, MPI_INFO_NULL, node, &base, &window));
  PetscCallMPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, window));
  for (int i = 0; i < 5; i++) {
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, node));
    PetscCallMPI(MPI_Bcast(&any, 1, MPI_INT, size - 1, work->team));
    if (i == 2) PetscCall(Step(work, WITH_WINDOW));
  }
  PetscCallMPI(MPI_Win_unlock_all(window));
  PetscCallMPI(MPI_Win_free(&window));
  PetscCallMPI(MPI_Comm_free(&node));
  PetscCall(Step(work, AT_END));
  PetscFunctionReturn(0);
}

/* The team must be usable after whatever has happened. */
static void TeamWorks(void)
{
  PetscMPIInt sum = 1;
  assert_int_equal(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, PETSC_COMM_WORLD), MPI_SUCCESS);
  assert_int_equal(sum, size);
}

static void OneRankFails(void **state)
{
  for (int place = AT_START; place < N_PLACES; place++)
    for (PetscMPIInt who = 0; who < size; who++) {
      Mistakes mistakes = {0};
      Work work = {(Place)place, who, PETSC_ERR_FP, PETSC_COMM_WORLD, 0, PETSC_FALSE};
      assert_int_equal(GuardedRun(PETSC_COMM_WORLD, DoWork, &work, &mistakes), 0);
      assert_int_equal(mistakes.n, 1);
      assert_int_equal(MistakesExit(&mistakes), ROBION_INTERNAL);
      assert_non_null(strstr(MistakesFirst(&mistakes), "value is nan at step"));
      assert_non_null(strstr(MistakesFirst(&mistakes), "Step() at"));
      MistakesClear(&mistakes);
      TeamWorks();
    }
}

static void AllRanksFail(void **state)
{
  for (int together = 0; together < 2; together++) {
    Mistakes mistakes = {0};
    Work work = {WITH_WINDOW, rank, PETSC_ERR_MEM, PETSC_COMM_WORLD, 0, together ? PETSC_TRUE : PETSC_FALSE};
    assert_int_equal(GuardedRun(PETSC_COMM_WORLD, DoWork, &work, &mistakes), 0);
    assert_int_equal(mistakes.n, 1);
    assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
    assert_non_null(strstr(MistakesFirst(&mistakes), "value is nan at step 2"));
    MistakesClear(&mistakes);
    TeamWorks();
  }
}

static void GoodWorkIsLeftAlone(void **state)
{
  for (int i = 0; i < 20; i++) {
    Mistakes mistakes = {0};
    Work work = {.fails = N_PLACES, .team = PETSC_COMM_WORLD};
    assert_int_equal(GuardedRun(PETSC_COMM_WORLD, DoWork, &work, &mistakes), 0);
    assert_false(MistakesAny(&mistakes));
    assert_int_equal(work.steps, 4);
    TeamWorks();
  }
}

/* Two failures at different places of the same work: half of the ranks only reach the one, half the other. */
static void TwoRanksFailApart(void **state)
{
  if (size < 2) return;
  for (int first = AT_START; first < N_PLACES; first++) {
    Mistakes mistakes = {0};
    Work work = {
        rank == 0 ? (Place)first : IN_NODE, rank < 2 ? rank : -1, PETSC_ERR_FP, PETSC_COMM_WORLD, 0, PETSC_FALSE};
    assert_int_equal(GuardedRun(PETSC_COMM_WORLD, DoWork, &work, &mistakes), 0);
    assert_int_equal(mistakes.n, 1);
    MistakesClear(&mistakes);
    TeamWorks();
  }
}

/* Tracebacks of errors that are meant would break the lines of the test's report. */
static PetscErrorCode SayNothing(const char format[], ...)
{
  return 0;
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  PetscErrorPrintf = SayNothing;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  const struct CMUnitTest tests[] = {cmocka_unit_test(GoodWorkIsLeftAlone), cmocka_unit_test(OneRankFails),
                                     cmocka_unit_test(AllRanksFail), cmocka_unit_test(TwoRanksFailApart)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
