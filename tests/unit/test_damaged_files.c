/*
 * Every kind of HDF5 and NIfTI file that is read, damaged: it is taken or its mistakes are told, this program lives, and HDF5 has
 * nothing open. timeout: 300
 */
#include "outside_files.h"
#include "../../src/base/hdf5_private.h"
#include "robion/counter_random.h"
#include "robion/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>

static char folder[] = "/tmp/robion-damaged.XXXXXX";

/* Put bytes in place of the file, under a new seal if it had one. */
static void Replace(const OutsideFile *kind, const char *content, size_t length)
{
  const char *path = OutsidePath(folder, kind->name);
  FILE *out = fopen(path, "wb");
  Sure(!out || fwrite(content, 1, length, out) < length || fclose(out));
  if (kind->sealed) assert_true(H5Seal(path));
}

/* Read it: what is taken has no mistakes, what is refused has some, of the input. */
static PetscBool Read(const OutsideFile *kind, const char *damage, size_t at)
{
  Mistakes mistakes = {0};
  const PetscBool taken = kind->read(folder, &mistakes);
  if (taken ? mistakes.n > 0 : !mistakes.n && !kind->silent)
    fail_msg("%s, %s %zu: %s", kind->kind, damage, at, taken ? MistakesFirst(&mistakes) : "refused without a word");
  for (PetscInt i = 0; i < mistakes.n; i++)
    if (mistakes.item[i].exit != ROBION_INPUT || strncmp(mistakes.item[i].text, folder, strlen(folder)))
      fail_msg("%s, %s %zu: %s", kind->kind, damage, at, mistakes.item[i].text);
  assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
  assert_int_equal(MistakesClear(&mistakes), 0);
  return taken;
}

static char *Sound(const OutsideFile *kind, size_t *length)
{
  char *content;
  Mistakes mistakes = {0};
  kind->write(folder);
  assert_true(Read(kind, "sound", 0));
  assert_true(FileRead(OutsidePath(folder, kind->name), &content, length, &mistakes));
  return content;
}

/* One bit in one of the bytes that say how the rest lies, which are the first, or a run of wrong bytes anywhere. */
static void Bits(void **state)
{
  enum { TIMES = 40, HEADERS = 4096, RUN = 16 };
  CounterRandom random = {.seed = 11};
  int refused = 0;
  for (int k = 0; k < OUTSIDE_FILES; k++) {
    size_t length;
    char *content = Sound(&outside_files[k], &length), *damaged;
    assert_int_equal(PetscMalloc1(length, &damaged), 0);
    for (int i = 0; i < TIMES; i++) {
      const size_t at = (size_t)CounterRandomIndex(&random, (PetscInt)(i % 4 ? PetscMin(length, HEADERS) : length));
      memcpy(damaged, content, length);
      if (i % 4)
        damaged[at] ^= (char)(1 << i % 8);
      else
        memset(damaged + at, 0xA5, PetscMin(RUN, length - at));
      Replace(&outside_files[k], damaged, length);
      refused += !Read(&outside_files[k], i % 4 ? "bit in byte" : "bytes from", at);
    }
    assert_int_equal(PetscFree(content) || PetscFree(damaged), 0);
  }
  print_message("%d of %d refused\n", refused, OUTSIDE_FILES * TIMES);
  assert_true(refused > OUTSIDE_FILES * TIMES / 20);
}

static void Truncated(void **state)
{
  enum { TIMES = 8 };
  for (int k = 0; k < OUTSIDE_FILES; k++) {
    size_t length;
    char *content = Sound(&outside_files[k], &length);
    for (int i = 0; i < TIMES; i++) {
      Replace(&outside_files[k], content, length * (size_t)i / TIMES);
      assert_false(Read(&outside_files[k], "cut at", length * (size_t)i / TIMES));
    }
    assert_int_equal(PetscFree(content), 0);
  }
}

/* Of sealed files every change is told, before HDF5 sees it. */
static void Sealed(void **state)
{
  for (int k = 0; k < OUTSIDE_FILES; k++) {
    size_t length;
    if (!outside_files[k].sealed) continue;
    char *content = Sound(&outside_files[k], &length);
    for (size_t at = 0; at < length; at += 97) {
      FILE *out = fopen(OutsidePath(folder, outside_files[k].name), "r+b");
      Sure(!out || fseek(out, (long)at, SEEK_SET) || fputc(content[at] ^ 4, out) == EOF || fclose(out));
      assert_false(Read(&outside_files[k], "bit in byte", at));
      Replace(&(OutsideFile){.name = outside_files[k].name}, content, length);
    }
    assert_true(Read(&outside_files[k], "sound", 0));
    assert_int_equal(PetscFree(content), 0);
  }
}

/* What is no file is not waited for. */
static void NoFiles(void **state)
{
  for (int k = 0; k < OUTSIDE_FILES; k++) {
    const OutsideFile *kind = &outside_files[k];
    kind->write(folder); /* what lies beside it */
    for (int i = 0; i < 3; i++) {
      assert_int_equal(unlink(OutsidePath(folder, kind->name)), 0);
      if (i == 0) assert_int_equal(mkdir(OutsidePath(folder, kind->name), 0700), 0);
      if (i == 1) assert_int_equal(mkfifo(OutsidePath(folder, kind->name), 0600), 0);
      if (i == 2) Replace(kind, "", 0);
      assert_false(Read(kind, "no file", (size_t)i));
      if (i == 0) assert_int_equal(rmdir(OutsidePath(folder, kind->name)), 0);
      if (i == 0) Replace(kind, "", 0);
    }
  }
}

static int SetUp(void **state)
{
  return mkdtemp(folder) ? 0 : 1;
}

static int TearDown(void **state)
{
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(Bits), cmocka_unit_test(Truncated), cmocka_unit_test(Sealed),
                                     cmocka_unit_test(NoFiles)};
  int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
