/**
 * Jobs for SLURM: what a study takes, and the script that asks for it.
 */
#pragma once
#include "robion/study.h"
#include "robion/text.h"

enum { COST_BASIS = 192 };

/** What all plans of a study take together, as the queue estimates it before anything of it is measured. */
typedef struct StudyCost {
  double core_seconds, longest_s; /* of all plans, of the longest one; on one core */
  double bytes, own_bytes;        /* of the largest plan, a node's and that of each of its ranks */
  double time_factor;             /* times the time is what a job should ask for */
  char basis[COST_BASIS];         /* of the times, in words */
} StudyCost;

/** MiB of a node that a job should ask for, of a plan that takes these bytes of a node and of each of its ranks: a third more, and libraries. */
double BatchMemory_MiB(double node_bytes, double rank_bytes, PetscInt ranks);

/**
 * Time by the queue's estimate, memory of the plan that is estimated to take most as --dry-run tells it on a node of so many ranks. Cases
 * that cannot be read cost nothing: their plans fail at once. Collective on comm.
 */
PetscErrorCode StudyEstimate(MPI_Comm comm, const Study *study, PetscInt ranks_per_node, StudyCost *cost);

/** A job, or an array of jobs. */
typedef struct BatchJob {
  const char *program, *study, *results; /* paths as the job sees them: absolute */
  const char *name;
  PetscInt nodes, ranks_per_node, array_jobs; /* array_jobs 0: a single job */
  double limit_s; /* wall clock; 0: some times the estimate, between half an hour and a day */
  PetscInt n_set;
  const char *const *set; /* path=value, for --set */
  PetscInt n_sbatch;
  const char *const *sbatch; /* further options of sbatch */
} BatchJob;

/** Seconds that the job is expected to run. */
double BatchExpected_s(const BatchJob *job, const StudyCost *cost);

/**
 * The script for sbatch: resources from the cost, SIGUSR1 before the end, back into the queue until the study is done. Every
 * text of the user is quoted for the shell; line breaks in options of sbatch are refused by the caller.
 */
PetscErrorCode BatchScript(const BatchJob *job, const StudyCost *cost, Text *script);

/** Whether a job is to inherit a variable "NAME=value" of the process that submits it: what MPI, PMIx and SLURM tell this one is not for it. */
PetscBool BatchInherits(const char *variable);
