/* From a checked, complete tree to Settings. Whatever is missing or malformed here is a bug of the checks. */
#include "settings_private.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode SettingText(const Node *node, const char *key, char **out)
{
  PetscFunctionBegin;
  const Node *value = NodeGet(node, key);
  PetscCheck(value && value->kind == NODE_SCALAR, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without %s", key);
  PetscCall(PetscStrallocpy(value->text, out));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingPlace(Place place, char **out)
{
  PetscFunctionBegin;
  PetscCall(PetscStrallocpy(PlaceText(place).text, out));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingNumber(const Node *node, const char *key, double *out)
{
  PetscFunctionBegin;
  const Node *value = NodeGet(node, key);
  PetscCheck(value && NodeNumber(value, out), PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without the number %s",
             key);
  PetscFunctionReturn(0);
}

PetscErrorCode SettingInteger(const Node *node, const char *key, PetscInt *out)
{
  PetscFunctionBegin;
  double value;
  PetscCall(SettingNumber(node, key, &value));
  *out = (PetscInt)value;
  PetscFunctionReturn(0);
}

PetscErrorCode SettingFlag(const Node *node, const char *key, PetscBool *out)
{
  PetscFunctionBegin;
  const Node *value = NodeGet(node, key);
  PetscCheck(value && NodeFlag(value, out), PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without the flag %s", key);
  PetscFunctionReturn(0);
}

/* Index of a word among the known ones. */
PetscErrorCode SettingWord(const Node *node, const char *key, PetscInt n, const char *const *words, PetscInt *out)
{
  PetscFunctionBegin;
  const Node *value = NodeGet(node, key);
  for (*out = 0; value && *out < n && strcmp(value->text, words[*out]);) ++*out;
  PetscCheck(value && *out < n, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without the word %s", key);
  PetscFunctionReturn(0);
}

/* Numbers of a list; a single number fills all n. */
PetscErrorCode SettingNumbers(const Node *value, PetscInt n, double *out)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const Node *one = value->kind == NODE_SEQUENCE && i < value->n ? value->entry[i].value : value;
    PetscCheck(NodeNumber(one, &out[i]), PETSC_COMM_SELF, PETSC_ERR_PLIB,
               "checked study with a list that is not numbers");
  }
  PetscFunctionReturn(0);
}

PetscErrorCode StudyResolvePath(const char *study_file, const char *path, char **out)
{
  PetscFunctionBegin;
  const char *slash = strrchr(study_file, '/');
  size_t folder = *path == '/' || !slash ? 0 : (size_t)(slash - study_file) + 1;
  PetscCall(PetscMalloc1(folder + strlen(path) + 1, out));
  memcpy(*out, study_file, folder);
  memcpy(*out + folder, path, strlen(path) + 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCase(const Node *node, const char *study_file, CaseSpec *out)
{
  PetscFunctionBegin;
  const Node *file = NodeGet(node, "file"), *phantom = NodeGet(node, "phantom");
  PetscCall(SettingText(node, "name", &out->name));
  PetscCall(SettingPlace(file ? file->place : phantom->place, &out->where));
  if (file) {
    PetscCall(StudyResolvePath(study_file, file->text, &out->file));
    PetscFunctionReturn(0);
  }
  PetscInt kind;
  PetscCall(SettingWord(node, "phantom", n_phantom_names, phantom_names, &kind));
  out->phantom.kind = phantom_names[kind];
  if (NodeGet(node, "ct_spacing_mm")) PetscCall(SettingNumber(node, "ct_spacing_mm", &out->phantom.ct_spacing_mm));
  if (NodeGet(node, "seed")) PetscCall(SettingInteger(node, "seed", &out->phantom.seed));
  if (NodeGet(node, "heterogeneous")) PetscCall(SettingFlag(node, "heterogeneous", &out->phantom.heterogeneous));
  if (NodeGet(node, "size_mm")) PetscCall(SettingNumbers(NodeGet(node, "size_mm"), 3, out->phantom.size_mm));
  if (NodeGet(node, "target_mm")) PetscCall(SettingNumbers(NodeGet(node, "target_mm"), 3, out->phantom.target_mm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadHLUT(const Node *node, HLUT *out)
{
  PetscFunctionBegin;
  out->n = node->n;
  PetscCall(PetscMalloc1(node->n, &out->hu));
  PetscCall(PetscMalloc1(node->n, &out->rsp));
  for (PetscInt i = 0; i < node->n; i++) {
    double row[2];
    PetscCall(SettingNumbers(node->entry[i].value, 2, row));
    out->hu[i] = row[0];
    out->rsp[i] = row[1];
  }
  PetscFunctionReturn(0);
}

/* The file a key names, or NULL for the word builtin. */
static PetscErrorCode OptionalFile(const Node *node, const char *key, const char *study_file, const char **out)
{
  PetscFunctionBegin;
  const char *text = NodeGet(node, key)->text;
  char *file = NULL;
  if (strcmp(text, "builtin")) PetscCall(StudyResolvePath(study_file, text, &file));
  *out = file;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadEnergies(const Node *list, MachineSpec *out)
{
  PetscFunctionBegin;
  double *energy;
  if (!list) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(list->n, &energy));
  PetscCall(SettingNumbers(list, list->n, energy));
  out->n_energy = list->n;
  out->energy_MeV_u = energy;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadMachine(const Node *node, const char *study_file, Settings *out)
{
  PetscFunctionBegin;
  const Node *base_data = NodeGet(node, "base_data");
  PetscInt lateral;
  char *ion;
  PetscCall(SettingText(node, "ion", &ion));
  out->machine.ion = ion;
  PetscCall(SettingNumber(node, "energy_min_MeV_u", &out->machine.energy_min_MeV_u));
  PetscCall(SettingNumber(node, "energy_max_MeV_u", &out->machine.energy_max_MeV_u));
  PetscCall(SettingNumber(node, "range_step_mm", &out->machine.range_step_mm));
  PetscCall(SettingNumber(node, "ripple_sigma_mm", &out->machine.ripple_sigma_mm));
  PetscCall(SettingNumber(node, "ripple_thickness_mm", &out->machine.ripple_thickness_mm));
  PetscCall(SettingNumber(node, "ripple_to_isocentre_mm", &out->machine.ripple_to_isocentre_mm));
  PetscCall(SettingNumber(node, "offset_mm", &out->machine.offset_mm));
  PetscCall(SettingNumber(node, "momentum_spread", &out->machine.momentum_spread));
  if (NodeGet(node, "momentum_spread_fwhm")) {
    PetscCall(SettingNumber(node, "momentum_spread_fwhm", &out->machine.momentum_spread));
    out->machine.momentum_spread /= FWHM_PER_SIGMA;
  }
  PetscCall(ReadEnergies(NodeGet(node, "energies_MeV_u"), &out->machine));
  PetscCall(OptionalFile(node, "fragmentation", study_file, &out->machine.fragmentation));
  PetscCall(SettingWord(node, "lateral_model", 2, lateral_model_names, &lateral));
  out->lateral_model = (LateralModel)lateral;
  PetscCall(SettingNumber(node, "spot_fwhm_mm", &out->machine.spot_fwhm_mm));
  PetscCall(SettingNumber(node, "sad_mm", &out->machine.sad_mm));
  PetscCall(SettingPlace(base_data->place, &out->base_data_where));
  if (!strcmp(base_data->text, "builtin"))
    PetscCall(SettingText(node, "base_data", &out->base_data));
  else
    PetscCall(StudyResolvePath(study_file, base_data->text, &out->base_data));
  PetscFunctionReturn(0);
}

/* The numbers that describe cells. */
static PetscErrorCode ReadCells(const Node *node, BiologySpec *out)
{
  PetscFunctionBegin;
  PetscInt cell_line;
  PetscCall(SettingWord(node, "cell_line", n_cell_line_names, cell_line_names, &cell_line));
  out->cell_line = cell_line_names[cell_line];
  PetscCall(SettingNumber(node, "alpha_x_per_Gy", &out->alpha_x_per_Gy));
  PetscCall(SettingNumber(node, "beta_x_per_Gy2", &out->beta_x_per_Gy2));
  PetscCall(SettingNumber(node, "d_t_Gy", &out->d_t_Gy));
  PetscCall(SettingNumber(node, "r_nucleus_um", &out->r_nucleus_um));
  PetscCall(SettingNumber(node, "alpha0_per_Gy", &out->alpha0_per_Gy));
  PetscCall(SettingNumber(node, "beta0_per_Gy2", &out->beta0_per_Gy2));
  PetscCall(SettingNumber(node, "r_domain_um", &out->r_domain_um));
  PetscCall(SettingNumber(node, "z0_Gy", &out->z0_Gy));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadBiology(const Node *node, const char *study_file, BiologySpec *out)
{
  PetscFunctionBegin;
  PetscInt model, averaging, approach;
  PetscCall(SettingWord(node, "model", n_biology_model_names, biology_model_names, &model));
  PetscCall(SettingWord(node, "averaging", n_beta_averaging_names, beta_averaging_names, &averaging));
  PetscCall(SettingWord(node, "approach", n_lem_approach_names, lem_approach_names, &approach));
  out->model = biology_model_names[model];
  out->averaging = (BetaAveraging)averaging;
  out->approach = (LEMApproach)approach;
  PetscCall(ReadCells(node, out));
  PetscCall(SettingNumber(node, "rbe", &out->rbe));
  PetscCall(SettingNumber(node, "alpha_per_Gy", &out->alpha_per_Gy));
  PetscCall(SettingNumber(node, "beta_per_Gy2", &out->beta_per_Gy2));
  PetscCall(SettingNumber(node, "clinical_factor", &out->clinical_factor));
  PetscCall(OptionalFile(node, "table", study_file, &out->table));
  PetscFunctionReturn(0);
}

/* The biology that finished plans are judged by, if it is another one; it has no averaging or table of its own. */
static PetscErrorCode ReadJudgingBiology(const Node *node, Settings *out)
{
  PetscFunctionBegin;
  const Node *model = NodeGet(node, "model"), *cell_line = NodeGet(node, "cell_line");
  BiologySpec *spec = &out->judging_biology;
  if (!model) PetscFunctionReturn(0);
  out->other_biology = PETSC_TRUE;
  PetscCall(BiologySpecPreset(model->text, cell_line ? cell_line->text : NULL, spec));
  const struct {
    const char *key;
    double *value;
  } number[] = {{"alpha_x_per_Gy", &spec->alpha_x_per_Gy},
                {"beta_x_per_Gy2", &spec->beta_x_per_Gy2},
                {"d_t_Gy", &spec->d_t_Gy},
                {"r_nucleus_um", &spec->r_nucleus_um},
                {"alpha0_per_Gy", &spec->alpha0_per_Gy},
                {"beta0_per_Gy2", &spec->beta0_per_Gy2},
                {"r_domain_um", &spec->r_domain_um},
                {"z0_Gy", &spec->z0_Gy}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++)
    if (NodeGet(node, number[i].key)) PetscCall(SettingNumber(node, number[i].key, number[i].value));
  PetscFunctionReturn(0);
}

/* Needs the study's own biology; strings but those of the structures are that one's. */
static PetscErrorCode ReadTissues(const Node *list, Settings *out)
{
  PetscFunctionBegin;
  out->n_tissues = list ? list->n : 0;
  PetscCall(PetscCalloc1(out->n_tissues, &out->tissues));
  for (PetscInt t = 0; t < out->n_tissues; t++) {
    const Node *node = list->entry[t].value, *structures = NodeGet(node, "structures");
    TissueSpec *tissue = &out->tissues[t];
    tissue->biology = out->biology;
    tissue->n_structures = structures->n;
    PetscCall(PetscCalloc1(structures->n, &tissue->structures));
    for (PetscInt i = 0; i < structures->n; i++)
      PetscCall(PetscStrallocpy(structures->entry[i].value->text, &tissue->structures[i]));
    PetscCall(SettingPlace(structures->place, &tissue->where));
    PetscCall(ReadCells(node, &tissue->biology));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadStructures(const Node *structures, const Node *priority, Settings *out)
{
  PetscFunctionBegin;
  out->n_derived = structures ? structures->n : 0;
  out->n_priority = priority ? priority->n : 0;
  PetscCall(PetscCalloc1(out->n_derived, &out->derived));
  PetscCall(PetscCalloc1(out->n_priority, &out->priority));
  for (PetscInt i = 0; i < out->n_derived; i++) {
    const NodeEntry *entry = &structures->entry[i];
    PetscCall(PetscStrallocpy(entry->key, &out->derived[i].name));
    PetscCall(PetscStrallocpy(entry->value->text, &out->derived[i].expression));
    PetscCall(SettingPlace(entry->value->place, &out->derived[i].where));
  }
  for (PetscInt i = 0; i < out->n_priority; i++)
    PetscCall(PetscStrallocpy(priority->entry[i].value->text, &out->priority[i]));
  if (priority) PetscCall(SettingPlace(priority->place, &out->priority_where));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadScenarios(const Node *node, ScenarioSpec *out)
{
  PetscFunctionBegin;
  const Node *range = NodeGet(node, "range_percent"), *size = NodeGet(node, "setup_mm"),
             *shifts = NodeGet(node, "shifts_mm");
  PetscInt setup;
  out->n_range = range->n;
  PetscCall(PetscMalloc1(range->n, &out->range_percent));
  PetscCall(SettingNumbers(range, range->n, out->range_percent));
  PetscCall(SettingWord(node, "setup", n_setup_pattern_names, setup_pattern_names, &setup));
  out->setup = (SetupPattern)setup;
  if (size) PetscCall(SettingNumbers(size, 3, out->setup_mm));
  if (NodeGet(node, "number")) PetscCall(SettingInteger(node, "number", &out->n_random));
  if (NodeGet(node, "seed")) PetscCall(SettingInteger(node, "seed", &out->seed));
  if (NodeGet(node, "range_sigma_percent"))
    PetscCall(SettingNumber(node, "range_sigma_percent", &out->range_sigma_percent));
  if (shifts) {
    out->n_shift = shifts->n;
    PetscCall(PetscMalloc1(shifts->n, &out->shift_mm));
    for (PetscInt i = 0; i < shifts->n; i++) PetscCall(SettingNumbers(shifts->entry[i].value, 3, out->shift_mm[i]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptimization(const Node *robust, const Node *optimizer, Settings *out)
{
  PetscFunctionBegin;
  PetscInt mode;
  PetscCall(SettingWord(robust, "mode", n_robust_mode_names, robust_mode_names, &mode));
  out->robust.mode = (RobustMode)mode;
  out->robust.on_effect = strcmp(NodeGet(robust, "on")->text, "effect") ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(SettingNumber(robust, "importance", &out->robust.importance));
  PetscCall(SettingNumber(robust, "worst_fraction", &out->robust.worst_fraction));
  PetscCall(SettingInteger(optimizer, "max_iterations", &out->optimizer.max_iterations));
  PetscCall(SettingNumber(optimizer, "relative_tolerance", &out->optimizer.relative_tolerance));
  PetscCall(SettingInteger(optimizer, "window", &out->optimizer.window));
  PetscCall(SettingNumber(optimizer, "max_minutes", &out->optimizer.max_minutes));
  PetscCall(SettingNumber(optimizer, "relative_gap", &out->optimizer.relative_gap));
  PetscCall(SettingInteger(optimizer, "certificate_iterations", &out->optimizer.certificate_iterations));
  PetscCall(SettingNumber(optimizer, "checkpoint_minutes", &out->optimizer.checkpoint_minutes));
  PetscCall(SettingNumber(optimizer, "constraint_tolerance_percent", &out->optimizer.constraint_tolerance));
  out->optimizer.constraint_tolerance *= 0.01;
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsCreate(const Node *root, const char *file, Settings *out)
{
  PetscFunctionBegin;
  const Node *prescription = NodeGet(root, "prescription");
  const Node *scenarios = NodeGet(root, "scenarios");
  PetscInt operator;
  PetscCall(PetscMemzero(out, sizeof *out));
  PetscCall(ReadCase(NodeGet(root, "cases")->entry[0].value, file, &out->patient));
  PetscCall(ReadHLUT(NodeGet(root, "hlut"), &out->hlut));
  PetscCall(ReadMachine(NodeGet(root, "machine"), file, out));
  PetscCall(ReadBiology(NodeGet(root, "biology"), file, &out->biology));
  PetscCall(ReadTissues(NodeGet(NodeGet(root, "biology"), "tissues"), out));
  PetscCall(SettingNumber(prescription, "dose_Gy_RBE", &out->prescription_Gy_RBE));
  PetscCall(SettingInteger(prescription, "fractions", &out->fractions));
  PetscCall(SettingText(prescription, "target", &out->target));
  PetscCall(SettingPlace(NodeGet(prescription, "target")->place, &out->target_where));
  PetscCall(SettingsReadPosition(root, out));
  PetscCall(SettingsReadBeams(NodeGet(root, "beams"), out));
  PetscCall(SettingNumber(root, "dose_grid_mm", &out->dose_grid_mm));
  PetscCall(SettingsReadSpots(NodeGet(root, "spots"), &out->beams.spots));
  PetscCall(SettingWord(root, "dose_operator", 2, dose_operator_names, &operator));
  out->dose_operator = (DoseOperator) operator;
  PetscCall(SettingNumber(root, "dropped_dose_fraction", &out->dropped_dose_fraction));
  PetscCall(ReadStructures(NodeGet(root, "structures"), NodeGet(root, "overlap_priority"), out));
  PetscCall(ReadScenarios(NodeGet(scenarios, "optimize"), &out->optimize));
  PetscCall(ReadScenarios(NodeGet(scenarios, "evaluate"), &out->evaluate));
  PetscCall(ReadOptimization(NodeGet(root, "robust"), NodeGet(root, "optimizer"), out));
  PetscCall(ReadJudgingBiology(NodeGet(NodeGet(root, "judging"), "biology"), out));
  PetscCall(SettingsReadObjectives(root, out));
  PetscCall(SettingsReadCourse(root, out));
  PetscCall(SettingsReadConstraints(NodeGet(root, "constraints"), out));
  PetscCall(SettingsReadGoals(NodeGet(root, "goals"), out));
  PetscCall(SettingsReadSpotControl(NodeGet(root, "spot_control"), &out->spot_control));
  PetscCall(SettingNumber(NodeGet(root, "delivery"), "min_particles", &out->delivery.min_particles));
  PetscCall(SettingNumber(NodeGet(root, "delivery"), "step_particles", &out->delivery.step_particles));
  PetscCall(SettingInteger(NodeGet(root, "delivery"), "rounds", &out->delivery.rounds));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyScenarios(ScenarioSpec *spec)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(spec->range_percent));
  PetscCall(PetscFree(spec->shift_mm));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroy(Settings *s)
{
  PetscFunctionBegin;
  const void *owned[] = {s->machine.ion, s->machine.energy_MeV_u, s->machine.fragmentation, s->biology.table};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(owned); i++) {
    void *mine = (void *)(uintptr_t)owned[i]; /* const in the specs for literals, but owned here */
    PetscCall(PetscFree(mine));
  }
  s->machine.ion = s->machine.fragmentation = s->biology.table = NULL;
  s->machine.energy_MeV_u = NULL;
  for (PetscInt t = 0; t < s->n_tissues; t++) {
    for (PetscInt i = 0; i < s->tissues[t].n_structures; i++) PetscCall(PetscFree(s->tissues[t].structures[i]));
    PetscCall(PetscFree(s->tissues[t].structures));
    PetscCall(PetscFree(s->tissues[t].where));
  }
  PetscCall(PetscFree(s->tissues));
  PetscCall(PetscFree(s->patient.name));
  PetscCall(PetscFree(s->patient.file));
  PetscCall(PetscFree(s->patient.where));
  PetscCall(PetscFree(s->hlut.hu));
  PetscCall(PetscFree(s->hlut.rsp));
  PetscCall(PetscFree(s->base_data));
  PetscCall(PetscFree(s->base_data_where));
  PetscCall(PetscFree(s->target));
  PetscCall(PetscFree(s->target_where));
  PetscCall(PetscFree(s->priority_where));
  PetscCall(PetscFree(s->beams.where));
  PetscCall(PetscFree(s->beams.beam));
  for (PetscInt i = 0; i < s->n_derived; i++) {
    PetscCall(PetscFree(s->derived[i].name));
    PetscCall(PetscFree(s->derived[i].expression));
    PetscCall(PetscFree(s->derived[i].where));
  }
  PetscCall(PetscFree(s->derived));
  for (PetscInt i = 0; i < s->n_priority; i++) PetscCall(PetscFree(s->priority[i]));
  PetscCall(PetscFree(s->priority));
  PetscCall(SettingsDestroyObjectives(s));
  PetscCall(SettingsDestroyCourse(&s->course));
  PetscCall(SettingsDestroyGoals(s));
  PetscCall(SettingsDestroySpotControl(&s->spot_control));
  PetscCall(DestroyScenarios(&s->optimize));
  PetscCall(DestroyScenarios(&s->evaluate));
  PetscFunctionReturn(0);
}
