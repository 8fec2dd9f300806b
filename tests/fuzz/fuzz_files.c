/*
 * Fuzzing of the readers of HDF5 and NIfTI files with libFuzzer; no part of the test suite. One program per kind of file:
 *
 *   readers="src/base/{child,error,text,hdf5*}.c src/patient/{case_file,grid_check}.c src/machine/{file,machine,check}.c
 *     src/results/plan_file.c src/beam/spot_list.c src/plan/{checkpoint,stage_file}.c src/cli/evaluate_gamma.c src/exchange/volume/*.c"
 *   for k in case machine plan reference checkpoint stage image nifti; do
 *     OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -DROBION_NIFTI -I/usr/include/nifti -DKIND=\"$k\" \
 *       -Iinclude -Itests/support $(pkg-config --cflags PETSc hdf5-openmpi) tests/{fuzz/fuzz_files,support/keep_plugins}.c $(eval echo $readers) \
 *       build/librobion.a $(pkg-config --libs PETSc hdf5-openmpi gsl yaml-0.1 fftw3 zlib) -lnifti2 -lznz -lz -lmatio -lm -o build/fuzz_$k
 *     mkdir -p build/corpus_$k && build/fuzz_$k seed build/corpus_$k/sound
 *     LSAN_OPTIONS=suppressions=tests/support/lsan.supp build/fuzz_$k -runs=200000 -rss_limit_mb=2048 build/corpus_$k
 *   done
 *
 * The libraries work in a process of their own, so what kills it is refused. A file is taken or its mistakes are told; nothing of
 * HDF5 stays open. Files that robion seals get a new seal, or nothing but it would be looked at.
 */
#include "outside_files.h"
#include "../../src/base/hdf5_private.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/robion-fuzz-XXXXXX";
static const OutsideFile *file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  char name[PETSC_MAX_PATH_LEN];
  Sure(PetscInitializeNoArguments() || !mkdtemp(folder));
  for (int k = 0; k < OUTSIDE_FILES; k++)
    if (!strcmp(outside_files[k].kind, KIND)) file = &outside_files[k];
  file->write(folder);
  if (*argc < 3 || strcmp((*argv)[1], "seed")) return 0;
  snprintf(name, sizeof name, "cp %s/%s %s; rm -r %s", folder, file->name, (*argv)[2], folder);
  exit(system(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Mistakes mistakes = {0};
  (void)unlink(OutsidePath(folder, file->name)); /* HDF5 would know the file again */
  FILE *out = fopen(OutsidePath(folder, file->name), "wb");
  Sure(!out || fwrite(data, 1, size, out) < size || fclose(out));
  if (file->sealed) Sure(!H5Seal(OutsidePath(folder, file->name)));
  const PetscBool taken = file->read(folder, &mistakes);
  Sure(!taken && !mistakes.n && !file->silent);
  Sure(taken && mistakes.n);
  Sure(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0);
  Sure(MistakesClear(&mistakes));
  return 0;
}
