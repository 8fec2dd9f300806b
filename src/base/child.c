/*
 * Work on files of others in a process of its own, which may crash, hang or eat memory without taking the run with it. It is forked
 * without core file, output or handlers, with a bound on its processor time that grows with the file, and first in line where
 * memory runs out; answers and mistakes come back through a socket. How it ended says what was wrong with the file.
 */
#include "robion/child.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/*
 * Processor time after which a child counts as hung: unpacking fills 300 MB/s and more, of which a file's byte may hold some
 * hundred, and HDF5 fills what a file says to be empty.
 */
static const double LEAST_S = 5, S_PER_MB = 0.5;
enum { MOST_MISTAKES = 1000, LONGEST_MISTAKE = 4096 };

static double Allowance_s(const char *file)
{
  struct stat facts;
  return LEAST_S + (stat(file, &facts) ? 0 : S_PER_MB * 1e-6 * (double)facts.st_size);
}

/* Be the first that the kernel takes where memory runs out. */
static void OfferMemory(void)
{
  const char most[] = "1000";
  int file = open("/proc/self/oom_score_adj", O_WRONLY);
  if (file < 0) return;
  if (write(file, most, sizeof most - 1) < 0) errno = 0; /* then the kernel chooses */
  close(file);
}

void ChildAllow(const char *file)
{
  struct rusage used;
  struct rlimit time;
  if (getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &time)) return;
  const double so_far_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                          1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  time.rlim_cur = PetscMin(time.rlim_max, (rlim_t)(round(so_far_s) + ceil(Allowance_s(file))));
  (void)setrlimit(RLIMIT_CPU, &time);
}

/* In the child: nothing of this program's handling of signals, and no trace but the exit status. */
static void Isolate(const char *file)
{
  static const int deaf[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};
  const struct rlimit none = {0, 0};
  sigset_t all;
  int nowhere = open("/dev/null", O_WRONLY);
  for (int k = 1; k < 32; k++) (void)signal(k, SIG_DFL);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(deaf); i++) (void)signal(deaf[i], SIG_IGN);
  sigemptyset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, NULL);
  (void)setrlimit(RLIMIT_CORE, &none);
  ChildAllow(file);
  if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
#ifdef __linux__
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  OfferMemory();
}

PetscBool ChildBegin(const char *file, void (*work)(const Child *self, void *context), void *context,
                     Mistakes *mistakes, Child *child)
{
  int pair[2] = {-1, -1};
  sigset_t all, before;
  *child = (Child){.process = -1, .socket = -1};
  sigfillset(&all);
  (void)sigprocmask(SIG_BLOCK, &all, &before); /* until the child has its own way with them */
  if (!socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) child->process = fork();
  if (child->process == 0) {
    close(pair[0]);
    child->socket = pair[1];
    Isolate(file);
    (*work)(child, context);
    _exit(0);
  }
  const int reason = errno;
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  if (pair[1] >= 0) close(pair[1]);
  if (child->process > 0) {
    child->socket = pair[0];
    return PETSC_TRUE;
  }
  if (pair[0] >= 0) close(pair[0]);
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: no process can be made to read it: %s", file, strerror(reason));
  return PETSC_FALSE;
}

PetscBool ChildEnd(Child *child, const char *file, Mistakes *mistakes)
{
  int status = 0;
  if (child->socket < 0) return PETSC_FALSE;
  (void)shutdown(child->socket, SHUT_RDWR); /* closing alone tells nothing while another child holds a copy */
  close(child->socket);
  child->socket = -1;
  while (waitpid(child->process, &status, 0) < 0)
    if (errno != EINTR) return PETSC_TRUE; /* whoever ignores SIGCHLD does not want to know */
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return PETSC_TRUE;
  if (!WIFSIGNALED(status))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged: the process that read it failed", file);
  else if (WTERMSIG(status) == SIGKILL)
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: reading it takes more memory than there is", file);
  else if (WTERMSIG(status) == SIGXCPU)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged: reading it does not end", file);
  else
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged: the process that read it crashed (%s)", file,
                      strsignal(WTERMSIG(status)));
  return PETSC_FALSE;
}

void ChildRefuse(const Child *child)
{
  (void)kill(child->process, SIGABRT);
}

PetscBool ChildSend(const Child *child, const void *data, size_t n)
{
  const char *at = data;
  while (n) {
    const ssize_t sent = send(child->socket, at, n, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return PETSC_FALSE;
    at += sent;
    n -= (size_t)sent;
  }
  return PETSC_TRUE;
}

PetscBool ChildReceive(const Child *child, void *data, size_t n)
{
  char *at = data;
  while (n) {
    const ssize_t got = recv(child->socket, at, n, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return PETSC_FALSE;
    at += got;
    n -= (size_t)got;
  }
  return PETSC_TRUE;
}

PetscBool ChildSendMistakes(const Child *child, const Mistakes *mistakes)
{
  const PetscInt n = PetscMin(mistakes->n, (PetscInt)MOST_MISTAKES);
  PetscBool good = ChildSend(child, &n, sizeof n);
  for (PetscInt i = 0; good && i < n; i++) {
    const RobionExit exit_code = mistakes->item[i].exit;
    const size_t length = strlen(mistakes->item[i].text);
    good = ChildSend(child, &exit_code, sizeof exit_code) && ChildSend(child, &length, sizeof length) &&
                   ChildSend(child, mistakes->item[i].text, length)
               ? PETSC_TRUE
               : PETSC_FALSE;
  }
  return good;
}

PetscBool ChildReceiveMistakes(const Child *child, Mistakes *mistakes)
{
  PetscInt n = 0;
  if (!ChildReceive(child, &n, sizeof n)) return PETSC_FALSE;
  for (PetscInt i = 0; i < n; i++) {
    RobionExit exit_code;
    size_t length;
    char text[LONGEST_MISTAKE + 1];
    if (!ChildReceive(child, &exit_code, sizeof exit_code) || !ChildReceive(child, &length, sizeof length) ||
        length > LONGEST_MISTAKE || !ChildReceive(child, text, length))
      return PETSC_FALSE;
    text[length] = 0;
    (void)MistakesAdd(mistakes, exit_code == ROBION_RESOURCES ? ROBION_RESOURCES : ROBION_INPUT, "%s", text);
  }
  return PETSC_TRUE;
}
