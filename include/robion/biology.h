/**
 * Radiobiology: alpha and sqrt(beta) of the radiation field, and the way from physical dose to RBE-weighted dose. Step 4.
 */
#pragma once
#include "robion/machine.h"

typedef struct BiologySpec {
  const char *model;     /* "lem1" | "table" (alpha, beta of an imported machine) */
  double alpha_x_per_Gy; /* photon LQ parameters of the tissue */
  double beta_x_per_Gy2;
  double d_t_Gy;        /* transition dose of the LQ-L photon curve */
  double r_nucleus_um;  /* LEM nucleus radius */
} BiologySpec;

/** Chordoma: alpha 0.1 1/Gy, beta 0.05 1/Gy2, D_t 30 Gy, r_n 5 um. */
PetscErrorCode BiologySpecDefault(BiologySpec *spec);

extern const char *const biology_model_names[];
extern const PetscInt n_biology_model_names;

/** alpha and sqrt(beta) per energy and depth of a machine, index [e*n_depth + d] as Machine.depth_mm. */
typedef struct Biology {
  BiologySpec spec;
  double *alpha_per_Gy;
  double *sqrt_beta_per_Gy;
} Biology;

/**
 * Dose-averaged alpha and sqrt(beta) (Zaider-Rossi) of the machine's field at every depth. Mistakes (ROBION_STUDY/INPUT):
 * model unknown, lem1 with a machine without spectra, table without a matching tissue class. Not collective.
 */
PetscErrorCode BiologyCreate(const BiologySpec *spec, const Machine *machine, Mistakes *mistakes, Biology **out);
PetscErrorCode BiologyDestroy(Biology **biology);

/** Response of one ion species at one energy. */
typedef struct IonResponse {
  double rbe_alpha;    /* initial slope alpha_z / alpha_x */
  double alpha_per_Gy; /* low-dose alpha_D, 1/Gy */
  double beta_per_Gy2; /* low-dose beta_D, 1/Gy2 */
} IonResponse;

/** LEM I with the low-dose approximation (Scholz & Kraft; Kraemer & Scholz 2006) of ion (Z, A) at E MeV/u. */
IonResponse LEM1(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u);

/** Inputs of the dose chain in one voxel, per fraction. */
typedef struct FieldDose {
  double dose_Gy;           /* physical dose d */
  double alpha_dose;        /* sum alpha d */
  double sqrt_beta_dose;    /* sum sqrt(beta) d */
} FieldDose;

/**
 * Effect eps = alpha d + beta d^2 of a mixed field (linear beyond D_t with slope s_max) and its gradient with respect to
 * the three inputs. grad may be NULL. Zero dose gives zero effect and gradient (0, 1, 0).
 */
double FieldEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad);

/** RBE-weighted dose (photon-isoeffective, LQ-L), Gy(RBE), of an effect; *derivative (may be NULL) is d D_RBE / d eps. */
double RBEWeightedDose(const BiologySpec *spec, double effect, double *derivative);

/** Photon effect of a dose (LQ-L): the inverse of RBEWeightedDose. */
double PhotonEffect(const BiologySpec *spec, double dose_Gy);
