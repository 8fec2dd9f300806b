/**
 * Doses of different fractionation on one scale: biologically effective dose (BED) and the dose in fractions of 2 Gy that has the
 * same effect (EQD2). Part of step 5.
 *
 * Doses are RBE-weighted (or of photons), d per fraction, n fractions. With the linear-quadratic model
 *     BED = n d (1 + d / (alpha/beta))
 * and, in its linear-quadratic-linear form (LQ-L), beyond a dose d_t per fraction (Astrahan, Med Phys 35:4161, 2008)
 *     BED = n [d_t (1 + d_t / (alpha/beta)) + (gamma/alpha) (d - d_t)];      EQD2 = BED / (1 + 2 Gy / (alpha/beta)).
 */
#pragma once
#include <petscsys.h>

typedef struct FractionationSpec {
  double alpha_beta_Gy;
  double d_t_Gy;           /* per fraction; 0: linear-quadratic at every dose */
  double gamma_over_alpha; /* slope beyond d_t; continuous for 1 + 2 d_t / (alpha/beta) */
} FractionationSpec;

/** Optic nerves (alpha/beta 2 Gy) and liver (2.5 Gy, d_t 5 Gy, gamma/alpha 5: slope-continuous) as used for 11C and 12C by Sokol et al. */
extern const FractionationSpec fractionation_optic, fractionation_liver;
/** Linear-quadratic with that alpha/beta. */
FractionationSpec FractionationLQ(double alpha_beta_Gy);

/** BED of n fractions of d, Gy, and unless NULL its derivative to d. Not collective. */
double BED_Gy(const FractionationSpec *spec, double n, double d_Gy, double *slope);

/** EQD2 of n fractions of d, Gy, and unless NULL its derivative to d. Not collective. */
double EQD2_Gy(const FractionationSpec *spec, double n, double d_Gy, double *slope);
