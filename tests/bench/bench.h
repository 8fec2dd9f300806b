/* What the bench programs share: clocks over all ranks, peak memory, and one CSV of figures for all of them. */
#pragma once
#include "robion/plan.h"
#include "robion/log.h"
#include "robion/memory.h"
#include <float.h>
#include <string.h>
#include <sys/resource.h>

/* What a figure is of; one line of the CSV per figure. */
typedef struct BenchCase {
  PetscMPIInt ranks;
  const char *plan, *operator; /* "-": of none */
  PetscInt scenarios, spots, voxels;
} BenchCase;

#define BENCH_HEADER "ranks,plan,operator,scenarios,spots,voxels,measure,value,unit\n"

static inline void BenchFigure(FILE *csv, const BenchCase *of, const char *measure, double value, const char *unit)
{
  if (csv)
    fprintf(csv, "%d,%s,%s,%d,%d,%d,%s,%.6g,%s\n", of->ranks, of->plan, of->operator,(int) of->scenarios,
            (int)of->spots, (int)of->voxels, measure, value, unit);
}

/* The last figure of the same kind on one rank, from the lines the CSV already has; 0 if it has none. */
static inline double BenchOnOneRank(FILE *csv, const BenchCase *of, const char *measure)
{
  char line[512], wanted[256];
  double found = 0;
  if (!csv) return 0;
  const int length = snprintf(wanted, sizeof wanted, "1,%s,%s,%d,%d,%d,%s,", of->plan, of->operator,(int) of->scenarios,
                              (int)of->spots, (int)of->voxels, measure);
  rewind(csv);
  while (fgets(line, sizeof line, csv))
    if (!strncmp(line, wanted, (size_t)length)) found = strtod(line + length, NULL);
  fseek(csv, 0, SEEK_END);
  return found;
}

/* The CSV named on the command line, on rank 0; NULL without one and elsewhere. */
static inline PetscErrorCode BenchOpen(int argc, char **argv, FILE **csv)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  *csv = NULL;
  if (rank || argc < 2) PetscFunctionReturn(0);
  *csv = fopen(argv[1], "a+");
  PetscCheck(*csv, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s cannot be written", argv[1]);
  fseek(*csv, 0, SEEK_END);
  if (ftell(*csv) == 0) fputs(BENCH_HEADER, *csv);
  PetscFunctionReturn(0);
}

/* What is named after the CSV; without names, all. */
static inline PetscBool BenchSelected(int argc, char **argv, const char *name)
{
  for (int i = 2; i < argc; i++)
    if (!strcmp(argv[i], name)) return PETSC_TRUE;
  return argc < 3 ? PETSC_TRUE : PETSC_FALSE;
}

/* Wall-clock and processor time; the latter is of all ranks together, so that a busy machine hardly changes it. */
typedef struct Clock {
  double wall_s, cpu_s;
} Clock;

static inline double ProcessorTime(void)
{
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
         1e-6 * ((double)use.ru_utime.tv_usec + (double)use.ru_stime.tv_usec);
}

static inline PetscErrorCode ClockBegin(Clock *clock)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  *clock = (Clock){MPI_Wtime(), ProcessorTime()};
  PetscFunctionReturn(0);
}

/* Turn what ClockBegin noted into the time since: of the slowest rank, and the sum. Collective. */
static inline PetscErrorCode ClockEnd(Clock *clock)
{
  PetscFunctionBegin;
  clock->wall_s = MPI_Wtime() - clock->wall_s;
  clock->cpu_s = ProcessorTime() - clock->cpu_s;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &clock->wall_s, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &clock->cpu_s, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

/* Resident memory at its peak, MiB, summed over the ranks: what they share on a node counts once for each that touched it. */
static inline PetscErrorCode PeakOfAllRanks_MiB(double *peak)
{
  PetscFunctionBegin;
  *peak = PeakMemory_MiB();
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, peak, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}
