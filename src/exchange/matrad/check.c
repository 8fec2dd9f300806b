/*
 * Damaged MATLAB level-5 files, before they come to matio, which not all of them leave alive.
 *
 * Layout (MAT-File Format, MathWorks): 128 bytes of header that end with version and "MI" in the writer's byte order, then elements
 * of an 8-byte tag (type, bytes) and their data, as a rule compressed by zlib, whose checksum tells any damage. What is not
 * compressed has none: another process (robion/child.h) reads it first and may fail.
 */
#include "matrad_private.h"
#include "robion/child.h"
#include <zlib.h>

enum { HEADER = 128, TAG = 8, COMPRESSED = 15, CHUNK = 1 << 16 };

static uint32_t Word(const unsigned char *bytes, PetscBool big_endian)
{
  uint32_t word = 0;
  for (int i = 0; i < 4; i++) word |= (uint32_t)bytes[i] << (8 * (big_endian ? 3 - i : i));
  return word;
}

static PetscBool Refuse(const char *file, uint64_t at, const char *what, Mistakes *mistakes)
{
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: byte %llu: %s", file, (unsigned long long)at, what);
  return PETSC_FALSE;
}

/* Unpack `size` bytes to nowhere; what is wrong, or NULL. */
static const char *CheckCompressed(FILE *f, uint64_t size)
{
  static unsigned char in[CHUNK], out[CHUNK];
  z_stream stream = {0};
  int state = Z_OK;
  if (inflateInit(&stream) != Z_OK) return "no memory to unpack compressed data";
  while (state == Z_OK && size > 0) {
    stream.next_in = in;
    stream.avail_in = (uInt)fread(in, 1, size < CHUNK ? (size_t)size : CHUNK, f);
    if (!stream.avail_in) break;
    size -= stream.avail_in;
    while (state == Z_OK && stream.avail_in > 0) {
      stream.next_out = out;
      stream.avail_out = CHUNK;
      state = inflate(&stream, Z_NO_FLUSH);
    }
  }
  while (state == Z_OK && !stream.avail_out) { /* what is still inside */
    stream.next_out = out;
    stream.avail_out = CHUNK;
    state = inflate(&stream, Z_FINISH);
  }
  (void)inflateEnd(&stream);
  return state == Z_STREAM_END ? NULL : "the compressed data that begin here are damaged";
}

PetscBool MatlabCheckElements(const char *file, FILE *f, uint64_t size, Mistakes *mistakes)
{
  unsigned char header[HEADER], tag[TAG];
  if (fread(header, 1, HEADER, f) < HEADER)
    return Refuse(file, size, "the file ends here, a MATLAB level-5 file is longer than its header", mistakes);
  PetscBool little = header[126] == 'I' && header[127] == 'M', big = header[126] == 'M' && header[127] == 'I';
  int version = little ? header[125] : header[124];
  if ((little || big) && version == 2)
    return Refuse(file, 124, "a MATLAB 7.3 file, expected level 5 (in MATLAB save it with the option -v7)", mistakes);
  if ((!little && !big) || version != 1) return Refuse(file, 124, "not a MATLAB level-5 file", mistakes);
  for (uint64_t at = HEADER; at < size;) {
    if (fseeko(f, (off_t)at, SEEK_SET) || fread(tag, 1, TAG, f) < TAG)
      return Refuse(file, at, "truncated MATLAB file, expected the 8 bytes of a tag", mistakes);
    const uint32_t type = Word(tag, big), length = Word(tag + 4, big);
    if (length > size - at - TAG)
      return Refuse(file, at, "truncated MATLAB file: the data that begin here go on beyond its end", mistakes);
    const char *problem = type == COMPRESSED ? CheckCompressed(f, length) : NULL;
    if (problem) return Refuse(file, at, problem, mistakes);
    at += TAG + length;
  }
  return PETSC_TRUE;
}

typedef struct Wanted {
  const char *file;
  int n;
  const char *const *names;
} Wanted;

static void Rehearse(const Child *self, void *context)
{
  const Wanted *wanted = context;
  mat_t *mat = Mat_Open(wanted->file, MAT_ACC_RDONLY);
  for (int i = 0; mat && i < wanted->n; i++) {
    matvar_t *variable = Mat_VarRead(mat, wanted->names[i]);
    if (variable) Mat_VarFree(variable);
  }
  if (mat) (void)Mat_Close(mat);
}

PetscBool MatlabRehearse(const char *file, int n, const char *const *names, Mistakes *mistakes)
{
  Wanted wanted = {file, n, names};
  Child child;
  return ChildBegin(file, Rehearse, &wanted, mistakes, &child) && ChildEnd(&child, file, mistakes) ? PETSC_TRUE
                                                                                                   : PETSC_FALSE;
}
