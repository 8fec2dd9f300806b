/*
 * What other solvers make of the worst case: the RTOG phantom on a coarse grid, composite minimax over 14 scenarios and the nominal
 * one. First robion's own solver with its certified gap, and the worst case of plans for the expectation and for the nominal
 * scenario; then solvers of TAO's, each with three times as many evaluations, on smooth maxima mu ln sum_s exp(F_s / mu) / n of falling mu.
 * The figure of all of them is the least max_s F_s met. Types of TAO's as further arguments select some. Nothing here passes or fails,
 * but it says who is ahead. What counts is evaluations: for so few voxels the assembled operator makes them in the least time.
 */
#include "bench.h"
#include <math.h>
#include <petsctao.h>

#define RTOG                                                                                                           \
  "robion: 1\nname: bench\ncases: [{phantom: rtog, ct_spacing_mm: 2}]\nbeams: [{gantry_deg: 0}, {gantry_deg: 90}, "    \
  "{gantry_deg: 270}]\nprescription: {dose_Gy_RBE: 4.8, target: CTV}\nmachine: {energy_max_MeV_u: 300}\nrobust: "      \
  "composite\nstructures: {rim: ring 0-9 mm around CTV}\nobjectives:\n  - {structure: CTV, type: uniform, "            \
  "dose_Gy_RBE: 4.8, weight: 100}\n  - {structure: OAR, type: overdose, dose_Gy_RBE: 0, weight: 0.5}\n  - "            \
  "{structure: "                                                                                                       \
  "rim, type: overdose, dose_Gy_RBE: 4.8, weight: 20}\ndose_grid_mm: 8\nspots: {lateral_mm: 12, layer_mm: 8, "         \
  "margin_mm: "                                                                                                        \
  "4}\nscenarios: {optimize: {range_percent: [-3.5, 3.5], setup_mm: 2, setup: axes}}\noptimizer: {max_iterations: "    \
  "300, certificate_iterations: 100}\n"

enum { MOST_TERMS = 8, TIMES_OURS = 3 };
static const double temperature[] = {0.2, 0.1, 0.05, 0.02, 0.01, 0.005}; /* mu, as shares of the least maximum so far */
static const char *const types[] = {"blmvm", "bqnls", "bncg", "bqnkls", "bqnktr", "bqnktl"};

/* One way through a problem by TAO: how often it was evaluated, and the least maximum over scenarios. */
typedef struct Walk {
  Problem problem;
  PetscInt n_spot, evaluations, most;
  double unit, best, *weight; /* particles per unit of a variable */
} Walk;

static PetscErrorCode Evaluate(Tao tao, Vec x, PetscReal *f, Vec g, void *context)
{
  PetscFunctionBegin;
  Walk *walk = context;
  const PetscScalar *variable;
  PetscScalar *gradient;
  double worst;
  PetscInt row;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &variable));
  for (PetscInt j = 0; j < walk->n_spot; j++) walk->weight[j] = walk->unit * variable[j];
  PetscCall(VecRestoreArrayRead(x, &variable));
  PetscCall(VecGetArrayWrite(g, &gradient));
  PetscCall(ProblemEvaluate(walk->problem, walk->weight, f, gradient));
  for (PetscInt j = 0; j < walk->n_spot; j++) gradient[j] *= walk->unit;
  PetscCall(VecRestoreArrayWrite(g, &gradient));
  PetscCall(ProblemGetTrueObjective(walk->problem, &worst, &row));
  walk->evaluations++;
  walk->best = PetscMin(walk->best, worst);
  PetscFunctionReturn(0);
}

static PetscErrorCode StopWhenSpent(Tao tao, void *context)
{
  PetscFunctionBegin;
  const Walk *walk = context;
  if (walk->evaluations >= walk->most) PetscCall(TaoSetConvergedReason(tao, TAO_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* A solver of TAO's on smooth maxima of falling temperature; all ranks move the same whole vector. */
static PetscErrorCode WalkByTao(const char *type, PetscInt n_row, PetscInt evaluations, Walk *walk)
{
  PetscFunctionBegin;
  Tao tao;
  Vec x, low, high;
  double *multiplier;
  const PetscInt n_temperature = PETSC_STATIC_ARRAY_LENGTH(temperature);
  PetscCall(PetscMalloc1(n_row, &multiplier));
  for (PetscInt s = 0; s < n_row; s++) multiplier[s] = 1.0 / (double)n_row;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, walk->n_spot, &x));
  PetscCall(VecDuplicate(x, &low));
  PetscCall(VecDuplicate(x, &high));
  PetscCall(VecSet(x, 1));
  PetscCall(VecSet(low, 0));
  PetscCall(VecSet(high, PETSC_INFINITY));
  PetscCall(TaoCreate(PETSC_COMM_SELF, &tao));
  PetscCall(TaoSetType(tao, type));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetVariableBounds(tao, low, high));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, Evaluate, walk));
  PetscCall(TaoSetConvergenceTest(tao, StopWhenSpent, walk));
  /* The bqnk types of PETSc 3.18 scale their matrix, which the kind they begin with does not know. */
  PetscCall(PetscOptionsSetValue(NULL, "-tao_bqnk_mat_type", MATLMVMBFGS));
  PetscCall(TaoSetFromOptions(tao));
  PetscCall(TaoSetMaximumFunctionEvaluations(tao, PETSC_MAX_INT));
  PetscCall(TaoSetMaximumIterations(tao, PETSC_MAX_INT));
  for (PetscInt k = 0; k < n_temperature; k++) {
    double mu = temperature[k] * walk->best;
    PetscCall(ProblemSetSmoothMax(walk->problem, &mu, multiplier));
    walk->most = (k + 1) * evaluations / n_temperature;
    PetscCall(TaoSolve(tao));
  }
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&low));
  PetscCall(VecDestroy(&high));
  PetscCall(PetscFree(multiplier));
  PetscFunctionReturn(0);
}

/* The largest F_s of weights in the worst-case problem, on all ranks. */
static PetscErrorCode WorstOf(Problem problem, const double *weight, double *worst)
{
  PetscFunctionBegin;
  PetscInt row;
  PetscCall(ProblemEvaluate(problem, weight, worst, NULL));
  PetscCall(ProblemGetTrueObjective(problem, worst, &row));
  PetscFunctionReturn(0);
}

/* Robion's own plan in a mode, and what it is worth in the worst case. */
static PetscErrorCode OwnPlan(const PlanInputs *in, RobustMode mode, double unit, Problem composite, double *worst,
                              Solution *solution)
{
  PetscFunctionBegin;
  ProblemSpec spec = PlanProblem(in, INFLUENCE_ASSEMBLED);
  RobustSpec robust = *spec.robust;
  Term term[MOST_TERMS];
  Problem problem;
  double *start;
  PetscCheck(spec.n_term <= MOST_TERMS, PETSC_COMM_WORLD, PETSC_ERR_PLIB, "%d terms, expected at most %d",
             (int)spec.n_term, (int)MOST_TERMS);
  for (PetscInt t = 0; t < spec.n_term; t++) {
    term[t] = in->term[t];
    term[t].mode = mode;
  }
  robust.mode = mode;
  spec.term = term;
  spec.robust = &robust;
  PetscCall(PetscMalloc1(spec.n_spot, &start));
  for (PetscInt j = 0; j < spec.n_spot; j++) start[j] = unit;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, &spec, &problem));
  const SolveSpec solve = {.problem = problem, .terms = &spec, .optimizer = &in->settings->optimizer, .start = start};
  PetscCall(ProblemSolve(PETSC_COMM_WORLD, &solve, solution));
  PetscCall(WorstOf(composite, solution->weight, worst));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}

/* Particles in every spot that give the first term its goal on average. */
static PetscErrorCode CommonWeight(Problem problem, const ProblemSpec *spec, double *unit)
{
  PetscFunctionBegin;
  double *weight, mean;
  PetscCall(PetscMalloc1(spec->n_spot, &weight));
  *unit = 1e5;
  for (int step = 0; step < 8; step++) {
    for (PetscInt j = 0; j < spec->n_spot; j++) weight[j] = *unit;
    PetscCall(ProblemTermMean(problem, 0, weight, &mean));
    *unit *= spec->term[0].goal / mean;
  }
  PetscCall(PetscFree(weight));
  PetscFunctionReturn(0);
}

static void Print(const BenchCase *of, const char *name, double worst, PetscInt evaluations, double ours, FILE *csv)
{
  char measure[64];
  printf("%-14s %12.6g %11d %+9.3f %%%s\n", name, worst, (int)evaluations, 100 * (worst / ours - 1),
         worst < ours ? "  AHEAD OF OURS" : "");
  snprintf(measure, sizeof measure, "max_F_%s", name);
  BenchFigure(csv, of, measure, worst, "1");
  fflush(stdout);
}

static PetscErrorCode Compare(int argc, char **argv, const PlanInputs *in, PetscMPIInt rank, const BenchCase *of,
                              FILE *csv)
{
  PetscFunctionBegin;
  static const RobustMode mode[] = {ROBUST_COMPOSITE, ROBUST_EXPECTED, ROBUST_NONE};
  const ProblemSpec spec = PlanProblem(in, INFLUENCE_ASSEMBLED);
  Problem problem;
  double unit, worst, ours = 0;
  PetscInt own_evaluations = 0;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, &spec, &problem));
  PetscCall(CommonWeight(problem, &spec, &unit));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(mode); i++) {
    Solution solution;
    PetscCall(OwnPlan(in, mode[i], unit, problem, &worst, &solution));
    if (i == 0) {
      ours = worst;
      own_evaluations = solution.n_evaluation - solution.spent[SPENT_CERTIFICATE];
    }
    if (rank == 0) {
      Print(of, robust_mode_names[mode[i]], worst, solution.n_evaluation - solution.spent[SPENT_CERTIFICATE], ours,
            csv);
      if (i == 0)
        printf("%-14s %12.6g  %s lower bound, gap %.3f %%, %d more evaluations; %s\n", "",
               solution.certificate.lower_bound, solution.certificate.rigorous ? "rigorous" : "local",
               100 * solution.certificate.gap, (int)solution.spent[SPENT_CERTIFICATE], solution.reason);
    }
    PetscCall(SolutionDestroy(&solution));
  }
  Walk walk = {.problem = problem, .n_spot = spec.n_spot, .unit = unit};
  PetscCall(PetscMalloc1(spec.n_spot, &walk.weight));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(types); i++) {
    walk.evaluations = 0;
    double first;
    PetscInt row;
    if (!BenchSelected(argc, argv, types[i])) continue;
    for (PetscInt j = 0; j < spec.n_spot; j++) walk.weight[j] = unit;
    PetscCall(ProblemEvaluate(problem, walk.weight, &first, NULL));
    PetscCall(ProblemGetTrueObjective(problem, &walk.best, &row));
    PetscCall(WalkByTao(types[i], spec.set->n, TIMES_OURS * own_evaluations, &walk));
    if (rank == 0) Print(of, types[i], walk.best, walk.evaluations, ours, csv);
  }
  PetscCall(PetscFree(walk.weight));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  FILE *csv;
  Mistakes mistakes = {0};
  Study *study;
  PlanContext context;
  PlanInputs in;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(BenchOpen(argc, argv, &csv));
  PetscCall(StudyParse(RTOG, strlen(RTOG), "bench", 0, NULL, &mistakes, &study));
  if (!study) MistakesPrint(&mistakes);
  PetscCheck(study, PETSC_COMM_WORLD, PETSC_ERR_USER, "the study is wrong");
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, 0, NULL, study, "build", &context));
  PetscCall(PlanInputsCreate(&context, &study->plans[0], NULL, NULL, &mistakes, &in));
  if (!in.model) MistakesPrint(&mistakes);
  PetscCheck(in.model, PETSC_COMM_WORLD, PETSC_ERR_USER, "the plan cannot be laid out");
  const BenchCase of = {context.size, "rtog-solvers", "assembled", in.optimize->n, in.beams->n_spot, in.n_voxel};
  if (context.rank == 0)
    printf("%d spots, %d voxels, %d scenarios\n%-14s %12s %11s %11s\n", (int)of.spots, (int)of.voxels,
           (int)of.scenarios, "solver", "max_s F_s", "evaluations", "to ours");
  PetscCall(Compare(argc, argv, &in, context.rank, &of, csv));
  PetscCall(PlanInputsDestroy(&in));
  PetscCall(PlanContextDestroy(&context));
  PetscCall(StudyDestroy(&study));
  if (csv) fclose(csv);
  return PetscFinalize();
}
