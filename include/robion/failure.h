/**
 * What a PETSc error was: memory that ran out, or a bug. Part of base.
 */
#pragma once
#include <petscsys.h>

typedef struct Failure {
  PetscBool memory; /* there was none left */
  char text[1024];  /* what the first call said, with the figures where memory ran out; "": none has failed */
} Failure;

/**
 * An error handler whose context is a Failure, zero at first: it keeps what the first call says, since those after it are its callers,
 * and goes on as PETSc does once that has begun. Not collective.
 */
PetscErrorCode FailureNote(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                           PetscErrorType type, const char *message, void *failure);

/** As FailureNote, for what is the user's mistake: the first line of what PETSc says and no traceback. Not collective. */
PetscErrorCode FailureKeep(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                           PetscErrorType type, const char *message, void *failure);
