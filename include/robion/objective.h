/**
 * Objective terms: what a plan should do to a structure. Step 8 of the data's way.
 *
 * A term is weight * outer(sum_v share_v * voxel(q_v)), where q_v is the voxel's quantity, share_v the voxel's part of the
 * structure's volume (sums to 1), and outer the identity unless the type has one. Each type is one small file, registered by
 * name with the keys a study may give it. Quantities and goals are per fraction.
 */
#pragma once
#include "robion/map.h"
#include "robion/quantity.h"
#include "robion/structure.h"
#include "robion/outcome.h"

/** How scenarios are combined, see robust.h. */
typedef enum {
  ROBUST_NONE,
  ROBUST_EXPECTED,
  ROBUST_COMPOSITE,
  ROBUST_VOXELWISE,
  ROBUST_OBJECTIVEWISE,
  ROBUST_CVAR,
  ROBUST_PROBABILISTIC,
  ROBUST_PERCENTILE
} RobustMode;
extern const char *const robust_mode_names[]; /* as the study writes them, indexed by RobustMode */
extern const PetscInt n_robust_mode_names;

/** Numbers of an objective beside its goal; 0 where the type has no use for them. */
typedef struct ObjectiveParameters {
  double volume;             /* DVH objectives: share of the structure's volume, 0 to 1 */
  double a;                  /* gEUD: exponent */
  double smoothing;          /* maximum, minimum: width of the smooth extreme, as share of the goal */
  double distance_mm, low;   /* dose fall-off: where the goal has fallen to `low` (a share of it) */
  const char *model;         /* NTCP: of complications, by name */
  OutcomeParameters outcome; /* NTCP, TCP: its numbers; of TCP the study's */
} ObjectiveParameters;

typedef struct ObjectiveSpec {
  char *structure, *where;
  const char *type;  /* a name registered in objective/ */
  Quantity quantity; /* one with a goal_key */
  double goal;       /* per fraction: Gy, Gy(RBE), effect or keV/um */
  char *map;         /* goals (tcp: clonogens) voxel by voxel from this map of the case, or NULL */
  double map_scale;  /* from the map's values to goals per fraction; tcp: share of its clonogens that count */
  CellCase cells;    /* tcp: which of them */
  char *from;        /* dose fall-off: the structure that distances are taken from, or NULL */
  ObjectiveParameters parameters;
  double weight;
  RobustMode mode;       /* the study's, or the objective's own */
  double worst_fraction; /* cvar, percentile: its own share of scenarios that counts; 0: the study's */
  PetscInt stage;        /* of the course, or COURSE_MEAN (course.h); 0 without stages */
  PetscBool optional;    /* left out where the case lacks its structure */
  PetscBool hard;        /* a constraint: the goal is a bound that must hold, its weight is the solver's */
} ObjectiveSpec;

/**
 * A number that a type needs to know of all its voxels together before it can look at one of them. It is found anew at every
 * evaluation; values do not depend on it (HIGHEST, LOWEST: it only keeps powers and exponentials in range) or depend on it
 * in a way that is already in the kernel's derivative (VOLUME).
 */
typedef enum {
  LANDMARK_NONE,
  LANDMARK_HIGHEST, /* the highest quantity in the structure */
  LANDMARK_LOWEST,
  LANDMARK_VOLUME /* the quantity that parameters->volume of the structure gets at least, D_v */
} LandmarkKind;

/** What a kernel knows beside the value it is called with. */
typedef struct KernelPoint {
  const ObjectiveParameters *parameters;
  double goal;     /* of this voxel; of the whole term for outer functions */
  double landmark; /* as the type's LandmarkKind says */
  double edge;     /* VOLUME: part of the voxels exactly at the landmark that belongs to the hottest `volume`, 0 to 1 */
  double largest_share; /* of a voxel in the structure's volume */
} KernelPoint;

/** A function of one number, and its derivative with respect to that number. */
typedef double (*ObjectiveKernel)(const KernelPoint *at, double value, double *derivative);

/** Keys of an objective in a study, as bits. */
enum {
  KEY_GOAL = 1,       /* dose_Gy_RBE, dose_Gy, effect or let_keV_um: exactly one of them */
  KEY_MAP = 2,        /* map: goals voxel by voxel, in place of the goal's key */
  KEY_QUANTITY = 4,   /* quantity: needed where nothing else says it */
  KEY_VOLUME = 8,     /* volume_percent */
  KEY_A = 16,         /* a */
  KEY_SMOOTHING = 32, /* smoothing_percent */
  KEY_FALLOFF = 64,   /* from, distance_mm, low_percent */
  KEY_NTCP = 128,     /* model; a, m, td50_Gy unless it has its own; fractionation or alpha_beta_Gy */
  KEY_LET_GOAL = 256, /* let_keV_um alone is the goal */
  KEY_TCP = 512       /* clonogens: the map that goals of the voxels, clonogens per 27 mm3, come from */
};

typedef struct ObjectiveType ObjectiveType;
struct ObjectiveType {
  const char *name;
  unsigned keys; /* that it takes; all that it takes are needed but for those with a default, and of GOAL and MAP one */
  ObjectiveKernel voxel;                                           /* of a voxel's quantity */
  ObjectiveKernel outer;                                           /* of the volume mean of `voxel`; NULL: identity */
  LandmarkKind (*landmark)(const ObjectiveParameters *parameters); /* NULL: none */
  /* Voxel-wise worst case: what the highest and the lowest value of every voxel over the scenarios count as; NULL: not at all. */
  const ObjectiveType *worst_high, *worst_low;
  PetscBool convex;     /* the term is a convex function of the voxels' quantities */
  PetscBool wants_dose; /* that the structure gets something: a target's objective */
};

extern const ObjectiveType objective_uniform;        /* (q - goal)^2 */
extern const ObjectiveType objective_overdose;       /* max(0, q - goal)^2 */
extern const ObjectiveType objective_underdose;      /* min(0, q - goal)^2 */
extern const ObjectiveType objective_mean;           /* max(0, mean(q) - goal)^2 */
extern const ObjectiveType objective_mean_deviation; /* (mean(q) - goal)^2 */
extern const ObjectiveType objective_mean_linear;    /* mean(q) */
extern const ObjectiveType objective_max_dvh;        /* at most `volume` may get more than goal; dvh.c */
extern const ObjectiveType objective_min_dvh;        /* at least `volume` must get goal */
extern const ObjectiveType objective_maximum;        /* no voxel may get more than goal: smooth maximum; extreme.c */
extern const ObjectiveType objective_minimum;        /* every voxel must get goal */
extern const ObjectiveType objective_max_geud;       /* max(0, gEUD - goal)^2 */
extern const ObjectiveType objective_min_geud;       /* min(0, gEUD - goal)^2 */
extern const ObjectiveType objective_max_let;        /* max(0, L / goal - 1)^2 of LETd */
extern const ObjectiveType objective_min_let;        /* min(0, L / goal - 1)^2 */
extern const ObjectiveType objective_falloff;        /* overdose over a goal that falls with distance */
extern const ObjectiveType objective_tcp;            /* surviving clonogens of the course, S_ROI of tcp.h */
extern const ObjectiveType objective_ntcp;           /* complication probability of the course */

/** The registered types. */
extern const char *const objective_type_names[];
extern const PetscInt n_objective_type_names;

/** Constraints as a study names them, and the type of objective that is the term of each, in the same order. */
extern const char *const constraint_type_names[];
extern const PetscInt n_constraint_type_names;
extern const char *const constraint_objectives[];

/** The registered type of that name, or NULL. */
const ObjectiveType *ObjectiveTypeFind(const char *name);

/** A term prepared for one plan: voxels are indices into the plan's list of optimised voxels, ascending. */
typedef struct Term {
  const ObjectiveType *type;
  Quantity quantity;
  double goal;           /* Gy, Gy(RBE), effect or keV/um, per fraction */
  double *goal_of_voxel; /* [n] goals voxel by voxel, or NULL; read anew at every evaluation, as are weight and goal */
  ObjectiveParameters parameters;
  double weight;
  RobustMode mode;       /* how its scenarios are combined */
  double worst_fraction; /* of a percentile: its own; 0: that of all */
  PetscInt stage;        /* of the course, whose fraction counts; or COURSE_MEAN (course.h) */
  PetscInt n;
  PetscInt *voxel;
  double *share;
  PetscBool hard; /* a constraint (solver.h): goal and weight are moved by the solver, `bound` stays */
  double bound;
} Term;

PetscErrorCode TermDestroy(Term *term);

/** Value of a type's outer function for a volume mean; *slope is its derivative. */
double ObjectiveOuter(const ObjectiveType *type, const KernelPoint *at, double mean, double *slope);
