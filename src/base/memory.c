/* Memory that this process has used, and that its node can still give. */
#include "robion/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
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

/* What the control group of the second or the first kind leaves of its limit; infinity: no limit. */
static double GroupMemory(void)
{
  static const char *const file[][2] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (int kind = 0; kind < 2; kind++) {
    const double limit = NumberIn(file[kind][0], "%lf", 1), used = NumberIn(file[kind][1], "%lf", 1);
    if (isfinite(limit)) return limit - (isfinite(used) ? used : 0);
  }
  return INFINITY;
}

double MemoryAvailable(void)
{
  const double mib = 1048576;
  const char *slurm = getenv("SLURM_MEM_PER_NODE");
  double have = NumberIn("/proc/meminfo", "MemAvailable: %lf kB", 1024);
  if (!isfinite(have)) have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  have = PetscMin(have, GroupMemory());
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
