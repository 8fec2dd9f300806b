/*
 * How a failed rank ends the work of its team without a deadlock. Every collective call on a watched communicator is preceded by an
 * MPI_Iallreduce of "have you failed?" on its shadow. A rank that fails takes part in this one question on each watched communicator,
 * all at once, since the others may be about to ask on different ones; they learn of it and leave by the usual error way. Each
 * communicator hears of a failure once (`settled`), so question and answer always pair up.
 */
#include "robion/guard.h"
#include "guard.h"
#include "robion/failure.h"
#include <stdio.h>
#include <string.h>

enum { MOST_COMMS = 16, MOST_WINDOWS = 64 };

/* A communicator of the guarded work. */
typedef struct Watched {
  MPI_Comm comm, shadow;
  PetscBool settled; /* the failure has been told on it */
} Watched;

typedef struct WatchedWindow {
  MPI_Comm comm;
  MPI_Win window;
} WatchedWindow;

static struct {
  PetscBool failed; /* by this rank or, as others have told, by another */
  int n_comm, n_window;
  Watched comm[MOST_COMMS];
  WatchedWindow window[MOST_WINDOWS];
  Failure own; /* of this rank */
} guard;

static Watched *Find(MPI_Comm comm)
{
  for (int i = 0; i < guard.n_comm; i++)
    if (guard.comm[i].comm == comm) return &guard.comm[i];
  return NULL;
}

/* All ranks say whether they have failed: one call of each rank on each communicator ends the work. */
static int Tell(Watched *watched, int failed, int *any, MPI_Request *request)
{
  any[0] = failed; /* in place: the same memory serves both ways */
  return PMPI_Iallreduce(MPI_IN_PLACE, any, 1, MPI_INT, MPI_MAX, watched->shadow, request);
}

int GuardAsk(MPI_Comm comm)
{
  Watched *watched = Find(comm);
  MPI_Request request;
  int any = 0;
  if (!watched) return MPI_SUCCESS;
  if (guard.failed) return MPI_ERR_OTHER;
  int error = Tell(watched, 0, &any, &request);
  if (!error) error = PMPI_Wait(&request, MPI_STATUS_IGNORE);
  if (!error && !any) return MPI_SUCCESS;
  guard.failed = watched->settled = PETSC_TRUE;
  return MPI_ERR_OTHER;
}

static int Watch(MPI_Comm comm)
{
  if (guard.n_comm == MOST_COMMS) return MPI_ERR_NO_MEM;
  Watched *watched = &guard.comm[guard.n_comm];
  *watched = (Watched){.comm = comm};
  int error = PMPI_Comm_dup(comm, &watched->shadow);
  if (!error) guard.n_comm++;
  return error;
}

int GuardWatch(MPI_Comm parent, MPI_Comm made)
{
  return Find(parent) && made != MPI_COMM_NULL ? Watch(made) : MPI_SUCCESS;
}

int GuardForget(MPI_Comm comm)
{
  Watched *watched = Find(comm);
  if (!watched) return MPI_SUCCESS;
  int error = PMPI_Comm_free(&watched->shadow);
  *watched = guard.comm[--guard.n_comm];
  return error;
}

void GuardWatchWindow(MPI_Comm comm, MPI_Win window)
{
  if (!Find(comm) || guard.n_window == MOST_WINDOWS) return; /* one too many stays behind after a failure */
  PMPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  guard.window[guard.n_window++] = (WatchedWindow){comm, window};
}

static WatchedWindow *FindWindow(MPI_Win window)
{
  for (int i = 0; i < guard.n_window; i++)
    if (guard.window[i].window == window) return &guard.window[i];
  return NULL;
}

int GuardAskWindow(MPI_Win window)
{
  WatchedWindow *watched = FindWindow(window);
  return watched ? GuardAsk(watched->comm) : MPI_SUCCESS;
}

/* The order stays that of making, which is the same on all ranks. */
void GuardForgetWindow(MPI_Win window)
{
  WatchedWindow *watched = FindWindow(window);
  if (!watched) return;
  int after = guard.n_window - 1 - (int)(watched - guard.window);
  memmove(watched, watched + 1, (size_t)after * sizeof *watched);
  guard.n_window--;
}

/* Keeps the first message; PETSc's own traceback says the rest. Ranks that only hear of a failure say nothing. */
static PetscErrorCode Listen(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                             PetscErrorType type, const char *message, void *context)
{
  if (guard.failed) return code;
  return FailureNote(comm, line, function, file, code, type, message, &guard.own);
}

/* Tell all communicators that have not heard of it: together, as ranks may wait on different ones. */
static PetscErrorCode TellFailure(void)
{
  PetscFunctionBegin;
  MPI_Request request[MOST_COMMS];
  int any[MOST_COMMS], n = 0;
  for (int i = 0; i < guard.n_comm; i++)
    if (!guard.comm[i].settled) {
      PetscCallMPI(Tell(&guard.comm[i], 1, &any[n], &request[n]));
      n++;
    }
  PetscCallMPI(PMPI_Waitall(n, request, MPI_STATUSES_IGNORE));
  PetscFunctionReturn(0);
}

/* Give back the windows and communicators of failed work; the first one is the team's. */
static PetscErrorCode CleanUp(void)
{
  PetscFunctionBegin;
  for (int i = guard.n_window - 1; i >= 0; i--) {
    (void)PMPI_Win_unlock_all(guard.window[i].window);
    PetscCallMPI(PMPI_Win_free(&guard.window[i].window));
  }
  guard.n_window = 0;
  for (int i = guard.n_comm - 1; i > 0; i--) {
    PetscCallMPI(PMPI_Comm_free(&guard.comm[i].shadow));
    PetscCallMPI(PMPI_Comm_free(&guard.comm[i].comm));
  }
  guard.n_comm = 1;
  PetscFunctionReturn(0);
}

PetscErrorCode GuardedRun(MPI_Comm team, PetscErrorCode (*work)(void *), void *context, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  PetscCheck(!guard.n_comm, PETSC_COMM_SELF, PETSC_ERR_ORDER, "guarded work inside of guarded work");
  memset(&guard, 0, sizeof guard);
  PetscCallMPI(Watch(team));
  PetscCall(PetscPushErrorHandler(Listen, NULL));
  PetscErrorCode error = (*work)(context);
  PetscCall(PetscPopErrorHandler());
  if (error && !guard.failed) {
    PetscCall(MistakesAdd(&found, guard.own.memory ? ROBION_RESOURCES : ROBION_INTERNAL, "%s", guard.own.text));
    guard.failed = PETSC_TRUE;
  }
  if (guard.failed || GuardAsk(team)) {
    PetscCall(TellFailure());
    PetscCall(CleanUp());
  }
  PetscBool failed = guard.failed;
  PetscCallMPI(GuardForget(team));
  if (failed) PetscCall(MistakesShare(team, &found));
  PetscCall(MistakesMove(&found, ROBION_DONE, mistakes));
  PetscFunctionReturn(0);
}
