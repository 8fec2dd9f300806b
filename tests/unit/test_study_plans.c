/* Arms, sweeps and --set: which plans come of them, and how their mistakes are told. */
#include "test_study.h"
#include <math.h>

static const PlanSpec *FindPlan(const Study *study, const char *patient, const char *arm, const char *sweep)
{
  for (PetscInt i = 0; i < study->n_plans; i++)
    if (!strcmp(study->plans[i].case_name, patient) && !strcmp(study->plans[i].arm, arm) &&
        !strcmp(study->plans[i].sweep, sweep))
      return &study->plans[i];
  fail_msg("no plan %s/%s/%s", patient, arm, sweep);
  return NULL;
}

static void TestExpansion(void **state)
{
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  Study *study = GoodStudy(text, 0, NULL);
  const char *sweep = "spots.layer_mm=3,beams.0.isocentre_mm=[1, 2, 3]";
  assert_int_equal(study->n_plans, 2 * 4 * 3 * 2);
  /* by case, then arm, then sweep point, the last key fastest */
  assert_string_equal(study->plans[0].sweep, "spots.layer_mm=2,beams.0.isocentre_mm=[0, 0, 0]");
  assert_string_equal(study->plans[1].sweep, "spots.layer_mm=2,beams.0.isocentre_mm=[1, 2, 3]");
  assert_string_equal(study->plans[2].sweep, "spots.layer_mm=3,beams.0.isocentre_mm=[0, 0, 0]");
  assert_int_equal(study->plans[3].n_place, 2); /* where they stand on its axes: on that of numbers at which */
  assert_string_equal(study->plans[3].place[0].axis, "spots.layer_mm");
  assert_string_equal(study->plans[3].place[0].label, "spots.layer_mm=3");
  assert_true(study->plans[3].place[0].value == 3 && isnan(study->plans[3].place[1].value));
  assert_string_equal(study->plans[6].arm, "nominal");
  assert_string_equal(study->plans[24].case_name, "b");
  assert_int_equal(study->plans[24].case_index, 1);
  assert_non_null(strstr(study->plans[24].yaml, "heterogeneous: true"));

  const Settings *same = &FindPlan(study, "a", "same", sweep)->settings;
  assert_true(same->robust.mode == ROBUST_VOXELWISE && same->robust.on_effect && same->beams.spots.lateral_mm == 4);
  assert_true(same->beams.spots.layer_mm == 3 && same->beams.beam[0].isocentre_mm[1] == 2 &&
              !same->beams.beam[1].has_isocentre);
  const Settings *nominal = &FindPlan(study, "a", "nominal", sweep)->settings;
  assert_true(nominal->robust.mode == ROBUST_NONE && !nominal->robust.on_effect); /* the word replaced the mapping */
  const Settings *nested = &FindPlan(study, "b", "nested", sweep)->settings;
  assert_true(nested->beams.spots.lateral_mm == 5 && nested->beams.spots.layer_mm == 3 &&
              nested->objectives[1].weight == 7);
  assert_true(nested->objectives[0].weight == 100 && nested->robust.importance == 3 && nested->robust.on_effect);
  const Settings *dotted = &FindPlan(study, "b", "dotted", sweep)->settings;
  assert_true(dotted->beams.spots.lateral_mm == 6 && dotted->robust.mode == ROBUST_EXPECTED && dotted->beams.n == 1);
  assert_true(dotted->beams.beam[0].gantry_deg == 270 && dotted->beams.beam[0].isocentre_mm[0] == 1);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

/* A case's own settings lie over the study's and below those of arm, sweep and command line; what it has is told of it alone. */
static void TestCases(void **state)
{
  const char *const cases =
      "cases=[{phantom: rtog, name: a}, {phantom: rtog, name: b, set: {prescription: {dose_Gy_RBE: 7, fractions: 6}, "
      "beams: [{gantry_deg: 0}, {gantry_deg: 30}, {gantry_deg: 60}], objectives.1.weight: 4, spots.lateral_mm: 9, "
      "goals: "
      "[{structure: CTV, metric: D95, at_least: 95, of: prescription}]}}, {phantom: rtog, name: c, set: "
      "{biology.model: "
      "mkm}}, {phantom: rtog, name: d}]";
  const char *const set[] = {cases, "sweep={}", "spots.layer_mm=5", "objectives.1.weight=8"};
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  Study *study = GoodStudy(text, 2, (const char *const[]){cases, "sweep={}"});
  for (int again = 0; again < 2; again++) {
    const Settings *a = &FindPlan(study, "a", "same", "")->settings, *b = &FindPlan(study, "b", "same", "")->settings,
                   *c = &FindPlan(study, "c", "same", "")->settings;
    assert_true(a->prescription_Gy_RBE == 3 && a->fractions == 1 && a->beams.n == 2 && a->n_goals == 0);
    assert_true(b->prescription_Gy_RBE == 7 && b->fractions == 6 && b->beams.n == 3 && b->n_goals == 1);
    assert_string_equal(b->target, "CTV"); /* merged */
    assert_true(b->objectives[1].weight == 4 && b->beams.spots.lateral_mm == 9 && b->robust.on_effect);
    assert_string_equal(a->biology.model, "lem1");
    assert_string_equal(c->biology.model, "mkm");
    assert_string_equal(c->biology.cell_line, "hsg"); /* the default of its own model */
    const Settings *nested = &FindPlan(study, "b", "nested", "")->settings,
                   *dotted = &FindPlan(study, "b", "dotted", "")->settings;
    assert_true(nested->beams.spots.lateral_mm == 5 && nested->objectives[1].weight == 7 && nested->fractions == 6);
    assert_true(dotted->beams.n == 1 && dotted->prescription_Gy_RBE == 7);
    assert_null(strstr(FindPlan(study, "b", "same", "")->yaml, "set:")); /* it has been set */
    if (again) break;
    Study *written = GoodStudy(study->yaml, 0, NULL);
    for (PetscInt i = 0; i < study->n_plans; i++) assert_string_equal(written->plans[i].yaml, study->plans[i].yaml);
    assert_int_equal(StudyDestroy(&study), 0);
    study = written;
  }
  assert_int_equal(StudyDestroy(&study), 0);
  study = GoodStudy(text, 4, set); /* the command line wins */
  for (PetscInt i = 0; i < study->n_plans; i++)
    assert_true(study->plans[i].settings.beams.spots.layer_mm == 5 &&
                study->plans[i].settings.objectives[1].weight == 8);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

/* Plans share an optimisation with others of their case alone, by what the case has. */
static void TestCasesShare(void **state)
{
  const char *const set[] = {"cases=[{phantom: rtog, name: a}, {phantom: rtog, name: b, set: {goals: [{structure: CTV, "
                             "metric: D95, at_least: 2}]}}, "
                             "{phantom: rtog, name: c, set: {robust: none}}]",
                             "arms={}",
                             "arms.one={}",
                             "arms.judged={goals: [{structure: OAR, metric: D2, at_most: 1}]}",
                             "arms.two={robust: expected}",
                             "sweep={}"};
  static const PetscInt by[] = {0, 0, 2, 3, 3, 5, 6, 6, 8};
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  Study *study = GoodStudy(text, 6, set);
  assert_int_equal(study->n_plans, 9);
  for (PetscInt i = 0; i < 9; i++) assert_int_equal(study->plans[i].optimized_by, by[i]);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

static void TestCaseMistakes(void **state)
{
  static const struct {
    const char *line, *expected;
  } slip[] = {
      {"  - {phantom: rtog, name: b, set: {prescription.dose_Gy_RBE: -2}}",
       "study.yaml:5:62: prescription.dose_Gy_RBE: found -2, expected a number above 0 (Gy(RBE))"},
      {"  - {phantom: rtog, name: b, set: {arms: {}}}",
       "study.yaml:5:36: cases.1.set.arms: found arms, which is the same for all plans of a study"},
      {"  - {phantom: rtog, name: b, set: {beems: []}}",
       "study.yaml:5:36: cases.1.set.beems: unknown key, did you mean beams?"},
      {"  - {phantom: rtog, name: b, set: {objectives.1.type: max-dvh}}",
       "study.yaml:5:5: case b: objectives.1: found no volume_percent, expected it with type max-dvh"},
  };
  for (size_t i = 0; i < sizeof slip / sizeof *slip; i++)
    AssertMistake(STUDIES "plans.yaml", 5, slip[i].line, slip[i].expected);
}

static void TestFolders(void **state)
{
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  Study *study = GoodStudy(text, 1, (const char *const[]){"sweep.spots.margin_mm=[1, 2.5]"});
  for (PetscInt i = 0; i < study->n_plans; i++) {
    const char *folder = study->plans[i].folder;
    assert_int_equal(strspn(folder, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+=,/"),
                     strlen(folder));
    for (PetscInt k = 0; k < i; k++) assert_string_not_equal(folder, study->plans[k].folder);
  }
  assert_int_equal(StudyDestroy(&study), 0);
  assert_int_equal(PetscFree(text), 0);
  text = StudyText(STUDIES "good.yaml", 0, NULL);
  study = GoodStudy(text, 0, NULL);
  assert_string_equal(study->plans[3].folder, "cases/plain/robust/spots.layer_mm=3");
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

/* The labels of the points of one sweep, in order, and what the last of them sets. */
static Study *SweepStudy(const char *line, PetscInt n, const char *const *label)
{
  char *text = StudyText(STUDIES "good.yaml", 25, line);
  Study *study = GoodStudy(text, 1, (const char *const[]){"arms={}"});
  assert_int_equal(study->n_plans % n, 0);
  for (PetscInt i = 0; i < n; i++) assert_string_equal(study->plans[i].sweep, label[i]);
  assert_int_equal(PetscFree(text), 0);
  return study;
}

static void TestSweepForms(void **state)
{
  static const char *const step[] = {"spots.layer_mm=2", "spots.layer_mm=2.1", "spots.layer_mm=2.2",
                                     "spots.layer_mm=2.3"};
  Study *study = SweepStudy("sweep: {spots.layer_mm: {range: [2, 2.3, 0.1]}}", 4, step);
  assert_true(study->plans[3].settings.beams.spots.layer_mm == 2.3);
  assert_string_equal(study->plans[1].folder, "cases/plain/plan/spots.layer_mm=2.1");
  assert_int_equal(StudyDestroy(&study), 0);
  static const char *const equal[] = {"spots.layer_mm=4", "spots.layer_mm=3", "spots.layer_mm=2"};
  study = SweepStudy("sweep: {spots.layer_mm: {linspace: [4, 2, 3]}}", 3, equal);
  assert_int_equal(StudyDestroy(&study), 0);
  static const char *const ratio[] = {"objectives.0.weight=0.01", "objectives.0.weight=0.1", "objectives.0.weight=1",
                                      "objectives.0.weight=10"};
  study = SweepStudy("sweep: {objectives.0.weight: {logspace: [0.01, 10, 4]}}", 4, ratio);
  assert_true(study->plans[1].settings.objectives[0].weight == 0.1);
  assert_int_equal(StudyDestroy(&study), 0);
  static const char *const zip[] = {"spots.layer_mm=2,spots.lateral_mm=3", "spots.layer_mm=3,spots.lateral_mm=5"};
  study = SweepStudy("sweep: {grid: {zip: {spots.layer_mm: [2, 3], spots.lateral_mm: [3, 5]}}}", 2, zip);
  assert_true(study->plans[1].settings.beams.spots.lateral_mm == 5 &&
              study->plans[1].settings.beams.spots.layer_mm == 3);
  assert_int_equal(StudyDestroy(&study), 0);
  static const char *const named[] = {"spots.layer_mm=2,cells=hard", "spots.layer_mm=2,cells=soft",
                                      "spots.layer_mm=3,cells=hard", "spots.layer_mm=3,cells=soft"};
  study = SweepStudy("sweep: {spots.layer_mm: [2, 3], cells: {points: {hard: {biology.alpha_x_per_Gy: 0.05}, soft: "
                     "{biology: {alpha_x_per_Gy: 0.3, beta_x_per_Gy2: 0.02}}}}}",
                     4, named);
  assert_true(study->plans[3].settings.biology.alpha_x_per_Gy == 0.3 &&
              study->plans[3].settings.biology.beta_x_per_Gy2 == 0.02);
  assert_string_equal(study->plans[3].folder, "cases/plain/plan/spots.layer_mm=3,cells=soft");
  /* the effective study makes the same plans */
  Study *again = GoodStudy(study->yaml, 0, NULL);
  assert_int_equal(again->n_plans, study->n_plans);
  for (PetscInt p = 0; p < again->n_plans; p++) assert_string_equal(again->plans[p].yaml, study->plans[p].yaml);
  assert_int_equal(StudyDestroy(&again) || StudyDestroy(&study), 0);
}

/* Evaluation scenarios make no other optimisation; anything else does. */
static void TestSharedOptimizations(void **state)
{
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  static const char *const set[] = {"sweep={}",
                                    "scenarios.evaluate={setup: axes, setup_mm: 1}",
                                    "sweep.scenarios.evaluate.setup_mm=[1, 2, 3]",
                                    "arms={}",
                                    "arms.first={}",
                                    "arms.finer={spots: {layer_mm: 1.5}}",
                                    "arms.wider={scenarios.evaluate.range_percent: [-5, 0, 5]}"};
  Study *study = GoodStudy(text, PETSC_STATIC_ARRAY_LENGTH(set), set);
  static const PetscInt by[] = {0, 0, 0, 3, 3, 3, 0, 0, 0}; /* of each case */
  assert_int_equal(study->n_plans, 18);
  for (PetscInt p = 0; p < study->n_plans; p++) assert_int_equal(study->plans[p].optimized_by, p - p % 9 + by[p % 9]);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

/* The effective study, read again, makes the same plans, whatever arms and sweep change. */
static void TestWrittenStudy(void **state)
{
  static const char *const set[] = {
      "sweep={}",
      "sweep.biology.model=[lem1, mkm]",
      "objectives=[{structure: CTV, type: uniform, dose_Gy_RBE: 4, stage: wide}, {structure: inner, type: uniform, "
      "dose_Gy_RBE: 4, stage: boost}, {structure: inner, type: tcp}, {structure: rim, type: maximum, dose_Gy_RBE: 1}]",
      "arms={}",
      "arms.tcp={}",
      "arms.other={objectives.2: {type: max-dvh, dose_Gy_RBE: 3, volume_percent: 10}, objectives.3.type: overdose}",
      "arms.course={objectives.0: {type: tcp}, objectives.2: {type: min-let, let_keV_um: 30}}",
      "arms.goal={objectives.3: {type: uniform, dose_Gy: 2}}"};
  char *text = StudyText(STUDIES "e2e-stages.yaml", 0, NULL);
  Study *study = GoodStudy(text, PETSC_STATIC_ARRAY_LENGTH(set), set), *again = GoodStudy(study->yaml, 0, NULL);
  assert_string_equal(again->yaml, study->yaml);
  assert_int_equal(study->n_plans, 8);
  assert_int_equal(again->n_plans, study->n_plans);
  for (PetscInt p = 0; p < study->n_plans; p++) assert_string_equal(study->plans[p].yaml, again->plans[p].yaml);
  const ObjectiveSpec *objective = FindPlan(study, "water-box", "goal", "biology.model=lem1")->settings.objectives;
  assert_true(objective[3].quantity == QUANTITY_PHYSICAL && objective[3].goal == 2);
  objective = FindPlan(study, "water-box", "course", "biology.model=mkm")->settings.objectives;
  assert_true(objective[0].stage == COURSE_MEAN && objective[0].goal == 0);
  assert_int_equal(StudyDestroy(&study) || StudyDestroy(&again) || PetscFree(text), 0);
}

static void TestArmMistakes(void **state)
{
  static const struct {
    const char *line, *mistake;
  } slips[] = {
      {"arms: {a: {robust: {mode: vox}}}", "24:27: robust.mode: found vox, expected none, expected, composite, "
                                           "voxelwise, objectivewise, cvar, probabilistic or percentile"},
      {"arms: {a: {spots: {latral_mm: 3}}}", "24:20: spots.latral_mm: unknown key, did you mean lateral_mm?"},
      {"arms: {a: {spots.latral_mm: 3}}", "24:12: arms.a.spots.latral_mm: unknown key, did you mean spots.lateral_mm?"},
      {"arms: {a: {lateral_mm: 3}}", "24:12: arms.a.lateral_mm: unknown key, did you mean spots.lateral_mm?"},
      {"arms: {a: {dose_grid_mm: -1}, b: {}}", "24:26: dose_grid_mm: found -1, expected a number above 0 (mm)"},
      {"arms: {a: {dose_grid_mm.x: 1}}",
       "24:12: arms.a.dose_grid_mm.x: unknown key, dose_grid_mm holds no keys or entries"},
      {"arms: {a: {objectives.2.weight: 1}}",
       "24:12: arms.a.objectives.2.weight: found entry 2, but objectives has 2, counted from 0"},
      {"arms: {a: {objectives.CTV.weight: 1}}",
       "24:12: arms.a.objectives.CTV.weight: found CTV, expected the number of an entry of objectives (from 0)"},
      {"arms: {a: {cases: []}}", "24:12: arms.a.cases: found cases, which is the same for all plans of a study"},
      {"arms: {a: {name: x}}", "24:12: arms.a.name: found name, which is the same for all plans of a study"},
      /* the robust key is fine where it stands, and so is the arm's: only together they make no sense */
      {"arms: {a: {}, b: {scenarios: {optimize: {range_percent: [0], setup: none}}}}",
       "24:15: arm b: robust: found voxelwise with the nominal scenario alone, expected scenarios.optimize to hold "
       "more"},
  };
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(slips); i++) {
    char expected[512];
    snprintf(expected, sizeof expected, "study.yaml:%s", slips[i].mistake);
    AssertMistake(STUDIES "good.yaml", 24, slips[i].line, expected);
  }
}

static void TestSweepMistakes(void **state)
{
  static const struct {
    const char *line, *mistake;
  } slips[] = {
      {"sweep: {spots.latral_mm: [2, 3]}", "25:9: sweep.spots.latral_mm: unknown key, did you mean spots.lateral_mm?"},
      {"sweep: {spots.layer_mm: [2, 0]}", "25:29: spots.layer_mm: found 0, expected a number above 0 (mm)"},
      {"sweep: {spots.layer_mm: [2, 2.0]}", "25:29: sweep.spots.layer_mm: found 2.0 again, expected it once"},
      {"sweep: {arms: [{}]}", "25:9: sweep.arms: found arms, which is the same for all plans of a study"},
      {"sweep: {spots.layer_mm: {range: [2, 3, -1]}}", "25:33: sweep.spots.layer_mm.range: found [2, 3, -1], "
                                                       "expected [first, last, step] with a step from the first "
                                                       "towards the last"},
      {"sweep: {spots.layer_mm: {linspace: [2, 3, 1.5]}}", "25:36: sweep.spots.layer_mm.linspace: found [2, 3, 1.5], "
                                                           "expected [first, last, how many] with a whole number of "
                                                           "at least 2"},
      {"sweep: {spots.layer_mm: {logspace: [0, 3, 4]}}",
       "25:36: sweep.spots.layer_mm.logspace: found [0, 3, 4], expected first and last above 0"},
      {"sweep: {spots.layer_mm: {linspce: [2, 3, 4]}}",
       "25:26: sweep.spots.layer_mm.linspce: unknown key, did you mean linspace?"},
      {"sweep: {spots.layer_mm: {linspace: [2, 3]}}",
       "25:36: sweep.spots.layer_mm.linspace: found a list of 2, expected a list of 3 numbers"},
      {"sweep: {spots.layer_mm: {linspace: [2, 3, 4], range: [2, 3, 1]}}",
       "25:25: sweep.spots.layer_mm: found 2 keys, expected one of range, linspace, logspace, zip, points"},
      {"sweep: {a: {zip: {spots.layer_mm: [2, 3], spots.lateral_mm: [3]}}}",
       "25:61: sweep.a.zip.spots.lateral_mm: found a list of 1, expected one of 2 as at spots.layer_mm"},
      {"sweep: {a: {zip: {spots.layer_mm: [2, 3, 2], spots.lateral_mm: [3, 3, 3]}}}",
       "25:42: sweep.a: found spots.layer_mm=2,spots.lateral_mm=3 again, expected it once"},
      {"sweep: {spots.layer_mm: [2, 3], a: {points: {x: {spots.layer_mm: 4}}}}",
       "25:33: sweep.a: found spots.layer_mm, which the sweep of spots.layer_mm varies already"},
      {"sweep: {a: {points: {x: {spots.layr_mm: 4}}}}",
       "25:26: sweep.spots.layr_mm: unknown key, did you mean spots.layer_mm?"},
      {"sweep: {a: {points: {x/y: {spots.layer_mm: 4}}}}",
       "25:22: sweep.a.points: found \"x/y\", expected a name that can be a folder (up to 100 letters, digits, . _ - + "
       "= ,)"},
      {"sweep: {a: {zip: {}}}", "25:18: sweep.a.zip: found nothing, expected keys, each with a list of values"},
      {"sweep: {a: {points: {}}}",
       "25:21: sweep.a.points: found nothing, expected names, each with the keys it changes"},
      {"sweep: {scenarios.optimize.setup_mm: [0]}",
       "25:39: scenarios.optimize.setup_mm: found 0 with setup: axes, expected a number above 0 (mm)"},
  };
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(slips); i++) {
    char expected[512];
    snprintf(expected, sizeof expected, "study.yaml:%s", slips[i].mistake);
    AssertMistake(STUDIES "good.yaml", 25, slips[i].line, expected);
  }
  char huge[4096] = "sweep: {";
  for (int k = 0; k < 6; k++) {
    static const char *const key[] = {"spots.layer_mm", "spots.lateral_mm",    "spots.margin_mm",
                                      "machine.sad_mm", "objectives.0.weight", "objectives.1.weight"};
    sprintf(huge + strlen(huge), "%s%s: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", k ? ", " : "", key[k]);
  }
  strcat(huge, "}");
  AssertMistake(STUDIES "good.yaml", 25, huge,
                "study.yaml:25:1: sweep: found 4000000 plans (cases x arms x sweep points), expected at most 20000");
}

/* Base, arm and sweep are right by themselves; what they make together is told once, where the sweep is written. */
static void TestPointMistakes(void **state)
{
  static const char *const expected[] = {
      "study.yaml:25:1: arm robust, sweep point scenarios.optimize.setup=none,spots.layer_mm=2: robust: found "
      "voxelwise with the "
      "nominal scenario alone, expected scenarios.optimize to hold more"};
  Mistakes mistakes = {0};
  char *text =
      StudyText(STUDIES "good.yaml", 25, "sweep: {scenarios.optimize.setup: [none, axes], spots.layer_mm: [2, 3]}");
  assert_null(ParseText(text, 1, (const char *const[]){"scenarios.optimize.range_percent=[0]"}, &mistakes));
  AssertMistakes(&mistakes, 1, expected);
  assert_int_equal(MistakesClear(&mistakes) || PetscFree(text), 0);
}

static void AssertSet(const char *set, RobionExit exit_code, const char *expected)
{
  Mistakes mistakes = {0};
  char *text = StudyText(STUDIES "good.yaml", 0, NULL);
  assert_null(ParseText(text, 1, &set, &mistakes));
  AssertMistakes(&mistakes, 1, &expected);
  assert_int_equal(MistakesExit(&mistakes), exit_code);
  assert_int_equal(MistakesClear(&mistakes) || PetscFree(text), 0);
}

static void TestSet(void **state)
{
  static const char *const set[] = {"objectives.0.weight=7",
                                    "cases.0.ct_spacing_mm=3",
                                    "structures.rim.2=CTV plus 1 mm",
                                    "spots={margin_mm: 1}",
                                    "robust=none",
                                    "sweep={}"};
  char *text = StudyText(STUDIES "good.yaml", 0, NULL);
  /* the structure named "rim.2": a name may hold dots */
  Study *study = GoodStudy(text, PETSC_STATIC_ARRAY_LENGTH(set), set);
  const Settings *s = &study->plans[1].settings; /* arm robust, which changes nothing */
  assert_int_equal(study->n_plans, 4);
  assert_true(s->objectives[0].weight == 7 && s->robust.mode == ROBUST_NONE);
  assert_non_null(strstr(study->plans[1].yaml, "ct_spacing_mm: 3"));
  assert_true(s->beams.spots.distal_margin_mm == 1 && s->beams.spots.layer_mm == 2 && s->n_derived == 3);
  assert_string_equal(s->derived[2].name, "rim.2");
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

/* What the command line says counts in every arm, also in one that says it otherwise, or says all around it. */
static void TestSetWins(void **state)
{
  static const char *const set[] = {"sweep={}", "spots.lateral_mm=3.5", "robust=cvar", "objectives.1={weight: 9}",
                                    "beams.0.gantry_deg=45"};
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  Study *study = GoodStudy(text, PETSC_STATIC_ARRAY_LENGTH(set), set), *again;
  assert_int_equal(study->n_plans, 8);
  for (PetscInt i = 0; i < study->n_plans; i++) {
    const Settings *s = &study->plans[i].settings;
    assert_true(s->beams.spots.lateral_mm == 3.5 && s->robust.mode == ROBUST_CVAR && s->objectives[1].weight == 9);
    assert_true(s->beams.beam[0].gantry_deg == 45);
  }
  assert_true(FindPlan(study, "a", "dotted", "")->settings.beams.n == 1); /* the rest of the arm stays */
  again = GoodStudy(study->yaml, 0, NULL);                                /* the effective study says the same */
  assert_int_equal(again->n_plans, study->n_plans);
  for (PetscInt i = 0; i < study->n_plans; i++) assert_string_equal(study->plans[i].yaml, again->plans[i].yaml);
  assert_int_equal(StudyDestroy(&again), 0);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

static void TestSetMistakes(void **state)
{
  AssertSet("spots", ROBION_COMMAND_LINE, "--set spots: found no =, expected path=value");
  AssertSet("=3", ROBION_COMMAND_LINE, "--set =3: found no path, expected path=value");
  AssertSet("dose_grid_mm=", ROBION_COMMAND_LINE, "--set dose_grid_mm=: found no value, expected path=value");
  AssertSet("hlut=[[1, 2", ROBION_COMMAND_LINE, "--set hlut=[[1, 2: not valid YAML: did not find expected ',' or ']'");
  AssertSet("dose_grid_mm=-3", ROBION_STUDY,
            "--set dose_grid_mm=-3: dose_grid_mm: found -3, expected a number above 0 (mm)");
  AssertSet("dose_grid_cm=3", ROBION_STUDY,
            "--set dose_grid_cm=3: dose_grid_cm: unknown key, did you mean dose_grid_mm?");
  AssertSet("spots.lateral_mm=4 mm", ROBION_STUDY,
            "--set spots.lateral_mm=4 mm: spots.lateral_mm: found 4 mm, expected a number from 0.5 to 50 (mm): "
            "the unit is "
            "in the key's name, leave it out");
  AssertSet("beams.5.gantry_deg=3", ROBION_STUDY,
            "--set beams.5.gantry_deg=3: beams.5.gantry_deg: found entry 5, but beams has 2, counted from 0");
  AssertSet("spots.layer_mm=4", ROBION_STUDY,
            "--set spots.layer_mm=4: spots.layer_mm: the sweep sets this, too, and would undo it: change the sweep, or "
            "take it out with sweep={}");
  AssertSet(
      "spots={layer_mm: 4}", ROBION_STUDY,
      "--set spots={layer_mm: 4}: spots.layer_mm: the sweep sets this, too, and would undo it: change the sweep, or "
      "take it out with sweep={}");
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestExpansion),
      cmocka_unit_test(TestFolders),
      cmocka_unit_test(TestCases),
      cmocka_unit_test(TestCasesShare),
      cmocka_unit_test(TestCaseMistakes),
      cmocka_unit_test(TestWrittenStudy),
      cmocka_unit_test(TestArmMistakes),
      cmocka_unit_test(TestSweepForms),
      cmocka_unit_test(TestSharedOptimizations),
      cmocka_unit_test(TestSweepMistakes),
      cmocka_unit_test(TestPointMistakes),
      cmocka_unit_test(TestSet),
      cmocka_unit_test(TestSetWins),
      cmocka_unit_test(TestSetMistakes),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
