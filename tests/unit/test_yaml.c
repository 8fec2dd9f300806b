/* The tree a study is read into: places, syntax errors, aliases, editing, writing. */
#include "robion/yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static Pool pool;

static Node *Read(const char *text, Mistakes *mistakes)
{
  Node *root;
  const Place start = {"f", 1, 1, PETSC_FALSE};
  assert_int_equal(YamlRead(pool, text, strlen(text), start, ROBION_STUDY, mistakes, &root), 0);
  return root;
}

static void AssertMistake(const char *text, const char *expected)
{
  Mistakes mistakes = {0};
  Read(text, &mistakes);
  assert_int_equal(mistakes.n, 1);
  assert_string_equal(mistakes.item[0].text, expected);
  assert_int_equal(mistakes.item[0].exit, ROBION_STUDY);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void TestPlaces(void **state)
{
  Mistakes mistakes = {0};
  Node *root = Read("# comment\na: 1\nb:\n  - {c: \"x\"}\n  - 2.5\n", &mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(root->kind, NODE_MAPPING);
  assert_string_equal(PlaceText(root->place).text, "f:2:1");
  assert_string_equal(PlaceText(NodeGet(root, "a")->place).text, "f:2:4");
  const Node *list = NodeGet(root, "b");
  assert_string_equal(PlaceText(NodeFind(root, "b")->place).text, "f:3:1");
  assert_int_equal(list->n, 2);
  assert_string_equal(PlaceText(list->entry[1].place).text, "f:5:5");
  const Node *text = NodeGet(list->entry[0].value, "c");
  assert_true(text->quoted);
  assert_string_equal(text->text, "x");
  assert_string_equal(PlaceText(text->place).text, "f:4:9");
}

static void TestMistakes(void **state)
{
  AssertMistake("", "f:1:1: found nothing, expected YAML");
  AssertMistake("# only a comment\n", "f:1:1: found nothing, expected YAML");
  AssertMistake("a: 1\nb: 2\na: 3\n", "f:3:1: a: found twice, first in line 1, expected once");
  AssertMistake("a: 1\n---\nb: 2\n", "f:3:1: found a second YAML document, expected one");
  AssertMistake("a: !!float 1\n", "f:1:4: found a tag (!...), expected a value without one");
  AssertMistake("? [a]\n: 1\n", "f:1:3: found a list or mapping as a key, expected a word");
  AssertMistake("a: \"x\\0y\"\n", "f:1:4: found a NUL character, expected text");
  AssertMistake("a: 1\nb: [1, 2\nc: 3\n",
                "f:3:2: not valid YAML: did not find expected ',' or ']' while parsing a flow "
                "sequence that starts in line 2");
  AssertMistake("a:\n\tb: 1\n",
                "f:2:1: not valid YAML: found character that cannot start any token while scanning for the "
                "next token that starts in line 2 (a tab; indent with spaces)");
  AssertMistake("a: 1\nb: \xff\n", "f:2:4: not valid YAML: invalid leading UTF-8 octet");
}

static void TestAliases(void **state)
{
  Mistakes mistakes = {0};
  Node *root = Read("a: &x {b: 1}\nc: *x\n", &mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_string_equal(NodeGet(NodeGet(root, "c"), "b")->text, "1");
  AssertMistake("a: &x [1, *x]\n", "f:1:4: found an alias inside the very value it stands for");
  char laughs[2048] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"; /* 10 levels of 10: 10^10 values */
  for (int i = 1; i < 10; i++) {
    char line[64];
    snprintf(line, sizeof line, "a%d: &a%d [", i, i);
    strcat(laughs, line);
    for (int k = 0; k < 9; k++) sprintf(line, "*a%d,", i - 1), strcat(laughs, line);
    strcat(laughs, "]\n");
  }
  AssertMistake(laughs, "f:1:1: found more than 50000 values (after resolving aliases)");
}

static void TestNesting(void **state)
{
  char text[4002];
  memset(text, '[', 40);
  memset(text + 40, ']', 40);
  text[80] = 0;
  AssertMistake(text, "f:1:34: nested too deeply for a study");
  memset(text, '[', 4001);
  text[4001] = 0;
  AssertMistake(text, "f:1:1001: nested too deeply for a study");
}

static void TestMerge(void **state)
{
  Mistakes mistakes = {0};
  char *text;
  Node *root = Read("a: {b: 1, c: {d: 2, e: 3}}\nl: [1, 2]\ns: x\n", &mistakes);
  Node *over = Read("a: {c: {d: 4}, f: 5}\nl: [3]\ns: {t: 1}\nn: 6\n", &mistakes);
  for (PetscInt i = 0; i < over->n; i++)
    assert_int_equal(NodeMerge(pool, root, over->entry[i].key, over->entry[i].place, over->entry[i].value, PETSC_TRUE),
                     0);
  assert_int_equal(YamlWriteLine(root, &text), 0);
  assert_string_equal(text, "{a: {b: 1, c: {d: 4, e: 3}, f: 5}, l: [3], s: {t: 1}, n: 6}");
  assert_true(NodeGet(NodeGet(NodeGet(root, "a"), "c"), "d")->place.override);
  assert_false(NodeGet(NodeGet(root, "a"), "b")->place.override);
  assert_int_equal(PetscFree(text), 0);
}

/* Text written once reads back and writes the same, whatever characters it holds. */
static void TestWrite(void **state)
{
  static const char *const source =
      "p: plain\nq: 'single'\nd: \"two\\nlines \\\" quote\"\nb: |\n  block\n  text\ne: ''\n"
      "u: \"\xc3\xa9\xe2\x82\xac\"\n'a, b: c': [x y, '{', -1e-3, '3']\nm: multi\n  line\nn: {}\n"
      "l: []\nt: {k: [[1, 2], [3, 4]]}\ns: [{a: 1}, {b: [1, 2]}]\n";
  Mistakes mistakes = {0};
  char *first, *second;
  assert_int_equal(YamlWrite(Read(source, &mistakes), &first), 0);
  Node *again = Read(first, &mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(YamlWrite(again, &second), 0);
  assert_string_equal(first, second);
  assert_string_equal(NodeGet(again, "d")->text, "two\nlines \" quote");
  assert_string_equal(NodeGet(again, "b")->text, "block\ntext\n");
  assert_string_equal(NodeGet(again, "u")->text, "\xc3\xa9\xe2\x82\xac");
  assert_string_equal(NodeGet(again, "m")->text, "multi line");
  assert_true(NodeGet(again, "a, b: c")->entry[3].value->quoted);
  assert_non_null(strstr(first, "s:\n- {a: 1}\n- {b: [1, 2]}\n"));
  assert_int_equal(PetscFree(first), 0);
  assert_int_equal(PetscFree(second), 0);
}

/* "on" is a key of studies, and true to readers of YAML 1.1. */
static void TestOldBooleans(void **state)
{
  Mistakes mistakes = {0};
  char *text;
  const Node *root = Read("on: dose\nonly: yes\nNo: {y: 1}\n", &mistakes);
  assert_int_equal(YamlWrite(root, &text), 0);
  assert_string_equal(text, "\"on\": dose\nonly: yes\n\"No\": {y: 1}\n");
  const Node *again = Read(text, &mistakes);
  assert_string_equal(NodeGet(again, "on")->text, "dose");
  assert_int_equal(PetscFree(text), 0);
}

static void TestShown(void **state)
{
  char text[201], euros[256] = "";
  memset(text, 'x', 200);
  text[200] = 0;
  assert_int_equal(strlen(LineShown(text).text), 63);
  assert_string_equal(LineShown("a\tb\x01").text, "a b ");
  strcat(euros, "x");
  for (int i = 0; i < 67; i++) strcat(euros, "\xe2\x82\xac"); /* a cut inside a character would leave bad UTF-8 */
  assert_int_equal(strlen(LineShown(euros).text), 58 + 3);
}

/* "key was X, now Y; ..." of two texts. */
static void AssertDifferences(const char *before, const char *now, PetscInt n_expected, const char *expected)
{
  Difference d[3];
  PetscInt n;
  char text[8192] = "";
  assert_int_equal(YamlDifferences(before, now, 3, d, &n), 0);
  assert_int_equal(n, n_expected);
  for (PetscInt i = 0; i < PetscMin(n, 3); i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s: %s -> %s", i ? "; " : "", d[i].key.text,
             d[i].before.text, d[i].now.text);
  assert_string_equal(text, expected);
}

static void TestDifferences(void **state)
{
  AssertDifferences("a: 1\nb: {c: [1, 2]}\n", "b: {c: [1, 2]}\na: 1\n", 0, "");
  AssertDifferences("a: {b: 1, c: 2}\n", "a: {b: 1, c: 3}\n", 1, "a.c: 2 -> 3");
  AssertDifferences("o: [{w: 1}, {w: 2}]\n", "o: [{w: 1}, {w: 5}]\n", 1, "o.1.w: 2 -> 5");
  AssertDifferences("o: [1, 2]\n", "o: [1]\n", 1, "o: [1, 2] -> [1]");
  AssertDifferences("a: 1\n", "a: 1\nb: {c: x}\n", 1, "b: not there -> {c: x}");
  AssertDifferences("a: 1\nb: x\n", "a: 1\n", 1, "b: x -> not there");
  AssertDifferences("a: 1\n", "a: [1]\n", 1, "a: 1 -> [1]");
  AssertDifferences("a: 1\nb: 1\nc: 1\nd: 1\n", "a: 2\nb: 2\nc: 2\nd: 2\n", 4, "a: 1 -> 2; b: 1 -> 2; c: 1 -> 2");
  AssertDifferences(NULL, "a: 1\n", 1, ": not there -> {a: 1}");
}

static int SetUp(void **state)
{
  return PoolCreate(&pool);
}

static int TearDown(void **state)
{
  return PetscSegBufferDestroy(&pool);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(TestPlaces, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestMistakes, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestAliases, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestNesting, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestMerge, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestWrite, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestOldBooleans, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestShown, SetUp, TearDown),
      cmocka_unit_test_setup_teardown(TestDifferences, SetUp, TearDown),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
