/*
 * Constraints on a small plan: a mean that is met, bounds on voxels and on a point of the histogram, in the nominal and in all
 * scenarios, their gradient, and the same bits from a checkpoint. sanitizer: slow ranks: 1 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "robion/solver.h"
#include "tiny_plan.h"

static const double GOAL = 2; /* Gy(RBE) */
static const OptimizerSpec usual = {.max_iterations = 3000,
                                    .relative_tolerance = 1e-4,
                                    .window = 10,
                                    .certificate_iterations = 5,
                                    .constraint_tolerance = 1e-3};

typedef struct Run {
  TinyPlan plan;
  RobustSpec robust;
  ProblemSpec spec;
  Problem problem;
  double *start;
} Run;

static void AddConstraint(Run *run, const Region *region, const char *type, double bound, RobustMode mode)
{
  Term *term = &run->plan.term[run->spec.n_term++];
  assert_int_equal(TinyTerm(&run->plan, region, type, QUANTITY_RBE_WEIGHTED, bound, 1, mode, term), 0);
  term->hard = PETSC_TRUE;
  term->bound = bound;
  term->parameters.volume = 0.3;
  assert_int_equal(ConstraintPrepare(term), 0);
}

/* The target uniform at `wanted` and little dose beside it, in any mode. */
static void Begin(Run *run, RobustMode mode, double wanted)
{
  assert_int_equal(TinyPlanCreate(&run->plan, 1, 0) || TinyPlanMakeSmall(&run->plan), 0);
  TinyPlan *p = &run->plan;
  run->robust = (RobustSpec){.mode = mode, .importance = 1, .worst_fraction = 0.3};
  assert_int_equal(TinyTerm(p, &p->target, "uniform", QUANTITY_RBE_WEIGHTED, wanted, 1, mode, &p->term[0]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "overdose", QUANTITY_RBE_WEIGHTED, 0, 1, mode, &p->term[1]), 0);
  run->spec = TinyProblem(p, &run->robust, INFLUENCE_ASSEMBLED, 2, p->term);
  assert_int_equal(PetscMalloc1(run->spec.n_spot, &run->start), 0);
  for (PetscInt j = 0; j < run->spec.n_spot; j++) run->start[j] = 1e5;
}

static void End(Run *run)
{
  assert_int_equal(ProblemDestroy(&run->problem), 0);
  assert_int_equal(PetscFree(run->start), 0);
  assert_int_equal(TinyPlanDestroy(&run->plan), 0);
}

static void SolveIt(Run *run, const OptimizerSpec *optimizer, const SolveState *resume, SolveCheckpoint checkpoint,
                    void *context, Solution *solution)
{
  const SolveSpec spec = {.problem = run->problem,
                          .terms = &run->spec,
                          .optimizer = optimizer,
                          .start = run->start,
                          .resume = resume,
                          .checkpoint = checkpoint,
                          .context = context};
  assert_int_equal(ProblemSolve(PETSC_COMM_WORLD, &spec, solution), 0);
}

static void Print(const char *what, const Solution *solution)
{
  printf("# %s: F %.6g of which constraints %.3g, %d rounds, %d iterations, %d evaluations: %s\n", what,
         solution->objective, solution->constraint_part, (int)solution->n_round, (int)solution->n_iteration,
         (int)solution->n_evaluation, solution->reason);
  for (PetscInt h = 0; h < solution->n_constraint; h++) {
    const ConstraintState *c = &solution->constraint[h];
    printf("#   bound %.4f, worst %.5f, missed by %.2e, volume beyond %.2e, penalty %g\n", c->bound, c->worst,
           c->violation, c->missed, c->penalty);
  }
}

/* Nominal constraints beside objectives of every mode that pull the other way; on several ranks two modes will do. */
static void NominalInEveryMode(void **state)
{
  (void)state;
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (int mode = ROBUST_NONE; mode <= ROBUST_PROBABILISTIC; mode++) {
    if (size > 1 && mode != ROBUST_NONE && mode != ROBUST_COMPOSITE) continue;
    Run run;
    Solution solution;
    Begin(&run, (RobustMode)mode, 0.9 * GOAL);
    AddConstraint(&run, &run.plan.target, "mean-deviation", GOAL, ROBUST_NONE);
    AddConstraint(&run, &run.plan.target, "underdose", 0.95 * GOAL, ROBUST_NONE);
    AddConstraint(&run, &run.plan.target, "overdose", 1.1 * GOAL, ROBUST_NONE);
    assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
    SolveIt(&run, &usual, NULL, NULL, NULL, &solution);
    Print(robust_mode_names[mode], &solution);
    assert_int_equal(solution.n_constraint, 3);
    for (PetscInt h = 0; h < 3; h++) assert_true(solution.constraint[h].violation <= usual.constraint_tolerance);
    assert_true(fabs(solution.constraint[0].worst / GOAL - 1) <= 1e-3);
    assert_false(solution.certificate.rigorous);
    assert_int_equal(SolutionDestroy(&solution), 0);
    End(&run);
  }
}

/* Bounds on the worst of all scenarios, with objectives on effect beside them; and a point of the histogram that must come down. */
static void WorstOfAllScenarios(void **state)
{
  (void)state;
  for (int on_effect = 0; on_effect < 2; on_effect++) {
    Run run;
    Solution solution;
    Begin(&run, ROBUST_VOXELWISE, GOAL);
    run.robust.on_effect = on_effect ? PETSC_TRUE : PETSC_FALSE;
    AddConstraint(&run, &run.plan.target, "underdose", 0.8 * GOAL, ROBUST_VOXELWISE);
    AddConstraint(&run, &run.plan.target, "overdose", 1.25 * GOAL, ROBUST_VOXELWISE);
    AddConstraint(&run, &run.plan.oar, "max-dvh", 0.04, ROBUST_VOXELWISE);
    assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
    SolveIt(&run, &usual, NULL, NULL, NULL, &solution);
    Print(on_effect ? "all scenarios, on effect" : "all scenarios", &solution);
    for (PetscInt h = 0; h < 3; h++) assert_true(solution.constraint[h].violation <= usual.constraint_tolerance);
    assert_int_equal(SolutionDestroy(&solution), 0);
    End(&run);
  }
}

/* Nobody can give the target twice its dose and none: the solver ends, and says so. */
static void ContradictionIsTold(void **state)
{
  (void)state;
  Run run;
  Solution solution;
  Begin(&run, ROBUST_NONE, GOAL);
  AddConstraint(&run, &run.plan.target, "underdose", GOAL, ROBUST_NONE);
  AddConstraint(&run, &run.plan.target, "overdose", 0.8 * GOAL, ROBUST_NONE);
  assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
  SolveIt(&run, &usual, NULL, NULL, NULL, &solution);
  Print("contradiction", &solution);
  assert_true(solution.constraint[0].violation > 0.05 || solution.constraint[1].violation > 0.05);
  assert_int_equal(SolutionDestroy(&solution), 0);
  End(&run);
}

typedef struct Keep {
  PetscInt wanted, seen;
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

/* The multipliers are part of the state. */
static void SameBitsFromACheckpoint(void **state)
{
  (void)state;
  const RobustMode mode[] = {ROBUST_NONE, ROBUST_COMPOSITE};
  for (int m = 0; m < 2; m++) {
    Run run;
    Keep keep = {.wanted = 2};
    Solution whole, resumed;
    Begin(&run, mode[m], 0.9 * GOAL);
    AddConstraint(&run, &run.plan.target, "mean-deviation", GOAL, ROBUST_NONE);
    AddConstraint(&run, &run.plan.target, "underdose", 0.98 * GOAL, ROBUST_NONE);
    assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
    SolveIt(&run, &usual, NULL, KeepState, &keep, &whole);
    int rank;
    MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
    assert_true(rank > 0 || keep.seen > 3);
    SolveIt(&run, &usual, keep.state.n_field ? &keep.state : NULL, NULL, NULL, &resumed);
    assert_memory_equal(whole.weight, resumed.weight, (size_t)run.spec.n_spot * sizeof(double));
    assert_memory_equal(whole.constraint, resumed.constraint, 2 * sizeof(ConstraintState));
    assert_int_equal(whole.n_evaluation, resumed.n_evaluation);
    assert_int_equal(SolveStateDestroy(&keep.state), 0);
    assert_int_equal(SolutionDestroy(&whole), 0);
    assert_int_equal(SolutionDestroy(&resumed), 0);
    End(&run);
  }
}

/* Gradient of the augmented Lagrangian at moved goals against central differences. */
static void GradientOfMovedBounds(void **state)
{
  (void)state;
  Run run;
  Begin(&run, ROBUST_VOXELWISE, GOAL);
  AddConstraint(&run, &run.plan.target, "mean-deviation", GOAL, ROBUST_NONE);
  AddConstraint(&run, &run.plan.target, "underdose", 0.95 * GOAL, ROBUST_VOXELWISE);
  AddConstraint(&run, &run.plan.target, "overdose", 1.1 * GOAL, ROBUST_NONE);
  AddConstraint(&run, &run.plan.oar, "max-dvh", 0.5, ROBUST_NONE);
  assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &run.spec, &run.problem), 0);
  const PetscInt n = run.spec.n_spot;
  const double penalty[] = {3, 5, 7, 11};
  PetscInt n_hard, n_shift;
  double *shift, *x, *g, f[2], slope = 0;
  assert_int_equal(ProblemGetConstraints(run.problem, &n_hard, &n_shift), 0);
  assert_int_equal(n_hard, 4);
  assert_int_equal(PetscMalloc3(n_shift, &shift, n, &x, n, &g), 0);
  for (PetscInt i = 0; i < n_shift; i++) shift[i] = 0.1 + 0.01 * (double)(i % 7);
  for (PetscInt j = 0; j < n; j++) x[j] = 1e5 * (1 + 0.3 * sin((double)j));
  assert_int_equal(ProblemSetConstraints(run.problem, penalty, shift), 0);
  assert_int_equal(ProblemEvaluate(run.problem, x, &f[0], g), 0);
  for (PetscInt j = 0; j < n; j++) slope += g[j] * cos((double)j);
  for (int side = 0; side < 2; side++) {
    for (PetscInt j = 0; j < n; j++) x[j] = 1e5 * (1 + 0.3 * sin((double)j)) + (side ? 1 : -1) * cos((double)j);
    assert_int_equal(ProblemEvaluate(run.problem, x, &f[side], NULL), 0);
  }
  const double error = fabs(0.5 * (f[1] - f[0]) / slope - 1);
  printf("# gradient of moved bounds: relative error %.1e\n", error);
  assert_true(error < 1e-6);
  assert_int_equal(PetscFree3(shift, x, g), 0);
  End(&run);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(NominalInEveryMode), cmocka_unit_test(WorstOfAllScenarios),
                                     cmocka_unit_test(ContradictionIsTold), cmocka_unit_test(SameBitsFromACheckpoint),
                                     cmocka_unit_test(GradientOfMovedBounds)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
