/*
 * Fuzzing of the reader of RT Ion Plans with libFuzzer; no part of the test suite. Built as fuzz_dicom.c says, with this file and no
 * other of src/exchange/dicom but shim.cc; begun with plans that tests/e2e/e2e_dicom_out.sh makes:
 *
 *   mkdir -p build/corpus_ion_plan && cp FOLDER/R[NS]*.dcm build/corpus_ion_plan
 *   LSAN_OPTIONS=suppressions=tests/support/lsan.supp build/fuzz_ion_plan -fork=1 -ignore_crashes=1 -max_total_time=1800 \
 *     -rss_limit_mb=2048 -max_len=100000 build/corpus_ion_plan
 *
 * What the other process does with a file is done here, where the sanitizers see it: spots that make sense, or mistakes. Some of the files
 * are then read as users do.
 */
#include "../../src/exchange/dicom/ion_plan.c"
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[64];
enum { READINGS = 64 }; /* forking with sanitizers is slow: one in so many files is read apart */

#define Sure(wrong)                                                                                                    \
  do {                                                                                                                 \
    if (wrong) {                                                                                                       \
      fprintf(stderr, "line %d: " #wrong "\n", __LINE__);                                                              \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  snprintf(file, sizeof file, "/dev/shm/robion-fuzz-plan-%ld.dcm", (long)getpid());
  return PetscInitializeNoArguments() ? 1 : 0;
}

/* What a plan that was taken promises. */
static void Check(const SpotList *s)
{
  double *column[N_COLUMNS];
  Columns(s, column);
  Sure(s->n < 1 || s->n_places < 1 || s->ion.Z < 1 || s->ion.A < s->ion.Z);
  for (int c = 0; c < N_COLUMNS; c++)
    for (PetscInt i = 0; i < s->n; i++) Sure(!isfinite(column[c][i]));
  for (PetscInt i = 0; i < s->n; i++)
    Sure(s->beam[i] < 0 || s->beam[i] >= s->n_places || s->particles[i] < 0 || s->energy_MeV_u[i] <= 0);
  for (PetscInt b = 0; b < s->n_places; b++) {
    const SpotBeam *p = &s->place[b];
    const double number[] = {p->gantry_deg,      p->couch_deg,       p->isocentre_mm[0],
                             p->isocentre_mm[1], p->isocentre_mm[2], p->range_shifter_mm,
                             p->sad_mm[0],       p->sad_mm[1],       p->range_shifter_to_isocentre_mm};
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(number); k++) Sure(!isfinite(number[k]));
    Sure(p->range_shifter_mm < 0 || strlen(p->position) >= sizeof p->position);
  }
}

static void ReadHere(void)
{
  DicomFile dicom;
  char message[DICOM_MESSAGE];
  Mistakes mistakes = {0};
  SpotList spots = {0};
  PetscBool good = PETSC_FALSE;
  Reading reading = {.file = file, .mistakes = &mistakes, .spots = &spots, .number = -1};
  if (!DicomOpen(file, &dicom, message)) return;
  Sure(ReadPlan(&reading, DicomSet(dicom), &good));
  Sure(good != !mistakes.n);
  if (good) Check(&spots);
  DicomClose(&dicom);
  Sure(SpotListDestroy(&spots) || MistakesClear(&mistakes));
}

static void ReadApartAsUsersDo(void)
{
  Mistakes mistakes = {0};
  SpotList spots;
  Sure(SpotListReadDicom(file, &mistakes, &spots));
  Sure(!spots.n != (mistakes.n > 0));
  if (spots.n) Check(&spots);
  Sure(SpotListDestroy(&spots) || MistakesClear(&mistakes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static unsigned n;
  FILE *f = fopen(file, "wb");
  Sure(!f || fwrite(data, 1, size, f) != size || fclose(f));
  ReadHere();
  if (n++ % READINGS == 0) ReadApartAsUsersDo();
  return 0;
}
