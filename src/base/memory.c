/* Memory that this process has used, and that its node can still give. */
#include "robion/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* A number that a file begins a line with, times `unit`, or infinity. */
static double NumberIn(const char *file, const char *format, double unit)
{
  char line[128];
  double value = INFINITY, found;
  FILE *f = fopen(file, "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, format, &found) == 1) {
      value = unit * found;
      break;
    }
  if (f) fclose(f);
  return value;
}

/* The two versions of control groups: where they lie, and how files are named. */
typedef struct GroupVersion {
  const char *line; /* of /proc/self/cgroup, before the path of this process's group */
  const char *root;
  const char *most, *used;
} GroupVersion;

static const GroupVersion group_versions[] = {
    {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
    {"0::", "/sys/fs/cgroup", "memory.max", "memory.current"},
};

/* What a group and those it is in leave, bytes; path is cut. */
static double GroupsLeave(const GroupVersion *version, char *path)
{
  char most[PETSC_MAX_PATH_LEN], used[PETSC_MAX_PATH_LEN];
  double least = INFINITY;
  for (char *slash = path + strlen(path);; slash = strrchr(path, '/')) {
    if (slash) *slash = 0;
    snprintf(most, sizeof most, "%s%s/%s", version->root, path, version->most);
    snprintf(used, sizeof used, "%s%s/%s", version->root, path, version->used);
    const double limit = NumberIn(most, "%lf", 1), taken = NumberIn(used, "%lf", 1);
    if (isfinite(limit)) least = PetscMin(least, limit - (isfinite(taken) ? taken : 0));
    if (!*path) return least;
  }
}

/* What this process's control groups leave; inside of a container the path may be one outside, and the root is its own. */
static double ControlGroups(void)
{
  char line[PETSC_MAX_PATH_LEN];
  double least = INFINITY;
  FILE *f = fopen("/proc/self/cgroup", "r");
  while (f && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    for (size_t v = 0; v < PETSC_STATIC_ARRAY_LENGTH(group_versions); v++) {
      char *at = strstr(line, group_versions[v].line);
      if (at) least = PetscMin(least, GroupsLeave(&group_versions[v], at + strlen(group_versions[v].line)));
    }
  }
  if (f) fclose(f);
  return least;
}

double MemoryAvailable(void)
{
  const double mib = 1048576;
  const char *slurm = getenv("SLURM_MEM_PER_NODE");
  double have = NumberIn("/proc/meminfo", "MemAvailable: %lf kB", 1024);
  if (!isfinite(have)) have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  have = PetscMin(have, ControlGroups());
  if (slurm && atof(slurm) > 0) have = PetscMin(have, mib * atof(slurm));
  return PetscMax(0.0, have);
}

double PeakMemory_MiB(void)
{
  double kib = NumberIn("/proc/self/status", "VmHWM: %lf", 1); /* can be set back, ru_maxrss cannot */
  struct rusage usage;
  if (!isfinite(kib)) kib = getrusage(RUSAGE_SELF, &usage) ? 0 : (double)usage.ru_maxrss; /* Linux counts KiB */
  return kib / 1024.0;
}

void MemoryInUse(double *own, double *shared)
{
  PetscLogDouble all = 0;
  *own = NumberIn("/proc/self/status", "RssAnon: %lf kB", 1024);
  *shared = NumberIn("/proc/self/status", "RssShmem: %lf kB", 1024);
  if (isfinite(*own) && isfinite(*shared)) return;
  (void)PetscMemoryGetCurrentUsage(&all);
  *own = all;
  *shared = 0;
}

void MemoryGiveBack(void)
{
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void PeakMemoryReset(void)
{
  MemoryGiveBack(); /* what the plan before has freed is not this plan's */
  FILE *f = fopen("/proc/self/clear_refs", "w");
  if (!f) return;
  fputs("5", f); /* proc(5): sets the peak to the present value */
  fclose(f);
}

/* What a limit leaves of what /proc says is taken. */
static double LimitLeaves(int resource, const char *taken)
{
  struct rlimit limit;
  if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY) return INFINITY;
  const double used = NumberIn("/proc/self/status", taken, 1024);
  return PetscMax(0.0, (double)limit.rlim_cur - (isfinite(used) ? used : 0));
}

double MemoryOfProcess(void)
{
  return PetscMin(MemoryAvailable(),
                  PetscMin(LimitLeaves(RLIMIT_AS, "VmSize: %lf kB"), LimitLeaves(RLIMIT_DATA, "VmData: %lf kB")));
}

PetscErrorCode MemoryRoom(MPI_Comm comm, size_t bytes)
{
  PetscFunctionBegin;
  void *room =
      mmap(NULL, PetscMax(bytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int there = room != MAP_FAILED;
  if (there) munmap(room, PetscMax(bytes, 1));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &there, 1, MPI_INT, MPI_MIN, comm));
  PetscCheck(there, PETSC_COMM_SELF, PETSC_ERR_MEM, "takes %.3g GiB of memory, more than there is",
             (double)bytes / 1073741824);
  PetscFunctionReturn(0);
}
