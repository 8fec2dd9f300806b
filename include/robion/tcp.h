/**
 * Tumour control probability of a voxel and of a region from its number of clonogens and its dose. Part of step 5.
 *
 * After Parrella et al. (cell-count-guided carbon-ion therapy of sacral chordoma), whose equations are not public; this
 * reconstruction reproduces their published figures. D is the RBE-weighted dose of the whole course in Gy(RBE), given in n
 * equal fractions, N the clonogens per 27 mm3 (a 3 mm voxel, whatever the voxels at hand):
 *
 *     S_i   = A L(N_i) exp(-alpha D_i - beta D_i^2 / n)     L(N) = N^kappa  or  ln(1 + N / N0)
 *     TCP_i = exp(-S_i)
 *     S_ROI = sum_i v_i S_i,  TCP_ROI = exp(-S_ROI)         v_i: the voxel's part of the region's volume
 */
#pragma once
#include "robion/error.h"

/** How survival grows with the number of clonogens. */
typedef enum { TCP_LINK_POWER, TCP_LINK_LOGARITHM, N_TCP_LINKS } TCPLink;
extern const char *const tcp_link_names[]; /* "power", "logarithm", indexed by TCPLink */
extern const PetscInt n_tcp_link_names;

typedef struct TCPSpec {
  TCPLink link;
  double ln_a;          /* ln A; default -3.643 */
  double kappa;         /* power; default 0.74 */
  double n0_clonogens;  /* logarithm: N0 per 27 mm3; default 2.852e5 */
  double alpha_per_Gy;  /* per Gy(RBE); default 0.029 */
  double alpha_beta_Gy; /* default 2 */
  double fractions;     /* n; default 16 */
} TCPSpec;

/** The volume that numbers of clonogens refer to. */
#define TCP_REFERENCE_MM3 27.0

/** So much of a region's volume may hold no clonogens without a warning: an image may not have covered it. */
#define TCP_MOST_EMPTY 0.01

/** The set recommended for sacral chordoma, 12C and LEM I: a fit to every published figure (see the header). */
PetscErrorCode TCPSpecDefault(TCPSpec *spec);

/** What cannot be: one mistake for each (ROBION_STUDY), starting with `where`. */
PetscErrorCode TCPSpecCheck(const TCPSpec *spec, const char *where, Mistakes *mistakes);

/**
 * S_i of a voxel with so many clonogens per 27 mm3 (0: none survives) and that RBE-weighted course dose, and unless NULL its
 * derivative with respect to the dose, per Gy(RBE). Not collective.
 */
double TCPSurvival(const TCPSpec *spec, double clonogens, double dose_Gy_RBE, double *slope);

/** TCP of a survival, of a voxel's or a region's. */
double TCPOfSurvival(double survival);

/**
 * S_ROI over n voxels: share of the region (what is left of 1 holds no clonogens); clonogens per 27 mm3; RBE-weighted course
 * dose. Added in the order of the voxels.
 * Not collective.
 */
double TCPRegionSurvival(const TCPSpec *spec, PetscInt n, const double *share, const double *clonogens,
                         const double *dose_Gy_RBE);
