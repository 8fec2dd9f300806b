/*
 * Fuzzing of the readers of studies, tables and status files with libFuzzer; no part of the test suite. What is read is chosen when
 * compiling:
 *
 *   for r in study spots let json; do
 *     OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -DFUZZ_$r -Iinclude $(pkg-config --cflags PETSc hdf5-openmpi) \
 *       tests/fuzz/fuzz_text.c tests/support/keep_plugins.c src/base/{csv,error,json,text,trip_text}.c src/{yaml,study}/*.c src/beam/spot_list.c \
 *       src/biology/let_table.c build/librobion.a $(pkg-config --libs PETSc hdf5-openmpi gsl yaml-0.1 fftw3 zlib) -lmatio -lm -o build/fuzz_$r
 *     build/fuzz_$r -runs=1000000 -max_len=4096 -rss_limit_mb=2048 build/corpus_$r tests/fuzz/corpus/$r
 *   done
 *
 * A text is taken, or at least one mistake is told of it.
 */
#include "../../src/biology/biology_private.h"
#include "robion/json.h"
#include "robion/spot_list.h"
#include "robion/study.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  snprintf(file, sizeof file, "/dev/shm/robion-fuzz-%ld", (long)getpid());
  return PetscInitializeNoArguments() ? 1 : 0;
}

#if defined(FUZZ_study)
static PetscBool Read(const char *text, size_t size, Mistakes *mistakes)
{
  Study *study;
  if (StudyParse(text, size, "study.yaml", 0, NULL, mistakes, &study)) abort();
  const PetscBool taken = study ? PETSC_TRUE : PETSC_FALSE;
  if (StudyDestroy(&study)) abort();
  return taken;
}
#elif defined(FUZZ_json)
static PetscBool Read(const char *text, size_t size, Mistakes *mistakes)
{
  char value[32];
  double number;
  (void)size, (void)mistakes;
  (void)JSONFindString(text, "message", sizeof value, value);
  return JSONFindNumber(text, "seconds", &number) || 1;
}
#else
static void WriteText(const char *text, size_t size)
{
  FILE *f = fopen(file, "wb");
  if (!f || fwrite(text, 1, size, f) < size || fclose(f)) abort();
}
#if defined(FUZZ_spots)
static PetscBool Read(const char *text, size_t size, Mistakes *mistakes)
{
  SpotList spots = {0};
  WriteText(text, size);
  if (SpotListReadCSV(file, mistakes, &spots)) abort();
  const PetscBool taken = spots.n > 0;
  if (SpotListDestroy(&spots)) abort();
  return taken;
}
#elif defined(FUZZ_let)
static PetscBool Read(const char *text, size_t size, Mistakes *mistakes)
{
  LETTable *table = NULL;
  const BiologySpec spec = {.model = "mixed-beam", .table = file};
  WriteText(text, size);
  if (LETTableCreate(&spec, mistakes, &table)) abort();
  const PetscBool taken = table && !mistakes->n;
  if (LETTableDestroy(&table)) abort();
  return taken;
}
#endif
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Mistakes mistakes = {0};
  char *text = malloc(size + 1); /* from malloc, so that the sanitizer sees reads past its end */
  memcpy(text, data, size);
  text[size] = 0;
  const PetscBool taken = Read(text, size, &mistakes);
  if (!taken && !mistakes.n) abort();
  if (taken && mistakes.n) abort();
  free(text);
  return MistakesClear(&mistakes) ? 1 : 0;
}
