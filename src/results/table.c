#include "robion/results.h"
#include <string.h>

/* Where a parser stands in a table: fields are terminated in place. */
typedef struct Cursor {
  char *at;
  const char *problem; /* NULL: none so far */
} Cursor;

/* Terminate and return the field at the cursor; *last tells whether its line ends with it. */
static char *NextField(Cursor *cursor, PetscBool *last)
{
  char *field = cursor->at, *in = cursor->at, *out = cursor->at;
  if (*in == '"') {
    for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
      if (*in == '"') in++;
      *out++ = *in;
    }
    if (!*in)
      cursor->problem = "has an open quote";
    else
      in++;
  } else {
    while (*in && *in != ',' && *in != '\n' && *in != '\r') *out++ = *in++;
  }
  if (*in == '\r' && in[1] == '\n') in++;
  if (!cursor->problem && *in != ',' && *in != '\n')
    cursor->problem = *in ? "has a stray character" : "does not end with a line end";
  *last = *in == ',' ? PETSC_FALSE : PETSC_TRUE;
  cursor->at = *in ? in + 1 : in;
  *out = 0;
  return field;
}

static PetscErrorCode Split(Table *table, Cursor *cursor, PetscInt *line)
{
  PetscFunctionBegin;
  PetscInt capacity = 0;
  for (*line = 2; *cursor->at && !cursor->problem; (*line)++) {
    PetscBool last = PETSC_FALSE;
    if ((table->n_rows + 1) * table->n_columns > capacity) {
      capacity = 2 * capacity + 64 * table->n_columns;
      PetscCall(PetscRealloc((size_t)capacity * sizeof *table->field, &table->field));
    }
    char **row = table->field + table->n_rows * table->n_columns;
    PetscInt c = 0;
    for (; c < table->n_columns && !last && !cursor->problem; c++) row[c] = NextField(cursor, &last);
    if (!cursor->problem && (!last || c < table->n_columns))
      cursor->problem = "has another number of fields than the header";
    if (cursor->problem) break;
    table->n_rows++;
  }
  PetscFunctionReturn(0);
}

PetscBool TableRead(const char *file, const char *header, Mistakes *mistakes, Table *table)
{
  size_t length, expected = strlen(header);
  PetscInt line = 1;
  Cursor cursor = {NULL, NULL};
  memset(table, 0, sizeof *table);
  if (!FileRead(file, &table->text, &length, mistakes)) return PETSC_FALSE;
  if (strlen(table->text) != length)
    cursor.problem = "holds a zero byte";
  else if (strncmp(table->text, header, expected) || table->text[expected] != '\n')
    cursor.problem = "is not the expected header";
  if (!cursor.problem) {
    table->n_columns = 1;
    for (const char *c = header; *c; c++) table->n_columns += *c == ',';
    cursor.at = table->text + expected + 1;
    if (Split(table, &cursor, &line)) cursor.problem = "does not fit into memory";
  }
  if (!cursor.problem) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: damaged table: the line %s", file, (int)line, cursor.problem);
  (void)TableDestroy(table);
  return PETSC_FALSE;
}

PetscErrorCode TableDestroy(Table *table)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(table->text));
  PetscCall(PetscFree(table->field));
  memset(table, 0, sizeof *table);
  PetscFunctionReturn(0);
}

PetscBool MetricTableFind(const Table *table, const char *scenario, const char *structure, const char *quantity,
                          const char *metric, double *value)
{
  for (PetscInt i = 0; i < table->n_rows; i++) {
    char **row = table->field + i * table->n_columns;
    if (!strcmp(row[COLUMN_METRIC], metric) && !strcmp(row[COLUMN_SCENARIO], scenario) &&
        !strcmp(row[COLUMN_STRUCTURE], structure) && !strcmp(row[COLUMN_QUANTITY], quantity))
      return TextParseNumber(row[COLUMN_VALUE], value);
  }
  return PETSC_FALSE;
}
