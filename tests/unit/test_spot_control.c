/*
 * Spot control: finite-difference gradients of each term in several robust modes, what the costs are in cases that can be said by
 * hand, and the same bits on any number of ranks.
 * ranks: 1 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include "robion/spot_control.h"

static const SpotControlSpec none = {.range_percent = 3.5, .setup_mm = 2, .sigma_mm = 3};

static double *Costs(const TinyPlan *p, const SpotControlSpec *spec)
{
  double *cost;
  unsigned char *mask;
  assert_int_equal(PetscMalloc1(p->beams->n_spot, &cost), 0);
  assert_int_equal(PetscCalloc1(GridSize(&p->grid), &mask), 0);
  for (PetscInt i = 0; i < p->oar.n; i++) mask[p->oar.voxel[i]] = 1;
  assert_int_equal(SpotControlCosts(spec, p->beams, &p->machine, &p->patient, &p->grid, mask, cost), 0);
  assert_int_equal(PetscFree(mask), 0);
  return cost;
}

static void MakeProblem(MPI_Comm comm, const TinyPlan *p, const RobustSpec *robust, Term *term, const double *cost,
                        Problem *problem)
{
  ProblemSpec spec = TinyProblem(p, robust, INFLUENCE_ASSEMBLED, 1, term);
  spec.spot_cost = cost;
  assert_int_equal(ProblemCreate(comm, &spec, problem), 0);
}

static PetscMPIInt Ranks(void)
{
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

/* Each term alone, without the dose's part in the difference (weight 0), and all with the dose in each mode. */
static void Gradients(void **state)
{
  TinyPlan p;
  if (Ranks() > 1) return;
  assert_int_equal(TinyPlanCreate(&p, 1, 1000) || TinyPlanMakeSmall(&p), 0);
  const PetscInt n = p.beams->n_spot;
  double *x, *direction;
  assert_int_equal(PetscMalloc2(n, &x, n, &direction), 0);
  TinyPoint(n, 5e5, x, direction);
  for (int c = 0; c < 4; c++)
    for (int mode = ROBUST_NONE; mode <= ROBUST_PROBABILISTIC; mode++) {
      SpotControlSpec spec = none;
      Term term;
      Problem problem;
      const RobustSpec robust = {.mode = (RobustMode)mode, .importance = 1, .worst_fraction = 0.3};
      if (c < 3 && mode > ROBUST_NONE) continue;
      if (c == 0 || c == 3) spec.heterogeneity = 0.01;
      if (c == 1 || c == 3) spec.oar_range = 10;
      if (c == 2 || c == 3) spec.oar_setup = 5;
      double *cost = Costs(&p, &spec), f, mean = 0, sum = 0, hard;
      PetscInt worst;
      assert_int_equal(
          TinyTerm(&p, &p.target, "uniform", QUANTITY_RBE_WEIGHTED, 2, c == 3 ? 1 : 0, (RobustMode)mode, &term), 0);
      MakeProblem(PETSC_COMM_SELF, &p, &robust, &term, cost, &problem);
      double error;
      assert_int_equal(TinyGradientError(problem, n, x, direction, 5e-5, &error), 0);
      printf("# spot control %d, mode %d: relative error %.1e\n", c, mode, error);
      assert_true(error < 1e-6);
      assert_int_equal(ProblemEvaluate(problem, x, &f, NULL), 0);
      assert_int_equal(ProblemGetTrueObjective(problem, &hard, &worst), 0);
      for (PetscInt j = 0; j < n; j++) mean += cost[j] * x[j], sum += x[j];
      assert_true(mean > 0);
      if (c < 3) assert_true(fabs(f - mean / sum) < 1e-12 * f && fabs(hard - mean / sum) < 1e-12 * f);
      assert_int_equal(ProblemDestroy(&problem) || TermDestroy(&term) || PetscFree(cost), 0);
    }
  assert_int_equal(PetscFree2(x, direction) || TinyPlanDestroy(&p), 0);
}

/* In uniform water nothing is heterogeneous on parallel beams' axes; risks are shares, and grow with the errors. */
static void CostsByHand(void **state)
{
  TinyPlan p;
  if (Ranks() > 1) return;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const PetscInt along = p.beams->beam[1].first_spot; /* of the beams along the axes, 0 and 1 */
  SpotControlSpec spec = none;
  spec.heterogeneity = 1;
  double *with = Costs(&p, &spec), largest = 0;
  for (size_t v = 0; v < GridSize(&p.patient.ct); v++) p.patient.rsp[v] = 1;
  double *without = Costs(&p, &spec);
  for (PetscInt j = 0; j < along; j++) {
    largest = PetscMax(largest, with[j]);
    assert_true(without[j] < 1e-6);
  }
  assert_true(largest > 10); /* the air slab takes 70 % of up to 12 mm from some of the neighbours */
  spec = none;
  spec.oar_range = 1;
  double *range = Costs(&p, &spec), closest = 0;
  spec.range_percent = 10;
  double *wide = Costs(&p, &spec);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) {
    assert_true(range[j] >= 0 && range[j] <= 1);
    closest = PetscMax(closest, range[j]);
  }
  assert_true(closest == 1); /* peaks at the far edge of the target lie in the OAR */
  spec = none;
  spec.oar_setup = 1;
  double *setup = Costs(&p, &spec);
  spec.setup_mm = 0;
  double *still = Costs(&p, &spec);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) assert_true(setup[j] <= 1 && setup[j] >= still[j] && still[j] >= 0);
  double more = 0, less = 0;
  for (PetscInt j = 0; j < p.beams->n_spot; j++) more += wide[j], less += range[j];
  assert_true(more > less);
  assert_int_equal(PetscFree(with) || PetscFree(without) || PetscFree(range) || PetscFree(wide) || PetscFree(setup) ||
                       PetscFree(still),
                   0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

static void SameBitsOnAnyNumberOfRanks(void **state)
{
  TinyPlan p;
  Term term;
  Problem whole, shared;
  SpotControlSpec spec = none;
  const RobustSpec robust = {.mode = ROBUST_VOXELWISE, .importance = 1, .worst_fraction = 0.3};
  spec.heterogeneity = 0.01, spec.oar_range = 10, spec.oar_setup = 5;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const PetscInt n = p.beams->n_spot;
  double *cost = Costs(&p, &spec);
  assert_int_equal(TinyTerm(&p, &p.target, "uniform", QUANTITY_RBE_WEIGHTED, 2, 1, ROBUST_VOXELWISE, &term), 0);
  MakeProblem(PETSC_COMM_WORLD, &p, &robust, &term, cost, &shared);
  MakeProblem(PETSC_COMM_SELF, &p, &robust, &term, cost, &whole);
  double *x, *direction, *g[2], f[2];
  assert_int_equal(PetscMalloc4(n, &x, n, &direction, n, &g[0], n, &g[1]), 0);
  TinyPoint(n, 5e5, x, direction);
  assert_int_equal(ProblemEvaluate(shared, x, &f[0], g[0]), 0);
  assert_int_equal(ProblemEvaluate(whole, x, &f[1], g[1]), 0);
  assert_memory_equal(&f[0], &f[1], sizeof f[0]);
  assert_memory_equal(g[0], g[1], (size_t)n * sizeof *g[0]);
  assert_int_equal(PetscFree4(x, direction, g[0], g[1]), 0);
  assert_int_equal(TermDestroy(&term) || ProblemDestroy(&whole) || ProblemDestroy(&shared) || PetscFree(cost), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Gradients), cmocka_unit_test(CostsByHand),
                                     cmocka_unit_test(SameBitsOnAnyNumberOfRanks)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
