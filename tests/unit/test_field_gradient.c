/*
 * In-field gradients: the value against a sum over all pairs of voxels, from every field's doses of another operator;
 * finite-difference gradients alone and beside objectives in several robust modes; the same bits on any number of ranks.
 * ranks: 1 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"

static const double DISTANCE_MM = 6;

typedef struct Fields {
  TinyPlan plan;
  BeamSet beams[3];
  DoseModel model[3];
  FieldGradientSpec spec;
  double *x, *direction;
} Fields;

static void Create(double weight, PetscBool small, Fields *f)
{
  assert_int_equal(TinyPlanCreate(&f->plan, 2, 1000) || (small && TinyPlanMakeSmall(&f->plan)), 0);
  const BeamSet *all = f->plan.beams;
  for (PetscInt l = 0; l < 3; l++) {
    f->beams[l] = *all;
    f->beams[l].n_beam = 1;
    f->beams[l].beam = &all->beam[l];
    assert_int_equal(
        DoseModelCreate(&f->plan.patient, &f->plan.machine, &f->plan.tissues, &f->beams[l], 0.002, &f->model[l]), 0);
  }
  f->spec = (FieldGradientSpec){.weight = weight,
                                .distance_mm = DISTANCE_MM,
                                .n_field = 3,
                                .field = f->model,
                                .tissues = &f->plan.tissues,
                                .grid = &f->plan.grid,
                                .n_voxel = f->plan.n_voxel,
                                .voxel = f->plan.voxel,
                                .n_spot = all->n_spot};
  assert_int_equal(PetscMalloc2(all->n_spot, &f->x, all->n_spot, &f->direction), 0);
  TinyPoint(all->n_spot, 5e5, f->x, f->direction);
}

static void Destroy(Fields *f)
{
  for (int l = 0; l < 3; l++) assert_int_equal(DoseModelDestroy(&f->model[l]), 0);
  assert_int_equal(PetscFree2(f->x, f->direction), 0);
  assert_int_equal(TinyPlanDestroy(&f->plan), 0);
}

static PetscMPIInt Ranks(void)
{
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

/* The sum of one field from the operator of all beams, the other beams' weights 0. */
static double SumOfField(const Fields *f, PetscInt l)
{
  const TinyPlan *p = &f->plan;
  const PetscInt n = f->spec.n_voxel;
  const Beam *beam = &p->beams->beam[l];
  double *alone, *channels, *effect, sum = 0;
  Influence influence;
  assert_int_equal(PetscCalloc1(p->beams->n_spot, &alone), 0);
  assert_int_equal(PetscMalloc2(n * N_CHANNELS, &channels, n, &effect), 0);
  for (PetscInt j = beam->first_spot; j < beam->first_spot + beam->n_spot; j++) alone[j] = f->x[j];
  assert_int_equal(InfluenceCreate(p->model, INFLUENCE_STREAMED, p->set, &p->grid, n, p->voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, alone, channels), 0);
  for (PetscInt v = 0; v < n; v++)
    effect[v] = channels[v * N_CHANNELS + CHANNEL_ALPHA] + pow(channels[v * N_CHANNELS + CHANNEL_SQRT_BETA], 2);
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt k = 0; k < n; k++) {
      double a[3], b[3];
      GridCentre(&p->grid, (size_t)p->voxel[i], a);
      GridCentre(&p->grid, (size_t)p->voxel[k], b);
      const double r = sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
      if (i != k && r <= DISTANCE_MM) sum += pow((effect[i] - effect[k]) / r, 2);
    }
  assert_int_equal(InfluenceDestroy(&influence) || PetscFree(alone) || PetscFree2(channels, effect), 0);
  return sum;
}

static void ValueOfAllPairs(void **state)
{
  Fields f;
  FieldGradient term;
  double value, expected = 0;
  if (Ranks() > 1) return;
  Create(0.5, PETSC_FALSE, &f);
  for (PetscInt l = 0; l < 3; l++) expected += 0.5 * SumOfField(&f, l) / (double)f.spec.n_voxel;
  assert_int_equal(FieldGradientCreate(PETSC_COMM_SELF, &f.spec, &term), 0);
  assert_int_equal(FieldGradientEvaluate(term, f.x, &value, NULL), 0);
  printf("# %.15g, expected %.15g\n", value, expected);
  assert_true(expected > 1e-6 && fabs(value - expected) < 1e-12 * expected);
  assert_int_equal(FieldGradientDestroy(&term), 0);
  Destroy(&f);
}

/* Beside a uniform dose in every robust mode; and alone, the dose's weight being 0. */
static void Gradients(void **state)
{
  Fields f;
  if (Ranks() > 1) return;
  Create(100, PETSC_TRUE, &f);
  for (int mode = -1; mode <= ROBUST_PROBABILISTIC; mode++) {
    const RobustSpec robust = {.mode = (RobustMode)PetscMax(mode, 0), .importance = 1, .worst_fraction = 0.3};
    const PetscInt n = f.plan.beams->n_spot;
    Term term;
    Problem problem;
    double error, value, hard;
    PetscInt worst;
    assert_int_equal(
        TinyTerm(&f.plan, &f.plan.target, "uniform", QUANTITY_RBE_WEIGHTED, 2, mode < 0 ? 0 : 1, robust.mode, &term),
        0);
    ProblemSpec spec = TinyProblem(&f.plan, &robust, INFLUENCE_ASSEMBLED, 1, &term);
    spec.field_gradient = &f.spec;
    assert_int_equal(ProblemCreate(PETSC_COMM_SELF, &spec, &problem), 0);
    assert_int_equal(TinyGradientError(problem, n, f.x, f.direction, 5e-5, &error), 0);
    assert_int_equal(ProblemEvaluate(problem, f.x, &value, NULL), 0);
    assert_int_equal(ProblemGetTrueObjective(problem, &hard, &worst), 0);
    printf("# in-field gradients, mode %d: relative error %.1e\n", mode, error);
    assert_true(error < 1e-6);
    assert_true(mode > ROBUST_NONE || fabs(hard - value) < 1e-12 * value);
    assert_int_equal(ProblemDestroy(&problem) || TermDestroy(&term), 0);
  }
  Destroy(&f);
}

static void SameBitsOnAnyNumberOfRanks(void **state)
{
  Fields f;
  FieldGradient term;
  double value[2], *gradient[2];
  Create(100, PETSC_FALSE, &f);
  const PetscInt n = f.plan.beams->n_spot;
  assert_int_equal(PetscCalloc2(n, &gradient[0], n, &gradient[1]), 0);
  for (int k = 0; k < 2; k++) {
    assert_int_equal(FieldGradientCreate(k ? PETSC_COMM_WORLD : PETSC_COMM_SELF, &f.spec, &term), 0);
    assert_int_equal(FieldGradientEvaluate(term, f.x, &value[k], gradient[k]), 0);
    assert_int_equal(FieldGradientDestroy(&term), 0);
  }
  assert_memory_equal(&value[0], &value[1], sizeof value[0]);
  assert_memory_equal(gradient[0], gradient[1], (size_t)n * sizeof *gradient[0]);
  assert_int_equal(PetscFree2(gradient[0], gradient[1]), 0);
  Destroy(&f);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ValueOfAllPairs), cmocka_unit_test(Gradients),
                                     cmocka_unit_test(SameBitsOnAnyNumberOfRanks)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
