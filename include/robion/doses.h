/**
 * Doses of given spot weights in every evaluation scenario. First half of step 11 of the data's way.
 */
#pragma once
#include "robion/course.h"
#include "robion/log.h"
#include "robion/metric_request.h"

/** The quantities of plans with these scenarios that are computed from the spots, computed[n]; returns n. */
PetscInt DosesComputed(const ScenarioSet *set, Quantity computed[QUANTITIES_MOST]);

/** Whether plans with these scenarios in a course (NULL: all fractions the same) have a quantity voxel by voxel, clonogens' apart. */
PetscBool DosesHave(const ScenarioSet *set, const Course *course, Quantity quantity);

/** Doses of one plan on its grid, per fraction. */
typedef struct DoseSet {
  PetscInt n;                                 /* scenario rows */
  size_t size;                                /* voxels of the grid */
  float *nominal[QUANTITIES_MOST];            /* [size]; NULL: what the plan does not have */
  float *rbe_min, *rbe_max;                   /* [size] RBE-weighted, voxel by voxel over the rows of the set */
  float *rbe_sd;                              /* [size] and their standard deviation, of all n rows (divided by n) */
  MetricList *metrics;                        /* [n] same rows in each */
  MetricList statistics[SCENARIO_STATISTICS]; /* over the rows of the set */
  PetscInt n_band;
  DVHBand *band; /* of each region, of the quantities that have a DVH */
  PetscInt n_kept;
  float **kept; /* [n_kept] physical dose of the scenarios that the spec asks for, each [size] */
} DoseSet;

/** RBE-weighted dose of one scenario, for pictures: value x step, in 255 steps up to its maximum. */
typedef struct ScenarioDose {
  PetscInt row; /* of the set */
  double step_Gy_RBE;
  unsigned char *value; /* [size of the grid] */
} ScenarioDose;

/** Scenarios whose DVHs are kept: the first ones, so that memory does not grow with their number. */
#define DVH_SCENARIOS_MOST 1000
/** And those whose doses are. */
#define SCENARIO_DOSES_MOST 64

/** Of which scenarios the dose is kept beside the nominal: of none, of the worst for each goal, or of all. */
typedef enum { SCENARIO_DOSES_NONE, SCENARIO_DOSES_WORST, SCENARIO_DOSES_ALL } ScenarioDosesKept;
extern const char *const scenario_doses_names[];
extern const PetscInt n_scenario_doses_names;

/** Whether the physical dose of each beam alone is kept. */
typedef enum { BEAM_DOSES_NONE, BEAM_DOSES_PHYSICAL } BeamDosesKept;
extern const char *const beam_doses_names[];
extern const PetscInt n_beam_doses_names;

/** What results hold beside what they always do. */
typedef struct ResultsSpec {
  ScenarioDosesKept scenario_doses;
  BeamDosesKept beam_doses;
  double high_let_keV_um; /* dose of ions from this LET on is a quantity of the plan; 0: it is not */
  char *high_let_where;
} ResultsSpec;

/** What doses are computed from, and what of them is looked at. Nothing is owned. */
typedef struct DoseSpec {
  DoseModel model;
  const Course *course; /* of a plan in stages, which brings models of its own; else NULL */
  const Tissues *tissues;
  const ScenarioSet *set;
  const Grid *grid;
  PetscInt n;
  const PetscInt *voxel; /* [n] indices into grid, ascending; all voxels of the regions are among them */
  const double *weight;  /* [spots] */
  PetscInt n_region;
  const Region *region;
  const Region *outside; /* of all targets, for the hottest place there; n = 0: none is looked for */
  double prescription_Gy_RBE;
  OutcomeList outcomes;      /* that are judged */
  MetricRequestList request; /* of the regions, beside the metrics that every plan has */
  PetscInt n_kept;
  const PetscInt *kept; /* [n_kept] rows of the set whose physical dose is kept, ascending */
  Phase *phase;         /* is told how far it is; NULL: nobody is */
} DoseSpec;

/**
 * Compute every scenario, the metrics and DVH bands of the regions, the hottest place outside of all targets, and the voxel extremes.
 * Voxels are dealt to ranks in blocks, rows are computed on the fly, scenarios are dealt to ranks for their metrics; every rank ends
 * up with everything, bit-identical for any number of ranks. Collective.
 */
PetscErrorCode DoseSetCreate(MPI_Comm comm, const DoseSpec *spec, DoseSet *out);
PetscErrorCode DoseSetDestroy(DoseSet *doses);
/**
 * Compute the doses of n rows of the spec's set once more, one after the other, for keeping; the same on every rank, to the bit for
 * any number of them. Destroy in any case. Collective.
 */
PetscErrorCode ScenarioDosesCreate(MPI_Comm comm, const DoseSpec *spec, PetscInt n, const PetscInt *row,
                                   ScenarioDose **out);
PetscErrorCode ScenarioDosesDestroy(PetscInt n, ScenarioDose **doses);
/**
 * Compute the physical dose of each beam alone in the nominal scenario, Gy, [beam][size of the grid]: of the mean fraction in a course,
 * so that all of them add up to DoseSet's nominal but for what is below its noise. The same on every rank, to the bit for any number
 * of them. Destroy in any case. Collective.
 */
PetscErrorCode BeamDosesCreate(MPI_Comm comm, const DoseSpec *spec, const BeamSet *beams, float ***out);
PetscErrorCode BeamDosesDestroy(PetscInt n_beam, float ***doses);
/** Scenarios of n that a team holds the doses of at a time, however many there are. */
PetscInt DoseSetRows(PetscInt n, PetscMPIInt team_size);

/**
 * Fill what follows from other quantities in n voxels of the grid in a scenario, from the first on: dose[RBE], dose[survival] and so on from
 * dose[] of what is computed; dose[Quantity] that are NULL are left out.
 */
void DosesDerive(const Tissues *tissues, const Scenario *scenario, size_t n, float *const dose[QUANTITIES_MOST]);
