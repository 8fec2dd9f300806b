/* What plans of a case have in common: the whole optimisation, or the first stages of a course planned one after the other. */
#include "robion/provenance.h"
#include "schema_private.h"
#include <string.h>

/* A mapping with the entries of another, which it shares, but for those named. */
static PetscErrorCode Without(Pool pool, const Node *from, size_t n, const char *const *name, Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCreate(pool, NODE_MAPPING, from->place, out));
  for (PetscInt i = 0; i < from->n; i++) {
    const NodeEntry *entry = &from->entry[i];
    PetscBool keep = PETSC_TRUE;
    for (size_t k = 0; k < n; k++)
      if (!strcmp(entry->key, name[k])) keep = PETSC_FALSE;
    if (keep) PetscCall(NodeAppend(pool, *out, entry->key, entry->place, entry->value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode HashNode(const Node *root, uint64_t start, uint64_t *hash)
{
  PetscFunctionBegin;
  char *yaml;
  PetscCall(YamlWrite(root, &yaml));
  *hash = HashBytes(start, yaml, strlen(yaml));
  PetscCall(PetscFree(yaml));
  PetscFunctionReturn(0);
}

/* All settings but those that only evaluate a plan, and the case, which plans that share have in common. */
static PetscErrorCode WithoutEvaluation(Pool pool, const Node *complete, Node **out)
{
  PetscFunctionBegin;
  static const char *const evaluate[] = {"evaluate"}, *const judges[] = {"cases",   "judging",  "goals",
                                                                         "metrics", "outcomes", "activity"};
  PetscCall(Without(pool, complete, PETSC_STATIC_ARRAY_LENGTH(judges), judges, out));
  NodeEntry *scenarios = NodeFind(*out, "scenarios");
  if (scenarios) PetscCall(Without(pool, scenarios->value, 1, evaluate, &scenarios->value));
  PetscFunctionReturn(0);
}

/* The objectives of the stages up to k. */
static PetscErrorCode ObjectivesUpTo(Pool pool, const Node *objectives, const CourseSpec *course, PetscInt k,
                                     Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCreate(pool, NODE_SEQUENCE, objectives->place, out));
  for (PetscInt o = 0; o < objectives->n; o++) {
    const Node *stage = NodeGet(objectives->entry[o].value, "stage");
    for (PetscInt i = 0; stage && i <= k; i++)
      if (!strcmp(stage->text, course->stages[i].name))
        PetscCall(NodeAppend(pool, *out, NULL, objectives->entry[o].place, objectives->entry[o].value));
  }
  PetscFunctionReturn(0);
}

/*
 * Stages before the last one are planned without objectives, constraints and goals of later ones and of the course. Whether
 * any objective is robust says in which scenarios the spots of all stages cover their targets.
 */
static PetscErrorCode HashStages(Pool pool, const Node *shaping, const Settings *settings, uint64_t *hash)
{
  PetscFunctionBegin;
  static const char *const later[] = {"constraints", "tcp"};
  const CourseSpec *course = &settings->course;
  PetscBool robust = PETSC_FALSE;
  for (PetscInt o = 0; o < settings->n_objectives; o++)
    if (settings->objectives[o].mode != ROBUST_NONE) robust = PETSC_TRUE;
  for (PetscInt k = 0; k + 1 < course->n_stages && !course->together; k++) {
    Node *root;
    PetscCall(Without(pool, shaping, PETSC_STATIC_ARRAY_LENGTH(later), later, &root));
    NodeEntry *objectives = NodeFind(root, "objectives");
    PetscCall(ObjectivesUpTo(pool, objectives->value, course, k, &objectives->value));
    PetscCall(HashNode(root, HashBytes(HASH_START, &robust, sizeof robust), &hash[k]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanHash(Pool pool, const Node *complete, PlanSpec *plan)
{
  PetscFunctionBegin;
  Node *shaping;
  PetscCall(WithoutEvaluation(pool, complete, &shaping));
  PetscCall(HashNode(shaping, HASH_START, &plan->optimization));
  PetscCall(HashStages(pool, shaping, &plan->settings, plan->stage_hash));
  PetscFunctionReturn(0);
}

void PlanHashCopy(const PlanSpec *from, PlanSpec *to)
{
  to->optimization = from->optimization;
  for (PetscInt k = 0; k < STAGES_MOST; k++) to->stage_hash[k] = from->stage_hash[k];
}

/* Plans of a case lie together, `stride` of them. */
void PlansFindShared(Study *study, PetscInt stride)
{
  for (PetscInt p = 0; p < study->n_plans; p++) {
    PlanSpec *plan = &study->plans[p];
    const PetscInt first = p - p % stride;
    plan->optimized_by = first;
    while (study->plans[plan->optimized_by].optimization != plan->optimization) plan->optimized_by++;
    for (PetscInt k = 0; k < STAGES_MOST; k++) {
      plan->stage_from[k] = p;
      for (PetscInt other = p - 1; plan->stage_hash[k] && other >= first; other--)
        if (study->plans[other].stage_hash[k] == plan->stage_hash[k]) plan->stage_from[k] = other;
    }
  }
}
