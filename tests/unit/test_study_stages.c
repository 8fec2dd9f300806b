/* Stages of a study: values, defaults, slips. */
#include "test_study.h"

static const char *const FILE_NAME = STUDIES "e2e-stages.yaml";

static void Values(void **state)
{
  char *text = StudyText(FILE_NAME, 0, NULL);
  Study *study = GoodStudy(text, 0, NULL);
  assert_int_equal(study->n_plans, 2);
  const Settings *together = &study->plans[0].settings, *sequential = &study->plans[1].settings;
  assert_true(together->course.together && !sequential->course.together);
  assert_int_equal(together->course.accumulation, ACCUMULATE_GY_RBE);
  assert_int_equal(sequential->course.accumulation, ACCUMULATE_EQD2);
  assert_true(sequential->course.alpha_beta_Gy == 2);
  assert_int_equal(together->course.n_stages, 2);
  const StageSpec *wide = &together->course.stages[0], *boost = &together->course.stages[1];
  assert_string_equal(wide->name, "wide");
  assert_string_equal(wide->target, "CTV");
  assert_string_equal(wide->where, "study.yaml:10:26");
  assert_true(wide->fractions == 3 && wide->n_beams == 0 && wide->dose_Gy_RBE == 4);
  assert_true(boost->fractions == 2 && boost->n_beams == 1 && boost->beams[0].gantry_deg == 180);
  assert_true(boost->beams[0].range_shifter.thickness_mm == 0);
  assert_int_equal(together->objectives[0].stage, 0);
  assert_int_equal(together->objectives[1].stage, 1);
  assert_int_equal(together->objectives[2].stage, COURSE_MEAN);
  Study *again = GoodStudy(study->yaml, 0, NULL);
  assert_string_equal(study->yaml, again->yaml);
  assert_int_equal(StudyDestroy(&again) || StudyDestroy(&study), 0);
  assert_int_equal(PetscFree(text), 0);
}

static void WithoutStages(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL);
  Study *study = GoodStudy(text, 0, NULL);
  const Settings *s = &study->plans[0].settings;
  assert_int_equal(s->course.n_stages, 0);
  for (PetscInt o = 0; o < s->n_objectives; o++) assert_int_equal(s->objectives[o].stage, 0);
  assert_int_equal(StudyDestroy(&study), 0);
  assert_int_equal(PetscFree(text), 0);
}

static void Slips(void **state)
{
  AssertMistake(FILE_NAME, 10, "  - {name: wide, target: CTV, fractions: 4}",
                "study.yaml:10:3: stages: found 6 fractions in all, expected 5 (prescription.fractions)");
  AssertMistake(FILE_NAME, 10,
                "  - {name: wide, target: CTV, fractions: 2}\n  - {name: wide, target: CTV, fractions: 1}",
                "study.yaml:11:12: stages.1.name: found wide again, expected every stage to have a name of its own");
  AssertMistake(FILE_NAME, 19, "  - {structure: CTV, type: uniform, dose_Gy_RBE: 4, weight: 100, stage: boots}",
                "study.yaml:19:73: objectives.1.stage: found boots, expected the name of a stage; did you mean boost?");
  AssertMistake(FILE_NAME, 10, "  - {name: wide, target: CTV, fractions: 3, dose: 4}",
                "study.yaml:10:45: stages.0.dose: unknown key, did you mean dose_Gy_RBE?");
}

static void GoalSlips(void **state)
{
  AssertMistake(FILE_NAME, 29, "  - {structure: CTV, metric: D95, per: course}",
                "study.yaml:29:5: goals.1: found no limit, expected one of at_least and at_most");
  AssertMistake(FILE_NAME, 29, "  - {structure: CTV, metric: V95, at_least: 95, of: prescription}",
                "study.yaml:29:53: goals.1.of: found prescription with V95, expected a metric of dose");
  static const char *const forms = "expected one as Dmean, Dmax, D95 (%), D0.5cc, DC30 or DC700cc (coolest), V95 (% of "
                                   "the prescription), V20Gy, V20Gy_cc";
  char expected[400];
  snprintf(expected, sizeof expected,
           "study.yaml:29:30: goals.1.metric: found D101, %s, L98, L50, L1, Lmean, or of the study's outcomes one as "
           "NTCP-name",
           forms);
  AssertMistake(FILE_NAME, 29, "  - {structure: CTV, metric: D101, at_least: 95}", expected);
  AssertMistake(FILE_NAME, 29, "  - {structure: CTV, metric: V30, at_least: 95, per: course}",
                "study.yaml:29:54: goals.1.per: found course with V30, expected a metric of dose");
  AssertMistake(FILE_NAME, 29, "  - {structure: CTV, metric: V30, at_least: 95, quantity: physical}",
                "study.yaml:29:59: goals.1.quantity: found physical with V30, expected rbe_weighted");
  snprintf(expected, sizeof expected, "study.yaml:31:36: metrics.0.metric: found L98, %s", forms);
  AssertMistake(FILE_NAME, 31, "metrics: [{structure: CTV, metric: L98}]", expected);
  AssertMistake(
      FILE_NAME, 31,
      "  - {structure: rim, metric: NTCP-a, at_most: 5}\noutcomes: [{name: a, structure: CTV, model: mayo}]",
      "study.yaml:31:17: goals.3.structure: found rim with NTCP-a, expected the structure of that outcome, CTV");
}

static void StageWithoutAim(void **state)
{
  Mistakes mistakes = {0};
  char *text = StudyText(FILE_NAME, 18, NULL);
  assert_null(ParseText(text, 0, NULL, &mistakes));
  assert_int_equal(mistakes.n, 1); /* together the course's objective is enough for both */
  assert_non_null(strstr(mistakes.item[0].text, "arm sequential: stages.0: found no objective with stage: wide"));
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(PetscFree(text), 0);
}

/* Which plan each one takes its first stage from: what comes later, or only judges, does not count. */
static void SharedStages(void **state)
{
  static const char *const set[] = {
      "course.planning=sequential",
      "cases=[{phantom: water-box}, {phantom: water-box, name: other}]",
      "arms={}",
      "arms.first={course.accumulate: eqd2}",
      "arms.boost={course.accumulate: eqd2, objectives.1.weight: 7}",
      "arms.course={course.accumulate: eqd2, constraints: [{structure: inner, type: mean-equal, percent: 90}], goals: "
      "[]}",
      "arms.judged={course.accumulate: eqd2, scenarios.evaluate.range_percent: [-5, 5]}",
      "arms.wide={course.accumulate: eqd2, objectives.0.weight: 7}",
      "arms.spots={course.accumulate: eqd2, spots.layer_mm: 5}",
      "arms.wider={course.accumulate: eqd2, objectives.0.weight: 7, objectives.3.weight: 1}",
      "arms.nominal={course.accumulate: eqd2, robust: none}",
      "arms.together={course: {planning: together, accumulate: eqd2}}"};
  static const PetscInt from[] = {0, 0, 0, 0, 4, 5, 4, 7, 8};
  char *text = StudyText(FILE_NAME, 0, NULL);
  Study *study = GoodStudy(text, PETSC_STATIC_ARRAY_LENGTH(set), set);
  assert_int_equal(study->n_plans, 18);
  for (PetscInt p = 0; p < 18; p++) {
    assert_int_equal(study->plans[p].stage_from[0], p - p % 9 + from[p % 9]);
    assert_int_equal(study->plans[p].stage_from[1], p); /* the last one is never shared */
  }
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Values),          cmocka_unit_test(WithoutStages),
                                     cmocka_unit_test(Slips),           cmocka_unit_test(GoalSlips),
                                     cmocka_unit_test(StageWithoutAim), cmocka_unit_test(SharedStages)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
