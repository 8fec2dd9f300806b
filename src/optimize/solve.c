/* The whole way from a start to a solution that all ranks know. */
#include "robion/log.h"
#include "solver_private.h"
#include <math.h>
#include <string.h>

/* Spots that hardly reach a structure with objectives count as coupled to it by at least this share of the mean. */
static const double COUPLING_FLOOR = 1e-2;

/*
 * Particles per unit of each variable. What a spot weighs in the curvature of the objective goes with how much dose it
 * brings to structures with objectives; with variables scaled by the root of that the curvature is about the same in all.
 */
static void ChooseUnits(Solver *s, const double *coupling)
{
  double mean = 0, start = 0;
  for (PetscInt j = 0; j < s->n_spot; j++) {
    mean += coupling[j] / s->n_spot;
    start += s->spec->start[j] / s->n_spot;
  }
  for (PetscInt j = 0; j < s->n_spot; j++)
    s->unit[j] = (start > 0 ? start : 1) * (mean > 0 ? sqrt(mean / (coupling[j] + COUPLING_FLOOR * mean)) : 1);
}

static PetscErrorCode CreateArrays(Solver *s)
{
  PetscFunctionBegin;
  const PetscInt n = s->n_spot, table = s->n_group * s->n_row;
  PetscCall(PetscMalloc5(n, &s->unit, n, &s->weight, n, &s->best, n, &s->known_x, n, &s->known_g));
  PetscCall(PetscMalloc4(s->n_group, &s->mu, table, &s->multiplier, table, &s->total, table, &s->lambda));
  PetscCall(SolverConstraintsCreate(s));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, &s->x));
  PetscCall(VecDuplicate(s->x, &s->low));
  PetscCall(VecDuplicate(s->x, &s->high));
  PetscCall(VecSet(s->low, 0));
  PetscCall(VecSet(s->high, PETSC_INFINITY));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyArrays(Solver *s)
{
  PetscFunctionBegin;
  PetscCall(TaoDestroy(&s->tao));
  PetscCall(DescentHistoryDestroy(&s->history));
  PetscCall(VecDestroy(&s->x));
  PetscCall(VecDestroy(&s->low));
  PetscCall(VecDestroy(&s->high));
  PetscCall(PetscFree5(s->unit, s->weight, s->best, s->known_x, s->known_g));
  PetscCall(SolverConstraintsDestroy(s));
  PetscCall(PetscFree4(s->mu, s->multiplier, s->total, s->lambda));
  PetscFunctionReturn(0);
}

/* Everything rank 0 does. */
static PetscErrorCode SolveOnRoot(Solver *s, const double *coupling)
{
  PetscFunctionBegin;
  PetscCall(CreateArrays(s));
  ChooseUnits(s, coupling);
  PetscCall(SolverGoTo(s, s->spec->start));
  PetscCall(PetscArraycpy(s->best, s->spec->start, s->n_spot));
  PetscCall(SolverCreateTao(s));
  if (s->spec->resume) PetscCall(SolverLoad(s, s->spec->resume));
  PetscCall(SolverRun(s));
  if (!s->solution->stopped) PetscCall(SolverCertify(s));
  PetscCall(PetscArraycpy(s->solution->weight, s->best, s->n_spot));
  PetscCall(PetscArraycpy(s->solution->multiplier, s->multiplier, s->n_group * s->n_row));
  s->solution->objective = s->best_objective;
  s->solution->seconds = SolverSeconds(s);
  PetscCall(DestroyArrays(s));
  PetscCall(ProblemRelease(s->problem));
  PetscFunctionReturn(0);
}

/* Give rank 0's solution to all ranks; its state stays where it is written. */
static PetscErrorCode ShareSolution(MPI_Comm comm, PetscInt n_spot, PetscInt n_multiplier, Solution *solution)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  Solution shared = *solution;
  PetscCallMPI(MPI_Bcast(&shared, (PetscMPIInt)sizeof shared, MPI_BYTE, 0, comm));
  if (rank > 0) {
    shared.weight = solution->weight;
    shared.multiplier = solution->multiplier;
    shared.constraint = solution->constraint;
    shared.state = (SolveState){0};
    PetscCall(PetscMalloc1(shared.n_history, &shared.history));
    *solution = shared;
  }
  const size_t lines = (size_t)solution->n_history * sizeof(Iteration);
  PetscCallMPI(MPI_Bcast(solution->history, (PetscMPIInt)lines, MPI_BYTE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->weight, (PetscMPIInt)n_spot, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->multiplier, (PetscMPIInt)n_multiplier, MPI_DOUBLE, 0, comm));
  PetscCallMPI(MPI_Bcast(solution->constraint, (PetscMPIInt)((size_t)solution->n_constraint * sizeof(ConstraintState)),
                         MPI_BYTE, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode Solve(MPI_Comm comm, const SolveSpec *spec, Solution *solution)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  Solver s = {.problem = spec->problem,
              .spec = spec,
              .n_spot = spec->terms->n_spot,
              .n_row = spec->terms->set->n,
              .best_objective = INFINITY,
              .round_start = -1,
              .start = TimeSteady(),
              .solution = solution};
  double *coupling;
  PetscCall(PetscArrayzero(solution, 1));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ProblemGetGroups(s.problem, &s.n_group));
  PetscCall(PetscCalloc1(s.n_spot, &solution->weight));
  PetscCall(PetscCalloc1(s.n_group * s.n_row, &solution->multiplier));
  PetscCall(ProblemGetConstraints(s.problem, &s.n_hard, &s.n_multiplier));
  PetscCall(PetscCalloc1(s.n_hard, &solution->constraint));
  solution->n_constraint = s.n_hard;
  PetscCall(PetscMalloc1(s.n_spot, &coupling));
  solution->n_group = s.n_group;
  PetscCall(BoundCreate(spec, s.problem, s.n_spot, spec->start, &s.bound, coupling));
  if (rank == 0)
    PetscCall(SolveOnRoot(&s, coupling));
  else
    PetscCall(ProblemServe(s.problem));
  PetscCall(ShareSolution(comm, s.n_spot, s.n_group * s.n_row, solution));
  PetscCall(BoundDestroy(&s.bound));
  PetscCall(PetscFree(coupling));
  PetscFunctionReturn(0);
}

PetscErrorCode SolutionDestroy(Solution *solution)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(solution->weight));
  PetscCall(PetscFree(solution->history));
  PetscCall(PetscFree(solution->multiplier));
  PetscCall(PetscFree(solution->constraint));
  PetscCall(SolveStateDestroy(&solution->state));
  solution->n_history = 0;
  PetscFunctionReturn(0);
}
