/*
 * Locks of a results folder and of single files. A folder's lock file holds a line about the run that has it, written after the lock is taken and read by who
 * does not get it; the file stays, empty of meaning without the lock. Jobs of an array hold a read lock on the folder's and a
 * write lock on their own, so that they keep out whole runs and the same job, but not each other.
 */
#include "robion/lock.h"
#include "robion/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* 0, EAGAIN if another process holds it, or another errno. */
static int Lock(int descriptor, short type)
{
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
  if (!fcntl(descriptor, F_SETLK, &lock)) return 0;
  return errno == EACCES ? EAGAIN : errno;
}

/* "host node1, process 4711, SLURM job 12, since 2026-01-31T12:00:00Z". */
static void WriteHolder(int descriptor)
{
  char host[128] = "", since[32], text[320];
  const char *job = getenv("SLURM_JOB_ID");
  gethostname(host, sizeof host - 1);
  TimeText(TimeNow(), since);
  int n = snprintf(text, sizeof text, "host %s, process %ld%s%.40s, since %s\n", host, (long)getpid(),
                   job ? ", SLURM job " : "", job ? job : "", since);
  if (ftruncate(descriptor, 0) || pwrite(descriptor, text, (size_t)n, 0) != n)
    LogLine(LOG_DETAIL, "study", NULL, "lock without a name");
}

static void ReadHolder(int descriptor, char text[320])
{
  ssize_t n = pread(descriptor, text, 319, 0);
  text[n > 0 ? n : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  if (!*text) snprintf(text, 320, "unknown");
}

/* An open descriptor with the lock, -1 if the file system has none, or -2 after a mistake. */
static int TakeOne(const char *folder, const char *part, short type, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN], holder[320];
  snprintf(file, sizeof file, "%s/.lock%s", folder, part);
  int descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file, strerror(errno));
    return -2;
  }
  const int reason = Lock(descriptor, type);
  if (reason == EAGAIN) {
    ReadHolder(descriptor, holder);
    (void)MistakesAdd(mistakes, ROBION_RESOURCES,
                      "%s: another run is at work there (%s): wait for its end, or give another folder with --results",
                      folder, holder);
  } else if (reason)
    LogLine(LOG_WARNING, "study", NULL, "%s: no lock (%s): see that no second run works in this folder", file,
            strerror(reason));
  if (reason) close(descriptor);
  if (!reason && type == F_WRLCK) WriteHolder(descriptor);
  return reason == EAGAIN ? -2 : reason ? -1 : descriptor;
}

PetscBool FolderLockTake(const char *folder, const char *part, Mistakes *mistakes, FolderLock *lock)
{
  lock->part = -1;
  lock->whole = TakeOne(folder, "", *part ? F_RDLCK : F_WRLCK, mistakes);
  if (lock->whole != -2 && *part) lock->part = TakeOne(folder, part, F_WRLCK, mistakes);
  if (lock->whole != -2 && lock->part != -2) return PETSC_TRUE;
  FolderLockRelease(lock);
  return PETSC_FALSE;
}

int FileLockWait(const char *file, double wait_s, const char *waiting_for)
{
  const struct timespec pause = {.tv_nsec = 100000000};
  const double start = TimeNow();
  const int descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  int reason = descriptor < 0 ? 0 : Lock(descriptor, F_WRLCK);
  if (reason == EAGAIN) LogLine(LOG_INFO, "study", NULL, "waiting for another run that %s", waiting_for);
  for (; reason == EAGAIN && TimeNow() - start < wait_s; reason = Lock(descriptor, F_WRLCK)) nanosleep(&pause, NULL);
  if (descriptor < 0 || !reason) return descriptor;
  close(descriptor);
  return -1;
}

void FileLockRelease(int *descriptor)
{
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

void FolderLockRelease(FolderLock *lock)
{
  if (lock->whole >= 0) close(lock->whole);
  if (lock->part >= 0) close(lock->part);
  lock->whole = lock->part = -1;
}
