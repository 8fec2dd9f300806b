/* Processes that read for this one: what they send comes back, and none of their ends is ours. */
#include "robion/child.h"
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char file[] = "/nowhere/file.h5"; /* whose size is unknown: the shortest time */

/* --- What children do ---------------------------------------------------------------------------------------------- */

static void SendMuch(const Child *self, void *context)
{
  const size_t n = *(const size_t *)context;
  unsigned char *much = malloc(n);
  for (size_t i = 0; i < n; i++) much[i] = (unsigned char)(i * 7 >> 3);
  (void)ChildSend(self, much, n);
}

static void SendMistakes(const Child *self, void *context)
{
  Mistakes mistakes = {0};
  char longest[5000];
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = 0;
  (void)MistakesAdd(&mistakes, ROBION_INPUT, "one");
  (void)MistakesAdd(&mistakes, ROBION_RESOURCES, "%s", longest);
  (void)ChildSendMistakes(self, &mistakes);
}

static void Echo(const Child *self, void *context)
{
  int number;
  while (ChildReceive(self, &number, sizeof number)) (void)ChildSend(self, &number, sizeof number);
}

/* Never, where way is 0: it may take five seconds, of which it leaves but one. */
static void EndBy(const Child *self, void *context)
{
  const int way = *(const int *)context;
  volatile double sum = 0;
  struct rlimit time = {0};
  fprintf(stderr, "this goes nowhere\n");
  if (way < 0) _exit(-way);
  if (way) (void)raise(way);
  if (getrlimit(RLIMIT_CPU, &time) || time.rlim_cur != 5) _exit(1);
  time.rlim_cur = 1;
  (void)setrlimit(RLIMIT_CPU, &time);
  for (;;) sum = sum + 1;
}

/* --- Tests --------------------------------------------------------------------------------------------------------- */

static int OpenFiles(void)
{
  int n = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder && readdir(folder)) n++;
  if (folder) closedir(folder);
  return n;
}

static void Sent(void **state)
{
  size_t n = 5000001; /* more than a socket holds */
  Child child;
  Mistakes mistakes = {0};
  unsigned char *much = calloc(n, 1);
  assert_true(ChildBegin(file, SendMuch, &n, &mistakes, &child));
  assert_true(ChildReceive(&child, much, n));
  for (size_t i = 0; i < n; i++)
    if (much[i] != (unsigned char)(i * 7 >> 3)) fail_msg("byte %zu is %d", i, much[i]);
  assert_false(ChildReceive(&child, much, 1));
  assert_true(ChildEnd(&child, file, &mistakes));
  assert_int_equal(mistakes.n, 0);
  free(much);
}

static void Told(void **state)
{
  Child child;
  Mistakes mistakes = {0};
  assert_true(ChildBegin(file, SendMistakes, NULL, &mistakes, &child));
  assert_true(ChildReceiveMistakes(&child, &mistakes) && ChildEnd(&child, file, &mistakes));
  assert_int_equal(mistakes.n, 2);
  assert_string_equal(mistakes.item[0].text, "one");
  assert_int_equal(mistakes.item[1].exit, ROBION_RESOURCES);
  assert_int_equal(strlen(mistakes.item[1].text), 4095);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

/* Two at once: the second holds a copy of what leads to the first, which must not wait for it. */
static void TwoAtOnce(void **state)
{
  Child child[2];
  Mistakes mistakes = {0};
  const int files = OpenFiles();
  for (int k = 0; k < 2; k++) assert_true(ChildBegin(file, Echo, NULL, &mistakes, &child[k]));
  for (int i = 0; i < 100; i++) {
    int back = -1;
    assert_true(ChildSend(&child[i % 2], &i, sizeof i) && ChildReceive(&child[i % 2], &back, sizeof back));
    assert_int_equal(back, i);
  }
  for (int k = 0; k < 2; k++) assert_true(ChildEnd(&child[k], file, &mistakes));
  assert_false(ChildEnd(&child[0], file, &mistakes)); /* ended already */
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(OpenFiles(), files);
  assert_true(waitpid(-1, NULL, WNOHANG) <= 0); /* none has been left to wait for */
}

static void assert_ends(int way, RobionExit exit_code, const char *words)
{
  Child child;
  char byte;
  Mistakes mistakes = {0};
  assert_true(ChildBegin(file, EndBy, &way, &mistakes, &child));
  assert_false(ChildReceive(&child, &byte, 1));
  assert_false(ChildSend(&child, &byte, 1) && ChildSend(&child, &byte, 1)); /* and no SIGPIPE */
  assert_false(ChildEnd(&child, file, &mistakes));
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), exit_code);
  if (!strstr(MistakesFirst(&mistakes), words) || strncmp(MistakesFirst(&mistakes), file, strlen(file)))
    fail_msg("expected \"%s\" in: %s", words, MistakesFirst(&mistakes));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void Ends(void **state)
{
  static const int crash[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
  for (size_t i = 0; i < sizeof crash / sizeof *crash; i++) assert_ends(crash[i], ROBION_INPUT, "crashed");
  assert_ends(SIGKILL, ROBION_RESOURCES, "more memory than there is");
  assert_ends(-1, ROBION_INPUT, "the process that read it failed");
  assert_ends(0, ROBION_INPUT, "does not end");
}

static void Catch(int signal_number) {}

/* What stops this program leaves a child alone, whatever this program does of the signals; it ends with this program's socket. */
static void Signals(void **state)
{
  static const int asks[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
  Child child;
  Mistakes mistakes = {0};
  int number = 7;
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGSEGV);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  void (*handler)(int) = signal(SIGSEGV, Catch);
  assert_true(ChildBegin(file, Echo, NULL, &mistakes, &child));
  assert_true(ChildSend(&child, &number, sizeof number) && ChildReceive(&child, &number, sizeof number));
  for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) assert_int_equal(kill(child.process, asks[i]), 0);
  assert_true(ChildSend(&child, &number, sizeof number) && ChildReceive(&child, &number, sizeof number));
  assert_true(ChildEnd(&child, file, &mistakes));
  assert_ends(SIGSEGV, ROBION_INPUT, "crashed (Segmentation fault)");
  assert_true(ChildBegin(file, Echo, NULL, &mistakes, &child));
  ChildRefuse(&child);
  assert_false(ChildEnd(&child, file, &mistakes));
  assert_int_equal(mistakes.n, 1);
  signal(SIGSEGV, handler);
  sigprocmask(SIG_SETMASK, &before, NULL);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(Sent), cmocka_unit_test(Told), cmocka_unit_test(TwoAtOnce),
                                     cmocka_unit_test(Ends), cmocka_unit_test(Signals)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
