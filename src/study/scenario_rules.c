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
  static const char *const keys[] = {"number", "seed", "range_sigma_percent"};
  const Node *setup = NodeGet(node, "setup"), *size = NodeGet(node, "setup_mm"), *sigma = NodeGet(node, keys[2]);
  const PetscBool random = IsWord(setup, "random");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(keys) && !random; i++)
    if (NodeFind(node, keys[i]))
      PetscCall(CheckAdd(check, NodeFind(node, keys[i])->place, PathJoin(path, keys[i]).text,
                         "found without setup: random, expected it only with that"));
  if (random && !NodeFind(node, "number"))
    PetscCall(CheckAdd(check, setup->place, PathJoin(path, "setup").text,
                       "found random without number, expected number too"));
  if (random && size && IsZero(size) && (!sigma || IsZero(sigma)))
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
  if ((range && !IsZero(range)) || NodeGet(set, "plus")) return PETSC_FALSE;
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

PetscErrorCode RuleStudy(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscCall(CheckRobust(check, key, node));
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
