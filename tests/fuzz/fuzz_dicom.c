/*
 * Fuzzing of the readers of DICOM with libFuzzer; no part of the test suite:
 *
 *   flags="-g -O1 -fsanitize=fuzzer-no-link,address,undefined"
 *   clang++ $flags -fno-sanitize=vptr -std=c++17 $(pkg-config --cflags libopenjp2) -c src/exchange/dicom/shim.cc -o build/fuzz_shim.o
 *   OMPI_CC=clang mpicc $flags -fsanitize=fuzzer -std=gnu11 -D_GNU_SOURCE -Iinclude $(pkg-config --cflags PETSc hdf5-openmpi) \
 *     tests/fuzz/fuzz_dicom.c src/exchange/dicom/{apart,case,dose,head,image,lattice,placing,rois,rows,series,slices,structures,survey,volume}.c \
 *     src/patient/contours*.c build/fuzz_shim.o build/librobion.a $(pkg-config --libs PETSc hdf5-openmpi gsl yaml-0.1 fftw3 zlib) -lnifti2 \
 *     -lznz -lz -ldcmjpls -ldcmjpeg -ldcmimgle -ldcmdata -loflog -lofstd -lopenjp2 -lstdc++ -lmatio -lm -o build/fuzz_dicom
 *   mkdir -p build/corpus_dicom && cp ../shared/dicom/pydicom_odd/[a-z]*.dcm build/corpus_dicom
 *   LSAN_OPTIONS=suppressions=tests/support/lsan.supp build/fuzz_dicom -fork=1 -ignore_crashes=1 -max_total_time=1800 -rss_limit_mb=2048 \
 *     -max_len=100000 build/corpus_dicom
 *
 * First everything that the other process does with a file is done here, where the sanitizers see it; DCMTK itself may then crash, which
 * robion survives as it does it apart. Some of the files are then imported as users do: a case, or mistakes.
 */
#include "../../src/exchange/dicom/head.h"
#include "robion/exchange.h"
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[64];
enum { IMPORTS = 32 }; /* forking with sanitizers is slow: one in so many files is imported */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  snprintf(file, sizeof file, "/dev/shm/robion-fuzz-%ld.dcm", (long)getpid());
  return PetscInitializeNoArguments() ? 1 : 0;
}

static void LookHere(void)
{
  DicomFile dicom;
  DicomHeadErrand head = {.image = NULL};
  DicomROIs rois = {0};
  char message[DICOM_MESSAGE];
  if (!DicomOpen(file, &dicom, message)) return;
  DicomItem set = DicomSet(dicom);
  if (!DicomHeadLook(set, NULL, &head, message)) abort();
  (void)DicomROIsLook(set, NULL, &rois, message);
  const DicomPixels *p = &head.head.pixels;
  if (p->rows > 0 && p->rows * p->columns < 1000000) {
    double *value = malloc((size_t)p->rows * (size_t)p->columns * sizeof *value);
    for (long f = 0; f < p->frames && f < 4; f++) (void)DicomPixelsFrame(set, p, f, value, message);
    free(value);
  }
  if (PetscFree(head.image) || DicomROIsDestroy(&rois)) abort();
  DicomClose(&dicom);
}

static void Import(void)
{
  const char *const path = file, *const dose[] = {"1"};
  const DicomImportSpec spec = {.n_path = 1, .path = &path, .resample = PETSC_TRUE, .n_dose = 1, .dose = dose};
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient;
  Image image;
  DicomReader *reader;
  DicomROIs rois;
  if (CaseImportDicom(&spec, &table, &mistakes, &patient) || !patient != (mistakes.n > 0)) abort();
  if (CaseDestroy(&patient) || TextDestroy(&table) || MistakesClear(&mistakes)) abort();
  if (ImageReadDicom(file, &mistakes, &image) != !mistakes.n) abort();
  if (ImageDestroy(&image) || MistakesClear(&mistakes)) abort();
  if (DicomReaderCreate(&reader) || DicomROIsRead(reader, file, &mistakes, &rois) != !mistakes.n) abort();
  if (DicomROIsDestroy(&rois) || DicomReaderDestroy(&reader) || MistakesClear(&mistakes)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static unsigned n;
  FILE *f = fopen(file, "wb");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f)) abort();
  LookHere();
  if (n++ % IMPORTS == 0) Import();
  return 0;
}
