/**
 * Uncertainty scenarios: points in a space whose axes a study names. Step 6 of the data's way.
 *
 * Scenarios that share a *view*, where the patient lies against the beams, share what is traced; those that share their *sums* as
 * well, a view with its range errors and a model of response, share what the dose operator computes. Factors on alpha and beta only
 * scale these sums.
 */
#pragma once
#include <petscsys.h>

typedef enum {
  SETUP_NONE,
  SETUP_AXES,
  SETUP_CORNERS,
  SETUP_AXES_CORNERS,
  SETUP_LIST,
  SETUP_CROSS,
  SETUP_GRID,
  SETUP_RANDOM
} SetupPattern;
extern const char *const setup_pattern_names[]; /* as a study writes them, indexed by SetupPattern */
extern const PetscInt n_setup_pattern_names;

/** Another response of the cells, by name. */
typedef struct ScenarioBiology {
  const char *name;
  PetscInt model;                   /* whose alpha and beta it has; 0: the plan's own */
  PetscInt tissue;                  /* that it is of; -1: all */
  double alpha_factor, beta_factor; /* on alpha and beta of the ions */
} ScenarioBiology;

/** What breathing makes of scenarios: nothing; each phase is a scenario; the dose of each scenario is accumulated over the phases. */
typedef enum { MOTION_NONE, MOTION_PHASES, MOTION_ACCUMULATE } Motion;
extern const char *const motion_names[]; /* as a study writes them, indexed by Motion */
extern const PetscInt n_motion_names;

/** A breathing phase of the patient, by name; its number is its place in the axes, from 1 on. */
typedef struct ScenarioPhase {
  const char *name; /* not owned */
  double weight;    /* share of the time */
} ScenarioPhase;

/** In the place of a phase's number: the patient as the planning CT has it; the dose of all phases, accumulated. */
enum { PHASE_REFERENCE = 0, PHASE_ALL = -1 };

/** What the plan tells of the axes. */
typedef struct ScenarioAxes {
  PetscInt n_beam;   /* of the plan, whose ranges may err by themselves */
  PetscInt n_tissue; /* whose alpha and beta may be scaled apart */
  PetscInt n_biology;
  ScenarioBiology *biology;
  PetscInt n_phase;
  ScenarioPhase *phase;
} ScenarioAxes;

/** The plan's own response, in the place of a name. */
#define BIOLOGY_NOMINAL "nominal"

/** What a study asks for. */
typedef struct ScenarioSpec ScenarioSpec;
struct ScenarioSpec {
  ScenarioAxes axes;
  PetscInt n_range;
  double *range_percent;    /* +3.5 means RSP scaled by 1.035 (shorter range); {0} if the study names none */
  PetscBool range_per_beam; /* every beam has range errors of its own: all combinations, or drawn apart */
  SetupPattern setup;       /* axes: no shift and +-setup_mm along x, y, z (7); corners: the 8 sign combinations;
                            axes+corners: 14, without the zero shift; none: zero shift only; list: shift_mm;
                            grid: all 27 of -, 0, + along x, y, z; cross: axes, but each range error and each shift
                            by itself; random: see n_random */
  double setup_mm[3];       /* size of the shift along x, y, z; of random ones its standard deviation */
  PetscInt n_shift;
  double (*shift_mm)[3]; /* for SETUP_LIST: translations of the patient, LPS */
  PetscInt n_rotation;
  double (*rotation_deg)[3];    /* rotations of the patient, each with all other errors; none: no rotation alone */
  double rotation_sigma_deg[3]; /* for SETUP_RANDOM: about x, y and z, drawn apart from all else */
  PetscInt
      n_random; /* for SETUP_RANDOM: scenarios drawn from normal distributions, independent along the axes and of the
                            range; each from a generator of its own, so that the first ones do not depend on how many */
  PetscInt seed;
  double range_sigma_percent; /* for SETUP_RANDOM, about every value of range_percent in turn */
  PetscInt n_biology;
  char **
      biology; /* names of responses, each with all other errors: of axes.biology, or BIOLOGY_NOMINAL; none: that alone */
  double alpha_sigma_percent, beta_sigma_percent; /* for SETUP_RANDOM: of the logarithms of factors, for each tissue */
  Motion motion;                                  /* of the whole set, with all that is on top of it */
  PetscInt n_phase;
  char **phase; /* names of those phases that count (gating), of axes.phase; none: all */
  PetscInt n_plus;
  ScenarioSpec *plus; /* sets that come on top, for the same plan; what they hold again counts once */
};

/** More scenarios than this are a slip. */
enum { SCENARIOS_MOST = 20000 };

typedef struct Scenario {
  char id
      [160]; /* "nominal", "r-3.5_x+2", "r+3.5", "y-3", "r+3_x+2_y-2_z+2"; of beams that err by themselves "r0+3.5_r2-3.5", of another response "bio-NAME":
                           stable, from the values alone; "random-1" and so on of drawn ones */
  double shift_mm[3]; /* translation of the patient against the beams, LPS */
  double rotation_deg
      [3]; /* of the patient about the isocentre of every beam, before it: about x, then y, then z (LPS), right-handed */
  double range_percent;        /* RSP scaled by 1 + range_percent/100; the mean where beams have different ones */
  const double *range_of_beam; /* [beams of the plan] which are these; NULL: all have the same */
  double weight;               /* probability weight in the set; the set's weights sum to 1; 0 for an extra nominal */
  PetscBool in_set;            /* false: the nominal row that the set itself does not hold */
  PetscInt sums;               /* of the set's */
  const char *biology;         /* name of the response; not owned */
  PetscInt model;              /* whose alpha and beta it has; 0: the plan's own */
  PetscInt phase;              /* of breathing: its number, PHASE_REFERENCE or PHASE_ALL */
  const char *phase_name;      /* "" of the last two; not owned */
  const double *factor;        /* [tissues of the plan][2] on alpha and on the square root of beta; NULL: all 1 */
} Scenario;

/**
 * Where the patient lies against the beams. A patient who is turned and moved sees beams that are turned the other way: BeamInView
 * gives them, and with these shift_mm is what a shift is without rotation.
 */
typedef struct View {
  double shift_mm[3];     /* translation, LPS of the patient: R^T shift */
  double rotation_deg[3]; /* as in Scenario */
  PetscInt phase;         /* number, or PHASE_REFERENCE */
} View;

/** Whether a patient's voxels lie elsewhere in a view than a shift moves them. */
static inline PetscBool ViewBends(const View *view)
{
  return view->phase != PHASE_REFERENCE || view->rotation_deg[0] != 0 || view->rotation_deg[1] != 0 ||
                 view->rotation_deg[2] != 0
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/** Whether two views are one. */
static inline PetscBool ViewSame(const View *a, const View *b)
{
  PetscBool same = a->phase == b->phase ? PETSC_TRUE : PETSC_FALSE;
  for (int k = 0; k < 3 && same; k++)
    if (a->shift_mm[k] != b->shift_mm[k] || a->rotation_deg[k] != b->rotation_deg[k]) same = PETSC_FALSE;
  return same;
}

/** Whether a patient is turned in a view. */
static inline PetscBool ViewTurned(const View *view)
{
  return view->rotation_deg[0] != 0 || view->rotation_deg[1] != 0 || view->rotation_deg[2] != 0 ? PETSC_TRUE
                                                                                                : PETSC_FALSE;
}

/** What a vector of the room is in the frame of a patient who is turned: R^T vector, R = Rz Ry Rx. */
void RotateBack(const double rotation_deg[3], const double vector[3], double back[3]);

/** What the operator computes at a time: sums in one phase. */
typedef struct PhaseSums {
  PetscInt view, model;
  PetscInt row;  /* the first scenario that has them, whose range errors are theirs */
  PetscInt sums; /* that they count to */
  double weight; /* in these; 1 where there is no other phase */
} PhaseSums;

/** What scenarios with the same dose have in common. */
typedef struct ScenarioSums {
  PetscInt row;            /* the first scenario that has them */
  PetscInt first, n_phase; /* of the set's phase sums, of which they are the mean */
} ScenarioSums;

typedef struct ScenarioSet {
  PetscInt n;     /* rows, the nominal first */
  PetscInt n_set; /* rows with in_set */
  Scenario *scenario;
  PetscInt n_sums;
  ScenarioSums *sums; /* in the order of their first rows */
  PetscInt n_of_phase;
  PhaseSums *of_phase;   /* in the order of the sums: without accumulation one of each, of the same number */
  PetscBool accumulates; /* doses over the phases; else each of these is a scenario of its own */
  PetscInt n_phase;
  ScenarioPhase *phase; /* [n_phase] their weights sum to 1 */
  PetscInt *phase_number;
  PetscInt n_view;
  View *view; /* WEPL is traced once for each */
  PetscInt n_beam;
  double *range_of_beam; /* [row][n_beam] where scenarios have theirs; NULL: a slice's are in the set it is of */
  PetscInt n_tissue;
  double *factor;       /* [row][n_tissue][2] the same; NULL: no scenario scales alpha or beta */
  PetscInt other_model; /* one that no scenario has, but all are looked up by besides (ScenarioSetLookUpBy); 0: none */
} ScenarioSet;

/**
 * The views whose depths have to be traced: all, or under parallel rays, along which a shift changes nothing, one for every rotation
 * and phase. trace[view], unless NULL, becomes the number of its trace, view[trace] one that stands for it; returns how many there are.
 */
PetscInt ScenarioTraces(const ScenarioSet *set, PetscBool parallel, PetscInt *trace, PetscInt *view);

/** Name of a scenario's phase, "all" where its dose is accumulated over them, "" without breathing. */
static inline const char *ScenarioPhaseName(const Scenario *scenario)
{
  return scenario->phase == PHASE_ALL ? "all" : scenario->phase_name;
}

/** What all stopping powers on the way of a beam are scaled by in a scenario. */
static inline double ScenarioRangeFactor(const Scenario *scenario, PetscInt beam)
{
  return 1 + (scenario->range_of_beam ? scenario->range_of_beam[beam] : scenario->range_percent) / 100;
}

/** The same of sums in a phase. */
static inline double SumsRangeFactor(const ScenarioSet *set, PetscInt of_phase, PetscInt beam)
{
  return ScenarioRangeFactor(&set->scenario[set->of_phase[of_phase].row], beam);
}

/** Factor on alpha (0) or beta (1) of a tissue's ions in a scenario. */
static inline double ScenarioFactor(const Scenario *scenario, PetscInt tissue, int which)
{
  const double factor = scenario->factor ? scenario->factor[2 * tissue + which] : 1;
  return which ? factor * factor : factor;
}

/**
 * Expand a spec; range varies slowest. Row 0 is always the nominal scenario. Beams that err by themselves all by the same are a range
 * error as it is without. Not collective.
 */
PetscErrorCode ScenarioSetCreate(const ScenarioSpec *spec, ScenarioSet **out);
/** Upper bound of how many rows a spec makes, without making them. */
double ScenarioCount(const ScenarioSpec *spec);
/**
 * The n rows of a set from `first` on, as a set of its own; n_set counts those of them that are in the set, which must outlive it. Not
 * collective.
 */
PetscErrorCode ScenarioSetSlice(const ScenarioSet *set, PetscInt first, PetscInt n, ScenarioSet **out);
/** Have the sums of a slice looked up in the tables of another model; they keep their numbers. Not collective. */
void ScenarioSetLookUpBy(ScenarioSet *slice, PetscInt model);
PetscErrorCode ScenarioSetDestroy(ScenarioSet **set);
