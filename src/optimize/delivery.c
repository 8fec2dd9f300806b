/* From optimised to deliverable particles: removal in rounds, then rounding. */
#include "robion/delivery.h"
#include "robion/log.h"
#include "robion/stop.h"
#include <math.h>

PetscBool DeliveryIsOn(const DeliverySpec *spec)
{
  return spec->min_particles > 0 || spec->step_particles > 0 ? PETSC_TRUE : PETSC_FALSE;
}

double DeliveryRound(const DeliverySpec *spec, double particles)
{
  const double step = spec->step_particles,
               least = step > 0 ? step * ceil(spec->min_particles / step) : spec->min_particles;
  if (particles < least) return particles < 0.5 * least ? 0 : least;
  return step > 0 ? PetscMax(least, step * round(particles / step)) : particles;
}

static PetscInt CountSpots(PetscInt n, const double *weight)
{
  PetscInt count = 0;
  for (PetscInt j = 0; j < n; j++) count += weight[j] > 0;
  return count;
}

/* Remove what is below a threshold; true if there was anything. */
static PetscBool Remove(PetscInt n, double threshold, double *weight, PetscBool *removed)
{
  PetscBool any = PETSC_FALSE;
  for (PetscInt j = 0; j < n; j++) {
    if (weight[j] >= threshold) continue;
    if (weight[j] > 0) any = PETSC_TRUE;
    weight[j] = 0;
    removed[j] = PETSC_TRUE;
  }
  return any;
}

/* Take over what a round has found, and what it took. */
static PetscErrorCode TakeRound(PetscInt n, Solution *round, Solution *solution)
{
  PetscFunctionBegin;
  PetscCall(PetscArraycpy(solution->weight, round->weight, n));
  PetscCall(PetscArraycpy(solution->constraint, round->constraint, round->n_constraint));
  solution->objective = round->objective;
  solution->constraint_part = round->constraint_part;
  solution->n_iteration += round->n_iteration;
  solution->n_evaluation += round->n_evaluation;
  solution->spent[SPENT_DELIVERY] += round->n_evaluation;
  PetscFunctionReturn(0);
}

static PetscErrorCode TrueObjective(Problem problem, Solution *solution)
{
  PetscFunctionBegin;
  PetscInt worst;
  PetscCall(ProblemEvaluate(problem, solution->weight, NULL, NULL));
  PetscCall(ProblemGetTrueObjective(problem, &solution->objective, &worst));
  solution->n_evaluation++;
  solution->spent[SPENT_DELIVERY]++;
  PetscFunctionReturn(0);
}

/* Minutes that a round may take; 0: there is no limit, below 0: none are left. */
static double MinutesLeft(const OptimizerSpec *optimizer, const Solution *solution)
{
  if (!(optimizer->max_minutes > 0)) return 0;
  const double left = optimizer->max_minutes - solution->seconds / 60;
  return left > 0 ? left : -1;
}

/* One round from the weights as they are; *over: a stop was requested, or no time is left. */
static PetscErrorCode Round(MPI_Comm comm, const SolveSpec *solve, const PetscBool *removed, Solution *solution,
                            PetscBool *over)
{
  PetscFunctionBegin;
  OptimizerSpec optimizer = *solve->optimizer;
  SolveSpec again = *solve;
  Solution round;
  double minutes = MinutesLeft(solve->optimizer, solution);
  PetscCallMPI(MPI_Bcast(&minutes, 1, MPI_DOUBLE, 0, comm));
  *over = minutes < 0 ? PETSC_TRUE : PETSC_FALSE;
  if (*over) PetscFunctionReturn(0);
  optimizer.max_minutes = minutes;
  optimizer.certificate_iterations = 0;
  again.optimizer = &optimizer;
  again.start = solution->weight;
  again.resume = NULL;
  again.checkpoint = NULL; /* who is stopped begins with the rounds anew, from the optimised plan */
  PetscCall(ProblemRemoveSpots(solve->problem, removed));
  PetscCall(ProblemSolve(comm, &again, &round));
  solution->seconds += round.seconds;
  solution->stopped = *over = round.stopped;
  if (!round.stopped) PetscCall(TakeRound(solve->terms->n_spot, &round, solution));
  PetscCall(SolutionDestroy(&round));
  PetscFunctionReturn(0);
}

PetscErrorCode DeliverySolve(MPI_Comm comm, const SolveSpec *solve, const DeliverySpec *spec, Solution *solution)
{
  PetscFunctionBegin;
  const PetscInt n = solve->terms->n_spot;
  const PetscInt rounds = spec->min_particles > 0 ? spec->rounds : 0;
  PetscBool *removed, over = PETSC_FALSE;
  Delivery *delivery = &solution->delivery;
  PetscCall(PetscCalloc1(n, &removed));
  *delivery =
      (Delivery){.done = PETSC_TRUE, .optimised = solution->objective, .n_before = CountSpots(n, solution->weight)};
  for (PetscInt r = 1; r <= rounds && !over; r++) {
    const double threshold = spec->min_particles * (double)r / (double)rounds;
    if (!Remove(n, threshold, solution->weight, removed)) continue;
    delivery->rounds++;
    PetscCall(Round(comm, solve, removed, solution, &over));
  }
  if (!solution->stopped) {
    for (PetscInt j = 0; j < n; j++) solution->weight[j] = DeliveryRound(spec, solution->weight[j]);
    PetscCall(TrueObjective(solve->problem, solution));
    delivery->n_after = CountSpots(n, solution->weight);
  }
  PetscCall(PetscFree(removed));
  PetscFunctionReturn(0);
}
