/* What a plan takes of a team's memory, known before it is taken. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/memory.h"
#include "robion/optimize.h"

/* Arrays over the spots: the solver's, of which each rank has a part (history of both kinds), and those that are whole on each. */
enum { DEALT_SPOT_ARRAYS = 40, WHOLE_SPOT_ARRAYS = 20 };

static MemoryNeed NeedSum(MemoryNeed a, MemoryNeed b)
{
  return (MemoryNeed){a.node + b.node, a.rank + b.rank};
}

static MemoryNeed NeedMost(MemoryNeed a, MemoryNeed b)
{
  return (MemoryNeed){PetscMax(a.node, b.node), PetscMax(a.rank, b.rank)};
}

/* The factored operators of all stages at some voxels, together or of the stage that takes most. */
static PetscErrorCode OperatorNeed(PlanContext *context, const PlanInputs *in, const FactoredVoxels *looked_up,
                                   PetscBool gradients, PetscBool together, MemoryNeed *need)
{
  PetscFunctionBegin;
  const PetscInt n_stage = PetscMax(in->course.n, 1);
  *need = (MemoryNeed){0};
  for (PetscInt k = 0; k < n_stage; k++) {
    DoseModel model = in->course.n ? in->course.stage[k].model : in->model;
    size_t shared, own;
    if (DoseModelIsSplit(model)) continue;
    PetscCall(FactoredMeasure(context->comm, model, looked_up, gradients, &shared, &own));
    const MemoryNeed stage = {(double)shared, (double)own};
    *need = together ? NeedSum(*need, stage) : NeedMost(*need, stage);
  }
  PetscFunctionReturn(0);
}

/* The optimised voxels' rays and channels, dealt to all ranks, the solver's arrays, and the operator. */
static PetscErrorCode OptimisationNeed(PlanContext *context, const PlanInputs *in, double entries, MemoryNeed *need)
{
  PetscFunctionBegin;
  const double voxels = (double)in->n_voxel, rows = (double)in->optimize->n_of_phase, spots = (double)in->beams->n_spot;
  const FactoredVoxels looked_up = {in->optimize, &in->grid, in->n_voxel, in->voxel};
  double dealt = DEALT_SPOT_ARRAYS * spots * sizeof(double), rays = 0; /* rays: numbers per voxel, places and depths */
  for (PetscInt b = 0; b < in->beams->n_beam; b++)
    rays += 3.0 * in->optimize->n_view + 2.0 * BeamTraces(&in->beams->beam[b], in->optimize, NULL, NULL);
  dealt += voxels * (rows * N_CHANNELS * PetscMax(in->course.n, 1) + rays) * sizeof(double);
  *need = (MemoryNeed){0};
  if (in->settings->dose_operator == OPERATOR_ASSEMBLED && !DoseModelIsSplit(in->model))
    dealt += entries * INFLUENCE_BYTES_PER_ENTRY;
  else
    PetscCall(OperatorNeed(context, in, &looked_up, PETSC_TRUE, in->settings->course.together, need));
  if (in->settings->spot_control.gradient > 0) { /* nominal rows of the target's voxels */
    PetscCall(PlanCountNominal(context->comm, in, in->target.n, in->target.voxel, &entries));
    dealt += entries * INFLUENCE_BYTES_PER_ENTRY;
  }
  need->node += dealt / context->nodes;
  need->rank += WHOLE_SPOT_ARRAYS * spots * sizeof(double);
  PetscFunctionReturn(0);
}

/* Cubes of a plan that has all quantities there are. */
static PetscInt Cubes(void)
{
  PetscInt n = 0;
  for (Quantity q = 0; q < n_quantities; q++) n += quantities[q].kept != KEPT_NEVER;
  return n;
}

/* Of one rank: DVHs of scenarios, and doses of scenarios and beams that are kept. */
static double KeptBytes(const PlanInputs *in)
{
  const double rows = (double)PetscMin(in->evaluate->n, DVH_SCENARIOS_MOST);
  double bytes = 0, kept = 0;
  for (Quantity q = 0; q < n_quantities; q++)
    if (DosesHave(in->evaluate, NULL, q)) bytes += rows * (double)(in->n_region * quantities[q].dvh.n) * sizeof(float);
  if (in->settings->results.scenario_doses == SCENARIO_DOSES_ALL) kept = (double)(in->evaluate->n - 1);
  if (in->settings->results.scenario_doses == SCENARIO_DOSES_WORST) kept = (double)in->settings->n_goals;
  if (in->settings->results.beam_doses == BEAM_DOSES_PHYSICAL)
    bytes += (double)in->beams->n_beam * (double)GridSize(&in->grid) * sizeof(float);
  return bytes + PetscMin(kept, SCENARIO_DOSES_MOST) * (double)GridSize(&in->grid);
}

/* Depths and doses of some scenarios, dealt to all ranks, dose cubes on each rank, and the beams' dose volumes, which make no gradient. */
static PetscErrorCode EvaluationNeed(PlanContext *context, const PlanInputs *in, PetscInt ranks, MemoryNeed *need)
{
  PetscFunctionBegin;
  Quantity computed[QUANTITIES_MOST];
  const FactoredVoxels looked_up = {in->evaluate, &in->grid, in->n_dose_voxel, in->dose_voxel};
  const double voxels = (double)in->n_dose_voxel,
               quantities_bytes = DosesComputed(in->evaluate, computed) * sizeof(float) * voxels;
  PetscCall(OperatorNeed(context, in, &looked_up, PETSC_FALSE, PETSC_TRUE, need));
  if (in->evaluate->other_model) { /* an operator apart, that has all tables */
    ScenarioSet scenarios = *in->evaluate;
    MemoryNeed apart;
    scenarios.other_model = 0;
    const FactoredVoxels without = {&scenarios, &in->grid, in->n_dose_voxel, in->dose_voxel};
    PetscCall(OperatorNeed(context, in, &without, PETSC_FALSE, PETSC_TRUE, &apart));
    *need = NeedSum(*need, apart);
  }
  need->node += ((double)DoseSetRows(in->evaluate->n, (PetscMPIInt)ranks) * quantities_bytes +
                 2.0 * in->beams->n_beam * sizeof(double) * voxels) /
                context->nodes;
  need->rank += (double)GridSize(&in->grid) * sizeof(float) * (2.0 * Cubes() + 3) + quantities_bytes + KeptBytes(in);
  PetscFunctionReturn(0);
}

/* Maps of positron emitters on each rank, and the beams' volumes of them. */
static PetscErrorCode ActivityNeed(PlanContext *context, const PlanInputs *in, MemoryNeed *need)
{
  PetscFunctionBegin;
  const FactoredVoxels looked_up = {in->evaluate, &in->grid, in->n_dose_voxel, in->dose_voxel};
  const double windows = (double)in->settings->activity.n_windows;
  PetscInt n, *row;
  DoseModel model;
  size_t shared, own;
  *need = (MemoryNeed){0};
  PetscCall(PlanActivityRows(in, &n, &row));
  PetscCall(PetscFree(row));
  if (!n) PetscFunctionReturn(0);
  PetscCall(EmissionModelCreate(in->patient, in->machine, in->beams, in->settings->dropped_dose_fraction, &model));
  PetscCall(FactoredMeasure(context->comm, model, &looked_up, PETSC_FALSE, &shared, &own));
  PetscCall(DoseModelDestroy(&model));
  need->node = (double)shared;
  need->rank = (double)own +
               (double)GridSize(&in->grid) * sizeof(float) * (double)n *
                   ((double)in->machine->n_emitter + 1 + windows * (in->settings->activity.efficiency > 0 ? 2 : 1));
  PetscFunctionReturn(0);
}

/* What ranks hold already. What the team's first rank has alone (dose spectra) counts as its node's. */
static PetscErrorCode NeedInUse(PlanContext *context, MemoryNeed *need)
{
  PetscFunctionBegin;
  double own, shared, most[2];
  MemoryInUse(&own, &shared);
  most[0] = context->rank || context->size == 1 ? own : 0;
  most[1] = shared;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_DOUBLE, MPI_MAX, context->comm));
  const double first = PetscMax(0.0, own - most[0]);
  *need = (MemoryNeed){most[1] + first, most[0]};
  PetscCallMPI(MPI_Bcast(&need->node, 1, MPI_DOUBLE, 0, context->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanMemory(PlanContext *context, const PlanInputs *in, double entries, PetscInt ranks, MemoryNeed *need)
{
  PetscFunctionBegin;
  MemoryNeed evaluation, activity, now;
  PetscCall(OptimisationNeed(context, in, entries, need));
  PetscCall(EvaluationNeed(context, in, ranks, &evaluation));
  PetscCall(ActivityNeed(context, in, &activity));
  PetscCall(NeedInUse(context, &now));
  *need = NeedSum(NeedMost(*need, NeedSum(evaluation, activity)), now);
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckMemory(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double gib = 1073741824.0;
  double entries = 0;
  MemoryNeed need;
  if (in->settings->dose_operator == OPERATOR_ASSEMBLED)
    PetscFunctionReturn(0); /* computed on the fly where it does not fit */
  PetscCall(PlanMemory(context, in, entries, context->size, &need));
  const double bytes = need.node * context->nodes + need.rank * context->size;
  LogLine(LOG_DETAIL, "memory", plan->case_name,
          "%s  about %.2f GiB of %.2f GiB: %.2f on each node, %.3f more of each rank", plan->arm, bytes / gib,
          context->memory_bytes / gib, need.node / gib, need.rank / gib);
  if (context->memory_bytes > 0 && bytes > context->memory_bytes)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES,
                          "%s: needs about %.2f GiB of memory, its team of %d ranks has %.2f GiB: larger teams "
                          "(--team-size), fewer ranks per node, more nodes, or a coarser dose grid",
                          plan->folder, bytes / gib, context->size, context->memory_bytes / gib));
  PetscFunctionReturn(0);
}
