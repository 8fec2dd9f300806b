/* What all floors stand on and no other test looks at: lists of mistakes, CSV, names of ions, memory, a status read back. */
#include "robion/csv.h"
#include "robion/ion.h"
#include "robion/memory.h"
#include "robion/status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], file[PETSC_MAX_PATH_LEN];

/* A file of the test's folder with this content. */
static void Put(const char *name, const char *text)
{
  Mistakes mistakes = {0};
  snprintf(file, sizeof file, "%s/%s", folder, name);
  assert_true(FileReplace(file, text, strlen(text), &mistakes));
}

static void MovedMistakes(void **state)
{
  Mistakes from = {0}, to = {0};
  MistakesAdd(&to, ROBION_STUDY, "first");
  MistakesAdd(&from, ROBION_INPUT, "second");
  MistakesAdd(&from, ROBION_RESOURCES, "100 %% third");
  assert_true(MistakesCallFor(&from, ROBION_RESOURCES) && !MistakesCallFor(&from, ROBION_STUDY));
  assert_int_equal(MistakesMove(&from, ROBION_DONE, &to), 0);
  assert_false(MistakesAny(&from));
  assert_int_equal(to.n, 3);
  assert_int_equal(to.item[1].exit, ROBION_INPUT);
  assert_string_equal(to.item[2].text, "100 % third");
  assert_int_equal(to.item[2].exit, ROBION_RESOURCES);
  assert_int_equal(MistakesMove(&to, ROBION_COMMAND_LINE, &from), 0);
  for (PetscInt i = 0; i < 3; i++) assert_int_equal(from.item[i].exit, ROBION_COMMAND_LINE);
  MistakesClear(&from);
}

/* Records by RFC 4180, whatever ends the lines: quotes, empty fields, more and fewer fields than are wanted. */
static void Records(void **state)
{
  static const char *const text[] = {"\357\273\277 head,er \r\na,\"b,\"\"c\"\"\",\r\n\r\n1,2,3,4\r\nlast",
                                     " head,er \na,\"b,\"\"c\"\"\",\n\n1,2,3,4\nlast"};
  for (int i = 0; i < 2; i++) {
    Mistakes mistakes = {0};
    CSVReader reader;
    char *field[3];
    Put("records.csv", text[i]);
    assert_true(CSVOpen(file, &mistakes, &reader));
    assert_string_equal(CSVHeader(&reader), "head,er");
    assert_int_equal(CSVNext(&reader, 3, field), 3);
    assert_string_equal(field[0], "a");
    assert_string_equal(field[1], "b,\"c\"");
    assert_string_equal(field[2], "");
    assert_int_equal(reader.line, 2);
    assert_int_equal(CSVNext(&reader, 3, field), 1);
    assert_string_equal(field[0], "");
    assert_int_equal(CSVNext(&reader, 3, field), 4);
    assert_string_equal(field[2], "3");
    assert_true(reader.ended);
    assert_int_equal(CSVNext(&reader, 3, field), 1);
    assert_string_equal(field[0], "last");
    assert_true(!reader.ended && reader.line == 5 && !reader.problem);
    assert_int_equal(CSVNext(&reader, 3, field), 0);
    CSVClose(&reader);
  }
}

/* No name becomes a formula of a spreadsheet, numbers stay numbers, and every name is read back as it was. */
static void Formulas(void **state)
{
  static const struct {
    const char *name, *field;
  } of[] = {{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
            {"@SUM(1,2)", "\"'@SUM(1,2)\""},
            {"+1+cmd", "'+1+cmd"},
            {"-\"x\"", "\"'-\"\"x\"\"\""},
            {"\t=1", "'\t=1"},
            {"'=1", "''=1"},
            {"''-x", "'''-x"},
            {"-1.5e-3", "-1.5e-3"},
            {"+3", "+3"},
            {"'quoted'", "'quoted'"},
            {"a=b", "a=b"},
            {"<script>", "<script>"},
            {"", ""}};
  const PetscInt n = PETSC_STATIC_ARRAY_LENGTH(of);
  Text text = {0};
  Mistakes mistakes = {0};
  CSVReader reader;
  char *field[2];
  TextAdd(&text, "head\n");
  for (PetscInt i = 0; i < n; i++) {
    const size_t from = text.length;
    TextAddCSV(&text, of[i].name);
    assert_string_equal(text.data + from, of[i].field);
    TextAdd(&text, ",x\n");
  }
  Put("formulas.csv", text.data);
  assert_true(CSVOpen(file, &mistakes, &reader));
  (void)CSVHeader(&reader);
  for (PetscInt i = 0; i < n; i++) {
    assert_int_equal(CSVNext(&reader, 2, field), 2);
    assert_string_equal(field[0], of[i].name);
  }
  CSVClose(&reader);
  TextDestroy(&text);
}

static void BrokenRecords(void **state)
{
  static const struct {
    const char *text, *problem;
  } bad[] = {{"h\n\"open,1\n2,3\n", "has an open quote"}, {"h\n\"a\"b,1\n", "has a stray character"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(bad); i++) {
    Mistakes mistakes = {0};
    CSVReader reader;
    char *field[1];
    Put("broken.csv", bad[i].text);
    assert_true(CSVOpen(file, &mistakes, &reader));
    (void)CSVHeader(&reader);
    assert_int_equal(CSVNext(&reader, 1, field), 0);
    assert_string_equal(reader.problem, bad[i].problem);
    assert_int_equal(reader.line, 2);
    assert_int_equal(CSVNext(&reader, 1, field), 0); /* that was the end */
    CSVClose(&reader);
  }
}

static void Ions(void **state)
{
  static const struct {
    const char *name;
    PetscInt Z, A;
  } good[] = {{"1H", 1, 1}, {"4He", 2, 4}, {"11C", 6, 11}, {"12C", 6, 12}, {"16O", 8, 16}, {"20Ne", 10, 20}};
  static const char *const bad[] = {"", "C", "12", "12c", "12 C", "12CO", "5C", "1234C", "12Na", "1n", "-12C"};
  Species species;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(good); i++) {
    char name[16];
    assert_true(SpeciesFind(good[i].name, &species));
    assert_true(species.Z == good[i].Z && species.A == good[i].A);
    SpeciesName(species, name);
    assert_string_equal(name, good[i].name);
  }
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(bad); i++) assert_false(SpeciesFind(bad[i], &species));
  assert_true(ElementFind("Bell", 1, &species) && species.Z == 5 && species.A == 11);
  assert_true(ElementFind("Bell", 2, &species) && species.Z == 4 && species.A == 9);
  assert_string_equal(ElementSymbol(0), "n");
  assert_string_equal(ElementSymbol(10), "Ne");
  assert_string_equal(ElementSymbol(11), "?");
  assert_string_equal(ElementSymbol(-1), "?");
}

/* What SLURM gives counts where it is the least. */
static void Memory(void **state)
{
  unsetenv("SLURM_MEM_PER_NODE");
  const double free_bytes = MemoryAvailable();
  assert_true(free_bytes > 1e6 && free_bytes < 1e15);
  setenv("SLURM_MEM_PER_NODE", "1", 1);
  assert_true(MemoryAvailable() == 1048576);
  setenv("SLURM_MEM_PER_NODE", "1000000000", 1);
  assert_true(MemoryAvailable() < 1e15);
  unsetenv("SLURM_MEM_PER_NODE");
}

/* A status comes back as it was written; what stands in its texts is not taken for more of it. */
static void StatusBack(void **state)
{
  static const char *const none[] = {"", "{\"state\": \"done", "{\"state\": \"finished\"}",
                                     "{\"message\": \"\\\"state\\\": \\\"done\\\"\"}"};
  Mistakes mistakes = {0};
  PlanStatus status;
  for (int s = 0; s < N_STATES; s++) {
    const RunStatus written = {.state = (RunState)s,
                               .message = "\"state\": \"done\", \"seconds\": 3",
                               .started = 1e9,
                               .seconds = 12.5,
                               .ranks = s};
    assert_true(StatusWrite(folder, &written, &mistakes));
    assert_int_equal(StatusRead(folder, &status), 0);
    assert_true(status.there && status.state == written.state && status.seconds == 12.5);
    assert_int_equal(status.ranks, PetscMax(1, s)); /* 0: not said */
    assert_string_equal(status.message, written.message);
  }
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(none); i++) {
    Put("status.json", none[i]);
    assert_int_equal(StatusRead(folder, &status), 0);
    assert_true(!status.there && status.seconds == 0 && status.ranks == 1 && !status.message[0]);
  }
  unlink(file);
  assert_int_equal(StatusRead(folder, &status), 0);
  assert_false(status.there);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(MovedMistakes), cmocka_unit_test(Records),
                                     cmocka_unit_test(BrokenRecords), cmocka_unit_test(Formulas),
                                     cmocka_unit_test(Ions),          cmocka_unit_test(Memory),
                                     cmocka_unit_test(StatusBack)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  snprintf(folder, sizeof folder, "/tmp/robion_test_base_XXXXXX");
  if (!mkdtemp(folder)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  static const char *const made[] = {"records.csv", "broken.csv"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(made); i++) {
    snprintf(file, sizeof file, "%s/%s", folder, made[i]);
    unlink(file);
  }
  rmdir(folder);
  PetscFinalize();
  return failures;
}
