/**
 * What a run says while it works: one line per event on standard output and in log.txt, one JSON object per event in
 * events.jsonl. Part of base.
 *
 * There is one logger per process. Only the processes that `LogOpen` makes speakers write: rank 0 of the communicator it
 * was given. Several teams each open it with a communicator of their own to have one speaker per team. Lines are appended whole,
 * which holds on one node; network file systems may mix what several nodes append to one file, so each node has files of its
 * own (`part`). Before LogOpen, rank 0 of MPI_COMM_WORLD prints to standard output only. A log that can no longer be written
 * never stops a run.
 */
#pragma once
#include "robion/error.h"
#include <stdio.h>

typedef enum { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL } LogLevel;

/**
 * Open <folder>/log<part>.txt and <folder>/events<part>.jsonl for appending on rank 0 of comm. verbosity 0: only errors and warnings on
 * standard output, 1: info too, 2: details too, also in log.txt (which always has errors, warnings and info).
 * Mistakes: ROBION_RESOURCES, on every rank. Collective.
 */
PetscErrorCode LogOpen(MPI_Comm comm, const char *folder, const char *part, int verbosity, Mistakes *mistakes);
PetscErrorCode LogClose(void);

/** One line "HH:MM:SS level topic case  message" (local time). patient may be NULL. Control characters become spaces. */
void LogLine(LogLevel level, const char *topic, const char *patient, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** A line for each mistake of the list, which is empty afterwards. */
PetscErrorCode LogMistakes(LogLevel level, const char *stage, const char *patient, Mistakes *mistakes);

/**
 * The same, unless this process has said just this since the log was opened: for what is true of a case in all of its plans, so
 * that a study of many arms does not repeat it.
 */
void LogLineOnce(LogLevel level, const char *topic, const char *patient, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * Work that may take long, told while it goes on: "set-up: 40 %, about 12 s left", first after some seconds, then ever more rarely. The
 * texts are not owned; topic and patient are those of LogLine.
 */
typedef struct Phase {
  const char *topic, *patient, *what; /* what: begins the line */
  double begun, told;                 /* steady clock */
} Phase;
Phase PhaseBegin(const char *topic, const char *patient, const char *what);
/** `done` of `total` is done; phase NULL: nothing is told. Not collective. */
void PhaseTell(Phase *phase, double done, double total);

/** From now on lines go to standard error, as standard output is for data. Not collective. */
void LogToStandardError(void);

/**
 * One line that stays below the log while a run goes on, where somebody watches: standard output is a terminal (also that of
 * mpirun on this node) and this is rank 0 of MPI_COMM_WORLD. Elsewhere it does nothing. "" takes it away.
 */
void LogProgress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * One line {"time": "2026-01-31T12:00:00Z", "event": kind, ...} in events.jsonl. `format` is a list of key=conversion
 * separated by spaces, the conversion one of %s %d %ld %lld %zu %g (PetscInt: "%" PetscInt_FMT):
 *   LogEvent("plan_done", "case=%s iterations=%d seconds=%g", name, n, t);
 * A number that is not finite and a NULL string become null.
 */
void LogEvent(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether the parent of this process is mpirun, a daemon of it or of SLURM (Linux; elsewhere false). */
PetscBool StartedByLauncher(void);

/** Unix time now, s. */
double TimeNow(void);
/** Seconds by a clock that nobody sets, from some moment on: for durations. */
double TimeSteady(void);
/** "2026-01-31T12:00:00Z" of a Unix time. */
void TimeText(double unix_time, char text[32]);
/** "45 s", "12 min 05 s", "1 h 05 min", "2 d 03 h". */
void DurationText(double seconds, char text[32]);
/** Time left if `done` of `total` took `elapsed` seconds, as DurationText; "unknown" when nothing is done yet. */
void TimeLeftText(double elapsed, PetscInt done, PetscInt total, char text[32]);
