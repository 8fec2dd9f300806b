/* Rules of scenario sets, and of what needs them. */
#include "schema_private.h"
#include <stdio.h>
#include <string.h>

/* A list entry as scenario names will show it: numbers with 4 digits. */
static Line EntryText(const Node *node)
{
  Line out = {""};
  double value;
  if (NodeNumber(node, &value))
    snprintf(out.text, sizeof out.text, "%.4g", value == 0 ? 0 : value);
  else if (node->kind == NODE_SCALAR)
    snprintf(out.text, sizeof out.text, "%.300s", node->text);
  else
    for (PetscInt i = 0; i < PetscMin(node->n, 3); i++) {
      size_t used = strlen(out.text);
      snprintf(out.text + used, sizeof out.text - used, "%s%.100s", i ? ", " : "",
               EntryText(node->entry[i].value).text);
    }
  return out;
}

PetscErrorCode RuleDistinct(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  Line *entry;
  PetscCall(PetscMalloc1(node->n, &entry));
  for (PetscInt i = 0; i < node->n; i++) {
    PetscInt k = 0;
    entry[i] = EntryText(node->entry[i].value);
    while (k < i && strcmp(entry[k].text, entry[i].text)) k++;
    if (k < i)
      PetscCall(CheckAdd(check, node->entry[i].place, PathJoinIndex(path, i).text, "found %s again, expected it once",
                         LineShown(entry[i].text).text));
  }
  PetscCall(PetscFree(entry));
  PetscFunctionReturn(0);
}

static PetscBool IsWord(const Node *node, const char *word)
{
  return node && node->kind == NODE_SCALAR && !strcmp(node->text, word) ? PETSC_TRUE : PETSC_FALSE;
}

/* True if a value is a number, or holds nothing but numbers, and all are 0. */
static PetscBool IsZero(const Node *node)
{
  double value;
  if (node->kind == NODE_SCALAR) return NodeNumber(node, &value) && value == 0 ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < node->n; i++)
    if (!IsZero(node->entry[i].value)) return PETSC_FALSE;
  return node->n ? PETSC_TRUE : PETSC_FALSE;
}

/* Keys of drawn scenarios, with which something must vary. */
static PetscErrorCode CheckRandom(Check *check, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const keys[] = {
      "number", "seed", "range_sigma_percent", "alpha_sigma_percent", "beta_sigma_percent", "rotation_sigma_deg"};
  const Node *setup = NodeGet(node, "setup"), *size = NodeGet(node, "setup_mm");
  PetscBool varies = PETSC_FALSE;
  for (size_t i = 2; i < PETSC_STATIC_ARRAY_LENGTH(keys); i++)
    if (NodeGet(node, keys[i]) && !IsZero(NodeGet(node, keys[i]))) varies = PETSC_TRUE;
  const PetscBool random = IsWord(setup, "random");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(keys) && !random; i++)
    if (NodeFind(node, keys[i]))
      PetscCall(CheckAdd(check, NodeFind(node, keys[i])->place, PathJoin(path, keys[i]).text,
                         "found without setup: random, expected it only with that"));
  if (random && !NodeFind(node, "number"))
    PetscCall(CheckAdd(check, setup->place, PathJoin(path, "setup").text,
                       "found random without number, expected number too"));
  if (random && size && IsZero(size) && !varies)
    PetscCall(CheckAdd(check, size->place, PathJoin(path, "setup_mm").text,
                       "found 0 without range_sigma_percent, expected one of them above 0"));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleScenarios(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  if (SchemaHasUnknown(key, node)) PetscFunctionReturn(0); /* a misspelt key explains what seems to be missing */
  const Node *setup = NodeGet(node, "setup"), *size = NodeGet(node, "setup_mm"), *shifts = NodeGet(node, "shifts_mm");
  static const char *const patterns[] = {"axes", "corners", "axes+corners", "cross", "grid", "random"};
  PetscBool pattern = PETSC_FALSE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(patterns); i++) pattern = pattern || IsWord(setup, patterns[i]);
  if (pattern && !size)
    PetscCall(CheckAdd(check, setup->place, PathJoin(path, "setup").text,
                       "found %s without setup_mm, expected setup_mm too", setup->text));
  else if (pattern && !IsWord(setup, "random") && IsZero(size))
    PetscCall(CheckAdd(check, size->place, PathJoin(path, "setup_mm").text,
                       "found 0 with setup: %s, expected a number above 0 (mm)", setup->text));
  if (IsWord(setup, "list") && !shifts)
    PetscCall(CheckAdd(check, setup->place, PathJoin(path, "setup").text,
                       "found list without shifts_mm, expected shifts_mm too"));
  if (!setup && size && !IsZero(size))
    PetscCall(CheckAdd(check, size->place, PathJoin(path, "setup_mm").text,
                       "found without setup, expected setup: axes, corners, axes+corners, cross, grid or random too"));
  if (!setup && shifts)
    PetscCall(CheckAdd(check, shifts->place, PathJoin(path, "shifts_mm").text,
                       "found without setup, expected setup: list too"));
  if (NodeGet(node, "phases") && !NodeGet(node, "motion"))
    PetscCall(CheckAdd(check, NodeGet(node, "phases")->place, PathJoin(path, "phases").text,
                       "found without motion, expected motion: phases or accumulate too"));
  PetscCall(CheckRandom(check, node, path));
  PetscFunctionReturn(0);
}

/* True if a scenario set certainly holds the nominal scenario alone. */
static PetscBool IsNominal(const Node *set)
{
  if (!set) return PETSC_TRUE;
  if (set->kind != NODE_MAPPING) return PETSC_FALSE;
  const Node *range = NodeGet(set, "range_percent"), *setup = NodeGet(set, "setup"),
             *shifts = NodeGet(set, "shifts_mm");
  const Node *biology = NodeGet(set, "biology"), *rotations = NodeGet(set, "rotations_deg");
  if (IsWord(NodeGet(set, "motion"), "phases")) return PETSC_FALSE;
  if ((range && !IsZero(range)) || (rotations && !IsZero(rotations)) || NodeGet(set, "plus")) return PETSC_FALSE;
  for (PetscInt i = 0; biology && biology->kind == NODE_SEQUENCE && i < biology->n; i++)
    if (!IsWord(biology->entry[i].value, BIOLOGY_NOMINAL)) return PETSC_FALSE;
  if (!setup) return PETSC_TRUE;
  if (IsWord(setup, "list")) return shifts && IsZero(shifts) ? PETSC_TRUE : PETSC_FALSE;
  return IsWord(setup, "none");
}

/* A robust mode with nothing to be robust against. */
static PetscErrorCode CheckRobust(Check *check, const SchemaKey *key, const Node *node)
{
  PetscFunctionBegin;
  const NodeEntry *robust = NodeFind(node, "robust");
  const Node *scenarios = NodeGet(node, "scenarios"), *optimize = NodeGet(scenarios, "optimize");
  if (!robust || SchemaHasUnknown(key, node)) PetscFunctionReturn(0);
  if (scenarios && scenarios->kind != NODE_MAPPING) PetscFunctionReturn(0);
  const Node *mode = robust->value->kind == NODE_MAPPING ? NodeGet(robust->value, "mode") : robust->value;
  const SchemaKey *scenarios_key = SchemaChild(key, "scenarios"),
                  *optimize_key = SchemaChild(scenarios_key, "optimize");
  if (scenarios && SchemaHasUnknown(scenarios_key, scenarios)) PetscFunctionReturn(0);
  if (optimize && optimize->kind == NODE_MAPPING && SchemaHasUnknown(optimize_key, optimize)) PetscFunctionReturn(0);
  for (PetscInt i = 1; i < n_robust_mode_names; i++)
    if (IsWord(mode, robust_mode_names[i]) && IsNominal(optimize))
      PetscCall(CheckAdd(check, robust->place, "robust",
                         "found %s with the nominal scenario alone, expected scenarios.optimize to hold more",
                         mode->text));
  PetscFunctionReturn(0);
}

/* A response of cells is factors or a model, whose keys only come with it. */
PetscErrorCode RuleAlternative(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const common[] = {"name", "structure", "alpha_factor", "beta_factor", "model"};
  const Node *name = NodeGet(node, "name"), *model = NodeGet(node, "model");
  const PetscBool scaled = NodeGet(node, "alpha_factor") || NodeGet(node, "beta_factor") ? PETSC_TRUE : PETSC_FALSE;
  if (SchemaHasUnknown(key, node)) PetscFunctionReturn(0);
  if (IsWord(name, BIOLOGY_NOMINAL))
    PetscCall(CheckAdd(check, name->place, PathJoin(path, "name").text,
                       "found nominal, which is biology itself, expected another name"));
  if (!model && !scaled)
    PetscCall(CheckAdd(check, node->place, path,
                       "found neither factor nor model, expected alpha_factor, beta_factor or model"));
  if (model) PetscCall(RuleBiology(check, key, node, path));
  for (PetscInt i = 0; !model && i < node->n; i++) {
    size_t k = 0;
    while (k < PETSC_STATIC_ARRAY_LENGTH(common) && strcmp(common[k], node->entry[i].key)) k++;
    if (k == PETSC_STATIC_ARRAY_LENGTH(common))
      PetscCall(CheckAdd(check, node->entry[i].place, PathJoin(path, node->entry[i].key).text,
                         "found without model, expected it only with that"));
  }
  PetscFunctionReturn(0);
}

/* The i-th response that a study describes, by name; NULL: it has none. */
static const Node *NamedResponse(const Node *responses, PetscInt i)
{
  const Node *name = NodeGet(responses->entry[i].value, "name");
  return name && name->kind == NODE_SCALAR ? name : NULL;
}

/* Names in a set of scenarios, and in those on top of it. */
static PetscErrorCode CheckResponses(Check *check, const Node *responses, const Node *set, const char *path)
{
  PetscFunctionBegin;
  const Node *names = NodeGet(set, "biology"), *plus = NodeGet(set, "plus");
  const PetscInt n = responses ? responses->n : 0;
  const char **known;
  PetscInt n_known = 1;
  PetscCall(PetscMalloc1(n + 1, &known));
  known[0] = BIOLOGY_NOMINAL;
  for (PetscInt i = 0; i < n; i++)
    if (NamedResponse(responses, i)) known[n_known++] = NamedResponse(responses, i)->text;
  for (PetscInt i = 0; names && names->kind == NODE_SEQUENCE && i < names->n; i++) {
    const Node *name = names->entry[i].value;
    PetscInt k = 0;
    if (name->kind != NODE_SCALAR) continue;
    while (k < n_known && strcmp(known[k], name->text)) k++;
    if (k == n_known)
      PetscCall(CheckAdd(check, name->place, PathJoinIndex(PathJoin(path, "biology").text, i).text,
                         "found %s, expected nominal or a name of scenarios.biology%s", NodeShown(name).text,
                         SuggestName(", ", name->text, (size_t)n_known, known).text));
  }
  PetscCall(PetscFree(known));
  for (PetscInt i = 0; plus && plus->kind == NODE_SEQUENCE && i < plus->n; i++)
    PetscCall(
        CheckResponses(check, responses, plus->entry[i].value, PathJoinIndex(PathJoin(path, "plus").text, i).text));
  PetscFunctionReturn(0);
}

/* Whether a structure has a tissue of its own. */
static PetscBool HasTissue(const Node *tissues, const Node *structure)
{
  for (PetscInt t = 0; tissues && tissues->kind == NODE_SEQUENCE && t < tissues->n; t++) {
    const Node *names = NodeGet(tissues->entry[t].value, "structures");
    for (PetscInt i = 0; names && names->kind == NODE_SEQUENCE && i < names->n; i++)
      if (IsWord(names->entry[i].value, structure->text)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscErrorCode CheckAlternatives(Check *check, const SchemaKey *key, const Node *root)
{
  PetscFunctionBegin;
  const Node *scenarios = NodeGet(root, "scenarios"), *tissues = NodeGet(NodeGet(root, "biology"), "tissues");
  if (!scenarios || scenarios->kind != NODE_MAPPING || SchemaHasUnknown(SchemaChild(key, "scenarios"), scenarios))
    PetscFunctionReturn(0);
  const Node *responses = NodeGet(scenarios, "biology");
  if (responses && responses->kind != NODE_SEQUENCE) responses = NULL;
  for (PetscInt i = 0; responses && i < responses->n; i++) {
    const Node *one = responses->entry[i].value, *structure = NodeGet(one, "structure"),
               *name = NamedResponse(responses, i);
    const Line path = PathJoinIndex("scenarios.biology", i);
    if (structure && structure->kind == NODE_SCALAR && !HasTissue(tissues, structure))
      PetscCall(CheckAdd(check, structure->place, PathJoin(path.text, "structure").text,
                         "found %s, expected a structure of biology.tissues", NodeShown(structure).text));
    for (PetscInt k = 0; name && k < i; k++)
      if (NamedResponse(responses, k) && IsWord(NamedResponse(responses, k), name->text))
        PetscCall(CheckAdd(check, name->place, PathJoin(path.text, "name").text, "found %s again, expected it once",
                           NodeShown(name).text));
  }
  PetscCall(CheckResponses(check, responses, NodeGet(scenarios, "optimize"), "scenarios.optimize"));
  PetscCall(CheckResponses(check, responses, NodeGet(scenarios, "evaluate"), "scenarios.evaluate"));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleStudy(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscCall(CheckRobust(check, key, node));
  PetscCall(CheckAlternatives(check, key, node));
  PetscCall(CheckCourse(check, node));
  PetscCall(CheckGoals(check, node));
  const Node *model = NodeGet(NodeGet(node, "biology"), "model"),
             *data = NodeGet(NodeGet(node, "machine"), "base_data");
  const Node *table = NodeGet(NodeGet(node, "biology"), "table");
  if (IsWord(model, "table") && (!data || IsWord(data, "builtin")) && (!table || IsWord(table, "builtin")))
    PetscCall(
        CheckAdd(check, model->place, "biology.model",
                 "found table with builtin base data, expected machine.base_data to be a file with alpha and beta "
                 "tables, or biology.table an .rbe file"));
  PetscFunctionReturn(0);
}
