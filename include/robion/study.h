/**
 * The study file: YAML checked against a schema, expanded into plans. Step 1 of the data's way.
 *
 * All doses in a study are per fraction. A `Settings` holds everything one plan needs, fully resolved (defaults filled in,
 * arm and sweep overrides applied); strings are owned by it.
 */
#pragma once
#include "robion/biology.h"
#include "robion/case.h"
#include "robion/machine.h"
#include "robion/map.h"
#include "robion/scenario.h"
#include "robion/tcp.h"
#include <stdint.h>

typedef struct CaseSpec {
  char *name;          /* as results name it; default: phantom kind, or file name without .h5 */
  char *file;          /* case file, relative to the study file's folder; NULL for a phantom */
  PhantomSpec phantom; /* phantom.kind NULL for a file */
  char *where;         /* "study.yaml:line:column" */
} CaseSpec;

/** Plates before the patient that shift the range: part of one beam's set-up. */
typedef struct RangeShifterSpec {
  double thickness_mm;    /* water-equivalent; 0: none */
  double to_isocentre_mm; /* from the side it leaves on */
} RangeShifterSpec;

typedef struct BeamSpec {
  double gantry_deg, couch_deg; /* IEC 61217 */
  RangeShifterSpec range_shifter;
  PetscBool has_isocentre; /* else: centre of mass of the prescription's target */
  double isocentre_mm[3];
} BeamSpec;

typedef struct DerivedStructure {
  char *name, *expression, *where;
} DerivedStructure;

/** What an objective looks at in a voxel, per fraction. */
typedef enum { QUANTITY_RBE_WEIGHTED, QUANTITY_PHYSICAL, QUANTITY_EFFECT, QUANTITY_LETD } Quantity;
extern const char *const quantity_names[]; /* as the study writes them, indexed by Quantity */

/** How scenarios are combined, see robust.h. */
typedef enum {
  ROBUST_NONE,
  ROBUST_EXPECTED,
  ROBUST_COMPOSITE,
  ROBUST_VOXELWISE,
  ROBUST_OBJECTIVEWISE,
  ROBUST_CVAR,
  ROBUST_PROBABILISTIC
} RobustMode;
extern const char *const robust_mode_names[]; /* as the study writes them, indexed by RobustMode */

/** Numbers of an objective beside its goal; 0 where the type has no use for them. */
typedef struct ObjectiveParameters {
  double volume;                    /* DVH objectives: share of the structure's volume, 0 to 1 */
  double a;                         /* gEUD: exponent */
  double smoothing;                 /* maximum, minimum: width of the smooth extreme, as share of the goal */
  double distance_mm, low;          /* dose fall-off: where the goal has fallen to `low` (a share of it) */
  double td50_Gy, m, alpha_beta_Gy; /* NTCP: EQD2 of the course */
  double fractions;                 /* NTCP: of the course */
  TCPSpec tcp;                      /* TCP: the study's; fractions those of the course */
} ObjectiveParameters;

typedef struct ObjectiveSpec {
  char *structure, *where;
  char *type;        /* a name registered in objective/ */
  Quantity quantity; /* from the goal's key, or `quantity` */
  double goal;       /* per fraction: Gy, Gy(RBE), effect or keV/um */
  char *map;         /* goals (tcp: clonogens) voxel by voxel from this map of the case, or NULL */
  double map_scale;  /* from the map's values to goals per fraction; tcp: share of its clonogens that count */
  CellCase cells;    /* tcp: which of them */
  char *from;        /* dose fall-off: the structure that distances are taken from, or NULL */
  ObjectiveParameters parameters;
  double weight;
  RobustMode mode; /* the study's, or the objective's own */
  PetscInt stage;  /* of the course, or COURSE_MEAN (course.h); 0 without stages */
  PetscBool hard;  /* a constraint: the goal is a bound that must hold, its weight is the solver's */
} ObjectiveSpec;

typedef struct RobustSpec {
  RobustMode mode;     /* of all objectives that have none of their own */
  PetscBool on_effect; /* voxelwise: Yagi's form on effect (true) or on dose (false, default) */
  double importance;   /* weight of the worst case beside the nominal (voxelwise on effect), of the variance beside the
                            expectation (probabilistic); default 1 */
  double worst_fraction; /* cvar: the share of scenarios, by probability, whose mean counts; default 0.1 */
} RobustSpec;

/** What the optimiser pays beside the dose for risky spots (spot_control.h) and uneven fields (field_gradient.h); all weights 0: nothing. */
typedef struct SpotControlSpec {
  double heterogeneity;        /* K0, per mm2 */
  double oar_range, oar_setup; /* K1, K2 */
  double range_percent, setup_mm, sigma_mm;
  double gradient; /* G0, mm2 */
  double gradient_distance_mm;
  PetscInt n_structures; /* that K1 and K2 spare */
  char **structures, *where;
} SpotControlSpec;

/** What a machine can deliver (delivery.h); minimum and step 0: any number of particles. */
typedef struct DeliverySpec {
  double min_particles, step_particles; /* per spot and fraction */
  PetscInt rounds;                      /* in which spots below the minimum are removed; default 3 */
} DeliverySpec;

typedef struct OptimizerSpec {
  PetscInt max_iterations; /* of the TAO solver over all stages; default 300 */
  double
      relative_tolerance; /* stop when the objective fell by less than this share over `window` iterations; default 1e-4 */
  PetscInt window;        /* default 10 */
  double max_minutes;     /* wall-clock budget of one plan; 0 (default): none */
  double relative_gap;    /* stop when the plan is proven to be this close to the optimum; default 1e-3 */
  PetscInt certificate_iterations; /* most iterations for the certificate; default 50 */
  PetscInt rough_iterations;       /* most iterations by a cheap operator, before those by the plan's own; default 0 */
  double checkpoint_minutes;       /* least time between checkpoints; default 10 */
  double constraint_tolerance; /* constraints hold when they miss their bounds by at most this share; default 1e-3 */
} OptimizerSpec;

/** Where spots may lie in the isocentre plane. */
typedef enum { SPOT_GRID_SQUARE, SPOT_GRID_HEXAGONAL } SpotGrid;
extern const char *const spot_grid_names[]; /* as a study writes them, indexed by SpotGrid */

/** In which scenarios the spots cover the target: those of the optimisation, no error, or all the study has for it. */
typedef enum { COVER_ROBUST, COVER_NOMINAL, COVER_SCENARIOS } SpotCover;
extern const char *const spot_cover_names[]; /* as a study writes them, indexed by SpotCover */

/** Whether spots are split into sub-beams with depths of their own, of sigma / sqrt(2) or sigma / 2 in air. */
typedef enum { SPLITTING_NONE, SPLITTING_COARSE, SPLITTING_FINE } SpotSplitting;
extern const char *const spot_splitting_names[]; /* as a study writes them, indexed by SpotSplitting */

typedef struct SpotSpec {
  SpotGrid grid;
  double lateral_mm;  /* between neighbouring spots in the isocentre plane */
  double layer_mm;    /* water-equivalent spacing of energy layers ... */
  double layer_MeV_u; /* ... or, if above 0, their spacing in energy */
  double lateral_margin_mm, proximal_margin_mm, distal_margin_mm; /* around the target */
  SpotCover cover;
  SpotSplitting splitting;
} SpotSpec;

/** Structures whose cells respond in their own way. */
typedef struct TissueSpec {
  PetscInt n_structures;
  char **structures, *where;
  BiologySpec biology; /* what the tissue does not say is that of Settings.biology */
} TissueSpec;

/** Lateral dose of a spot: every component of the base data, or all dose in the first one's Gaussian. */
typedef enum { LATERAL_MODEL_FULL, LATERAL_MODEL_SINGLE } LateralModel;
extern const char *const lateral_model_names[]; /* as a study writes them, indexed by LateralModel */

/** How the optimiser gets its doses: looked up in the beams' dose volumes, or from stored rows (see influence.h). */
typedef enum { OPERATOR_FACTORED, OPERATOR_ASSEMBLED } DoseOperator;
extern const char *const dose_operator_names[]; /* as a study writes them, indexed by DoseOperator */

/** How the RBE-weighted doses of a course's stages add up: as they are, or as doses in fractions of 2 Gy (course.h). */
typedef enum { ACCUMULATE_GY_RBE, ACCUMULATE_EQD2 } Accumulation;
extern const char *const accumulation_names[]; /* as a study writes them, indexed by Accumulation */

enum { STAGES_MOST = 8 };
/** In the place of a stage's index: the mean fraction of the course. */
#define COURSE_MEAN (-1)

/** One stage of a course: fractions with spots of their own. */
typedef struct StageSpec {
  char *name, *target, *where; /* where: of the target */
  PetscInt fractions;
  double dose_Gy_RBE; /* RBE-weighted, per fraction of the stage; the prescription's unless it says otherwise */
  PetscInt n_beams;   /* of its own; 0: the study's */
  BeamSpec *beams;
} StageSpec;

typedef struct CourseSpec {
  PetscInt n_stages; /* 0: a plan without stages */
  StageSpec *stages;
  PetscBool together; /* all stages are planned at once, else one after the other */
  Accumulation accumulation;
  double alpha_beta_Gy; /* of eqd2 */
} CourseSpec;

/** What a plan is to keep: a metric of a structure at least or at most at a limit (goals.h). */
typedef struct GoalSpec {
  char *structure, *where, *metric;
  Quantity quantity; /* RBE-weighted, physical, or LETd */
  PetscBool at_least, of_prescription, course,
      worst; /* limit in percent of the prescription; per course; worst scenario */
  double limit;
} GoalSpec;

/** By what tumour control of a finished plan is judged, where the case has a map of clonogens. */
typedef struct TumourSpec {
  TCPSpec tcp;
  double share;            /* of the map's clonogens that count */
  char *structure, *where; /* whose control */
} TumourSpec;

typedef struct Settings {
  CaseSpec patient;
  HLUT hlut;
  char *base_data; /* "builtin" or a file, resolved against the study file's folder */
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
  PetscBool position_from_case; /* patient_position: from-case */
  PatientPosition position;     /* else this */
  PetscBool beams_from_case;    /* beams: from-case */
  char *beams_where;
  PetscInt n_beams;
  BeamSpec *beams;
  double dose_grid_mm;
  SpotSpec spots;
  DoseOperator dose_operator;
  double dropped_dose_fraction; /* lateral cut-off: share of a spot's dose outside the computed radius; default 0.002 */
  PetscInt n_derived;
  DerivedStructure *derived;
  PetscInt n_priority;
  char **priority;
  char *priority_where; /* NULL if n_priority is 0 */
  ScenarioSpec optimize, evaluate;
  PetscInt n_objectives; /* and constraints behind them */
  ObjectiveSpec *objectives;
  PetscInt n_goals;
  GoalSpec *goals;
  TumourSpec tumour;
  PetscBool other_biology;     /* the finished plan is judged by another biology ... */
  BiologySpec judging_biology; /* ... than it was made with */
  RobustSpec robust;
  SpotControlSpec spot_control;
  OptimizerSpec optimizer;
  DeliverySpec delivery;
} Settings;

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

PetscErrorCode StudyDestroy(Study **study);

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
