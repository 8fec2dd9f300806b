/* Reasons to stop, asked for by polling: signal handlers only set a flag. */
#include "robion/stop.h"
#include "robion/log.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

/* Of what is left of a SLURM job when the run starts, this share and at most so many seconds are kept for saving. */
static const double RESERVE_SHARE = 0.1, RESERVE_MOST_S = 120;

static volatile sig_atomic_t received = 0;
static double limit_ends = 0, job_ends = 0; /* by the clock of TimeSteady, 0: never */
static char *file = NULL, file_reason[PETSC_MAX_PATH_LEN + 8];
static const char *(*ask_others)(void *);
static void *ask_context;
static const char *found; /* reason that was found when looking */
static double looked;

static void Handle(int signal_number)
{
  if (received && signal_number != SIGUSR1) _exit(128 + signal_number);
  received = signal_number;
}

/* When to stop for the end of the SLURM job, or 0. */
static double JobEnd(void)
{
  const char *text = getenv("SLURM_JOB_END_TIME");
  char *rest;
  if (!text || !*text) return 0;
  double left = strtod(text, &rest) - TimeNow();
  if (*rest || left > 1e8) return 0; /* a job without a limit has an end in a far year */
  return TimeSteady() + PetscMax(0.0, left - PetscMin(RESERVE_MOST_S, RESERVE_SHARE * left));
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
#ifdef __linux__
  /* Ranks outlive a mpirun that was killed, and would write into the same folder as the job that goes on. */
  if (StartedByLauncher()) (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  limit_ends = limit_seconds > 0 ? TimeSteady() + limit_seconds : 0;
  job_ends = JobEnd();
  received = 0;
  found = NULL;
  looked = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode StopWatchFile(const char *name)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(file));
  if (name) PetscCall(PetscStrallocpy(name, &file));
  if (name) snprintf(file_reason, sizeof file_reason, "file %s", name);
  PetscFunctionReturn(0);
}

void StopWatchOthers(const char *(*ask)(void *), void *context)
{
  ask_others = ask;
  ask_context = context;
}

/* What costs a system call or a message. */
static const char *Look(void)
{
  if (file && !access(file, F_OK)) return file_reason;
  return ask_others ? (*ask_others)(ask_context) : NULL;
}

const char *StopReason(void)
{
  if (received == SIGUSR1) return "signal SIGUSR1";
  if (received == SIGTERM) return "signal SIGTERM";
  if (received == SIGINT) return "signal SIGINT";
  const double now = TimeSteady();
  if (limit_ends > 0 && now > limit_ends) return "time limit";
  if (job_ends > 0 && now > job_ends) return "end of the SLURM job";
  if (!found && (now > looked + 1 || looked == 0)) {
    looked = now;
    found = Look();
  }
  return found;
}

PetscBool StopRequested(void)
{
  return StopReason() ? PETSC_TRUE : PETSC_FALSE;
}
