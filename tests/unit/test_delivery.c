/*
 * Deliverable plans: rounding by hand; a small plan made so that every spot has nothing, or the minimum and a whole number of
 * steps, at little cost to its objective, with the same bits on any number of ranks.
 * ranks: 1 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include "robion/delivery.h"

static void RoundingByHand(void **state)
{
  const DeliverySpec spec = {.min_particles = 250, .step_particles = 100}, steps = {.step_particles = 100},
                     least = {.min_particles = 250};
  const double particles[] = {0, 149, 151, 249, 251, 349, 351, 1449, 1e9 + 30};
  const double both[] = {0, 0, 300, 300, 300, 300, 400, 1400, 1e9};
  const double step[] = {0, 100, 200, 200, 300, 300, 400, 1400, 1e9};
  const double minimum[] = {0, 250, 250, 250, 251, 349, 351, 1449, 1e9 + 30};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(particles); i++) {
    assert_true(DeliveryRound(&spec, particles[i]) == both[i]);
    assert_true(DeliveryRound(&steps, particles[i]) == step[i]);
    assert_true(DeliveryRound(&least, particles[i]) == minimum[i]);
  }
  assert_true(DeliveryIsOn(&spec) && DeliveryIsOn(&steps) && DeliveryIsOn(&least) && !DeliveryIsOn(&(DeliverySpec){0}));
}

/* The plan of a target and an organ at risk, optimised and delivered on the ranks of comm. */
static void Make(MPI_Comm comm, const TinyPlan *p, const DeliverySpec *spec, Solution *solution)
{
  const RobustSpec robust = {.mode = ROBUST_NONE};
  const OptimizerSpec optimizer = {.max_iterations = 60,
                                   .relative_tolerance = 1e-4,
                                   .window = 10,
                                   .relative_gap = 1e-3,
                                   .constraint_tolerance = 1e-3};
  Term term[2];
  Problem problem;
  double *start;
  assert_int_equal(TinyTerm(p, &p->target, "uniform", QUANTITY_RBE_WEIGHTED, 2, 100, ROBUST_NONE, &term[0]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "overdose", QUANTITY_RBE_WEIGHTED, 1, 10, ROBUST_NONE, &term[1]), 0);
  const ProblemSpec terms = TinyProblem(p, &robust, INFLUENCE_ASSEMBLED, 2, term);
  assert_int_equal(ProblemCreate(comm, &terms, &problem), 0);
  assert_int_equal(PetscMalloc1(terms.n_spot, &start), 0);
  for (PetscInt j = 0; j < terms.n_spot; j++) start[j] = 2e5;
  const SolveSpec solve = {.problem = problem, .terms = &terms, .optimizer = &optimizer, .start = start};
  assert_int_equal(ProblemSolve(comm, &solve, solution), 0);
  if (spec) assert_int_equal(DeliverySolve(comm, &solve, spec, solution), 0);
  assert_int_equal(PetscFree(start) || ProblemDestroy(&problem) || TermDestroy(&term[0]) || TermDestroy(&term[1]), 0);
}

static void EverySpotCanBeDelivered(void **state)
{
  TinyPlan p;
  Solution free_plan, plan, rounded;
  assert_int_equal(TinyPlanCreate(&p, 1, 1000) || TinyPlanMakeSmall(&p), 0);
  const PetscInt n = p.beams->n_spot;
  Make(PETSC_COMM_SELF, &p, NULL, &free_plan);
  double mean = 0;
  PetscInt small = 0;
  for (PetscInt j = 0; j < n; j++) mean += free_plan.weight[j] / n;
  const DeliverySpec spec = {.min_particles = 10 * round(mean / 10), .step_particles = 7, .rounds = 3};
  DeliverySpec at_once = spec;
  at_once.rounds = 0;
  for (PetscInt j = 0; j < n; j++) small += free_plan.weight[j] > 0 && free_plan.weight[j] < spec.min_particles;
  assert_true(small > n / 20);
  Make(PETSC_COMM_WORLD, &p, &spec, &plan);
  Make(PETSC_COMM_SELF, &p, &at_once, &rounded);
  PetscInt with = 0;
  for (PetscInt j = 0; j < n; j++) {
    with += plan.weight[j] > 0;
    assert_true(plan.weight[j] == 0 || plan.weight[j] >= spec.min_particles);
    assert_true(fmod(plan.weight[j], spec.step_particles) == 0);
  }
  printf("# %d of %d spots below %g particles; F %.6g, delivered %.6g, rounded at once %.6g\n", (int)small, (int)n,
         spec.min_particles, free_plan.objective, plan.objective, rounded.objective);
  assert_true(plan.delivery.done && plan.delivery.rounds > 0 && plan.delivery.n_after == with);
  assert_true(plan.delivery.optimised == free_plan.objective && plan.certificate.objective == free_plan.objective);
  assert_true(plan.objective < rounded.objective);
  PetscInt spent = 0;
  for (int k = 0; k < N_SPENT; k++) spent += plan.spent[k];
  assert_true(plan.spent[SPENT_DELIVERY] > 1 && spent == plan.n_evaluation);
  Solution alone;
  Make(PETSC_COMM_SELF, &p, &spec, &alone);
  assert_memory_equal(alone.weight, plan.weight, (size_t)n * sizeof *plan.weight);
  assert_memory_equal(&alone.objective, &plan.objective, sizeof plan.objective);
  assert_int_equal(SolutionDestroy(&free_plan) || SolutionDestroy(&plan) || SolutionDestroy(&rounded) ||
                       SolutionDestroy(&alone) || TinyPlanDestroy(&p),
                   0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RoundingByHand), cmocka_unit_test(EverySpotCanBeDelivered)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
