/*
 * What the files of the biology module share: the table of models and the tables they are filled from.
 */
#pragma once
#include "robion/biology.h"

#define GY_UM2_PER_KEV_UM 0.1602177 /* LET/density of water: 1 keV/um over 1 um2 */

/* alpha and beta as functions of LET: linear in between, constant beyond the ends. */
typedef struct LETTable {
  PetscInt n;
  double *let_keV_um, *alpha_per_Gy, *beta_per_Gy2;
} LETTable;

/* Read the table of spec->table, or make it with mkm for 12C; *out is NULL after a mistake (ROBION_INPUT, names the file). */
PetscErrorCode LETTableCreate(const BiologySpec *spec, Mistakes *mistakes, LETTable **out);
PetscErrorCode LETTableDestroy(LETTable **table);
/* Mixed beam model: an ion's response is that of its LET. */
IonResponse LETTableResponse(const BiologySpec *spec, const LETTable *table, double let_keV_um);

/* Response by initial RBE against energy, from a TRiP98 .rbe file. */
typedef struct RBETable RBETable;
/*
 * Read the table of spec->table for these ions. *out is NULL after a mistake (ROBION_INPUT, names the file): other photon
 * parameters than the spec's, or an ion of which the file has no isotope.
 */
PetscErrorCode RBETableCreate(const BiologySpec *spec, PetscInt n_species, const Species *species, Mistakes *mistakes,
                              RBETable **out);
PetscErrorCode RBETableDestroy(RBETable **table);
/* Between the file's energies ln(alpha) and beta are linear in ln(E), as in TRiP98; constant beyond the ends. */
IonResponse RBETableResponse(const RBETable *table, PetscInt Z, PetscInt A, double energy_MeV_u);

/* What a model of single ions may look up; NULL what it has not. */
typedef struct ResponseTables {
  LETTable *by_let;
  RBETable *by_energy;
} ResponseTables;

typedef struct BiologyModel BiologyModel;
struct BiologyModel {
  const char *name;
  const char *cell_line;    /* its preset unless a study names another */
  PetscBool has_domains;    /* needs alpha0, beta0 and r_domain, if not a table in their place */
  PetscBool has_let_table;  /* responds by LET alone */
  PetscBool has_rbe_file;   /* a file of RBE may take the place of the machine's tissue classes */
  PetscBool has_approach;   /* there is a full approach beside the low-dose approximation */
  PetscBool has_transition; /* the photon curve goes on straight beyond D_t */
  /* Response of an ion. NULL: the model is not one of single ions. */
  IonResponse (*response)(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                          double energy_MeV_u);
  /* alpha and beta of the machine's field. */
  PetscErrorCode (*fill)(const BiologyModel *model, const Machine *machine, Mistakes *mistakes, Biology *biology);
};

/* The model of a name (may be NULL), or NULL. */
const BiologyModel *BiologyModelFind(const char *name);

/* Dose of one traversal of the nucleus. */
double HitDose_Gy(const BiologySpec *spec, double let_keV_um);
/* LEM I of an ion with initial slope alpha_z: alpha and beta of the spec's approach. */
IonResponse LEM1OfSlope(const BiologySpec *spec, double alpha_z_per_Gy, double let_keV_um);
/* Effect of a photon dose, without the clinical factor. */
double LQLEffect(const BiologySpec *spec, double dose_Gy);
/* Slope of the effect beyond D_t, 1/Gy. */
double LQLFinalSlope(const BiologySpec *spec);
/* FieldEffect in the full approach; dose above 0. */
double DampedEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad);
/* z0 of the cells (see BiologySpec), Gy. */
double SaturationDose_Gy(const BiologySpec *spec);
/* Mean dose, Gy, in a cylinder of this radius by a track that passes its axis at a distance. */
double TrackDose_Gy(PetscInt Z, PetscInt A, double energy_MeV_u, double radius_um, double distance_um);
