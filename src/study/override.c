/* Values put over a study at dotted paths: by the command line, by arms and by sweeps. */
#include "schema_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far a path has been followed. */
typedef struct Walk {
  const SchemaKey *key;
  Node *node;
  Line walked; /* path so far */
} Walk;

/* A key that reads "voxelwise" in the study becomes {mode: voxelwise} before something inside it is set. */
static PetscErrorCode ExpandShorthand(Pool pool, const SchemaKey *key, NodeEntry *entry)
{
  PetscFunctionBegin;
  if (!entry || !key->shorthand || entry->value->kind != NODE_SCALAR) PetscFunctionReturn(0);
  Node *word = entry->value;
  PetscCall(NodeCreate(pool, NODE_MAPPING, word->place, &entry->value));
  PetscCall(NodeAppend(pool, entry->value, key->shorthand, word->place, word));
  PetscFunctionReturn(0);
}

/* The entry of a list that a part of a path names, or NULL with a mistake. */
static PetscErrorCode FindItem(Check *check, const Override *override, const char *path, const Walk *walk,
                               const char *part, NodeEntry **out)
{
  PetscFunctionBegin;
  size_t digits = strspn(part, "0123456789");
  long index = strtol(part, NULL, 10);
  *out = NULL;
  if (!digits || part[digits])
    PetscCall(CheckAdd(check, override->place, path, "found %s, expected the number of an entry of %s (from 0)",
                       LineShown(part).text, walk->walked.text));
  else if (index >= walk->node->n)
    PetscCall(CheckAdd(check, override->place, path, "found entry %s, but %s has %d, counted from 0",
                       LineShown(part).text, walk->walked.text, (int)walk->node->n));
  else
    *out = &walk->node->entry[index];
  PetscFunctionReturn(0);
}

/* The entry of a mapping that a part names, made if it is missing; NULL with a mistake if there cannot be one. */
static PetscErrorCode FindMember(Check *check, Pool pool, const Override *override, const char *path, Walk *walk,
                                 const char *part, PetscBool last, NodeEntry **out)
{
  PetscFunctionBegin;
  static const char *const fixed[] = {"robion", "name", "cases", "arms", "sweep"};
  const SchemaKey *child = SchemaChild(walk->key, part);
  *out = NULL;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(fixed) && override->of_plan && walk->key == &schema_study; i++)
    if (!strcmp(part, fixed[i])) {
      PetscCall(CheckAdd(check, override->place, path, "found %s, which is the same for all plans of a study", part));
      PetscFunctionReturn(0);
    }
  if (!child) {
    PetscCall(SchemaUnknown(check, override->place, path, walk->walked.text, walk->key, part));
    PetscFunctionReturn(0);
  }
  *out = NodeFind(walk->node, part);
  if (!*out && !last && !(child->type & TYPE_MAPPING))
    PetscCall(CheckAdd(check, override->place, path, "found no %s in the study to change",
                       PathJoin(walk->walked.text, part).text));
  else if (!*out) {
    Node *fresh;
    PetscCall(NodeCreate(pool, NODE_MAPPING, walk->node->place, &fresh));
    PetscCall(NodeAppend(pool, walk->node, part, override->place, fresh));
    *out = &walk->node->entry[walk->node->n - 1];
  }
  walk->key = child;
  PetscFunctionReturn(0);
}

/* True if there is something inside the value to go into; a mistake otherwise, unless the schema tells of it anyway. */
static PetscErrorCode CanEnter(Check *check, const Override *override, const char *path, const Walk *walk,
                               PetscBool *can)
{
  PetscFunctionBegin;
  unsigned shape = walk->node->kind == NODE_SEQUENCE ? TYPE_LIST : walk->node->kind == NODE_MAPPING ? TYPE_MAPPING : 0;
  PetscBool leaf = walk->key->type & (TYPE_LIST | TYPE_MAPPING) ? PETSC_FALSE : PETSC_TRUE;
  *can = walk->key->type & shape ? PETSC_TRUE : PETSC_FALSE;
  if (leaf)
    PetscCall(CheckAdd(check, override->place, path, "unknown key, %s holds no keys or entries", walk->walked.text));
  else if (walk->node->kind == NODE_SCALAR && walk->key->type & ~(unsigned)(TYPE_LIST | TYPE_MAPPING))
    PetscCall(CheckAdd(check, override->place, path, "found %s at %s, expected a list or mapping to change",
                       NodeShown(walk->node).text, walk->walked.text));
  PetscFunctionReturn(0);
}

PetscErrorCode OverrideApply(Check *check, Pool pool, Node *root, const Override *override)
{
  PetscFunctionBegin;
  Line path = PathJoin(override->prefix, override->path);
  Walk walk = {&schema_study, root, {""}};
  const char *rest = override->path;
  for (;;) {
    const char *part, *dot = walk.key->member ? NULL : strchr(rest, '.'); /* a structure's name may hold dots */
    PetscBool last = dot ? PETSC_FALSE : PETSC_TRUE, can;
    NodeEntry *entry;
    PetscCall(PoolText(pool, rest, dot ? (size_t)(dot - rest) : strlen(rest), &part));
    if (walk.node->kind == NODE_SEQUENCE) {
      PetscCall(FindItem(check, override, path.text, &walk, part, &entry));
      walk.key = walk.key->element;
    } else
      PetscCall(FindMember(check, pool, override, path.text, &walk, part, last, &entry));
    if (!entry) PetscFunctionReturn(0);
    if (!last || override->value->kind == NODE_MAPPING) PetscCall(ExpandShorthand(pool, walk.key, entry));
    if (last) {
      PetscBool empty = override->value->kind == NODE_MAPPING && override->value->n == 0 ? PETSC_TRUE : PETSC_FALSE;
      if (empty && !override->of_plan)
        PetscCall(NodeCopy(pool, override->value, PETSC_FALSE, &entry->value));
      else
        PetscCall(NodeMergeEntry(pool, entry, override->place, override->value, override->of_plan));
      PetscFunctionReturn(0);
    }
    walk.node = entry->value;
    walk.walked = PathJoin(walk.walked.text, part);
    rest = dot + 1;
    PetscCall(CanEnter(check, override, path.text, &walk, &can));
    if (!can) PetscFunctionReturn(0);
  }
}

/* Bad syntax of one text: no "=", nothing before or after it. */
static PetscErrorCode CheckSet(const char *set, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  const char *equal = strchr(set, '=');
  *good = equal && equal > set && equal[1] ? PETSC_TRUE : PETSC_FALSE;
  if (!*good) {
    const char *found = !equal ? "no =" : equal == set ? "no path" : "no value";
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--set %s: found %s, expected path=value", LineShown(set).text,
                          found));
  }
  PetscFunctionReturn(0);
}

/* One text of the command line as an override; its value stays NULL after a mistake. */
static PetscErrorCode ReadSet(Pool pool, const char *set, Mistakes *mistakes, Override *override)
{
  PetscFunctionBegin;
  PetscBool good;
  Node *value = NULL;
  Line source;
  *override = (Override){.prefix = ""};
  PetscCall(CheckSet(set, mistakes, &good));
  if (!good) PetscFunctionReturn(0);
  const char *equal = strchr(set, '=');
  snprintf(source.text, sizeof source.text, "--set %.700s", set);
  PetscCall(PoolText(pool, source.text, strlen(source.text), &override->place.source));
  PetscCall(PoolText(pool, set, (size_t)(equal - set), &override->path));
  PetscCall(YamlRead(pool, equal + 1, strlen(equal + 1), override->place, ROBION_COMMAND_LINE, mistakes, &value));
  override->value = value;
  PetscFunctionReturn(0);
}

PetscErrorCode StudySet(Pool pool, Node *root, PetscInt n_set, const char *const *set, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Check check = {.mistakes = mistakes, .root = &schema_study};
  for (PetscInt i = 0; i < n_set; i++) {
    Override override;
    const PetscInt before = mistakes->n;
    PetscCall(ReadSet(pool, set[i], mistakes, &override));
    if (!override.value || !root) continue;
    PetscCall(OverrideApply(&check, pool, root, &override));
    if (mistakes->n == before && strncmp(override.path, "arms", 4) && strncmp(override.path, "sweep", 5))
      PetscCall(PlansYield(&check, pool, root, &override));
  }
  PetscFunctionReturn(0);
}
