/* The tree of a YAML file: made, searched, copied and merged; texts about it for messages. */
#include "robion/yaml.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode PoolCreate(Pool *pool)
{
  PetscFunctionBegin;
  PetscCall(PetscSegBufferCreate(sizeof(double), 4096, pool));
  PetscFunctionReturn(0);
}

/* Zeroed memory that lives as long as the pool. */
static PetscErrorCode PoolAlloc(Pool pool, size_t bytes, void *out)
{
  PetscFunctionBegin;
  void *memory;
  size_t units = (bytes + sizeof(double) - 1) / sizeof(double);
  PetscCall(PetscSegBufferGet(pool, units, &memory));
  PetscCall(PetscMemzero(memory, units * sizeof(double)));
  memcpy(out, &memory, sizeof memory);
  PetscFunctionReturn(0);
}

PetscErrorCode PoolText(Pool pool, const char *text, size_t length, const char **out)
{
  PetscFunctionBegin;
  char *copy = NULL;
  PetscCall(PoolAlloc(pool, length + 1, &copy));
  if (length) memcpy(copy, text, length);
  *out = copy;
  PetscFunctionReturn(0);
}

PetscErrorCode NodeCreate(Pool pool, NodeKind kind, Place place, Node **out)
{
  PetscFunctionBegin;
  PetscCall(PoolAlloc(pool, sizeof **out, out));
  (*out)->kind = kind;
  (*out)->place = place;
  PetscFunctionReturn(0);
}

PetscErrorCode NodeCreateScalar(Pool pool, const char *text, PetscBool quoted, Place place, Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCreate(pool, NODE_SCALAR, place, out));
  PetscCall(PoolText(pool, text, strlen(text), &(*out)->text));
  (*out)->quoted = quoted;
  PetscFunctionReturn(0);
}

PetscErrorCode NodeAppend(Pool pool, Node *node, const char *key, Place place, Node *value)
{
  PetscFunctionBegin;
  if (node->n == node->capacity) {
    NodeEntry *larger = NULL;
    node->capacity = node->capacity ? 2 * node->capacity : 4;
    PetscCall(PoolAlloc(pool, (size_t)node->capacity * sizeof *larger, &larger));
    if (node->n) memcpy(larger, node->entry, (size_t)node->n * sizeof *larger);
    node->entry = larger;
  }
  node->entry[node->n++] = (NodeEntry){key, place, value};
  PetscFunctionReturn(0);
}

static Place PlaceMarked(Place place, PetscBool override)
{
  if (override) place.override = PETSC_TRUE;
  return place;
}

PetscErrorCode NodeCopy(Pool pool, const Node *node, PetscBool override, Node **out)
{
  PetscFunctionBegin;
  Node *copy = NULL, *value = NULL;
  PetscCall(NodeCreate(pool, node->kind, PlaceMarked(node->place, override), &copy));
  copy->text = node->text;
  copy->quoted = node->quoted;
  for (PetscInt i = 0; i < node->n; i++) {
    PetscCall(NodeCopy(pool, node->entry[i].value, override, &value));
    PetscCall(NodeAppend(pool, copy, node->entry[i].key, PlaceMarked(node->entry[i].place, override), value));
  }
  *out = copy;
  PetscFunctionReturn(0);
}

NodeEntry *NodeFind(const Node *node, const char *key)
{
  if (!node || node->kind != NODE_MAPPING) return NULL;
  for (PetscInt i = 0; i < node->n; i++)
    if (!strcmp(node->entry[i].key, key)) return &node->entry[i];
  return NULL;
}

Node *NodeGet(const Node *node, const char *key)
{
  NodeEntry *entry = NodeFind(node, key);
  return entry ? entry->value : NULL;
}

PetscErrorCode NodeMergeEntry(Pool pool, NodeEntry *entry, Place place, const Node *value, PetscBool override)
{
  PetscFunctionBegin;
  entry->place = PlaceMarked(place, override);
  if (entry->value->kind != NODE_MAPPING || value->kind != NODE_MAPPING) {
    PetscCall(NodeCopy(pool, value, override, &entry->value));
    PetscFunctionReturn(0);
  }
  for (PetscInt i = 0; i < value->n; i++) {
    const NodeEntry *inner = &value->entry[i];
    PetscCall(NodeMerge(pool, entry->value, inner->key, inner->place, inner->value, override));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMerge(Pool pool, Node *mapping, const char *key, Place place, const Node *value, PetscBool override)
{
  PetscFunctionBegin;
  NodeEntry *entry = NodeFind(mapping, key);
  Node *copy = NULL;
  if (entry)
    PetscCall(NodeMergeEntry(pool, entry, place, value, override));
  else {
    PetscCall(NodeCopy(pool, value, override, &copy));
    PetscCall(NodeAppend(pool, mapping, key, PlaceMarked(place, override), copy));
  }
  PetscFunctionReturn(0);
}

PetscBool NodeIsNull(const Node *node)
{
  static const char *const spelling[] = {"", "~", "null", "Null", "NULL"};
  if (node->kind != NODE_SCALAR || node->quoted) return PETSC_FALSE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(spelling); i++)
    if (!strcmp(node->text, spelling[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscInt NodeHeight(const Node *node)
{
  if (node->kind == NODE_SCALAR) return 0;
  PetscInt below = 0;
  for (PetscInt i = 0; i < node->n; i++) below = PetscMax(below, NodeHeight(node->entry[i].value));
  return below + 1;
}

Line PlaceText(Place place)
{
  Line out;
  if (place.line)
    snprintf(out.text, sizeof out.text, "%.700s:%d:%d", place.source, (int)place.line, (int)place.column);
  else
    snprintf(out.text, sizeof out.text, "%.760s", place.source);
  return out;
}

Line LineShown(const char *text)
{
  enum { LONGEST = 60 };
  Line out;
  size_t n = strnlen(text, LONGEST + 1);
  PetscBool cut = n > LONGEST ? PETSC_TRUE : PETSC_FALSE;
  if (cut) {
    n = LONGEST;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80) n--; /* never split a UTF-8 character */
  }
  for (size_t i = 0; i < n; i++) out.text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? ' ' : text[i];
  snprintf(out.text + n, 4, "%s", cut ? "..." : "");
  return out;
}

Line NodeShown(const Node *node)
{
  Line out;
  if (node->kind == NODE_SEQUENCE)
    snprintf(out.text, sizeof out.text, node->n ? "a list" : "an empty list");
  else if (node->kind == NODE_MAPPING)
    snprintf(out.text, sizeof out.text, "a mapping");
  else if (NodeIsNull(node))
    snprintf(out.text, sizeof out.text, "nothing");
  else if (node->quoted)
    snprintf(out.text, sizeof out.text, "\"%.80s\"", LineShown(node->text).text);
  else
    return LineShown(node->text);
  return out;
}

Line PathJoin(const char *base, const char *name)
{
  Line out;
  snprintf(out.text, sizeof out.text, "%.600s%s%.80s", base, *base ? "." : "", LineShown(name).text);
  return out;
}

Line PathJoinIndex(const char *base, PetscInt index)
{
  Line out;
  snprintf(out.text, sizeof out.text, "%.700s.%d", base, (int)index);
  return out;
}
