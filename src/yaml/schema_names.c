/* Names of keys: unknown ones and what was meant, what is expected, in words. */
#include "robion/schema.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_KEYS = 64 }; /* of a mapping, that are looked at for what a user meant */

static const char safe_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+=,";

PetscBool LabelIsSafe(const char *text)
{
  size_t n = strlen(text);
  return n && n <= 100 && *text != '.' && *text != '-' && strspn(text, safe_characters) == n ? PETSC_TRUE : PETSC_FALSE;
}

void LabelMakeSafe(char *text)
{
  for (char *c = text; *c; c++)
    if (!strchr(safe_characters, *c) || (c == text && (*c == '.' || *c == '-'))) *c = '_';
}

static const SchemaKey *OwnChild(const SchemaKey *mapping, const char *name)
{
  for (PetscInt i = 0; i < mapping->n_child; i++)
    if (!strcmp(mapping->child[i].name, name)) return &mapping->child[i];
  return NULL;
}

const SchemaKey *SchemaChild(const SchemaKey *mapping, const char *name)
{
  const SchemaKey *child = OwnChild(mapping, name);
  for (PetscInt v = 0; !child && mapping->variant && v < *mapping->n_variant; v++)
    child = OwnChild(mapping->variant[v], name);
  return child ? child : mapping->member;
}

const SchemaKey *SchemaVariant(const SchemaKey *mapping, const Node *node)
{
  const Node *choice = mapping->variant ? NodeGet(node, mapping->chosen_by) : NULL;
  for (PetscInt v = 0; choice && choice->kind == NODE_SCALAR && v < *mapping->n_variant; v++)
    if (!strcmp(mapping->variant[v]->name, choice->text)) return mapping->variant[v];
  return NULL;
}

const SchemaKey *SchemaChildOf(const SchemaKey *mapping, const Node *node, const char *name)
{
  const SchemaKey *variant = SchemaVariant(mapping, node), *child = variant ? OwnChild(variant, name) : NULL;
  return child ? child : SchemaChild(mapping, name);
}

/* Names of all keys of a mapping and its variants, each once; returns their number, at most `most`. */
static PetscInt AllNames(const SchemaKey *mapping, PetscInt most, const char **name)
{
  PetscInt n = 0;
  for (PetscInt v = -1; v < (mapping->variant ? *mapping->n_variant : 0); v++) {
    const SchemaKey *table = v < 0 ? mapping : mapping->variant[v];
    for (PetscInt i = 0; i < table->n_child && n < most; i++) {
      PetscInt k = 0;
      while (k < n && strcmp(name[k], table->child[i].name)) k++;
      if (k == n) name[n++] = table->child[i].name;
    }
  }
  return n;
}

PetscBool SchemaHasUnknown(const SchemaKey *mapping, const Node *node)
{
  for (PetscInt i = 0; i < node->n; i++)
    if (!SchemaChild(mapping, node->entry[i].key)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Length of a key without the unit at its end: "lateral" of lateral_mm, all of it if it has none. */
static size_t StemLength(const char *name)
{
  static const char *const unit[] = {"_per_Gy2", "_per_Gy", "_Gy_RBE",  "_GyRBE", "_GyE",     "_cGy_RBE",  "_cGy",
                                     "_mGy",     "_Gy",     "_MeV_u",   "_MeV",   "_keV_um",  "_keV",      "_GeV",
                                     "_cm",      "_mm",     "_um",      "_nm",    "_m",       "_inch",     "_inches",
                                     "_degrees", "_degree", "_deg",     "_rad",   "_percent", "_fraction", "_hours",
                                     "_minutes", "_min",    "_seconds", "_s"};
  size_t n = strlen(name);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(unit); i++) {
    size_t k = strlen(unit[i]);
    if (n > k && !strcasecmp(name + n - k, unit[i])) return n - k;
  }
  return n;
}

const char *SchemaNearest(const SchemaKey *mapping, const char *found)
{
  const char *name[MOST_KEYS], *same_stem[MOST_KEYS] = {NULL};
  PetscInt n = AllNames(mapping, MOST_KEYS, name), n_stem = 0;
  size_t stem = StemLength(found);
  for (PetscInt i = 0; i < n; i++) {
    if (!strcasecmp(name[i], found)) return name[i];
    if (StemLength(name[i]) == stem && !strncasecmp(name[i], found, stem)) same_stem[n_stem++] = name[i];
  }
  const char *nearest = NearestName(found, n_stem, same_stem);
  if (nearest) return nearest;
  return n_stem ? same_stem[0] : NearestName(found, n, name);
}

/* The path of a key of that very name anywhere below `key`, lists left out; "" if there is none. */
static Line FindElsewhere(const SchemaKey *key, const char *found, const char *path)
{
  Line none = {""};
  for (PetscInt i = 0; i < key->n_child; i++) {
    Line inner = PathJoin(path, key->child[i].name);
    if (!strcmp(key->child[i].name, found)) return inner;
    Line deeper = FindElsewhere(&key->child[i], found, inner.text);
    if (*deeper.text) return deeper;
  }
  return none;
}

static Line KnownKeys(const SchemaKey *mapping)
{
  Line out = {""};
  const char *name[MOST_KEYS];
  const PetscInt n = AllNames(mapping, MOST_KEYS, name);
  for (PetscInt i = 0; i < n; i++) {
    size_t used = strlen(out.text);
    snprintf(out.text + used, sizeof out.text - used, "%s%s", i ? ", " : "", name[i]);
  }
  return out;
}

PetscErrorCode SchemaUnknown(Check *check, Place place, const char *path, const char *prefix, const SchemaKey *mapping,
                             const char *found)
{
  PetscFunctionBegin;
  const char *nearest = SchemaNearest(mapping, found);
  Line elsewhere = {""};
  if (!nearest && check->root) elsewhere = FindElsewhere(check->root, found, "");
  if (nearest)
    PetscCall(CheckAdd(check, place, path, "unknown key, did you mean %s?", PathJoin(prefix, nearest).text));
  else if (*elsewhere.text)
    PetscCall(CheckAdd(check, place, path, "unknown key, did you mean %s%s?", elsewhere.text,
                       strchr(elsewhere.text, '.') ? "" : " at the top level"));
  else
    PetscCall(CheckAdd(check, place, path, "unknown key, expected one of %s", KnownKeys(mapping).text));
  PetscFunctionReturn(0);
}

/* " from 0 to 10", " above 0", ... of a key with a range. */
static Line RangeText(const SchemaKey *key)
{
  Line out;
  const char *to = key->above ? key->below ? "and below" : "and up to" : key->below ? "to below" : "to";
  snprintf(out.text, sizeof out.text, " %s %.10g %s %.10g", key->above ? "above" : "from", key->min, to, key->max);
  return out;
}

const char *SchemaWord(const SchemaKey *key, PetscInt i)
{
  if (key->word) return key->word(i);
  return key->n_words && i < *key->n_words ? key->words[i] : NULL;
}

static Line WordList(const SchemaKey *key)
{
  Line out = {""};
  const char *word;
  if (key->type & TYPE_FLAG) snprintf(out.text, sizeof out.text, "true, false, ");
  for (PetscInt i = 0; (word = SchemaWord(key, i)); i++) {
    size_t used = strlen(out.text);
    const char *separator = i == 0 ? "" : SchemaWord(key, i + 1) ? ", " : " or ";
    snprintf(out.text + used, sizeof out.text - used, "%s%s", separator, word);
  }
  return out;
}

static Line UnitText(const SchemaKey *key)
{
  Line out = {""};
  if (key->unit) snprintf(out.text, sizeof out.text, " (%s)", key->unit);
  return out;
}

static Line ExpectedScalar(const SchemaKey *key)
{
  Line out = {""};
  Line range = {""};
  if (key->min < key->max) range = RangeText(key);
  if (key->type & TYPE_NUMBER)
    snprintf(out.text, sizeof out.text, "a number%.80s%.20s", range.text, UnitText(key).text);
  else if (key->type & TYPE_INTEGER)
    snprintf(out.text, sizeof out.text, "a whole number%.80s", range.text);
  else if (key->type & TYPE_WORD)
    return WordList(key);
  else if (key->type & TYPE_FLAG)
    snprintf(out.text, sizeof out.text, "true or false");
  else if (key->type & TYPE_LABEL)
    snprintf(out.text, sizeof out.text, "a name that can be a folder (up to 100 letters, digits, . _ - + = ,)");
  else if (key->type & TYPE_TEXT)
    snprintf(out.text, sizeof out.text, "text");
  return out;
}

static Line ExpectedList(const SchemaKey *key)
{
  Line out, count = {""};
  unsigned type = key->element->type;
  const char *each = type & TYPE_NUMBER    ? "numbers"
                     : type & TYPE_TEXT    ? "names"
                     : type & TYPE_LIST    ? "lists"
                     : type & TYPE_MAPPING ? "mappings (key: value)"
                                           : "values";
  if (key->min_length > 1)
    snprintf(count.text, sizeof count.text, "%s%d ", key->max_length ? "" : "at least ", (int)key->min_length);
  snprintf(out.text, sizeof out.text, "a list of %.40s%s%.20s", count.text, each, UnitText(key->element).text);
  return out;
}

Line SchemaExpected(const SchemaKey *key)
{
  Line out = ExpectedScalar(key);
  size_t used = strlen(out.text);
  if (key->type & TYPE_LIST)
    used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%.300s", used ? ", or " : "",
                             ExpectedList(key).text);
  if (key->type & TYPE_MAPPING)
    snprintf(out.text + used, sizeof out.text - used, "%sa mapping (key: value)", used ? ", or " : "");
  return out;
}
