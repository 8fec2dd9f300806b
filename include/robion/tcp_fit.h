/**
 * Parameters of the TCP model from patients with known outcome. Part of step 5.
 *
 * ln A, kappa and alpha minimise the sum over patients of (TCP - outcome)^2, outcome 1 for local control and 0 for recurrence, within
 * bounds (GSL's trust region Levenberg-Marquardt in variables that cannot leave them). alpha/beta, n, the link and N0 are given.
 */
#pragma once
#include "robion/tcp.h"

typedef struct TCPPatient {
  PetscInt n;
  double *share, *clonogens, *dose_Gy_RBE; /* as TCPRegionSurvival takes them */
  PetscBool control;
  PetscBool held_out; /* of the set that is not fitted */
} TCPPatient;

enum { TCP_LN_A, TCP_KAPPA, TCP_ALPHA, N_TCP_FITTED };
extern const char *const tcp_fitted_names[]; /* "ln_a", "kappa", "alpha_per_Gy" */

/** Lowest and highest value of each fitted parameter; of ln S at 2.852e5 clonogens and 73.6 Gy(RBE) in place of ln A. */
extern const double tcp_fit_bounds[N_TCP_FITTED][2];

/** How well predictions go with outcomes. */
typedef struct TCPQuality {
  PetscInt n, n_control;
  double auc;      /* area under the ROC curve, ties count half; 0.5 where all outcomes are the same */
  double expected; /* mean TCP minus the share of controlled patients */
  double brier;    /* mean square of TCP minus outcome */
} TCPQuality;

/** A number with its 95 % bootstrap interval. */
typedef struct TCPInterval {
  double value, low, high;
} TCPInterval;

typedef struct TCPFit {
  TCPSpec spec; /* what was given, with the fitted parameters */
  TCPInterval parameter[N_TCP_FITTED];
  TCPQuality fitted, held_out;
  TCPInterval auc,
      expected; /* of the held-out patients, patients resampled; of the fitted ones where none is held out */
} TCPFit;

/** Fit the patients whose `use` counts (how often each is taken; NULL: once) are above 0 and that are not held out. */
PetscErrorCode TCPFitParameters(PetscInt n, const TCPPatient *patient, const PetscInt *use, TCPSpec *spec);

TCPQuality TCPJudge(const TCPSpec *spec, PetscInt n, const TCPPatient *patient, const PetscInt *use,
                    PetscBool held_out);

/**
 * Fit, judge, and repeat for n_bootstrap samples of the patients drawn with a seed. `spec` says where to start and what is given.
 * Not collective.
 */
PetscErrorCode TCPFitAll(PetscInt n, const TCPPatient *patient, const TCPSpec *spec, PetscInt n_bootstrap,
                         PetscInt seed, TCPFit *fit);
