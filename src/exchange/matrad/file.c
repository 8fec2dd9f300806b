/* MATLAB level-5 files: careful access to variables. */
#include "matrad_private.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* matio writes its complaints to stderr unless it is given a function; what is wrong shows in what it returns. */
static void DropMatioMessage(int level, char *message)
{
  (void)level;
  (void)message;
}

mat_t *MatlabOpen(const char *file, int n, const char *const *names, Mistakes *mistakes)
{
  struct stat facts;
  errno = 0;
  FILE *f = fopen(file, "rb");
  if (!f || fstat(fileno(f), &facts) || !S_ISREG(facts.st_mode)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be opened: %s", file,
                      errno ? strerror(errno) : "not a regular file");
    if (f) fclose(f);
    return NULL;
  }
  const PetscBool whole = MatlabCheckElements(file, f, (uint64_t)facts.st_size, mistakes);
  fclose(f);
  if (!whole || !MatlabRehearse(file, n, names, mistakes)) return NULL;
  (void)Mat_LogInitFunc("robion", DropMatioMessage);
  mat_t *mat = Mat_Open(file, MAT_ACC_RDONLY);
  if (!mat) (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: not a MATLAB level-5 file", file);
  return mat;
}

size_t MatlabCount(const matvar_t *v)
{
  if (!v || !v->data || v->isComplex || v->rank < 1 || v->class_type < MAT_C_DOUBLE || v->class_type > MAT_C_UINT64)
    return 0;
  size_t n = 1;
  for (int i = 0; i < v->rank; i++) n *= v->dims[i];
  return v->data_size > 0 && v->nbytes == n * (size_t)v->data_size ? n : 0;
}

double MatlabElement(const matvar_t *v, size_t i)
{
  switch (v->class_type) {
  case MAT_C_DOUBLE:
    return ((const double *)v->data)[i];
  case MAT_C_SINGLE:
    return (double)((const float *)v->data)[i];
  case MAT_C_INT8:
    return (double)((const mat_int8_t *)v->data)[i];
  case MAT_C_UINT8:
    return (double)((const mat_uint8_t *)v->data)[i];
  case MAT_C_INT16:
    return (double)((const mat_int16_t *)v->data)[i];
  case MAT_C_UINT16:
    return (double)((const mat_uint16_t *)v->data)[i];
  case MAT_C_INT32:
    return (double)((const mat_int32_t *)v->data)[i];
  case MAT_C_UINT32:
    return (double)((const mat_uint32_t *)v->data)[i];
  case MAT_C_INT64:
    return (double)((const mat_int64_t *)v->data)[i];
  default:
    return (double)((const mat_uint64_t *)v->data)[i];
  }
}

/* Element i of the pointers that structs and cells hold. */
static matvar_t *PointerOf(const matvar_t *parent, size_t i)
{
  return i < parent->nbytes / sizeof(matvar_t *) ? ((matvar_t **)parent->data)[i] : NULL;
}

/* Mat_VarGetStructFieldByName does the same, but fails on structs that were damaged in the file. */
matvar_t *MatlabField(matvar_t *parent, const char *name, size_t e)
{
  if (!parent || parent->class_type != MAT_C_STRUCT || !parent->data) return NULL;
  char *const *names = Mat_VarGetStructFieldnames(parent);
  unsigned n = Mat_VarGetNumberOfFields(parent);
  for (unsigned i = 0; names && i < n; i++)
    if (names[i] && !strcmp(names[i], name)) return PointerOf(parent, e * n + i);
  return NULL;
}

matvar_t *MatlabCell(matvar_t *parent, size_t i)
{
  if (!parent || parent->class_type != MAT_C_CELL || !parent->data) return NULL;
  size_t n = parent->rank > 0 ? 1 : 0;
  for (int k = 0; k < parent->rank; k++) n *= parent->dims[k];
  return i < n ? PointerOf(parent, i) : NULL;
}

const matvar_t *MatlabFirst(matvar_t *field)
{
  return field && field->class_type == MAT_C_CELL ? MatlabCell(field, 0) : field;
}
