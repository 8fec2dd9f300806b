/*
 * What an iteration of the solver costs beside the evaluation of the objective: on vectors of as many variables as plans have spots, with
 * all curvature pairs there, the parts that the ranks share (direction, steps, bounds, pairs) and what every rank does whole (weights
 * gathered and the gradient handed back, as for an evaluation). The objective itself is a cheap one, whose time is taken out.
 *
 * build/tests/bench_descent [FILE.csv]
 */
#include "../../src/optimize/descent.h"
#include "bench.h"
#include <math.h>

enum { WARM_UP = 25, ITERATIONS = 40, REPEATS = 20 };
static const PetscInt spots[] = {20000, 138560, 322692};

typedef struct Valley {
  const Slices *slices;
  double *part; /* [n_own] */
  Clock spent;  /* on this rank */
  PetscInt iteration;
  Clock from; /* when the pairs were all there */
} Valley;

/* sum_j c_j (x_j - a_j)^2, c from 1 to 10^4: a long way down. */
static PetscErrorCode Fall(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  PetscFunctionBegin;
  Valley *valley = context;
  const Slices *slices = valley->slices;
  const double wall = MPI_Wtime(), cpu = ProcessorTime();
  const PetscScalar *at;
  PetscScalar *slope;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &at));
  PetscCall(VecGetArrayWrite(g, &slope));
  for (PetscInt j = 0; j < slices->n_own; j++) {
    const uint32_t mixed = (uint32_t)(slices->first + j) * 2654435761u;
    const double c = 1 + 1e4 * pow((double)(mixed >> 16) / 65536, 4),
                 off = at[j] - (double)(mixed & 0xffff) / 65536 + 0.2;
    valley->part[j] = c * off * off;
    slope[j] = 2 * c * off;
  }
  PetscCall(VecRestoreArrayWrite(g, &slope));
  PetscCall(VecRestoreArrayRead(x, &at));
  const Factors of_part = {.a = valley->part};
  PetscCall(SlicesDots(slices, 1, &of_part, NULL, f));
  valley->spent.wall_s += MPI_Wtime() - wall;
  valley->spent.cpu_s += ProcessorTime() - cpu;
  PetscFunctionReturn(0);
}

static PetscErrorCode CountIterations(Tao tao, void *context)
{
  PetscFunctionBegin;
  Valley *valley = context;
  if (valley->iteration++ == WARM_UP) {
    valley->spent = (Clock){0};
    PetscCall(ClockBegin(&valley->from));
  }
  if (valley->iteration > WARM_UP + ITERATIONS) PetscCall(TaoSetConvergedReason(tao, TAO_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* An iteration without its evaluations. */
static PetscErrorCode MeasureIteration(const Slices *slices, Clock *out)
{
  PetscFunctionBegin;
  Valley valley = {.slices = slices};
  DescentHistory history;
  Tao tao;
  Vec x, low, high;
  PetscCall(PetscMalloc1(slices->n_own, &valley.part));
  PetscCall(DescentHistoryCreate(slices, &history));
  PetscCall(VecCreateMPI(slices->comm, slices->n_own, slices->n, &x));
  PetscCall(VecDuplicate(x, &low));
  PetscCall(VecDuplicate(x, &high));
  PetscCall(VecSet(x, 1));
  PetscCall(VecSet(low, 0));
  PetscCall(VecSet(high, PETSC_INFINITY));
  PetscCall(TaoCreate(slices->comm, &tao));
  PetscCall(TaoSetType(tao, TAO_DESCENT));
  PetscCall(DescentSetHistory(tao, &history));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetVariableBounds(tao, low, high));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, Fall, &valley));
  PetscCall(TaoSetConvergenceTest(tao, CountIterations, &valley));
  PetscCall(TaoSolve(tao));
  PetscCall(ClockEnd(&valley.from));
  PetscCheck(valley.iteration > WARM_UP + ITERATIONS && history.n_pair == DESCENT_PAIRS, slices->comm, PETSC_ERR_PLIB,
             "the solver ended after %d iterations with %d pairs", (int)valley.iteration, (int)history.n_pair);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &valley.spent.wall_s, 1, MPI_DOUBLE, MPI_MAX, slices->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &valley.spent.cpu_s, 1, MPI_DOUBLE, MPI_SUM, slices->comm));
  *out = (Clock){(valley.from.wall_s - valley.spent.wall_s) / ITERATIONS,
                 (valley.from.cpu_s - valley.spent.cpu_s) / ITERATIONS};
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&low));
  PetscCall(VecDestroy(&high));
  PetscCall(DescentHistoryDestroy(&history));
  PetscCall(PetscFree(valley.part));
  PetscFunctionReturn(0);
}

/* What is whole on every rank: weights from all slices, copied into the problem, and a gradient added up, copied and handed back. */
static PetscErrorCode MeasureWhole(const Slices *slices, Clock *out)
{
  PetscFunctionBegin;
  double *own, *whole, *weight, *gradient;
  PetscCall(PetscCalloc4(slices->n_own, &own, slices->n, &whole, slices->n, &weight, slices->n, &gradient));
  for (int repeat = -1; repeat < REPEATS; repeat++) {
    if (repeat == 0) PetscCall(ClockBegin(out));
    PetscCall(SlicesGather(slices, own, whole));
    PetscCall(PetscArraycpy(weight, whole, slices->n));
    PetscCall(PetscArrayzero(gradient, slices->n));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, gradient, (PetscMPIInt)slices->n, MPI_DOUBLE, MPI_SUM, slices->comm));
    for (PetscInt j = 0; j < slices->n; j++) whole[j] += gradient[j];
    PetscCall(PetscArraycpy(gradient, whole, slices->n));
    PetscCall(PetscArraycpy(own, gradient + slices->first, slices->n_own));
  }
  PetscCall(ClockEnd(out));
  out->wall_s /= REPEATS;
  out->cpu_s /= REPEATS;
  PetscCall(PetscFree4(own, whole, weight, gradient));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  FILE *csv;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(BenchOpen(argc, argv, &csv));
  PetscCall(DescentRegister());
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(spots); i++) {
    Slices slices;
    Clock shared, whole;
    PetscCall(SlicesCreate(PETSC_COMM_WORLD, spots[i], PETSC_FALSE, &slices));
    PetscCall(MeasureIteration(&slices, &shared));
    PetscCall(MeasureWhole(&slices, &whole));
    const BenchCase of = {slices.size, "descent", "-", 0, spots[i], 0};
    const double alone = BenchOnOneRank(csv, &of, "solver_wall");
    if (i == 0 && slices.rank == 0)
      printf("%7s %5s  %25s  %23s  %s\n%7s %5s  %8s %8s %7s  %11s %11s\n", "", "", "shared by the ranks, ms",
             "whole on each rank, ms", "of an iteration beside its evaluation", "spots", "ranks", "wall", "CPU",
             "faster", "wall", "CPU / rank");
    if (slices.rank == 0) {
      printf("%7d %5d  %8.2f %8.2f", (int)spots[i], slices.size, 1e3 * shared.wall_s, 1e3 * shared.cpu_s);
      if (alone > 0)
        printf(" %7.2f", alone / shared.wall_s);
      else
        printf(" %7s", "-");
      printf("  %11.3f %11.3f\n", 1e3 * whole.wall_s, 1e3 * whole.cpu_s / slices.size);
      BenchFigure(csv, &of, "solver_wall", shared.wall_s, "s");
      BenchFigure(csv, &of, "solver_cpu", shared.cpu_s, "s");
      BenchFigure(csv, &of, "whole_wall", whole.wall_s, "s");
      BenchFigure(csv, &of, "whole_cpu", whole.cpu_s, "s");
    }
    PetscCall(SlicesDestroy(&slices));
  }
  if (csv) fclose(csv);
  return PetscFinalize();
}
