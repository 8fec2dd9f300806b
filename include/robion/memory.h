/**
 * Memory of this process and of its node. Part of base. Not collective but for MemoryRoom.
 */
#pragma once
#include <petscsys.h>

/**
 * Bytes that this node's processes can still have: the least of what the kernel, the control groups and SLURM (SLURM_MEM_PER_NODE)
 * allow, and the node's memory where none of them says anything.
 */
double MemoryAvailable(void);

/** Let the system have what was freed: MPI libraries make malloc keep it. */
void MemoryGiveBack(void);
/** Largest resident memory of this process since the start or the last PeakMemoryReset, MiB. */
double PeakMemory_MiB(void);
/** Begin a new peak at the memory in use now (Linux; elsewhere it does nothing and the peak goes on). */
void PeakMemoryReset(void);

/** Bytes that this process holds now, for itself and of what it shares with others (Linux; elsewhere all of them for itself). */
void MemoryInUse(double *own, double *shared);

/** Bytes that this process alone can still have: of those, what its own limits leave (ulimit -v, ulimit -d). */
double MemoryOfProcess(void);

/**
 * A PETSC_ERR_MEM with the size on every rank unless each of them can have `bytes` more of address space now: to be asked before a
 * library takes them that would end the program, or leave other ranks waiting. Collective.
 */
PetscErrorCode MemoryRoom(MPI_Comm comm, size_t bytes);
