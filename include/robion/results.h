/**
 * What is kept of a plan: plan.h5 and tables. Step 12 of the data's way.
 *
 * A plan's folder holds metrics.csv, dvh.csv, scenarios.csv and plan.h5, written in this order and each given its name
 * when it is complete: where there is a plan.h5 the plan is finished. The tables of all plans are then merged into the
 * study's.
 */
#pragma once
#include "robion/activity.h"
#include "robion/biology.h"
#include "robion/csv.h"
#include "robion/doses.h"
#include "robion/goals.h"
#include "robion/provenance.h"
#include "robion/scenario.h"
#include "robion/delivery.h"
#include "robion/text.h"

typedef struct PlanBeam {
  double gantry_deg, couch_deg; /* IEC 61217 */
  double isocentre_mm[3];       /* LPS */
  PetscInt n;                   /* spots */
  double *x_mm, *y_mm;          /* IEC gantry coordinates of the spot axis in the isocentre plane */
  double *energy_MeV_u;
  double *particles;                                      /* ions per fraction */
  double *spot_fwhm_mm;                                   /* in air at the isocentre, without range shifter */
  double range_shifter_mm, range_shifter_to_isocentre_mm; /* water-equivalent thickness, 0: none; its distance */
  const char *stage;                                      /* of the course, NULL: no stages; not owned */
  double stage_fractions;
  const char *target; /* that its spots cover, where that is its own; else NULL; not owned */
} PlanBeam;

typedef struct PlanSpots {
  PetscInt n_beam;
  PlanBeam *beam;
  PatientPosition position;
} PlanSpots;

/** One iteration as the optimiser reports it. */
typedef struct IterationRecord {
  PetscInt iteration, evaluations;
  double objective;     /* of the combination that is minimised */
  double worst;         /* largest scenario objective (of the objective itself where the mode has no scenarios) */
  double gradient_norm; /* of the projected gradient */
} IterationRecord;

/** A constraint, and how well the plan keeps it in what it was optimised for; per fraction. */
typedef struct ConstraintReport {
  const char *structure, *type, *unit, *scenarios;
  double bound, worst, violation_percent, volume_beyond_percent, penalty;
} ConstraintReport;

/** How the plan was found. */
typedef struct OptimizerReport {
  const char *mode, *reason; /* robust mode; why it stopped, in words */
  PetscInt iterations, evaluations;
  double objective;
  PetscInt n_history;
  const IterationRecord *history; /* NULL if n_history is 0 */
  PetscInt n_group;               /* of objectives whose worst case over scenarios counts together */
  const double *multiplier;       /* [n_group][optimization set's rows] weight of each scenario at the solution */
  Certificate certificate;
  PetscInt n_constraint, n_round; /* rounds: how often the constraints' multipliers have moved */
  const ConstraintReport *constraint;
  double constraint_part; /* of objective: what the constraints' terms make */
  Delivery delivery;
  DeliverySpec delivery_limits;
  PetscInt n_spent; /* what evaluations were for */
  const char *const *spent_names;
  const PetscInt *spent;
} OptimizerReport;

/** Wall-clock time of one stage. */
typedef struct StageTime {
  const char *name; /* "optimize": letters, digits, underscores */
  double seconds;
} StageTime;

/**
 * Everything that is written of a plan. Complete and equal on every rank of the team (of times, memory and provenance those
 * of rank 0 count); nothing is owned by it.
 */
typedef struct PlanResult {
  const char *study, *patient, *arm, *sweep; /* as the tables name them; sweep "" if there is none */
  const char *yaml;                          /* effective settings of this plan */
  double prescription_Gy_RBE;                /* per fraction */
  PetscInt fractions;
  const char *target;
  const char *spot_control; /* what spot control did, NULL: none */
  Grid grid;
  const short *hu; /* [grid voxel] of the patient, NULL: not kept */
  PetscInt n_regions;
  const Region *regions;
  const ScenarioSet *optimize, *evaluate;
  PlanSpots spots;
  const float *nominal[QUANTITIES_MOST]; /* [grid voxel], per fraction */
  const Tissues *tissues;                /* what RBE and survival refer to; written if there are several */
  const char *const *tissue_structures;  /* [tissues->n] names of what is of it, for readers */
  OutcomeList outcomes;                  /* that are judged */
  const ActivitySet *activity;           /* positron emitters of scenarios; n = 0 or NULL: none */
  const float *robust_min, *robust_max,
      *robust_sd; /* RBE-weighted, voxel by voxel over the evaluation set; NULL: none */
  PetscInt n_scenario_doses;
  const ScenarioDose *scenario_doses; /* of single scenarios of `evaluate` */
  float *const *beam_doses;           /* [spots.n_beam][grid voxel] physical dose of each beam alone; NULL: not kept */
  PetscInt n_bands;
  const DVHBand *bands;
  const MetricList *metrics;    /* [evaluate->n] same rows in each */
  const MetricList *statistics; /* [SCENARIO_STATISTICS] over the evaluation set, or NULL */
  PetscInt n_goals;
  const Goal *goals;
  const char *machine_name, *machine_hash, *ion;
  OptimizerReport optimizer;
  PetscInt n_times;
  const StageTime *times; /* one after the other: their sum is the time of the plan */
  double peak_memory_MiB; /* summed over the team's ranks */
  const Provenance *provenance;
  PetscInt n_inputs;
  const InputFile *inputs;
} PlanResult;

/** The files of a plan's folder that checksums.txt lists, in its order. */
enum { PLAN_H5, PLAN_METRICS, PLAN_DVH, PLAN_SCENARIOS, PLAN_GOALS, N_PLAN_FILES };
extern const char *const plan_files[N_PLAN_FILES]; /* "plan.h5", "metrics.csv", ... */
void PlanFilePath(const char *folder, int which, char path[PETSC_MAX_PATH_LEN]);

/** Version of the layout of plan.h5; grows when a reader has to change. */
#define PLAN_FORMAT_VERSION 1

/**
 * Write <folder>/plan.h5 together: chunked, compressed, each rank its share. Same bytes on any number of ranks, but for
 * the attributes of /provenance and /timing, which come last in the file. Temporary name, fsync, rename; if it cannot
 * be written every rank gets the same ROBION_RESOURCES mistake and nothing is left behind. A number that is not finite
 * is a bug: PETSc error naming the dataset. Collective.
 */
PetscErrorCode PlanFileWrite(MPI_Comm comm, const PlanResult *result, const char *folder, Mistakes *mistakes);

/** What a plan's folder holds for somebody who wants to go on from it. */
typedef enum {
  PLAN_ABSENT,         /* no plan, or one that was interrupted before its last file */
  PLAN_FINISHED,       /* all of its files */
  PLAN_OTHER_SETTINGS, /* made with others than these */
  PLAN_OTHER_INPUTS,   /* made from files that have another content now */
  PLAN_DAMAGED         /* its files cannot be read, or are not what it was finished with */
} PlanState;
enum { PLAN_REASON = 384 };

/** How far a plan is looked at: plan.h5 is opened; all files are compared with their checksums; so are the files it was made from. */
typedef enum { LOOK_SETTINGS, LOOK_CONTENT, LOOK_INPUTS } PlanLook;

/** Complete settings of a plan, and what brings those of a robion of before up to date: NULL in *today if they are none of today's. */
typedef struct PlanSettings {
  const char *yaml;
  PetscErrorCode (*update)(const char *stored, char **today);
} PlanSettings;

/**
 * What has become of the plan of these settings, and in one line why it is not finished; "": there is none. Of the files it
 * was made from, the study's and those that cannot be read do not count. Settings that a robion of before has stored are the same if
 * its keys are, and keys that it did not know have their defaults now. Not collective.
 */
PlanState PlanInspect(const char *folder, PlanSettings settings, PlanLook look, char reason[PLAN_REASON]);

/**
 * Write <folder>/checksums.txt, one line "<fnv1a64>  <file>" for each of plan_files, the last file of a finished plan.
 * False and a mistake if a file is missing or that fails. Not collective.
 */
PetscBool PlanChecksumsWrite(const char *folder, Mistakes *mistakes);

/**
 * Whether all of the plan's files are there with the content they were finished with. No checksums.txt (the plan was
 * interrupted) is false without a mistake; anything else false is a mistake (ROBION_INPUT). Not collective.
 */
PetscBool PlanChecksumsVerify(const char *folder, Mistakes *mistakes);
/** Whether checksums.txt is there: the plan was finished, whatever has become of it since. Not collective. */
PetscBool PlanChecksumsThere(const char *folder);
void PlanChecksumsRemove(const char *folder);

/** Write metrics.csv, dvh.csv and scenarios.csv of one plan. False and a mistake if that fails. Not collective. */
PetscBool PlanTablesWrite(const PlanResult *result, const char *folder, Mistakes *mistakes);

/** Remove plan.h5, the tables and checksums of a plan, as far as they are there: none may outlive the others. Not collective. */
void PlanFilesRemove(const char *folder);

/** Columns of metrics.csv. */
enum {
  COLUMN_STUDY,
  COLUMN_CASE,
  COLUMN_ARM,
  COLUMN_SWEEP,
  COLUMN_SCENARIO,
  COLUMN_STRUCTURE,
  COLUMN_QUANTITY,
  COLUMN_METRIC,
  COLUMN_VALUE,
  COLUMN_UNIT,
  N_METRIC_COLUMNS
};

/** Columns of goals.csv behind those of the plan. */
enum {
  GOAL_STRUCTURE = 4,
  GOAL_QUANTITY,
  GOAL_METRIC,
  GOAL_PER,
  GOAL_SCENARIO,
  GOAL_RELATION,
  GOAL_LIMIT,
  GOAL_VALUE,
  GOAL_UNIT,
  GOAL_MET,
  GOAL_EACH_RELATION,
  GOAL_EACH_LIMIT,
  GOAL_EACH_UNIT
};

/** How many goals of such a table are met. */
PetscInt GoalTableMet(const Table *goals);

/** Read one of a plan's tables (PLAN_METRICS, ...) as text; plans without goals have none of these. */
PetscBool PlanTableRead(const char *folder, int which, Mistakes *mistakes, Table *table);

/** Read metrics.csv; every value must also be a number. */
PetscBool MetricTableRead(const char *file, Mistakes *mistakes, Table *table);

/** The value of the first row with these entries; false if there is none. */
PetscBool MetricTableFind(const Table *table, const char *scenario, const char *structure, const char *quantity,
                          const char *metric, double *value);
