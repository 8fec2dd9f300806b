/* The axes of a sweep: lists, ranges, lists side by side, named points; each becomes points with a label and their values. */
#include "schema_private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Points between ends that differ by rounding alone are the ends. */
#define ROUNDING 1e-9

/* Append the point `label`, which sets `path` to `value`. */
static PetscErrorCode AddPoint(Pool pool, Node *axis, const char *label, const char *path, Place place, Node *value)
{
  PetscFunctionBegin;
  Node *settings;
  const char *kept;
  PetscCall(NodeCreate(pool, NODE_MAPPING, value->place, &settings));
  PetscCall(NodeAppend(pool, settings, path, place, value));
  PetscCall(PoolText(pool, label, strlen(label), &kept));
  PetscCall(NodeAppend(pool, axis, kept, value->place, settings));
  PetscFunctionReturn(0);
}

/* "biology.alpha_x_per_Gy=0.1"; caller frees. */
static PetscErrorCode ValueLabel(const char *path, const Node *value, char **label)
{
  PetscFunctionBegin;
  char *written = NULL;
  if (value->kind != NODE_SCALAR) PetscCall(YamlWriteLine(value, &written));
  const char *text = written ? written : value->text;
  const size_t size = strlen(path) + strlen(text) + 2;
  PetscCall(PetscMalloc1(size, label));
  snprintf(*label, size, "%s=%s", path, text);
  PetscCall(PetscFree(written));
  PetscFunctionReturn(0);
}

/* key: [value, ...] */
static PetscErrorCode ExpandList(Pool pool, const NodeEntry *entry, Node *axis)
{
  PetscFunctionBegin;
  const Node *list = entry->value;
  for (PetscInt i = 0; i < list->n; i++) {
    char *label;
    PetscCall(ValueLabel(entry->key, list->entry[i].value, &label));
    PetscCall(AddPoint(pool, axis, label, entry->key, entry->place, list->entry[i].value));
    PetscCall(PetscFree(label));
  }
  PetscFunctionReturn(0);
}

typedef enum { SPACING_STEP, SPACING_LINEAR, SPACING_LOGARITHMIC } Spacing;

/* How many numbers a range has: 0 if it makes none, with the mistake. */
static PetscErrorCode CountNumbers(Check *check, const Node *list, const char *path, Spacing spacing,
                                   const double end[3], PetscInt *n)
{
  PetscFunctionBegin;
  const char *expected = NULL;
  double count = end[2];
  if (spacing == SPACING_STEP) {
    count = end[2] != 0 ? floor((end[1] - end[0]) / end[2] + ROUNDING) + 1 : 0;
    if (!(count >= 1)) expected = "[first, last, step] with a step from the first towards the last";
  } else if (count != floor(count) || count < 2)
    expected = "[first, last, how many] with a whole number of at least 2";
  else if (spacing == SPACING_LOGARITHMIC && !(end[0] > 0 && end[1] > 0))
    expected = "first and last above 0";
  else if (end[0] == end[1])
    expected = "a last value other than the first";
  if (!expected && count > SWEEP_MOST_POINTS) expected = "fewer values";
  *n = expected ? 0 : (PetscInt)count;
  char *found;
  PetscCall(YamlWriteLine(list, &found));
  if (expected) PetscCall(CheckAdd(check, list->place, path, "found %s, expected %s", found, expected));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

/* key: {linspace: [first, last, n]}: numbers with 12 digits, as a list would have them. */
static PetscErrorCode ExpandRange(Check *check, Pool pool, const NodeEntry *entry, const NodeEntry *range,
                                  Spacing spacing, Node *axis)
{
  PetscFunctionBegin;
  double end[3];
  PetscInt n;
  Node list = {.kind = NODE_SEQUENCE, .place = range->value->place};
  const NodeEntry as_list = {entry->key, entry->place, &list};
  if (range->value->kind != NODE_SEQUENCE || range->value->n != 3) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < 3; i++)
    if (!NodeNumber(range->value->entry[i].value, &end[i])) PetscFunctionReturn(0);
  PetscCall(CountNumbers(check, range->value, PathJoin(PathJoin("sweep", entry->key).text, range->key).text, spacing,
                         end, &n));
  for (PetscInt i = 0; i < n; i++) {
    const double share = n > 1 ? (double)i / (double)(n - 1) : 0;
    double value = end[0] + (double)i * end[2];
    if (spacing == SPACING_LINEAR) value = end[0] + share * (end[1] - end[0]);
    if (spacing == SPACING_LOGARITHMIC) value = end[0] * pow(end[1] / end[0], share);
    if (fabs(value) < ROUNDING * PetscMax(fabs(end[0]), fabs(end[1]))) value = 0; /* -1, ..., 0, ..., 1 */
    char text[32];
    Node *number;
    snprintf(text, sizeof text, "%.12g", value);
    PetscCall(NodeCreateScalar(pool, text, PETSC_FALSE, list.place, &number));
    PetscCall(NodeAppend(pool, &list, NULL, list.place, number));
  }
  PetscCall(ExpandList(pool, &as_list, axis));
  PetscFunctionReturn(0);
}

/* name: {zip: {key: [value, ...], other key: [value, ...]}}: first values together, second values together, ... */
static PetscErrorCode ExpandZip(Check *check, Pool pool, const char *path, const Node *lists, Node *axis)
{
  PetscFunctionBegin;
  if (lists->kind != NODE_MAPPING || !lists->n) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < lists->n; k++) {
    const Node *list = lists->entry[k].value, *first = lists->entry[0].value;
    if (list->kind != NODE_SEQUENCE || !list->n) PetscFunctionReturn(0);
    if (list->n == first->n) continue;
    PetscCall(CheckAdd(check, list->place, PathJoin(path, lists->entry[k].key).text,
                       "found a list of %d, expected one of %d as at %s", (int)list->n, (int)first->n,
                       lists->entry[0].key));
    PetscFunctionReturn(0);
  }
  for (PetscInt i = 0; i < lists->entry[0].value->n; i++) {
    Node *settings;
    char label[2048] = "";
    const char *kept;
    PetscCall(NodeCreate(pool, NODE_MAPPING, lists->entry[0].value->entry[i].place, &settings));
    for (PetscInt k = 0; k < lists->n; k++) {
      const NodeEntry *of = &lists->entry[k];
      char *one;
      PetscCall(ValueLabel(of->key, of->value->entry[i].value, &one));
      const size_t used = strlen(label);
      snprintf(label + used, sizeof label - used, "%s%s", k ? "," : "", one);
      PetscCall(PetscFree(one));
      PetscCall(NodeAppend(pool, settings, of->key, of->place, of->value->entry[i].value));
    }
    PetscCall(PoolText(pool, label, strlen(label), &kept));
    PetscCall(NodeAppend(pool, axis, kept, settings->place, settings));
  }
  PetscFunctionReturn(0);
}

/* name: {points: {label: {key: value, ...}, ...}} */
static PetscErrorCode ExpandPoints(Check *check, Pool pool, const char *name, const char *path, const Node *points,
                                   Node *axis)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; points->kind == NODE_MAPPING && i < points->n; i++) {
    const NodeEntry *point = &points->entry[i];
    char label[512];
    const char *kept;
    if (point->value->kind != NODE_MAPPING) continue; /* told by the schema */
    if (!LabelIsSafe(point->key)) {
      PetscCall(CheckAdd(check, point->place, path,
                         "found \"%s\", expected a name that can be a folder (up to 100 letters, digits, . _ - + = ,)",
                         LineShown(point->key).text));
      continue;
    }
    snprintf(label, sizeof label, "%.256s=%.128s", name, point->key);
    PetscCall(PoolText(pool, label, strlen(label), &kept));
    PetscCall(NodeAppend(pool, axis, kept, point->place, point->value));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SweepExpand(Check *check, Pool pool, const NodeEntry *entry, Node **axis)
{
  PetscFunctionBegin;
  static const char *const spacings[] = {"range", "linspace", "logspace"};
  const Node *value = entry->value;
  const Line path = PathJoin("sweep", entry->key);
  PetscCall(NodeCreate(pool, NODE_MAPPING, entry->place, axis));
  if (value->kind == NODE_SEQUENCE) PetscCall(ExpandList(pool, entry, *axis));
  if (value->kind != NODE_MAPPING) PetscFunctionReturn(0);
  if (value->n != 1) {
    PetscCall(CheckAdd(check, value->place, path.text,
                       "found %d keys, expected one of range, linspace, logspace, zip, points", (int)value->n));
    PetscFunctionReturn(0);
  }
  const NodeEntry *way = &value->entry[0];
  const Line inner = PathJoin(path.text, way->key);
  for (int s = 0; s < (int)PETSC_STATIC_ARRAY_LENGTH(spacings); s++)
    if (!strcmp(way->key, spacings[s])) PetscCall(ExpandRange(check, pool, entry, way, (Spacing)s, *axis));
  const PetscBool zip = strcmp(way->key, "zip") ? PETSC_FALSE : PETSC_TRUE;
  const PetscBool points = strcmp(way->key, "points") ? PETSC_FALSE : PETSC_TRUE;
  if ((zip || points) && way->value->kind == NODE_MAPPING && !way->value->n)
    PetscCall(CheckAdd(check, way->value->place, inner.text, "found nothing, expected %s",
                       zip ? "keys, each with a list of values" : "names, each with the keys it changes"));
  if (zip) PetscCall(ExpandZip(check, pool, inner.text, way->value, *axis));
  if (points) PetscCall(ExpandPoints(check, pool, entry->key, inner.text, way->value, *axis));
  PetscFunctionReturn(0);
}

/* The same number or the same text. */
static PetscBool SameValue(const Node *a, const Node *b)
{
  double x, y;
  if (a->kind != NODE_SCALAR || b->kind != NODE_SCALAR) return PETSC_FALSE;
  const PetscBool first = NodeNumber(a, &x), second = NodeNumber(b, &y);
  if (first && second) return x == y ? PETSC_TRUE : PETSC_FALSE;
  return first == second && !strcmp(a->text, b->text) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool SamePoint(const Node *a, const Node *b)
{
  if (a->n != b->n) return PETSC_FALSE;
  for (PetscInt i = 0; i < a->n; i++)
    if (strcmp(a->entry[i].key, b->entry[i].key) || !SameValue(a->entry[i].value, b->entry[i].value))
      return PETSC_FALSE;
  return a->n ? PETSC_TRUE : PETSC_FALSE;
}

/* The first axis before this one that sets the same path, or NULL. */
static const NodeEntry *AlsoSets(PetscInt n, const NodeEntry *const *key, Node *const *axis, const char *path)
{
  for (PetscInt k = 0; k < n; k++)
    for (PetscInt i = 0; i < axis[k]->n; i++)
      if (NodeFind(axis[k]->entry[i].value, path)) return key[k];
  return NULL;
}

PetscErrorCode SweepCheck(Check *check, PetscInt n, const NodeEntry *const *key, Node *const *axis)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < n; k++)
    for (PetscInt i = 0; i < axis[k]->n; i++) {
      const Node *point = axis[k]->entry[i].value;
      const Line path = PathJoin("sweep", key[k]->key);
      PetscInt before = 0;
      while (before < i && !SamePoint(axis[k]->entry[before].value, point)) before++;
      if (before < i)
        PetscCall(
            CheckAdd(check, axis[k]->entry[i].place, path.text, "found %s again, expected it once",
                     point->n == 1 ? NodeShown(point->entry[0].value).text : LineShown(axis[k]->entry[i].key).text));
      for (PetscInt e = 0; e < point->n; e++) {
        const NodeEntry *other = AlsoSets(k, key, axis, point->entry[e].key);
        if (other)
          PetscCall(CheckAdd(check, key[k]->place, path.text, "found %s, which the sweep of %s varies already",
                             LineShown(point->entry[e].key).text, LineShown(other->key).text));
      }
    }
  PetscFunctionReturn(0);
}
