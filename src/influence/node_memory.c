/* MPI windows of shared memory, open for reading and writing as long as they live. */
#include "node_memory.h"
#include "robion/memory.h"
#include <stdint.h>
#include <sys/mman.h>

#define ALIGNMENT 64
#define HUGE_PAGE ((uintptr_t)2 << 20)

/*
 * Ask for huge pages, as far as the system gives them for such memory: voxels look into volumes of gigabytes at random, each look
 * at another page. Without them it is only slower.
 */
static void PreferHugePages(void *memory, size_t bytes)
{
  const uintptr_t first = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1),
                  last = ((uintptr_t)memory + bytes) & ~(HUGE_PAGE - 1);
  if (last > first) (void)madvise((void *)first, last - first, MADV_HUGEPAGE);
}

PetscErrorCode NodeMemoryCreate(MPI_Comm node, size_t bytes, PetscBool of_each, MPI_Win *window)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  char *base;
  PetscCallMPI(MPI_Comm_rank(node, &rank));
  const MPI_Aint size = of_each || rank == 0 ? (MPI_Aint)(bytes + ALIGNMENT) : 0;
  unsigned long long all = (unsigned long long)size; /* which every rank sees */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, node));
  PetscCall(MemoryRoom(node, (size_t)all));
  PetscCallMPI(MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, node, &base, window));
  PreferHugePages(base, (size_t)size);
  PetscCallMPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, *window));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryGet(MPI_Win window, PetscMPIInt rank, void **out)
{
  PetscFunctionBegin;
  char *base;
  MPI_Aint size;
  int unit;
  PetscCallMPI(MPI_Win_shared_query(window, rank, &size, &unit, &base));
  *out = base + (ALIGNMENT - (uintptr_t)base % ALIGNMENT) % ALIGNMENT;
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryMeet(MPI_Comm node, int n, MPI_Win *window)
{
  PetscFunctionBegin;
  for (int k = 0; k < n; k++) PetscCallMPI(MPI_Win_sync(window[k]));
  PetscCallMPI(MPI_Barrier(node));
  for (int k = 0; k < n; k++) PetscCallMPI(MPI_Win_sync(window[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryDestroy(MPI_Win *window)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Win_unlock_all(*window));
  PetscCallMPI(MPI_Win_free(window));
  PetscFunctionReturn(0);
}
