/*
 * Fuzzing of the readers of matRad's files with libFuzzer; no part of the test suite:
 *
 *   OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -Iinclude \
 *     $(pkg-config --cflags PETSc hdf5-openmpi gsl zlib) tests/fuzz/fuzz_matrad.c src/exchange/matrad_*.c build/librobion.a \
 *     $(pkg-config --libs PETSc hdf5-openmpi gsl yaml-0.1 zlib) -lmatio -lm -o build/fuzz_matrad
 *   LSAN_OPTIONS=suppressions=tests/support/lsan.supp build/fuzz_matrad -max_total_time=300 -rss_limit_mb=1024 \
 *     build/corpus_mat tests/fuzz/corpus/mat
 *
 * matio works in a process of its own before robion trusts a file, so what kills it is refused. A machine that is read passes its
 * check and reads back equal in size; a refused file has mistakes.
 */
#include "../../src/exchange/matrad/matrad_private.h"
#include "robion/exchange.h"
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  snprintf(file, sizeof file, "/dev/shm/robion-fuzz-%ld.mat", (long)getpid());
  return PetscInitializeNoArguments() ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Mistakes mistakes = {0};
  Machine *machine = NULL;
  Case *patient = NULL;
  FILE *f = fopen(file, "wb");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f)) abort();
  if (MachineReadMatRad(file, &mistakes, &machine)) abort();
  if (!machine != (mistakes.n > 0)) abort();
  if (machine && (MachineCheck(machine, "fuzz", &mistakes) || mistakes.n)) abort();
  if (MistakesClear(&mistakes) || CaseReadMatRad(file, &mistakes, &patient)) abort();
  if (!patient != (mistakes.n > 0)) abort();
  if (MachineDestroy(&machine) || CaseDestroy(&patient) || MistakesClear(&mistakes)) abort();
  return 0;
}
