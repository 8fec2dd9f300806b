/* Base data files: write and read back, every kind of damage, the cache.   ranks: 1 2  sanitizer: slow */
#include "machine_case.h"
#include "robion/hdf5.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static MachineSpec spec;
static Machine *machine;
static char folder[64], file[128]; /* each rank's own */
static PetscMPIInt rank, size;

static int SetUp(void **state)
{
  if (PetscInitializeNoArguments() || MachineSpecDefault(&spec)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = 90;
  snprintf(folder, sizeof folder, "/tmp/robion-test-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(file, sizeof file, "%s/machine.h5", folder);
  if (MachineBuild(PETSC_COMM_SELF, &spec, &machine)) return 1;
  machine->bams_to_iso_mm = 1500;
  return 0;
}

static int TearDown(void **state)
{
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return MachineDestroy(&machine) || system(command) || PetscFinalize();
}

static void Write(void)
{
  Mistakes mistakes = {0};
  assert_int_equal(MachineWrite(machine, file, &mistakes), 0);
  assert_int_equal(mistakes.n, 0);
}

/* Reading must fail with mistakes that name the file and call for exit 4; the first must have the words. */
static void assert_refused(const char *words)
{
  Mistakes mistakes = {0};
  Machine *read = NULL;
  assert_int_equal(MachineRead(file, &mistakes, &read), 0);
  assert_null(read);
  assert_true(mistakes.n > 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (strncmp(mistakes.item[0].text, file, strlen(file)) || !strstr(mistakes.item[0].text, words))
    fail_msg("expected \"%s\" in: %s", words, mistakes.item[0].text);
  MistakesClear(&mistakes);
}

static void RoundTrip(void **state)
{
  Write();
  Mistakes mistakes = {0};
  Machine *read = NULL;
  assert_int_equal(MachineRead(file, &mistakes, &read), 0);
  MistakesPrint(&mistakes);
  assert_non_null(read);
  assert_same_machine(machine, read);
  assert_double_near(read->bams_to_iso_mm, 1500, 0);
  assert_int_equal(MachineDestroy(&read), 0);
}

/* Every dataset says what it is. */
static void Described(void **state)
{
  Write();
  Mistakes mistakes = {0};
  H5Source source;
  assert_true(H5SourceOpen(file, &mistakes, &source));
  for (int i = 0; i < MACHINE_TABLES; i++) {
    char *text = NULL;
    if (!MachineTableSize(machine, &machine_tables[i])) continue;
    assert_true(H5ReadString(&source, machine_tables[i].path, "unit", PETSC_FALSE, &text, &mistakes));
    assert_int_equal(PetscFree(text), 0);
    assert_true(H5ReadString(&source, machine_tables[i].path, "long_name", PETSC_FALSE, &text, &mistakes));
    assert_int_equal(PetscFree(text), 0);
  }
  assert_true(H5SourceClose(&source, &mistakes));
}

/* The ranks take turns, here and where bytes are overwritten. */
static void Truncated(void **state)
{
  struct stat info;
  Write();
  assert_int_equal(stat(file, &info), 0);
  for (int i = rank; i < 12; i += size) {
    Write();
    assert_int_equal(truncate(file, info.st_size * i / 12), 0);
    assert_refused("");
  }
  enum {
    SEAL = 28
  }; /* what robion's own files have behind their content, see hdf5.h: without it the content is read with care */
  Write();
  assert_int_equal(truncate(file, info.st_size - SEAL - 1), 0);
  assert_refused("");
  Write();
  assert_int_equal(truncate(file, info.st_size - 1), 0);
  Mistakes mistakes = {0};
  Machine *read = NULL;
  assert_int_equal(MachineRead(file, &mistakes, &read), 0);
  assert_non_null(read);
  assert_same_machine(machine, read);
  assert_int_equal(MachineDestroy(&read), 0);
}

/* Overwrite `n` bytes in the middle of the file. */
static void Scribble(long at, int n)
{
  FILE *f = fopen(file, "r+b");
  assert_non_null(f);
  assert_int_equal(fseek(f, at, SEEK_SET), 0);
  for (int i = 0; i < n; i++) fputc(0xA5, f);
  fclose(f);
}

/* Damage anywhere is either refused or did not touch a number; never a crash, never a NaN. */
static void Scribbled(void **state)
{
  struct stat info;
  Write();
  assert_int_equal(stat(file, &info), 0);
  int refused = 0;
  for (int i = rank; i < 25; i += size) {
    Mistakes mistakes = {0};
    Machine *read = NULL;
    Write();
    Scribble(info.st_size * i / 25, 64);
    assert_int_equal(MachineRead(file, &mistakes, &read), 0);
    assert_true((read == NULL) == (mistakes.n > 0));
    refused += mistakes.n > 0;
    MistakesClear(&mistakes);
    if (read) assert_int_equal(MachineCheck(read, "scribbled", &mistakes), 0);
    assert_int_equal(mistakes.n, 0);
    assert_int_equal(MachineDestroy(&read), 0);
  }
  assert_true(refused * size > 10);
}

static void Foreign(void **state)
{
  unlink(file);
  assert_refused("cannot be opened");
  FILE *f = fopen(file, "w");
  fputs("energy_MeV_u,csda_range_mm\n80,17.45\n", f);
  fclose(f);
  assert_refused("not an HDF5 file");
  Mistakes mistakes = {0};
  H5Sink sink;
  assert_true(H5SinkOpen(file, &mistakes, &sink));
  H5WriteString(&sink, "/", "kind", "robion case");
  assert_true(H5SinkClose(&sink, &mistakes));
  assert_refused("robion base data");
  double good = machine->idd_Gy_mm2[4];
  machine->idd_Gy_mm2[4] = -1;
  Write();
  machine->idd_Gy_mm2[4] = good;
  assert_refused("/idd");
}

static void NotWritable(void **state)
{
  Mistakes mistakes = {0};
  assert_int_equal(MachineWrite(machine, "/proc/no/such/folder/machine.h5", &mistakes), 0);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  MistakesClear(&mistakes);
}

/* Built, found again, and built again when the cached file is damaged. */
static void Cache(void **state)
{
  char cache[80], cached[200], hash[17];
  struct stat info;
  snprintf(cache, sizeof cache, "%s/deep/cache", folder); /* rank 0's is the one that is used */
  setenv("ROBION_CACHE", cache, 1);
  MachineSpecHash(&spec, hash);
  snprintf(cached, sizeof cached, "%s/12C-%s.h5", cache, hash);
  for (int round = 0; round < 4; round++) {
    if (round == 2 && rank == 0) assert_int_equal(truncate(cached, 5000), 0);
    if (round == 3 && rank == 0) {
      assert_int_equal(unlink(cached), 0);
      assert_int_equal(rename(file, cached), 0); /* a sound file of another machine: bams_to_iso 1500 */
    }
    if (round == 2 && rank == 0) {
      char *own = machine->hash;
      machine->hash = "0123456789abcdef";
      Write();
      machine->hash = own;
    }
    Machine *m = NULL;
    assert_int_equal(MachineBuiltin(PETSC_COMM_WORLD, &spec, &m), 0);
    assert_double_near(m->bams_to_iso_mm, 0, 0);
    assert_same_machine(machine, m);
    assert_int_equal(MachineDestroy(&m), 0);
    if (rank == 0) assert_int_equal(stat(cached, &info), 0);
  }
  setenv("ROBION_CACHE", "/proc/no/such/folder", 1); /* only a warning */
  Machine *m = NULL;
  assert_int_equal(MachineBuiltin(PETSC_COMM_WORLD, &spec, &m), 0);
  assert_same_machine(machine, m);
  assert_int_equal(MachineDestroy(&m), 0);
  unsetenv("ROBION_CACHE");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RoundTrip), cmocka_unit_test(Described),
                                     cmocka_unit_test(Truncated), cmocka_unit_test(Scribbled),
                                     cmocka_unit_test(Foreign),   cmocka_unit_test(NotWritable),
                                     cmocka_unit_test(Cache)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
