/*
 * What whole plans cost: laying them out, building the operator, one evaluation of objective and gradient, memory; on the ranks
 * it is started with, by scenarios, spots and voxels, for a C-shaped target as matRad's (3 beams, 5 mm spots, 2 mm layers, all
 * voxels of the body on 3 mm: matRad 3.2 takes 502 CPU s and 15.9 GB for one scenario's matrix of 105.6 million nonzeros) and for
 * a target of 1,270 cm3 in a box of a pelvis' size. Processor time is summed over the ranks, memory too. Names of plans as further
 * arguments select some. Nothing here passes or fails by time.
 */
#include "bench.h"
#include <unistd.h>

enum { REPEATS = 3 };

#define RTOG                                                                                                           \
  "robion: 1\nname: bench\ncases: [{phantom: rtog, ct_spacing_mm: 2}]\nbeams: [{gantry_deg: 0}, {gantry_deg: 90}, "    \
  "{gantry_deg: 270}]\nprescription: {dose_Gy_RBE: 4.8, target: CTV}\nmachine: {energy_max_MeV_u: 300}\nrobust: "      \
  "composite\nstructures: {rim: ring 0-20 mm around CTV}\nobjectives:\n  - {structure: CTV, type: uniform, "           \
  "dose_Gy_RBE: 4.8, weight: 100}\n  - {structure: OAR, type: overdose, dose_Gy_RBE: 0, weight: 5}\n  - {structure: "  \
  "rim, type: overdose, dose_Gy_RBE: 2, weight: 1}\ndose_grid_mm: 3\nspots: {cover: nominal, margin_mm: 6}\n"
#define CSHAPE                                                                                                         \
  "robion: 1\nname: bench\ncases: [{file: %s/cases/tg119_analytic.h5}]\nbeams: [{gantry_deg: 0}, {gantry_deg: 90}, "   \
  "{gantry_deg: 270}]\nprescription: {dose_Gy_RBE: 1.6667, fractions: 30, target: OuterTarget}\nmachine: "             \
  "{energy_min_MeV_u: 115, energy_max_MeV_u: 400}\nrobust: composite\nobjectives:\n  - {structure: OuterTarget, "      \
  "type: uniform, dose_Gy_RBE: 1.6667, weight: 1000}\n  - {structure: Core, type: overdose, dose_Gy_RBE: 0.83, "       \
  "weight: 300}\n  - {structure: BODY, type: overdose, dose_Gy_RBE: 1, weight: 100}\ndose_grid_mm: 3\nspots: "         \
  "{lateral_mm: 5, layer_mm: 2, cover: nominal}\n"
#define PELVIS                                                                                                         \
  "robion: 1\nname: bench\ncases: [{phantom: water-box, ct_spacing_mm: 2, size_mm: [380, 240, 280], target_mm: [120, " \
  "105.8, 100]}]\nbeams: [{gantry_deg: 0}, {gantry_deg: 90}, {gantry_deg: 270}]\nprescription: {dose_Gy_RBE: 4.6, "    \
  "fractions: 16, target: CTV}\nrobust: composite\nstructures: {ring: ring 0-20 mm around CTV}\nobjectives:\n  - "     \
  "{structure: CTV, type: uniform, dose_Gy_RBE: 4.6, weight: 1000}\n  - {structure: ring, type: overdose, "            \
  "dose_Gy_RBE: 3, weight: 100}\ndose_grid_mm: 3\nspots: {lateral_mm: 3, layer_mm: 2}\n"

#define RANGES_1 "robust=none"
#define RANGES_7 "scenarios.optimize={range_percent: [0], setup: axes, setup_mm: 3}"
#define RANGES_21 "scenarios.optimize={range_percent: [-3.5, 0, 3.5], setup: axes, setup_mm: 3}"
#define RANGES_63                                                                                                      \
  "scenarios.optimize={range_percent: [-3.5, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.5], setup: axes, setup_mm: 3}"

static const struct {
  const char *name, *study, *set[2];
} plans[] = {{"rtog", RTOG, {RANGES_1}},
             {"rtog", RTOG, {RANGES_7}},
             {"rtog", RTOG, {RANGES_21}},
             {"rtog", RTOG, {RANGES_63}},
             {"rtog-spots", RTOG, {RANGES_21, "spots.lateral_mm=6"}},
             {"rtog-spots", RTOG, {RANGES_21, "spots.lateral_mm=3"}},
             {"rtog-spots", RTOG, {RANGES_21, "spots.lateral_mm=2"}},
             {"rtog-voxels", RTOG, {RANGES_21, "dose_grid_mm=4"}},
             {"rtog-voxels", RTOG, {RANGES_21, "dose_grid_mm=2"}},
             {"c-shape", CSHAPE, {RANGES_1}},
             {"c-shape", CSHAPE, {RANGES_21}},
             {"pelvis", PELVIS, {RANGES_21}}};

typedef struct Costs {
  Clock layout, build, evaluate;
  double peak_MiB;
} Costs;

/* An evaluation of objective and gradient as the optimiser asks for it; the mean of several, the first is not counted. */
static PetscErrorCode MeasureEvaluation(const PlanInputs *in, Costs *costs)
{
  PetscFunctionBegin;
  const ProblemSpec spec = PlanProblem(in, INFLUENCE_FACTORED);
  Problem problem;
  double *weight, *gradient, objective;
  PetscCall(PetscMalloc2(spec.n_spot, &weight, spec.n_spot, &gradient));
  for (PetscInt j = 0; j < spec.n_spot; j++) weight[j] = 1e5;
  PetscCall(ClockBegin(&costs->build));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, &spec, &problem));
  PetscCall(ClockEnd(&costs->build));
  for (int repeat = 0; repeat <= REPEATS; repeat++) {
    if (repeat == 1) PetscCall(ClockBegin(&costs->evaluate));
    PetscCall(ProblemEvaluate(problem, weight, &objective, gradient));
  }
  PetscCall(ClockEnd(&costs->evaluate));
  costs->evaluate.wall_s /= REPEATS;
  costs->evaluate.cpu_s /= REPEATS;
  PetscCall(ProblemDestroy(&problem));
  PetscCall(PetscFree2(weight, gradient));
  PetscFunctionReturn(0);
}

static void Print(const BenchCase *of, const Costs *costs, FILE *csv)
{
  const double alone = BenchOnOneRank(csv, of, "evaluate_wall");
  printf("%-12s %5d %9d %7d %7d  %8.2f %8.2f  %8.2f %8.2f  %8.3f %8.3f  %7.0f", of->plan, of->ranks, (int)of->scenarios,
         (int)of->spots, (int)of->voxels, costs->layout.wall_s, costs->layout.cpu_s, costs->build.wall_s,
         costs->build.cpu_s, costs->evaluate.wall_s, costs->evaluate.cpu_s, costs->peak_MiB);
  if (alone > 0)
    printf("  %6.2f\n", alone / costs->evaluate.wall_s);
  else
    printf("  %6s\n", "-");
  fflush(stdout);
  BenchFigure(csv, of, "layout_wall", costs->layout.wall_s, "s");
  BenchFigure(csv, of, "layout_cpu", costs->layout.cpu_s, "s");
  BenchFigure(csv, of, "build_wall", costs->build.wall_s, "s");
  BenchFigure(csv, of, "build_cpu", costs->build.cpu_s, "s");
  BenchFigure(csv, of, "evaluate_wall", costs->evaluate.wall_s, "s");
  BenchFigure(csv, of, "evaluate_cpu", costs->evaluate.cpu_s, "s");
  BenchFigure(csv, of, "peak_memory", costs->peak_MiB, "MiB");
}

/* One plan; base data are there before the clock starts. */
static PetscErrorCode MeasurePlan(size_t i, const char *reference, FILE *csv)
{
  PetscFunctionBegin;
  char text[4096];
  Mistakes mistakes = {0};
  Study *study;
  PlanContext context;
  PlanInputs in;
  Costs costs = {0};
  const int length = snprintf(text, sizeof text, plans[i].study, reference);
  PetscCall(StudyParse(text, (size_t)length, "bench", plans[i].set[1] ? 2 : 1, plans[i].set, &mistakes, &study));
  if (!study) MistakesPrint(&mistakes);
  PetscCheck(study, PETSC_COMM_WORLD, PETSC_ERR_USER, "the study of plan %s is wrong", plans[i].name);
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, 0, NULL, study, "build", &context));
  PetscCall(MachineBuiltin(PETSC_COMM_WORLD, &study->plans[0].settings.machine, &context.machine));
  PetscCall(MachineDestroy(&context.machine));
  PeakMemoryReset();
  PetscCall(ClockBegin(&costs.layout));
  PetscCall(PlanInputsCreate(&context, &study->plans[0], NULL, NULL, &mistakes, &in));
  if (!in.model) MistakesPrint(&mistakes);
  PetscCheck(in.model, PETSC_COMM_WORLD, PETSC_ERR_USER, "plan %s cannot be laid out", plans[i].name);
  PetscCall(ClockEnd(&costs.layout));
  PetscCall(MeasureEvaluation(&in, &costs));
  PetscCall(PeakOfAllRanks_MiB(&costs.peak_MiB));
  const BenchCase of = {context.size, plans[i].name, "factored", in.optimize->n, in.beams->n_spot, in.n_voxel};
  if (context.rank == 0) Print(&of, &costs, csv);
  PetscCall(PlanInputsDestroy(&in));
  PetscCall(PlanContextDestroy(&context));
  PetscCall(StudyDestroy(&study));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscMPIInt rank;
  FILE *csv;
  const char *reference = getenv("ROBION_REFERENCE") ? getenv("ROBION_REFERENCE") : "../shared";
  char tg119[PETSC_MAX_PATH_LEN];
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(BenchOpen(argc, argv, &csv));
  PetscCall(PetscSNPrintf(tg119, sizeof tg119, "%s/cases/tg119_analytic.h5", reference));
  const PetscBool there = !access(tg119, R_OK) ? PETSC_TRUE : PETSC_FALSE;
  if (rank == 0)
    printf("%-12s %5s %9s %7s %7s  %17s  %17s  %17s  %7s  %6s\n%-12s %5s %9s %7s %7s  %8s %8s  %8s %8s  %8s %8s  %7s  "
           "%6s\n",
           "", "", "", "", "", "layout s", "build s", "evaluation s", "peak", "f+grad", "plan", "ranks", "scenarios",
           "spots", "voxels", "wall", "CPU", "wall", "CPU", "wall", "CPU", "MiB", "speed-up");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(plans); i++) {
    if (!BenchSelected(argc, argv, plans[i].name)) continue;
    if (strcmp(plans[i].name, "c-shape") || there)
      PetscCall(MeasurePlan(i, reference, csv));
    else if (rank == 0)
      printf("%-12s skipped: %s is not here\n", plans[i].name, tg119);
  }
  if (csv) fclose(csv);
  return PetscFinalize();
}
