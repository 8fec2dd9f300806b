/*
 * Defaults filled into a checked tree: from the table, or from structs that other modules have filled, written as they would be
 * read.
 */
#include "robion/schema.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode Scalar(Pool pool, const char *text, Place place, Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCreateScalar(pool, text, PETSC_FALSE, place, out));
  PetscFunctionReturn(0);
}

/* The shortest text that reads back as the same number. */
static PetscErrorCode NumberNode(Pool pool, double value, Place place, Node **out)
{
  PetscFunctionBegin;
  char text[32];
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  PetscCall(Scalar(pool, text, place, out));
  PetscFunctionReturn(0);
}

static PetscErrorCode ValueNode(Pool pool, const SchemaKey *key, const char *base, Place place, Node **out);

static PetscErrorCode ListNode(Pool pool, const SchemaKey *key, const char *base, Place place, Node **out)
{
  PetscFunctionBegin;
  const char *array;
  PetscInt n;
  Node *value;
  memcpy(&array, base + key->at.offset, sizeof array);
  memcpy(&n, base + key->count, sizeof n);
  PetscCall(NodeCreate(pool, NODE_SEQUENCE, place, out));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(ValueNode(pool, key->element, array + (size_t)i * key->size, place, &value));
    PetscCall(NodeAppend(pool, *out, NULL, place, value));
  }
  PetscFunctionReturn(0);
}

/* What is kept at the address of a key, as a tree has it. */
static PetscErrorCode ValueNode(Pool pool, const SchemaKey *key, const char *base, Place place, Node **out)
{
  PetscFunctionBegin;
  const void *at = base + key->at.offset;
  const char *text;
  Node *number;
  switch (key->at.kind) {
  case STORE_NUMBER:
    PetscCall(NumberNode(pool, *(const double *)at, place, out));
    break;
  case STORE_INTEGER:
    PetscCall(NumberNode(pool, *(const PetscInt *)at, place, out));
    break;
  case STORE_ENUM:
    text = key->type & TYPE_WORD ? SchemaWord(key, *(const PetscInt *)at) : *(const unsigned *)at ? "true" : "false";
    PetscCall(Scalar(pool, text, place, out));
    break;
  case STORE_TEXT:
    memcpy(&text, at, sizeof text);
    PetscCall(Scalar(pool, text, place, out));
    break;
  case STORE_VECTOR:
    PetscCall(NodeCreate(pool, NODE_SEQUENCE, place, out));
    for (PetscInt i = 0; i < key->max_length; i++) {
      PetscCall(NumberNode(pool, ((const double *)at)[i], place, &number));
      PetscCall(NodeAppend(pool, *out, NULL, place, number));
    }
    break;
  case STORE_LIST:
    PetscCall(ListNode(pool, key, base, place, out));
    break;
  default:
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_PLIB, "%s has no value of its own", key->name);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FallbackNode(Pool pool, const SchemaKey *key, Place place, Node **out)
{
  PetscFunctionBegin;
  Mistakes none = {0};
  if (!strpbrk(key->fallback, "[{")) { /* most are words and numbers, and studies have many plans */
    PetscCall(Scalar(pool, key->fallback, place, out));
    PetscFunctionReturn(0);
  }
  PetscCall(YamlRead(pool, key->fallback, strlen(key->fallback), place, ROBION_INTERNAL, &none, out));
  PetscCheck(*out && !MistakesAny(&none), PETSC_COMM_SELF, PETSC_ERR_PLIB, "default of %s is not YAML: %s", key->name,
             key->fallback);
  (*out)->place = place;
  PetscFunctionReturn(0);
}

/* The default of a list as its preset has it. */
static PetscErrorCode PresetNode(Pool pool, const SchemaReader *reader, const SchemaKey *key, Place place, size_t size,
                                 Node **out)
{
  PetscFunctionBegin;
  char *base;
  PetscCall(PetscCalloc1(size, &base));
  PetscCall((*key->preset)(reader, NULL, base));
  PetscCall(ValueNode(pool, key, base, place, out));
  PetscCall(SchemaFree(key, base));
  PetscCall(PetscFree(base));
  PetscFunctionReturn(0);
}

/* Whether a mapping leaves out a key whose default is in its preset. */
static PetscBool WantsPreset(const SchemaKey *key, const Node *node)
{
  for (PetscInt i = 0; i < key->n_child && key->preset; i++)
    if (key->child[i].from_preset && !NodeGet(node, key->child[i].name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A key that a mapping leaves out; NULL if it has no default. `preset`: NULL if no key needs it. */
static PetscErrorCode DefaultNode(Pool pool, const SchemaReader *reader, const SchemaKey *key, Place place,
                                  const char *preset, size_t size, Node **out)
{
  PetscFunctionBegin;
  *out = NULL;
  if (key->fallback && !key->conditional)
    PetscCall(FallbackNode(pool, key, place, out));
  else if (key->from_preset && preset)
    PetscCall(ValueNode(pool, key, preset, place, out));
  else if (key->at.kind == STORE_LIST && key->preset)
    PetscCall(PresetNode(pool, reader, key, place, size, out));
  else if (key->n_child && !key->required && !key->conditional)
    PetscCall(NodeCreate(pool, NODE_MAPPING, place, out));
  PetscFunctionReturn(0);
}

/* Append all keys of a table that a mapping gives or that have a default, in the table's order. */
static PetscErrorCode FillFrom(Pool pool, const SchemaReader *reader, const SchemaKey *key, size_t size,
                               const Node *node, Node *filled)
{
  PetscFunctionBegin;
  Node *value;
  char *preset = NULL;
  if (WantsPreset(key, node)) {
    PetscCall(PetscCalloc1(size, &preset));
    PetscCall((*key->preset)(reader, node, preset));
  }
  for (PetscInt i = 0; i < key->n_child; i++) {
    const SchemaKey *child = &key->child[i];
    const NodeEntry *given = NodeFind(node, child->name);
    value = given ? given->value : NULL;
    if (!given) PetscCall(DefaultNode(pool, reader, child, node->place, preset, size, &value));
    if (value) PetscCall(NodeAppend(pool, filled, child->name, given ? given->place : node->place, value));
  }
  for (PetscInt i = 0; i < key->n_child && preset; i++) PetscCall(SchemaFree(&key->child[i], preset));
  PetscCall(PetscFree(preset));
  PetscFunctionReturn(0);
}

static PetscErrorCode FillMapping(Pool pool, const SchemaReader *reader, const SchemaKey *key, size_t size, Node *node)
{
  PetscFunctionBegin;
  const SchemaKey *variant = SchemaVariant(key, node);
  Node *filled;
  PetscCall(NodeCreate(pool, NODE_MAPPING, node->place, &filled));
  PetscCall(FillFrom(pool, reader, key, size, node, filled));
  if (variant) PetscCall(FillFrom(pool, reader, variant, variant->size, node, filled));
  *node = *filled;
  PetscFunctionReturn(0);
}

static PetscErrorCode Expand(Pool pool, const char *shorthand, Node *node)
{
  PetscFunctionBegin;
  Node *word;
  PetscCall(NodeCopy(pool, node, PETSC_FALSE, &word));
  *node = (Node){.kind = NODE_MAPPING, .place = word->place};
  PetscCall(NodeAppend(pool, node, shorthand, word->place, word));
  PetscFunctionReturn(0);
}

/* size: bytes of the struct that addresses of the key, and of those below it, are in at most. */
static PetscErrorCode Complete(Pool pool, const SchemaReader *reader, const SchemaKey *key, size_t size, Node *node)
{
  PetscFunctionBegin;
  if (key->shorthand && node->kind == NODE_SCALAR) PetscCall(Expand(pool, key->shorthand, node));
  if (key->complete) PetscCall((*key->complete)(pool, node));
  if (node->kind == NODE_MAPPING && key->n_child) {
    PetscCall(FillMapping(pool, reader, key, size, node));
    for (PetscInt i = 0; i < node->n; i++) {
      const SchemaKey *child = SchemaChildOf(key, node, node->entry[i].key);
      PetscCall(Complete(pool, reader, child, size, node->entry[i].value));
    }
  }
  for (PetscInt i = 0; node->kind == NODE_SEQUENCE && key->element && i < node->n; i++) {
    const size_t within = key->at.kind == STORE_LIST ? key->size : size;
    PetscCall(Complete(pool, reader, key->element, within, node->entry[i].value));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SchemaComplete(Pool pool, const SchemaReader *reader, const SchemaKey *key, Node *root)
{
  PetscFunctionBegin;
  PetscCall(Complete(pool, reader, key, reader->size, root));
  PetscFunctionReturn(0);
}
