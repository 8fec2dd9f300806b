/* configs/reference.yaml against the table of keys: each has every key of the other, with the same range, default, unit and need. */
#include "../../src/study/schema_private.h"
#include "test_study.h"
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

/* What the file says of a key that begins a line of its own. */
typedef struct Said {
  const SchemaKey *key;
  const Node *value;
  Line path;
  char comment[1200];
} Said;

enum { MOST_SAID = 512, MOST_LINES = 1000, COMMENT_COLUMN = 20 };

static Pool pool;
static const Node *usual; /* a study that says as little as it can, with every default filled in */
static Said said[MOST_SAID];
static PetscInt n_said;
static char *line[MOST_LINES];
static PetscInt n_lines, n_wrong;

/* Tell all there is to mend at once. */
#define WRONG(...) (print_error("configs/reference.yaml: " __VA_ARGS__), n_wrong++)

/* The study with the keys that its phantom cannot use. */
static char *SwitchedOn(void)
{
  char *text = StudyText("configs/reference.yaml", 0, NULL);
  for (char *c = text; c; c = strchr(c, '\n'), c = c ? c + 1 : NULL)
    if (!strncmp(c, "##", 2)) memset(c, ' ', 2);
  return text;
}

static Node *Tree(const char *text)
{
  Mistakes mistakes = {0};
  Node *root;
  const Place start = {"reference", 1, 1, PETSC_FALSE};
  assert_int_equal(YamlRead(pool, text, strlen(text), start, ROBION_STUDY, &mistakes, &root), 0);
  assert_int_equal(mistakes.n, 0);
  return root;
}

/* Where a line that is nothing but a comment, and no heading, has its #, else -1. */
static int OnlyComment(const char *text)
{
  const size_t blank = strspn(text, " ");
  return text[blank] == '#' && strncmp(text + blank, "# ---", 5) ? (int)blank : -1;
}

/* The comment on line i and those that go on below it, or if a key of the study itself has none the lines of comment above it. */
static void Comment(PetscInt i, char *out, size_t size)
{
  const char *own = strchr(line[i], '#');
  PetscInt first = i, last = i + 1;
  *out = 0;
  if (own) {
    while (last < n_lines && OnlyComment(line[last]) >= COMMENT_COLUMN) last++;
  } else if (line[i][0] != ' ') {
    last = i;
    while (first > 0 && OnlyComment(line[first - 1]) >= 0 && OnlyComment(line[first - 1]) < COMMENT_COLUMN) first--;
  }
  for (PetscInt k = first; k < last; k++) {
    const char *piece = strchr(line[k], '#');
    if (!piece) continue;
    snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " " : "", piece + 1 + strspn(piece + 1, " "));
  }
}

static void Gather(const SchemaKey *key, const Node *node, const char *path)
{
  for (PetscInt i = 0; node->kind == NODE_MAPPING && key->n_child && i < node->n; i++) {
    const NodeEntry *entry = &node->entry[i];
    const SchemaKey *child = SchemaChildOf(key, node, entry->key);
    const Line inner = PathJoin(path, entry->key);
    assert_non_null(child); /* or the study could not be read */
    if (entry->place.column == 1 + (PetscInt)strspn(line[entry->place.line - 1], " -")) {
      assert_true(n_said < MOST_SAID);
      said[n_said] = (Said){.key = child, .value = entry->value, .path = inner};
      Comment(entry->place.line - 1, said[n_said].comment, sizeof said[n_said].comment);
      n_said++;
    }
    Gather(child, entry->value, inner.text);
  }
  for (PetscInt i = 0; node->kind == NODE_SEQUENCE && key->element && i < node->n; i++)
    Gather(key->element, node->entry[i].value, path);
}

/* The key whose numbers have the range of this one: itself, or what its lists hold. */
static const SchemaKey *Ranged(const SchemaKey *key)
{
  while (key && !(key->min < key->max)) key = key->element;
  return key;
}

/* The first range that a comment states, as "above 0 to below 10"; false if there is none. */
static PetscBool StatedRange(const char *comment, SchemaKey *out)
{
  static const char pattern[] = "(above )?(-?[0-9][0-9.]*(e[0-9]+)?) to (below )?(-?[0-9][0-9.]*(e[0-9]+)?)";
  regex_t regex;
  regmatch_t match[7];
  assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE), 0);
  const int none = regexec(&regex, comment, 7, match, 0);
  regfree(&regex);
  if (none) return PETSC_FALSE;
  *out = (SchemaKey){.min = strtod(comment + match[2].rm_so, NULL),
                     .max = strtod(comment + match[5].rm_so, NULL),
                     .above = match[1].rm_so >= 0 ? PETSC_TRUE : PETSC_FALSE,
                     .below = match[4].rm_so >= 0 ? PETSC_TRUE : PETSC_FALSE};
  return PETSC_TRUE;
}

/* What follows "Default: " up to the end of what holds always; "" if nothing does. */
static Line StatedDefault(const char *comment)
{
  Line out = {""};
  const char *start = strstr(comment, "Default: ");
  if (!start) return out;
  start += strlen("Default: ");
  size_t n = 0;
  for (int depth = 0; start[n]; n++) {
    depth += (start[n] == '[') - (start[n] == ']');
    if (depth == 0 && (start[n] == ';' || !strncmp(start + n, ", ", 2) || !strncmp(start + n, " (", 2))) break;
    if (start[n] == '.' && (!start[n + 1] || start[n + 1] == ' ')) break;
  }
  snprintf(out.text, sizeof out.text, "%.*s", (int)n, start);
  return out;
}

/* The default of a key as YAML; "" if it has none of its own. */
static Line Default(const SchemaKey *key, const char *path)
{
  Line out = {""};
  char *copy = strdup(path), *rest = copy, *part, *yaml;
  const Node *node = key->from_preset || key->preset ? usual : NULL;
  if (key->fallback) snprintf(out.text, sizeof out.text, "%s", key->fallback);
  while (node && (part = strsep(&rest, "."))) node = NodeGet(node, part);
  free(copy);
  if (key->fallback || !node || key->n_child) return out;
  assert_int_equal(YamlWriteLine(node, &yaml), 0);
  snprintf(out.text, sizeof out.text, "%s", yaml);
  assert_int_equal(PetscFree(yaml), 0);
  return out;
}

static PetscBool SameValue(const char *a, const char *b)
{
  double x, y;
  const PetscBool numbers = TextParseNumber(a, &x) && TextParseNumber(b, &y) ? PETSC_TRUE : PETSC_FALSE;
  return numbers ? x == y : !strcmp(a, b);
}

/* Nothing that a value of the key could be. */
static PetscBool IsProse(const SchemaKey *key, const char *text)
{
  double number;
  if (TextParseNumber(text, &number) || *text == '[') return PETSC_FALSE;
  for (PetscInt i = 0; SchemaWord(key, i); i++)
    if (!strcmp(text, SchemaWord(key, i))) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* What a comment states must be so. */
static void CheckStated(const Said *s)
{
  const SchemaKey *key = s->key, *ranged = Ranged(key);
  SchemaKey range;
  char *yaml;
  Line of_table = Default(key, s->path.text), stated = StatedDefault(s->comment);
  if (ranged && StatedRange(s->comment, &range) &&
      (range.min != ranged->min || range.max != ranged->max || range.above != ranged->above ||
       range.below != ranged->below))
    WRONG("the range of %s is not: %s\n", s->path.text, s->comment);
  if (!strcmp(stated.text, "the table below")) {
    assert_int_equal(YamlWriteLine(s->value, &yaml), 0);
    snprintf(stated.text, sizeof stated.text, "%s", yaml);
    assert_int_equal(PetscFree(yaml), 0);
  }
  if (*stated.text && (*of_table.text ? !SameValue(stated.text, of_table.text) : !IsProse(key, stated.text)))
    WRONG("the default of %s is \"%s\", not: %s\n", s->path.text, of_table.text, s->comment);
  const PetscBool required = key->required && !key->fallback;
  if (required != (strncmp(s->comment, "required", 8) == 0))
    WRONG("%s is %srequired, found: %s\n", s->path.text, required ? "" : "not ", s->comment);
}

/* A unit is at the end of a key's name, spelt for C, or in the comment. */
static PetscBool NamesUnit(const Said *s)
{
  static const char *const spelt[][2] = {{"MeV/u", "MeV_u"},    {"1/Gy", "per_Gy"},   {"1/Gy2", "per_Gy2"},
                                         {"Gy(RBE)", "Gy_RBE"}, {"keV/um", "keV_um"}, {"min", "minutes"},
                                         {"%", "percent"}};
  const SchemaKey *key = s->key;
  const char *unit = key->unit ? key->unit : Ranged(key) ? Ranged(key)->unit : NULL, *name = key->name;
  if (!unit || strstr(s->comment, unit)) return PETSC_TRUE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(spelt); i++)
    if (!strcmp(unit, spelt[i][0])) unit = spelt[i][1];
  return strlen(name) >= strlen(unit) && !strcmp(name + strlen(name) - strlen(unit), unit) ? PETSC_TRUE : PETSC_FALSE;
}

/* Keys of several mappings that mean the same need be explained once. */
static PetscBool SameKey(const SchemaKey *a, const SchemaKey *b)
{
  if (a == b) return PETSC_TRUE;
  const SchemaKey *x = Ranged(a), *y = Ranged(b);
  if (strcmp(a->name, b->name) || a->type != b->type || a->words != b->words || a->word != b->word ||
      a->required != b->required)
    return PETSC_FALSE;
  if (!x || !y) return x == y ? PETSC_TRUE : PETSC_FALSE;
  return x->min == y->min && x->max == y->max && x->above == y->above && x->below == y->below ? PETSC_TRUE
                                                                                              : PETSC_FALSE;
}

/* Somewhere the file says of a key all that there is to say. */
static void CheckSaid(const SchemaKey *key, const char *path)
{
  SchemaKey range;
  const PetscBool has_default = *Default(key, path).text ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < n_said; i++) {
    const Said *s = &said[i];
    if (!SameKey(s->key, key) || !*s->comment || (has_default && s->key != key)) continue;
    if (Ranged(key) && !StatedRange(s->comment, &range)) continue;
    if (has_default && !*StatedDefault(s->comment).text) continue;
    if (NamesUnit(s)) return;
  }
  WRONG("nothing states all there is to know of %s: %s, default %s\n", path, SchemaExpected(key).text,
        has_default ? Default(key, path).text : "none");
}

static void CheckTable(const SchemaKey *key, const char *path)
{
  for (PetscInt i = 0; i < key->n_child; i++) {
    const SchemaKey *child = &key->child[i];
    const Line inner = PathJoin(path, child->name);
    if (!child->n_child) CheckSaid(child, inner.text);
    CheckTable(child, inner.text);
  }
  for (PetscInt v = 0; key->variant && v < *key->n_variant; v++) CheckTable(key->variant[v], path);
  if (key->element) CheckTable(key->element, path);
}

/* Every word that a key may have stands somewhere in the file. */
static void CheckWords(const SchemaKey *key, const char *text)
{
  const char *word;
  for (PetscInt w = 0; (word = SchemaWord(key, w)); w++) {
    const char *at = text;
    const size_t n = strlen(word);
    while ((at = strstr(at, word)) &&
           (isalnum((unsigned char)at[-1]) || at[-1] == '-' || isalnum((unsigned char)at[n])))
      at += n;
    if (!at) WRONG("%s of %s is not mentioned\n", word, key->name);
  }
  for (PetscInt i = 0; i < key->n_child; i++) CheckWords(&key->child[i], text);
  if (key->element) CheckWords(key->element, text);
}

static void AsTheTable(void **state)
{
  char *text = SwitchedOn(), *lines = strdup(text), *rest = lines, *least = StudyText(STUDIES "least.yaml", 0, NULL);
  Node *complete;
  while (n_lines < MOST_LINES && (line[n_lines] = strsep(&rest, "\n"))) n_lines++;
  assert_int_equal(StudyComplete(pool, Tree(least), &complete), 0);
  usual = complete;
  Gather(&schema_study, Tree(text), "");
  for (PetscInt i = 0; i < n_said; i++)
    if (*said[i].comment) CheckStated(&said[i]);
  CheckTable(&schema_study, "");
  CheckWords(&schema_study, text);
  assert_int_equal(n_wrong, 0);
  free(lines);
  assert_int_equal(PetscFree(text) || PetscFree(least), 0);
}

/* As it is, and with what is switched off for its phantom's sake. */
static void IsAStudy(void **state)
{
  char *text = SwitchedOn(), *as_it_is = StudyText("configs/reference.yaml", 0, NULL);
  Study *study = GoodStudy(text, 0, NULL), *plain = GoodStudy(as_it_is, 0, NULL);
  assert_int_equal(study->n_plans % plain->n_plans, 0); /* it has more cases */
  assert_true(study->n_plans > plain->n_plans);
  assert_int_equal(StudyDestroy(&study) || StudyDestroy(&plain) || PetscFree(text) || PetscFree(as_it_is), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL) || PoolCreate(&pool)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(AsTheTable), cmocka_unit_test(IsAStudy)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscSegBufferDestroy(&pool) || PetscFinalize() ? 1 : failures;
}
