/**
 * Exit codes and the collector of user mistakes.
 *
 * Two kinds of trouble exist. A bug of robion is a PETSc error: PetscCall/PetscCheck, a traceback, exit 1. A mistake of
 * the user (study file, case file, command line) is a line in a `Mistakes` list: functions that meet one add it and
 * return 0 with their result left NULL/empty; the caller asks `MistakesAny` and decides what stops. Every mistake is one
 * line that says where, what was found and what was expected.
 */
#pragma once
#include <petscsys.h>

typedef enum {
  ROBION_DONE = 0,         /* finished */
  ROBION_INTERNAL = 1,     /* a bug: PETSc traceback */
  ROBION_COMMAND_LINE = 2, /* wrong verb, option or operand */
  ROBION_STUDY = 3,        /* study file */
  ROBION_INPUT = 4,        /* case, base data, plan file */
  ROBION_RESOURCES = 5,    /* memory, disk */
  ROBION_SOME_FAILED = 6,  /* finished, but some plans failed */
  ROBION_STOPPED = 75      /* stopped by signal or time limit: run again with --resume */
} RobionExit;

typedef struct Mistake {
  RobionExit exit; /* the exit code this mistake calls for */
  char *text;      /* one line, no newline */
} Mistake;

/** A growing list of mistakes; start with `Mistakes m = {0}`. */
typedef struct Mistakes {
  PetscInt n, capacity;
  Mistake *item;
} Mistakes;

/** Add one mistake (printf format). An identical line already in the list is not added twice. Not collective. */
PetscErrorCode MistakesAdd(Mistakes *mistakes, RobionExit exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** True if the list holds anything. */
PetscBool MistakesAny(const Mistakes *mistakes);

/** True if any of the list calls for this exit code. */
PetscBool MistakesCallFor(const Mistakes *mistakes, RobionExit exit_code);

/** Exit code of the list: that of its first entry, ROBION_DONE when empty. */
RobionExit MistakesExit(const Mistakes *mistakes);

/** Text of the first mistake, "" when there is none. */
const char *MistakesFirst(const Mistakes *mistakes);

/** Print all lines as "robion: <text>" to stderr. Call on one rank only. */
void MistakesPrint(const Mistakes *mistakes);

/** Make every rank hold the mistakes of the lowest rank that has any. Collective on comm. */
PetscErrorCode MistakesShare(MPI_Comm comm, Mistakes *mistakes);

/**
 * PetscMalloc of what may be large: false and one mistake (ROBION_RESOURCES) that begins with the printf text, which says what
 * for, and gives the size, if there is not so much memory. *out is NULL then. Not collective.
 */
PetscBool MistakesMalloc(size_t bytes, Mistakes *mistakes, void *out, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * Move all lines of a list to the end of another, as what calls for this exit code; ROBION_DONE: as what they were. Not collective.
 */
PetscErrorCode MistakesMove(Mistakes *from, RobionExit exit_code, Mistakes *to);

/** Forget all but the first n lines. */
void MistakesCut(Mistakes *mistakes, PetscInt n);

/** Free all lines; the list is empty and usable again. */
PetscErrorCode MistakesClear(Mistakes *mistakes);

/**
 * The known name nearest to `found` (edit distance at most 1 + length/3, ties to the earlier), or NULL.
 * `known` is an array of n names.
 */
const char *NearestName(const char *found, PetscInt n, const char *const *known);

/** Text for the end of a message, returned by value to be used as `SuggestName(...).text` inside one. */
typedef struct Suggestion {
  char text[160];
} Suggestion;

/**
 * Opening and "did you mean X?" of the nearest name, closed if the opening is " (": " (did you mean X?)", ", did you mean X?";
 * nothing if no name is near.
 */
Suggestion SuggestName(const char *opening, const char *found, PetscInt n, const char *const *known);
