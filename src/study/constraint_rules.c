/* Constraints: their keys, and which go together. */
#include "schema_private.h"
#include <string.h>

static const char *const constraint_scenario_names[] = {"nominal", "all"};
static const PetscInt n_constraint_scenario_names = PETSC_STATIC_ARRAY_LENGTH(constraint_scenario_names);

static PetscErrorCode RuleConstraint(Check *check, const SchemaKey *key, const Node *node, const char *path);

static const SchemaKey constraint_keys[] = {
    {"structure", TYPE_TEXT, REQUIRED, AT(ObjectiveSpec, structure), WHERE(ObjectiveSpec, where),
     .doc = "the structure it is about"},
    {"type", TYPE_WORD, REQUIRED, AT(ObjectiveSpec, type), WORDS(constraint_type_names), .doc = "what must hold"},
    {"dose_Gy_RBE", TYPE_NUMBER, AT(ObjectiveSpec, goal), .unit = "Gy(RBE)", ABOVE(0, 1000),
     .doc = "bound, RBE-weighted dose"},
    {"dose_Gy", TYPE_NUMBER, AT(ObjectiveSpec, goal), GIVEN_AS(ObjectiveSpec, quantity, QUANTITY_PHYSICAL),
     .unit = "Gy", ABOVE(0, 1000), .doc = "bound, physical dose"},
    {"percent", TYPE_NUMBER, AT(ObjectiveSpec, goal), .unit = "percent", ABOVE(0, 1000),
     .doc = "bound, RBE-weighted, of the prescription"},
    {"per", TYPE_WORD, WORDS(per_names), .fallback = "fraction", .doc = "what a dose is counted over"},
    {"volume_percent", TYPE_NUMBER, AT(ObjectiveSpec, parameters.volume), PERCENT, ABOVE(0, 100), .below = PETSC_TRUE,
     .doc = "max-dvh: volume that may get more"},
    {"scenarios", TYPE_WORD, WORDS(constraint_scenario_names), .fallback = "nominal", .doc = "where it must hold"},
    OPTIONAL_KEY(ObjectiveSpec, optional),
};
const SchemaKey schema_constraint = {
    "constraint",           TYPE_MAPPING, CHILDREN(constraint_keys), .rule = RuleConstraint, .finish = ConstraintFinish,
    .doc = "one constraint"};

static const char *Word(const Node *node, const char *key)
{
  const Node *value = NodeGet(node, key);
  return value && value->kind == NODE_SCALAR ? value->text : "";
}

static PetscErrorCode RuleConstraint(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const bound[] = {"dose_Gy_RBE", "dose_Gy", "percent"};
  const char *type = Word(node, "type");
  const Node *volume = NodeGet(node, "volume_percent");
  const PetscBool dvh = strcmp(type, "max-dvh") ? PETSC_FALSE : PETSC_TRUE;
  int n = 0;
  if (SchemaHasUnknown(key, node) || !*type) PetscFunctionReturn(0);
  for (int k = 0; k < 3; k++) n += NodeGet(node, bound[k]) ? 1 : 0;
  if (n != 1)
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected one of dose_Gy_RBE, dose_Gy and percent",
                       n ? "several bounds" : "no bound"));
  if (dvh && !volume) PetscCall(CheckAdd(check, node->place, path, "found max-dvh without volume_percent"));
  if (!dvh && volume)
    PetscCall(CheckAdd(check, volume->place, PathJoin(path, "volume_percent").text,
                       "found with type %s, expected with max-dvh alone", type));
  if (!strncmp(type, "mean-", 5) && !strcmp(Word(node, "scenarios"), "all"))
    PetscCall(CheckAdd(check, NodeGet(node, "scenarios")->place, PathJoin(path, "scenarios").text,
                       "found all with type %s, expected nominal", type));
  if (NodeGet(node, "percent") && !strcmp(Word(node, "per"), "course"))
    PetscCall(CheckAdd(check, NodeGet(node, "per")->place, PathJoin(path, "per").text,
                       "found course with percent, which is the same over fraction and course: expected fraction"));
  PetscFunctionReturn(0);
}
