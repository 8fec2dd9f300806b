/* Lines, words, numbers and nuclides of TRiP98's text files. */
#include "robion/trip_text.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PetscBool TripLinesStart(const char *file, char *content, size_t length, Mistakes *mistakes, TripLines *lines)
{
  *lines = (TripLines){.file = file, .mistakes = mistakes, .rest = content};
  const char *zero = memchr(content, 0, length);
  if (!zero) {
    (void)TextUnify(content, length);
    return PETSC_TRUE;
  }
  for (const char *c = content; c < zero; c++) lines->number += *c == '\n';
  lines->number++;
  return TripComplain(lines, "a zero byte, expected a text file");
}

char *TripLinesNext(TripLines *lines, char comment)
{
  while (lines->rest && *lines->rest) {
    char *line = lines->rest, *end = strchr(line, '\n');
    if (end) *end++ = 0;
    lines->rest = end;
    if (lines->number < INT_MAX) lines->number++;
    line = TextTrim(line);
    if (*line && *line != comment) return line;
  }
  lines->rest = NULL;
  return NULL;
}

PetscBool TripComplain(const TripLines *lines, const char *format, ...)
{
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  TextPrintV(text, sizeof text, format, arguments);
  va_end(arguments);
  TextRemoveControls(text);
  (void)MistakesAdd(lines->mistakes, ROBION_INPUT, "%s:%d: %s", lines->file, (int)PetscMax(1, lines->number), text);
  return PETSC_FALSE;
}

char *TripWord(char **line)
{
  char *word = *line + strspn(*line, " \t"), *end = word + strcspn(word, " \t");
  *line = end;
  if (*end) {
    *end++ = 0;
    *line = end + strspn(end, " \t");
  }
  return word;
}

PetscBool TripNumber(const TripLines *lines, const char *what, const char *word, double lowest, double highest,
                     double *number)
{
  if (TextParseNumber(word, number) && *number >= lowest && *number <= highest) return PETSC_TRUE;
  return TripComplain(lines, "%s is \"%.40s\", expected a number from %g to %g", what, word, lowest, highest);
}

PetscBool TripCount(const TripLines *lines, const char *what, const char *word, PetscInt lowest, PetscInt highest,
                    PetscInt *number)
{
  double value;
  if (TextParseNumber(word, &value) && value >= lowest && value <= highest && value == (PetscInt)value) {
    *number = (PetscInt)value;
    return PETSC_TRUE;
  }
  return TripComplain(lines, "%s is \"%.40s\", expected a whole number from %d to %d", what, word, (int)lowest,
                      (int)highest);
}

PetscBool TripLineEnd(const TripLines *lines, const char *rest)
{
  return *rest ? TripComplain(lines, "\"%.40s\" found, expected the end of the line", rest) : PETSC_TRUE;
}

void TripNameSet(TripName name, const char *text)
{
  char kept[TRIP_NAME_LENGTH];
  snprintf(kept, sizeof kept, "%.*s", TRIP_NAME_LENGTH - 1, text);
  TextRemoveControls(kept);
  snprintf(name, TRIP_NAME_LENGTH, "%s", TextTrim(kept));
}

PetscBool TripNuclide(const char *text, Species *species)
{
  char *symbol, *end;
  long A = isdigit((unsigned char)*text) ? strtol(text, &symbol, 10) : (symbol = (char *)text, 0);
  size_t n = strcspn(symbol, "0123456789+");
  if (!ElementFind(symbol, n, species)) return PETSC_FALSE;
  long charge = symbol[n] ? strtol(symbol + n, &end, 10) : species->Z;
  if (symbol[n] && ((*end && strcmp(end, "+")) || charge != species->Z)) return PETSC_FALSE;
  if (A) species->A = (PetscInt)PetscMin(A, 1000);
  return species->A >= species->Z && species->A <= 4 * species->Z ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode TripGrow(PetscInt n, size_t size, void *array)
{
  PetscFunctionBegin;
  PetscInt capacity = n < 8 ? 8 : 2 * n;
  if (n == 0 || (n >= 8 && !(n & (n - 1)))) PetscCall(PetscRealloc((size_t)capacity * size, (void **)array));
  PetscFunctionReturn(0);
}

PetscErrorCode TripAddNumber(Text *text, double number)
{
  PetscFunctionBegin;
  Text shorter = {0};
  double again = 0;
  for (int digits = 6; digits < 18; digits = digits < 15 ? 15 : digits + 1) {
    shorter.length = 0;
    PetscCall(TextAdd(&shorter, "%.*g", digits, number));
    if (TextParseNumber(shorter.data, &again) && again == number) break;
  }
  PetscCheck(again == number, PETSC_COMM_SELF, PETSC_ERR_PLIB, "number %g cannot be written", number);
  PetscCall(TextAdd(text, "%s", shorter.data));
  PetscCall(TextDestroy(&shorter));
  PetscFunctionReturn(0);
}

PetscErrorCode TripAddLine(Text *text, const char *before, PetscInt n, const double *number)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "%s", before));
  for (PetscInt i = 0; i < n; i++) {
    if (i || *before) PetscCall(TextAdd(text, " "));
    PetscCall(TripAddNumber(text, number[i]));
  }
  PetscCall(TextAdd(text, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode TripTextWrite(Text *text, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  (void)FileReplace(file, text->data ? text->data : "", text->length, mistakes);
  PetscCall(TextDestroy(text));
  PetscFunctionReturn(0);
}
