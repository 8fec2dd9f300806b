/**
 * Memory of this process and of its node. Part of base. Not collective.
 */
#pragma once
#include <petscsys.h>

/**
 * Bytes that this node's processes can still have: the least of what the kernel, the control group and SLURM (SLURM_MEM_PER_NODE)
 * allow, and the node's memory where none of them says anything.
 */
double MemoryAvailable(void);

/** Let the system have what was freed: MPI libraries make malloc keep it. */
void MemoryGiveBack(void);
/** Largest resident memory of this process since the start or the last PeakMemoryReset, MiB. */
double PeakMemory_MiB(void);
/** Begin a new peak at the memory in use now (Linux; elsewhere it does nothing and the peak goes on). */
void PeakMemoryReset(void);
