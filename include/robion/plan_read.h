/**
 * Reading plan.h5: the one place, beside its writer, that knows where things are in it. A file that is missing, damaged or of
 * something else is a mistake (ROBION_INPUT). Not collective.
 */
#pragma once
#include "robion/grid.h"
#include "robion/hdf5.h"
#include "robion/image.h"
#include "robion/provenance.h"
#include "robion/quantity.h"
#include "robion/spot_list.h"

/** A plan file that is open. */
typedef struct PlanReader {
  H5Source source;
} PlanReader;

PetscBool PlanReaderOpen(const char *file, Mistakes *mistakes, PlanReader *reader);
/** False (and a mistake) if the file ended the process that read it: then what it gave last is not the file's. */
PetscBool PlanReaderClose(PlanReader *reader, Mistakes *mistakes);

/**
 * Texts of a plan: names as the tables have them, its effective settings as YAML, a hash of these, the projectile ("12C"), the
 * prescription's target, how the patient lies ("HFS"), and of the run that made it: when it began (ISO 8601, UTC), which robion it
 * was, its command line and ranks.
 */
typedef enum {
  PLAN_STUDY,
  PLAN_CASE,
  PLAN_ARM,
  PLAN_SWEEP,
  PLAN_SETTINGS,
  PLAN_SETTINGS_HASH,
  PLAN_ION,
  PLAN_TARGET,
  PLAN_STARTED,
  PLAN_VERSION,
  PLAN_COMMIT,
  PLAN_COMMAND,
  PLAN_RANKS,
  PLAN_POSITION,
  PLAN_MODE,    /* robust mode */
  PLAN_STOPPED, /* why the optimiser stopped, in words */
  N_PLAN_TEXTS
} PlanText;
/** PetscMalloc'ed; NULL after a mistake. */
PetscBool PlanReadText(const PlanReader *reader, PlanText which, Mistakes *mistakes, char **text);

/** Numbers of a plan: its prescription per fraction, what its optimisation came to, and what it took. */
typedef enum {
  PLAN_FRACTIONS,
  PLAN_PRESCRIPTION_Gy_RBE,
  PLAN_OBJECTIVE,
  PLAN_ITERATIONS,
  PLAN_SECONDS,
  PLAN_PREPARE_SECONDS,
  PLAN_BUILD_SECONDS,
  PLAN_OPTIMIZE_SECONDS,
  PLAN_EVALUATE_SECONDS,
  PLAN_PEAK_MEMORY_MiB,
  PLAN_EVALUATIONS, /* of the objective */
  N_PLAN_NUMBERS
} PlanNumber;
PetscBool PlanReadNumber(const PlanReader *reader, PlanNumber which, Mistakes *mistakes, double *number);

/** The i-th file that the plan was made from, from 0 on; false without a mistake behind the last. */
PetscBool PlanReadInput(const PlanReader *reader, PetscInt i, Mistakes *mistakes, InputFile *input);

/** The spots of all beams; an empty list after a mistake. */
PetscErrorCode PlanReadSpots(const char *file, Mistakes *mistakes, SpotList *spots);

/** Spacing and origin of the dose grid, whatever they are; its size is that of the doses, 0 until one is read. */
PetscBool PlanReadGrid(const PlanReader *reader, Mistakes *mistakes, Grid *grid);

/**
 * Doses of a plan: the nominal scenario, and voxel by voxel over the evaluation set lowest, highest and standard deviation; of these
 * RBE-weighted dose alone.
 */
typedef enum { PLAN_NOMINAL, PLAN_LOWEST, PLAN_HIGHEST, PLAN_SD, N_PLAN_DOSES } PlanDoses;
/** Where a quantity is in the file. */
void PlanDosePath(PlanDoses doses, Quantity quantity, char path[64]);
PetscBool PlanHasDose(const PlanReader *reader, PlanDoses doses, Quantity quantity);
/** Positron emitters: /activity/<scenario>/ and one of these, the last three with the name of a nuclide or a window behind a slash. */
#define GROUP_ACTIVITY "/activity"
#define ACTIVITY_PHYSICAL "physical"
#define ACTIVITY_NUCLEI "nuclei"
#define ACTIVITY_IMAGE "image"
#define ACTIVITY_COUNTS "counts"
#define ACTIVITY_EFFICIENCY "efficiency"
enum { PLAN_PATH = 256 };
/** The path of what has a name of its own (a structure, a scenario) in a group: names that HDF5 cannot have are changed, perhaps to the same. */
void PlanNamedPath(const char *parent, const char *name, char path[PLAN_PATH]);
/** Where a map of a scenario is in the file: of an activity, as "nuclei/11C". */
void PlanActivityPath(const char *scenario, const char *map, char path[PLAN_PATH]);
/** Names of the maps of a scenario's nuclei or images (ACTIVITY_...): nuclides, windows; n = 0 without a mistake for a plan that has none. */
PetscErrorCode PlanActivityNames(const PlanReader *reader, const char *scenario, const char *kind, Mistakes *mistakes,
                                 H5Names *names);
/** Such a map, as PlanReadDose reads doses. */
PetscBool PlanReadActivity(const PlanReader *reader, const char *scenario, const char *map, Mistakes *mistakes,
                           Grid *grid, float **value);

/** A quantity on the grid, z, y, x, finite; the first one that is read gives the grid its size. PetscMalloc'ed. */
PetscBool PlanReadDose(const PlanReader *reader, PlanDoses doses, Quantity quantity, Mistakes *mistakes, Grid *grid,
                       float **dose);

/** Where the physical dose of a beam alone is in the file; all of them add up to the nominal one. */
void PlanBeamDosePath(PetscInt beam, char path[64]);
PetscBool PlanHasBeamDose(const PlanReader *reader, PetscInt beam);
/** The dose, as PlanReadDose reads doses. */
PetscBool PlanReadBeamDose(const PlanReader *reader, PetscInt beam, Mistakes *mistakes, Grid *grid, float **dose);

/** Whether the file has the dose of a scenario, by its id. */
PetscBool PlanHasScenarioDose(const PlanReader *reader, const char *scenario);
/** RBE-weighted dose of a scenario, byte x step Gy(RBE) per fraction; grid as PlanReadDose. PetscMalloc'ed. */
PetscBool PlanReadScenarioDose(const PlanReader *reader, const char *scenario, Mistakes *mistakes, Grid *grid,
                               double *step_Gy_RBE, unsigned char **value);
/**
 * The DVHs of a structure in all scenarios, n_scenario rows (the first ones of scenarios.csv) of n values on the axis of dvh.csv:
 * percent of the volume. PetscMalloc'ed; false without a mistake for files that have none.
 */
PetscBool PlanReadScenarioDVHs(const PlanReader *reader, const char *structure, Quantity quantity, Mistakes *mistakes,
                               PetscInt *n_scenario, PetscInt *n, float **percent);

/** HU of the CT on the dose grid, as PlanReadDose reads doses; false without a mistake for files that have none. */
PetscBool PlanReadCT(const PlanReader *reader, Mistakes *mistakes, Grid *grid, short **hu);

/** Objective and norm of the projected gradient after each iteration. PetscMalloc'ed, n = 0: plans that were given. */
typedef struct PlanHistory {
  PetscInt n;
  double *iteration, *objective, *gradient_norm;
} PlanHistory;
PetscBool PlanReadHistory(const PlanReader *reader, Mistakes *mistakes, PlanHistory *history);
PetscErrorCode PlanHistoryDestroy(PlanHistory *history);

/** What is known of how far a plan is from the best: kind "rigorous" or "local" (a bound was found), "none", or "" (not looked for). */
typedef struct PlanCertificate {
  char kind[16];
  double lower_bound, gap;                    /* of the objective, of a bound */
  double stationarity, stationarity_at_start; /* norm of the projected gradient */
} PlanCertificate;
PetscBool PlanReadCertificate(const PlanReader *reader, Mistakes *mistakes, PlanCertificate *certificate);

/** A structure of a plan, by its name among the volumes (PlanVolumeNames): its own name, role and volume. */
typedef struct PlanStructure {
  char *name, *role; /* PetscMalloc'ed */
  double volume_cm3;
} PlanStructure;
PetscBool PlanReadStructure(const PlanReader *reader, const char *volume, Mistakes *mistakes, PlanStructure *structure);
PetscErrorCode PlanStructureDestroy(PlanStructure *structure);

/** A beam of a plan: its place, and for each spot position (IEC gantry, mm), energy, ions per fraction and FWHM in air. */
typedef struct BeamOnFile {
  double gantry_deg, couch_deg;                           /* IEC 61217 */
  double isocentre_mm[3];                                 /* LPS */
  double range_shifter_mm, range_shifter_to_isocentre_mm; /* water-equivalent thickness, 0: none; its distance */
  char *stage;                                            /* of the course; NULL: no stages */
  double stage_fractions;
  PetscInt n;
  double *x_mm, *y_mm, *energy_MeV_u, *particles, *spot_fwhm_mm;
} BeamOnFile;

/** Beam `b`, from 0 on; false behind the last (without a mistake) and after a mistake. Destroy in either case. */
PetscBool PlanReadBeam(const PlanReader *reader, PetscInt b, Mistakes *mistakes, BeamOnFile *beam);
PetscErrorCode BeamOnFileDestroy(BeamOnFile *beam);

/** What names of structures begin with, among those of volumes. */
#define PLAN_STRUCTURES "structures/"

/** Names of volumes, each a block of its own. */
typedef struct PlanVolumes {
  PetscInt n;
  char **name;
} PlanVolumes;

/**
 * What of a plan is a volume on its grid, by name: doses as they are in the file behind /dose ("nominal/letd", "robust/min",
 * "beams/beam_0"), and "structures/NAME", the part of every voxel's volume inside a structure. PlanVolumesDestroy, after mistakes too.
 */
PetscErrorCode PlanVolumeNames(const PlanReader *reader, Mistakes *mistakes, PlanVolumes *names);
PetscErrorCode PlanVolumesDestroy(PlanVolumes *names);
/** The path of such a volume in the file; "" for structures, which are lists of voxels. */
void PlanVolumePath(const char *name, char path[64]);
/**
 * Of a structure, by its name among the volumes, the part of every voxel's volume inside it, on the plan's grid. PetscMalloc'ed; false
 * after a mistake, perhaps with some of it.
 */
PetscBool PlanReadShares(const PlanReader *reader, const char *name, const Grid *grid, Mistakes *mistakes,
                         float **share);
/** One of them; false after a mistake. VolumeDestroy in either case. */
PetscBool PlanReadVolume(const PlanReader *reader, const char *name, Mistakes *mistakes, Volume *volume);
