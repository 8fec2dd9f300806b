/**
 * Plans that a machine can deliver: every spot gets no particles, or at least a minimum and a whole number of steps. Between
 * steps 10 and 11 of the data's way.
 *
 * In round r of n, spots below r / n of the minimum are removed for good and the others optimised anew from where they are. What
 * is still below the minimum then goes to it or to nothing, whichever is nearer, and all spots to the nearest step. Doses and
 * metrics of a plan are those of what is left.
 */
#pragma once
#include "robion/solver.h"

/** What a machine can deliver (delivery.h); minimum and step 0: any number of particles. */
typedef struct DeliverySpec {
  double min_particles, step_particles; /* per spot and fraction */
  PetscInt rounds;                      /* in which spots below the minimum are removed; default 3 */
} DeliverySpec;

/** Whether the study asks for it. */
PetscBool DeliveryIsOn(const DeliverySpec *spec);

/** What a spot gets that should have so many particles: 0, or a multiple of the step that is at least the minimum. */
double DeliveryRound(const DeliverySpec *spec, double particles);

/**
 * Make the weights of a solution deliverable, in place. `solve` is what the solution came from; its problem is left without the
 * removed spots. Multipliers and certificate stay those of the optimised plan, constraints become those of the last round. When a
 * stop is requested the solution is `stopped`, and its state still that of the optimisation. Every rank returns the same.
 * Collective.
 */
PetscErrorCode DeliverySolve(MPI_Comm comm, const SolveSpec *solve, const DeliverySpec *spec, Solution *solution);
