/*
 * MATLAB characters -> UTF-8. They are stored as UTF-8 (scipy), as UTF-16 (MATLAB), or as the bytes of UTF-8 in numbers of 16 bits
 * (Octave, whose characters are bytes); 8 bits without more are Latin-1 unless they are UTF-8.
 */
#include "matrad_private.h"
#include "robion/text.h"
#include <string.h>

#define REPLACEMENT 0xFFFDu /* stands for what is no character */

/* Append a character; false if it does not fit. */
static PetscBool Append(uint32_t c, size_t size, size_t *length, char *out)
{
  const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const unsigned char lead[4] = {0, 0xC0, 0xE0, 0xF0};
  if (*length + (size_t)more + 1 >= size) return PETSC_FALSE;
  out[(*length)++] = (char)(lead[more] | (c >> (6 * more)));
  for (int k = more - 1; k >= 0; k--) out[(*length)++] = (char)(0x80 | ((c >> (6 * k)) & 0x3F));
  return PETSC_TRUE;
}

/* A unit of the stored text. */
static uint32_t Unit(const matvar_t *v, size_t i)
{
  switch (v->data_size) {
  case 1:
    return ((const unsigned char *)v->data)[i];
  case 2:
    return ((const uint16_t *)v->data)[i];
  default:
    return ((const uint32_t *)v->data)[i];
  }
}

/* The character of UTF-8 at unit i and its number of units; 0 units if there is none. */
static uint32_t Decode(const matvar_t *v, size_t i, size_t n, size_t *units)
{
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  const uint32_t first = Unit(v, i);
  *units = first < 0x80                    ? 1
           : first >= 0xC0 && first < 0xE0 ? 2
           : first >= 0xE0 && first < 0xF0 ? 3
           : first >= 0xF0 && first < 0xF8 ? 4
                                           : 0;
  if (*units < 2) return first;
  uint32_t c = first & (0xFFu >> (*units + 1));
  if (i + *units > n) *units = 0;
  for (size_t k = 1; k < *units; k++) {
    const uint32_t next = Unit(v, i + k);
    if ((next & ~0x3Fu) != 0x80) *units = 0;
    c = c << 6 | (next & 0x3F);
  }
  if (*units && (c < least[*units] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))) *units = 0;
  return c;
}

/* Whether the n units are UTF-8 throughout. */
static PetscBool IsUTF8(const matvar_t *v, size_t n)
{
  size_t units;
  for (size_t i = 0; i < n; i += units) {
    (void)Decode(v, i, n, &units);
    if (!units) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The character at unit i of UTF-16, UTF-32 or Latin-1 and its number of units. */
static uint32_t DecodeWide(const matvar_t *v, size_t i, size_t n, size_t *units)
{
  const uint32_t c = Unit(v, i), next = i + 1 < n ? Unit(v, i + 1) : 0;
  *units = 1;
  if (c < 0xD800 || (c >= 0xE000 && c <= 0x10FFFF)) return c;
  if (v->data_size != 2 || c >= 0xDC00 || next < 0xDC00 || next >= 0xE000) return REPLACEMENT;
  *units = 2;
  return 0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00);
}

PetscBool MatlabText(const matvar_t *v, size_t size, char *out)
{
  out[0] = 0;
  if (!v || !v->data || v->class_type != MAT_C_CHAR || v->rank != 2 || v->dims[0] != 1) return PETSC_FALSE;
  if (v->data_size != 1 && v->data_size != 2 && v->data_size != 4) return PETSC_FALSE;
  /* characters of UTF-8 have more units than dims says */
  const size_t stored = v->nbytes / (size_t)v->data_size, n = v->data_type == MAT_T_UTF8 ? stored : v->dims[1];
  if (!n || stored < n) return PETSC_FALSE;
  const PetscBool utf8 = IsUTF8(v, n);
  size_t length = 0, units;
  for (size_t i = 0; i < n; i += units) {
    const uint32_t c = utf8 ? Decode(v, i, n, &units) : DecodeWide(v, i, n, &units);
    if (!c || !Append(c, size, &length, out)) break;
  }
  out[length] = 0;
  TextRemoveControls(out);
  while (length && out[length - 1] == ' ') out[--length] = 0;
  return out[0] ? PETSC_TRUE : PETSC_FALSE;
}
