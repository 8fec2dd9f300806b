/**
 * RBE tables of TRiP98 (.rbe): RBE of ions against energy, for one kind of cell. Part of step 4. Nothing is collective.
 */
#pragma once
#include "robion/biology.h"
#include "robion/trip_text.h"

typedef struct TripRBEPoint {
  double energy_MeV_u, rbe; /* RBE_alpha: ratio of the initial slopes */
} TripRBEPoint;

typedef struct TripRBEIon {
  TripName projectile;
  Species species;
  PetscInt n;
  TripRBEPoint *point; /* ascending energy */
} TripRBEIon;

/** One complete table: the mean, or a limit of its uncertainty. */
typedef struct TripRBETable {
  TripName kind; /* mean, min or max */
  double alpha_x_per_Gy, beta_x_per_Gy2, cut_Gy, nucleus_radius_um;
  PetscInt n;
  TripRBEIon *ion;
} TripRBETable;

typedef struct TripRBE {
  TripName cell_type;
  PetscInt n; /* 1 to 3 */
  TripRBETable *table;
} TripRBE;

/** Keywords of later format versions are passed over with their data. */
PetscErrorCode TripRBERead(const char *file, Mistakes *mistakes, TripRBE *out);
PetscErrorCode TripRBEWrite(const TripRBE *rbe, const char *file, Mistakes *mistakes);
PetscErrorCode TripRBEDestroy(TripRBE *rbe);
/** The reader of a file's content, which is taken apart in place. *out is zeroed first. */
PetscErrorCode TripRBEParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripRBE *out);
