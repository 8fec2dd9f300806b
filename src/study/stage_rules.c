/* Rules of the stages of a course. */
#include "schema_private.h"
#include <string.h>

static const char *ScalarText(const Node *node)
{
  return node && node->kind == NODE_SCALAR ? node->text : "";
}

PetscErrorCode RuleStages(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *name = NodeGet(node->entry[i].value, "name");
    PetscInt k = 0;
    while (k < i && strcmp(ScalarText(NodeGet(node->entry[k].value, "name")), ScalarText(name))) k++;
    if (k < i && *ScalarText(name))
      PetscCall(CheckAdd(check, name->place, PathJoin(PathJoinIndex(path, i).text, "name").text,
                         "found %s again, expected every stage to have a name of its own", NodeShown(name).text));
  }
  PetscFunctionReturn(0);
}

static PetscInt StageCount(const Node *stages)
{
  return stages && stages->kind == NODE_SEQUENCE ? stages->n : 0;
}

/* Index of the stage of that name, or -1. */
static PetscInt FindStage(const Node *stages, const char *name)
{
  for (PetscInt i = 0; i < StageCount(stages); i++)
    if (!strcmp(ScalarText(NodeGet(stages->entry[i].value, "name")), name)) return i;
  return -1;
}

static PetscErrorCode CheckFractions(Check *check, const Node *stages, const Node *prescription)
{
  PetscFunctionBegin;
  const Node *given = NodeGet(prescription, "fractions");
  double sum = 0, one, whole = 1;
  for (PetscInt i = 0; i < stages->n; i++) {
    const Node *fractions = NodeGet(stages->entry[i].value, "fractions");
    if (!fractions || !NodeNumber(fractions, &one)) PetscFunctionReturn(0);
    sum += one;
  }
  if (given && !NodeNumber(given, &whole)) PetscFunctionReturn(0);
  if (sum != whole)
    PetscCall(CheckAdd(check, stages->place, "stages",
                       "found %g fractions in all, expected %g (prescription.fractions)", sum, whole));
  PetscFunctionReturn(0);
}

/* The stage that an objective names, told if there is none. */
static PetscErrorCode CheckStageName(Check *check, const Node *stages, const NodeEntry *entry, const char *path)
{
  PetscFunctionBegin;
  const char *names[STAGES_MOST], *name = ScalarText(entry->value);
  const PetscInt n = PetscMin(StageCount(stages), STAGES_MOST);
  if (FindStage(stages, name) >= 0) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < n; i++) names[i] = ScalarText(NodeGet(stages->entry[i].value, "name"));
  PetscCall(CheckAdd(check, entry->value->place, path, "found %s, expected %s%s", NodeShown(entry->value).text,
                     n ? "the name of a stage" : "a study with stages", SuggestName("; ", name, n, names).text));
  PetscFunctionReturn(0);
}

/* Stages planned one after the other must each have something to aim at; the course as a whole is that of the last. */
static PetscErrorCode CheckAims(Check *check, const Node *stages, const Node *objectives, PetscBool sequential)
{
  PetscFunctionBegin;
  PetscBool aim[STAGES_MOST] = {PETSC_FALSE}, course = PETSC_FALSE;
  const PetscInt n = PetscMin(StageCount(stages), STAGES_MOST);
  for (PetscInt o = 0; o < objectives->n; o++) {
    const Node *stage = NodeGet(objectives->entry[o].value, "stage");
    const PetscInt index = stage ? FindStage(stages, ScalarText(stage)) : -1;
    if (index >= 0 && index < STAGES_MOST) aim[index] = PETSC_TRUE;
    if (!stage) course = PETSC_TRUE;
  }
  for (PetscInt i = 0; i < n; i++) {
    const char *name = ScalarText(NodeGet(stages->entry[i].value, "name"));
    if (aim[i] || (course && (!sequential || i == n - 1))) continue;
    if (FindStage(stages, name) != i) continue; /* told already */
    PetscCall(CheckAdd(check, stages->entry[i].place, PathJoinIndex("stages", i).text,
                       "found no objective with stage: %s, expected one", name));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CheckCourse(Check *check, const Node *root)
{
  PetscFunctionBegin;
  const Node *stages = NodeGet(root, "stages"), *objectives = NodeGet(root, "objectives");
  const PetscBool listed = objectives && objectives->kind == NODE_SEQUENCE ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt o = 0; listed && o < objectives->n; o++) {
    const NodeEntry *stage = NodeFind(objectives->entry[o].value, "stage");
    if (stage)
      PetscCall(CheckStageName(check, stages, stage, PathJoin(PathJoinIndex("objectives", o).text, "stage").text));
  }
  if (!StageCount(stages)) PetscFunctionReturn(0);
  PetscCall(CheckFractions(check, stages, NodeGet(root, "prescription")));
  const char *planning = ScalarText(NodeGet(NodeGet(root, "course"), "planning"));
  if (listed)
    PetscCall(CheckAims(check, stages, objectives, strcmp(planning, "sequential") ? PETSC_FALSE : PETSC_TRUE));
  PetscFunctionReturn(0);
}
