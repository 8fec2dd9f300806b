/* The grammar of derived structures: words, then one of three forms. */
#include "robion/text.h"
#include "structure_private.h"
#include <math.h>
#include <string.h>

#define FORMS                                                                                                          \
  "expected \"A plus 5 mm\", \"A minus 5 mm\", \"A minus B\", \"A and B\", \"A or B\" or \"ring 0-20 mm around A\""

static const char *const verbs[] = {"plus", "minus", "and", "or"};
enum { PLUS, MINUS, AND, OR, N_VERBS };
enum { MOST_WORDS = 6 }; /* one more than any form has */
static const double largest_mm = 1000;

typedef struct Words {
  PetscInt n;
  char *word[MOST_WORDS];
  PetscBool quoted[MOST_WORDS];
} Words;

static PetscErrorCode Complain(const char *where, const char *text, const char *problem, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: derived structure \"%s\": %s", where, text, problem));
  PetscFunctionReturn(0);
}

/* Split at blanks, in place; 'single quotes' keep blanks. Returns what is wrong, or NULL. */
static const char *SplitWords(char *text, Words *words)
{
  words->n = 0;
  for (char *c = text; *c;) {
    if (*c == ' ' || *c == '\t') {
      *c++ = 0;
      continue;
    }
    if (words->n == MOST_WORDS) return "too many words; names with blanks need 'single quotes'; " FORMS;
    PetscBool quoted = *c == '\'';
    char *end = quoted ? strchr(c + 1, '\'') : c + strcspn(c, " \t'");
    if (!end) return "a single quote is not closed";
    words->quoted[words->n] = quoted;
    words->word[words->n++] = c + (quoted ? 1 : 0);
    if (quoted && end == c + 1) return "a name in quotes is empty";
    c = end;
    if (quoted) *c++ = 0;
    if (*c && *c != ' ' && *c != '\t') return "a blank is missing beside a quote";
  }
  return NULL;
}

static PetscBool IsWord(const Words *words, PetscInt i, const char *text)
{
  return i < words->n && !words->quoted[i] && !strcmp(words->word[i], text);
}

static PetscBool IsDistance(double mm)
{
  return mm > 0 && mm <= largest_mm;
}

/* ring FROM-TO mm around A */
static const char *ParseRing(const Words *words, Expression *out)
{
  if (words->n != 5 || !IsWord(words, 2, "mm") || !IsWord(words, 3, "around"))
    return "expected \"ring 0-20 mm around A\" (a structure called ring needs 'single quotes')";
  char *dash = strchr(words->word[1], '-');
  if (!dash) return "the two distances of a ring are written as 0-20";
  *dash = 0;
  out->operation = RING;
  out->a = words->word[4];
  if (!TextParseNumber(words->word[1], &out->from_mm) || !TextParseNumber(dash + 1, &out->to_mm))
    return "the two distances of a ring are not numbers";
  if (out->from_mm < 0 || out->to_mm <= out->from_mm || !IsDistance(out->to_mm))
    return "the distances of a ring must ascend, from 0 to at most 1000 mm";
  return NULL;
}

/* A plus|minus DISTANCE mm */
static const char *ParseMargin(const Words *words, int verb, Expression *out)
{
  if (verb != PLUS && verb != MINUS) return "a distance goes with plus or minus; " FORMS;
  if (!IsWord(words, 3, "mm")) return "a distance is followed by mm; names with blanks need 'single quotes'; " FORMS;
  out->operation = verb == PLUS ? EXPAND : CONTRACT;
  if (!TextParseNumber(words->word[2], &out->to_mm)) return "the distance is not a number";
  if (!IsDistance(out->to_mm)) return "the distance must be above 0 and at most 1000 mm";
  return NULL;
}

/* A minus|and|or B */
static const char *ParseBoolean(const Words *words, int verb, Expression *out)
{
  double number;
  if (verb == PLUS) return "plus needs a distance in mm, as in \"A plus 5 mm\"; to unite two structures use or";
  if (!words->quoted[2] && TextParseNumber(words->word[2], &number))
    return "a distance is followed by mm (a structure named by a number needs 'single quotes')";
  out->operation = verb == MINUS ? SUBTRACT : verb == AND ? INTERSECT : UNITE;
  out->b = words->word[2];
  return NULL;
}

static PetscErrorCode ParseVerb(const Words *words, const char *text, const char *where, Mistakes *mistakes,
                                Expression *out, PetscBool *good)
{
  PetscFunctionBegin;
  const char *problem = NULL;
  int verb = 0;
  while (verb < N_VERBS && !IsWord(words, 1, verbs[verb])) verb++;
  out->a = words->word[0];
  if (words->n > 1 && verb == N_VERBS) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: derived structure \"%s\": found \"%s\", expected plus, minus, and or or%s; names with "
                          "blanks need 'single quotes'",
                          where, text, words->word[1],
                          words->quoted[1] ? "" : SuggestName(" (", words->word[1], N_VERBS, verbs).text));
    *good = PETSC_FALSE;
    PetscFunctionReturn(0);
  }
  if (words->n == 4)
    problem = ParseMargin(words, verb, out);
  else if (words->n == 3)
    problem = ParseBoolean(words, verb, out);
  else
    problem = FORMS;
  *good = problem ? PETSC_FALSE : PETSC_TRUE;
  if (problem) PetscCall(Complain(where, text, problem, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode ExpressionParse(const char *text, const char *where, Mistakes *mistakes, Expression *out,
                               PetscBool *good)
{
  PetscFunctionBegin;
  Words words;
  PetscCall(PetscMemzero(out, sizeof *out));
  PetscCall(PetscStrallocpy(text, &out->text));
  const char *problem = SplitWords(out->text, &words);
  if (!problem && !words.n) problem = "is empty; " FORMS;
  *good = PETSC_TRUE;
  if (!problem && IsWord(&words, 0, "ring"))
    problem = ParseRing(&words, out);
  else if (!problem)
    PetscCall(ParseVerb(&words, text, where, mistakes, out, good));
  if (problem) {
    *good = PETSC_FALSE;
    PetscCall(Complain(where, text, problem, mistakes));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ExpressionDestroy(Expression *expression)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(expression->text));
  PetscFunctionReturn(0);
}

PetscErrorCode StructureCheckExpression(const char *expression, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Expression parsed;
  PetscBool good;
  PetscCall(ExpressionParse(expression, where, mistakes, &parsed, &good));
  PetscCall(ExpressionDestroy(&parsed));
  PetscFunctionReturn(0);
}
