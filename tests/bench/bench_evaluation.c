/*
 * What judging a plan costs per scenario: doses, DVHs and metrics of random setup and range errors on the RTOG phantom (3 beams,
 * 3 mm dose grid), on the ranks it is started with; by scenarios, voxels of the CT, and with a source at a distance, where every
 * scenario is traced by itself. Processor time is summed over the ranks, memory too, and what the nodes of a team share counts once
 * for each rank. The time of preparation (base data, CT, spots) is not in it. Names of plans after the CSV select some. Nothing here
 * passes or fails by time.
 */
#include "bench.h"

#define RTOG                                                                                                           \
  "robion: 1\nname: bench\ncases: [{phantom: rtog}]\nbeams: [{gantry_deg: 0}, {gantry_deg: 90}, {gantry_deg: 270}]\n"  \
  "prescription: {dose_Gy_RBE: 4.8, target: CTV}\nmachine: {energy_max_MeV_u: 300}\nrobust: none\nstructures: {rim: "  \
  "ring 0-9 mm around CTV}\nobjectives:\n  - {structure: CTV, type: uniform, dose_Gy_RBE: 4.8, weight: 100}\n"         \
  "dose_grid_mm: 3\n"

static const struct {
  const char *name;
  PetscInt scenarios;
  double ct_mm, sad_mm;
} runs[] = {{"rtog", 28, 2, 0},         {"rtog", 100, 2, 0},         {"rtog", 1000, 2, 0},
            {"rtog-fine-ct", 28, 1, 0}, {"rtog-fine-ct", 100, 1, 0}, {"rtog-source-6m", 28, 2, 6000}};

typedef struct Costs {
  Clock evaluate;
  double before_MiB, peak_MiB;
} Costs;

static PetscErrorCode MeasureDoses(const PlanInputs *in, Costs *costs)
{
  PetscFunctionBegin;
  DoseSet doses;
  double *weight;
  PetscCall(PetscMalloc1(in->beams->n_spot, &weight));
  for (PetscInt j = 0; j < in->beams->n_spot; j++) weight[j] = 1e5;
  PeakMemoryReset();
  PetscCall(PeakOfAllRanks_MiB(&costs->before_MiB));
  PetscCall(ClockBegin(&costs->evaluate));
  const DoseSpec spec = PlanDoseSpec(in, weight, NULL);
  PetscCall(DoseSetCreate(PETSC_COMM_WORLD, &spec, &doses));
  PetscCall(ClockEnd(&costs->evaluate));
  PetscCall(PeakOfAllRanks_MiB(&costs->peak_MiB));
  PetscCall(DoseSetDestroy(&doses));
  PetscCall(PetscFree(weight));
  PetscFunctionReturn(0);
}

static void Print(const BenchCase *of, const Costs *costs, FILE *csv)
{
  const double n = of->scenarios, wall_s = costs->evaluate.wall_s, cpu_s = costs->evaluate.cpu_s;
  printf("%-14s %5d %9d %7d  %8.2f %8.2f  %8.4f %8.4f  %7.0f %7.0f\n", of->plan, of->ranks, (int)of->scenarios,
         (int)of->voxels, wall_s, cpu_s, wall_s / n, cpu_s / n, costs->before_MiB, costs->peak_MiB);
  fflush(stdout);
  BenchFigure(csv, of, "judge_wall", wall_s, "s");
  BenchFigure(csv, of, "judge_cpu", cpu_s, "s");
  BenchFigure(csv, of, "judge_cpu_per_scenario", cpu_s / n, "s");
  BenchFigure(csv, of, "judge_memory", costs->peak_MiB - costs->before_MiB, "MiB");
}

static PetscErrorCode Measure(size_t i, FILE *csv)
{
  PetscFunctionBegin;
  char ct[64], source[64], scenarios[160];
  const char *set[] = {ct, source, scenarios};
  Mistakes mistakes = {0};
  Study *study;
  PlanContext context;
  PlanInputs in;
  Costs costs = {0};
  snprintf(ct, sizeof ct, "cases.0.ct_spacing_mm=%g", runs[i].ct_mm);
  snprintf(source, sizeof source, "machine.sad_mm=%g", runs[i].sad_mm);
  snprintf(scenarios, sizeof scenarios,
           "scenarios.evaluate={range_percent: [0], range_sigma_percent: 1.75, setup: random, setup_mm: 2, number: %d}",
           (int)runs[i].scenarios);
  PetscCall(StudyParse(RTOG, strlen(RTOG), "bench", PETSC_STATIC_ARRAY_LENGTH(set), set, &mistakes, &study));
  if (!study) MistakesPrint(&mistakes);
  PetscCheck(study, PETSC_COMM_WORLD, PETSC_ERR_USER, "the study of plan %s is wrong", runs[i].name);
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, 0, NULL, study, "build", &context));
  PetscCall(PlanInputsCreate(&context, &study->plans[0], NULL, NULL, &mistakes, &in));
  if (!in.model) MistakesPrint(&mistakes);
  PetscCheck(in.model, PETSC_COMM_WORLD, PETSC_ERR_USER, "plan %s cannot be laid out", runs[i].name);
  PetscCall(MeasureDoses(&in, &costs));
  const BenchCase of = {context.size, runs[i].name, "factored", in.evaluate->n, in.beams->n_spot, in.n_dose_voxel};
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
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(BenchOpen(argc, argv, &csv));
  if (rank == 0)
    printf("%-14s %5s %9s %7s  %17s  %17s  %15s\n%-14s %5s %9s %7s  %8s %8s  %8s %8s  %7s %7s\n", "", "", "", "",
           "all s", "per scenario s", "memory MiB", "plan", "ranks", "scenarios", "voxels", "wall", "CPU", "wall",
           "CPU", "before", "peak");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(runs); i++)
    if (BenchSelected(argc, argv, runs[i].name)) PetscCall(Measure(i, csv));
  if (csv) fclose(csv);
  return PetscFinalize();
}
