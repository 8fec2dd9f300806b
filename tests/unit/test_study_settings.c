/* From a study's text to settings: values, defaults, the effective study. */
#include "test_study.h"
#include "../../src/study/schema_private.h"
#include "robion/phantom.h"
#include <math.h>

static void TestValues(void **state)
{
  char *text = StudyText(STUDIES "good.yaml", 0, NULL);
  Study *study = GoodStudy(text, 0, NULL);
  assert_string_equal(study->name, "good");
  assert_string_equal(study->file, "study.yaml");
  assert_int_equal(study->n_plans, 8);
  const Settings *s = &study->plans[2].settings; /* case plain, arm robust, layer 2 mm */
  assert_string_equal(s->patient.name, "plain");
  assert_string_equal(s->patient.phantom.kind, "rtog");
  assert_string_equal(s->patient.where, "study.yaml:4:15");
  assert_non_null(strstr(study->plans[2].yaml, "{phantom: rtog, name: plain, ct_spacing_mm: 2, heterogeneous: "));
  assert_null(s->patient.file);
  assert_int_equal(s->hlut.n, 3);
  assert_true(s->hlut.point[2][0] == 3000 && s->hlut.point[2][1] == 2.5);
  assert_true(s->machine.spot_fwhm_mm == 6 && s->biology.alpha_x_per_Gy == 0.2);
  assert_true(s->prescription_Gy_RBE == 3 && s->fractions == 20);
  assert_string_equal(s->target, "CTV");
  assert_string_equal(s->target_where, "study.yaml:9:55");
  assert_int_equal(s->beams.n, 2);
  assert_true(s->beams.beam[1].gantry_deg == 90 && s->beams.beam[1].couch_deg == -30 &&
              s->beams.beam[1].isocentre_mm[2] == 3);
  assert_true(s->beams.beam[1].has_isocentre && !s->beams.beam[0].has_isocentre && !s->beams.from_case);
  assert_true(s->dose_grid_mm == 3 && s->beams.spots.lateral_mm == 3.5 && s->beams.spots.layer_mm == 2 &&
              s->beams.spots.lateral_margin_mm == 4);
  assert_true(s->dropped_dose_fraction == 0.01);
  assert_int_equal(s->n_derived, 2);
  assert_string_equal(s->derived[1].expression, "ring 0-20 mm around PTV");
  assert_string_equal(s->derived[1].where, "study.yaml:14:39");
  assert_int_equal(s->n_priority, 2);
  assert_string_equal(s->priority[1], "OAR");
  assert_int_equal(s->optimize.setup, SETUP_AXES);
  assert_true(s->optimize.n_range == 2 && s->optimize.range_percent[0] == -3.5 && s->optimize.setup_mm[2] == 2);
  assert_true(s->evaluate.setup == SETUP_LIST && s->evaluate.n_shift == 2 && s->evaluate.shift_mm[1][1] == -2);
  assert_int_equal(s->n_objectives, 2);
  assert_true(s->objectives[0].quantity == QUANTITY_RBE_WEIGHTED && s->objectives[0].weight == 100 &&
              s->objectives[0].mode == ROBUST_VOXELWISE);
  assert_true(s->objectives[1].quantity == QUANTITY_PHYSICAL && s->objectives[1].goal == 1 &&
              s->objectives[1].mode == ROBUST_NONE);
  assert_string_equal(s->objectives[1].where, "study.yaml:21:17");
  assert_true(s->robust.mode == ROBUST_VOXELWISE && s->robust.on_effect && s->robust.importance == 2);
  assert_true(s->optimizer.max_iterations == 50 && s->optimizer.window == 5 && s->optimizer.max_minutes == 2);
  assert_true(s->optimizer.relative_tolerance == 1e-5);
  assert_string_equal(study->plans[4].settings.patient.name, "patient");
  assert_string_equal(study->plans[4].settings.patient.file, "patient.h5");
  assert_int_equal(StudyDestroy(&study), 0);
  assert_int_equal(PetscFree(text), 0);
}

/* Models by name and by numbers, in outcomes and in objectives; the effective study reads back as the same. */
static void TestOutcomes(void **state)
{
  const char *const set[] = {
      "prescription.fractions=4",
      "outcomes=[{name: failure, structure: OAR, model: burman}, {name: own, structure: CTV, model: lkb, n: 0.25, m: "
      "0.2, "
      "td50_Gy: 50, fractionation: {alpha_beta_Gy: 3}}, {name: blind, structure: OAR, model: mayo, fractionation: "
      "{alpha_beta_Gy: 3, d_t_Gy: 6, gamma_over_alpha: 4}}, {name: control, structure: CTV, model: tcp, kappa: 1}]",
      "objectives=[{structure: OAR, type: ntcp, model: el-naqa-ii}, {structure: OAR, type: ntcp, a: 4, m: 0.14, "
      "td50_Gy: "
      "72, alpha_beta_Gy: 2}]"};
  char *text = StudyText(STUDIES "good.yaml", 0, NULL);
  Study *study = GoodStudy(text, 3, set);
  for (int again = 0; again < 2; again++) {
    const Settings *s = &study->plans[0].settings;
    assert_int_equal(s->n_outcomes, 4);
    const OutcomeParameters *p[] = {s->outcomes[0].parameters, s->outcomes[1].parameters, s->outcomes[2].parameters,
                                    s->outcomes[3].parameters};
    assert_string_equal(s->outcomes[0].name, "failure");
    assert_string_equal(s->outcomes[0].structure, "OAR");
    assert_true(p[0]->lkb.a == 1 / 0.32 && p[0]->lkb.m == 0.15 && p[0]->lkb.td50_Gy == 40 && p[0]->fractions == 4);
    assert_memory_equal(&p[0]->fractionation, &fractionation_liver, sizeof fractionation_liver);
    assert_true(p[1]->lkb.a == 4 && p[1]->lkb.m == 0.2 && p[1]->lkb.td50_Gy == 50);
    assert_true(p[1]->fractionation.alpha_beta_Gy == 3 && p[1]->fractionation.d_t_Gy == 0);
    assert_true(p[2]->lkb.td50_Gy == 72 && p[2]->fractionation.d_t_Gy == 6 &&
                p[2]->fractionation.gamma_over_alpha == 4);
    assert_true(p[3]->tcp.kappa == 1 && p[3]->tcp.ln_a == -3.643 && p[3]->tcp.fractions == 4 &&
                p[3]->clonogens_share == 1);
    const OutcomeParameters *of[] = {&s->objectives[0].parameters.outcome, &s->objectives[1].parameters.outcome};
    assert_true(of[0]->lkb.m == 0.55 && of[0]->fractions == 4);
    assert_memory_equal(&of[0]->fractionation, &fractionation_liver, sizeof fractionation_liver);
    assert_true(of[1]->lkb.a == 4 && of[1]->lkb.td50_Gy == 72 && of[1]->fractionation.alpha_beta_Gy == 2 &&
                of[1]->fractionation.d_t_Gy == 0);
    if (again) break;
    Study *effective = GoodStudy(study->yaml, 0, NULL);
    assert_int_equal(StudyDestroy(&study), 0);
    study = effective;
  }
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

static void TestDefaults(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL);
  MachineSpec machine;
  BiologySpec biology;
  HLUT hlut;
  assert_int_equal(MachineSpecDefault(&machine) || BiologySpecDefault(&biology) || HLUTDefault(&hlut), 0);
  Study *study = GoodStudy(text, 0, NULL);
  assert_int_equal(study->n_plans, 1);
  const PlanSpec *plan = &study->plans[0];
  assert_string_equal(plan->arm, "plan");
  assert_string_equal(plan->sweep, "");
  assert_string_equal(plan->case_name, "water-box");
  assert_string_equal(plan->folder, "cases/water-box/plan");
  const Settings *s = &plan->settings;
  assert_non_null(strstr(plan->yaml,
                         "{phantom: water-box, name: water-box, ct_spacing_mm: 2, size_mm: [200, 200, 200], "
                         "target_mm: [50, 50, 50]}"));
  assert_int_equal(s->hlut.n, hlut.n);
  assert_memory_equal(s->hlut.point, hlut.point, (size_t)hlut.n * sizeof *hlut.point);
  assert_null(s->base_data);
  assert_string_equal(s->machine.ion, machine.ion);
  assert_true(s->machine.energy_min_MeV_u == machine.energy_min_MeV_u &&
              s->machine.energy_max_MeV_u == machine.energy_max_MeV_u);
  assert_true(s->machine.range_step_mm == machine.range_step_mm &&
              s->machine.ripple_sigma_mm == machine.ripple_sigma_mm);
  assert_true(s->machine.spot_fwhm_mm == machine.spot_fwhm_mm && s->machine.momentum_spread == machine.momentum_spread);
  assert_string_equal(s->biology.model, biology.model);
  assert_true(s->biology.beta_x_per_Gy2 == biology.beta_x_per_Gy2 && s->biology.d_t_Gy == biology.d_t_Gy);
  assert_int_equal(s->fractions, 1);
  assert_true(s->beams.spots.lateral_mm == 4 && s->beams.spots.layer_mm == 3 && s->beams.spots.lateral_margin_mm == 4);
  assert_true(s->dropped_dose_fraction == 0.002);
  assert_true(s->n_derived == 0 && s->n_priority == 0);
  assert_true(s->optimize.n_range == 1 && s->optimize.range_percent[0] == 0 && s->optimize.setup == SETUP_NONE);
  assert_true(s->evaluate.n_range == 1 && s->evaluate.range_percent[0] == 0 && s->evaluate.setup == SETUP_NONE);
  assert_true(s->objectives[0].weight == 1 && s->objectives[0].mode == ROBUST_NONE);
  assert_true(s->robust.mode == ROBUST_NONE && !s->robust.on_effect && s->robust.importance == 1);
  assert_true(s->optimizer.max_iterations == 300 && s->optimizer.relative_tolerance == 1e-4 &&
              s->optimizer.window == 10);
  assert_true(s->optimizer.max_minutes == 0);
  assert_int_equal(PetscFree(hlut.point) || StudyDestroy(&study) || PetscFree(text), 0);
}

static void AssertBiology(const char *biology, const BiologySpec *expected)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL), with[2048];
  snprintf(with, sizeof with, "%sbiology: %s\n", text, biology);
  Study *study = GoodStudy(with, 0, NULL), *again = GoodStudy(study->yaml, 0, NULL);
  assert_string_equal(study->yaml, again->yaml);
  for (int i = 0; i < 2; i++) {
    const BiologySpec *b = &(i ? again : study)->plans[0].settings.biology;
    assert_string_equal(b->model, expected->model);
    assert_string_equal(b->cell_line, expected->cell_line);
    assert_true(b->alpha_x_per_Gy == expected->alpha_x_per_Gy && b->beta_x_per_Gy2 == expected->beta_x_per_Gy2);
    assert_true(b->d_t_Gy == expected->d_t_Gy && b->r_nucleus_um == expected->r_nucleus_um);
    assert_true(b->alpha0_per_Gy == expected->alpha0_per_Gy && b->beta0_per_Gy2 == expected->beta0_per_Gy2);
    assert_true(b->r_domain_um == expected->r_domain_um && b->z0_Gy == expected->z0_Gy && b->rbe == expected->rbe);
    assert_true(b->alpha_per_Gy == expected->alpha_per_Gy && b->beta_per_Gy2 == expected->beta_per_Gy2);
    assert_true(b->approach == expected->approach);
    assert_true(b->averaging == expected->averaging && b->clinical_factor == expected->clinical_factor);
    assert_true(!b->table == !expected->table && (!b->table || !strcmp(b->table, expected->table)));
  }
  assert_int_equal(StudyDestroy(&study) || StudyDestroy(&again) || PetscFree(text), 0);
}

/* Defaults come from the model's cell line; numbers that are given stand. */
static void TestBiology(void **state)
{
  BiologySpec spec;
  assert_int_equal(BiologySpecDefault(&spec), 0);
  AssertBiology("{}", &spec);
  for (PetscInt m = 0; m < n_biology_model_names; m++) {
    char text[64];
    snprintf(text, sizeof text, "{model: %s}", biology_model_names[m]);
    assert_int_equal(BiologySpecPreset(biology_model_names[m], NULL, &spec), 0);
    if (strcmp(biology_model_names[m], "table")) AssertBiology(text, &spec); /* table needs base data of its own */
    for (PetscInt c = 0; c < n_cell_line_names; c++)
      assert_int_equal(BiologySpecPreset(biology_model_names[m], cell_line_names[c], &spec), 0);
  }
  assert_int_equal(BiologySpecPreset("smk", "hsg", &spec), 0);
  assert_true(spec.r_nucleus_um == 8.1 && spec.z0_Gy == 66 && spec.alpha_x_per_Gy == 0.331);
  spec.alpha_x_per_Gy = 0.4;
  spec.r_nucleus_um = 7;
  AssertBiology("{model: smk, r_nucleus_um: 7, alpha_x_per_Gy: 0.4}", &spec);
  assert_int_equal(BiologySpecPreset("mixed-beam", "v79", &spec), 0);
  spec.averaging = AVERAGE_BETA;
  spec.table = "hsg.csv"; /* from the folder of study.yaml */
  AssertBiology("{cell_line: v79, model: mixed-beam, averaging: beta, table: hsg.csv}", &spec);
  assert_int_equal(BiologySpecPreset("lem1", "alpha-beta-10", &spec), 0);
  assert_true(spec.alpha_x_per_Gy == 0.5 && spec.beta_x_per_Gy2 == 0.05 && spec.d_t_Gy == 30);
  AssertBiology("{cell_line: alpha-beta-10}", &spec);
}

/* Tissues take what they leave out from their cell line, else from the study's biology. */
static void TestTissues(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL), with[2048];
  snprintf(
      with, sizeof with,
      "%sbiology: {alpha_x_per_Gy: 0.2, approach: full, tissues: [{structures: [A, B], d_t_Gy: 12}, {structures: [C], "
      "cell_line: alpha-beta-10}]}\nmachine: {offset_mm: 2.5, ripple_thickness_mm: 1.5, ripple_to_isocentre_mm: 900, "
      "momentum_spread_fwhm: 0.01, energies_MeV_u: [100, 120.5], lateral_model: single}\ndose_operator: assembled\n",
      text);
  Study *study = GoodStudy(with, 0, NULL), *again = GoodStudy(study->yaml, 0, NULL);
  assert_string_equal(study->yaml, again->yaml);
  for (int i = 0; i < 2; i++) {
    const Settings *s = &(i ? again : study)->plans[0].settings;
    BiologySpec preset;
    assert_int_equal(BiologySpecPreset("lem1", "alpha-beta-10", &preset), 0);
    assert_int_equal(s->n_tissues, 2);
    assert_int_equal(s->tissues[0].n_structures, 2);
    assert_string_equal(s->tissues[0].structures[1], "B");
    assert_true(s->tissues[0].biology.alpha_x_per_Gy == 0.2 && s->tissues[0].biology.d_t_Gy == 12);
    assert_true(s->tissues[1].biology.alpha_x_per_Gy == preset.alpha_x_per_Gy);
    assert_true(s->tissues[1].biology.d_t_Gy == preset.d_t_Gy && s->tissues[1].biology.approach == LEM_FULL);
    assert_string_equal(s->tissues[1].biology.model, "lem1");
    assert_true(s->machine.offset_mm == 2.5 && s->machine.ripple_thickness_mm == 1.5);
    assert_true(s->machine.ripple_to_isocentre_mm == 900 && s->machine.n_energy == 2);
    assert_true(s->machine.energy_MeV_u[1] == 120.5 && fabs(s->machine.momentum_spread - 0.01 / 2.35482) < 1e-8);
    assert_true(s->lateral_model == LATERAL_MODEL_SINGLE && s->dose_operator == OPERATOR_ASSEMBLED);
  }
  assert_int_equal(StudyDestroy(&study) || StudyDestroy(&again) || PetscFree(text), 0);
}

/* What a study says of a phantom is what it is built with. */
static void TestPhantom(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL);
  const char *const set[] = {
      "cases=[{phantom: water-box, ct_spacing_mm: 4, size_mm: [60, 80, 100], target_mm: [8, 16, 24]}]"};
  Study *study = GoodStudy(text, 1, set);
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseBuildPhantom(&study->plans[0].settings.patient.phantom, "box", &mistakes, &patient), 0);
  assert_non_null(patient);
  assert_true(patient->ct.spacing_mm[2] == 4);
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++)
    n += patient->structures[CaseFindStructure(patient, "CTV")].mask[v];
  assert_int_equal(n, 2 * 4 * 6);
  assert_int_equal(CaseDestroy(&patient) || StudyDestroy(&study) || PetscFree(text), 0);
}

/* Paths are meant from the study's folder; missing files are told with the place that names them. */
static void TestFiles(void **state)
{
  static const char *const set[] = {"machine.base_data=data/12C.h5"};
  static const char *const expected[] = {
      "tests/studies/good.yaml:5:12: case file tests/studies/patient.h5 does not exist",
      "--set machine.base_data=data/12C.h5: base data tests/studies/data/12C.h5 does not exist"};
  Mistakes mistakes = {0};
  Study *study;
  assert_int_equal(StudyLoad(STUDIES "good.yaml", 1, set, &mistakes, &study), 0);
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(StudyCheckFiles(study, &mistakes), 0);
  assert_int_equal(mistakes.n, 2);
  for (int i = 0; i < 2; i++) {
    assert_string_equal(mistakes.item[i].text, expected[1 - i]);
    assert_int_equal(mistakes.item[i].exit, ROBION_INPUT);
  }
  assert_int_equal(MistakesClear(&mistakes) || StudyDestroy(&study), 0);
  assert_int_equal(StudyLoad(STUDIES "none.yaml", 0, NULL, &mistakes, &study), 0);
  assert_null(study);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

/* What is written back gives the same study again, down to the hash; a plan's text gives the same plan. */
static void TestEffective(void **state)
{
  static const char *const files[] = {STUDIES "good.yaml", STUDIES "least.yaml", STUDIES "plans.yaml",
                                      "configs/reference.yaml"};
  static const char *const set[] = {"dose_grid_mm=2.5", "robust=composite", "scenarios.optimize.range_percent=[-2, 2]"};
  for (size_t f = 0; f < PETSC_STATIC_ARRAY_LENGTH(files); f++) {
    char *text = StudyText(files[f], 0, NULL);
    Study *study = GoodStudy(text, 3, set), *again = GoodStudy(study->yaml, 0, NULL);
    assert_string_equal(study->yaml, again->yaml);
    assert_string_equal(study->hash, again->hash);
    assert_int_equal(strspn(study->hash, "0123456789abcdef"), 16);
    assert_int_equal(study->n_plans, again->n_plans);
    assert_non_null(strstr(study->yaml, "\ndose_grid_mm: 2.5\n"));
    for (PetscInt p = 0; p < study->n_plans; p++) {
      assert_string_equal(study->plans[p].yaml, again->plans[p].yaml);
      assert_string_equal(study->plans[p].folder, again->plans[p].folder);
      Study *plan = GoodStudy(study->plans[p].yaml, 0, NULL);
      assert_int_equal(plan->n_plans, 1);
      assert_string_equal(plan->yaml, study->plans[p].yaml);
      assert_string_equal(plan->plans[0].yaml, study->plans[p].yaml);
      assert_int_equal(StudyDestroy(&plan), 0);
    }
    assert_int_equal(StudyDestroy(&study) || StudyDestroy(&again) || PetscFree(text), 0);
  }
}

/* Comments, the order of keys and where defaults are spelt out do not change what a study is. */
/* Settings that an earlier robion has stored lack the keys that it did not know: those have their defaults now. */
static void TestUpdate(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 0, NULL), *today, stored[32768];
  Study *study = GoodStudy(text, 0, NULL);
  const char *yaml = study->plans[0].yaml;
  int left_out = 0;
  for (const char *line = yaml; *line; line = strchr(line, '\n') + 1) {
    const char *next = strchr(line, '\n') + 1;
    char key[64] = "\n";
    snprintf(key + 1, sizeof key - 1, "%.*s", (int)strcspn(line, ":") + 1, line);
    if (*line == ' ' || *line == '-' || *next == ' ' || *next == '-' || strstr(text, key) ||
        !strncmp(text, key + 1, strlen(key + 1)))
      continue;
    snprintf(stored, sizeof stored, "%.*s%s", (int)(line - yaml), yaml, next);
    assert_int_equal(SettingsUpdate(stored, &today), 0);
    if (!today) fail_msg("without %s", key + 1);
    assert_string_equal(today, yaml);
    assert_int_equal(PetscFree(today), 0);
    left_out++;
  }
  print_message("%d keys left out of stored settings, one at a time\n", left_out);
  assert_true(left_out > 5);
  snprintf(stored, sizeof stored, "%sno_longer: 1\n", yaml);
  assert_int_equal(SettingsUpdate(stored, &today), 0);
  assert_null(today);
  assert_int_equal(SettingsUpdate("", &today), 0);
  assert_null(today);
  assert_int_equal(StudyDestroy(&study) || PetscFree(text), 0);
}

static void TestHash(void **state)
{
  char *text = StudyText(STUDIES "least.yaml", 2, NULL), other[2048];
  snprintf(other, sizeof other, "# the same\n%sspots: {layer_mm: 3}\nname: least\n", text);
  char *plain = StudyText(STUDIES "least.yaml", 0, NULL);
  Study *a = GoodStudy(plain, 0, NULL), *b = GoodStudy(other, 0, NULL);
  assert_string_equal(a->hash, b->hash);
  Study *c = GoodStudy(plain, 1, (const char *const[]){"spots.layer_mm=3.5"});
  assert_string_not_equal(a->hash, c->hash);
  assert_int_equal(StudyDestroy(&a) || StudyDestroy(&b) || StudyDestroy(&c) || PetscFree(text) || PetscFree(plain), 0);
}

/* Quantities that objectives look at have a key for the goal, in their unit. */
static void TestGoalKeys(void **state)
{
  for (Quantity q = 0; q < n_quantities; q++) {
    const char *key = quantities[q].goal_key;
    if (!key) continue;
    const SchemaKey *found = SchemaChild(&schema_objective, key);
    assert_true(found && found->type == TYPE_NUMBER);
    assert_string_equal(found->unit ? found->unit : "1", quantities[q].unit);
  }
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestValues),  cmocka_unit_test(TestOutcomes),  cmocka_unit_test(TestDefaults),
      cmocka_unit_test(TestBiology), cmocka_unit_test(TestTissues),   cmocka_unit_test(TestPhantom),
      cmocka_unit_test(TestFiles),   cmocka_unit_test(TestEffective), cmocka_unit_test(TestUpdate),
      cmocka_unit_test(TestHash),    cmocka_unit_test(TestGoalKeys),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
