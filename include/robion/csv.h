/**
 * CSV files (RFC 4180), read by one reader: with a byte order mark or without, lines ended by \n or \r\n. Part of base. Nothing is
 * collective.
 */
#pragma once
#include "robion/text.h"

/** A CSV file being read record by record, in place. */
typedef struct CSVReader {
  const char *file;
  char *text, *at;     /* owned; what was not read yet */
  PetscInt line;       /* of the record last read, from 1 */
  const char *problem; /* "the line ..." of that record, which ends the reading; NULL: none */
  PetscBool ended;     /* whether its line has an end */
} CSVReader;

/** False after one mistake: the file cannot be read, or is no text. */
PetscBool CSVOpen(const char *file, Mistakes *mistakes, CSVReader *reader);
void CSVClose(CSVReader *reader);
/** The first line, without blanks at its ends. */
char *CSVHeader(CSVReader *reader);
/** The number of fields of the next record, of which the first `most` go to field[]; 0 at the end of the file or of its sense. */
PetscInt CSVNext(CSVReader *reader, PetscInt most, char **field);

/** A CSV file in memory. */
typedef struct Table {
  char *text;      /* owns all fields */
  PetscInt n_rows; /* without the header */
  PetscInt n_columns;
  char **field; /* [row * n_columns + column] */
} Table;

/**
 * Read a file whose first line must be `header`. Anything wrong (missing file, other header, a row with another number of fields,
 * an open quote, no line end at the end) is one ROBION_INPUT mistake.
 */
PetscBool TableRead(const char *file, const char *header, Mistakes *mistakes, Table *table);
/** The same of a table to which columns are added with time: a file of before lacks the last ones, which are then empty. */
PetscBool TableReadGrown(const char *file, const char *header, Mistakes *mistakes, Table *table);
PetscErrorCode TableDestroy(Table *table);
