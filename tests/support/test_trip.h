/* What the tests of TRiP98's files share: a work folder, files of given content, and damage. Include after the readers' headers. */
#pragma once
#include "robion/text.h"
#include "robion/trip98.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[64], file[128], again[128];

static inline int SetUp(void **state)
{
  snprintf(folder, sizeof folder, "/tmp/robion-trip-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(file, sizeof file, "%s/file", folder);
  snprintf(again, sizeof again, "%s/again", folder);
  return PetscInitializeNoArguments();
}

static inline int TearDown(void **state)
{
  unlink(file);
  unlink(again);
  return rmdir(folder) || PetscFinalize();
}

static inline void WriteBytes(const char *name, const char *bytes, size_t length)
{
  FILE *f = fopen(name, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, length, f), length);
  assert_int_equal(fclose(f), 0);
}

static inline char *ReadBytes(const char *name, size_t *length)
{
  char *bytes;
  Mistakes mistakes = {0};
  assert_true(FileRead(name, &bytes, length, &mistakes));
  return bytes;
}

/* Two files are equal byte for byte. */
static inline void assert_same_files(const char *a, const char *b)
{
  size_t n, m;
  char *p = ReadBytes(a, &n), *q = ReadBytes(b, &m);
  assert_int_equal(n, m);
  assert_memory_equal(p, q, n);
  assert_int_equal(PetscFree(p), 0);
  assert_int_equal(PetscFree(q), 0);
}

/* No mistakes; prints those there are. */
static inline void assert_none(Mistakes *mistakes)
{
  MistakesPrint(mistakes);
  assert_int_equal(mistakes->n, 0);
}

/* Exactly one mistake about the input, which holds `text`. */
static inline void assert_one(Mistakes *mistakes, const char *text)
{
  if (mistakes->n != 1 || !strstr(mistakes->item[0].text, text)) {
    MistakesPrint(mistakes);
    fail_msg("%d mistakes, expected one with \"%s\"", (int)mistakes->n, text);
  }
  assert_int_equal(MistakesExit(mistakes), ROBION_INPUT);
  assert_int_equal(MistakesClear(mistakes), 0);
}

/* A reader under test: reads `name`, destroys what it got, and says whether there was anything. */
typedef PetscBool (*ReadFunction)(const char *name, Mistakes *mistakes);

/* Define the reader `function` of one of TRiP98's types, which has a number `n` of entries. */
#define READER(function, type)                                                                                         \
  static PetscBool function(const char *name, Mistakes *mistakes)                                                      \
  {                                                                                                                    \
    type read;                                                                                                         \
    assert_int_equal(type##Read(name, mistakes, &read), 0);                                                            \
    PetscBool good = read.n ? PETSC_TRUE : PETSC_FALSE;                                                                \
    assert_int_equal(type##Destroy(&read), 0);                                                                         \
    return good;                                                                                                       \
  }

/* A file of this text must be refused with exactly one mistake, which holds `mistake`. */
static inline void Refuse(ReadFunction read, const char *text, const char *mistake)
{
  Mistakes mistakes = {0};
  WriteBytes(file, text, strlen(text));
  assert_false(read(file, &mistakes));
  assert_one(&mistakes, mistake);
}

static inline PetscBool ReadDamaged(ReadFunction read, const char *bytes, size_t length, const char *place)
{
  Mistakes mistakes = {0};
  WriteBytes(file, bytes, length);
  PetscBool good = read(file, &mistakes);
  if (good)
    assert_none(&mistakes);
  else
    assert_one(&mistakes, place);
  return good;
}

/*
 * Cut the file at every `step`-th byte, then overwrite every `step`-th byte with others: each is read or refused with one
 * mistake that holds `place`. Returns how many of the cut files were read.
 */
static inline int Damage(ReadFunction read, const char *name, size_t step, const char *place)
{
  static const char other[] = {0, 'x', '-', '9', (char)0xff};
  size_t length;
  int n_read = 0;
  char *bytes = ReadBytes(name, &length);
  for (size_t i = 0; i < length; i += step) n_read += ReadDamaged(read, bytes, i, place);
  for (size_t i = 0; i < length; i += step) {
    char was = bytes[i];
    bytes[i] = other[i / step % sizeof other];
    (void)ReadDamaged(read, bytes, length, place);
    bytes[i] = was;
  }
  assert_int_equal(PetscFree(bytes), 0);
  return n_read;
}

/* Go to a locale with a decimal comma; false if there is none. */
static inline PetscBool UseDecimalComma(void)
{
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "it_IT.UTF-8"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (setlocale(LC_NUMERIC, names[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}
