/**
 * Adapters into robion's own formats.
 */
#pragma once
#include "robion/case.h"
#include "robion/machine.h"

/**
 * matRad patient (`ct`, `cst` structs in a level-5 MAT file) -> Case. Column-major [y,x,z] cubes are transposed to [z,y,x];
 * cst rows give name, TARGET/OAR/EXTERNAL and 1-based linear indices; without world axes the origin is -spacing*n/2
 * (matRad's default). cubeHU, or cube (RSP, then stored as HU through the inverse default table). Files without a type
 * EXTERNAL: the largest structure becomes it if it is an OAR called body, external or skin. Rows of type IGNORED are left
 * out; a / in a name becomes _. Mistakes: ROBION_INPUT.
 */
PetscErrorCode ImportMatRadCase(const char *file, Mistakes *mistakes, Case **out);

/**
 * matRad machine file (`machine` struct) -> Machine. idd converted to Gy mm2 per particle; one or two lateral Gaussians; matRad's
 * offset, added to the depths of its tables, is the negative of robion's. Mistakes: ROBION_INPUT.
 */
PetscErrorCode ImportMatRadMachine(const char *file, Mistakes *mistakes, Machine **out);

/**
 * Machine -> matRad machine file (level 5): meta and data with energy, range, peakPos, offset, depths, Z, LET,
 * initFocus, sigma or sigma1, sigma2, weight, and alphaX, betaX, alpha, beta where the machine has tissue tables. Of more than two
 * lateral components matRad's second Gaussian stands for all but the first, with their share and mean square offset; a parallel
 * beam gets a source at 10 km. What ImportMatRadMachine reads back is equal but for the
 * last bit of the depth dose. Temporary name, then rename. Mistakes: ROBION_INPUT (a projectile matRad has no name for),
 * ROBION_RESOURCES. Not collective.
 */
PetscErrorCode MachineWriteMatRad(const Machine *machine, const char *file, Mistakes *mistakes);

/** A plan as a list of spots: the columns of a spot CSV. */
typedef struct SpotList {
  PetscInt n;
  PetscInt *beam;
  double *x_mm, *y_mm, *energy_MeV_u, *particles;
  double *spot_fwhm_mm;         /* in air at the isocentre, ripple filter included; 0, or NULL for all: the machine's */
  PetscBool any_energy;         /* of another system: built-in base data are computed at these energies */
  Species ion;                  /* Z = 0: not said */
  PetscBool has_angles;         /* the next two are said */
  double gantry_deg, couch_deg; /* IEC 61217, of beam 0 */
  char *file; /* for messages: where the list came from, and the line of each spot; NULL where it was not read */
  PetscInt *line;
} SpotList;

/**
 * Read `beam,x_mm,y_mm,energy_MeV_u,particles` (header line required; one mistake per bad line with file:line). Particles per
 * fraction; negative or non-finite numbers are mistakes (ROBION_INPUT). Not collective.
 */
PetscErrorCode SpotListReadCSV(const char *file, Mistakes *mistakes, SpotList *out);
/** The spots of a plan.h5 (/plan/beam_k). */
PetscErrorCode SpotListReadPlan(const char *file, Mistakes *mistakes, SpotList *out);
/**
 * The spots of n_beam beams from `first` on, these numbered from 0, as a list of its own; entry[i] (to be freed with PetscFree) is
 * where its spot i stands in `spots`. Not collective.
 */
PetscErrorCode SpotListOfBeams(const SpotList *spots, PetscInt first, PetscInt n_beam, SpotList *part,
                               PetscInt **entry);
/** The different energies, ascending; to be freed with PetscFree. Not collective. */
PetscErrorCode SpotListEnergies(const SpotList *spots, PetscInt *n, double **energy_MeV_u);
/** Give rank `root`'s list, but for file and line, to every rank of comm. Collective. */
PetscErrorCode SpotListBroadcast(MPI_Comm comm, PetscMPIInt root, SpotList *spots);
PetscErrorCode SpotListDestroy(SpotList *spots);
