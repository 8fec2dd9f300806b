/* What the tests of the study file share: reading a study with one line changed, and looking for a mistake. */
#pragma once
#include "robion/study.h"
#include "robion/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define STUDIES "tests/studies/"

/* The text of a study, its line `line` (from 1; 0: none) replaced by `replacement` (NULL: left out). PetscMalloc'ed. */
static inline char *StudyText(const char *file, int line, const char *replacement)
{
  char *text, *out;
  size_t length;
  Mistakes mistakes = {0};
  assert_true(FileRead(file, &text, &length, &mistakes));
  assert_int_equal(PetscMalloc1(length + (replacement ? strlen(replacement) : 0) + 2, &out), 0);
  size_t used = 0;
  int number = 1;
  for (const char *start = text; *start; number++) {
    size_t n = strcspn(start, "\n");
    const char *kept = number != line ? start : replacement;
    size_t m = number != line ? n : replacement ? strlen(replacement) : 0;
    if (kept) memcpy(out + used, kept, m), out[used + m] = '\n', used += m + 1;
    start += n + (start[n] ? 1 : 0);
  }
  out[used] = 0;
  assert_int_equal(PetscFree(text), 0);
  return out;
}

/* Parse a text as "study.yaml". */
static inline Study *ParseText(const char *text, PetscInt n_set, const char *const *set, Mistakes *mistakes)
{
  Study *study;
  assert_int_equal(StudyParse(text, strlen(text), "study.yaml", n_set, set, mistakes, &study), 0);
  assert_true((study == NULL) == MistakesAny(mistakes));
  return study;
}

/* Check that the mistakes are exactly these n lines, in this order. */
static inline void AssertMistakes(const Mistakes *mistakes, PetscInt n, const char *const *line)
{
  for (PetscInt i = 0; i < PetscMin(n, mistakes->n); i++) assert_string_equal(mistakes->item[i].text, line[i]);
  for (PetscInt i = n; i < mistakes->n; i++) print_error("not expected: %s\n", mistakes->item[i].text);
  assert_int_equal(mistakes->n, n);
}

/* Change one line of a study: exactly one mistake, this one. */
static inline void AssertMistake(const char *file, int line, const char *replacement, const char *expected)
{
  Mistakes mistakes = {0};
  char *text = StudyText(file, line, replacement);
  Study *study = ParseText(text, 0, NULL, &mistakes);
  AssertMistakes(&mistakes, 1, &expected);
  assert_null(study);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(PetscFree(text), 0);
}

/* Parse a study that is expected to be right. */
static inline Study *GoodStudy(const char *text, PetscInt n_set, const char *const *set)
{
  Mistakes mistakes = {0};
  Study *study = ParseText(text, n_set, set, &mistakes);
  AssertMistakes(&mistakes, 0, NULL);
  return study;
}
