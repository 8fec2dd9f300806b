/**
 * From a study to finished plans: going through all of them. All functions are collective.
 *
 * `StudyRun` looks at what earlier runs have left, estimates what each plan costs, divides the ranks into teams, and lets each
 * team take the plan of the highest expected cost whenever it is free, from a table in MPI memory that no rank has to serve.
 */
#pragma once
#include "robion/plan.h"

/** Command-line choices of `run`. */
typedef struct RunOptions {
  const char *results; /* folder of the study's results; NULL: results/<study name> */
  PetscBool resume;    /* skip finished plans, go on from checkpoints */
  PetscBool replan;    /* with resume: make anew what was made with other settings, which else is refused */
  PetscInt n_only;     /* case names to plan; 0: all */
  char **only;
  PetscInt n_arms; /* names of arms to plan, with those whose optimisation they share; 0: all */
  char **arms;
  PetscBool dry_run;
  double time_limit_s;  /* 0: none */
  PetscInt team_size;   /* ranks that plan together, or TEAM_PER_NODE, TEAM_AUTOMATIC */
  PetscInt array_jobs;  /* jobs that share the study, 0: this one does all */
  PetscInt array_job;   /* this one, 1 ... array_jobs */
  PetscBool owner_only; /* results can be read by nobody else */
  PetscInt n_simulate;  /* with dry_run: numbers of nodes to simulate */
  const PetscInt *simulate;
  const char *draw; /* folder for the simulation's table and picture, NULL: none */
} RunOptions;

/** Sizes of teams that depend on nodes and plans (RunOptions.team_size). */
enum { TEAM_PER_NODE = 0, TEAM_AUTOMATIC = -1 };

/** All plans of the study. Returns the exit code of the run on every rank. Collective. */
PetscErrorCode StudyRun(MPI_Comm comm, int argc, char **argv, const Study *study, const RunOptions *options,
                        RobionExit *exit_code);
