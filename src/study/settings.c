/*
 * From a checked, complete tree to Settings: what the table of keys cannot say, because keys of several blocks make one value or
 * because other modules know it. Keys are read in the table's order, and what they refer to before them.
 */
#include "schema_private.h"
#include <string.h>

static PetscBool Says(const Node *mapping, const char *key, const char *word)
{
  const Node *value = NodeGet(mapping, key);
  return value && value->kind == NODE_SCALAR && !strcmp(value->text, word) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode HLUTPreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  PetscCall(HLUTDefault(&((Settings *)base)->hlut));
  PetscFunctionReturn(0);
}

PetscErrorCode MachinePreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  MachineSpec *machine = &((Settings *)base)->machine;
  char *ion;
  PetscCall(MachineSpecDefault(machine));
  PetscCall(PetscStrallocpy(machine->ion, &ion));
  machine->ion = ion;
  PetscFunctionReturn(0);
}

/* The numbers of a mapping's model, if it names one, for its cell line. */
static PetscErrorCode PresetOf(const Node *node, const char *model, BiologySpec *out)
{
  PetscFunctionBegin;
  const Node *own = NodeGet(node, "model"), *cell_line = NodeGet(node, "cell_line");
  PetscCall(BiologySpecPreset(own ? own->text : model, cell_line ? cell_line->text : NULL, out));
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyPreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  BiologySpec usual;
  PetscCall(BiologySpecDefault(&usual));
  PetscCall(PresetOf(node, usual.model, &((Settings *)base)->biology));
  PetscFunctionReturn(0);
}

/* A tissue with a cell line has that one's numbers for the study's model, one without has the study's. */
PetscErrorCode TissuePreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  const Settings *settings = reader->target;
  TissueSpec *tissue = base;
  if (settings) { /* the complete tree has the numbers of the cells; the strings are the study's */
    tissue->biology = settings->biology;
    PetscFunctionReturn(0);
  }
  const Node *biology = NodeGet(reader->root, "biology");
  const PetscBool own = NodeGet(node, "cell_line") ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PresetOf(own ? node : biology, NodeGet(biology, "model")->text, &tissue->biology));
  if (!own) PetscCall(SchemaReadPreset(reader, &schema_tissue, biology, tissue));
  PetscFunctionReturn(0);
}

/* It has no averaging or table of its own. */
PetscErrorCode JudgingBiologyPreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  if (NodeGet(node, "model")) PetscCall(PresetOf(node, NULL, &((Settings *)base)->judging_biology));
  PetscFunctionReturn(0);
}

/* Factors of 1, or the numbers of a model and its cell line. */
PetscErrorCode AlternativePreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  BiologyAlternative *alternative = base;
  alternative->alpha_factor = alternative->beta_factor = 1;
  if (NodeGet(node, "model")) PetscCall(PresetOf(node, NULL, &alternative->biology));
  PetscFunctionReturn(0);
}

PetscErrorCode StagePreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  ((StageSpec *)base)->dose_Gy_RBE = ((const Settings *)reader->target)->prescription_Gy_RBE;
  PetscFunctionReturn(0);
}

PetscErrorCode BeamsFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  ((Settings *)base)->beams.from_case = node->kind == NODE_SCALAR ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Of all sides; those that have one of their own come behind it. */
PetscErrorCode MarginFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  SpotSpec *spots = base;
  (void)NodeNumber(node, &spots->lateral_margin_mm);
  spots->proximal_margin_mm = spots->distal_margin_mm = spots->lateral_margin_mm;
  PetscFunctionReturn(0);
}

/* true: as the study, whose mode comes later in the table; false: the nominal scenario alone; else a mode by name. */
PetscErrorCode ObjectiveModeFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  ObjectiveSpec *objective = base;
  PetscBool robust = PETSC_FALSE;
  if (!NodeFlag(node, &robust)) PetscFunctionReturn(0);
  Settings study = {0};
  if (robust)
    PetscCall(SchemaRead(reader, SchemaChild(&schema_study, "robust"), NodeGet(reader->root, "robust"), &study));
  objective->mode = study.robust.mode;
  PetscFunctionReturn(0);
}

/* An objective that names a stage looks at its fractions, one that does not at the mean fraction of the course. */
static PetscErrorCode FindStage(const CourseSpec *course, const Node *name, PetscInt *stage)
{
  PetscFunctionBegin;
  *stage = course->n_stages ? COURSE_MEAN : 0;
  for (PetscInt k = 0; name && k < course->n_stages; k++)
    if (!strcmp(name->text, course->stages[k].name)) *stage = k;
  PetscCheck(!name || *stage >= 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without the stage %s", name->text);
  PetscFunctionReturn(0);
}

/* Complications by a model's own numbers, or by those of the objective. */
static void FinishNTCP(double fractions, ObjectiveParameters *parameters)
{
  const OutcomeModel *model = parameters->model ? OutcomeModelFind(parameters->model) : NULL;
  parameters->outcome.fractions = fractions;
  parameters->outcome.lkb.a = parameters->a;
  if (model && model->lkb.m > 0) parameters->outcome.lkb = model->lkb;
}

PetscErrorCode ObjectiveFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  const Settings *settings = reader->target;
  const double fractions = (double)settings->fractions;
  ObjectiveSpec *objective = base;
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].goal_key && NodeGet(node, quantities[q].goal_key)) objective->quantity = q;
  if (NodeGet(node, "quantity")) objective->quantity = QuantityFind(NodeGet(node, "quantity")->text);
  objective->map_scale = Says(node, "per", "course") && QuantityAddsUp(objective->quantity) ? 1.0 / fractions : 1;
  objective->goal *= objective->map_scale;
  FinishNTCP(fractions, &objective->parameters);
  PetscCall(FindStage(&settings->course, NodeGet(node, "stage"), &objective->stage));
  PetscFunctionReturn(0);
}

/* Plans are made and, unless `judging` says otherwise, judged by the model. */
PetscErrorCode TCPFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  const Settings *settings = reader->target;
  TumourSpec *tumour = base;
  tumour->parameters.tcp.fractions = (double)settings->fractions;
  if (!tumour->structure) {
    PetscCall(PetscStrallocpy(settings->target, &tumour->structure));
    PetscCall(PetscStrallocpy(settings->target_where, &tumour->where));
  }
  for (PetscInt i = 0; i < settings->n_objectives; i++) {
    ObjectiveSpec *objective = &settings->objectives[i];
    if (!(ObjectiveTypeFind(objective->type)->keys & KEY_TCP)) continue;
    objective->parameters.outcome = tumour->parameters;
    objective->map_scale = tumour->parameters.clonogens_share;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode OutcomesFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  const Settings *settings = base;
  for (PetscInt i = 0; i < settings->n_outcomes; i++) {
    OutcomeParameters *parameters = settings->outcomes[i].parameters;
    parameters->fractions = parameters->tcp.fractions = (double)settings->fractions;
  }
  PetscFunctionReturn(0);
}

/* A constraint is an objective that is hard, behind the others; its bound is per fraction. */
PetscErrorCode ConstraintFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  const Settings *settings = reader->target;
  ObjectiveSpec *constraint = base;
  PetscInt type = 0;
  while (strcmp(constraint_type_names[type], constraint->type)) type++;
  constraint->type = constraint_objectives[type];
  if (NodeGet(node, "percent")) constraint->goal *= 0.01 * settings->prescription_Gy_RBE;
  if (Says(node, "per", "course")) constraint->goal /= (double)settings->fractions;
  constraint->mode = Says(node, "scenarios", "all") ? ROBUST_VOXELWISE : ROBUST_NONE;
  PetscCall(FindStage(&settings->course, NULL, &constraint->stage));
  constraint->map_scale = constraint->weight = 1;
  constraint->hard = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode MetricFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  ((MetricSpec *)base)->quantity = QuantityFind(NodeGet(node, "quantity")->text);
  PetscFunctionReturn(0);
}

PetscErrorCode GoalFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  MetricSpec *metric = &((GoalSpec *)base)->metric;
  const Quantity named = QuantityFind(NodeGet(node, "quantity")->text);
  MetricForm form;
  metric->quantity = QuantityJudged(named, metric->name);
  if (metric->quantity < 0) metric->quantity = MetricFormRead(metric->name, &form) ? named : QUANTITY_OUTCOME;
  PetscFunctionReturn(0);
}

PetscErrorCode StudyComplete(Pool pool, const Node *root, Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCopy(pool, root, PETSC_FALSE, out));
  const SchemaReader reader = {.root = *out, .size = sizeof(Settings)};
  PetscCall(SchemaComplete(pool, &reader, &schema_study, *out));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsCreate(const Node *root, const char *file, Settings *settings)
{
  PetscFunctionBegin;
  const SchemaReader reader = {.root = root, .file = file, .target = settings, .size = sizeof *settings};
  PetscCall(PetscMemzero(settings, sizeof *settings));
  PetscCall(SchemaRead(&reader, &schema_study, root, settings));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroy(Settings *settings)
{
  PetscFunctionBegin;
  PetscCall(SchemaFree(&schema_study, settings));
  PetscFunctionReturn(0);
}
