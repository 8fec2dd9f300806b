/**
 * Uncertainty scenarios: rigid setup shifts times range errors. Step 6 of the data's way.
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

/** What a study asks for. */
typedef struct ScenarioSpec {
  PetscInt n_range;
  double *range_percent; /* +3.5 means RSP scaled by 1.035 (shorter range); {0} if the study names none */
  SetupPattern setup;    /* axes: no shift and +-setup_mm along x, y, z (7); corners: the 8 sign combinations;
                            axes+corners: 14, without the zero shift; none: zero shift only; list: shift_mm;
                            grid: all 27 of -, 0, + along x, y, z; cross: axes, but each range error and each shift
                            by itself; random: see n_random */
  double setup_mm[3];    /* size of the shift along x, y, z; of random ones its standard deviation */
  PetscInt n_shift;
  double (*shift_mm)[3]; /* for SETUP_LIST: translations of the patient, LPS */
  PetscInt
      n_random; /* for SETUP_RANDOM: scenarios drawn from normal distributions, independent along the axes and of the
                            range; each from a generator of its own, so that the first ones do not depend on how many */
  PetscInt seed;
  double range_sigma_percent; /* for SETUP_RANDOM, about every value of range_percent in turn */
} ScenarioSpec;

typedef struct Scenario {
  char id[64];          /* "nominal", "r-3.5_x+2", "r+3.5", "y-3", "r+3_x+2_y-2_z+2": stable, from the values alone;
                           "random-1" and so on of drawn ones */
  double shift_mm[3];   /* translation of the patient against the beams, LPS */
  double range_percent; /* RSP scaled by 1 + range_percent/100 */
  double weight;        /* probability weight in the set; the set's weights sum to 1; 0 for an extra nominal */
  PetscBool in_set;     /* false: the nominal row that the set itself does not hold */
} Scenario;

typedef struct ScenarioSet {
  PetscInt n;            /* rows, the nominal first */
  PetscInt n_set;        /* rows with in_set */
  PetscInt n_setup;      /* distinct setup shifts; WEPL is traced once for each */
  PetscInt *setup_of;    /* [n] index into setup_mm */
  double (*setup_mm)[3]; /* [n_setup] */
  Scenario *scenario;
} ScenarioSet;

/** Expand a spec; range varies slowest. Row 0 is always the nominal scenario. Not collective. */
PetscErrorCode ScenarioSetCreate(const ScenarioSpec *spec, ScenarioSet **out);
/** The n rows of a set from `first` on, as a set of its own; n_set counts those of them that are in the set. Not collective. */
PetscErrorCode ScenarioSetSlice(const ScenarioSet *set, PetscInt first, PetscInt n, ScenarioSet **out);
PetscErrorCode ScenarioSetDestroy(ScenarioSet **set);
