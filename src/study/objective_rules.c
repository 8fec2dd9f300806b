/* The keys of an objective: which of them its type takes, which it needs, and what it leaves out. */
#include "robion/map.h"
#include "robion/objective.h"
#include "schema_private.h"
#include <stdio.h>
#include <string.h>

static const PetscInt n_cell_case_names = N_CELL_CASES;

static const SchemaKey objective_keys[] = {
    {"structure", TYPE_TEXT, REQUIRED, AT(ObjectiveSpec, structure), WHERE(ObjectiveSpec, where),
     .doc = "the structure it acts on"},
    {"type", TYPE_WORD, REQUIRED, AT(ObjectiveSpec, type), WORDS(objective_type_names), .doc = "what is penalised"},
    {"dose_Gy_RBE", TYPE_NUMBER, AT(ObjectiveSpec, goal), .unit = "Gy(RBE)", FROM(0, 1000),
     .doc = "goal, RBE-weighted dose"},
    {"dose_Gy", TYPE_NUMBER, AT(ObjectiveSpec, goal), .unit = "Gy", FROM(0, 1000), .doc = "goal, physical dose"},
    {"effect", TYPE_NUMBER, AT(ObjectiveSpec, goal), FROM(0, 1000),
     .doc = "goal, biological effect (minus the logarithm of survival)"},
    {"let_keV_um", TYPE_NUMBER, AT(ObjectiveSpec, goal), .unit = "keV/um", FROM(0.01, 10000),
     .doc = "goal, dose-averaged LET"},
    {"map", TYPE_TEXT, AT(ObjectiveSpec, map), .doc = "goals voxel by voxel, from this map of the case"},
    {"quantity", TYPE_WORD, .word = QuantityOfObjective, DEFAULT_IF_TAKEN("rbe_weighted"),
     .doc = "what is looked at, where no key of the goal says it"},
    {"per", TYPE_WORD, WORDS(per_names), .fallback = "fraction", .doc = "what a dose or effect is counted over"},
    {"volume_percent", TYPE_NUMBER, AT(ObjectiveSpec, parameters.volume), PERCENT, ABOVE(0, 100), .below = PETSC_TRUE,
     .doc = "DVH objectives: volume"},
    {"a", TYPE_NUMBER, AT(ObjectiveSpec, parameters.a), FROM(-1000, 1000), .doc = "gEUD: exponent"},
    {"smoothing_percent", TYPE_NUMBER, AT(ObjectiveSpec, parameters.smoothing), PERCENT, ABOVE(0, 100),
     DEFAULT_IF_TAKEN("1"), .doc = "maximum, minimum: width of the smooth extreme, of the goal"},
    {"from", TYPE_TEXT, AT(ObjectiveSpec, from), .doc = "falloff: the structure that the goal falls away from"},
    {"distance_mm", TYPE_NUMBER, AT(ObjectiveSpec, parameters.distance_mm), .unit = "mm", ABOVE(0, 1000),
     .doc = "falloff: where the goal has fallen"},
    {"low_percent", TYPE_NUMBER, AT(ObjectiveSpec, parameters.low), PERCENT, FROM(0, 100), DEFAULT_IF_TAKEN("0"),
     .doc = "falloff: to this part of it"},
    {"model", TYPE_WORD, AT(ObjectiveSpec, parameters.model), .word = ComplicationModel, DEFAULT_IF_TAKEN("lkb"),
     .doc = "ntcp: model of complications"},
    {"td50_Gy", TYPE_NUMBER, AT(ObjectiveSpec, parameters.outcome.lkb.td50_Gy), .unit = "Gy", ABOVE(0, 1000),
     .doc = "ntcp: dose of 50 % complications, EQD2 of the course"},
    {"m", TYPE_NUMBER, AT(ObjectiveSpec, parameters.outcome.lkb.m), ABOVE(0, 100), .doc = "ntcp: slope parameter"},
    {"alpha_beta_Gy", TYPE_NUMBER, AT(ObjectiveSpec, parameters.outcome.fractionation.alpha_beta_Gy), .unit = "Gy",
     ABOVE(0, 1000), .doc = "ntcp: alpha/beta of the EQD2, in place of fractionation"},
    {"fractionation", TYPE_MAPPING, INTO(ObjectiveSpec, parameters.outcome.fractionation), CHILDREN(fractionation_keys),
     .conditional = PETSC_TRUE, .rule = RuleFractionation, .doc = "ntcp: how doses become EQD2"},
    {"clonogens", TYPE_TEXT, AT(ObjectiveSpec, map), DEFAULT_IF_TAKEN(MAP_CLONOGENS),
     .doc = "tcp: the map of clonogens per voxel"},
    {"cells", TYPE_WORD, AT(ObjectiveSpec, cells), WORDS(cell_case_names), DEFAULT_IF_TAKEN("nominal"),
     .doc = "tcp: which clonogens of it, given the misfit of the diffusion"},
    {"weight", TYPE_NUMBER, AT(ObjectiveSpec, weight), ABOVE(0, 1e12), .fallback = "1", .doc = "weight in the sum"},
    {"stage", TYPE_TEXT, .doc = "the stage whose fractions it looks at"},
    {"robust", TYPE_FLAG | TYPE_WORD, AT(ObjectiveSpec, mode), WORDS(robust_mode_names), .fallback = "true",
     .finish = ObjectiveModeFinish, .doc = "true: as the study; false: nominal scenario only; or a mode of its own"},
    {"worst_fraction", TYPE_NUMBER, AT(ObjectiveSpec, worst_fraction), ABOVE(0, 1),
     .doc = "percentile: its own share of scenarios that counts"},
    OPTIONAL_KEY(ObjectiveSpec, optional),
};
const SchemaKey schema_objective = {"objective",
                                    TYPE_MAPPING,
                                    CHILDREN(objective_keys),
                                    .rule = RuleObjective,
                                    .complete = ObjectiveComplete,
                                    .finish = ObjectiveFinish,
                                    .doc = "one objective"};

/* The i-th key that says a goal: those of quantities, then `map`; NULL behind it. *quantity: -1 of a map. */
static const char *GoalKey(PetscInt i, Quantity *quantity)
{
  for (*quantity = 0; *quantity < n_quantities; ++*quantity)
    if (quantities[*quantity].goal_key && i-- == 0) return quantities[*quantity].goal_key;
  *quantity = -1;
  return i ? NULL : "map";
}

/* Keys that only some types take, and those that need them. */
static const struct {
  unsigned takes, needs;
  const char *key;
} special[] = {{KEY_VOLUME, KEY_VOLUME, "volume_percent"},
               {KEY_A | KEY_NTCP, KEY_A, "a"},
               {KEY_SMOOTHING, 0, "smoothing_percent"},
               {KEY_FALLOFF, KEY_FALLOFF, "from"},
               {KEY_FALLOFF, KEY_FALLOFF, "distance_mm"},
               {KEY_FALLOFF, 0, "low_percent"},
               {KEY_NTCP, 0, "model"},
               {KEY_NTCP, 0, "td50_Gy"}, /* CheckNTCP says what it needs of these */
               {KEY_NTCP, 0, "m"},
               {KEY_NTCP, 0, "alpha_beta_Gy"},
               {KEY_NTCP, 0, "fractionation"},
               {KEY_TCP, 0, "clonogens"},
               {KEY_TCP, 0, "cells"}};

/* Whether a type takes a goal of this quantity, -1: goals of a map. */
static PetscBool TakesGoal(const ObjectiveType *type, Quantity quantity)
{
  const unsigned bit = quantity < 0 ? KEY_MAP : quantity == QUANTITY_LETD ? KEY_GOAL | KEY_LET_GOAL : KEY_GOAL;
  return type->keys & bit ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool TakesQuantity(const ObjectiveType *type, const Node *node)
{
  return type->keys & KEY_QUANTITY || (type->keys & KEY_MAP && NodeGet(node, "map")) ? PETSC_TRUE : PETSC_FALSE;
}

/* "dose_Gy_RBE (RBE-weighted), dose_Gy (physical), ..." */
static Line GoalsText(const ObjectiveType *type)
{
  Line out = {""};
  Quantity q;
  PetscInt n = 0, last = 0;
  for (PetscInt i = 0; GoalKey(i, &q); i++)
    if (TakesGoal(type, q)) last = i;
  for (PetscInt i = 0; i <= last; i++) {
    const char *key = GoalKey(i, &q), *note = q < 0 ? "voxel by voxel" : quantities[q].goal_note;
    if (!TakesGoal(type, q)) continue;
    size_t used = strlen(out.text);
    snprintf(out.text + used, sizeof out.text - used, "%s%s%s%s%s",
             n++ == 0    ? ""
             : i == last ? " or "
                         : ", ",
             key, note ? " (" : "", note ? note : "", note ? ")" : "");
  }
  return out;
}

static PetscErrorCode CheckGoal(Check *check, const ObjectiveType *type, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const char *first = NULL, *key;
  Quantity q;
  for (PetscInt i = 0; (key = GoalKey(i, &q)); i++) {
    const NodeEntry *entry = NodeFind(node, key);
    if (!entry) continue;
    if (!TakesGoal(type, q))
      PetscCall(CheckAdd(check, entry->place, PathJoin(path, key).text, "found with type %s, expected %s", type->name,
                         type->keys & (KEY_GOAL | KEY_LET_GOAL) ? GoalsText(type).text : "no goal"));
    else if (first)
      PetscCall(CheckAdd(check, node->place, path, "found both %s and %s, expected one of them", first, key));
    else
      first = key;
  }
  if (!first && type->keys & (KEY_GOAL | KEY_LET_GOAL))
    PetscCall(CheckAdd(check, node->place, path, "found no goal, expected %s", GoalsText(type).text));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSpecial(Check *check, const ObjectiveType *type, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(special); i++) {
    const NodeEntry *entry = NodeFind(node, special[i].key);
    if (entry && !(type->keys & special[i].takes))
      PetscCall(CheckAdd(check, entry->place, PathJoin(path, special[i].key).text,
                         "found with type %s, which does not take it", type->name));
    else if (!entry && type->keys & special[i].needs)
      PetscCall(
          CheckAdd(check, node->place, path, "found no %s, expected it with type %s", special[i].key, type->name));
  }
  const NodeEntry *quantity = NodeFind(node, "quantity");
  if (quantity && !TakesQuantity(type, node))
    PetscCall(CheckAdd(check, quantity->place, PathJoin(path, "quantity").text, "found with type %s, expected %s",
                       type->name,
                       type->keys & (KEY_NTCP | KEY_TCP) ? "none: it is RBE-weighted" : "the goal's key alone"));
  PetscFunctionReturn(0);
}

/* The model of complications that an objective names, or that it has by default; NULL: there is none of the name. */
static const OutcomeModel *ComplicationOf(const Node *node)
{
  const Node *name = NodeGet(node, "model");
  const OutcomeModel *model =
      name && name->kind == NODE_SCALAR ? OutcomeModelFind(name->text) : OutcomeModelFind("lkb");
  return model && model->kind == &outcome_complication ? model : NULL;
}

/* Numbers of complications: the model's own, or all of the objective. */
static PetscErrorCode CheckNTCP(Check *check, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const number[] = {"a", "m", "td50_Gy"};
  const OutcomeModel *model = ComplicationOf(node);
  const PetscBool whole = NodeGet(node, "fractionation") ? PETSC_TRUE : PETSC_FALSE,
                  ratio = NodeGet(node, "alpha_beta_Gy") ? PETSC_TRUE : PETSC_FALSE;
  if (!model) PetscFunctionReturn(0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++) {
    const NodeEntry *entry = NodeFind(node, number[i]);
    if (entry && model->lkb.m > 0)
      PetscCall(CheckAdd(check, entry->place, PathJoin(path, number[i]).text,
                         "found with model %s, which has numbers of its own", model->name));
    else if (!entry && !(model->lkb.m > 0))
      PetscCall(CheckAdd(check, node->place, path,
                         "found no %s, expected it with type ntcp, or a model with numbers of its own", number[i]));
  }
  if (whole && ratio)
    PetscCall(CheckAdd(check, node->place, path, "found both fractionation and alpha_beta_Gy, expected one of them"));
  else if (!whole && !ratio && !model->fractionation)
    PetscCall(
        CheckAdd(check, node->place, path, "found no alpha_beta_Gy, expected it or fractionation with type ntcp"));
  PetscFunctionReturn(0);
}

/* Values that are in range by themselves, but make no sense with the type. */
static PetscErrorCode CheckValues(Check *check, const ObjectiveType *type, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const NodeEntry *a = NodeFind(node, "a"), *per = NodeFind(node, "per");
  const char *key;
  double value;
  Quantity q;
  for (PetscInt i = 0; (key = GoalKey(i, &q)) && q >= 0; i++) {
    const NodeEntry *goal = NodeFind(node, key);
    if (goal && NodeNumber(goal->value, &value) && value == 0 && type->keys & (KEY_SMOOTHING | KEY_LET_GOAL))
      PetscCall(CheckAdd(check, goal->value->place, PathJoin(path, key).text,
                         "found 0 with type %s, expected a number above 0", type->name));
  }
  if (a && NodeNumber(a->value, &value) && (value == 0 || (value < 0 && type->keys & KEY_NTCP)))
    PetscCall(CheckAdd(check, a->value->place, PathJoin(path, "a").text, "found %s with type %s, expected %s",
                       NodeShown(a->value).text, type->name,
                       type->keys & KEY_NTCP ? "a number above 0" : "any number but 0"));
  if (per && per->value->kind == NODE_SCALAR && !strcmp(per->value->text, "course") && NodeFind(node, "let_keV_um"))
    PetscCall(CheckAdd(check, per->value->place, PathJoin(path, "per").text,
                       "found course with let_keV_um, expected fraction: LET is the same in every one"));
  const NodeEntry *stage = NodeFind(node, "stage");
  if (stage && per && per->value->kind == NODE_SCALAR && !strcmp(per->value->text, "course"))
    PetscCall(CheckAdd(check, per->value->place, PathJoin(path, "per").text,
                       "found course with stage, expected fraction: a stage is not the course"));
  if (stage && type->keys & (KEY_NTCP | KEY_TCP))
    PetscCall(CheckAdd(check, stage->place, PathJoin(path, "stage").text,
                       "found with type %s, expected none: its probability is of the course", type->name));
  PetscFunctionReturn(0);
}

/* A level of its own is one of the mode that has it, be it the objective's or the study's. */
static PetscErrorCode CheckLevel(Check *check, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const NodeEntry *level = NodeFind(node, "worst_fraction");
  const Node *robust = NodeGet(node, "robust");
  PetscBool flag = PETSC_FALSE;
  if (!level || !robust || robust->kind != NODE_SCALAR) PetscFunctionReturn(0);
  const PetscBool word = NodeFlag(robust, &flag) ? PETSC_FALSE : PETSC_TRUE;
  if (word ? strcmp(robust->text, robust_mode_names[ROBUST_PERCENTILE]) != 0 : !flag)
    PetscCall(CheckAdd(check, level->place, PathJoin(path, level->key).text,
                       "found without percentile, expected it only with robust: percentile"));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleObjective(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *name = NodeGet(node, "type");
  const ObjectiveType *type = name && name->kind == NODE_SCALAR ? ObjectiveTypeFind(name->text) : NULL;
  if (!type || SchemaHasUnknown(key, node)) PetscFunctionReturn(0);
  PetscCall(CheckGoal(check, type, node, path));
  PetscCall(CheckSpecial(check, type, node, path));
  PetscCall(CheckLevel(check, node, path));
  if (type->keys & KEY_NTCP) PetscCall(CheckNTCP(check, node, path));
  PetscCall(CheckValues(check, type, node, path));
  PetscFunctionReturn(0);
}

/* Whether an objective of the type keeps a key that it had with another type; `goal`: the change brings a goal of its own. */
static PetscBool KeepsKey(const ObjectiveType *type, const Node *node, const char *key, PetscBool goal)
{
  const char *of_goal;
  Quantity q;
  for (PetscInt i = 0; (of_goal = GoalKey(i, &q)); i++)
    if (!strcmp(key, of_goal)) return !goal && TakesGoal(type, q) ? PETSC_TRUE : PETSC_FALSE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(special); i++)
    if (!strcmp(key, special[i].key)) return type->keys & special[i].takes ? PETSC_TRUE : PETSC_FALSE;
  if (!strcmp(key, "quantity")) return TakesQuantity(type, node);
  if (!strcmp(key, "stage")) return type->keys & (KEY_NTCP | KEY_TCP) ? PETSC_FALSE : PETSC_TRUE;
  return PETSC_TRUE;
}

PetscErrorCode ObjectiveRetype(Node *objective)
{
  PetscFunctionBegin;
  const NodeEntry *name = NodeFind(objective, "type");
  const ObjectiveType *type = name && name->value->kind == NODE_SCALAR ? ObjectiveTypeFind(name->value->text) : NULL;
  PetscBool goal = PETSC_FALSE;
  PetscInt kept = 0;
  const char *key;
  Quantity q;
  if (!type || !name->place.override) PetscFunctionReturn(0);
  for (PetscInt i = 0; (key = GoalKey(i, &q)); i++) {
    const NodeEntry *entry = NodeFind(objective, key);
    if (entry && entry->place.override) goal = PETSC_TRUE;
  }
  for (PetscInt i = 0; i < objective->n; i++) {
    const NodeEntry *entry = &objective->entry[i];
    if (entry->place.override || KeepsKey(type, objective, entry->key, goal)) objective->entry[kept++] = *entry;
  }
  objective->n = kept;
  PetscFunctionReturn(0);
}

/* The default of a key that the objective's type takes. */
static PetscErrorCode CompleteKey(Pool pool, const char *name, Node *node)
{
  PetscFunctionBegin;
  const char *text = SchemaChild(&schema_objective, name)->fallback;
  Node *value;
  if (!text || NodeGet(node, name)) PetscFunctionReturn(0);
  PetscCall(NodeCreateScalar(pool, text, PETSC_FALSE, node->place, &value));
  PetscCall(NodeAppend(pool, node, name, node->place, value));
  PetscFunctionReturn(0);
}

PetscErrorCode ObjectiveComplete(Pool pool, Node *objective)
{
  PetscFunctionBegin;
  const ObjectiveType *type = ObjectiveTypeFind(NodeGet(objective, "type")->text);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(special); i++)
    if (type->keys & special[i].takes) PetscCall(CompleteKey(pool, special[i].key, objective));
  if (type->keys & KEY_NTCP && !NodeGet(objective, "alpha_beta_Gy"))
    PetscCall(FractionationComplete(pool, ComplicationOf(objective), objective));
  if (TakesQuantity(type, objective)) PetscCall(CompleteKey(pool, "quantity", objective));
  PetscFunctionReturn(0);
}
