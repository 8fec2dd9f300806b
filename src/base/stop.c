#include "robion/stop.h"
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t received = 0;
static double deadline = 0;

static double Now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void Handle(int signal_number)
{
  if (received && signal_number != SIGUSR1) _exit(128 + signal_number);
  received = signal_number;
}

PetscErrorCode StopInstall(double limit_seconds)
{
  PetscFunctionBegin;
  const int signals[] = {SIGUSR1, SIGTERM, SIGINT};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(signals); i++)
    PetscCheck(!sigaction(signals[i], &action, NULL), PETSC_COMM_SELF, PETSC_ERR_SYS, "cannot handle signal %d",
               signals[i]);
  deadline = limit_seconds > 0 ? Now() + limit_seconds : 0;
  PetscFunctionReturn(0);
}

PetscBool StopRequested(void)
{
  return received || (deadline > 0 && Now() > deadline) ? PETSC_TRUE : PETSC_FALSE;
}

const char *StopReason(void)
{
  if (received == SIGUSR1) return "signal SIGUSR1";
  if (received == SIGTERM) return "signal SIGTERM";
  if (received == SIGINT) return "signal SIGINT";
  return StopRequested() ? "time limit" : NULL;
}
