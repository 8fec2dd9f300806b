/* MATLAB level-5 files: opening with a check for truncation, and careful access to variables. */
#include "matrad_private.h"
#include "robion/text.h"
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

static uint32_t Word(const unsigned char *bytes, PetscBool big_endian)
{
  uint32_t word = 0;
  for (int i = 0; i < 4; i++) word |= (uint32_t)bytes[i] << (8 * (big_endian ? 3 - i : i));
  return word;
}

/*
 * Walk over the file's data elements by their sizes. Layout (MAT-File Format, MathWorks): 128 bytes of header that end with
 * version and "MI" in the writer's byte order, then elements of an 8-byte tag (type, bytes) and their data. Returns what is
 * wrong, or NULL.
 */
static const char *CheckElements(FILE *f, uint64_t size)
{
  unsigned char header[128], tag[8];
  if (fread(header, 1, sizeof header, f) < sizeof header) return "not a MATLAB level-5 file, shorter than its header";
  PetscBool little = header[126] == 'I' && header[127] == 'M', big = header[126] == 'M' && header[127] == 'I';
  int version = little ? header[125] : header[124];
  if ((little || big) && version == 2)
    return "a MATLAB 7.3 file, expected level 5 (in MATLAB save it with the option -v7)";
  if ((!little && !big) || version != 1) return "not a MATLAB level-5 file";
  for (uint64_t at = sizeof header; at < size;) {
    if (fseek(f, (long)at, SEEK_SET) || fread(tag, 1, sizeof tag, f) < sizeof tag) return "truncated MATLAB file";
    at += sizeof tag + Word(tag + 4, big);
    if (at > size) return "truncated MATLAB file";
  }
  return NULL;
}

mat_t *MatlabOpen(const char *file, Mistakes *mistakes)
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
  const char *problem = CheckElements(f, (uint64_t)facts.st_size);
  fclose(f);
  mat_t *mat = NULL;
  if (!problem) {
    (void)Mat_LogInitFunc("robion", DropMatioMessage);
    mat = Mat_Open(file, MAT_ACC_RDONLY);
    if (!mat) problem = "not a MATLAB level-5 file";
  }
  if (problem) (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s", file, problem);
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

PetscBool MatlabText(const matvar_t *v, size_t size, char *out)
{
  out[0] = 0;
  if (!v || !v->data || v->class_type != MAT_C_CHAR || v->rank != 2 || v->dims[0] != 1) return PETSC_FALSE;
  size_t width = (size_t)v->data_size, n = PetscMin(v->dims[1], size - 1);
  if (!n || !width || v->nbytes < n * width) return PETSC_FALSE;
  for (size_t i = 0; i < n; i++) out[i] = ((const char *)v->data)[i * width];
  out[n] = 0;
  TextRemoveControls(out);
  return out[0] ? PETSC_TRUE : PETSC_FALSE;
}
