/*
 * Children for fuzzing, in place of those of src/base/child.c (see robion/child.h): one process reads file after file, since a fork
 * takes many times as long as reading a small file. It ends after some hundred files or after one that it does not survive, and the
 * next begins with a new one. For work that wants more than the file's name there is a fork as ever.
 */
#include <hdf5.h>
#define ChildBegin ForkBegin
#define ChildEnd ForkEnd
#include "../../src/base/child.c"
#undef ChildBegin
#undef ChildEnd
#include <sys/un.h>

enum { MOST_FILES = 500, MOST_S = 20 };

typedef struct Wish {
  void (*work)(const Child *self, void *context);
  char file[PETSC_MAX_PATH_LEN];
} Wish;

static pid_t server;
static int line[2] = {-1, -1}; /* wishes go down; what comes up says that the work has ended */

/* A socket of its own for every file, as the work ends when that is shut. */
static void SendSocket(int through, int socket)
{
  char room[CMSG_SPACE(sizeof socket)] = {0}, byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof socket)};
  memcpy(CMSG_DATA(head), &socket, sizeof socket);
  if (sendmsg(through, &message, MSG_NOSIGNAL) < 0) errno = 0; /* the server has died: told at the end */
}

static int ReceiveSocket(int through)
{
  int socket = -1;
  char room[CMSG_SPACE(sizeof socket)], byte;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  if (recvmsg(through, &message, 0) <= 0 || !CMSG_FIRSTHDR(&message)) _exit(0);
  memcpy(&socket, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof socket);
  return socket;
}

/* What the work has left open; that it leaves memory is why a process does not read for ever. */
static void CloseAll(void)
{
  hid_t id[MOST_FILES];
  const ssize_t n = H5Fget_obj_ids(H5F_OBJ_ALL, H5F_OBJ_ALL, MOST_FILES, id);
  for (ssize_t i = n - 1; i >= 0; i--)
    while (H5Iis_valid(id[i]) > 0 && H5Idec_ref(id[i]) > 0) continue;
}

static void Serve(int up)
{
  Child self = {.process = 0, .socket = up};
  Isolate("");
  for (int i = 0; i < MOST_FILES; i++) {
    Wish wish;
    struct rusage used;
    self.socket = up;
    if (!ChildReceive(&self, &wish, sizeof wish)) break;
    self.socket = ReceiveSocket(up);
    getrusage(RUSAGE_SELF, &used);
    const struct rlimit time = {(rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + MOST_S), RLIM_INFINITY};
    (void)setrlimit(RLIMIT_CPU, &time);
    (*wish.work)(&self, wish.file);
    close(self.socket);
    CloseAll();
    if (write(up, "", 1) != 1) break;
  }
  _exit(0);
}

static void Begin(void)
{
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, line)) abort();
  server = fork();
  if (server < 0) abort();
  if (server == 0) {
    close(line[0]);
    Serve(line[1]);
  }
  close(line[1]);
}

static void Restart(void)
{
  close(line[0]);
  (void)waitpid(server, NULL, 0);
  Begin();
}

PetscBool ChildBegin(const char *file, void (*work)(const Child *self, void *context), void *context,
                     Mistakes *mistakes, Child *child)
{
  static int n;
  int pair[2];
  Wish wish = {.work = work};
  if (context != file) return ForkBegin(file, work, context, mistakes, child);
  if (!server) Begin();
  if (++n % MOST_FILES == 0) Restart();
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) abort();
  snprintf(wish.file, sizeof wish.file, "%s", file);
  (void)ChildSend(&(Child){.socket = line[0]}, &wish, sizeof wish);
  SendSocket(line[0], pair[1]);
  close(pair[1]);
  *child = (Child){.process = server, .socket = pair[0]};
  return PETSC_TRUE;
}

PetscBool ChildEnd(Child *child, const char *file, Mistakes *mistakes)
{
  char ended;
  if (child->process != server) return ForkEnd(child, file, mistakes);
  if (child->socket < 0) return PETSC_FALSE;
  (void)shutdown(child->socket, SHUT_RDWR);
  if (ChildReceive(&(Child){.socket = line[0]}, &ended, 1)) {
    close(child->socket);
    child->socket = -1;
    return PETSC_TRUE;
  }
  const PetscBool good = ForkEnd(child, file, mistakes);
  close(line[0]);
  Begin();
  return good;
}
