/**
 * Spot control: what a particle of each spot costs beside the dose, Yagi et al., PLOS ONE 18(7):e0288545 (2023), Eqs 6 to 8 and
 * 10. The objective gets sum_j c_j x_j / sum_j x_j, x_j particles,
 *
 *     c_j = K0 m_j + K1 P^R_j + K2 P^S_j.
 *
 * m_j, mm2, is Yagi's density index: the sum of (L_j - L_i)^2 over the rays i of the beam within two sigmas (in air) of spot j,
 * L the water-equivalent depths of these rays at the geometrical depth of spot j's peak (R80). The study left the risk indices
 * open; these are robion's own: P = max exp(-(d / sigma)^2 / 2), d the distance to the structures, 0 inside,
 * from the peak without and with either range error (P^R), and from any point of the spot's axis before its peak without and with a
 * setup error along any axis (P^S). Part of step 5.
 */
#pragma once
#include "robion/beam.h"

/** What the optimiser pays beside the dose for risky spots (spot_control.h) and uneven fields (field_gradient.h); all weights 0: nothing. */
typedef struct SpotControlSpec {
  double heterogeneity;        /* K0, per mm2 */
  double oar_range, oar_setup; /* K1, K2 */
  double range_percent, setup_mm, sigma_mm;
  double gradient; /* G0, mm2 */
  double gradient_distance_mm;
  PetscInt n_structures; /* that K1 and K2 spare */
  char **structures, *where;
} SpotControlSpec;

/** Whether the study asks for any of it; in-field gradients (field_gradient.h) are another matter. */
PetscBool SpotControlIsOn(const SpotControlSpec *spec);

/**
 * cost[n_spot] of all spots, in the unit of the objective. `mask` marks the structures to spare on `grid` (voxels; may be NULL
 * if neither K1 nor K2 is above 0). Not collective; the same bits everywhere.
 */
PetscErrorCode SpotControlCosts(const SpotControlSpec *spec, const BeamSet *beams, const Machine *machine,
                                const Case *patient, const Grid *grid, const unsigned char *mask, double *cost);
