/*
 * What the dose operator costs on this machine, on the ranks it is started with: building it, applying it and its transpose,
 * and whole evaluations of objective and gradient, stored rows and factored, for 1, 7 and 21 scenarios of the RTOG phantom
 * (stored only for the first two, whose matrices fit into memory). Bytes per second are set against the bandwidth that the same
 * ranks reach in STREAM's triad, operations per second against those in registers, so that the figures mean something on other machines. Prints a table; with a file name, appends
 * the figures as CSV. Nothing here passes or fails by time.
 */
#include "bench.h"

enum { TRIAD_BYTES = 1536 << 20, LEAST_REPEATS = 3 };
#define LEAST_SECONDS 0.5

/* Plans of the study's arms: conventional is not robust, hence for the nominal scenario alone. */
static const struct {
  const char *arm, *optimize, *other;
  PetscBool stored;
} plans[] = {{"conventional", "{range_percent: [0], setup_mm: 2, setup: axes}", "optimizer={}", PETSC_TRUE},
             {"worst-case", "{range_percent: [0], setup_mm: 2, setup: axes}", "optimizer={}", PETSC_TRUE},
             {"worst-case", "{range_percent: [-3.5, 0, 3.5], setup_mm: 2, setup: axes}", "optimizer={}", PETSC_FALSE},
             {"worst-case", "{range_percent: [0], setup_mm: 2, setup: axes}", "spots.lateral_mm=3", PETSC_FALSE},
             {"worst-case", "{range_percent: [0], setup_mm: 2, setup: axes}", "dose_grid_mm=2", PETSC_FALSE}};

typedef struct Figures {
  PetscInt rows, n_spot, n_voxel;
  InfluenceType type;
  double entries, bytes; /* over all ranks; a factored operator has no entries */
  double build_s, forward_s, transposed_s, evaluate_s;
  double field_s, operations, written; /* of a factored operator: the beams' volumes alone, their work, and bytes */
} Figures;

/* The blocks of voxels that this rank would own in a plan. */
typedef struct Blocks {
  PetscInt n;
  Influence *influence;
  Factored factored; /* NULL: stored rows */
  double *channels, *weight, *gradient;
} Blocks;

/* Slowest rank's seconds since `begun`. */
static PetscErrorCode Elapsed(double begun, double *seconds)
{
  PetscFunctionBegin;
  *seconds = MPI_Wtime() - begun;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

static PetscErrorCode Begin(double *begun)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  *begun = MPI_Wtime();
  PetscFunctionReturn(0);
}

/* STREAM's triad (McCalpin, 1995) on all ranks together: bytes per second, counting two reads and a write. */
static PetscErrorCode TriadBandwidth(double *bytes_per_s)
{
  PetscFunctionBegin;
  PetscMPIInt size;
  double *a, *b, *c, begun, seconds, best = DBL_MAX;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  const size_t n = TRIAD_BYTES / (3 * sizeof *a) / (size_t)size;
  PetscCall(PetscMalloc3(n, &a, n, &b, n, &c));
  for (size_t i = 0; i < n; i++) a[i] = 0, b[i] = 1, c[i] = 2;
  for (int repeat = 0; repeat < 5; repeat++) {
    PetscCall(Begin(&begun));
    for (size_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
    PetscCall(Elapsed(begun, &seconds));
    best = PetscMin(best, seconds);
    b[repeat] = a[n - 1]; /* the loop is not idle */
  }
  *bytes_per_s = 3.0 * sizeof *a * (double)n * size / best;
  PetscCall(PetscFree3(a, b, c));
  PetscFunctionReturn(0);
}

/*
 * Additions and multiplications per second of all ranks, four side by side and one of each at a time, as the operator's inner loops have
 * them: what is in registers.
 */
static PetscErrorCode PeakOperations(double *per_s)
{
  PetscFunctionBegin;
  enum { CHAINS = 6, TURNS = 1 << 22 };
  typedef double Lanes __attribute__((vector_size(32)));
  PetscMPIInt size;
  double begun, seconds, best = DBL_MAX;
  Lanes sum[CHAINS], factor = {1.5, 1.25, 0.75, 0.5};
  volatile double kept = 0;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  for (int repeat = 0; repeat < 5; repeat++) {
    Lanes product[CHAINS];
    for (int k = 0; k < CHAINS; k++) sum[k] = product[k] = (Lanes){1, 1, 1, 1};
    PetscCall(Begin(&begun));
    for (int turn = 0; turn < TURNS; turn++)
      for (int k = 0; k < CHAINS; k++) {
        sum[k] += factor;
        product[k] *= factor;
      }
    PetscCall(Elapsed(begun, &seconds));
    best = PetscMin(best, seconds);
    for (int k = 0; k < CHAINS; k++) kept += sum[k][repeat % 4] + product[k][repeat % 4];
  }
  *per_s = 8.0 * CHAINS * TURNS * size / best;
  PetscFunctionReturn(0);
}

static PetscErrorCode BlocksCreate(const PlanInputs *in, InfluenceType type, Blocks *blocks, Figures *f)
{
  PetscFunctionBegin;
  PetscMPIInt rank, size;
  double begun, sum[2] = {0, 0};
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(PetscArrayzero(blocks, 1));
  PetscCall(PetscMalloc1(in->n_voxel / BLOCK_VOXELS + 1, &blocks->influence));
  PetscCall(PetscMalloc3(in->optimize->n * BLOCK_VOXELS * N_CHANNELS, &blocks->channels, in->beams->n_spot,
                         &blocks->weight, in->beams->n_spot, &blocks->gradient));
  for (PetscInt j = 0; j < in->beams->n_spot; j++) blocks->weight[j] = 1e5, blocks->gradient[j] = 0;
  PetscCall(Begin(&begun));
  if (type == INFLUENCE_FACTORED) {
    size_t shared, own;
    PetscCall(FactoredCreate(PETSC_COMM_WORLD, in->model,
                             &(FactoredVoxels){in->optimize, &in->grid, in->n_voxel, in->voxel}, PETSC_TRUE,
                             &blocks->factored));
    PetscCall(FactoredGetSize(blocks->factored, &shared, &own));
    sum[1] += (double)own + (rank == 0 ? (double)shared : 0);
  }
  for (PetscInt first = rank * BLOCK_VOXELS; first < in->n_voxel; first += size * BLOCK_VOXELS) {
    size_t entries, bytes;
    Influence *influence = &blocks->influence[blocks->n++];
    const PetscInt n = PetscMin(BLOCK_VOXELS, in->n_voxel - first);
    if (blocks->factored)
      PetscCall(InfluenceCreateFactored(blocks->factored, in->optimize, &in->grid, n, in->voxel + first, influence));
    else
      PetscCall(InfluenceCreate(in->model, type, in->optimize, &in->grid, n, in->voxel + first, influence));
    PetscCall(InfluenceGetSize(*influence, &entries, &bytes));
    sum[0] += (double)entries;
    sum[1] += (double)bytes;
  }
  if (blocks->factored) PetscCall(FactoredRestrict(blocks->factored, blocks->n, blocks->influence));
  if (blocks->factored) PetscCall(FactoredGetWork(blocks->factored, &f->operations, &f->written));
  PetscCall(Elapsed(begun, &f->build_s));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  f->entries = sum[0];
  f->bytes = sum[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode BlocksDestroy(Blocks *blocks)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < blocks->n; k++) PetscCall(InfluenceDestroy(&blocks->influence[k]));
  PetscCall(FactoredDestroy(&blocks->factored));
  PetscCall(PetscFree(blocks->influence));
  PetscCall(PetscFree3(blocks->channels, blocks->weight, blocks->gradient));
  PetscFunctionReturn(0);
}

/* All scenarios once, in the order of an evaluation: block by block. */
static PetscErrorCode ApplyAll(const Blocks *blocks, PetscInt rows, PetscBool transposed)
{
  PetscFunctionBegin;
  const double one[N_CHANNELS] = {1, 1, 1, 1};
  for (PetscInt i = 0; transposed && i < BLOCK_VOXELS * N_CHANNELS; i++) blocks->channels[i] = 1;
  const PetscBool slabs = blocks->factored && transposed ? PETSC_TRUE : PETSC_FALSE;
  PetscBool there = PETSC_TRUE;
  if (slabs) {
    PetscCall(FactoredBeginGradient(blocks->factored, one, blocks->gradient));
    PetscCall(FactoredNextSlab(blocks->factored, &there));
  }
  if (blocks->factored && !transposed) PetscCall(FactoredSetWeights(blocks->factored, blocks->weight));
  while (there) {
    for (PetscInt k = 0; k < blocks->n; k++) {
      if (!transposed) PetscCall(InfluenceApplyAll(blocks->influence[k], NULL, blocks->weight, blocks->channels));
      for (PetscInt s = 0; s < rows && transposed; s++)
        PetscCall(InfluenceApplyTranspose(blocks->influence[k], s, blocks->channels, blocks->gradient));
    }
    there = PETSC_FALSE;
    if (slabs) PetscCall(FactoredNextSlab(blocks->factored, &there));
  }
  PetscFunctionReturn(0);
}

/* Shortest of several repeats; the first is not counted. */
static PetscErrorCode TimeApply(const Blocks *blocks, PetscInt rows, PetscBool transposed, double *best)
{
  PetscFunctionBegin;
  double begun, seconds, total = 0;
  *best = DBL_MAX;
  PetscCall(ApplyAll(blocks, rows, transposed));
  for (int repeat = 0; repeat < LEAST_REPEATS || total < LEAST_SECONDS; repeat++) {
    PetscCall(Begin(&begun));
    PetscCall(ApplyAll(blocks, rows, transposed));
    PetscCall(Elapsed(begun, &seconds));
    *best = PetscMin(*best, seconds);
    total += seconds;
  }
  PetscFunctionReturn(0);
}

/* Shortest computation of the beams' volumes. */
static PetscErrorCode TimeField(const Blocks *blocks, double *best)
{
  PetscFunctionBegin;
  double begun, seconds;
  *best = DBL_MAX;
  for (int repeat = 0; repeat < LEAST_REPEATS; repeat++) {
    PetscCall(Begin(&begun));
    PetscCall(FactoredSetWeights(blocks->factored, blocks->weight));
    PetscCall(Elapsed(begun, &seconds));
    *best = PetscMin(*best, seconds);
  }
  PetscFunctionReturn(0);
}

/* Shortest evaluation of objective and gradient, as the optimiser asks for it. */
static PetscErrorCode TimeEvaluation(const PlanInputs *in, InfluenceType type, double *best)
{
  PetscFunctionBegin;
  const ProblemSpec spec = PlanProblem(in, type);
  Problem problem;
  double *weight, *gradient, objective, begun, seconds, total = 0;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, &spec, &problem));
  *best = DBL_MAX;
  PetscCall(PetscMalloc2(spec.n_spot, &weight, spec.n_spot, &gradient));
  for (PetscInt j = 0; j < spec.n_spot; j++) weight[j] = 1e5;
  PetscCall(ProblemEvaluate(problem, weight, &objective, gradient));
  for (int repeat = 0; repeat < LEAST_REPEATS || total < LEAST_SECONDS; repeat++) {
    PetscCall(Begin(&begun));
    PetscCall(ProblemEvaluate(problem, weight, &objective, gradient));
    PetscCall(Elapsed(begun, &seconds));
    *best = PetscMin(*best, seconds);
    total += seconds;
  }
  PetscCall(PetscFree2(weight, gradient));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

static PetscErrorCode Measure(const PlanInputs *in, InfluenceType type, Figures *f)
{
  PetscFunctionBegin;
  Blocks blocks;
  f->type = type;
  f->rows = in->optimize->n;
  f->n_spot = in->beams->n_spot;
  f->n_voxel = in->n_voxel;
  PetscCall(BlocksCreate(in, type, &blocks, f));
  PetscCall(TimeApply(&blocks, f->rows, PETSC_FALSE, &f->forward_s));
  PetscCall(TimeApply(&blocks, f->rows, PETSC_TRUE, &f->transposed_s));
  if (blocks.factored) PetscCall(TimeField(&blocks, &f->field_s));
  PetscCall(BlocksDestroy(&blocks));
  PetscCall(TimeEvaluation(in, type, &f->evaluate_s));
  PetscFunctionReturn(0);
}

/* The step that fills the beams' volumes, beside the machine's limits. */
static void PrintField(const Figures *f, double triad, double peak, const BenchCase *of, FILE *csv)
{
  const double operations = f->operations / f->field_s, written = f->written / f->field_s;
  printf("  %7.4f %7.2f %4.0f %%  %6.2f %4.0f %%", f->field_s, operations * 1e-9, 100 * operations / peak,
         written * 1e-9, 100 * written / triad);
  BenchFigure(csv, of, "field_wall", f->field_s, "s");
  BenchFigure(csv, of, "field_operations", operations * 1e-9, "GFlop/s");
  BenchFigure(csv, of, "field_of_peak", 100 * operations / peak, "%");
  BenchFigure(csv, of, "field_written", written * 1e-9, "GB/s");
}

/* One line of the table and its figures in the CSV. */
static void Print(const Figures *f, double triad, double peak, PetscMPIInt ranks, FILE *csv)
{
  const double updates = (double)f->n_voxel * (double)f->rows;
  const double share = 100 * f->bytes / triad; /* per second */
  const PetscBool stored = f->type == INFLUENCE_ASSEMBLED ? PETSC_TRUE : PETSC_FALSE;
  const BenchCase of = {ranks, "rtog-operator", stored ? "assembled" : "factored", f->rows, f->n_spot, f->n_voxel};
  printf("%5d %9d %-9s %7d %8.3f %9.3g %6.2f %7.0f  %8.4f %8.4f %8.4f  %7.3g %7.3g  %7.3g %7.3g", ranks, (int)f->rows,
         of.operator,(int) f->n_spot, f->build_s, f->entries, stored ? f->bytes / f->entries : 0, f->bytes / f->n_spot,
         f->forward_s, f->transposed_s, f->evaluate_s, f->entries / f->forward_s, f->entries / f->transposed_s,
         updates / f->forward_s, updates / f->transposed_s);
  if (stored)
    printf("  %4.0f %% %4.0f %%", share / f->forward_s, share / f->transposed_s);
  else
    printf("  %6s %6s", "-", "-");
  printf("  %7.2f", BenchOnOneRank(csv, &of, "evaluate_wall") / f->evaluate_s);
  if (!stored) PrintField(f, triad, peak, &of, csv);
  printf("\n");
  BenchFigure(csv, &of, "entries", f->entries, "1");
  BenchFigure(csv, &of, "memory", f->bytes / 1048576, "MiB");
  BenchFigure(csv, &of, "build_wall", f->build_s, "s");
  BenchFigure(csv, &of, "forward_wall", f->forward_s, "s");
  BenchFigure(csv, &of, "transposed_wall", f->transposed_s, "s");
  BenchFigure(csv, &of, "evaluate_wall", f->evaluate_s, "s");
  if (stored) {
    BenchFigure(csv, &of, "bytes_per_entry", f->bytes / f->entries, "byte");
    BenchFigure(csv, &of, "forward_of_triad", share / f->forward_s, "%");
    BenchFigure(csv, &of, "transposed_of_triad", share / f->transposed_s, "%");
  }
}

static void PrintHeader(double triad, double peak, PetscMPIInt ranks, FILE *csv)
{
  printf("STREAM triad on %d ranks: %.2f GB/s; additions and multiplications in registers: %.1f GFlop/s\n", ranks,
         triad * 1e-9, peak * 1e-9);
  printf("%5s %9s %-9s %7s %8s %9s %6s %7s  %26s  %15s  %15s  %13s  %7s  %37s\n", "", "", "", "", "", "", "bytes/",
         "bytes/", "seconds", "entries/s", "voxel*scen./s", "of triad", "f+grad", "beams' volumes");
  printf("%5s %9s %-9s %7s %8s %9s %6s %7s  %8s %8s %8s  %7s %7s  %7s %7s  %6s %6s  %7s  %7s %7s %6s  %6s %6s\n",
         "ranks", "scenarios", "operator", "spots", "build s", "entries", "entry", "spot", "forward", "transp.",
         "f+grad", "forward", "transp.", "forward", "transp.", "forw.", "trans.", "speedup", "s", "GFlop/s", "peak",
         "GB/s", "triad");
  BenchFigure(csv, &(BenchCase){ranks, "-", "-", 0, 0, 0}, "peak_operations", peak * 1e-9, "GFlop/s");
  BenchFigure(csv, &(BenchCase){ranks, "-", "-", 0, 0, 0}, "stream_triad", triad * 1e-9, "GB/s");
}

static const PlanSpec *PlanOfArm(const Study *study, const char *arm)
{
  for (PetscInt p = 0; study && p < study->n_plans; p++)
    if (!strcmp(study->plans[p].arm, arm)) return &study->plans[p];
  return NULL;
}

/* A plan of the benchmark study, on a CT of 2 mm. */
static PetscErrorCode MeasurePlan(size_t plan, double triad, double peak, FILE *csv)
{
  PetscFunctionBegin;
  char set_scenarios[256];
  const char *set[] = {"cases=[{phantom: rtog, name: rtog, heterogeneous: false, ct_spacing_mm: 2}]", set_scenarios,
                       plans[plan].other};
  Mistakes mistakes = {0};
  Study *study;
  PlanContext context;
  PlanInputs inputs;
  Figures stored = {0}, factored = {0};
  snprintf(set_scenarios, sizeof set_scenarios, "scenarios.optimize=%s", plans[plan].optimize);
  PetscCall(StudyLoadAll(PETSC_COMM_WORLD, "jobs/rtog-benchmark/study.yaml", PETSC_STATIC_ARRAY_LENGTH(set), set,
                         &mistakes, &study));
  if (!study) MistakesPrint(&mistakes);
  const PlanSpec *spec = PlanOfArm(study, plans[plan].arm);
  PetscCheck(spec, PETSC_COMM_WORLD, PETSC_ERR_USER, "the benchmark study has no arm %s", plans[plan].arm);
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, 0, NULL, study, "build", &context));
  PetscCall(PlanInputsCreate(&context, spec, NULL, NULL, &mistakes, &inputs));
  if (!inputs.model) MistakesPrint(&mistakes);
  PetscCheck(inputs.model, PETSC_COMM_WORLD, PETSC_ERR_USER, "the benchmark plan cannot be set up");
  if (plans[plan].stored) PetscCall(Measure(&inputs, INFLUENCE_ASSEMBLED, &stored));
  PetscCall(Measure(&inputs, INFLUENCE_FACTORED, &factored));
  if (context.rank == 0 && plans[plan].stored) Print(&stored, triad, peak, context.size, csv);
  if (context.rank == 0) Print(&factored, triad, peak, context.size, csv);
  PetscCall(PlanInputsDestroy(&inputs));
  PetscCall(PlanContextDestroy(&context));
  PetscCall(StudyDestroy(&study));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscMPIInt rank, size;
  double triad, peak;
  FILE *csv;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(BenchOpen(argc, argv, &csv));
  PetscCall(TriadBandwidth(&triad));
  PetscCall(PeakOperations(&peak));
  if (rank == 0) PrintHeader(triad, peak, size, csv);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(plans); i++) PetscCall(MeasurePlan(i, triad, peak, csv));
  if (csv) fclose(csv);
  return PetscFinalize();
}
