/* Keys that two texts of YAML differ in. */
#include "robion/yaml.h"
#include <string.h>

/* What is found on the way through both trees. */
typedef struct Walk {
  PetscInt most, n;
  Difference *out; /* [most] */
} Walk;

static PetscErrorCode Shown(const Node *node, Line *out)
{
  PetscFunctionBegin;
  char *text;
  if (!node) {
    *out = LineShown("not there");
    PetscFunctionReturn(0);
  }
  PetscCall(YamlWriteLine(node, &text));
  *out = LineShown(text);
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Tell(Walk *walk, Line key, const Node *before, const Node *now)
{
  PetscFunctionBegin;
  if (walk->n < walk->most) {
    Difference *d = &walk->out[walk->n];
    d->key = key;
    PetscCall(Shown(before, &d->before));
    PetscCall(Shown(now, &d->now));
  }
  walk->n++;
  PetscFunctionReturn(0);
}

/* Lists of one length are compared item by item, mappings key by key; what is on one side only differs as a whole. */
static PetscErrorCode Compare(Walk *walk, Line key, const Node *before, const Node *now)
{
  PetscFunctionBegin;
  if (!before || !now || before->kind != now->kind || (now->kind == NODE_SEQUENCE && before->n != now->n)) {
    if (before || now) PetscCall(Tell(walk, key, before, now));
  } else if (now->kind == NODE_SCALAR) {
    if (strcmp(before->text, now->text)) PetscCall(Tell(walk, key, before, now));
  } else if (now->kind == NODE_SEQUENCE) {
    for (PetscInt i = 0; i < now->n; i++)
      PetscCall(Compare(walk, PathJoinIndex(key.text, i), before->entry[i].value, now->entry[i].value));
  } else {
    for (PetscInt i = 0; i < now->n; i++) {
      const char *name = now->entry[i].key;
      PetscCall(Compare(walk, PathJoin(key.text, name), NodeGet(before, name), now->entry[i].value));
    }
    for (PetscInt i = 0; i < before->n; i++)
      if (!NodeFind(now, before->entry[i].key))
        PetscCall(Tell(walk, PathJoin(key.text, before->entry[i].key), before->entry[i].value, NULL));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(Pool pool, const char *text, Node **tree)
{
  PetscFunctionBegin;
  Mistakes unread = {0};
  *tree = NULL;
  if (text) PetscCall(YamlRead(pool, text, strlen(text), (Place){.source = "settings"}, ROBION_INPUT, &unread, tree));
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

PetscErrorCode YamlDifferences(const char *before, const char *now, PetscInt most, Difference *out, PetscInt *n)
{
  PetscFunctionBegin;
  Pool pool;
  Node *old, *new;
  Walk walk = {.most = most, .out = out};
  PetscCall(PoolCreate(&pool));
  PetscCall(Read(pool, before, &old));
  PetscCall(Read(pool, now, &new));
  PetscCall(Compare(&walk, LineShown(""), old, new));
  *n = walk.n;
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}
