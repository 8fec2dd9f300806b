/**
 * A plan as a list of spots: what spot CSVs, plan files and raster-scan plans have in common. Part of step 5.
 */
#pragma once
#include "robion/error.h"
#include "robion/ion.h"

/** Where a plan of another system has a beam. */
typedef struct SpotBeam {
  double gantry_deg, couch_deg;                           /* IEC 61217 */
  double isocentre_mm[3];                                 /* LPS */
  double range_shifter_mm, range_shifter_to_isocentre_mm; /* water-equivalent thickness, 0: none; its distance */
  double sad_mm[2];                                       /* of x and y; 0: not said, or parallel */
  char position[8];                                       /* of the patient: "HFS"; "": not said */
} SpotBeam;

typedef struct SpotAngles {
  double gantry_deg, couch_deg; /* IEC 61217 */
} SpotAngles;

/** A plan as a list of spots: the columns of a spot CSV. */
typedef struct SpotList {
  PetscInt n;
  PetscInt *beam;
  double *x_mm, *y_mm, *energy_MeV_u, *particles;
  double *spot_fwhm_mm; /* in air at the isocentre, ripple filter included; 0, or NULL for all: the machine's */
  PetscBool any_energy; /* of another system: built-in base data are computed at these energies */
  Species ion;          /* Z = 0: not said */
  PetscInt n_angles;    /* beams of which a raster-scan plan says gantry and couch: 0, or as many as there are */
  SpotAngles *angles;
  PetscInt n_places; /* beams of which all is said: 0, or as many as there are */
  SpotBeam *place;
  char frame_of_reference_uid[65]; /* that its places are in; "": not said */
  PetscBool monitor_units;         /* "particles" are monitor units: SpotListFromMonitorUnits first */
  /* For messages: where the list came from, the files of single beams where these have their own, and the line of each spot; NULL
     where it was not read. */
  char *file, **beam_file;
  PetscInt n_beam_files, *line;
} SpotList;

/** Columns of a spot list, as files name them. */
enum { SPOT_BEAM, SPOT_X, SPOT_Y, SPOT_ENERGY, SPOT_PARTICLES, N_SPOT_COLUMNS };
typedef struct SpotColumn {
  const char *name, *unit, *meaning; /* unit NULL: a number of something */
} SpotColumn;
extern const SpotColumn spot_columns[N_SPOT_COLUMNS];
/** What is wrong with a value of a column ("expected ..."), or NULL. */
const char *SpotColumnProblem(int column, double value);

/** Room for n spots; what is there is kept, n stays. */
PetscErrorCode SpotListResize(SpotList *spots, PetscInt n);
/**
 * Read `beam,x_mm,y_mm,energy_MeV_u,particles` (header line required; one mistake per bad line with file:line). Particles per
 * fraction; negative or non-finite numbers are mistakes (ROBION_INPUT). Not collective.
 */
PetscErrorCode SpotListReadCSV(const char *file, Mistakes *mistakes, SpotList *out);
/**
 * The spots of n_beam beams from `first` on, these numbered from 0, as a list of its own; entry[i] (to be freed with PetscFree) is
 * where its spot i stands in `spots`. Not collective.
 */
PetscErrorCode SpotListOfBeams(const SpotList *spots, PetscInt first, PetscInt n_beam, SpotList *part,
                               PetscInt **entry);
/** The different energies, ascending; to be freed with PetscFree. Not collective. */
PetscErrorCode SpotListEnergies(const SpotList *spots, PetscInt *n, double **energy_MeV_u);
/**
 * Turn monitor units into ions by a CSV table energy_MeV_u,ions_per_MU, straight between its energies, which have to enclose those of
 * the spots. Mistakes: ROBION_INPUT. Not collective.
 */
PetscErrorCode SpotListFromMonitorUnits(SpotList *spots, const char *table, Mistakes *mistakes);
/** Give rank `root`'s list, but for file and line, to every rank of comm. Collective. */
PetscErrorCode SpotListBroadcast(MPI_Comm comm, PetscMPIInt root, SpotList *spots);
PetscErrorCode SpotListDestroy(SpotList *spots);
