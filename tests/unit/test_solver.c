/*
 * The solver on a small plan: a bound that holds for what other solvers find, and the same bits when a run goes on from a
 * checkpoint, and on any number of ranks. ranks: 1 2
 * sanitizer: slow; timeout: 240
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"
#include "robion/slices.h"
#include "robion/solver.h"
#include "tiny_plan.h"

typedef struct Keep {
  PetscInt wanted, seen; /* which checkpoint to keep */
  SolveState state;
} Keep;

static PetscErrorCode KeepState(const SolveState *state, void *context)
{
  PetscFunctionBegin;
  Keep *keep = context;
  if (keep->seen++ != keep->wanted) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < state->n_field; i++)
    PetscCall(SolveStateAdd(&keep->state, state->field[i].name, state->field[i].n, state->field[i].value));
  PetscFunctionReturn(0);
}

static const OptimizerSpec usual = {.max_iterations = 90,
                                    .relative_tolerance = 0,
                                    .window = 10,
                                    .relative_gap = 0,
                                    .certificate_iterations = 20,
                                    .checkpoint_minutes = 0};

typedef struct Run {
  TinyPlan plan;
  RobustSpec robust;
  ProblemSpec spec;
  Problem problem;
  double *start;
} Run;

static void Begin(Run *run, RobustMode mode, Quantity quantity, PetscBool small)
{
  const RobustMode m = mode;
  assert_int_equal(TinyPlanCreate(&run->plan, 1, 0), 0);
  assert_int_equal(small ? TinyPlanMakeSmall(&run->plan) : TinyPlanKeepRegions(&run->plan), 0);
  TinyPlan *p = &run->plan;
  run->robust = (RobustSpec){.mode = mode};
  const double goal = quantity == QUANTITY_PHYSICAL ? 1 : 2;
  assert_int_equal(TinyTerm(p, &p->target, "uniform", quantity, goal, 100, m, &p->term[0]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "overdose", quantity, 0, 20, m, &p->term[1]), 0);
  run->spec = TinyProblem(p, &run->robust, INFLUENCE_ASSEMBLED, 2, p->term);
  assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run->spec, &run->problem), 0);
  assert_int_equal(PetscMalloc1(run->spec.n_spot, &run->start), 0);
  for (PetscInt j = 0; j < run->spec.n_spot; j++) run->start[j] = 1e5;
}

static void End(Run *run)
{
  assert_int_equal(ProblemDestroy(&run->problem), 0);
  assert_int_equal(PetscFree(run->start), 0);
  assert_int_equal(TinyPlanDestroy(&run->plan), 0);
}

static void SolveOn(MPI_Comm comm, Run *run, const OptimizerSpec *optimizer, const SolveState *resume, Keep *keep,
                    Solution *solution)
{
  const SolveSpec spec = {.problem = run->problem,
                          .terms = &run->spec,
                          .optimizer = optimizer,
                          .start = run->start,
                          .resume = resume,
                          .checkpoint = keep ? KeepState : NULL,
                          .context = keep};
  assert_int_equal(ProblemSolve(comm, &spec, solution), 0);
}

static void SolveIt(Run *run, const OptimizerSpec *optimizer, const SolveState *resume, Keep *keep, Solution *solution)
{
  SolveOn(PETSC_COMM_WORLD, run, optimizer, resume, keep, solution);
}

/* The least objective that a solver of TAO's finds in more iterations. */
static double BestOfAnother(Run *run)
{
  Solution solution;
  OptimizerSpec longer = usual;
  longer.max_iterations = 600;
  longer.certificate_iterations = 0;
  assert_int_equal(PetscOptionsSetValue(NULL, "-tao_type", "blmvm"), 0);
  SolveIt(run, &longer, NULL, NULL, &solution);
  assert_int_equal(PetscOptionsClearValue(NULL, "-tao_type"), 0);
  const double best = solution.objective;
  printf("# blmvm: F %.8g, %d evaluations\n", best, (int)solution.n_evaluation);
  assert_int_equal(SolutionDestroy(&solution), 0);
  return best;
}

/* A worst case of physical dose: the bound is a proof within 0.1 %, and holds for the plan that another solver finds. */
static void BoundOfPhysicalDose(void **state)
{
  (void)state;
  Run run;
  Solution solution;
  OptimizerSpec optimizer = usual;
  optimizer.max_iterations = 400;
  optimizer.certificate_iterations = 300;
  optimizer.relative_gap = 1e-3;
  Begin(&run, ROBUST_COMPOSITE, QUANTITY_PHYSICAL, PETSC_TRUE);
  assert_int_equal(ProblemDestroy(&run.problem), 0);
  run.plan.term[1].weight = 400; /* target and organ compete: their common optimum is far from 0 */
  assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
  SolveIt(&run, &optimizer, NULL, NULL, &solution);
  const Certificate *c = &solution.certificate;
  printf("# composite: F %.8g, lower bound %.8g, least sum %.8g, gap %.2e, %d evaluations: %s\n", c->objective,
         c->lower_bound, c->least_sum, c->gap, (int)solution.n_evaluation, solution.reason);
  assert_true(c->rigorous);
  assert_true(c->gap <= 1e-3 && c->lower_bound <= c->objective);
  assert_true(c->least_sum <= c->weighted_sum && c->weighted_sum <= c->objective * (1 + 1e-12));
  assert_true(c->lower_bound <= c->least_sum);
  assert_true(c->lower_bound <= BestOfAnother(&run));
  assert_int_equal(SolutionDestroy(&solution), 0);
  End(&run);
}

/* The objective of a solution's weights by the problem itself, which the solve must have told. */
static void ToldTheTruth(Run *run, const Solution *solution)
{
  OptimizerSpec none = usual;
  Solution again;
  none.max_iterations = none.certificate_iterations = 0;
  assert_int_equal(PetscArraycpy(run->start, solution->weight, run->spec.n_spot), 0);
  SolveIt(run, &none, NULL, NULL, &again);
  const double truth = again.n_history ? again.history[0].objective : 0;
  assert_double_near(solution->objective, truth, 1e-9 * truth);
  assert_true(again.certificate.known && !again.certificate.bounded); /* no gap where none was looked for */
  assert_int_equal(SolutionDestroy(&again), 0);
}

/* A run that goes on from a checkpoint of another ends as that one did, bit for bit. */
static void SameBitsFromACheckpoint(void **state)
{
  const RobustMode mode = *state ? ROBUST_COMPOSITE : ROBUST_NONE;
  for (PetscInt k = 0; k < 4; k += 3) {
    Run run;
    Keep keep = {.wanted = k};
    Solution whole, resumed;
    Begin(&run, mode, QUANTITY_RBE_WEIGHTED, PETSC_TRUE);
    const size_t bytes = (size_t)run.spec.n_spot * sizeof(double);
    SolveIt(&run, &usual, NULL, &keep, &whole);
    SolveIt(&run, &usual, keep.state.n_field ? &keep.state : NULL, NULL, &resumed);
    assert_memory_equal(whole.weight, resumed.weight, bytes);
    assert_true(whole.objective == resumed.objective && whole.certificate.gap == resumed.certificate.gap);
    assert_int_equal(whole.n_evaluation, resumed.n_evaluation);
    assert_int_equal(whole.n_iteration, resumed.n_iteration);
    assert_int_equal(whole.n_history, resumed.n_history);
    assert_false(whole.certificate.rigorous);
    if (!k) ToldTheTruth(&run, &whole);
    assert_int_equal(SolveStateDestroy(&keep.state), 0);
    assert_int_equal(SolutionDestroy(&whole), 0);
    assert_int_equal(SolutionDestroy(&resumed), 0);
    End(&run);
  }
}

/* A plan without a worst case: its own fall tells how far it is, without a minimisation; more iterations find nothing below, and it stops when asked. */
static void GapExpectedFromTheFall(void **state)
{
  (void)state;
  Run run;
  Solution plan, longer, enough;
  OptimizerSpec optimizer = usual;
  Begin(&run, ROBUST_NONE, QUANTITY_RBE_WEIGHTED, PETSC_TRUE);
  optimizer.max_iterations = 48;
  SolveIt(&run, &optimizer, NULL, NULL, &plan);
  assert_true(plan.certificate.bounded && plan.certificate.expected && !plan.certificate.rigorous);
  assert_true(plan.spent[SPENT_CERTIFICATE] <= 1);
  optimizer.max_iterations = 60;
  SolveIt(&run, &optimizer, NULL, NULL, &longer);
  printf("# F %.8g, expected to come to %.8g; %.8g after a quarter more\n", plan.objective,
         plan.certificate.lower_bound, longer.objective);
  assert_true(longer.objective < plan.objective && longer.objective >= plan.certificate.lower_bound);
  optimizer.max_iterations = 1000;
  optimizer.relative_gap = 0.5 * plan.certificate.gap;
  SolveIt(&run, &optimizer, NULL, NULL, &enough);
  printf("# %d iterations, gap %.2e of %.2e: %s\n", (int)enough.n_iteration, enough.certificate.gap,
         optimizer.relative_gap, enough.reason);
  assert_true(enough.n_iteration > 48 && enough.n_iteration < 1000);
  assert_true(enough.certificate.gap <= optimizer.relative_gap && enough.objective < plan.objective);
  optimizer.max_iterations = 30; /* too few to tell: a minimisation of its own */
  assert_int_equal(SolutionDestroy(&plan), 0);
  SolveIt(&run, &optimizer, NULL, NULL, &plan);
  assert_true(plan.certificate.bounded && !plan.certificate.expected && plan.spent[SPENT_CERTIFICATE] > 1);
  assert_int_equal(SolutionDestroy(&plan) || SolutionDestroy(&longer) || SolutionDestroy(&enough), 0);
  End(&run);
}

/*
 * All ranks together solve as one alone, from the start and from the checkpoint that this one wrote; with a proof of physical dose, whose
 * cuts are dealt, too. The start has spots that differ, enough of them for several slices.
 */
static void SameBitsOnAnyNumberOfRanks(void **state)
{
  const char *type = *state;
  Run run;
  Keep keep = {.wanted = 1};
  Solution alone, together, resumed;
  Begin(&run, ROBUST_COMPOSITE, QUANTITY_PHYSICAL, PETSC_TRUE);
  assert_true(run.spec.n_spot > 2 * SLICE_BLOCK);
  for (PetscInt j = 0; j < run.spec.n_spot; j++) run.start[j] *= 1 + 0.1 * sin((double)j);
  const size_t bytes = (size_t)run.spec.n_spot * sizeof(double);
  OptimizerSpec optimizer = usual;
  optimizer.certificate_iterations = 60;
  if (type) assert_int_equal(PetscOptionsSetValue(NULL, "-tao_type", type), 0);
  SolveIt(&run, &optimizer, NULL, NULL, &together);
  Problem shared = run.problem;
  assert_int_equal(ProblemCreate(PETSC_COMM_SELF, &run.spec, &run.problem), 0);
  SolveOn(PETSC_COMM_SELF, &run, &optimizer, NULL, &keep, &alone);
  assert_int_equal(ProblemDestroy(&run.problem), 0);
  run.problem = shared;
  SolveIt(&run, &optimizer, &keep.state, NULL, &resumed);
  if (type) assert_int_equal(PetscOptionsClearValue(NULL, "-tao_type"), 0);
  const Solution *others[] = {&together, &resumed};
  for (int i = 0; i < (type ? 1 : 2); i++) {
    assert_memory_equal(alone.weight, others[i]->weight, bytes);
    assert_true(alone.objective == others[i]->objective);
    assert_true(alone.certificate.lower_bound == others[i]->certificate.lower_bound);
    assert_true(alone.certificate.stationarity == others[i]->certificate.stationarity);
    assert_int_equal(alone.n_evaluation, others[i]->n_evaluation);
    assert_int_equal(alone.n_history, others[i]->n_history);
    assert_string_equal(alone.reason, others[i]->reason);
  }
  assert_true(alone.certificate.rigorous && alone.n_iteration > 40);
  assert_int_equal(SolveStateDestroy(&keep.state), 0);
  assert_int_equal(SolutionDestroy(&alone) || SolutionDestroy(&together) || SolutionDestroy(&resumed), 0);
  End(&run);
}

int main(int argc, char **argv)
{
  int worst_case = 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(BoundOfPhysicalDose),
                                     cmocka_unit_test(GapExpectedFromTheFall),
                                     cmocka_unit_test(SameBitsFromACheckpoint),
                                     cmocka_unit_test_prestate(SameBitsFromACheckpoint, &worst_case),
                                     cmocka_unit_test(SameBitsOnAnyNumberOfRanks),
                                     cmocka_unit_test_prestate(SameBitsOnAnyNumberOfRanks, (char *)"blmvm")};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
