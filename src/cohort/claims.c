/* Which plan is whose: a table that all teams reach without anybody's help. */
#include "cohort_private.h"

/* In the window: how often each plan was asked for, core milliseconds it took, and whether to stop. */
struct Claims_s {
  MPI_Win window;
  PetscInt n;
  long long *copy; /* [2 n] */
};

PetscErrorCode ClaimsCreate(MPI_Comm comm, PetscInt n, const long long *start, Claims *out)
{
  PetscFunctionBegin;
  Claims claims;
  PetscMPIInt rank;
  long long *table;
  PetscCall(PetscNew(&claims));
  claims->n = n;
  PetscCall(PetscMalloc1(2 * n, &claims->copy));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  const MPI_Aint size = rank == 0 ? (2 * (MPI_Aint)n + 1) * (MPI_Aint)sizeof *table : 0;
  PetscCallMPI(MPI_Win_allocate(size, (int)sizeof *table, MPI_INFO_NULL, comm, &table, &claims->window));
  PetscCallMPI(MPI_Win_lock_all(0, claims->window));
  if (rank == 0) {
    PetscCall(PetscArrayzero(table, 2 * n + 1));
    for (PetscInt p = 0; p < n; p++) table[p] = start[p] == CLAIM_FREE ? 0 : 1;
    PetscCallMPI(MPI_Win_sync(claims->window));
  }
  PetscCallMPI(MPI_Barrier(comm));
  *out = claims;
  PetscFunctionReturn(0);
}

/* Atomic also against what other teams write. */
static PetscErrorCode Read(Claims claims, PetscInt first, PetscInt n, long long *value)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Get_accumulate(value, (int)n, MPI_LONG_LONG, value, (int)n, MPI_LONG_LONG, 0, first, (int)n,
                                  MPI_LONG_LONG, MPI_NO_OP, claims->window));
  PetscCallMPI(MPI_Win_flush(0, claims->window));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(Claims claims, PetscInt at, long long value)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Accumulate(&value, 1, MPI_LONG_LONG, 0, at, 1, MPI_LONG_LONG, MPI_REPLACE, claims->window));
  PetscCallMPI(MPI_Win_flush(0, claims->window));
  PetscFunctionReturn(0);
}

PetscErrorCode ClaimsRead(Claims claims, long long *value)
{
  PetscFunctionBegin;
  const PetscInt n = claims->n;
  PetscCall(Read(claims, 0, 2 * n, claims->copy));
  for (PetscInt p = 0; p < n; p++)
    value[p] = claims->copy[n + p] > 0 ? claims->copy[n + p] : claims->copy[p] ? CLAIM_TAKEN : CLAIM_FREE;
  PetscFunctionReturn(0);
}

/* The first who asks has it. (A compare-and-swap would say this too, but crashes in Open MPI 4.1's osc/rdma.) */
PetscErrorCode ClaimsTake(Claims claims, PetscInt p, PetscBool *taken)
{
  PetscFunctionBegin;
  long long one = 1, before;
  PetscCallMPI(MPI_Fetch_and_op(&one, &before, MPI_LONG_LONG, 0, p, MPI_SUM, claims->window));
  PetscCallMPI(MPI_Win_flush(0, claims->window));
  *taken = before == 0 ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode ClaimsFinish(Claims claims, PetscInt p, double core_seconds)
{
  PetscFunctionBegin;
  PetscCall(Write(claims, claims->n + p, PetscMax(CLAIM_OVER, (long long)(1000 * core_seconds))));
  PetscFunctionReturn(0);
}

PetscErrorCode ClaimsTellStop(Claims claims)
{
  PetscFunctionBegin;
  PetscCall(Write(claims, 2 * claims->n, 1));
  PetscFunctionReturn(0);
}

PetscErrorCode ClaimsHearStop(Claims claims, PetscBool *stop)
{
  PetscFunctionBegin;
  long long value = 0;
  PetscCall(Read(claims, 2 * claims->n, 1, &value));
  *stop = value ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode ClaimsDestroy(Claims *claims)
{
  PetscFunctionBegin;
  if (!*claims) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Win_unlock_all((*claims)->window));
  PetscCallMPI(MPI_Win_free(&(*claims)->window));
  PetscCall(PetscFree((*claims)->copy));
  PetscCall(PetscFree(*claims));
  PetscFunctionReturn(0);
}
