/* A tree checked against a table of keys: shape, type, unit, range, words, required keys, then the key's own rule. */
#include "robion/schema.h"
#include "robion/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A broken file can be wrong in thousands of places: nobody reads more than this. */
enum { MOST_MISTAKES = 200 };
enum { MOST_WORDS = 64 }; /* of one key */

PetscErrorCode CheckAdd(Check *check, Place place, const char *path, const char *format, ...)
{
  PetscFunctionBegin;
  char body[1024], own[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(body, sizeof body, format, arguments);
  va_end(arguments);
  snprintf(own, sizeof own, "%s: %s%s%s", PlaceText(place).text, path, *path ? ": " : "", body);
  if (check->mistakes->n >= MOST_MISTAKES) {
    PetscCall(MistakesAdd(check->mistakes, ROBION_STUDY, "%s: there are more mistakes", place.source));
    PetscFunctionReturn(0);
  }
  if (check->seen) {
    for (PetscInt i = 0; i < check->seen->n; i++)
      if (!strcmp(check->seen->item[i].text, own)) PetscFunctionReturn(0);
    PetscCall(MistakesAdd(check->seen, ROBION_STUDY, "%s", own));
  }
  if (check->label && !place.override)
    PetscCall(MistakesAdd(check->mistakes, ROBION_STUDY, "%s: %s: %s%s%s", PlaceText(check->place).text, check->label,
                          path, *path ? ": " : "", body));
  else
    PetscCall(MistakesAdd(check->mistakes, ROBION_STUDY, "%s", own));
  PetscFunctionReturn(0);
}

PetscBool NodeNumber(const Node *node, double *value)
{
  /* strtod also takes hexadecimal, nan and inf: none of them belongs in a study */
  if (node->kind != NODE_SCALAR || node->quoted || !*node->text) return PETSC_FALSE;
  if (node->text[strspn(node->text, "0123456789+-.eE")]) return PETSC_FALSE;
  return TextParseNumber(node->text, value);
}

PetscBool NodeFlag(const Node *node, PetscBool *value)
{
  static const char *const spelling[] = {"false", "true", "False", "True", "FALSE", "TRUE"};
  if (node->kind != NODE_SCALAR || node->quoted) return PETSC_FALSE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(spelling); i++)
    if (!strcmp(node->text, spelling[i])) {
      *value = i % 2 ? PETSC_TRUE : PETSC_FALSE;
      return PETSC_TRUE;
    }
  return PETSC_FALSE;
}

/* A number followed by letters: "4 mm", "0.4cm", "3.5 %". */
static PetscBool HasUnit(const char *text)
{
  size_t digits = strspn(text, "0123456789+-.");
  const char *rest = text + digits;
  if (!digits || !strpbrk(text, "0123456789") || !text[strspn(text, "0123456789+-.eE")]) return PETSC_FALSE;
  if (!strncasecmp(text, "0x", 2)) return PETSC_FALSE;
  while (*rest == ' ') rest++;
  if (rest[0] == '1' && rest[1] == '/') rest += 2; /* 0.1 1/Gy */
  return (*rest >= 'a' && *rest <= 'z') || (*rest >= 'A' && *rest <= 'Z') || *rest == '%' || (*rest & 0x80)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

static PetscErrorCode CheckNumber(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double value;
  Line found = NodeShown(node), expected = SchemaExpected(key);
  if (!NodeNumber(node, &value)) {
    if (node->quoted && !HasUnit(node->text))
      PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s without quotes", found.text, expected.text));
    else if (HasUnit(node->text) && key->unit)
      PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s: the unit is in the key's name, leave it out",
                         found.text, expected.text));
    else if (HasUnit(node->text))
      PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s: it has no unit", found.text, expected.text));
    else
      PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s", found.text, expected.text));
    PetscFunctionReturn(0);
  }
  PetscBool low = value < key->min || (key->above && value == key->min) ? PETSC_TRUE : PETSC_FALSE;
  PetscBool high = value > key->max || (key->below && value == key->max) ? PETSC_TRUE : PETSC_FALSE;
  PetscBool fraction = key->type & TYPE_INTEGER && value != (double)(long)value ? PETSC_TRUE : PETSC_FALSE;
  if ((key->min < key->max && (low || high)) || fraction) {
    if (value <= 0 && (key->min > 0 || (key->min == 0 && key->above)) && key->type & TYPE_NUMBER)
      snprintf(expected.text, sizeof expected.text, "a number above 0%s%s%s", key->unit ? " (" : "",
               key->unit ? key->unit : "", key->unit ? ")" : "");
    const char *hint = key->below && value == key->max && key->min == 0 && key->max == 360 ? "; use 0" : "";
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s%s", found.text, expected.text, hint));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckWord(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const char *word[MOST_WORDS];
  PetscInt n = 0;
  for (; n < MOST_WORDS && (word[n] = SchemaWord(key, n)); n++)
    if (!strcmp(node->text, word[n])) PetscFunctionReturn(0);
  PetscCall(CheckAdd(check, node->place, path, "found %s, expected %s%s", NodeShown(node).text,
                     SchemaExpected(key).text, NodeIsNull(node) ? "" : SuggestName("; ", node->text, n, word).text));
  PetscFunctionReturn(0);
}

static PetscBool HasControls(const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    if (*c < 0x20 || *c == 0x7F) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscErrorCode CheckScalar(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscBool flag, wrong = PETSC_FALSE;
  if (key->type & (TYPE_NUMBER | TYPE_INTEGER))
    PetscCall(CheckNumber(check, key, node, path));
  else if (key->type & TYPE_WORD) {
    if (!(key->type & TYPE_FLAG) || !NodeFlag(node, &flag)) PetscCall(CheckWord(check, key, node, path));
  } else if (key->type & TYPE_FLAG)
    wrong = !NodeFlag(node, &flag);
  else if (key->type & TYPE_LABEL)
    wrong = NodeIsNull(node) || !LabelIsSafe(node->text);
  else if (key->type & TYPE_TEXT)
    wrong = NodeIsNull(node) || !*node->text || HasControls(node->text);
  else
    PetscCall(
        CheckAdd(check, node->place, path, "found %s, expected %s", NodeShown(node).text, SchemaExpected(key).text));
  if (wrong)
    PetscCall(
        CheckAdd(check, node->place, path, "found %s, expected %s", NodeShown(node).text, SchemaExpected(key).text));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckList(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscBool many = key->max_length && node->n > key->max_length ? PETSC_TRUE : PETSC_FALSE;
  if (node->n == 0 && key->min_length)
    PetscCall(CheckAdd(check, node->place, path, "found an empty list, expected %s", SchemaExpected(key).text));
  else if (node->n < key->min_length || many)
    PetscCall(
        CheckAdd(check, node->place, path, "found a list of %d, expected %s", (int)node->n, SchemaExpected(key).text));
  for (PetscInt i = 0; i < node->n; i++)
    PetscCall(SchemaCheck(check, key->element, node->entry[i].value, PathJoinIndex(path, i).text));
  PetscFunctionReturn(0);
}

/* Required keys that are missing; one that was only misspelt has been told already. */
static PetscErrorCode CheckRequired(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; key->child && i < key->n_child; i++) {
    const SchemaKey *child = &key->child[i];
    PetscBool misspelt = PETSC_FALSE;
    if (!child->required || NodeGet(node, child->name)) continue;
    for (PetscInt k = 0; k < node->n && !misspelt; k++) {
      const char *found = node->entry[k].key;
      const char *meant = SchemaChild(key, found) ? NULL : SchemaNearest(key, found);
      misspelt = meant && !strcmp(meant, child->name) ? PETSC_TRUE : PETSC_FALSE;
    }
    if (misspelt) continue;
    Line inner = PathJoin(path, child->name);
    if (child->type & TYPE_TEXT)
      PetscCall(CheckAdd(check, node->place, inner.text, "missing, expected %s", child->doc));
    else
      PetscCall(
          CheckAdd(check, node->place, inner.text, "missing, expected %s: %s", child->doc, SchemaExpected(child).text));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckMapping(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  if (!key->child && !key->member) PetscFunctionReturn(0); /* an arm: checked once it is applied */
  for (PetscInt i = 0; i < node->n; i++) {
    const NodeEntry *entry = &node->entry[i];
    const SchemaKey *child = SchemaChildOf(key, node, entry->key);
    Line inner = PathJoin(path, entry->key);
    if (child)
      PetscCall(SchemaCheck(check, child, entry->value, inner.text));
    else
      PetscCall(SchemaUnknown(check, entry->place, inner.text, "", key, entry->key));
  }
  const SchemaKey *variant = SchemaVariant(key, node);
  PetscCall(CheckRequired(check, key, node, path));
  if (variant) PetscCall(CheckRequired(check, variant, node, path));
  PetscFunctionReturn(0);
}

PetscErrorCode SchemaCheck(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  if (key->type & TYPE_ANY) PetscFunctionReturn(0);
  unsigned shape = node->kind == NODE_SEQUENCE  ? TYPE_LIST
                   : node->kind == NODE_MAPPING ? TYPE_MAPPING
                                                : key->type & ~(unsigned)(TYPE_LIST | TYPE_MAPPING);
  if (!(key->type & shape)) {
    PetscCall(
        CheckAdd(check, node->place, path, "found %s, expected %s", NodeShown(node).text, SchemaExpected(key).text));
    PetscFunctionReturn(0);
  }
  if (node->kind == NODE_SCALAR)
    PetscCall(CheckScalar(check, key, node, path));
  else if (node->kind == NODE_SEQUENCE)
    PetscCall(CheckList(check, key, node, path));
  else
    PetscCall(CheckMapping(check, key, node, path));
  if (key->rule) PetscCall((*key->rule)(check, key, node, path));
  PetscFunctionReturn(0);
}
