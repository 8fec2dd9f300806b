/* A stage of a course as a study of its own, for spots that are of that stage alone. */
#include "robion/study.h"
#include "schema_private.h"
#include <stdio.h>
#include <string.h>

/* The stage of that name; NULL and a mistake if there is none. */
static const Node *FindStage(const Node *root, const char *name, Mistakes *mistakes)
{
  const Node *stages = NodeGet(root, "stages");
  const char *names[STAGES_MOST];
  const PetscInt n = stages ? PetscMin(stages->n, STAGES_MOST) : 0;
  for (PetscInt i = 0; i < n; i++) {
    names[i] = NodeGet(stages->entry[i].value, "name")->text;
    if (!strcmp(names[i], name)) return stages->entry[i].value;
  }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--stage %s: %s%s", name,
                    n ? "the study has no stage of that name" : "the study has no stages",
                    n ? SuggestName(", ", name, n, names).text : "");
  return NULL;
}

static void Remove(Node *mapping, const char *key)
{
  NodeEntry *entry = NodeFind(mapping, key);
  if (!entry) return;
  const PetscInt at = (PetscInt)(entry - mapping->entry);
  memmove(entry, entry + 1, (size_t)(mapping->n - 1 - at) * sizeof *entry);
  mapping->n--;
}

/* A value of the stage, if it has one, in the place of that of the study. */
static PetscErrorCode Replace(Pool pool, const Node *stage, const char *key, Node *of)
{
  PetscFunctionBegin;
  Node *value = NodeGet(stage, key);
  if (!value) PetscFunctionReturn(0);
  Remove(of, key);
  PetscCall(NodeAppend(pool, of, key, value->place, value));
  PetscFunctionReturn(0);
}

/* What is asked of the course is not asked of the stage: goals, and the stages that objectives name. */
static PetscErrorCode Reduce(Pool pool, const Node *stage, Node *root)
{
  PetscFunctionBegin;
  static const char *const of_course[] = {"stages", "course", "goals"};
  static const char *const own[] = {"target", "fractions", "dose_Gy_RBE"};
  const Node *objectives = NodeGet(root, "objectives");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(own); i++)
    PetscCall(Replace(pool, stage, own[i], NodeGet(root, "prescription")));
  PetscCall(Replace(pool, stage, "beams", root));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of_course); i++) Remove(root, of_course[i]);
  for (PetscInt i = 0; objectives && i < objectives->n; i++) Remove(objectives->entry[i].value, "stage");
  PetscFunctionReturn(0);
}

PetscErrorCode StudyOfStage(const Study *study, const PlanSpec *plan, const char *name, Mistakes *mistakes, Study **out)
{
  PetscFunctionBegin;
  Pool pool;
  Node *root;
  char *yaml = NULL;
  const Place start = {study->file, 1, 1, PETSC_FALSE};
  *out = NULL;
  PetscCall(PoolCreate(&pool));
  PetscCall(YamlRead(pool, plan->yaml, strlen(plan->yaml), start, ROBION_STUDY, mistakes, &root));
  const Node *stage = root ? FindStage(root, name, mistakes) : NULL;
  if (stage) {
    PetscCall(Reduce(pool, stage, root));
    PetscCall(YamlWrite(root, &yaml));
    PetscCall(StudyParse(yaml, strlen(yaml), study->file, 0, NULL, mistakes, out));
  }
  if (*out) { /* its names are those of the whole plan */
    PlanSpec *one = &(*out)->plans[0];
    PetscCall(PetscFree(one->arm));
    PetscCall(PetscFree(one->sweep));
    PetscCall(PetscStrallocpy(plan->arm, &one->arm));
    PetscCall(PetscStrallocpy(plan->sweep, &one->sweep));
  }
  PetscCall(PetscFree(yaml));
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}
