/**
 * Radiobiology: alpha and sqrt(beta) of the radiation field, and the way from physical dose to RBE-weighted dose. Step 4.
 */
#pragma once
#include "robion/machine.h"
#include "robion/scenario.h"

/** How beta of a mixed field follows from those of its parts: mean of sqrt(beta), or of beta itself, weighted by dose. */
typedef enum { AVERAGE_SQRT_BETA, AVERAGE_BETA } BetaAveraging;
extern const char *const beta_averaging_names[]; /* as a study writes them, indexed by BetaAveraging */
extern const PetscInt n_beta_averaging_names;

/**
 * How LEM I goes from single ions to a dose. The low-dose approximation (Kraemer & Scholz, PMB 51:1959, 2006) makes alpha and
 * beta of each ion those of the field at vanishing dose. The full approach (Scholz et al., Radiat Environ Biophys 36:59, 1997;
 * Kraemer & Scholz, PMB 45:3319, 2000) averages survival over the number of particles that hit a nucleus; robion reads it
 * thus: hits are Poisson-distributed and all of one dose d1 = LETd / (density pi r_nucleus^2), the next of them after the dose
 * y acts with the slope min(alpha_z + 2 beta_z y, s_max), and alpha_z and sqrt(beta_z) of a mixed field are means by dose. The
 * Poisson mean is summed exactly, where the authors draw numbers of hits. At vanishing dose both approaches agree.
 */
typedef enum { LEM_LOW_DOSE, LEM_FULL } LEMApproach;
extern const char *const lem_approach_names[]; /* as a study writes them, indexed by LEMApproach */
extern const PetscInt n_lem_approach_names;

typedef struct BiologySpec {
  const char *model;     /* a name of biology_model_names */
  double alpha_x_per_Gy; /* photon LQ parameters of the tissue */
  double beta_x_per_Gy2;
  double d_t_Gy;         /* transition dose of the LQ-L photon curve */
  double r_nucleus_um;   /* nucleus radius of lem1, mkm, smk, mixed-beam */
  const char *cell_line; /* the preset the numbers started from: a name of cell_line_names, or NULL; for messages */
  double alpha0_per_Gy;  /* mkm, smk, mixed-beam: alpha at vanishing LET */
  double beta0_per_Gy2;  /* mkm, smk, mixed-beam: beta of the cells */
  double r_domain_um;    /* mkm, smk, mixed-beam: domain radius; 0: not known of these cells */
  double z0_Gy;          /* saturation of mkm, smk, mixed-beam; 0: from the radii and beta0 */
  double alpha_per_Gy;   /* constant: alpha and beta of the ions; alpha 0: from rbe */
  double beta_per_Gy2;
  double rbe;              /* constant: RBE of the ions */
  LEMApproach approach;    /* lem1, and table with a file of RBE */
  BetaAveraging averaging; /* what FieldDose.sqrt_beta_dose holds, see there */
  double clinical_factor;  /* RBE-weighted dose per isoeffective photon dose */
  /* mixed-beam: file LET_keV_um,alpha_per_Gy,beta_per_Gy2; NULL: made by mkm for 12C.
     table: TRiP98 .rbe file, its RBE taken as LEM I's alpha_z / alpha_x; NULL: alpha, beta of the machine's tissue classes */
  const char *table;
} BiologySpec;

/** lem1 on chordoma: alpha 0.1 1/Gy, beta 0.05 1/Gy2, D_t 30 Gy, r_n 5 um. */
PetscErrorCode BiologySpecDefault(BiologySpec *spec);

/**
 * All numbers of a model for a cell line. cell_line NULL: the model's own (chordoma; hsg for mkm, smk and mixed-beam). Both
 * names must be known. What is not known of the cells is 0; BiologyCreate complains if the model needs it.
 */
PetscErrorCode BiologySpecPreset(const char *model, const char *cell_line, BiologySpec *spec);

/** False if the model needs to know more of the cells than the spec holds. */
PetscBool BiologySpecKnowsCells(const BiologySpec *spec);

extern const char *const cell_line_names[];
extern const PetscInt n_cell_line_names;
/** lem1 | mkm | smk | mixed-beam | constant | table (alpha, beta of an imported machine, or an RBE file of TRiP98). */
extern const char *const biology_model_names[];
extern const PetscInt n_biology_model_names;

/**
 * alpha and sqrt(beta) of a machine's lateral components (full approach: alpha_z and sqrt(beta_z)), index
 * [(e*n_component + k)*n_depth + d] as Machine.component.
 */
typedef struct Biology {
  BiologySpec spec;
  double *alpha_per_Gy;
  double *sqrt_beta_per_Gy; /* with AVERAGE_BETA: beta, 1/Gy2 */
} Biology;

/**
 * Dose-averaged alpha and sqrt(beta) (Zaider-Rossi; beta itself with AVERAGE_BETA) of the machine's field at every depth.
 * Mistakes (ROBION_STUDY/INPUT): model unknown, parameters the model needs but the cell line lacks, a machine without
 * spectra (all models but constant and table without a file), table without a matching tissue class, a damaged table; an RBE
 * file of other photon parameters than the spec's (alpha_x, beta_x, d_t, r_nucleus within 1e-6) or without an isotope of one of
 * the machine's ions (of another isotope the RBE at the same energy per nucleon is taken); approach full of a model that has
 * none. Not collective.
 */
PetscErrorCode BiologyCreate(const BiologySpec *spec, const Machine *machine, Mistakes *mistakes, Biology **out);
/**
 * The same on all ranks of a team, by the machine of rank 0: the others need no dose spectra. Mistakes come to all ranks. Collective.
 */
PetscErrorCode BiologyCreateTogether(MPI_Comm team, const BiologySpec *spec, const Machine *machine, Mistakes *mistakes,
                                     Biology **out);
/**
 * The share of a field's dose that ions leave whose LET is a threshold or more, in the place of alpha: with it CHANNEL_ALPHA is the dose
 * above the threshold, in Gy. LET is that of the ion's energy (unrestricted, in water); energies are spread evenly in ln(E) about a bin's
 * centre, as the spectra are. Recoils of the target count as the mean of the field's ions. A machine without spectra is a
 * mistake (ROBION_INPUT) that names `where`. By the machine of rank 0, as BiologyCreateTogether. Collective.
 */
PetscErrorCode BiologyAboveLET(MPI_Comm team, const BiologySpec *spec, const Machine *machine, double let_keV_um,
                               const char *where, Mistakes *mistakes, Biology **out);
PetscErrorCode BiologyDestroy(Biology **biology);

/** Structures whose cells respond in their own way. */
typedef struct TissueSpec {
  PetscInt n_structures;
  char **structures, *where;
  BiologySpec biology; /* what the tissue does not say is that of Settings.biology */
} TissueSpec;

/**
 * Another response that the cells may have in scenarios: alpha and beta of the ions scaled, or another model. Photon parameters stay
 * those that RBE-weighted doses refer to, but for another model, which has its own.
 */
typedef struct BiologyAlternative {
  char *name, *where;
  char *structure;                  /* one that a tissue of its own has: that tissue's alone; NULL: of all */
  double alpha_factor, beta_factor; /* 1: as they are */
  PetscBool has_model;
  BiologySpec biology; /* of the model */
  double dose_Gy_RBE;  /* what the prescription is in the model's own dose, per fraction; 0: the same number */
} BiologyAlternative;

/** The tissues of a patient: how each responds, and which of them a voxel of the dose grid is. */
typedef struct Tissues {
  PetscInt n;
  PetscInt n_model; /* other models of scenarios (Scenario.model), behind the plan's own */
  Biology **
      biology; /* [1 + n_model][n]; the first tissue is that of all voxels which no structure with one of its own claims */
  unsigned char *of_voxel; /* [voxels of the grid]; NULL: all 0 */
  PetscInt high_let;       /* the last of the models, if it is BiologyAboveLET and no scenario's; 0: none is */
} Tissues;

enum { TISSUES_MOST = 16 }; /* of all models together */

/** Tissue of a voxel of the dose grid. */
static inline PetscInt TissueOf(const Tissues *tissues, PetscInt voxel)
{
  return tissues->of_voxel ? tissues->of_voxel[voxel] : 0;
}

/** A voxel's response in a scenario: its model, and [2] factors on alpha and the square root of beta; NULL: 1. */
typedef struct VoxelResponse {
  const BiologySpec *spec;
  const double *factor;
} VoxelResponse;

static inline VoxelResponse ResponseOf(const Tissues *tissues, const Scenario *scenario, PetscInt voxel)
{
  const PetscInt tissue = TissueOf(tissues, voxel);
  return (VoxelResponse){&tissues->biology[scenario->model * tissues->n + tissue]->spec,
                         scenario->factor ? scenario->factor + 2 * tissue : NULL};
}

/** Response of one ion species at one energy. */
typedef struct IonResponse {
  double rbe_alpha;    /* initial slope alpha / alpha_x; of lem1 alpha_z / alpha_x */
  double alpha_per_Gy; /* of lem1 the low-dose alpha_D; full approach: alpha_z */
  double beta_per_Gy2; /* of lem1 the low-dose beta_D; full approach: beta_z */
} IonResponse;

/** LEM I (Scholz & Kraft) of ion (Z, A) at E MeV/u, by the spec's approach. */
IonResponse LEM1(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u);

/** Modified microdosimetric kinetic model (Inaniwa et al., PMB 55:6721, 2010): alpha0 + beta0 z*, beta0. */
IonResponse MKM(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u);

/**
 * Stochastic microdosimetric kinetic model (Inaniwa & Kanematsu, PMB 63:095011, 2018): alpha0 + beta0 z*, beta0 z* / z_d; survival
 * is not linear-quadratic in them, see SMKSurvival.
 */
IonResponse SMK(const BiologySpec *spec, PetscInt Z, PetscInt A, double energy_MeV_u);

/**
 * What the dose chain takes for smk: the linear and the quadratic term of -ln SMKSurvival in dose. At vanishing dose tracks act
 * one by one, so these terms may be averaged over a mixed field as alpha and beta are.
 */
IonResponse SMKExpansion(const BiologySpec *spec, IonResponse response, double z_nucleus_Gy);

/**
 * Survival in the stochastic model: the linear-quadratic one times [1 + D z_n ((alpha + 2 beta D)^2 / 2 - beta)], z_n the
 * dose-mean specific energy of the nucleus, SpecificEnergy_Gy(Z, A, E, r_nucleus_um, 0).
 */
double SMKSurvival(IonResponse response, double z_nucleus_Gy, double dose_Gy);

/**
 * Dose-mean specific energy per event, Gy, of a cylinder of this radius in a broad field of one ion (Kiefer-Chatterjee track).
 * z0 above 0: saturated, z*; 0: not saturated.
 */
double SpecificEnergy_Gy(PetscInt Z, PetscInt A, double energy_MeV_u, double radius_um, double z0_Gy);

/** Inputs of the dose chain in one voxel, per fraction. */
typedef struct FieldDose {
  double dose_Gy;        /* physical dose d */
  double alpha_dose;     /* sum alpha d */
  double sqrt_beta_dose; /* sum sqrt(beta) d; with AVERAGE_BETA: sum beta d, 1/Gy */
  double let_dose;       /* sum LET d, Gy keV/um */
} FieldDose;

/**
 * Effect eps = alpha d + beta d^2 of a mixed field (linear beyond D_t with slope s_max) and its gradient with respect to
 * the four inputs; beta is averaged as spec->averaging says. grad may be NULL. Zero dose gives zero effect and gradient
 * (0, 1, 0, 0). Full approach of lem1: minus the logarithm of the mean survival, see LEMApproach; let_dose counts there alone.
 */
double FieldEffect(const BiologySpec *spec, FieldDose field, FieldDose *grad);

/**
 * RBE-weighted dose, Gy(RBE), of an effect: the photon-isoeffective dose (LQ-L) times spec->clinical_factor; *derivative (may
 * be NULL) is d D_RBE / d eps.
 */
double RBEWeightedDose(const BiologySpec *spec, double effect, double *derivative);

/** Effect of an RBE-weighted dose: the inverse of RBEWeightedDose. With clinical factor 1 that of a photon dose (LQ-L). */
double PhotonEffect(const BiologySpec *spec, double dose_Gy);

/** Share of cells that survive an effect: exp(-effect). */
double SurvivalFraction(double effect);

/** RBE of a field, RBE-weighted over physical dose (the clinical RBE if there is a clinical factor); 0 where there is no dose. */
double FieldRBE(const BiologySpec *spec, FieldDose field);
