/*
 * Courses of stages: what adds up to a mean fraction, gradients of terms on stages and on the course, stages with given weights,
 * the same bits on any number of ranks. ranks: 1 2
 * sanitizer: slow
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"
#include "tiny_plan.h"

typedef struct Staged {
  TinyPlan plan;
  Course course;
} Staged;

/* Beams 0 and 1 for 9 fractions, beam 2 for 7. */
static void StagedCreate(Staged *s, Accumulation accumulation)
{
  assert_int_equal(TinyPlanCreate(&s->plan, 2, 1000), 0);
  s->course = (Course){.accumulation = accumulation, .alpha_beta_Gy = 2};
  CourseAddStage(&s->course, "low", 9, s->plan.beams, 0, 2);
  CourseAddStage(&s->course, "high", 7, s->plan.beams, 2, 1);
  for (PetscInt k = 0; k < 2; k++)
    assert_int_equal(DoseModelCreate(&s->plan.patient, &s->plan.machine, &s->plan.tissues, &s->course.stage[k].beams,
                                     0.002, &s->course.stage[k].model),
                     0);
}

static void StagedDestroy(Staged *s)
{
  for (PetscInt k = 0; k < 2; k++) assert_int_equal(DoseModelDestroy(&s->course.stage[k].model), 0);
  assert_int_equal(TinyPlanDestroy(&s->plan), 0);
}

static const RobustSpec *Robust(RobustMode mode)
{
  static RobustSpec spec;
  spec = (RobustSpec){.mode = mode, .importance = 1, .worst_fraction = 0.2};
  return &spec;
}

static void MakeProblem(MPI_Comm comm, Staged *s, PetscInt n_term, RobustMode mode, InfluenceType type,
                        PetscInt n_fixed, const double *fixed, Problem *problem)
{
  TinyPlan *p = &s->plan;
  ProblemSpec spec = TinyProblem(p, Robust(mode), type, n_term, p->term);
  spec.model = NULL;
  spec.course = &s->course;
  spec.n_fixed = n_fixed;
  spec.fixed = fixed;
  spec.n_spot -= s->course.stage[n_fixed].first_spot;
  assert_int_equal(ProblemCreate(comm, &spec, problem), 0);
}

/* Terms on either stage and three on the course, one of them on LETd. */
static PetscInt MakeTerms(TinyPlan *p, RobustMode mode)
{
  assert_int_equal(TinyTerm(p, &p->target, "uniform", QUANTITY_RBE_WEIGHTED, 1.6, 3, mode, &p->term[0]), 0);
  assert_int_equal(TinyTerm(p, &p->target, "underdose", QUANTITY_EFFECT, 0.4, 2, mode, &p->term[1]), 0);
  assert_int_equal(TinyTerm(p, &p->target, "uniform", QUANTITY_RBE_WEIGHTED, 1.5, 5, mode, &p->term[2]), 0);
  assert_int_equal(TinyTerm(p, &p->oar, "overdose", QUANTITY_PHYSICAL, 0.1, 4, mode, &p->term[3]), 0);
  assert_int_equal(TinyTerm(p, &p->target, "underdose", QUANTITY_LETD, 60, 1e-4, mode, &p->term[4]), 0);
  p->term[1].stage = 1;
  for (int t = 2; t < 5; t++) p->term[t].stage = COURSE_MEAN;
  return 5;
}

static void MeanFraction(void **state)
{
  Course course = {.n = 2, .alpha_beta_Gy = 2, .fractions = 16};
  const double both[] = {4.6, 4.6}, first[] = {4.6, 0};
  course.stage[0].fractions = 9;
  course.stage[1].fractions = 7;
  assert_double_near(CourseFraction(&course, both, NULL), 4.6, 1e-14);
  assert_double_near(CourseTotal(&course, CourseFraction(&course, first, NULL)), 41.4, 1e-12);
  course.accumulation = ACCUMULATE_EQD2;
  assert_double_near(CourseFraction(&course, both, NULL), 4.6, 1e-13);
  assert_double_near(CourseTotal(&course, CourseFraction(&course, both, NULL)), 16 * 4.6 * 6.6 / 4, 1e-11);
  assert_double_near(CourseTotal(&course, CourseFraction(&course, first, NULL)), 9 * 4.6 * 6.6 / 4, 1e-11);
  assert_double_near(CourseTotal(&course, 0), 0, 0);
  for (int accumulation = 0; accumulation < 2; accumulation++) {
    const double h = 1e-5, at[] = {3.1, 1.7};
    double derivative[2];
    course.accumulation = (Accumulation)accumulation;
    CourseFraction(&course, at, derivative);
    for (int k = 0; k < 2; k++) {
      double up[] = {at[0], at[1]}, down[] = {at[0], at[1]};
      up[k] += h, down[k] -= h;
      const double slope = (CourseFraction(&course, up, NULL) - CourseFraction(&course, down, NULL)) / (2 * h);
      assert_double_near(derivative[k] / slope, 1, 1e-8);
    }
  }
}

static void CheckGradient(Accumulation accumulation, RobustMode mode, InfluenceType type, double tolerance)
{
  PetscMPIInt rank;
  Staged s;
  Problem problem;
  double *x, *direction;
  StagedCreate(&s, accumulation);
  const PetscInt n = s.plan.beams->n_spot, n_term = MakeTerms(&s.plan, mode);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MakeProblem(PETSC_COMM_WORLD, &s, n_term, mode, type, 0, NULL, &problem);
  assert_int_equal(PetscMalloc2(n, &x, n, &direction), 0);
  TinyPoint(n, 7e5, x, direction);
  double error;
  assert_int_equal(TinyGradientError(problem, n, x, direction, 1e-4, &error), 0);
  if (rank == 0)
    printf("# %-8s %-12s %s: relative error %.1e\n", accumulation_names[accumulation], robust_mode_names[mode],
           type == INFLUENCE_FACTORED ? "factored" : "assembled", error);
  assert_true(error < tolerance);
  assert_int_equal(ProblemDestroy(&problem), 0);
  assert_int_equal(PetscFree2(x, direction), 0);
  StagedDestroy(&s);
}

static void Gradients(void **state)
{
  for (int accumulation = 0; accumulation < 2; accumulation++) {
    CheckGradient((Accumulation)accumulation, ROBUST_EXPECTED, INFLUENCE_ASSEMBLED, 1e-6);
    CheckGradient((Accumulation)accumulation, ROBUST_COMPOSITE, INFLUENCE_FACTORED, 1e-6);
    CheckGradient((Accumulation)accumulation, ROBUST_VOXELWISE, INFLUENCE_FACTORED, 1e-6);
  }
}

/* Value and gradient with the first stage's weights given are those of the whole course, for the spots that are left. */
static void GivenStages(void **state)
{
  static const InfluenceType types[] = {INFLUENCE_ASSEMBLED, INFLUENCE_FACTORED};
  for (int i = 0; i < 2; i++) {
    Staged s;
    double *x, *direction, *gradient[2], f[2], mean[2];
    StagedCreate(&s, ACCUMULATE_EQD2);
    const PetscInt n = s.plan.beams->n_spot, first = s.course.stage[1].first_spot,
                   n_term = MakeTerms(&s.plan, ROBUST_EXPECTED);
    assert_int_equal(PetscMalloc4(n, &x, n, &direction, n, &gradient[0], n, &gradient[1]), 0);
    TinyPoint(n, 7e5, x, direction);
    for (int given = 0; given < 2; given++) {
      const PetscInt from = given ? first : 0;
      Problem problem;
      MakeProblem(PETSC_COMM_WORLD, &s, n_term, ROBUST_EXPECTED, types[i], given, x, &problem);
      assert_int_equal(ProblemTermMean(problem, 2, x + from, &mean[given]), 0);
      for (int again = 0; again < 2; again++)
        assert_int_equal(ProblemEvaluate(problem, x + from, &f[given], gradient[given] + from), 0);
      assert_int_equal(ProblemDestroy(&problem), 0);
    }
    assert_true(mean[0] == mean[1]);
    assert_true(f[0] == f[1]);
    assert_memory_equal(gradient[0] + first, gradient[1] + first, (size_t)(n - first) * sizeof(double));
    assert_int_equal(PetscFree4(x, direction, gradient[0], gradient[1]), 0);
    StagedDestroy(&s);
  }
}

/* All ranks together get what one rank alone gets. */
static void SameBits(void **state)
{
  Staged s;
  Problem shared, alone;
  double *x, *gradient[2], f[2];
  StagedCreate(&s, ACCUMULATE_EQD2);
  const PetscInt n = s.plan.beams->n_spot, n_term = MakeTerms(&s.plan, ROBUST_VOXELWISE);
  MakeProblem(PETSC_COMM_WORLD, &s, n_term, ROBUST_VOXELWISE, INFLUENCE_FACTORED, 0, NULL, &shared);
  MakeProblem(PETSC_COMM_SELF, &s, n_term, ROBUST_VOXELWISE, INFLUENCE_FACTORED, 0, NULL, &alone);
  assert_int_equal(PetscMalloc3(n, &x, n, &gradient[0], n, &gradient[1]), 0);
  TinyPoint(n, 7e5, x, gradient[0]);
  assert_int_equal(ProblemEvaluate(shared, x, &f[0], gradient[0]), 0);
  assert_int_equal(ProblemEvaluate(alone, x, &f[1], gradient[1]), 0);
  assert_memory_equal(&f[0], &f[1], sizeof f[0]);
  assert_memory_equal(gradient[0], gradient[1], (size_t)n * sizeof(double));
  assert_int_equal(ProblemDestroy(&alone), 0);
  assert_int_equal(ProblemDestroy(&shared), 0);
  assert_int_equal(PetscFree3(x, gradient[0], gradient[1]), 0);
  StagedDestroy(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(MeanFraction), cmocka_unit_test(Gradients),
                                     cmocka_unit_test(GivenStages), cmocka_unit_test(SameBits)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
