/**
 * status.json: what has become of a study or of one plan, for scripts, workflow tools and later runs. Part of base. Nothing is
 * collective.
 */
#pragma once
#include "robion/error.h"

/** What state a study or a plan is in; names as status.json has them. */
typedef enum { STATE_RUNNING, STATE_DONE, STATE_FAILED, STATE_STOPPED, N_STATES } RunState;
extern const char *const run_state_names[N_STATES];

/** What is written of a study or of one plan. Strings may be NULL (null in the file). */
typedef struct RunStatus {
  RunState state;
  const char *plan; /* the plan's folder in the results; NULL for a whole study */
  const char *patient, *arm, *sweep;
  const char *message;   /* one line for people, e.g. why it failed */
  double started, ended; /* Unix time, s; ended <= 0: not yet (null) */
  double seconds;        /* taken, by a clock that nobody sets; 0: ended - started */
  PetscMPIInt ranks;     /* that took them; 0: not said */
  const char *part;      /* of the file name, as for LogOpen; NULL: "" */
} RunStatus;

/** Write <folder>/status<part>.json: temporary name, then rename. False and one mistake if it fails. Not collective. */
PetscBool StatusWrite(const char *folder, const RunStatus *status, Mistakes *mistakes);

/** What is read of a plan. */
typedef struct PlanStatus {
  PetscBool there; /* there is a status that says a state */
  RunState state;
  char message[384]; /* "" if there is none */
  double seconds;    /* 0: not said */
  PetscInt ranks;    /* that took them; 1 if it is not said */
} PlanStatus;

/** Read <folder>/status.json. One that is missing, damaged or of no known state is not there. */
PetscErrorCode StatusRead(const char *folder, PlanStatus *status);
