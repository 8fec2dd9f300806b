/* What a matRad patient says and a case file has no place for: one warning for each, which says where a study takes it. */
#include "matrad_private.h"
#include "robion/biology.h"
#include "robion/log.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

enum { CST_NAME = 1, CST_TYPE = 2, CST_PARAMETERS = 4, CST_OBJECTIVES = 5 }; /* columns */

/* The cell of a column in a row of cst. */
static matvar_t *RowCell(const MatRadPatient *s, size_t row, size_t column)
{
  return column < s->cst->dims[1] ? MatlabCell(s->cst, row + column * s->cst->dims[0]) : NULL;
}

/* One number of a structure's parameters; NAN if it is not there. */
static double Parameter(const MatRadPatient *s, size_t row, const char *name)
{
  const matvar_t *value = MatlabField(RowCell(s, row, CST_PARAMETERS), name, 0);
  return MatlabCount(value) == 1 ? MatlabElement(value, 0) : NAN;
}

/* Append the name of a row's structure. */
static PetscErrorCode AddName(const MatRadPatient *s, size_t row, Text *list)
{
  PetscFunctionBegin;
  char name[MATRAD_NAME];
  (void)MatlabText(RowCell(s, row, CST_NAME), sizeof name, name);
  PetscCall(TextAdd(list, "%s%s", list->length ? ", " : "", name));
  PetscFunctionReturn(0);
}

static PetscErrorCode TellIgnored(const MatRadPatient *s, Text *list)
{
  PetscFunctionBegin;
  for (size_t row = 0; row < s->cst->dims[0]; row++) {
    char type[64];
    if (MatlabText(RowCell(s, row, CST_TYPE), sizeof type, type) && !strcmp(type, "IGNORED"))
      PetscCall(AddName(s, row, list));
  }
  PetscFunctionReturn(0);
}

/* Photon alpha and beta, unless they are what robion takes for every structure. */
static PetscErrorCode TellTissues(const MatRadPatient *s, Text *list)
{
  PetscFunctionBegin;
  BiologySpec standard;
  PetscBool other = PETSC_FALSE;
  PetscCall(BiologySpecDefault(&standard));
  for (size_t row = 0; row < s->cst->dims[0]; row++) {
    const double alpha = Parameter(s, row, "alphaX"), beta = Parameter(s, row, "betaX");
    if (isnan(alpha) && isnan(beta)) continue;
    PetscCall(AddName(s, row, list));
    PetscCall(TextAdd(list, " = %g %g", alpha, beta));
    if (!(fabs(alpha - standard.alpha_x_per_Gy) < 1e-9 && fabs(beta - standard.beta_x_per_Gy2) < 1e-9))
      other = PETSC_TRUE;
  }
  if (!other) PetscCall(TextDestroy(list));
  PetscFunctionReturn(0);
}

/* Which structure a voxel of several belongs to, unless they are all alike. */
static PetscErrorCode TellPriorities(const MatRadPatient *s, Text *list)
{
  PetscFunctionBegin;
  double least = PETSC_INFINITY, most = PETSC_NINFINITY;
  for (size_t row = 0; row < s->cst->dims[0]; row++) {
    const double priority = Parameter(s, row, "Priority");
    if (isnan(priority)) continue;
    PetscCall(AddName(s, row, list));
    PetscCall(TextAdd(list, " = %g", priority));
    least = PetscMin(least, priority);
    most = PetscMax(most, priority);
  }
  if (!(most > least)) PetscCall(TextDestroy(list));
  PetscFunctionReturn(0);
}

static PetscErrorCode TellObjectives(const MatRadPatient *s, Text *list)
{
  PetscFunctionBegin;
  for (size_t row = 0; row < s->cst->dims[0]; row++) {
    const matvar_t *cell = RowCell(s, row, CST_OBJECTIVES);
    size_t n = cell && cell->rank > 0 ? 1 : 0;
    for (int k = 0; n && k < cell->rank; k++) n *= cell->dims[k];
    if (!n) continue;
    PetscCall(AddName(s, row, list));
    if (n > 1) PetscCall(TextAdd(list, " (%zu)", n));
  }
  PetscFunctionReturn(0);
}

static double TableEntry(const matvar_t *table, size_t row, size_t column)
{
  return MatlabElement(table, column * table->dims[0] + row);
}

/* Rows [HU, RSP] of the file's table, as a study takes them, unless it is robion's at the nodes of both. */
static PetscErrorCode TellHLUT(const MatRadPatient *s, Text *list)
{
  PetscFunctionBegin;
  enum { MOST_ROWS = 40 };
  HLUT own, other = {0};
  PetscBool differ = PETSC_FALSE;
  const matvar_t *table = MatlabField(s->ct, "hlut", 0);
  const size_t found = MatlabCount(table), n = found && table->rank == 2 && table->dims[1] == 2 ? table->dims[0] : 0;
  if (!n && found) PetscCall(TextAdd(list, "%zu numbers", found));
  if (!n || !MatlabCount(MatlabFirst(MatlabField(s->ct, "cubeHU", 0)))) PetscFunctionReturn(0);
  other.n = (PetscInt)n;
  PetscCall(PetscMalloc1(n, &other.point));
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < 2; k++) other.point[i][k] = TableEntry(table, i, k);
  PetscCall(HLUTDefault(&own));
  for (PetscInt i = 0; i < own.n; i++)
    if (!(fabs(HLUTEvaluate(&other, own.point[i][0]) - own.point[i][1]) < 1e-6)) differ = PETSC_TRUE;
  for (PetscInt i = 0; i < other.n; i++)
    if (!(fabs(HLUTEvaluate(&own, other.point[i][0]) - other.point[i][1]) < 1e-6)) differ = PETSC_TRUE;
  for (PetscInt i = 0; differ && i < PetscMin(other.n, MOST_ROWS); i++)
    PetscCall(TextAdd(list, "%s[%g, %g]", i ? ", " : "", other.point[i][0], other.point[i][1]));
  if (differ && other.n > MOST_ROWS) PetscCall(TextAdd(list, ", ... of %d points", (int)other.n));
  PetscCall(PetscFree(other.point));
  PetscCall(PetscFree(own.point));
  PetscFunctionReturn(0);
}

PetscErrorCode MatRadTellLeft(const MatRadPatient *s, const char *patient)
{
  PetscFunctionBegin;
  static const struct {
    PetscErrorCode (*list)(const MatRadPatient *, Text *);
    const char *what, *where;
  } left[] = {{TellHLUT, "ct.hlut", "a study takes ascending rows [HU, RSP] as hlut"},
              {TellIgnored, "cst: structures of type IGNORED", "as in matRad"},
              {TellTissues, "cst: alphaX, betaX (1/Gy, 1/Gy2)", "a study takes them as biology.tissues"},
              {TellPriorities, "cst: priorities in overlaps", "a study takes the order as overlap_priority"},
              {TellObjectives, "cst: objectives and constraints", "a study takes its own"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(left); i++) {
    Text list = {0};
    PetscCall(left[i].list(s, &list));
    if (list.length)
      LogLine(LOG_WARNING, "import", patient, "left behind: %s: %s; %s", left[i].what, list.data, left[i].where);
    PetscCall(TextDestroy(&list));
  }
  PetscFunctionReturn(0);
}
