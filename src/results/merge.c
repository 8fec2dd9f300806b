/*
 * The tables of a study: those of its plans one after the other, in the order of the plans. Rows that several plans share (their
 * scenarios) stand once.
 */
#include "robion/samples.h"
#include "tables_private.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Append the rows of one plan's table, and take in its metrics; a table that is not there yet is no mistake. */
static PetscErrorCode AppendTable(const char *folder, int which, PetscInt plan, Samples *samples, Mistakes *mistakes,
                                  Text *text)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  PetscBool there = PETSC_FALSE;
  Table table;
  PlanFilePath(folder, which, file);
  PetscCall(PetscTestFile(file, 'r', &there));
  if (!there) PetscFunctionReturn(0);
  if (!(which == PLAN_METRICS ? MetricTableRead(file, mistakes, &table)
                              : TableReadGrown(file, table_headers[which], mistakes, &table)))
    PetscFunctionReturn(0);
  if (which == PLAN_METRICS && samples) PetscCall(SamplesAdd(samples, plan, &table));
  for (PetscInt i = 0; i < table.n_rows; i++)
    for (PetscInt c = 0; c < table.n_columns; c++) {
      PetscCall(TextAddCSV(text, table.field[i * table.n_columns + c]));
      PetscCall(TextAdd(text, c + 1 < table.n_columns ? "," : "\n"));
    }
  PetscCall(TableDestroy(&table));
  PetscFunctionReturn(0);
}

static int CompareLines(const void *a, const void *b)
{
  return strcmp(a, b);
}

static void KeepLine(void *line) {}

/* Leave only the first of equal lines. Scenario ids hold no line breaks, so a line is a row. */
static PetscErrorCode DropRepeats(Text *text)
{
  PetscFunctionBegin;
  void *seen = NULL;
  Text kept = {0};
  char *rest = NULL;
  for (char *line = strtok_r(text->data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (tfind(line, &seen, CompareLines)) continue;
    PetscCheck(tsearch(line, &seen, CompareLines), PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for table rows");
    PetscCall(TextAdd(&kept, "%s\n", line));
  }
  tdestroy(seen, KeepLine);
  PetscCall(TextDestroy(text));
  *text = kept;
  PetscFunctionReturn(0);
}

PetscErrorCode TablesMerge(const char *results, PetscInt n, const char *const *folders, Samples *samples,
                           Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (int which = FIRST_TABLE; which < N_PLAN_FILES; which++) {
    char file[PETSC_MAX_PATH_LEN];
    Text text = {0};
    PetscCall(TextAdd(&text, "%s\n", table_headers[which]));
    for (PetscInt i = 0; i < n; i++)
      if (folders[i]) PetscCall(AppendTable(folders[i], which, i, samples, mistakes, &text));
    if (which == PLAN_SCENARIOS) PetscCall(DropRepeats(&text));
    PlanFilePath(results, which, file);
    (void)FileReplace(file, text.data, text.length, mistakes);
    PetscCall(TextDestroy(&text));
  }
  PetscFunctionReturn(0);
}
