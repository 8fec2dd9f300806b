/**
 * Positron emitters of a plan in the patient: where they come to rest, and what a scanner sees of their decays. Part of step 11.
 */
#pragma once
#include "robion/composition.h"
#include "robion/influence.h"

/** How blood carries emitters away, by tissue. */
typedef enum { WASHOUT_NONE, WASHOUT_MIZUNO } WashoutModel;
extern const char *const washout_names[]; /* as a study writes them, indexed by WashoutModel */
extern const PetscInt n_washout_names;

/** Tissues that carry them away in their own ways. */
typedef enum { WASHOUT_KEPT, WASHOUT_SLOW, WASHOUT_MUSCLE, WASHOUT_BRAIN, N_WASHOUTS } WashoutTissue;

/** When decays are counted, s after the end of a fraction's irradiation; negative: during it. */
typedef struct ActivityWindow {
  char *name;
  double from_s, to_s;
} ActivityWindow;

/** How long a fraction takes: all along, or in spills with pauses between them. */
typedef struct Irradiation {
  double duration_s;
  double spill_s, pause_s; /* spill 0: no pauses; while spills last nothing is counted */
} Irradiation;

/** What a study asks for. */
typedef struct ActivitySpec {
  PetscInt n_scenarios; /* 0: nothing is computed */
  char **scenarios;     /* ids, "all": every one */
  char *where;
  Composition composition;
  Irradiation irradiation;
  PetscInt n_windows;
  ActivityWindow *windows;
  WashoutModel washout;
  PetscInt n_brain;
  char **brain; /* structures that wash out as brain does */
  char *brain_where;
  double scanner_fwhm_mm;
  double efficiency; /* coincidences counted per decay; 0: no counts are drawn */
  PetscInt seed;
} ActivitySpec;

/**
 * Decays in a window per nucleus at rest that a fraction leaves, produced at a constant rate while it is irradiated; where a
 * tissue washes nuclei out (Mizuno et al., PMB 48:2269, 2003, rabbit; brain, muscle; else the slow part of muscle).
 */
double DecaysPerNucleus(double half_life_s, WashoutTissue tissue, const Irradiation *irradiation, double from_s,
                        double to_s);

/** Mean path of a positron in water, from where it starts to where it ends, mm; 0 for other nuclides. */
double PositronRange_mm(Species emitter);

/**
 * Add to an image what a scanner sees of decays: those of each voxel spread by a Gaussian of its own variance, above 0 where there
 * are any. All are kept but for what leaves the grid, and so is their mean square distance. Not collective.
 */
PetscErrorCode ActivityBlur(const Grid *grid, const float *decays, const float *variance_mm2, double *image);

/** The activity of a scenario. */
typedef struct ActivityMap {
  const Scenario *scenario;
  float **nuclei;  /* [emitter] at rest per mm3 and fraction */
  float *physical; /* dose of a fraction, Gy */
  float **image;   /* [window] decays per mm3 as the scanner sees them */
  float **counts;  /* [window] coincidences counted in the voxel; NULL: none are drawn */
} ActivityMap;

typedef struct ActivitySet {
  const ActivitySpec *spec;
  PetscInt n_emitter, n;
  Species *emitter;
  double *half_life_s;
  ActivityMap *map; /* [n] */
} ActivitySet;

/** What it is computed from. Nothing is owned. */
typedef struct ActivityInput {
  const ActivitySpec *spec;
  const Case *patient;
  const Machine *machine;
  const BeamSet *beams;
  double dropped_dose_fraction;
  const ScenarioSet *set;
  const Grid *grid;
  PetscInt n;
  const PetscInt *voxel;      /* [n] indices into grid */
  const unsigned char *brain; /* [grid] 1: brain; NULL: none */
  const double *weight;       /* particles per fraction, [n_spot] */
} ActivityInput;

/** Whether the spec asks for a scenario. */
PetscBool ActivityWants(const ActivitySpec *spec, const Scenario *scenario);

/**
 * Emitters at rest by the factored operator, whatever the spec asks to see of them, in the scenarios it asks for; `physical` stays
 * NULL. Everything on every rank, bit-identical for any number of ranks. Collective.
 */
PetscErrorCode ActivitySetCreate(MPI_Comm comm, const ActivityInput *input, ActivitySet *out);
PetscErrorCode ActivitySetDestroy(ActivitySet *set);
