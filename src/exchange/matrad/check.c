/*
 * Damaged MATLAB level-5 files, before they come to matio, which not all of them leave alive.
 *
 * Layout (MAT-File Format, MathWorks): 128 bytes of header that end with version and "MI" in the writer's byte order, then elements
 * of an 8-byte tag (type, bytes) and their data, as a rule compressed by zlib, whose checksum tells any damage. What is not
 * compressed has none: another process reads it first and may fail.
 */
#include "matrad_private.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { HEADER = 128, TAG = 8, COMPRESSED = 15, CHUNK = 1 << 16 };
#define LONGEST_S 600 /* a process that reads longer hangs */

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

/* In the other process: read the variables, quietly and without the signal handlers of this program. */
static void Rehearse(const char *file, int n, const char *const *names)
{
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGTERM};
  const struct rlimit none = {0, 0};
  int nowhere = open("/dev/null", O_WRONLY);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(deadly); i++) (void)signal(deadly[i], SIG_DFL);
  (void)setrlimit(RLIMIT_CORE, &none);
  if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
  (void)alarm(LONGEST_S);
  mat_t *mat = Mat_Open(file, MAT_ACC_RDONLY);
  for (int i = 0; mat && i < n; i++) {
    matvar_t *variable = Mat_VarRead(mat, names[i]);
    if (variable) Mat_VarFree(variable);
  }
  if (mat) (void)Mat_Close(mat);
  _exit(0);
}

PetscBool MatlabRehearse(const char *file, int n, const char *const *names, Mistakes *mistakes)
{
  int status = 0;
  (void)fflush(NULL);
  const pid_t child = fork();
  if (child == 0) Rehearse(file, n, names);
  if (child < 0) return PETSC_TRUE; /* where no process can be made the file has to be trusted */
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return PETSC_TRUE;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return PETSC_TRUE;
  return Refuse(file, HEADER, "damaged MATLAB file: the variables that begin here cannot be read", mistakes);
}
