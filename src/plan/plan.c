/* Making one plan: inputs, operator, start, optimisation, doses, files. */
#include "plan_private.h"
#include "robion/delivery.h"
#include "robion/log.h"
#include "robion/memory.h"
#include <math.h>
#include <string.h>

/* Share of a node's free memory that the operator may take before it is computed on the fly instead. */
static const double MEMORY_SHARE = 0.7;
enum { COUNTED_VOXELS = 4000 }; /* at least, where there are more */

typedef struct Progress {
  const PlanSpec *spec;
  const char *plan, *patient, *arm; /* plan: its folder among the results */
  const char *folder, *stage;       /* of the course, "" without any */
  const ScenarioSet *set;
  double iteration_s; /* that one takes on average; 0: none is done */
  Phase certificate;
} Progress;

/* One table line per iteration. */
static PetscErrorCode LogIteration(const Iteration *line, PetscInt max_iterations, void *context)
{
  PetscFunctionBegin;
  Progress *progress = context;
  char left[32];
  TimeLeftText(line->seconds, line->iteration, max_iterations, left);
  LogLine(LOG_INFO, "optimize", progress->patient,
          "%s  iteration %4d  objective %.8g  gradient %.2e  worst %-12s  %4d evaluations  %6.1f s  at most %s left",
          progress->arm, (int)line->iteration, line->objective, line->gradient_norm,
          line->worst >= 0 ? progress->set->scenario[line->worst].id : "-", (int)line->evaluations, line->seconds,
          left);
  if (line->iteration) progress->iteration_s = line->seconds / line->iteration;
  LogEvent("iteration",
           "plan=%s case=%s arm=%s iteration=%d evaluations=%d objective=%g gradient_norm=%g worst=%s seconds=%g",
           progress->plan, progress->patient, progress->arm, (int)line->iteration, (int)line->evaluations,
           line->objective, line->gradient_norm, line->worst >= 0 ? progress->set->scenario[line->worst].id : NULL,
           line->seconds);
  PetscFunctionReturn(0);
}

/* The certificate begins without a word of TAO; what is left of it goes with its iterations. */
static PetscErrorCode LogCertifying(PetscInt iteration, PetscInt most, void *context)
{
  PetscFunctionBegin;
  Progress *progress = context;
  char left[32];
  if (!iteration) {
    progress->certificate = PhaseBegin("certify", progress->patient, "distance from the optimum");
    DurationText(progress->iteration_s * most, left);
    if (most)
      LogLine(LOG_INFO, "certify", progress->patient, "%s  distance from the optimum: at most %d iterations, about %s",
              progress->arm, (int)most, progress->iteration_s > 0 ? left : "as long as others");
  }
  PhaseTell(&progress->certificate, iteration, most);
  PetscFunctionReturn(0);
}

/* A checkpoint; one that cannot be written is only a warning as long as the plan goes on. */
static PetscErrorCode Checkpoint(const SolveState *state, void *context)
{
  PetscFunctionBegin;
  Progress *progress = context;
  Mistakes mistakes = {0};
  (void)CheckpointWrite(progress->folder, progress->spec->yaml, progress->stage, state, &mistakes);
  for (PetscInt i = 0; i < mistakes.n; i++)
    LogLine(LOG_WARNING, "optimize", progress->patient, "%s  %s", progress->arm, mistakes.item[i].text);
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}

/* Of a plan that is told to be far from its optimum. A rigorous gap tells of the bound as much as of the plan. */
static const double FAR_GAP = 0.03;

static PetscErrorCode LogCertificate(const PlanSpec *plan, const Solution *solution)
{
  PetscFunctionBegin;
  const Certificate *c = &solution->certificate;
  char bound[96] = "no lower bound was looked for";
  if (c->bounded)
    snprintf(bound, sizeof bound, "%s lower bound %.8g: gap %.3g %%", CertificateKind(c), c->lower_bound, 100 * c->gap);
  LogLine(LOG_INFO, "certify", plan->case_name, "%s  objective %.8g, %s; projected gradient %.2e, %.2e at the start",
          plan->arm, c->objective, bound, c->stationarity, c->stationarity_start);
  if (solution->n_group && c->bounded)
    LogLine(LOG_INFO, "certify", plan->case_name,
            "%s  %d active scenarios; their weighted sum %.8g at the plan, %.8g at least", plan->arm, (int)c->n_active,
            c->weighted_sum, c->least_sum);
  if (c->bounded && !c->rigorous && c->gap > FAR_GAP)
    LogLine(LOG_WARNING, "certify", plan->case_name,
            "%s  far from the optimum: more iterations would lower the objective by %.2g %% and more "
            "(optimizer.max_iterations, "
            "relative_tolerance)",
            plan->arm, 100 * c->gap);
  PetscFunctionReturn(0);
}

/* What the evaluations were for, and how far from the optimum the plan is. */
static PetscErrorCode LogSolution(const PlanSpec *plan, const Settings *settings, const Solution *solution)
{
  PetscFunctionBegin;
  Text spent = {0};
  for (int k = 0; k < N_SPENT; k++)
    if (solution->spent[k])
      PetscCall(TextAdd(&spent, "%s%d for %s", spent.data ? ", " : "", (int)solution->spent[k], spent_names[k]));
  LogLine(LOG_INFO, "optimize", plan->case_name, "%s  stopped after %d iterations, %d evaluations (%s), %.1f s: %s",
          plan->arm, (int)solution->n_iteration, (int)solution->n_evaluation, spent.data ? spent.data : "none",
          solution->seconds, solution->reason);
  PetscCall(TextDestroy(&spent));
  if (solution->stopped) PetscFunctionReturn(0);
  PetscCall(LogCertificate(plan, solution));
  PetscCall(ConstraintsLog(plan, settings, solution));
  if (solution->delivery.done)
    LogLine(LOG_INFO, "deliver", plan->case_name,
            "%s  %d of %d spots left after %d rounds; objective %.8g, before %.8g", plan->arm,
            (int)solution->delivery.n_after, (int)solution->delivery.n_before, (int)solution->delivery.rounds,
            solution->objective, solution->delivery.optimised);
  PetscFunctionReturn(0);
}

/* Of every voxel, or where there are many, of voxels evenly spread over them. Each rank counts its share. */
PetscErrorCode PlanCountNominal(MPI_Comm comm, const PlanInputs *in, PetscInt n, const PetscInt *voxel, double *entries)
{
  PetscFunctionBegin;
  PetscMPIInt rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const PetscInt stride = PetscMax(1, n / COUNTED_VOXELS), n_counted = (n + stride - 1) / stride;
  unsigned long long mine, total;
  PetscInt *counted, n_own = 0;
  size_t count;
  PetscCall(PetscMalloc1(n_counted / size + 1, &counted));
  for (PetscInt k = rank; k < n_counted; k += size) counted[n_own++] = voxel[k * stride];
  PetscCall(InfluenceCountEntries(in->model, &in->grid, n_own, counted, &count));
  PetscCall(PetscFree(counted));
  mine = count;
  PetscCallMPI(MPI_Allreduce(&mine, &total, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, comm));
  *entries = n_counted ? (double)total * (double)n / (double)n_counted : 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCountEntries(MPI_Comm comm, const PlanInputs *in, double *entries)
{
  PetscFunctionBegin;
  PetscCall(PlanCountNominal(comm, in, in->n_voxel, in->voxel, entries));
  *entries *= (double)in->optimize->n_of_phase;
  PetscFunctionReturn(0);
}

/* As the study says; rows are stored when the node's memory allows, else computed on the fly: same bits, more time. */
static PetscErrorCode ChooseInfluence(PlanContext *context, const PlanInputs *in, InfluenceType *type)
{
  PetscFunctionBegin;
  MPI_Comm node;
  PetscMPIInt node_size;
  double entries;
  *type = DoseModelIsSplit(in->model) ? INFLUENCE_STREAMED : INFLUENCE_FACTORED;
  if (in->settings->dose_operator == OPERATOR_FACTORED || DoseModelIsSplit(in->model)) PetscFunctionReturn(0);
  PetscCall(PlanCountEntries(context->comm, in, &entries));
  PetscCallMPI(MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &node_size));
  PetscCallMPI(MPI_Comm_free(&node));
  double need = entries * INFLUENCE_BYTES_PER_ENTRY * node_size / context->size,
         have = MEMORY_SHARE * MemoryOfProcess();
  int stored = need <= have, all;
  PetscCallMPI(MPI_Allreduce(&stored, &all, 1, MPI_INT, MPI_MIN, context->comm));
  *type = all ? INFLUENCE_ASSEMBLED : INFLUENCE_STREAMED;
  LogLine(LOG_INFO, "build", in->patient->name, "%.3g entries, %.2f GiB, %s", entries,
          entries * INFLUENCE_BYTES_PER_ENTRY / 1073741824.0,
          all ? "stored" : "too large to store: computed on the fly");
  PetscFunctionReturn(0);
}

/* A checkpoint of an earlier run, if the user asked to go on from it; rank 0 holds the state. */
static PetscErrorCode ReadState(PlanContext *context, const PlanSpec *plan, const char *stage, PetscInt n_spot,
                                const char *folder, Mistakes *mistakes, SolveState *state)
{
  PetscFunctionBegin;
  *state = (SolveState){0};
  if (!context->resume) PetscFunctionReturn(0);
  if (context->rank == 0 && CheckpointRead(folder, plan->yaml, stage, n_spot, state, mistakes))
    LogLine(LOG_INFO, "optimize", plan->case_name, "%s  going on from %s/checkpoint.h5", plan->arm, folder);
  PetscCall(MistakesShare(context->comm, mistakes));
  PetscFunctionReturn(0);
}

ProblemSpec PlanProblem(const PlanInputs *in, InfluenceType type)
{
  return (ProblemSpec){.model = in->model,
                       .course = in->course.n ? &in->course : NULL,
                       .n_fixed = in->n_fixed,
                       .fixed = in->fixed,
                       .tissues = &in->tissues,
                       .set = in->optimize,
                       .grid = &in->grid,
                       .n_voxel = in->n_voxel,
                       .voxel = in->voxel,
                       .n_spot = in->n_sought,
                       .n_term = in->n_term,
                       .term = in->term,
                       .robust = &in->settings->robust,
                       .type = type};
}

/* By the operator of the plan, from where `solve` says or from equal weights; then deliverable spots, if there is need of them. */
static PetscErrorCode OptimiseProblem(PlanContext *context, const PlanSpec *plan, const PlanInputs *in,
                                      const ProblemSpec *spec, SolveSpec *solve, double *build_s, Solution *solution)
{
  PetscFunctionBegin;
  Problem problem;
  double *start;
  size_t stored, bytes, largest;
  PetscCall(PlanProblemStart(context->comm, in, spec, build_s, &problem, &start));
  PetscCall(ProblemGetSize(problem, &stored, &bytes, &largest));
  LogLine(
      LOG_INFO, "build", plan->case_name,
      "%s  dose operator of %d spots, %d voxels with objectives, %d scenarios with the nominal one: %.1f MiB%s, %.1f s",
      plan->arm, (int)in->n_sought, (int)in->n_voxel, (int)in->optimize->n, (double)bytes / 1048576.0,
      stored ? " stored" : ", computed on the fly", *build_s);
  solve->problem = problem;
  solve->terms = spec;
  solve->start = start;
  PetscCall(ProblemSolve(context->comm, solve, solution));
  if (!solution->stopped && DeliveryIsOn(&in->settings->delivery))
    PetscCall(DeliverySolve(context->comm, solve, &in->settings->delivery, solution));
  PetscCall(PetscFree(start));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

/* From equal weights, or from the checkpoint of a run that was stopped. */
static PetscErrorCode OptimiseSpec(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, Progress *progress,
                                   const ProblemSpec *spec, double *build_s, Mistakes *mistakes, Solution *solution)
{
  PetscFunctionBegin;
  SolveState state;
  SolveSpec solve = {.optimizer = &in->settings->optimizer,
                     .monitor = LogIteration,
                     .certifying = LogCertifying,
                     .checkpoint = Checkpoint,
                     .context = progress};
  PetscCall(ReadState(context, plan, progress->stage, in->n_sought, progress->folder, mistakes, &state));
  if (!MistakesAny(mistakes)) {
    solve.resume = state.n_field ? &state : NULL;
    PetscCall(OptimiseProblem(context, plan, in, spec, &solve, build_s, solution));
    if (solution->stopped && context->rank == 0)
      (void)CheckpointWrite(progress->folder, plan->yaml, progress->stage, &solution->state, mistakes);
    PetscCall(MistakesShare(context->comm, mistakes));
  }
  if (!MistakesAny(mistakes)) PetscCall(LogSolution(plan, in->settings, solution));
  PetscCall(SolveStateDestroy(&state));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanOptimise(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, const char *folder,
                            double stage_seconds[N_STAGES], Mistakes *mistakes, Solution *solution)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  InfluenceType type;
  double *cost;
  PlanFields fields;
  const PetscInt first = in->course.n ? in->course.stage[in->n_fixed].first_spot : 0;
  Progress progress = {.spec = plan,
                       .plan = plan->folder,
                       .patient = plan->case_name,
                       .arm = plan->arm,
                       .folder = folder,
                       .stage = in->course.n ? in->course.stage[in->n_fixed].name : "",
                       .set = in->optimize};
  const double begun = TimeSteady();
  PetscCall(PlanSpotCosts(in, mistakes, &cost));
  PetscCall(PlanFieldsCreate(in, mistakes, &fields));
  PetscCall(MistakesShare(context->comm, mistakes));
  if (!MistakesAny(mistakes)) {
    PetscCall(ChooseInfluence(context, in, &type));
    ProblemSpec spec = PlanProblem(in, type);
    spec.spot_cost = cost ? cost + first : NULL;
    spec.field_gradient = fields.spec.n_field ? &fields.spec : NULL;
    if (SpotControlText(settings))
      LogLine(LOG_INFO, "build", plan->case_name, "spot control: %s", SpotControlText(settings));
    stage_seconds[STAGE_BUILD] = TimeSteady() - begun;
    PetscCall(OptimiseSpec(context, plan, in, &progress, &spec, &stage_seconds[STAGE_BUILD], mistakes, solution));
    stage_seconds[STAGE_OPTIMIZE] = solution->seconds;
  }
  PetscCall(PetscFree(cost));
  PetscCall(PlanFieldsDestroy(&fields));
  PetscFunctionReturn(0);
}

/* Find the weights of a plan, or take those of the plan whose optimisation is the same. */
static PetscErrorCode FindWeights(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, const char *folder,
                                  double stage_seconds[N_STAGES], Mistakes *mistakes, Solution *solution)
{
  PetscFunctionBegin;
  if (&context->study->plans[plan->optimized_by] != plan) {
    PetscCall(PlanTakeWeights(context, plan, in->beams->n_spot, mistakes, solution));
    if (!MistakesAny(mistakes)) LogLine(LOG_INFO, "optimize", plan->case_name, "%s  %s", plan->arm, solution->reason);
    PetscFunctionReturn(0);
  }
  const PetscBool sequential = in->course.n && !plan->settings.course.together ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(
      (sequential ? PlanOptimiseStages : PlanOptimise)(context, plan, in, folder, stage_seconds, mistakes, solution));
  PetscFunctionReturn(0);
}

/* Doses, metrics and files of the weights found; by another biology than they were found with, if the study says so. */
static PetscErrorCode JudgePlan(PlanContext *context, const PlanSpec *plan, PlanInputs *in, const Solution *solution,
                                const double stage_seconds[N_STAGES], const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanSpec other = *plan;
  if (plan->settings.other_biology) {
    other.settings.biology = plan->settings.judging_biology;
    other.settings.n_tissues = 0;
    PetscCall(PlanInputsDestroy(in));
    PetscCall(PlanInputsCreate(context, &other, NULL, NULL, mistakes, in));
    if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  }
  const WeightedPlan found = {plan, in, solution, solution->weight, stage_seconds};
  PetscCall(PlanEvaluateAndWrite(context, &found, folder, mistakes));
  if (context->rank == 0 && !MistakesAny(mistakes)) StageFilesRemove(folder, &in->course);
  PetscCall(PlanInputsDestroy(in));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanMake(PlanContext *context, const PlanSpec *plan, const char *folder, Mistakes *mistakes,
                        PetscBool *stopped)
{
  PetscFunctionBegin;
  PlanInputs inputs;
  Solution solution = {0};
  double stage_seconds[N_STAGES] = {0}, begun = TimeSteady();
  *stopped = PETSC_FALSE;
  PeakMemoryReset();
  PetscCall(PlanInputsCreate(context, plan, NULL, NULL, mistakes, &inputs));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  stage_seconds[STAGE_PREPARE] = TimeSteady() - begun;
  PetscCall(PlanCheckMemory(context, plan, &inputs, mistakes));
  if (!MistakesAny(mistakes))
    PetscCall(FindWeights(context, plan, &inputs, folder, stage_seconds, mistakes, &solution));
  if (!MistakesAny(mistakes)) {
    *stopped = solution.stopped;
    if (!solution.stopped) PetscCall(JudgePlan(context, plan, &inputs, &solution, stage_seconds, folder, mistakes));
  }
  PetscCall(SolutionDestroy(&solution));
  PetscCall(PlanInputsDestroy(&inputs));
  PetscFunctionReturn(0);
}
