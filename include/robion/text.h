/**
 * Text as robion writes it: growing strings, JSON and CSV quoting, whole files that are replaced at once. Numbers have a
 * dot as decimal sign whatever the locale. Part of base.
 */
#pragma once
#include "robion/error.h"
#include <stdarg.h>

/** A growing string; start with `Text t = {0}`. data is NULL until something is added, then always terminated. */
typedef struct Text {
  char *data;
  size_t length, capacity;
} Text;

/** Append (printf format, dot decimals). */
PetscErrorCode TextAdd(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Append a quoted JSON string; control characters and quotes escaped, NULL becomes null. */
PetscErrorCode TextAddJSON(Text *text, const char *string);
/** Append a JSON number with 10 digits; null if it is not finite. */
PetscErrorCode TextAddJSONNumber(Text *text, double number);
/** Whether spreadsheets take a CSV field for a formula: it begins, behind apostrophes, with = + - @, a tab or return, and is no number. */
PetscBool TextIsFormula(const char *field);
/**
 * Append one CSV field (RFC 4180): quoted if it holds a comma, quote or line break. What spreadsheets would take for a formula gets an
 * apostrophe before it, which the readers take off (CSVNext, jobs/robion.py).
 */
PetscErrorCode TextAddCSV(Text *text, const char *field);
PetscErrorCode TextDestroy(Text *text);

/** vsnprintf with dot decimals. */
int TextPrintV(char *buffer, size_t size, const char *format, va_list arguments);

/** Read a number with a dot as decimal sign; false unless the whole string is one finite number. */
PetscBool TextParseNumber(const char *string, double *number);

/** The text without blanks at its ends (a carriage return is one), cut in place. */
char *TextTrim(char *string);

/** Whether a file's name has this ending, in capitals or not, and something before it. */
PetscBool TextHasEnding(const char *name, const char *ending);

/**
 * A text as any system writes it, made one of ours in place: without the byte order mark of UTF-8, its lines ended by \n alone (not
 * \r\n or \r). Returns the length that is left; it is terminated again.
 */
size_t TextUnify(char *text, size_t length);

/** Replace every control character (line breaks, tabs, escapes) by a space. */
void TextRemoveControls(char *string);

/**
 * A descriptor of a new, empty file of this name, -1 with errno if there can be none. Whatever had the name goes; a symbolic link that
 * stands there, put by whom ever, is removed and not followed. Not collective.
 */
int FileCreate(const char *file);

/**
 * Give a finished file its name, which another file or a link may have had: rename(), but a device, pipe or socket stays what it is
 * (-1, errno EEXIST): as root one could take /dev/null away. Not collective.
 */
int FilePut(const char *temporary, const char *file);

/**
 * Give `file` this content at once: temporary name beside it, fsync, rename. On failure nothing is left behind, the old
 * file stays, and one ROBION_RESOURCES mistake says why. Not collective.
 */
PetscBool FileReplace(const char *file, const char *content, size_t length, Mistakes *mistakes);

/** Read a whole file, terminated; false and one ROBION_INPUT mistake if that fails. PetscMalloc'ed. */
PetscBool FileRead(const char *file, char **content, size_t *length, Mistakes *mistakes);

/** Whether there is a file that can be read to its end (no folder, no pipe); false and one ROBION_INPUT mistake if not. */
PetscBool FileIsRegular(const char *file, Mistakes *mistakes);

/** Make a folder and those above it; false and one ROBION_RESOURCES mistake if that fails. Not collective. */
PetscBool FolderMake(const char *folder, Mistakes *mistakes);

/** The folder for what is kept for a user from one run to the next, which may not be there yet. Not collective. */
PetscErrorCode CacheFolder(char folder[PETSC_MAX_PATH_LEN]);
