/* The log, events, status and provenance files of a run.  ranks: 1 2 */
#include "robion/log.h"
#include "robion/memory.h"
#include "robion/provenance.h"
#include "robion/status.h"
#include "robion/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[PETSC_MAX_PATH_LEN];
static PetscMPIInt rank;

/* The content of a file of the test's folder; it is removed. */
static char *Take(const char *name)
{
  char file[PETSC_MAX_PATH_LEN + 32], *content;
  size_t length;
  Mistakes mistakes = {0};
  snprintf(file, sizeof file, "%s/%s", folder, name);
  if (!FileRead(file, &content, &length, &mistakes)) fail_msg("%s", mistakes.item[0].text);
  assert_int_equal(unlink(file), 0);
  return content;
}

static void LinesAndEvents(void **state)
{
  Mistakes mistakes = {0};
  LogEvent("too_early", "n=%d", 1);
  assert_int_equal(LogOpen(PETSC_COMM_WORLD, folder, "", 0, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  LogLine(LOG_INFO, "optimize", "P01", "iteration %d\r\nof\t%s\033[31m", 7, "many");
  LogLine(LOG_DETAIL, "optimize", NULL, "not shown");
  LogEvent("plan_done", "case=%s n=%" PetscInt_FMT " big=%lld size=%zu value=%g bad=%g none=%s", "a \"b\"\n\\c",
           (PetscInt)3, 1LL << 40, (size_t)9, 0.25, (double)NAN, getenv("ROBION_NOTHING"));
  LogEvent("end", "seconds=%g", 1e-300);
  assert_int_equal(LogClose(), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank) return;
  char *log = Take("log.txt"), *events = Take("events.jsonl");
  assert_non_null(strstr(log, " info    optimize  P01               iteration 7  of many [31m\n"));
  assert_int_equal(strlen(log), strcspn(log, "\n") + 1); /* one line, whatever the message holds */
  assert_int_equal(log[2], ':');
  assert_null(strpbrk(log, "\r\t\033"));
  assert_memory_equal(events, "{\"time\": \"20", 12);
  assert_non_null(strstr(
      events, "Z\", \"event\": \"plan_done\", \"case\": \"a \\\"b\\\"\\u000a\\\\c\", \"n\": 3, \"big\": 1099511627776, "
              "\"size\": 9, \"value\": 0.25, \"bad\": null, \"none\": null}\n"));
  assert_non_null(strstr(events, "\"event\": \"end\", \"seconds\": 1e-300}\n"));
  PetscFree(log);
  PetscFree(events);
}

/* Said once: the same words of the same case and stage. A log that is opened anew begins anew. */
static void OnlyOnce(void **state)
{
  Mistakes mistakes = {0};
  for (int open = 0; open < 2; open++) {
    assert_int_equal(LogOpen(PETSC_COMM_WORLD, folder, "", 0, &mistakes), 0);
    for (int i = 0; i < 3; i++) {
      LogLineOnce(LOG_INFO, "case", "P01", "a line of %d", 1);
      LogLineOnce(LOG_INFO, "case", "P01", "a line of %d", 2);
      LogLineOnce(LOG_INFO, "case", "P02", "a line of %d", 1);
      LogLineOnce(LOG_INFO, "beams", "P01", "a line of %d", 1);
      LogLineOnce(LOG_INFO, "case", NULL, "a line of %d", 1);
    }
    assert_int_equal(LogClose(), 0);
    MPI_Barrier(PETSC_COMM_WORLD);
    if (!rank) {
      char *log = Take("log.txt");
      int lines = 0;
      for (const char *c = log; *c; c++) lines += *c == '\n';
      assert_int_equal(lines, 5);
      PetscFree(log);
    }
    MPI_Barrier(PETSC_COMM_WORLD);
  }
  if (rank) return;
  char *events = Take("events.jsonl");
  PetscFree(events);
}

static void FolderMissing(void **state)
{
  Mistakes mistakes = {0};
  assert_int_equal(LogOpen(PETSC_COMM_WORLD, "/nonexistent/folder", "", 1, &mistakes), 0);
  assert_int_equal(mistakes.n, 2); /* on every rank */
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  LogEvent("lost", "n=%d", 1);
  LogClose();
  MistakesClear(&mistakes);
}

static void Status(void **state)
{
  if (rank) return;
  Mistakes mistakes = {0};
  RunStatus status = {.state = STATE_DONE,
                      .plan = "cases/P01/conventional",
                      .patient = "P01",
                      .arm = "conventional",
                      .sweep = "",
                      .message = "converged, gap 1 %",
                      .started = 1e9,
                      .ended = 1e9 + 61.5};
  assert_true(StatusWrite(folder, &status, &mistakes));
  char *text = Take("status.json");
  assert_string_equal(text, "{\n  \"state\": \"done\",\n  \"plan\": \"cases/P01/conventional\",\n  \"case\": \"P01\",\n"
                            "  \"arm\": \"conventional\",\n  \"sweep\": \"\",\n  \"message\": \"converged, gap 1 %\",\n"
                            "  \"started\": \"2001-09-09T01:46:40Z\",\n  \"ended\": \"2001-09-09T01:47:41Z\",\n"
                            "  \"seconds\": 61.500\n}\n");
  PetscFree(text);
  status.ended = 0;
  status.arm = NULL;
  assert_true(StatusWrite(folder, &status, &mistakes));
  text = Take("status.json");
  assert_non_null(strstr(text, "\"arm\": null"));
  assert_non_null(strstr(text, "\"ended\": null"));
  PetscFree(text);
  assert_false(StatusWrite("/nonexistent/folder", &status, &mistakes));
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  MistakesClear(&mistakes);
}

static void Durations(void **state)
{
  const struct {
    double seconds;
    const char *text;
  } want[] = {
      {0, "0 s"},           {59.4, "59 s"},      {59.6, "1 min 00 s"}, {725, "12 min 05 s"}, {3599.7, "1 h 00 min"},
      {3900, "1 h 05 min"}, {86400, "1 d 00 h"}, {183600, "2 d 03 h"}, {NAN, "unknown"},     {-1, "unknown"}};
  char text[32];
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    DurationText(want[i].seconds, text);
    assert_string_equal(text, want[i].text);
  }
  TimeLeftText(60, 12, 80, text);
  assert_string_equal(text, "5 min 40 s");
  TimeLeftText(60, 0, 80, text);
  assert_string_equal(text, "unknown");
  assert_true(PeakMemory_MiB() > 1 && PeakMemory_MiB() < 1e5);
}

static void Hashes(void **state)
{
  /* Published vectors of FNV-1a 64 (draft-eastlake-fnv, appendix C). */
  assert_true(HashBytes(HASH_START, "", 0) == UINT64_C(0xcbf29ce484222325));
  assert_true(HashBytes(HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
  assert_true(HashBytes(HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* A phase that has taken ten seconds is told once; one that has begun just now, is done, or has not begun is not. */
static void Phases(void **state)
{
  Mistakes mistakes = {0};
  assert_int_equal(LogOpen(PETSC_COMM_WORLD, folder, "", 0, &mistakes), 0);
  Phase young = PhaseBegin("evaluate", "P01", "young"), old = PhaseBegin("evaluate", "P01", "doses");
  old.begun -= 10;
  old.told -= 10;
  PhaseTell(NULL, 1, 4);
  PhaseTell(&young, 1, 4);
  PhaseTell(&old, 0, 4);
  PhaseTell(&old, 4, 4);
  PhaseTell(&old, 1, 4);
  PhaseTell(&old, 2, 4);
  assert_int_equal(LogClose(), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank) return;
  char *log = Take("log.txt"), *events = Take("events.jsonl");
  assert_non_null(strstr(log, "evaluate  P01               doses: 25 %, about 30 s left\n"));
  assert_int_equal(strlen(log), strcspn(log, "\n") + 1);
  PetscFree(log);
  PetscFree(events);
}

static void ProvenanceFile(void **state)
{
  Mistakes mistakes = {0};
  Provenance p;
  InputFile input[2] = {{.kind = "case"}, {.kind = "rbe_table", .path = "/nonexistent"}};
  char *file = input[0].path;
  char *argv[] = {(char *)"robion", (char *)"run", (char *)"my study.yaml"};
  assert_true(snprintf(file, sizeof input[0].path, "%s/input", folder) < (int)sizeof input[0].path);
  if (rank == 0) assert_true(FileReplace(file, "foobar", 6, &mistakes));
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_equal(ProvenanceFill(PETSC_COMM_WORLD, 3, argv, "0123456789abcdef", &p), 0);
  assert_int_equal(InputFileHash(PETSC_COMM_WORLD, &mistakes, &input[0]), 0);
  assert_false(MistakesAny(&mistakes));
  assert_string_equal(input[0].hash, "85944171f73967e8");
  assert_int_equal(InputFileHash(PETSC_COMM_WORLD, &mistakes, &input[1]), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_string_equal(p.command, "robion run 'my study.yaml'");
  assert_memory_equal(p.petsc, "3.", 2);
  assert_memory_equal(p.hdf5, "1.", 2);
  if (rank == 0) {
    unlink(file);
    assert_true(ProvenanceWriteJSON(&p, 2, input, folder, "", &mistakes));
    char *text = Take("provenance.json");
    assert_non_null(strstr(text, "\"study_hash\": \"0123456789abcdef\""));
    assert_non_null(strstr(text, "/input\", \"fnv1a64\": \"85944171f73967e8\", \"bytes\": 6},\n"));
    assert_non_null(strstr(text, "\"path\": \"/nonexistent\", \"fnv1a64\": null, \"bytes\": null}\n  ]\n}\n"));
    PetscFree(text);
  }
  MistakesClear(&mistakes);
}

static void Quoting(void **state)
{
  Text text = {0};
  double number;
  const char *field[] = {"plain", "a,b", "say \"x\"", "two\nlines", ""};
  for (int i = 0; i < 5; i++) {
    TextAddCSV(&text, field[i]);
    TextAdd(&text, ";");
  }
  assert_string_equal(text.data, "plain;\"a,b\";\"say \"\"x\"\"\";\"two\nlines\";;");
  TextDestroy(&text);
  assert_true(TextParseNumber("1.25e3", &number));
  assert_double_near(number, 1250, 0);
  assert_false(TextParseNumber("1,5", &number));
  assert_false(TextParseNumber("", &number));
  assert_false(TextParseNumber("nan", &number));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(LinesAndEvents), cmocka_unit_test(OnlyOnce),  cmocka_unit_test(FolderMissing),
      cmocka_unit_test(Status),         cmocka_unit_test(Durations), cmocka_unit_test(Hashes),
      cmocka_unit_test(ProvenanceFile), cmocka_unit_test(Quoting),   cmocka_unit_test(Phases)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(folder, sizeof folder, "/tmp/robion_test_log_XXXXXX");
  if (rank == 0 && !mkdtemp(folder)) return 1;
  if (MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, PETSC_COMM_WORLD)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  if (rank == 0) rmdir(folder);
  PetscFinalize();
  return failures;
}
