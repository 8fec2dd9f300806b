/* What an error of PETSc was about, kept for the one line that a user reads: running out of memory is told apart from bugs. */
#include "robion/failure.h"
#include "robion/memory.h"
#include <stdio.h>
#include <string.h>

/* PETSc 3.18 gives a malloc that failed another code than PETSC_ERR_MEM. */
static PetscBool RanOut(PetscErrorCode code, const char *function)
{
  if (code == PETSC_ERR_MEM) return PETSC_TRUE;
  return !strncmp(function, "Petsc", 5) && (strstr(function, "Malloc") || strstr(function, "Realloc")) ? PETSC_TRUE
                                                                                                       : PETSC_FALSE;
}

static void TellMemory(Failure *failure, const char *message)
{
  const double gib = 1073741824;
  PetscLogDouble now = 0;
  (void)PetscMemoryGetCurrentUsage(&now);
  snprintf(failure->text, sizeof failure->text,
           "not enough memory: %s%sthis process has %.3g GiB and can have %.3g GiB more", message, *message ? "; " : "",
           now / gib, MemoryOfProcess() / gib);
}

PetscErrorCode FailureNote(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                           PetscErrorType type, const char *message, void *context)
{
  Failure *failure = context;
  const char *text = message;
  PetscBool begun = PETSC_FALSE;
  if (!*failure->text) {
    if (!text || !*text) PetscErrorMessage(code, &text, NULL);
    failure->memory = RanOut(code, function);
    if (failure->memory)
      TellMemory(failure, code == PETSC_ERR_MEM && message ? message : "");
    else
      snprintf(failure->text, sizeof failure->text, "%s (%s() at %s:%d)", text ? text : "error", function, file, line);
  }
  PetscMPIInt rank = 0;
  (void)PetscInitialized(&begun);
  if (begun)
    (void)MPI_Comm_rank(comm,
                        &rank); /* of an error that all ranks make, the first tells; PETSc would abort the others */
  return begun && !rank ? PetscTraceBackErrorHandler(comm, line, function, file, code, type, message, NULL) : code;
}

PetscErrorCode FailureKeep(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                           PetscErrorType type, const char *message, void *context)
{
  Failure *failure = context;
  const char *text = message;
  if (*failure->text) return code;
  if (!text || !*text) (void)PetscErrorMessage(code, &text, NULL);
  snprintf(failure->text, sizeof failure->text, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
  return code;
}
