/* Doses of a plan in all scenarios: RBE and survival by hand, of two tissues, and on any number of ranks.  ranks: 1 2 */
#include "robion/doses.h"
#include "tiny_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static TinyPlan plan;
static double *weight;

enum { ROOM = 8 };

typedef struct Voxels {
  float value[QUANTITIES_MOST][ROOM];
  float *dose[QUANTITIES_MOST];
} Voxels;

static void VoxelsStart(Voxels *voxels)
{
  memset(voxels, 0, sizeof *voxels);
  for (Quantity q = 0; q < n_quantities; q++) voxels->dose[q] = voxels->value[q];
}

static const Scenario nominal;

/* alpha_x 0.1 1/Gy, beta_x 0.05 1/Gy2 in all tissues; the second is linear beyond 1 Gy, the third has a clinical factor 2. */
static void ByHand(void **state)
{
  static const struct {
    unsigned char tissue;
    double physical, rbe_weighted, rbe, effect;
  } want[] = {{0, 0.8, 2, 2.5, 0.4}, {1, 0.8, 2, 2.5, 0.35}, {2, 1, 4, 4, 0.4}, {0, 2, 4, 2, 1.2},
              {0, 0, 0, 0, 0},       {1, 0, 0, 0, 0},        {0, 9, 18, 2, 18}};
  enum { N = sizeof want / sizeof *want };
  unsigned char of_voxel[N];
  Biology biology[3];
  Tissues tissues = {.n = 3, .biology = (Biology *[]){&biology[0], &biology[1], &biology[2]}, .of_voxel = of_voxel};
  Voxels voxels;
  for (int t = 0; t < 3; t++) assert_int_equal(BiologySpecDefault(&biology[t].spec), 0);
  biology[1].spec.d_t_Gy = 1;
  biology[2].spec.clinical_factor = 2;
  VoxelsStart(&voxels);
  for (int v = 0; v < N; v++) {
    of_voxel[v] = want[v].tissue;
    voxels.value[QUANTITY_PHYSICAL][v] = (float)want[v].physical;
    voxels.value[QUANTITY_RBE_WEIGHTED][v] = (float)want[v].rbe_weighted;
  }
  DosesDerive(&tissues, &nominal, N, voxels.dose);
  for (int v = 0; v < N; v++) {
    assert_double_near(voxels.value[QUANTITY_RBE][v], want[v].rbe, 1e-6 * want[v].rbe);
    assert_double_near(voxels.value[QUANTITY_SURVIVAL][v], exp(-want[v].effect), 2e-6 * exp(-want[v].effect));
  }
}

/* The same field on two tissues that differ in their photon response: other RBE, same survival; as FieldRBE and FieldEffect say. */
static void SameChannels(void **state)
{
  static const FieldDose field = {1.6, 0.9, 0.3, 80};
  unsigned char of_voxel[2] = {0, 1};
  for (int approach = LEM_LOW_DOSE; approach <= LEM_FULL; approach++) {
    Biology biology[2];
    Tissues tissues = {.n = 2, .biology = (Biology *[]){&biology[0], &biology[1]}, .of_voxel = of_voxel};
    Voxels voxels;
    VoxelsStart(&voxels);
    for (int t = 0; t < 2; t++) {
      BiologySpec *spec = &biology[t].spec;
      assert_int_equal(BiologySpecDefault(spec), 0);
      spec->approach = (LEMApproach)approach;
      if (t) spec->alpha_x_per_Gy = 0.3;
      voxels.value[QUANTITY_PHYSICAL][t] = (float)field.dose_Gy;
      voxels.value[QUANTITY_RBE_WEIGHTED][t] = (float)RBEWeightedDose(spec, FieldEffect(spec, field, NULL), NULL);
    }
    DosesDerive(&tissues, &nominal, 2, voxels.dose);
    for (int t = 0; t < 2; t++) {
      const BiologySpec *spec = &biology[t].spec;
      assert_double_near(voxels.value[QUANTITY_RBE][t], FieldRBE(spec, field), 1e-6 * FieldRBE(spec, field));
      assert_double_near(voxels.value[QUANTITY_SURVIVAL][t], SurvivalFraction(FieldEffect(spec, field, NULL)), 1e-6);
    }
    assert_true(voxels.value[QUANTITY_RBE][0] > 1.2f * voxels.value[QUANTITY_RBE][1]);
  }
}

static Region region[2], outside;

static DoseSpec SpecOf(DoseModel model, const Course *course, const ScenarioSet *set)
{
  region[0] = plan.target;
  region[1] = outside = plan.oar;
  return (DoseSpec){.model = model,
                    .course = course,
                    .tissues = &plan.tissues,
                    .set = set,
                    .grid = &plan.grid,
                    .n = plan.n_voxel,
                    .voxel = plan.voxel,
                    .weight = weight,
                    .n_region = 2,
                    .region = region,
                    .outside = &outside,
                    .prescription_Gy_RBE = 3};
}

static void MakeOf(MPI_Comm comm, DoseModel model, const Course *course, const ScenarioSet *set, DoseSet *doses)
{
  const DoseSpec spec = SpecOf(model, course, set);
  assert_int_equal(DoseSetCreate(comm, &spec, doses), 0);
}

/* Doses of single scenarios: on every rank those of a rank alone, the nominal one that of the set to half a step, all within the extremes. */
static void CompareScenarios(const Course *course, const ScenarioSet *set, const DoseSet *doses)
{
  const DoseSpec spec = SpecOf(plan.model, course, set);
  const PetscInt row[3] = {0, set->n / 2, set->n - 1};
  const float *const undisturbed = doses->nominal[QUANTITY_RBE_WEIGHTED];
  ScenarioDose *team, *alone;
  PetscInt n = 3;
  assert_int_equal(ScenarioDosesCreate(PETSC_COMM_WORLD, &spec, n, row, &team), 0);
  assert_int_equal(ScenarioDosesCreate(PETSC_COMM_SELF, &spec, n, row, &alone), 0);
  for (PetscInt i = 0; i < n; i++) {
    const double step = team[i].step_Gy_RBE;
    unsigned char most = 0;
    assert_true(team[i].row == row[i] && step > 0 && step == alone[i].step_Gy_RBE);
    assert_memory_equal(team[i].value, alone[i].value, doses->size);
    for (size_t v = 0; v < doses->size; v++) {
      const double dose = step * team[i].value[v];
      most = PetscMax(most, team[i].value[v]);
      if (row[i] == 0) assert_double_near(dose, undisturbed[v], 0.5001 * step);
      if (!set->scenario[row[i]].in_set) continue;
      assert_true(dose <= (double)doses->rbe_max[v] + 0.5001 * step);
      assert_true(dose >= (double)doses->rbe_min[v] - 0.5001 * step);
    }
    assert_int_equal(most, 255);
  }
  assert_int_equal(ScenarioDosesDestroy(n, &team), 0);
  assert_int_equal(ScenarioDosesDestroy(n, &alone), 0);
}

static void Make(MPI_Comm comm, const ScenarioSet *set, DoseSet *doses)
{
  MakeOf(comm, plan.model, NULL, set, doses);
}

static void CompareLists(const MetricList *a, const MetricList *b)
{
  assert_int_equal(a->n, b->n);
  assert_memory_equal(a->item, b->item, (size_t)a->n * sizeof *a->item);
}

/* DVHs of scenarios: the same as of a rank alone, and together they make the band. */
static void CompareCurves(const ScenarioSet *set, const DVHBand *team, const DVHBand *alone)
{
  assert_int_equal(team->n_scenario, set->n);
  assert_memory_equal(team->scenario, alone->scenario, (size_t)(set->n * team->n) * sizeof(float));
  for (PetscInt i = 0; i < team->n; i++) {
    float lowest = 100, highest = 0;
    for (PetscInt s = 0; s < set->n; s++) {
      if (!set->scenario[s].in_set) continue;
      lowest = PetscMin(lowest, team->scenario[s * team->n + i]);
      highest = PetscMax(highest, team->scenario[s * team->n + i]);
    }
    assert_true(lowest == (float)team->min[i] && highest == (float)team->max[i]);
    assert_true(team->scenario[i] == (float)team->nominal[i]);
  }
}

/* Everything on every rank, to the last bit that of a rank alone. */
static void Compare(const Course *course, const ScenarioSet *set)
{
  DoseSet team, alone;
  MakeOf(PETSC_COMM_WORLD, plan.model, course, set, &team);
  MakeOf(PETSC_COMM_SELF, plan.model, course, set, &alone);
  for (Quantity q = 0; q < n_quantities; q++) {
    assert_int_equal(!team.nominal[q], !DosesHave(set, course, q));
    if (team.nominal[q]) assert_memory_equal(team.nominal[q], alone.nominal[q], alone.size * sizeof(float));
  }
  assert_memory_equal(team.rbe_min, alone.rbe_min, alone.size * sizeof(float));
  assert_memory_equal(team.rbe_max, alone.rbe_max, alone.size * sizeof(float));
  assert_memory_equal(team.rbe_sd, alone.rbe_sd, alone.size * sizeof(float));
  for (PetscInt s = 0; s < set->n; s++) CompareLists(&team.metrics[s], &alone.metrics[s]);
  for (int k = 0; k < SCENARIO_STATISTICS; k++) CompareLists(&team.statistics[k], &alone.statistics[k]);
  assert_true(team.n_band >= 4 && team.n_band % 2 == 0); /* RBE-weighted and LETd, at least, in two regions */
  for (PetscInt b = 0; b < team.n_band; b++) {
    const size_t bytes = (size_t)alone.band[b].n * sizeof(double);
    assert_memory_equal(team.band[b].nominal, alone.band[b].nominal, bytes);
    assert_memory_equal(team.band[b].min, alone.band[b].min, bytes);
    assert_memory_equal(team.band[b].max, alone.band[b].max, bytes);
    CompareCurves(set, &team.band[b], &alone.band[b]);
  }
  CompareScenarios(course, set, &team);
  assert_int_equal(DoseSetDestroy(&team), 0);
  assert_int_equal(DoseSetDestroy(&alone), 0);
}

/* More scenarios than ranks, more than one slice of them has, and so few that ranks have none. */
static void AnyRanks(void **state)
{
  double zero = 0;
  ScenarioSpec spec = {.n_range = 1, .range_percent = &zero, .setup = SETUP_NONE}, random = {.n_range = 1,
                                                                                             .range_percent = &zero,
                                                                                             .setup = SETUP_RANDOM,
                                                                                             .setup_mm = {2, 1, 3},
                                                                                             .n_random = 70,
                                                                                             .range_sigma_percent = 2};
  ScenarioSet *one, *many;
  assert_int_equal(plan.set->n, 15);
  Compare(NULL, plan.set);
  assert_int_equal(ScenarioSetCreate(&random, &many), 0);
  assert_int_equal(many->n, 71);
  Compare(NULL, many);
  assert_int_equal(ScenarioSetDestroy(&many), 0);
  assert_int_equal(ScenarioSetCreate(&spec, &one), 0);
  assert_int_equal(one->n, 1);
  Compare(NULL, one);
  assert_int_equal(ScenarioSetDestroy(&one), 0);
}

/* Channels of all voxels in the nominal scenario, as DoseSetCreate computes them. */
static double *NominalChannels(const ScenarioSet *set)
{
  Factored factored;
  Influence influence;
  double *channels;
  assert_int_equal(PetscMalloc1(plan.n_voxel * N_CHANNELS, &channels), 0);
  assert_int_equal(FactoredCreate(PETSC_COMM_WORLD, plan.model,
                                  &(FactoredVoxels){set, &plan.grid, plan.n_voxel, plan.voxel}, PETSC_FALSE, &factored),
                   0);
  assert_int_equal(FactoredSetWeights(factored, weight), 0);
  assert_int_equal(InfluenceCreateFactored(factored, set, &plan.grid, plan.n_voxel, plan.voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, NULL, channels), 0);
  assert_int_equal(InfluenceDestroy(&influence), 0);
  assert_int_equal(FactoredDestroy(&factored), 0);
  return channels;
}

/* RBE and survival of every voxel are those of the field that reaches it, in the tissue that it is of. */
static void OfPlan(void **state)
{
  DoseSet doses;
  double *channels = NominalChannels(plan.set);
  PetscInt with_dose[2] = {0, 0};
  Make(PETSC_COMM_WORLD, plan.set, &doses);
  for (PetscInt v = 0; v < plan.n_voxel; v++) {
    const double *c = channels + v * N_CHANNELS;
    const PetscInt tissue = TissueOf(&plan.tissues, v);
    const BiologySpec *spec = &plan.biology[tissue].spec;
    FieldDose field = {c[CHANNEL_DOSE], c[CHANNEL_ALPHA], c[CHANNEL_SQRT_BETA], c[CHANNEL_LET]};
    double rbe = FieldRBE(spec, field), survival = SurvivalFraction(FieldEffect(spec, field, NULL));
    if (doses.nominal[QUANTITY_RBE][v] == 0) { /* no dose worth speaking of */
      assert_double_near(doses.nominal[QUANTITY_SURVIVAL][v], 1, 0);
      assert_double_near(survival, 1, 1e-3);
      continue;
    }
    with_dose[tissue]++;
    assert_double_near(doses.nominal[QUANTITY_RBE][v], rbe, 1e-6 * rbe);
    assert_double_near(doses.nominal[QUANTITY_SURVIVAL][v], survival, 1e-6);
  }
  assert_int_equal(with_dose[1], plan.oar.n);
  assert_true(with_dose[0] > plan.n_voxel / 2);
  assert_int_equal(PetscFree(channels), 0);
  assert_int_equal(DoseSetDestroy(&doses), 0);
}

/* RBE-weighted dose of a voxel with another response, by hand from the channels; of another model alpha is 0.7 of the tissue's own. */
static double OtherDose(PetscInt v, const double *c, const char *name)
{
  const PetscInt tissue = TissueOf(&plan.tissues, v);
  const PetscBool scaled = !strcmp(name, tiny_scaled) && tissue == 1, other = !strcmp(name, tiny_other);
  const double alpha = scaled ? 1.3 : other ? 0.7 : 1, beta = scaled ? 0.6 : other ? 0.9 : 1;
  const FieldDose field = {c[CHANNEL_DOSE], alpha * c[CHANNEL_ALPHA], sqrt(beta) * c[CHANNEL_SQRT_BETA],
                           c[CHANNEL_LET]};
  return RBEWeightedDose(&plan.biology[tissue].spec, FieldEffect(&plan.biology[tissue].spec, field, NULL), NULL);
}

/* Scenarios with other responses: those that change nothing have the plan's bits, the others what their factors and models say. */
static void OtherResponses(void **state)
{
  char *names[] = {tiny_same, tiny_scaled, tiny_other};
  double zero = 0, shifts[][3] = {{0, 0, 0}, {1, 0, -1}};
  ScenarioSpec spec = {.n_range = 1, .range_percent = &zero, .setup = SETUP_NONE, .n_biology = 1, .axes = TinyAxes()};
  ScenarioSet *set;
  DoseSet doses;
  for (int k = 0; k < 3; k++) {
    spec.biology = names + k;
    assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
    double *channels = NominalChannels(set);
    Make(PETSC_COMM_WORLD, set, &doses); /* of which the response alone is in the set */
    assert_memory_equal(doses.rbe_min, doses.rbe_max, doses.size * sizeof(float));
    for (size_t v = 0; v < doses.size; v++) {
      const double want = OtherDose((PetscInt)v, channels + v * N_CHANNELS, names[k]);
      const double off = k == 2 ? 1e-4 : 1e-9; /* another model has planes of its own */
      if (doses.nominal[QUANTITY_PHYSICAL][v] > 0) assert_double_near(doses.rbe_max[v], want, 1e-6 * want + off);
    }
    assert_int_equal(PetscFree(channels), 0);
    if (!k) assert_memory_equal(doses.rbe_min, doses.nominal[QUANTITY_RBE_WEIGHTED], doses.size * sizeof(float));
    assert_int_equal(DoseSetDestroy(&doses) || ScenarioSetDestroy(&set), 0);
  }
  spec = (ScenarioSpec){.n_range = 1,
                        .range_percent = &zero,
                        .setup = SETUP_LIST,
                        .n_shift = 2,
                        .shift_mm = shifts,
                        .n_biology = 3,
                        .biology = names,
                        .axes = TinyAxes()};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_true(set->n == 7 && set->n_sums == 4); /* of two shifts, by two models */
  Compare(NULL, set);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/*
 * The dose above an LET threshold is the alpha channel of tables of its own, here 0.7 of the tissues' alpha; what else there is stays,
 * and factors on the response of cells do not touch it.
 */
static void HighLET(void **state)
{
  char *names[] = {(char *)BIOLOGY_NOMINAL, tiny_scaled};
  double range[] = {0, 3};
  const ScenarioSpec spec = {
      .n_range = 2, .range_percent = range, .setup = SETUP_NONE, .n_biology = 2, .biology = names, .axes = TinyAxes()};
  ScenarioSet *set;
  DoseSet without, with;
  double most = 0;
  PetscInt n_high = 0;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n, 4);
  double *channels = NominalChannels(set);
  Make(PETSC_COMM_WORLD, set, &without);
  set->other_model = 1;
  Make(PETSC_COMM_WORLD, set, &with);
  assert_null(without.nominal[QUANTITY_HIGH_LET]);
  for (size_t v = 0; v < with.size; v++) most = PetscMax(most, (double)with.nominal[QUANTITY_HIGH_LET][v]);
  for (size_t v = 0; v < with.size; v++) { /* other tables make other planes */
    const double want = with.nominal[QUANTITY_PHYSICAL][v] > 0 ? 0.7 * channels[v * N_CHANNELS + CHANNEL_ALPHA] : 0;
    assert_double_near(with.nominal[QUANTITY_HIGH_LET][v], want, 1e-4 * most);
  }
  for (Quantity q = 0; q < n_quantities; q++)
    if (without.nominal[q]) assert_memory_equal(with.nominal[q], without.nominal[q], with.size * sizeof(float));
  for (PetscInt i = 0; i < with.metrics[0].n; i++) {
    const Metric *own = &with.metrics[0].item[i], *scaled = &with.metrics[1].item[i],
                 *longer = &with.metrics[2].item[i];
    if (own->quantity != QUANTITY_HIGH_LET) continue;
    n_high++;
    assert_true(own->value == scaled->value && own->value > 0 && own->value != longer->value);
  }
  assert_int_equal(n_high, 2 * 8); /* D98 to Dmean in two regions */
  assert_true(set->scenario[1].factor && set->scenario[2].range_percent == 3);
  assert_int_equal(with.n_band, without.n_band + 2);
  assert_true(most > 0);
  Compare(NULL, set);
  assert_int_equal(PetscFree(channels) || DoseSetDestroy(&with) || DoseSetDestroy(&without), 0);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* A plan in stages: what it tells is what the stages alone give, added up fraction by fraction. */
static void OfCourse(void **state)
{
  Course course = {.alpha_beta_Gy = 2};
  DoseSet whole, part[2];
  CourseAddStage(&course, "low", 9, plan.beams, 0, 2);
  CourseAddStage(&course, "high", 7, plan.beams, 2, 1);
  for (PetscInt k = 0; k < 2; k++) {
    assert_int_equal(DoseModelCreate(&plan.patient, &plan.machine, &plan.tissues, &course.stage[k].beams, 0.002,
                                     &course.stage[k].model),
                     0);
    MakeOf(PETSC_COMM_WORLD, course.stage[k].model, NULL, plan.set, &part[k]);
  }
  for (int accumulation = 0; accumulation < 2; accumulation++) {
    course.accumulation = (Accumulation)accumulation;
    const Quantity of_course = CourseDose(&course);
    double highest = 0;
    MakeOf(PETSC_COMM_WORLD, NULL, &course, plan.set, &whole);
    for (size_t v = 0; v < whole.size; v++) {
      double sum[4] = {0};
      for (PetscInt k = 0; k < 2; k++) {
        const double n = course.stage[k].fractions, physical = (double)part[k].nominal[QUANTITY_PHYSICAL][v],
                     d = (double)part[k].nominal[QUANTITY_RBE_WEIGHTED][v];
        sum[0] += n * physical;
        sum[1] += n * d;
        sum[2] += n * d * (d + 2) / 4; /* EQD2 */
        sum[3] += n * physical * (double)part[k].nominal[QUANTITY_LETD][v];
      }
      const double course_dose = accumulation ? sum[2] : sum[1];
      highest = PetscMax(highest, course_dose);
      assert_double_near(whole.nominal[QUANTITY_PHYSICAL][v], sum[0] / 16, 1e-6 * sum[0]);
      assert_double_near(whole.nominal[of_course][v], course_dose, 3e-6 * course_dose);
      assert_double_near(CourseTotal(&course, (double)whole.nominal[QUANTITY_RBE_WEIGHTED][v]), course_dose,
                         3e-6 * course_dose);
      if (sum[0] > 0) assert_double_near(whole.nominal[QUANTITY_LETD][v], sum[3] / sum[0], 1e-4);
    }
    assert_true(highest > 10);
    assert_int_equal(whole.metrics[0].n, part[0].metrics[0].n + 2 * 8); /* D98 to Dmean of the course in two regions */
    assert_int_equal(DoseSetDestroy(&whole), 0);
    Compare(&course, plan.set);
  }
  for (PetscInt k = 0; k < 2; k++) {
    assert_int_equal(DoseSetDestroy(&part[k]), 0);
    assert_int_equal(DoseModelDestroy(&course.stage[k].model), 0);
  }
}

static int Start(void **state)
{
  uint64_t seed = 5;
  if (PetscInitializeNoArguments() || TinyPlanCreate(&plan, 2, 0)) return 1;
  plan.target.name = (char *)"CTV";
  plan.oar.name = (char *)"OAR";
  if (PetscMalloc1(plan.beams->n_spot, &weight)) return 1;
  for (PetscInt i = 0; i < plan.beams->n_spot; i++) weight[i] = 2e6 * TinyRandom(&seed);
  return 0;
}

static int Stop(void **state)
{
  return PetscFree(weight) || TinyPlanDestroy(&plan) || PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ByHand),         cmocka_unit_test(SameChannels),
                                     cmocka_unit_test(AnyRanks),       cmocka_unit_test(OfPlan),
                                     cmocka_unit_test(OtherResponses), cmocka_unit_test(HighLET),
                                     cmocka_unit_test(OfCourse)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
