/* The built-in phantoms by name. */
#include "phantom_private.h"
#include <stdio.h>
#include <string.h>

#define NAME_OF(name, object) name,
#define KEYS_OF(name, object) &object.keys,
#define ITSELF_OF(name, object) &object,
const char *const phantom_names[] = {PHANTOMS(NAME_OF)};
const SchemaKey *const phantom_keys[] = {PHANTOMS(KEYS_OF)};
static const Phantom *const phantoms[] = {PHANTOMS(ITSELF_OF)};
const PetscInt n_phantom_names = PETSC_STATIC_ARRAY_LENGTH(phantom_names);

/* The phantom of that kind, or NULL with a mistake. */
static PetscErrorCode FindPhantom(const char *kind, const char *name, Mistakes *mistakes, const Phantom **out)
{
  PetscFunctionBegin;
  *out = NULL;
  for (PetscInt i = 0; i < n_phantom_names; i++)
    if (!strcmp(kind, phantom_names[i])) *out = phantoms[i];
  if (*out) PetscFunctionReturn(0);
  PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: unknown phantom \"%s\", expected %s%s", name, kind,
                        SchemaExpected(&(const SchemaKey){.type = TYPE_WORD, WORDS(phantom_names)}).text,
                        SuggestName(" (", kind, n_phantom_names, phantom_names).text));
  PetscFunctionReturn(0);
}

Line PhantomsWithKey(const char *key)
{
  Line out = {""};
  for (PetscInt i = 0; i < n_phantom_names; i++) {
    const size_t used = strlen(out.text);
    if (SchemaChild(phantom_keys[i], key))
      snprintf(out.text + used, sizeof out.text - used, "%s%s", used ? " or " : "", phantom_names[i]);
  }
  return out;
}

static PetscErrorCode ReadKeys(const SchemaKey *keys, Pool pool, Node *root, void **out)
{
  PetscFunctionBegin;
  char *own;
  PetscCall(PetscCalloc1(keys->size, &own));
  const SchemaReader reader = {.root = root, .file = "", .target = own, .size = keys->size};
  PetscCall(SchemaComplete(pool, &reader, keys, root));
  PetscCall(SchemaRead(&reader, keys, root, own));
  *out = own;
  PetscFunctionReturn(0);
}

PetscErrorCode PhantomSpecRead(const char *kind, const char *keys, Mistakes *mistakes, PhantomSpec *spec)
{
  PetscFunctionBegin;
  const Phantom *phantom;
  const PetscInt before = mistakes->n;
  char where[64], text[1024];
  Pool pool;
  Node *root;
  *spec = (PhantomSpec){.kind = kind};
  PetscCall(FindPhantom(kind, kind, mistakes, &phantom));
  if (!phantom) PetscFunctionReturn(0);
  snprintf(where, sizeof where, "phantom %s", kind);
  snprintf(text, sizeof text, "{%s}", keys);
  const Place place = {.source = where};
  Check check = {.mistakes = mistakes};
  PetscCall(PoolCreate(&pool));
  PetscCall(YamlRead(pool, text, strlen(text), place, ROBION_STUDY, mistakes, &root));
  if (root) PetscCall(SchemaCheck(&check, &phantom->keys, root, ""));
  if (mistakes->n == before) PetscCall(ReadKeys(&phantom->keys, pool, root, &spec->keys));
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}

PetscErrorCode PhantomSpecDestroy(PhantomSpec *spec)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(spec->keys));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseBuildPhantom(const PhantomSpec *spec, const char *name, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  const Phantom *phantom;
  const PetscInt before = mistakes->n;
  PhantomSpec usual = {NULL};
  *out = NULL;
  PetscCall(FindPhantom(spec->kind, name, mistakes, &phantom));
  if (!phantom) PetscFunctionReturn(0);
  if (!spec->keys) PetscCall(PhantomSpecRead(spec->kind, "", mistakes, &usual));
  PetscCall(PetscCalloc1(1, out));
  PetscCall(PetscStrallocpy(name, &(*out)->name));
  PetscCall((*phantom->build)(spec->keys ? spec->keys : usual.keys, mistakes, *out));
  PetscCall(PhantomSpecDestroy(&usual));
  if (mistakes->n > before) PetscCall(CaseDestroy(out));
  PetscFunctionReturn(0);
}
