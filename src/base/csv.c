/* CSV files: records cut up in place, and whole tables of them. */
#include "robion/csv.h"
#include "robion/text.h"
#include <string.h>

PetscBool CSVOpen(const char *file, Mistakes *mistakes, CSVReader *reader)
{
  size_t length;
  *reader = (CSVReader){.file = file};
  if (!FileRead(file, &reader->text, &length, mistakes)) return PETSC_FALSE;
  reader->at = reader->text;
  if (!memchr(reader->text, 0, length)) {
    (void)TextUnify(reader->text, length);
    return PETSC_TRUE;
  }
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: holds a zero byte, expected a text file", file);
  CSVClose(reader);
  return PETSC_FALSE;
}

void CSVClose(CSVReader *reader)
{
  (void)PetscFree(reader->text);
  reader->at = NULL;
}

char *CSVHeader(CSVReader *reader)
{
  char *line = reader->at, *end = strchr(line, '\n');
  reader->line = 1;
  reader->ended = end ? PETSC_TRUE : PETSC_FALSE;
  reader->at = end ? end + 1 : line + strlen(line);
  if (end) *end = 0;
  return TextTrim(line);
}

/* Cut off the next field and say whether its record ends with it. */
static char *NextField(CSVReader *reader, PetscBool *last)
{
  char *field = reader->at, *in = field, *out = field;
  if (*in == '"') {
    for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
      if (*in == '"') in++;
      *out++ = *in;
    }
    if (!*in)
      reader->problem = "has an open quote";
    else
      in++;
  } else {
    while (*in && *in != ',' && *in != '\n') *out++ = *in++;
  }
  if (!reader->problem && *in && *in != ',' && *in != '\n') reader->problem = "has a stray character";
  *last = *in == ',' ? PETSC_FALSE : PETSC_TRUE;
  reader->ended = *in == '\n' ? PETSC_TRUE : PETSC_FALSE;
  reader->at = *in ? in + 1 : in;
  *out = 0;
  return *field == '\'' && TextIsFormula(field) ? field + 1 : field; /* as TextAddCSV has written it */
}

PetscInt CSVNext(CSVReader *reader, PetscInt most, char **field)
{
  PetscInt n = 0;
  PetscBool last = PETSC_FALSE;
  if (reader->problem || !*reader->at) return 0;
  reader->line++;
  for (; !last && !reader->problem; n++) {
    char *found = NextField(reader, &last);
    if (n < most) field[n] = found;
  }
  return reader->problem ? 0 : n;
}

/* All rows, of `there` fields each; further columns are empty. */
static PetscErrorCode ReadRows(CSVReader *reader, PetscInt there, Table *table)
{
  PetscFunctionBegin;
  static char nothing[1];
  PetscInt capacity = 0, n = there;
  while (n == there && *reader->at && !reader->problem) {
    if ((table->n_rows + 1) * table->n_columns > capacity) {
      capacity = 2 * capacity + 64 * table->n_columns;
      PetscCall(PetscRealloc((size_t)capacity * sizeof *table->field, &table->field));
    }
    char **row = table->field + table->n_rows++ * table->n_columns;
    n = CSVNext(reader, there, row);
    for (PetscInt i = there; i < table->n_columns; i++) row[i] = nothing;
  }
  if (!reader->problem && n != there)
    reader->problem = "has another number of fields than the header";
  else if (!reader->problem && !reader->ended)
    reader->problem = "does not end with a line end";
  PetscFunctionReturn(0);
}

static PetscInt ColumnCount(const char *header)
{
  PetscInt n = 1;
  for (const char *c = header; *c; c++) n += *c == ',';
  return n;
}

/* Whether a header is the expected one, or begins it. */
static PetscBool Begins(const char *found, const char *expected)
{
  const size_t length = strlen(found);
  return length && !strncmp(found, expected, length) && (!expected[length] || expected[length] == ',') ? PETSC_TRUE
                                                                                                       : PETSC_FALSE;
}

static PetscBool ReadTable(const char *file, const char *header, PetscBool grown, Mistakes *mistakes, Table *table)
{
  CSVReader reader;
  memset(table, 0, sizeof *table);
  if (!CSVOpen(file, mistakes, &reader)) return PETSC_FALSE;
  table->text = reader.text;
  const char *found = CSVHeader(&reader);
  if (!(grown ? Begins(found, header) : !strcmp(found, header)) || !reader.ended)
    reader.problem = "is not the expected header";
  table->n_columns = ColumnCount(header);
  if (!reader.problem && ReadRows(&reader, ColumnCount(found), table)) reader.problem = "does not fit into memory";
  if (!reader.problem) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: damaged table: the line %s", file, (int)reader.line,
                    reader.problem);
  (void)TableDestroy(table);
  return PETSC_FALSE;
}

PetscBool TableRead(const char *file, const char *header, Mistakes *mistakes, Table *table)
{
  return ReadTable(file, header, PETSC_FALSE, mistakes, table);
}

PetscBool TableReadGrown(const char *file, const char *header, Mistakes *mistakes, Table *table)
{
  return ReadTable(file, header, PETSC_TRUE, mistakes, table);
}

PetscErrorCode TableDestroy(Table *table)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(table->text));
  PetscCall(PetscFree(table->field));
  memset(table, 0, sizeof *table);
  PetscFunctionReturn(0);
}
