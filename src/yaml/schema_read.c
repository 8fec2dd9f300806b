/*
 * From a checked tree to structs of C and back to nothing: loops over the table of keys, which says where every value is kept.
 */
#include "robion/schema.h"
#include <string.h>

_Static_assert(sizeof(PetscBool) == sizeof(unsigned), "enums and flags are kept alike");

static void *At(void *base, size_t offset)
{
  return (char *)base + offset;
}

/* The struct that the addresses below a key refer to. */
static void *Inside(const SchemaKey *key, void *base)
{
  return key->at.kind == STORE_BLOCK ? At(base, key->at.offset) : base;
}

/* Pointers are moved as bytes: the structs have them as char *, const char * and arrays of all types. */
static PetscErrorCode FreePointer(void *at)
{
  PetscFunctionBegin;
  void *memory;
  memcpy(&memory, at, sizeof memory);
  PetscCall(PetscFree(memory));
  memset(at, 0, sizeof memory);
  PetscFunctionReturn(0);
}

static PetscErrorCode StoreText(const char *text, void *at)
{
  PetscFunctionBegin;
  char *copy;
  PetscCall(FreePointer(at));
  PetscCall(PetscStrallocpy(text, &copy));
  memcpy(at, &copy, sizeof copy);
  PetscFunctionReturn(0);
}

PetscErrorCode FileResolvePath(const char *file, const char *path, char **out)
{
  PetscFunctionBegin;
  const char *slash = strrchr(file, '/');
  size_t folder = *path == '/' || !slash ? 0 : (size_t)(slash - file) + 1;
  PetscCall(PetscMalloc1(folder + strlen(path) + 1, out));
  memcpy(*out, file, folder);
  memcpy(*out + folder, path, strlen(path) + 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode StoreFile(const SchemaReader *reader, const char *path, void *at)
{
  PetscFunctionBegin;
  char *file;
  PetscCall(FreePointer(at));
  if (!strcmp(path, "builtin")) PetscFunctionReturn(0);
  PetscCall(FileResolvePath(reader->file, path, &file));
  memcpy(at, &file, sizeof file);
  PetscFunctionReturn(0);
}

static PetscErrorCode Number(const SchemaKey *key, const Node *node, double *out)
{
  PetscFunctionBegin;
  PetscCheck(NodeNumber(node, out), PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked tree without the number %s", key->name);
  if (key->factor != 0) *out *= key->factor;
  if (key->divisor != 0) *out /= key->divisor;
  PetscFunctionReturn(0);
}

/* Numbers of a list; a single number fills all of them. */
static PetscErrorCode StoreVector(const SchemaKey *key, const Node *node, double *out)
{
  PetscFunctionBegin;
  const PetscBool list = node->kind == NODE_SEQUENCE ? PETSC_TRUE : PETSC_FALSE;
  PetscCheck(!list || node->n == key->max_length, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked tree with %d numbers in %s",
             (int)node->n, key->name);
  for (PetscInt i = 0; i < key->max_length; i++) PetscCall(Number(key, list ? node->entry[i].value : node, &out[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindWord(const SchemaKey *key, const Node *node, PetscInt *out)
{
  PetscFunctionBegin;
  const char *word;
  for (*out = 0; (word = SchemaWord(key, *out)) && strcmp(node->text, word);) ++*out;
  PetscCheck(word, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked tree without the word %s", key->name);
  PetscFunctionReturn(0);
}

/* A flag, a word that stands for one, or a word of an enum. */
static PetscErrorCode StoreEnum(const SchemaKey *key, const Node *node, unsigned *out)
{
  PetscFunctionBegin;
  PetscInt word;
  PetscBool flag;
  if (key->true_if)
    *out = strcmp(node->text, key->true_if) ? PETSC_FALSE : PETSC_TRUE;
  else if (NodeFlag(node, &flag))
    *out = flag;
  else {
    PetscCall(FindWord(key, node, &word));
    *out = (unsigned)word;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode StoreScalar(const SchemaReader *reader, const SchemaKey *key, const Node *node, void *at)
{
  PetscFunctionBegin;
  PetscInt i;
  const char *word;
  double number;
  switch (key->at.kind) {
  case STORE_NUMBER:
    PetscCall(Number(key, node, at));
    break;
  case STORE_INTEGER:
    PetscCall(Number(key, node, &number));
    *(PetscInt *)at = (PetscInt)number;
    break;
  case STORE_ENUM:
    PetscCall(StoreEnum(key, node, at));
    break;
  case STORE_TEXT:
    if (key->type & TYPE_WORD) {
      PetscCall(FindWord(key, node, &i));
      word = SchemaWord(key, i);
      memcpy(at, &word, sizeof word);
    } else if (key->file)
      PetscCall(StoreFile(reader, node->text, at));
    else
      PetscCall(StoreText(node->text, at));
    break;
  default:
    break;
  }
  PetscFunctionReturn(0);
}

/* Entries of a list, or of a mapping with names of the user's choice, behind those that are there. */
static PetscErrorCode StoreList(const SchemaReader *reader, const SchemaKey *key, const Node *node, void *base)
{
  PetscFunctionBegin;
  const SchemaKey *element = node->kind == NODE_SEQUENCE ? key->element : key->member;
  PetscInt *n = At(base, key->count);
  char *array;
  if (!node->n) PetscFunctionReturn(0);
  memcpy(&array, At(base, key->at.offset), sizeof array);
  PetscCall(PetscRealloc((size_t)(*n + node->n) * key->size, &array));
  PetscCall(PetscMemzero(array + (size_t)*n * key->size, (size_t)node->n * key->size));
  memcpy(At(base, key->at.offset), &array, sizeof array);
  for (PetscInt i = 0; i < node->n; i++) {
    void *item = array + (size_t)*n * key->size;
    ++*n; /* one by one, so that all there is can be freed at any time */
    if (element->named.kind) PetscCall(StoreText(node->entry[i].key, At(item, element->named.offset)));
    PetscCall(SchemaRead(reader, element, node->entry[i].value, item));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadMapping(const SchemaReader *reader, const SchemaKey *key, const Node *node, void *inside)
{
  PetscFunctionBegin;
  const SchemaKey *variant = SchemaVariant(key, node);
  if (key->preset) PetscCall((*key->preset)(reader, node, inside));
  for (PetscInt i = 0; i < key->n_child; i++) {
    const Node *value = NodeGet(node, key->child[i].name);
    if (value) PetscCall(SchemaRead(reader, &key->child[i], value, inside));
  }
  if (variant) {
    void *own;
    PetscCall(FreePointer(At(inside, key->variant_at)));
    PetscCall(PetscCalloc1(variant->size, (char **)&own));
    memcpy(At(inside, key->variant_at), &own, sizeof own);
    PetscCall(ReadMapping(reader, variant, node, own));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SchemaRead(const SchemaReader *reader, const SchemaKey *key, const Node *node, void *base)
{
  PetscFunctionBegin;
  void *inside = Inside(key, base);
  if (key->where.kind) PetscCall(StoreText(PlaceText(node->place).text, At(base, key->where.offset)));
  if (key->given.kind) *(unsigned *)At(base, key->given.offset) = key->given_as;
  if (key->at.kind == STORE_VECTOR)
    PetscCall(StoreVector(key, node, At(base, key->at.offset)));
  else if (node->kind == NODE_SCALAR)
    PetscCall(StoreScalar(reader, key, node, At(base, key->at.offset)));
  else if (key->at.kind == STORE_LIST)
    PetscCall(StoreList(reader, key, node, base));
  else if (node->kind == NODE_MAPPING)
    PetscCall(ReadMapping(reader, key, node, inside));
  else if (key->at.kind == STORE_BLOCK)
    PetscCall(SchemaRead(reader, key->element, node->entry[0].value, inside));
  if (key->finish) PetscCall((*key->finish)(reader, node, node->kind == NODE_MAPPING ? inside : base));
  PetscFunctionReturn(0);
}

PetscErrorCode SchemaReadPreset(const SchemaReader *reader, const SchemaKey *mapping, const Node *node, void *base)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < mapping->n_child; i++) {
    const SchemaKey *child = &mapping->child[i];
    const Node *value = child->from_preset ? NodeGet(node, child->name) : NULL;
    if (value) PetscCall(SchemaRead(reader, child, value, base));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FreeList(const SchemaKey *key, void *base)
{
  PetscFunctionBegin;
  const SchemaKey *element = key->element ? key->element : key->member;
  PetscInt *n = At(base, key->count);
  char *array;
  memcpy(&array, At(base, key->at.offset), sizeof array);
  for (PetscInt i = 0; i < *n; i++) PetscCall(SchemaFree(element, array + (size_t)i * key->size));
  PetscCall(FreePointer(At(base, key->at.offset)));
  *n = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode SchemaFree(const SchemaKey *key, void *base)
{
  PetscFunctionBegin;
  void *inside = Inside(key, base);
  if (key->where.kind) PetscCall(FreePointer(At(base, key->where.offset)));
  if (key->named.kind) PetscCall(FreePointer(At(base, key->named.offset)));
  if (key->at.kind == STORE_TEXT && !(key->type & TYPE_WORD)) PetscCall(FreePointer(At(base, key->at.offset)));
  if (key->at.kind == STORE_LIST) PetscCall(FreeList(key, base));
  if (key->at.kind == STORE_BLOCK && key->element) PetscCall(SchemaFree(key->element, inside));
  for (PetscInt i = 0; i < key->n_child; i++) PetscCall(SchemaFree(&key->child[i], inside));
  if (key->variant) PetscCall(FreePointer(At(inside, key->variant_at)));
  PetscFunctionReturn(0);
}
