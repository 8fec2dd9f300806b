/**
 * The study file: YAML checked against a schema, expanded into plans. Step 1 of the data's way.
 *
 * All doses in a study are per fraction. A `Settings` holds everything one plan needs, fully resolved (defaults filled in,
 * arm and sweep overrides applied); strings are owned by it.
 */
#pragma once
#include "robion/activity.h"
#include "robion/delivery.h"
#include "robion/doses.h"
#include "robion/goals.h"
#include "robion/spot_control.h"
#include <stdint.h>

typedef struct Settings {
  CaseSpec patient;
  HLUT hlut;
  double hlut_scale_percent; /* of all stopping powers of the patient */
  char *base_data;           /* a file, resolved against the study file's folder; NULL: built in */
  char *base_data_where;
  MachineSpec machine; /* machine.ion is also what a file must hold */
  LateralModel lateral_model;
  BiologySpec biology;
  PetscInt n_tissues; /* beside that of `biology`; a voxel claimed by several is of the first */
  TissueSpec *tissues;
  double prescription_Gy_RBE; /* per fraction */
  PetscInt fractions;
  char *target, *target_where;
  CourseSpec course;
  BeamSetSpec beams;
  double dose_grid_mm;
  DoseOperator dose_operator;
  double dropped_dose_fraction; /* lateral cut-off: share of a spot's dose outside the computed radius; default 0.002 */
  PetscInt n_derived;
  DerivedStructure *derived;
  PetscInt n_priority;
  char **priority;
  char *priority_where; /* NULL if n_priority is 0 */
  ScenarioSpec optimize, evaluate;
  PetscInt n_alternatives; /* responses that scenarios may have beside the plan's own */
  BiologyAlternative *alternatives;
  PetscInt n_objectives; /* and constraints behind them */
  ObjectiveSpec *objectives;
  PetscInt n_metrics; /* by request */
  MetricSpec *metrics;
  PetscInt n_goals;
  GoalSpec *goals;
  TumourSpec tumour;
  PetscInt n_outcomes; /* beside the tumour's control */
  OutcomeSpec *outcomes;
  PetscBool other_biology;     /* the finished plan is judged by another biology ... */
  BiologySpec judging_biology; /* ... than it was made with */
  RobustSpec robust;
  SpotControlSpec spot_control;
  OptimizerSpec optimizer;
  DeliverySpec delivery;
  ActivitySpec activity;
  ResultsSpec results;
} Settings;

/** Where a plan stands on an axis of its study's sweep. */
typedef struct SweepPlace {
  char *axis;   /* the key that is varied, or the axis' own name */
  char *label;  /* "spots.layer_mm=2": its part of PlanSpec.sweep */
  double value; /* of that key, where it is a number; else NAN */
} SweepPlace;

/** One plan to make: a case, an arm and a sweep point. */
typedef struct PlanSpec {
  PetscInt case_index;
  PetscInt optimized_by; /* the first plan that differs in scenarios.evaluate alone (the plan itself: none before it) */
  uint64_t optimization; /* hash of the settings that this one shares with it */
  PetscInt
      stage_from[STAGES_MOST]; /* of a stage planned before others: the first plan whose stages up to it are the same */
  uint64_t stage_hash[STAGES_MOST]; /* of what shapes them; 0: not planned before others */
  char *case_name, *arm;            /* arm: "plan" if the study has no arms */
  char *sweep;                      /* "biology.alpha_x_per_Gy=0.1,spots.layer_mm=2"; "" if the study has no sweep */
  PetscInt n_place;                 /* axes of the sweep */
  SweepPlace *place;
  char *folder; /* "cases/<case>/<arm>[/<sweep point>]", safe characters only, unique in the study */
  char *yaml;   /* the effective settings of this plan as YAML text, defaults filled in */
  Settings settings;
} PlanSpec;

typedef struct Study {
  char *name;
  char *file;    /* as given on the command line */
  char *yaml;    /* effective study as YAML text: what was read, --set applied, defaults filled in */
  char hash[17]; /* hexadecimal hash of `yaml` */
  PetscInt n_plans;
  PlanSpec *plans; /* ordered by case, then arm, then sweep point */
} Study;

/**
 * The effective settings of a plan (PlanSpec.yaml) that an earlier robion has stored, with the keys and defaults of this one;
 * *today is NULL if they are none of its settings, as those with a key that there is no longer. PetscFree. Not collective.
 */
PetscErrorCode SettingsUpdate(const char *stored, char **today);

/**
 * Parse and check study text. `file` names it in messages and roots relative paths. `set` holds n_set strings
 * "path=value" (value parsed as YAML) applied over the file; their mistakes say "--set path=value" and exit 2 (bad syntax)
 * or 3 (bad value). Every mistake found is added (all at once, none twice); then *out is NULL. Not collective, no files
 * but the text are touched: whether cases exist is checked by `StudyCheckFiles`.
 */
PetscErrorCode StudyParse(const char *text, size_t length, const char *file, PetscInt n_set, const char *const *set,
                          Mistakes *mistakes, Study **out);

/** Read the file and parse it. Missing or unreadable file: ROBION_STUDY. Not collective. */
PetscErrorCode StudyLoad(const char *file, PetscInt n_set, const char *const *set, Mistakes *mistakes, Study **out);

/** Load on rank 0, give the same study (or the same mistakes) to all ranks. Collective. */
PetscErrorCode StudyLoadAll(MPI_Comm comm, const char *file, PetscInt n_set, const char *const *set, Mistakes *mistakes,
                            Study **out);

/** Missing case and base data files, as ROBION_INPUT mistakes with the place in the study that names them. Not collective. */
PetscErrorCode StudyCheckFiles(const Study *study, Mistakes *mistakes);

/**
 * A study of one plan: a stage of a plan's course alone, with its beams, target, dose and fractions, for spots that are of that stage. The
 * goals are the course's and left out. A name that no stage has: ROBION_COMMAND_LINE, *out is NULL. Not collective.
 */
PetscErrorCode StudyOfStage(const Study *study, const PlanSpec *plan, const char *name, Mistakes *mistakes,
                            Study **out);

PetscErrorCode StudyDestroy(Study **study);

/**
 * The prescriptions' targets of n plans, each once: those of the cases, then those the study derives (PTVs). Plans are compared on
 * all of them, since the same structure must be told of every plan. The list is to be freed, its names belong to the plans. Not
 * collective.
 */
PetscErrorCode PlansTargets(PetscInt n, const PlanSpec *plans, PetscInt *n_target, const char ***target);

/** A case, derived structure or structure name that a study mentions. */
typedef enum { MENTION_CASE_FILE, MENTION_PHANTOM, MENTION_DERIVED, MENTION_STRUCTURE } MentionKind;

typedef struct Mention {
  MentionKind kind;
  const char *key; /* "objectives", ... (not owned) */
  char *text;      /* the name; for a case file the path resolved against the study's folder */
  char *where;     /* "study.yaml:12:8" */
} Mention;

typedef struct StudyMentions {
  PetscInt n;
  Mention *item;
} StudyMentions;

/**
 * Cases and structure names of a study's own settings (arms and sweep aside), even if the study has mistakes and makes no
 * plans: what `validate` needs to report every mistake at once. Tells no mistakes itself. Not collective.
 */
PetscErrorCode StudyMentionsRead(const char *file, PetscInt n_set, const char *const *set, StudyMentions *out);
PetscErrorCode StudyMentionsDestroy(StudyMentions *mentions);

/** As StudyCheckFiles, of a single file: missing, no regular file, unreadable (ROBION_INPUT). `what`: "case file". */
PetscErrorCode StudyCheckFile(const char *where, const char *what, const char *file, Mistakes *mistakes);
