/**
 * Stopping in good order. The optimiser asks once per iteration, the queue between the steps of a plan. Reasons to stop:
 * SIGUSR1, SIGTERM and SIGINT; a time limit; the end of the SLURM job, where SLURM says when that is
 * (SLURM_JOB_END_TIME), some time before; a file; another team of the run that stops. A second SIGTERM or SIGINT ends the
 * process at once. Part of base.
 */
#pragma once
#include <petscsys.h>

/**
 * Install the handlers (after PetscInitialize) and start the clock; limit_seconds 0 means no limit. Clocks that are set
 * meanwhile do not matter. On Linux the process also ends at once, killed, with the mpirun or daemon that started it. Call on
 * every rank.
 */
PetscErrorCode StopInstall(double limit_seconds);

/** Stop when this file is there (looked for every second at most; copied; NULL: no longer). */
PetscErrorCode StopWatchFile(const char *file);

/** Ask this function too, every second at most; it returns a reason, or NULL to go on. NULL: no longer. */
void StopWatchOthers(const char *(*ask)(void *context), void *context);

/** True once there is a reason to stop; stays true. Ranks may differ: ask on one rank and share. */
PetscBool StopRequested(void);

/** "signal SIGUSR1", "time limit", "end of the SLURM job", "file results/x/stop", what StopWatchOthers returned, or NULL. */
const char *StopReason(void);
