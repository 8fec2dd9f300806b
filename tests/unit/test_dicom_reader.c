/* The process that reads DICOM files: one for all of them, and a new one after a file that it does not survive. */
#include "dicom_files.h"
#include "../../src/exchange/dicom/dicom_private.h"
#include <signal.h>

/* What a file tells, and what it does to the process that reads it. */
typedef struct Found {
  char id[16]; /* its PatientID, which says what it does */
  pid_t process;
  PetscInt n_frames, frame[4];
  double *memory;
} Found;

static bool poisoned; /* by a file before */

static bool Look(DicomItem set, const DicomWish *wish, void *found, char message[DICOM_MESSAGE])
{
  Found *f = found;
  assert_null(f->memory);
  f->process = getpid();
  (void)DicomString(set, DICOM(0x0010, 0x0020), 0, f->id, sizeof f->id);
  f->n_frames = wish->n;
  for (PetscInt i = 0; i < wish->n; i++) f->frame[i] = wish->frame[i];
  if (!strcmp(f->id, "crash") || poisoned) (void)raise(SIGSEGV);
  if (!strcmp(f->id, "poison")) poisoned = true;
  if (!strcmp(f->id, "quit")) _exit(0);
  snprintf(message, DICOM_MESSAGE, "is refused");
  return strcmp(f->id, "refuse") && !PetscMalloc1(1000, &f->memory);
}

static PetscBool Send(const Child *child, void *found)
{
  const Found *f = found;
  if (!strcmp(f->id, "half")) {
    (void)ChildSend(child, f, sizeof *f / 2);
    return PETSC_FALSE;
  }
  return ChildSend(child, f, sizeof *f);
}

static PetscBool Receive(const Child *child, void *context)
{
  Found *f = context;
  const PetscBool good = ChildReceive(child, f, sizeof *f);
  f->memory = NULL; /* the other process's */
  return good && strcmp(f->id, "nonsense") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode Clear(void *found)
{
  Found *f = found;
  const PetscErrorCode ierr = PetscFree(f->memory);
  *f = (Found){.process = 0};
  return ierr;
}

static const DicomErrand errand = {sizeof(Found), Look, Send, Receive, Clear};

static void WriteFile(const char *id)
{
  DicomFile file = DicomCreate(CT_CLASS, "2.25.1");
  DicomPutString(DicomSet(file), DICOM(0x0010, 0x0020), id);
  TestWrite(file, NULL, id);
}

/* The process that a file was read by; 0: a mistake, which tells why (NULL: none is expected). */
static pid_t Read(DicomReader *reader, const char *id, const char *why)
{
  const PetscInt frame[] = {3, 1, 2};
  const DicomWish wish = {5, 6, 3, frame};
  Mistakes mistakes = {0};
  Found found = {.process = 0};
  WriteFile(id);
  const PetscBool good = DicomRun(reader, TestPath(id), &errand, &wish, &found, &mistakes);
  assert_int_equal(good, !why);
  assert_int_equal(mistakes.n, why ? 1 : 0);
  if (why && (!strstr(mistakes.item[0].text, why) || !strstr(mistakes.item[0].text, TestPath(id))))
    fail_msg("\"%s: %s\" is not in: %s", TestPath(id), why, mistakes.item[0].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
  if (why) return 0;
  assert_string_equal(found.id, id);
  assert_int_equal(found.n_frames, 3);
  assert_memory_equal(found.frame, frame, sizeof frame);
  return found.process;
}

static DicomReader *Reader(void)
{
  DicomReader *reader;
  if (!TestHasDicom()) skip();
  assert_int_equal(DicomReaderCreate(&reader), 0);
  return reader;
}

/* One process reads what it survives, also what it refuses, and what is no file at all. */
static void TestMany(void **state)
{
  DicomReader *reader = Reader();
  Mistakes mistakes = {0};
  Found found = {.process = 0};
  const pid_t first = Read(reader, "good", NULL);
  assert_true(first > 0 && first != getpid());
  for (int i = 0; i < 20; i++) assert_int_equal(Read(reader, "good", NULL), first);
  (void)Read(reader, "refuse", "is refused");
  assert_false(DicomRun(reader, TestPath("none"), &errand, NULL, &found, &mistakes));
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(Read(reader, "good", NULL), first);
  assert_int_equal(DicomReaderDestroy(&reader), 0);
  assert_int_equal(kill(first, 0), -1); /* it has ended and been waited for */
}

/* A file that the process dies of, at once or in the middle, first or later, costs that file alone. */
static void TestDeaths(void **state)
{
  static const struct {
    const char *id, *why;
  } deaths[] = {{"crash", "damaged: the process that read it crashed (Segmentation fault)"},
                {"quit", "damaged: what was read of it makes no sense"},
                {"half", "damaged: what was read of it makes no sense"},
                {"nonsense", "damaged: the process that read it crashed (Aborted)"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(deaths); i++) {
    DicomReader *reader = Reader();
    (void)Read(reader, deaths[i].id, deaths[i].why);
    const pid_t before = Read(reader, "good", NULL);
    assert_int_equal(Read(reader, "good", NULL), before);
    (void)Read(reader, deaths[i].id, deaths[i].why);
    assert_int_not_equal(Read(reader, "good", NULL), before);
    assert_int_equal(DicomReaderDestroy(&reader), 0);
  }
}

/* A process that dies of what a file before has done to it: the file is read by a new one. */
static void TestLateDeath(void **state)
{
  DicomReader *reader = Reader();
  const pid_t first = Read(reader, "poison", NULL);
  assert_int_not_equal(Read(reader, "good", NULL), first);
  assert_int_equal(DicomReaderDestroy(&reader), 0);
}

static int Begin(void **state)
{
  return !mkdtemp(test_folder);
}

static int End(void **state)
{
  TestClear();
  return rmdir(test_folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestMany), cmocka_unit_test(TestDeaths),
                                     cmocka_unit_test(TestLateDeath)};
  return cmocka_run_group_tests(tests, Begin, End);
}
