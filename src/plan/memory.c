/* What a plan takes of a team's memory, known before it is taken. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/optimize.h"

/* Over all ranks: the optimised voxels' rays and channels, and the operator. */
static PetscErrorCode OptimisationBytes(PlanContext *context, const PlanInputs *in, double entries, double *bytes)
{
  PetscFunctionBegin;
  const double voxels = (double)in->n_voxel, rows = (double)in->optimize->n;
  double rays = 0; /* numbers per voxel: places in every setup, depths in those that are traced */
  size_t shared, own;
  for (PetscInt b = 0; b < in->beams->n_beam; b++)
    rays += 3.0 * in->optimize->n_setup + 2.0 * BeamTraces(&in->beams->beam[b], in->optimize->n_setup);
  *bytes = voxels * (rows * N_CHANNELS + rays) * sizeof(double);
  if (DoseModelIsSplit(in->model)) PetscFunctionReturn(0);
  if (in->settings->dose_operator == OPERATOR_ASSEMBLED) {
    *bytes += entries * INFLUENCE_BYTES_PER_ENTRY;
    PetscFunctionReturn(0);
  }
  const FactoredVoxels looked_up = {in->optimize, &in->grid, in->n_voxel, in->voxel};
  PetscCall(FactoredMeasure(context->comm, in->model, &looked_up, &shared, &own));
  *bytes += (double)own * context->size + (double)shared * context->nodes;
  PetscFunctionReturn(0);
}

/* Over all ranks: the nominal rows of the target's voxels, if in-field gradients are suppressed. */
static PetscErrorCode FieldBytes(PlanContext *context, const PlanInputs *in, double *bytes)
{
  PetscFunctionBegin;
  double entries = 0;
  if (in->settings->spot_control.gradient > 0)
    PetscCall(PlanCountNominal(context->comm, in, in->target.n, in->target.voxel, &entries));
  *bytes = entries * INFLUENCE_BYTES_PER_ENTRY;
  PetscFunctionReturn(0);
}

/* Cubes of a plan that has all quantities there are. */
static PetscInt Cubes(void)
{
  PetscInt n = 0;
  for (Quantity q = 0; q < n_quantities; q++) n += quantities[q].kept != KEPT_NEVER;
  return n;
}

/* Of one rank: DVHs of scenarios, and doses of scenarios that are kept. */
static double ScenarioBytes(const PlanInputs *in)
{
  const double rows = (double)PetscMin(in->evaluate->n, DVH_SCENARIOS_MOST);
  double bytes = 0, kept = 0;
  for (Quantity q = 0; q < n_quantities; q++)
    bytes += rows * (double)(in->n_region * quantities[q].dvh.n) * sizeof(float);
  if (in->settings->results.scenario_doses == SCENARIO_DOSES_ALL) kept = (double)(in->evaluate->n - 1);
  if (in->settings->results.scenario_doses == SCENARIO_DOSES_WORST) kept = (double)in->settings->n_goals;
  return bytes + PetscMin(kept, SCENARIO_DOSES_MOST) * (double)GridSize(&in->grid);
}

/* Over all ranks: depths, doses of some scenarios, dose cubes on each rank, and the beams' dose volumes, which make no gradient. */
static PetscErrorCode EvaluationBytes(PlanContext *context, const PlanInputs *in, double *bytes)
{
  PetscFunctionBegin;
  size_t shared = 0, own;
  Quantity computed[QUANTITIES_MOST];
  const FactoredVoxels looked_up = {in->evaluate, &in->grid, in->n_dose_voxel, in->dose_voxel};
  if (!DoseModelIsSplit(in->model)) PetscCall(FactoredMeasure(context->comm, in->model, &looked_up, &shared, &own));
  *bytes = (double)GridSize(&in->grid) * sizeof(float) * (2.0 * Cubes() + 2) * context->size;
  *bytes += ((double)DoseSetRows(in->evaluate->n, context->size) + context->size) * DosesComputed(computed) *
            sizeof(float) * in->n_dose_voxel;
  *bytes += 2.0 * in->beams->n_beam * sizeof(double) * in->n_dose_voxel;
  *bytes += (double)shared * context->nodes + ScenarioBytes(in) * context->size;
  PetscFunctionReturn(0);
}

/* Over all ranks: maps of positron emitters on each, and the beams' volumes of them. */
static PetscErrorCode ActivityBytes(PlanContext *context, const PlanInputs *in, double *bytes)
{
  PetscFunctionBegin;
  const FactoredVoxels looked_up = {in->evaluate, &in->grid, in->n_dose_voxel, in->dose_voxel};
  const double windows = (double)in->settings->activity.n_windows;
  PetscInt n, *row;
  DoseModel model;
  size_t shared, own;
  *bytes = 0;
  PetscCall(PlanActivityRows(in, &n, &row));
  PetscCall(PetscFree(row));
  if (!n) PetscFunctionReturn(0);
  PetscCall(EmissionModelCreate(in->patient, in->machine, in->beams, in->settings->dropped_dose_fraction, &model));
  PetscCall(FactoredMeasure(context->comm, model, &looked_up, &shared, &own));
  PetscCall(DoseModelDestroy(&model));
  *bytes = (double)GridSize(&in->grid) * sizeof(float) * context->size * (double)n *
               ((double)in->machine->n_emitter + 1 + windows * (in->settings->activity.efficiency > 0 ? 2 : 1)) +
           (double)shared * context->nodes;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanMemory(PlanContext *context, const PlanInputs *in, double entries, double *bytes)
{
  PetscFunctionBegin;
  double evaluation, fields, activity;
  PetscLogDouble mine, now;
  PetscCall(OptimisationBytes(context, in, entries, bytes));
  PetscCall(FieldBytes(context, in, &fields));
  *bytes += fields;
  PetscCall(EvaluationBytes(context, in, &evaluation));
  PetscCall(ActivityBytes(context, in, &activity));
  evaluation += activity;
  *bytes = PetscMax(*bytes, evaluation);
  PetscCall(PetscMemoryGetCurrentUsage(&mine));
  PetscCallMPI(MPI_Allreduce(&mine, &now, 1, MPI_DOUBLE, MPI_SUM, context->comm));
  *bytes += now;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckMemory(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double gib = 1073741824.0;
  double bytes, entries = 0;
  if (in->settings->dose_operator == OPERATOR_ASSEMBLED)
    PetscFunctionReturn(0); /* computed on the fly where it does not fit */
  PetscCall(PlanMemory(context, in, entries, &bytes));
  LogLine(LOG_DETAIL, "memory", plan->case_name, "%s  about %.2f GiB of %.2f GiB", plan->arm, bytes / gib,
          context->memory_bytes / gib);
  if (context->memory_bytes > 0 && bytes > context->memory_bytes)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES,
                          "%s: needs about %.2f GiB of memory, its team of %d ranks has %.2f GiB: larger teams "
                          "(--team-size), fewer ranks per node, more nodes, or a coarser dose grid",
                          plan->folder, bytes / gib, context->size, context->memory_bytes / gib));
  PetscFunctionReturn(0);
}
