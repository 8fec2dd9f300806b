/* Shared by the files that share a study's plans out among teams of ranks. */
#pragma once
#include "robion/cohort.h"
#include "robion/batch.h"
#include "robion/lock.h"

/* Phases of a plan that are estimated each. */
enum { COST_SET_UP, COST_OPTIMIZE, COST_EVALUATE, N_COSTS };

/* What the plans of a user tell of estimates: factors by operator and phase. */
typedef struct Calibration {
  double factor[2][N_COSTS];
  PetscInt n_plans;        /* that it is made from; 0: none, all factors are 1 */
  PetscBool other_machine; /* they are of other processors than this one's */
  double spread;           /* nine of ten plans took between the estimate over this and times this */
} Calibration;

/* What is shared by all plans of a run. */
typedef struct RunContext {
  PlanContext plan; /* of the team that plans; before teams are formed, of all ranks */
  const RunOptions *options;
  FolderLock lock;         /* of the results folder, rank 0's */
  Calibration calibration; /* of the estimates */
  char part[48];           /* of the names of log and status files that this job and node write: "", "-2", "-2-node1" */
} RunContext;

/* What is left to do of a plan. */
typedef enum {
  LEFT_OUT,      /* by --only, or another job of the array does it */
  LEFT_FINISHED, /* by an earlier run: kept */
  LEFT_TO_DO,
  LEFT_INTERRUPTED /* was being made when an earlier run died: done last, as it may have been the reason */
} Left;

/* A plan as the queue sees it. */
typedef struct QueuePlan {
  Left left;
  PetscInt arm;           /* the first plan with the same arm */
  double cost_s[N_COSTS]; /* core seconds, from its size alone; 0 if its case cannot be read */
  int assembled;          /* its dose operator is a DoseOperator */
  double estimate_s;      /* their sum, corrected by what other plans have taken */
  double measured_s;      /* core seconds it took an earlier run; 0: not known */
  double bytes;           /* of a team of one rank at work on it, estimated */
  double own_bytes;       /* of each further rank of the team */
  PetscInt units;         /* blocks of voxels: more ranks than these have nothing to do */
} QueuePlan;

/* Whether this job has still to make a plan. */
static inline PetscBool PlanIsLeft(const QueuePlan *plan)
{
  return plan->left == LEFT_TO_DO || plan->left == LEFT_INTERRUPTED ? PETSC_TRUE : PETSC_FALSE;
}

/* Mark the plans asked for by --only and --arms, and those that they take their weights from, in selected[n_plans]. */
void PlansSelect(const RunContext *run, PetscBool *selected);

/*
 * Look at the results folder: what is finished, what stays behind of dead runs is removed. Plans that --resume finds made or begun with
 * other settings are a mistake (ROBION_COMMAND_LINE, the same on all ranks), or with --replan to do. Plans are dealt to the ranks.
 * Collective.
 */
PetscErrorCode SurveyPlans(RunContext *run, QueuePlan *plan, Mistakes *mistakes);

/* The files that the plans of this job are made from, each once, those read that can be. PetscFree. Collective. */
PetscErrorCode RunInputFiles(const RunContext *run, const QueuePlan *plan, PetscInt *n, InputFile **input);

/* Whether a plan whose files are in this state (LOOK_SETTINGS or more) was made, or its checkpoint begun, with other settings. */
PetscErrorCode PlanSettingsDiffer(const PlanSpec *plan, const char *folder, PlanState state, PetscBool *differ);
/* The mistake that plan p is one of n such plans, with its differences by key. Not collective. */
PetscErrorCode SettingsRefuse(const RunContext *run, PetscInt p, PetscInt n, Mistakes *mistakes);

/* What is known; of nothing factors of 1. Collective on comm. */
PetscErrorCode CalibrationRead(MPI_Comm comm, Calibration *calibration);
/* Add what the plan in `folder` took to what is known, `speed`: TeamSpeed of its ranks. What cannot be written is lost. Not collective. */
PetscErrorCode CalibrationLearn(const QueuePlan *plan, const char *folder, double speed);
/* What estimates are worth, in words that go on after "N s, ". */
void CalibrationText(const Calibration *calibration, char text[COST_BASIS]);

/* Fill in estimates, each case on one rank, and how they were corrected. Collective on comm. */
PetscErrorCode CostsEstimate(MPI_Comm comm, const Study *study, QueuePlan *plan, Calibration *calibration);

/*
 * Core seconds [n] to expect of each plan: what it has taken where that is known, else its estimate times the ratio of
 * measured to estimated times of the plans of its arm (of all plans as long as none of its arm is known). Not collective.
 */
PetscErrorCode CostsRefine(const Study *study, const QueuePlan *plan, const double *measured_s, double *expected_s);

/*
 * The job of the array that plan p belongs to, from 1 on: mixed, as many for each as for any other, the same in all jobs. Plans
 * that share an optimisation or a stage are of one job.
 */
PetscErrorCode ArrayShare(const Study *study, PetscInt n_jobs, PetscInt *job);

/* Core seconds that a team of `size` ranks needs per second of its own time: 1 for one rank, below `size` for more. */
double TeamSpeed(PetscInt size);

/* Ranks that plan together. */
typedef struct Team {
  MPI_Comm comm;
  PetscMPIInt rank, size, index, n_teams;
  PetscMPIInt nodes;   /* that its ranks are on */
  PetscMPIInt node;    /* of its first rank, from 0 on */
  double memory_bytes; /* that its ranks may take together; 0: not known */
} Team;

/* Divide the ranks of the world into teams, as options->team_size says and the plans that are left make sense of. Collective. */
PetscErrorCode TeamCreate(const RunContext *run, const QueuePlan *plan, Team *team);
PetscErrorCode TeamDestroy(Team *team);

/*
 * A table of one number per plan, in the memory of the world's first rank, that teams read and change one-sidedly: nobody has
 * to answer. It has one more number, with which a team that stops tells the others.
 */
typedef struct Claims_s *Claims;
enum { CLAIM_FREE = -1, CLAIM_TAKEN = 0, CLAIM_OVER = 1 }; /* more: done, having taken that many core milliseconds */
PetscErrorCode ClaimsCreate(MPI_Comm comm, PetscInt n, const long long *start,
                            Claims *claims);                                 /* collective; start: rank 0's */
PetscErrorCode ClaimsRead(Claims claims, long long *value);                  /* [n] */
PetscErrorCode ClaimsTake(Claims claims, PetscInt p, PetscBool *taken);      /* false: another team was faster */
PetscErrorCode ClaimsFinish(Claims claims, PetscInt p, double core_seconds); /* 0: over, but not done */
PetscErrorCode ClaimsTellStop(Claims claims);
PetscErrorCode ClaimsHearStop(Claims claims, PetscBool *stop);
PetscErrorCode ClaimsDestroy(Claims *claims); /* collective */

/* What became of the plans of a team, or of all teams. */
typedef struct Tally {
  PetscInt done, skipped, failed, stopped;
  PetscInt first_failed; /* plan of the failure that counts for the exit code */
  RobionExit first_failure;
  PetscBool resources;
} Tally;

/* Where the run of a study stands when a plan begins, for log lines. */
typedef struct Standing {
  PetscInt k, n; /* this is the k-th plan to begin, of n that this job has to do */
  double left_s; /* expected time until all are done */
  double spread; /* it may be that over this, or times this; 1: the study has measured times itself */
} Standing;

/* Let the team work on the plans until none is left; the tally is of all teams, the same on all ranks. Collective on all of them. */
PetscErrorCode QueueWork(RunContext *run, QueuePlan *plan, const Team *team, Tally *tally);

/* Make plan p with the team of run->plan.comm, catch whatever goes wrong, and say in status and log what became of it. Collective. */
PetscErrorCode PlanAttempt(RunContext *run, PetscInt p, const Standing *standing, Tally *tally);

/* Remove what interrupted writers have left in a folder: NAME.tmp, NAME.tmp.PID, where the name has `among` in it. */
void TemporariesRemove(const char *folder, const char *among);

/* The folder of a plan in the results. */
void PlanFolder(const RunContext *run, const PlanSpec *plan, char folder[PETSC_MAX_PATH_LEN]);

/*
 * Hand n plans, longest expectation first, to teams that ask when they are free; return when the last one is done. took_s is
 * how long each takes in truth, in the order of expected_s. Not collective.
 */
PetscErrorCode ScheduleMakespan(PetscInt n, const double *expected_s, const double *took_s, PetscInt n_teams,
                                double *makespan_s);

/* The simulation of --simulate. Collective. */
PetscErrorCode Simulate(RunContext *run, Mistakes *mistakes, RobionExit *exit_code);

/* Print plans, scenarios, spots, voxels, nonzeros and memory per rank instead of planning. Collective. */
PetscErrorCode DryRun(RunContext *run, RobionExit *exit_code);
