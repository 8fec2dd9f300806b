/**
 * Work of a team that may fail on one rank without leaving the others waiting. Part of base.
 *
 * A PETSc error (a bug, a NaN, no memory) takes one rank out of the sequence of collective calls that its team makes; the
 * others would wait in the next one for ever. So while guarded work runs, every collective call on the team's communicator,
 * and on those split from it, first asks all ranks whether they still go on (a one-integer MPI_Iallreduce on a shadow
 * communicator, some microseconds). A rank that has failed answers no, once, on each of the communicators; the others then
 * leave the call they were about to make with an MPI error, which takes them out of the work by the usual PetscCall way.
 * No collective operation is left half done, so the communicator can be used again. MPI's profiling interface makes this
 * possible without a word in the code between: src/base/guard_mpi.c holds the calls that ask.
 *
 * Limits: what a library does on communicators of its own (HDF5's of an open file) does not ask; memory of the failed work is
 * not given back, except for MPI windows and communicators; only one guarded work at a time in a process.
 */
#pragma once
#include "robion/error.h"

/**
 * Run work(context) on all ranks of the team. If it returns an error on any of them, every rank gets the same mistake: the
 * message of the lowest rank that failed by itself, ROBION_RESOURCES where memory ran out, else ROBION_INTERNAL. PETSc's
 * traceback goes to stderr. Collective.
 */
PetscErrorCode GuardedRun(MPI_Comm team, PetscErrorCode (*work)(void *context), void *context, Mistakes *mistakes);
