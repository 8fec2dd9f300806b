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
static PetscErrorCode ChooseUnits(Solver *s, const double *start, const double *coupling)
{
  PetscFunctionBegin;
  const Factors factors[] = {{.a = coupling}, {.a = start}};
  double mean[2];
  PetscCall(SlicesDots(&s->slices, 2, factors, NULL, mean));
  for (int k = 0; k < 2; k++) mean[k] /= s->slices.n;
  for (PetscInt j = 0; j < s->slices.n_own; j++)
    s->unit[j] =
        (mean[1] > 0 ? mean[1] : 1) * (mean[0] > 0 ? sqrt(mean[0] / (coupling[j] + COUPLING_FLOOR * mean[0])) : 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateArrays(Solver *s)
{
  PetscFunctionBegin;
  const PetscInt n = s->slices.n_own, table = s->n_group * s->n_row;
  PetscCall(PetscMalloc5(n, &s->unit, n, &s->weight, n, &s->best, n, &s->known_x, n, &s->known_g));
  PetscCall(PetscMalloc2(s->slices.n, &s->all, s->slices.n, &s->slope));
  PetscCall(PetscMalloc4(s->n_group, &s->mu, table, &s->multiplier, table, &s->total, table, &s->lambda));
  PetscCall(SolverConstraintsCreate(s));
  PetscCall(SolverSetVectors(s));
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
  PetscCall(PetscFree2(s->all, s->slope));
  PetscCall(SolverConstraintsDestroy(s));
  PetscCall(PetscFree4(s->mu, s->multiplier, s->total, s->lambda));
  PetscCall(SolveStateDestroy(&s->state));
  PetscCall(SlicesDestroy(&s->slices));
  PetscFunctionReturn(0);
}

/* To the start, in units that suit the problem there. */
static PetscErrorCode Begin(Solver *s)
{
  PetscFunctionBegin;
  const double *start = s->spec->start + s->slices.first;
  double *coupling;
  PetscCall(PetscMalloc1(s->slices.n_own, &coupling));
  PetscCall(BoundCreate(s->spec, s->problem, &s->slices, s->spec->start, &s->bound, coupling));
  PetscCall(ChooseUnits(s, start, coupling));
  PetscCall(PetscFree(coupling));
  PetscCall(SolverGoTo(s, start));
  PetscCall(PetscArraycpy(s->best, start, s->slices.n_own));
  PetscFunctionReturn(0);
}

/* What the solver has found becomes everyone's solution; the state, if there is need of it, rank 0's. */
static PetscErrorCode TakeSolution(Solver *s)
{
  PetscFunctionBegin;
  Solution *solution = s->solution;
  PetscCall(SlicesGather(&s->slices, s->best, solution->weight));
  PetscCall(PetscArraycpy(solution->multiplier, s->multiplier, s->n_group * s->n_row));
  solution->objective = s->best_objective;
  solution->seconds = SolverSeconds(s);
  PetscCallMPI(MPI_Bcast(&solution->seconds, 1, MPI_DOUBLE, 0, s->slices.comm));
  if (solution->stopped) PetscCall(SolverCollectState(s, &solution->state));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateSolution(Solver *s)
{
  PetscFunctionBegin;
  Solution *solution = s->solution;
  PetscCall(PetscArrayzero(solution, 1));
  PetscCall(ProblemGetGroups(s->problem, &s->n_group));
  PetscCall(ProblemGetConstraints(s->problem, &s->n_hard, &s->n_multiplier));
  solution->n_constraint = s->n_hard;
  solution->n_group = s->n_group;
  PetscCall(PetscCalloc1(s->spec->terms->n_spot, &solution->weight));
  PetscCall(PetscCalloc1(s->n_group * s->n_row, &solution->multiplier));
  PetscCall(PetscCalloc1(s->n_hard, &solution->constraint));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemSolve(MPI_Comm comm, const SolveSpec *spec, Solution *solution)
{
  PetscFunctionBegin;
  const double now = TimeSteady();
  Solver s = {.problem = spec->problem,
              .spec = spec,
              .n_row = spec->terms->set->n,
              .best_objective = INFINITY,
              .round_start = -1,
              .start = now,
              .kept_s = now,
              .solution = solution};
  PetscMPIInt resumes = spec->resume ? 1 : 0;
  PetscCall(CreateSolution(&s));
  PetscCall(SolverCreateTao(comm, &s));
  PetscCall(CreateArrays(&s));
  PetscCall(Begin(&s));
  PetscCallMPI(MPI_Bcast(&resumes, 1, MPI_INT, 0, comm));
  if (resumes) PetscCall(SolverLoad(&s, spec->resume));
  PetscCall(SolverRun(&s));
  if (!solution->stopped) PetscCall(SolverCertify(&s));
  PetscCall(TakeSolution(&s));
  PetscCall(BoundDestroy(&s.bound));
  PetscCall(DestroyArrays(&s));
  PetscFunctionReturn(0);
}

PetscErrorCode SolutionDestroy(Solution *solution)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(solution->weight));
  PetscCall(PetscFree(solution->multiplier));
  PetscCall(PetscFree(solution->constraint));
  PetscCall(PetscFree(solution->history));
  PetscCall(SolveStateDestroy(&solution->state));
  solution->n_history = 0;
  PetscFunctionReturn(0);
}
