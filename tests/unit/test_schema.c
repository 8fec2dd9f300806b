/* A table of keys with addresses: what is read, completed and freed by it, for every way that a value is kept. */
#include "robion/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

typedef enum { COLOUR_RED, COLOUR_GREEN } Colour;
static const char *const colour_names[] = {"red", "green"};
static const PetscInt n_colour_names = PETSC_STATIC_ARRAY_LENGTH(colour_names);

typedef struct Inner {
  double depth_mm;
  PetscInt n;
  double *value;
} Inner;

typedef struct Item {
  char *name, *text, *where;
  const char *colour;
  double share;
} Item;

typedef struct Outer {
  double size_mm, sigma;
  PetscInt count;
  PetscBool flag, round, given;
  Colour colour, of_key;
  char *text, *where, *file;
  double corner_mm[3];
  Inner inner;
  PetscInt n_item, n_named, n_vector, finished;
  Item *item, *named;
  double (*vector)[2];
} Outer;

static const SchemaKey any_number = {"number", TYPE_NUMBER, ITSELF(NUMBER)};
static const SchemaKey pair = {"pair",          TYPE_LIST,       ITSELF(VECTOR),
                               .min_length = 2, .max_length = 2, .element = &any_number};
static const SchemaKey inner_keys[] = {
    {"depth_mm", TYPE_NUMBER, AT(Inner, depth_mm), .fallback = "2.5"},
    {"values", TYPE_LIST, LIST(Inner, n, value), .element = &any_number, .fallback = "[1, 2]"},
};
static const SchemaKey item_keys[] = {
    {"text", TYPE_TEXT, REQUIRED, AT(Item, text), WHERE(Item, where)},
    {"colour", TYPE_WORD, AT(Item, colour), WORDS(colour_names), .fallback = "green"},
    {"share_percent", TYPE_NUMBER, AT(Item, share), PERCENT},
};
static const SchemaKey item = {"item", TYPE_MAPPING, CHILDREN(item_keys)};
static const SchemaKey named = {"named", TYPE_TEXT, AT(Item, text), NAMED(Item, name), WHERE(Item, where)};

static PetscErrorCode Preset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  Outer *outer = base;
  outer->size_mm = 0.1;
  outer->count = 7;
  outer->colour = COLOUR_GREEN;
  outer->flag = PETSC_TRUE;
  PetscCall(PetscStrallocpy("of the preset", &outer->text));
  PetscFunctionReturn(0);
}

static PetscErrorCode ListPreset(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  Outer *outer = base;
  outer->n_vector = 2;
  PetscCall(PetscMalloc1(2, &outer->vector));
  for (int i = 0; i < 2; i++) outer->vector[i][0] = i, outer->vector[i][1] = 0.1 * i;
  PetscFunctionReturn(0);
}

static PetscErrorCode Finish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  Outer *outer = base;
  assert_ptr_equal(outer, reader->target);
  outer->finished += outer->n_item; /* all below has been read */
  PetscFunctionReturn(0);
}

static const SchemaKey keys[] = {
    {"size_mm", TYPE_NUMBER, AT(Outer, size_mm), GIVEN(Outer, given), PRESET},
    {"fwhm", TYPE_NUMBER, AT(Outer, sigma), .divisor = 3},
    {"count", TYPE_INTEGER, AT(Outer, count), PRESET},
    {"flag", TYPE_FLAG, AT(Outer, flag), PRESET},
    {"shape", TYPE_WORD, AT(Outer, round), .true_if = "green", WORDS(colour_names), .fallback = "red"},
    {"colour", TYPE_WORD, AT(Outer, colour), WORDS(colour_names), PRESET},
    {"text", TYPE_TEXT, AT(Outer, text), WHERE(Outer, where), PRESET},
    {"file", TYPE_TEXT, AT(Outer, file), .file = PETSC_TRUE, GIVEN_AS(Outer, of_key, COLOUR_GREEN)},
    {"corner_mm", TYPE_NUMBER | TYPE_LIST, AT(Outer, corner_mm), .min_length = 3, .max_length = 3,
     .element = &any_number},
    {"inner", TYPE_NUMBER | TYPE_MAPPING, INTO(Outer, inner), CHILDREN(inner_keys), .shorthand = "depth_mm"},
    {"items", TYPE_LIST, LIST(Outer, n_item, item), .element = &item},
    {"more_items", TYPE_LIST, LIST(Outer, n_item, item), .element = &item},
    {"named", TYPE_MAPPING, LIST(Outer, n_named, named), .member = &named},
    {"vectors", TYPE_LIST, LIST(Outer, n_vector, vector), .element = &pair, .preset = ListPreset},
    {"one", TYPE_LIST, INTO(Outer, inner), .element = &(const SchemaKey){"one", TYPE_MAPPING, CHILDREN(inner_keys)}},
};
static const SchemaKey table = {"table", TYPE_MAPPING, CHILDREN(keys), .preset = Preset, .finish = Finish};

static Pool pool;

static Node *Tree(const char *text)
{
  Mistakes mistakes = {0};
  Node *root;
  const Place start = {"in/f", 1, 1, PETSC_FALSE};
  assert_int_equal(YamlRead(pool, text, strlen(text), start, ROBION_STUDY, &mistakes, &root), 0);
  Check check = {.mistakes = &mistakes};
  assert_int_equal(SchemaCheck(&check, &table, root, ""), 0);
  MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 0);
  return root;
}

static void Read(const Node *root, Outer *out)
{
  *out = (Outer){0};
  const SchemaReader reader = {.root = root, .file = "in/f", .target = out, .size = sizeof *out};
  assert_int_equal(SchemaRead(&reader, &table, root, out), 0);
}

static void EveryKind(void **state)
{
  Outer o;
  Read(Tree("size_mm: 1.5\nfwhm: 6\ncount: -3\nflag: false\nshape: green\ncolour: red\ntext: a b\nfile: sub/x\n"
            "corner_mm: [1, 2, 3]\ninner: {depth_mm: 4, values: [5, 6, 7]}\n"
            "items: [{text: first, share_percent: 30}, {text: second, colour: red}]\nmore_items: [{text: third}]\n"
            "named: {p: q, r.s: t}\nvectors: [[8, 9]]\n"),
       &o);
  assert_true(o.size_mm == 1.5 && o.given && o.sigma == 2 && o.count == -3 && !o.flag && o.round);
  assert_true(o.colour == COLOUR_RED && o.of_key == COLOUR_GREEN);
  assert_string_equal(o.text, "a b");
  assert_string_equal(o.where, "in/f:7:7");
  assert_string_equal(o.file, "in/sub/x");
  assert_true(o.corner_mm[0] == 1 && o.corner_mm[1] == 2 && o.corner_mm[2] == 3);
  assert_true(o.inner.depth_mm == 4 && o.inner.n == 3 && o.inner.value[2] == 7);
  assert_int_equal(o.n_item, 3); /* of two keys, in one list */
  assert_string_equal(o.item[1].text, "second");
  assert_string_equal(o.item[2].text, "third");
  assert_true(o.item[0].share == 0.3 && !o.item[0].colour);
  assert_ptr_equal(o.item[1].colour, colour_names[COLOUR_RED]);
  assert_int_equal(o.n_named, 2);
  assert_string_equal(o.named[1].name, "r.s");
  assert_string_equal(o.named[1].text, "t");
  assert_string_equal(o.named[1].where, "in/f:13:20");
  assert_true(o.n_vector == 1 && o.vector[0][0] == 8 && o.vector[0][1] == 9);
  assert_int_equal(o.finished, 3);
  assert_int_equal(SchemaFree(&table, &o), 0);
  assert_true(!o.text && !o.where && !o.file && !o.item && !o.named && !o.vector && !o.inner.value);
  assert_true(o.n_item == 0 && o.n_named == 0 && o.n_vector == 0 && o.inner.n == 0);
}

static void SpecialForms(void **state)
{
  Outer o;
  Read(Tree("file: builtin\ncorner_mm: 4\none: [{depth_mm: 3}]\nshape: red\n"), &o);
  assert_null(o.file);
  assert_true(o.corner_mm[0] == 4 && o.corner_mm[2] == 4 && o.inner.depth_mm == 3 && !o.round && !o.given);
  assert_string_equal(o.text, "of the preset");
  assert_int_equal(SchemaFree(&table, &o), 0);
  Read(Tree("file: /abs/x\n"), &o);
  assert_string_equal(o.file, "/abs/x");
  assert_int_equal(SchemaFree(&table, &o), 0);
}

static void AssertCompleted(const char *text, const char *expected)
{
  Node *root = Tree(text);
  char *yaml;
  const SchemaReader reader = {.root = root, .size = sizeof(Outer)};
  assert_int_equal(SchemaComplete(pool, &reader, &table, root) || YamlWriteLine(root, &yaml), 0);
  assert_string_equal(yaml, expected);
  assert_int_equal(PetscFree(yaml), 0);
}

/* Fallbacks, values of other modules and the shorthand, in the table's order; what is given stays, and completing twice is as once. */
static void Defaults(void **state)
{
  const char *whole = "{size_mm: 0.1, count: 7, flag: true, shape: red, colour: green, text: \"of the preset\", inner: "
                      "{depth_mm: 2.5, values: [1, 2]}, vectors: [[0, 0], [1, 0.1]]}";
  AssertCompleted("{}", whole);
  AssertCompleted(whole, whole);
  AssertCompleted("{vectors: [], inner: 3, count: 8, items: [{text: x}], text: y}",
                  "{size_mm: 0.1, count: 8, flag: true, shape: red, colour: green, text: y, inner: {depth_mm: 3, "
                  "values: [1, 2]}, items: [{text: x, colour: green}], vectors: []}");
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL) || PoolCreate(&pool)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryKind), cmocka_unit_test(SpecialForms),
                                     cmocka_unit_test(Defaults)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscSegBufferDestroy(&pool) || PetscFinalize() ? 1 : failures;
}
