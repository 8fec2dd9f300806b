/**
 * Text files of TRiP98: reading lines and words without trusting them, and writing them. Part of base. Nothing is collective.
 */
#pragma once
#include "robion/ion.h"
#include "robion/text.h"

enum { TRIP_NAME_LENGTH = 96 };
typedef char TripName[TRIP_NAME_LENGTH];

/** A text file being read line by line, in place. */
typedef struct TripLines {
  const char *file;
  Mistakes *mistakes;
  char *rest;      /* what was not read yet; NULL at the end */
  PetscInt number; /* of the line last read, from 1 */
} TripLines;

/** Start reading a file's content; false after one mistake if it holds zero bytes. */
PetscBool TripLinesStart(const char *file, char *content, size_t length, Mistakes *mistakes, TripLines *lines);
/** The next line that is not blank, without blanks at its ends; NULL at the end. Lines that begin with `comment` are passed over. */
char *TripLinesNext(TripLines *lines, char comment);
/** Add the mistake "file:line: ..." and return false. */
PetscBool TripComplain(const TripLines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Cut the next word off; "" at the end of the line. */
char *TripWord(char **line);
/** The words of a line that are left are one number inside lowest..highest; `what` names it in the mistake. */
PetscBool TripNumber(const TripLines *lines, const char *what, const char *word, double lowest, double highest,
                     double *number);
/** A whole number of the same kind. */
PetscBool TripCount(const TripLines *lines, const char *what, const char *word, PetscInt lowest, PetscInt highest,
                    PetscInt *number);
/** Nothing may follow. */
PetscBool TripLineEnd(const TripLines *lines, const char *rest);

/** Keep a name, cut to its length, control characters made blanks, without blanks at its ends. */
void TripNameSet(TripName name, const char *text);
/** "12C", "C", "12C6" -> nuclide (the commonest isotope where no mass number is given); false if it is none up to neon. */
PetscBool TripNuclide(const char *text, Species *species);

/** Room for one more element after n; `array` is the address of the pointer to them. Grows at powers of two. */
PetscErrorCode TripGrow(PetscInt n, size_t element, void *array);

/** Append a number with as few digits as bring it back exactly. */
PetscErrorCode TripAddNumber(Text *text, double number);
/** Append `before` and n numbers, each after a blank (but not the first if `before` is ""), and a line break. */
PetscErrorCode TripAddLine(Text *text, const char *before, PetscInt n, const double *number);
/** Write a finished text and free it. */
PetscErrorCode TripTextWrite(Text *text, const char *file, Mistakes *mistakes);
