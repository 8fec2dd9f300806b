/*
 * Fuzzing of the readers of TRiP98's files with libFuzzer; no part of the test suite. The format is chosen when compiling:
 *
 *   for f in ddd spc sis rbe rst; do
 *     OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -DFUZZ_$f -Iinclude \
 *       $(pkg-config --cflags PETSc) tests/fuzz/fuzz_trip.c src/exchange/trip_text.c src/exchange/trip_$f*.c src/base/{error,text}.c \
 *       $(pkg-config --libs PETSc) -lm -o build/fuzz_$f
 *     build/fuzz_$f -max_total_time=120 -max_len=4096 -rss_limit_mb=512 build/corpus_$f tests/fuzz/corpus/$f
 *   done
 *
 * A file that is read must say no mistake, a refused one exactly one; what was read is written and must read back the same.
 */
#include "../../src/exchange/trip98/trip_private.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(FUZZ_ddd)
typedef TripDepthDose Content;
#define PARSE TripDepthDoseParse
#define WRITE TripDepthDoseWrite
#define DESTROY TripDepthDoseDestroy
#elif defined(FUZZ_sis)
typedef TripBeamTable Content;
#define PARSE TripBeamTableParse
#define WRITE TripBeamTableWrite
#define DESTROY TripBeamTableDestroy
#elif defined(FUZZ_rbe)
typedef TripRBE Content;
#define PARSE TripRBEParse
#define WRITE TripRBEWrite
#define DESTROY TripRBEDestroy
#elif defined(FUZZ_rst)
typedef TripRaster Content;
#define PARSE TripRasterParse
#define WRITE TripRasterWrite
#define DESTROY TripRasterDestroy
#else
typedef TripSpectra Content;
#define PARSE TripSpectraParse
#define DESTROY TripSpectraDestroy
#define WRITE(content, file, mistakes) TripSpectraWrite(content, PETSC_TRUE, file, mistakes)
#endif

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[2][64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < 2; i++) snprintf(file[i], sizeof file[i], "/dev/shm/robion-fuzz-%ld-%d", (long)getpid(), i);
  return PetscInitializeNoArguments() ? 1 : 0;
}

/* Parse a copy of these bytes; its one mistake or none. */
static int Read(const char *data, size_t size, Mistakes *mistakes, Content *content)
{
  char *copy = malloc(size + 1); /* from malloc, so that the sanitizer sees reads past its end */
  memcpy(copy, data, size);
  copy[size] = 0;
  if (PARSE("file", copy, size, mistakes, content)) abort();
  free(copy);
  return content->n > 0;
}

/* Write, read, write: the same bytes. */
static void Again(const Content *content)
{
  Mistakes mistakes = {0};
  Content second;
  char *bytes[2];
  size_t size[2];
  if (WRITE(content, file[0], &mistakes) || !FileRead(file[0], &bytes[0], &size[0], &mistakes)) abort();
  if (!Read(bytes[0], size[0], &mistakes, &second)) {
    MistakesPrint(&mistakes);
    abort();
  }
  if (WRITE(&second, file[1], &mistakes) || !FileRead(file[1], &bytes[1], &size[1], &mistakes)) abort();
  if (size[0] != size[1] || memcmp(bytes[0], bytes[1], size[0]) || mistakes.n) abort();
  for (int i = 0; i < 2; i++)
    if (PetscFree(bytes[i])) abort();
  if (DESTROY(&second)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static int n_good;
  Mistakes mistakes = {0};
  Content content;
  int good = Read((const char *)data, size, &mistakes, &content);
  if (mistakes.n != !good) abort();
  if (good && n_good++ % 16 == 0) Again(&content); /* writing syncs the disk */
  if (DESTROY(&content) || MistakesClear(&mistakes)) abort();
  return 0;
}
