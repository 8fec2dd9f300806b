/*
 * Finite-difference gradients of every objective type in every robust mode on every quantity, the table of their errors, and the
 * same bits on any number of ranks.
 * ranks: 1 4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include <string.h>

/* How a type is tested: its goal as a part of the structure's mean, so that no hinge is idle. */
static const struct {
  const char *type;
  double goal;
  ObjectiveParameters parameters;
} kinds[] = {
    {"uniform", 1, {.a = 0}},
    {"overdose", 1, {.a = 0}},
    {"underdose", 1, {.a = 0}},
    {"mean", 0.8, {.a = 0}},
    {"mean-deviation", 0.9, {.a = 0}},
    {"mean-linear", 1, {.a = 0}},
    {"max-dvh", 0.8, {.volume = 0.3}},
    {"min-dvh", 1.2, {.volume = 0.7}},
    {"maximum", 0.9, {.smoothing = 0.05}},
    {"minimum", 1.1, {.smoothing = 0.05}},
    {"max-geud", 0.8, {.a = 6}},
    {"min-geud", 1.2, {.a = -4}},
    {"max-let", 0.9, {.a = 0}},
    {"min-let", 1.1, {.a = 0}},
    {"falloff", 0.9, {.distance_mm = 5, .low = 0.5}},
    {"ntcp", 0, {.outcome = {.lkb = {5, 0.3, 0}, .fractionation = {.alpha_beta_Gy = 2}, .fractions = 10}}},
    {"ntcp", 0, {.outcome = {.lkb = {0.5, 0.8, 0}, .fractionation = {2.5, 1.5, 4}, .fractions = 10}}},
    {"tcp",
     0,
     {.outcome = {
          .tcp = {.ln_a = -3.643, .kappa = 0.74, .alpha_per_Gy = 0.029, .alpha_beta_Gy = 2, .fractions = 16}}}}};
enum { N_KINDS = PETSC_STATIC_ARRAY_LENGTH(kinds), N_WAYS = 9 };

static const struct {
  const char *label;
  RobustMode mode;
  PetscBool on_effect;
} ways[N_WAYS] = {{"none", ROBUST_NONE, PETSC_FALSE},
                  {"expected", ROBUST_EXPECTED, PETSC_FALSE},
                  {"composite", ROBUST_COMPOSITE, PETSC_FALSE},
                  {"objectivewise", ROBUST_OBJECTIVEWISE, PETSC_FALSE},
                  {"voxelwise", ROBUST_VOXELWISE, PETSC_FALSE},
                  {"voxelwise+", ROBUST_VOXELWISE, PETSC_TRUE},
                  {"cvar", ROBUST_CVAR, PETSC_FALSE},
                  {"probabilistic", ROBUST_PROBABILISTIC, PETSC_FALSE},
                  {"percentile", ROBUST_PERCENTILE, PETSC_FALSE}};

static const double STEP = 5e-5; /* hinges crossed within a step spoil the difference */

static RobustSpec SpecOf(int way)
{
  return (RobustSpec){.mode = ways[way].mode, .on_effect = ways[way].on_effect, .importance = 2, .worst_fraction = 0.3};
}

/* Only types that know nothing of LET but LETd make sense on it; the models of complications and of control are of RBE-weighted dose. */
static PetscBool Sensible(int kind, Quantity quantity)
{
  const unsigned keys = ObjectiveTypeFind(kinds[kind].type)->keys;
  if (keys & KEY_LET_GOAL) return quantity == QUANTITY_LETD ? PETSC_TRUE : PETSC_FALSE;
  return !(keys & (KEY_NTCP | KEY_TCP)) || quantity == QUANTITY_RBE_WEIGHTED ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode MakeProblem(MPI_Comm comm, const TinyPlan *p, const RobustSpec *robust, InfluenceType type,
                                  PetscInt n_term, Term *term, Problem *problem)
{
  const ProblemSpec spec = TinyProblem(p, robust, type, n_term, term);
  return ProblemCreate(comm, &spec, problem);
}

/* Goal and numbers of a kind for a structure whose mean quantity this is; some goals differ from voxel to voxel. */
static void SetGoal(int kind, double mean, Term *term)
{
  term->goal = kinds[kind].goal * mean;
  term->parameters = kinds[kind].parameters;
  term->parameters.outcome.lkb.td50_Gy = 10 * mean * (mean + 2) / 4 * 1.2;
  if (!term->goal_of_voxel && (term->type->keys & (KEY_MAP | KEY_FALLOFF | KEY_TCP)) && kind != 0)
    assert_int_equal(PetscMalloc1(term->n, &term->goal_of_voxel), 0);
  for (PetscInt i = 0; i < term->n && term->goal_of_voxel; i++)
    term->goal_of_voxel[i] = (term->type->keys & KEY_TCP ? 3e5 : term->goal) * (0.95 + 0.1 * (double)(i % 7) / 6);
}

/* Smooth maxima about as wide as the values differ. */
static void SetWidths(Problem problem, const TinyPlan *p, const double *x)
{
  PetscInt n_group, n = p->set->n;
  double mu[N_KINDS * N_WAYS], *total, *multiplier;
  assert_int_equal(ProblemGetGroups(problem, &n_group), 0);
  assert_int_equal(PetscMalloc2(n_group * n, &total, n_group * n, &multiplier), 0);
  assert_int_equal(ProblemEvaluate(problem, x, NULL, NULL), 0);
  assert_int_equal(ProblemGetTotals(problem, total, NULL), 0);
  for (PetscInt g = 0; g < n_group; g++) {
    double highest = 0, sum = 0;
    for (PetscInt i = g * n; i < (g + 1) * n; i++) {
      highest = PetscMax(highest, fabs(total[i]));
      multiplier[i] = 1 + (double)(i % 3);
      sum += multiplier[i];
    }
    for (PetscInt i = g * n; i < (g + 1) * n; i++) multiplier[i] /= sum;
    mu[g] =
        highest > 0 ? 0.05 * highest : 1e-12; /* an idle group with caps adds no number beside which others are lost */
  }
  assert_int_equal(ProblemSetSmoothMax(problem, mu, multiplier), 0);
  assert_int_equal(PetscFree2(total, multiplier), 0);
}

/* All kinds in one mode on one quantity, one after the other by their weights; the errors go into a row each. */
static void CheckWay(TinyPlan *p, int way, int step, Quantity quantity, InfluenceType influence, double error[N_KINDS])
{
  Term term[N_KINDS];
  Problem problem;
  const RobustSpec robust = SpecOf(way);
  const PetscInt n = p->beams->n_spot;
  double *x, *direction, mean;
  for (int k = 0; k < N_KINDS; k++) {
    assert_int_equal(TinyTerm(p, &p->target, kinds[k].type, quantity, 0, 0, ways[way].mode, &term[k]), 0);
    term[k].worst_fraction = k % 2 ? 0.5 : 0; /* of a percentile */
  }
  assert_int_equal(MakeProblem(PETSC_COMM_SELF, p, &robust, influence, N_KINDS, term, &problem), 0);
  assert_int_equal(PetscMalloc2(n, &x, n, &direction), 0);
  TinyPoint(n, 5e5, x, direction);
  assert_int_equal(ProblemTermMean(problem, 0, x, &mean), 0);
  for (int k = 0; k < N_KINDS; k++) SetGoal(k, mean, &term[k]);
  for (int k = 0; k < N_KINDS; k++) {
    error[k] = -1;
    if (!Sensible(k, quantity) || k % step) continue;
    term[k].weight = 3;
    SetWidths(problem, p, x);
    assert_int_equal(TinyGradientError(problem, n, x, direction, STEP, &error[k]), 0);
    term[k].weight = 0;
  }
  for (int k = 0; k < N_KINDS; k++) assert_int_equal(TermDestroy(&term[k]), 0);
  assert_int_equal(ProblemDestroy(&problem) || PetscFree2(x, direction), 0);
}

static void PrintTable(const char *title, double error[N_WAYS][N_KINDS])
{
  printf("# %-15s", title);
  for (int w = 0; w < N_WAYS; w++) printf(" %13s", ways[w].label);
  for (int k = 0; k < N_KINDS; k++) {
    printf("\n# %-15s", kinds[k].type);
    for (int w = 0; w < N_WAYS; w++)
      if (error[w][k] < 0)
        printf(" %13s", "-");
      else
        printf(" %13.1e", error[w][k]);
  }
  printf("\n");
}

/* Every `step`th kind and way; all are tried where the quantity is what matters, few where it is the operator. */
static void CheckTable(TinyPlan *p, const char *title, int step, Quantity quantity, InfluenceType influence)
{
  double error[N_WAYS][N_KINDS];
  for (int w = 0; w < N_WAYS; w++) {
    for (int k = 0; k < N_KINDS; k++) error[w][k] = -1;
    if (w % step == 0) CheckWay(p, w, step, quantity, influence, error[w]);
  }
  PrintTable(title, error);
  for (int w = 0; w < N_WAYS; w++)
    for (int k = 0; k < N_KINDS; k++) assert_true(error[w][k] < 1e-6);
}

/* Only the voxels that terms look at, in four scenarios beside the nominal: hundreds of combinations are quick. */
static void MakeSmall(TinyPlan *p)
{
  static double range[] = {-3.5, 3.5}, shift[][3] = {{0, 0, 0}, {2, -1, 1.5}};
  ScenarioSpec spec = {.n_range = 2, .range_percent = range, .setup = SETUP_LIST, .n_shift = 2, .shift_mm = shift};
  assert_int_equal(TinyPlanCreate(p, 2, 1000), 0);
  assert_int_equal(ScenarioSetDestroy(&p->set) || ScenarioSetCreate(&spec, &p->set), 0);
  p->n_voxel = p->target.n;
  for (PetscInt i = 0; i < p->target.n; i++) p->voxel[i] = p->target.voxel[i];
}

static PetscBool FirstRank(void)
{
  PetscMPIInt rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank == 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* What knows nothing of ranks is tried on one of them. */
static PetscBool OneRank(void)
{
  PetscMPIInt size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size == 1 ? PETSC_TRUE : PETSC_FALSE;
}

static void EveryObjectiveInEveryMode(void **state)
{
  TinyPlan p;
  if (!OneRank()) return;
  MakeSmall(&p);
  const int step = SANITIZED ? 3 : 1; /* of the other quantities, which the code of objectives hardly knows */
  CheckTable(&p, "RBE-weighted", 1, QUANTITY_RBE_WEIGHTED, INFLUENCE_ASSEMBLED);
  CheckTable(&p, "physical", step, QUANTITY_PHYSICAL, INFLUENCE_ASSEMBLED);
  CheckTable(&p, "effect", step, QUANTITY_EFFECT, INFLUENCE_ASSEMBLED);
  CheckTable(&p, "LETd", step, QUANTITY_LETD, INFLUENCE_ASSEMBLED);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* The same without a matrix. */
static void FactoredGradients(void **state)
{
  TinyPlan p;
  if (!OneRank()) return;
  MakeSmall(&p);
  CheckTable(&p, "factored, RBE", 4, QUANTITY_RBE_WEIGHTED, INFLUENCE_FACTORED);
  CheckTable(&p, "factored, LETd", 4, QUANTITY_LETD, INFLUENCE_FACTORED);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Scenarios on all axes. */
static void MakeAllAxes(TinyPlan *p, Motion motion)
{
  static double range[] = {-3.5, 3.5}, zero[] = {0};
  char *names[] = {tiny_scaled, tiny_other};
  ScenarioSpec plus[] = {
      {.n_range = 2, .range_percent = range, .setup = SETUP_RANDOM, .n_random = 3, .setup_mm = {2, 2, 2}},
      {.n_range = 1, .range_percent = zero, .setup = SETUP_NONE, .n_biology = 2, .biology = names}};
  plus[0].range_sigma_percent = 3;
  plus[0].range_per_beam = PETSC_TRUE;
  plus[0].alpha_sigma_percent = 20;
  plus[0].beta_sigma_percent = 30;
  static double rotation[][3] = {{0, 0, 0}, {3, -2, 5}};
  plus[0].rotation_sigma_deg[1] = 2;
  plus[1].n_rotation = 2;
  plus[1].rotation_deg = rotation;
  const ScenarioSpec spec = {.n_range = 2,
                             .range_percent = range,
                             .setup = SETUP_NONE,
                             .axes = TinyAxes(),
                             .motion = motion,
                             .n_plus = PETSC_STATIC_ARRAY_LENGTH(plus),
                             .plus = plus};
  assert_int_equal(ScenarioSetDestroy(&p->set) || ScenarioSetCreate(&spec, &p->set), 0);
}

/* A response that changes nothing gives the same bits as none. */
static void NoChange(void **state)
{
  TinyPlan p;
  double range[] = {-3.5, 3.5}, f[2], *x, *g[2];
  char *same[] = {tiny_same};
  const RobustSpec robust = SpecOf(0);
  if (!OneRank()) return;
  MakeSmall(&p);
  const PetscInt n = p.beams->n_spot;
  assert_int_equal(PetscMalloc3(n, &x, n, &g[0], n, &g[1]), 0);
  TinyPoint(n, 5e5, x, g[0]);
  for (int factored = 0; factored < 2; factored++) {
    for (int k = 0; k < 2; k++) {
      const ScenarioSpec spec = {.n_range = 2,
                                 .range_percent = range,
                                 .setup = SETUP_NONE,
                                 .axes = TinyAxes(),
                                 .n_biology = k,
                                 .biology = same,
                                 .range_per_beam = PETSC_FALSE};
      Term term;
      Problem problem;
      assert_int_equal(ScenarioSetDestroy(&p.set) || ScenarioSetCreate(&spec, &p.set), 0);
      assert_int_equal(TinyTerm(&p, &p.target, "uniform", QUANTITY_RBE_WEIGHTED, 2, 3, ROBUST_EXPECTED, &term), 0);
      assert_int_equal(MakeProblem(PETSC_COMM_SELF, &p, &robust, factored ? INFLUENCE_FACTORED : INFLUENCE_ASSEMBLED, 1,
                                   &term, &problem),
                       0);
      assert_int_equal(ProblemEvaluate(problem, x, &f[k], g[k]), 0);
      assert_int_equal(ProblemDestroy(&problem) || TermDestroy(&term), 0);
    }
    assert_memory_equal(&f[0], &f[1], sizeof f[0]);
    assert_memory_equal(g[0], g[1], (size_t)n * sizeof(double));
  }
  assert_int_equal(PetscFree3(x, g[0], g[1]) || TinyPlanDestroy(&p), 0);
}

static void EveryAxis(void **state)
{
  const int step = SANITIZED ? 6 : 1; /* of breathing, whose code is the operator's */
  TinyPlan p;
  if (!OneRank()) return;
  MakeSmall(&p);
  MakeAllAxes(&p, MOTION_NONE);
  CheckTable(&p, "all axes, RBE", 1, QUANTITY_RBE_WEIGHTED, INFLUENCE_ASSEMBLED);
  CheckTable(&p, "all axes, LETd", 3, QUANTITY_LETD, INFLUENCE_FACTORED);
  assert_int_equal(TinyBreathe(&p.patient), 0);
  MakeAllAxes(&p, MOTION_PHASES);
  CheckTable(&p, "all axes and phases, RBE", SANITIZED ? 7 : 3, QUANTITY_RBE_WEIGHTED, INFLUENCE_FACTORED);
  MakeAllAxes(&p, MOTION_ACCUMULATE);
  CheckTable(&p, "all axes, accumulated, RBE", step, QUANTITY_RBE_WEIGHTED, INFLUENCE_FACTORED);
  CheckTable(&p, "all axes, accumulated, LETd", SANITIZED ? 8 : 4, QUANTITY_LETD, INFLUENCE_ASSEMBLED);
  assert_int_equal(TinyHoldBreath(&p.patient) || TinyPlanDestroy(&p), 0);
}

/* LEM I's full approach, whose effect depends on all four channels. */
static void FullApproach(void **state)
{
  TinyPlan p;
  if (!OneRank()) return;
  MakeSmall(&p);
  for (int t = 0; t < 4; t++) p.biology[t].spec.approach = LEM_FULL;
  CheckTable(&p, "full LEM, RBE", 3, QUANTITY_RBE_WEIGHTED, INFLUENCE_ASSEMBLED);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Terms of every type in every mode on both structures and all quantities at once. */
static PetscInt MakeAllTerms(TinyPlan *p, Term *term)
{
  PetscInt n = 0;
  const double mean[] = {
      [QUANTITY_RBE_WEIGHTED] = 2, [QUANTITY_PHYSICAL] = 0.7, [QUANTITY_EFFECT] = 0.4, [QUANTITY_LETD] = 40};
  for (int w = 0; w < N_WAYS; w++)
    for (int k = 0; k < N_KINDS; k++) {
      Quantity quantity = (Quantity)((w + k) % 4);
      if (ways[w].on_effect) continue; /* a setting of the whole plan */
      while (!Sensible(k, quantity)) quantity = (Quantity)((quantity + 1) % 4);
      assert_int_equal(
          TinyTerm(p, k % 2 ? &p->target : &p->oar, kinds[k].type, quantity, 0, 1 + k % 3, ways[w].mode, &term[n]), 0);
      SetGoal(k, mean[quantity], &term[n++]);
    }
  return n;
}

/* Objective and gradient bits must be those of one rank, whatever the number of ranks; and the gradient of the sum be right. */
static void SameBitsOnAnyNumberOfRanks(void **state)
{
  TinyPlan p;
  Term term[N_KINDS * N_WAYS];
  Problem whole, shared;
  const RobustSpec robust = SpecOf(4);
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const PetscInt n = p.beams->n_spot, n_term = MakeAllTerms(&p, term);
  assert_int_equal(MakeProblem(PETSC_COMM_WORLD, &p, &robust, *state ? INFLUENCE_FACTORED : INFLUENCE_ASSEMBLED, n_term,
                               term, &shared),
                   0);
  assert_int_equal(
      MakeProblem(PETSC_COMM_SELF, &p, &robust, *state ? INFLUENCE_FACTORED : INFLUENCE_STREAMED, n_term, term, &whole),
      0);
  double *x, *direction, *g[2], f[2], error;
  assert_int_equal(PetscMalloc4(n, &x, n, &direction, n, &g[0], n, &g[1]), 0);
  TinyPoint(n, 5e5, x, direction);
  SetWidths(shared, &p, x);
  SetWidths(whole, &p, x);
  assert_int_equal(ProblemEvaluate(shared, x, &f[0], g[0]), 0);
  assert_int_equal(TinyGradientError(shared, n, x, direction, STEP, &error), 0);
  assert_int_equal(ProblemEvaluate(whole, x, &f[1], g[1]), 0);
  assert_memory_equal(&f[0], &f[1], sizeof f[0]);
  assert_memory_equal(g[0], g[1], (size_t)n * sizeof *g[0]);
  if (FirstRank()) printf("# all %d terms together: relative error %.1e\n", (int)n_term, error);
  assert_true(error < 1e-6);
  assert_int_equal(PetscFree4(x, direction, g[0], g[1]), 0);
  for (PetscInt t = 0; t < n_term; t++) assert_int_equal(TermDestroy(&term[t]), 0);
  assert_int_equal(ProblemDestroy(&whole) || ProblemDestroy(&shared) || TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  int factored = 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryObjectiveInEveryMode),
                                     cmocka_unit_test(FactoredGradients),
                                     cmocka_unit_test(FullApproach),
                                     cmocka_unit_test(EveryAxis),
                                     cmocka_unit_test(NoChange),
                                     cmocka_unit_test(SameBitsOnAnyNumberOfRanks),
                                     cmocka_unit_test_prestate(SameBitsOnAnyNumberOfRanks, &factored)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
