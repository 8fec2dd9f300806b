/*
 * Finite-difference gradients of every objective type in every robust mode and quantity, and the same bits on any number of
 * ranks. ranks: 1 2 3 4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include <string.h>

static const char *const types[] = {"uniform", "overdose", "underdose", "mean"};

typedef struct Setting {
  RobustSpec robust;
  Quantity quantity;
  const char *type;
  InfluenceType influence;
} Setting;

/* Goals that put some voxels on either side, so that no hinge is idle. */
static double GoalOf(Quantity quantity, const char *type)
{
  double dose = !strcmp(type, "mean") ? 0.5 : 1.6;
  return quantity == QUANTITY_PHYSICAL ? dose / 2.5
         : quantity == QUANTITY_EFFECT ? 0.1 * dose + 0.05 * dose * dose
                                       : dose;
}

static void MakeProblem(TinyPlan *p, const Setting *setting, Problem *problem)
{
  static RobustSpec robust;
  robust = setting->robust;
  double goal = GoalOf(setting->quantity, setting->type);
  assert_int_equal(TinyTerm(p, &p->target, setting->type, setting->quantity, goal, 3, robust.mode, &p->term[0]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "overdose", setting->quantity, 0.3 * goal, 2, robust.mode, &p->term[1]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "mean", QUANTITY_PHYSICAL, 0, 0.5, ROBUST_NONE, &p->term[2]), 0);
  const ProblemSpec spec = {.model = p->model,
                            .tissues = &p->tissues,
                            .set = p->set,
                            .grid = &p->grid,
                            .n_voxel = p->n_voxel,
                            .voxel = p->voxel,
                            .n_spot = p->beams->n_spot,
                            .n_term = 3,
                            .term = p->term,
                            .robust = &robust,
                            .type = setting->influence};
  assert_int_equal(ProblemCreate(PETSC_COMM_WORLD, &spec, problem), 0);
}

/* Weights around which the target's mean is near the goals. */
static void MakePoint(const TinyPlan *p, double *x, double *direction)
{
  uint64_t seed = 5;
  for (PetscInt j = 0; j < p->beams->n_spot; j++) {
    x[j] = 3.6e5 * (0.4 + TinyRandom(&seed));
    direction[j] = 3.6e5 * (TinyRandom(&seed) - 0.5);
  }
}

/* Scale the point until the target's mean meets the goal, so that voxels lie on both sides of every hinge. */
static void ScaleToGoal(Problem problem, const Setting *setting, PetscInt n, double *x, double *direction)
{
  double mean, goal = GoalOf(setting->quantity, strcmp(setting->type, "mean") ? setting->type : "uniform");
  for (int step = 0; step < 5; step++) {
    assert_int_equal(ProblemTermMean(problem, 0, x, &mean), 0);
    for (PetscInt j = 0; j < n; j++) x[j] *= goal / mean, direction[j] *= goal / mean;
  }
}

/* Richardson-extrapolated central difference along a direction against the gradient; relative error. */
static double GradientError(Problem problem, PetscInt n, const double *x, const double *direction, double *gradient,
                            double *work)
{
  double f[4], slope = 0;
  const double step[4] = {1e-4, -1e-4, 2e-4, -2e-4}; /* hinges crossed within a step spoil the difference */
  assert_int_equal(ProblemEvaluate(problem, x, NULL, gradient), 0);
  for (int k = 0; k < 4; k++) {
    for (PetscInt j = 0; j < n; j++) work[j] = x[j] + step[k] * direction[j];
    assert_int_equal(ProblemEvaluate(problem, work, &f[k], NULL), 0);
  }
  for (PetscInt j = 0; j < n; j++) slope += gradient[j] * direction[j];
  double near = (f[0] - f[1]) / 2e-4, far = (f[2] - f[3]) / 4e-4, difference = (4 * near - far) / 3;
  assert_true(fabs(slope) > 0);
  return fabs(difference - slope) / fabs(slope);
}

static void CheckSetting(TinyPlan *p, const Setting *setting, const char *label, double tolerance)
{
  PetscMPIInt rank;
  Problem problem;
  double *x, *direction, *gradient, *work;
  const PetscInt n = p->beams->n_spot;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MakeProblem(p, setting, &problem);
  assert_int_equal(PetscMalloc4(n, &x, n, &direction, n, &gradient, n, &work), 0);
  MakePoint(p, x, direction);
  ScaleToGoal(problem, setting, n, x, direction);
  if (rank == 0) {
    const double mu[] = {0.05, 0.05, 0.05};
    double multiplier[96];
    for (PetscInt i = 0; i < 3 * p->set->n; i++) multiplier[i] = 1.0 / (double)p->set->n;
    assert_int_equal(ProblemSetSmoothMax(problem, mu, multiplier), 0);
    double error = GradientError(problem, n, x, direction, gradient, work);
    printf("# %-28s %-10s relative error %.1e\n", label, setting->type, error);
    assert_int_equal(ProblemRelease(problem), 0);
    assert_true(error < tolerance);
  } else
    assert_int_equal(ProblemServe(problem), 0);
  assert_int_equal(ProblemDestroy(&problem), 0);
  for (int t = 0; t < 3; t++) assert_int_equal(TermDestroy(&p->term[t]), 0);
  assert_int_equal(PetscFree4(x, direction, gradient, work), 0);
  for (int t = 0; t < 3; t++) p->term[t].type = NULL;
}

static void EveryObjectiveInEveryMode(void **state)
{
  (void)state;
  TinyPlan p;
  static const struct {
    const char *label;
    RobustSpec robust;
    Quantity quantity;
  } mode[] = {
      {"none, RBE-weighted", {.mode = ROBUST_NONE}, QUANTITY_RBE_WEIGHTED},
      {"none, physical", {.mode = ROBUST_NONE}, QUANTITY_PHYSICAL},
      {"none, effect", {.mode = ROBUST_NONE}, QUANTITY_EFFECT},
      {"expected, RBE-weighted", {.mode = ROBUST_EXPECTED}, QUANTITY_RBE_WEIGHTED},
      {"expected, physical", {.mode = ROBUST_EXPECTED}, QUANTITY_PHYSICAL},
      {"composite, RBE-weighted", {.mode = ROBUST_COMPOSITE}, QUANTITY_RBE_WEIGHTED},
      {"composite, physical", {.mode = ROBUST_COMPOSITE}, QUANTITY_PHYSICAL},
      {"voxelwise, RBE-weighted", {.mode = ROBUST_VOXELWISE}, QUANTITY_RBE_WEIGHTED},
      {"voxelwise, physical", {.mode = ROBUST_VOXELWISE}, QUANTITY_PHYSICAL},
      {"voxelwise, effect", {.mode = ROBUST_VOXELWISE, .on_effect = PETSC_TRUE, .importance = 2}, QUANTITY_EFFECT}};
  assert_int_equal(TinyPlanCreate(&p, 2, 1000), 0);
  for (size_t m = 0; m < PETSC_STATIC_ARRAY_LENGTH(mode); m++)
    for (size_t t = 0; t < PETSC_STATIC_ARRAY_LENGTH(types); t++) {
      Setting setting = {.robust = mode[m].robust, .quantity = mode[m].quantity, .type = types[t]};
      CheckSetting(&p, &setting, mode[m].label, 1e-6);
    }
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* The same without a matrix, on tissues of two kinds. */
static void FactoredGradients(void **state)
{
  (void)state;
  TinyPlan p;
  static const RobustMode modes[] = {ROBUST_EXPECTED, ROBUST_COMPOSITE, ROBUST_VOXELWISE};
  static const char *const labels[] = {"factored, expected", "factored, composite", "factored, voxelwise"};
  assert_int_equal(TinyPlanCreate(&p, 2, 1000), 0);
  for (size_t m = 0; m < PETSC_STATIC_ARRAY_LENGTH(modes); m++)
    for (size_t t = 0; t < PETSC_STATIC_ARRAY_LENGTH(types); t += 3) {
      Setting setting = {
          .robust = {.mode = modes[m]}, .quantity = QUANTITY_RBE_WEIGHTED, .type = types[t], INFLUENCE_FACTORED};
      CheckSetting(&p, &setting, labels[m], 1e-6);
    }
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* LEM I's full approach, whose effect depends on all four channels. */
static void FullApproach(void **state)
{
  (void)state;
  TinyPlan p;
  const RobustSpec robust = {.mode = ROBUST_COMPOSITE};
  assert_int_equal(TinyPlanCreate(&p, 2, 1000), 0);
  for (int t = 0; t < 2; t++) p.biology[t].spec.approach = LEM_FULL;
  for (size_t t = 0; t < PETSC_STATIC_ARRAY_LENGTH(types); t++) {
    Setting setting = {.robust = robust, .quantity = QUANTITY_RBE_WEIGHTED, .type = types[t]};
    CheckSetting(&p, &setting, "composite, full approach", 1e-6);
  }
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* The hash of objective and gradient bits must be that of one rank, whatever the number of ranks. */
static void SameBitsOnAnyNumberOfRanks(void **state)
{
  TinyPlan p;
  Problem whole, shared;
  PetscMPIInt rank;
  const Setting setting = {.robust = {.mode = ROBUST_COMPOSITE},
                           .quantity = QUANTITY_RBE_WEIGHTED,
                           .type = "uniform",
                           *state ? INFLUENCE_FACTORED : INFLUENCE_ASSEMBLED};
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  MakeProblem(&p, &setting, &shared);
  const ProblemSpec spec = {.model = p.model,
                            .tissues = &p.tissues,
                            .set = p.set,
                            .grid = &p.grid,
                            .n_voxel = p.n_voxel,
                            .voxel = p.voxel,
                            .n_spot = p.beams->n_spot,
                            .n_term = 3,
                            .term = p.term,
                            .robust = &setting.robust,
                            .type = *state ? INFLUENCE_FACTORED : INFLUENCE_STREAMED};
  assert_int_equal(ProblemCreate(PETSC_COMM_SELF, &spec, &whole), 0);
  if (rank == 0) {
    double *x, *direction, *g[2], f[2];
    const PetscInt n = p.beams->n_spot;
    assert_int_equal(PetscMalloc4(n, &x, n, &direction, n, &g[0], n, &g[1]), 0);
    MakePoint(&p, x, direction);
    assert_int_equal(ProblemEvaluate(shared, x, &f[0], g[0]), 0);
    assert_int_equal(ProblemRelease(shared), 0);
    assert_int_equal(ProblemEvaluate(whole, x, &f[1], g[1]), 0);
    assert_memory_equal(&f[0], &f[1], sizeof f[0]);
    assert_memory_equal(g[0], g[1], (size_t)n * sizeof *g[0]);
    assert_int_equal(PetscFree4(x, direction, g[0], g[1]), 0);
  } else
    assert_int_equal(ProblemServe(shared), 0);
  assert_int_equal(ProblemDestroy(&whole), 0);
  assert_int_equal(ProblemDestroy(&shared), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  int factored = 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryObjectiveInEveryMode), cmocka_unit_test(FactoredGradients),
                                     cmocka_unit_test(FullApproach), cmocka_unit_test(SameBitsOnAnyNumberOfRanks),
                                     cmocka_unit_test_prestate(SameBitsOnAnyNumberOfRanks, &factored)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
