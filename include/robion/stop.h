/**
 * Stopping in good order: SIGUSR1, SIGTERM and SIGINT, or a time limit, set a flag that the optimiser asks for once per
 * iteration. A second SIGTERM or SIGINT ends the process at once.
 */
#pragma once
#include <petscsys.h>

/** Install the handlers (after PetscInitialize) and start the clock; limit_seconds 0 means no limit. Call on every rank. */
PetscErrorCode StopInstall(double limit_seconds);

/** True once a signal came or the time limit passed. Async-signal-safe flag; ranks may differ: ask on one rank and share. */
PetscBool StopRequested(void);

/** "signal SIGUSR1", "time limit", or NULL. */
const char *StopReason(void);
