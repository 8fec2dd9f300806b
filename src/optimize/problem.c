/* The problem object: dealing blocks to ranks, and what the solver asks of it and tells it. */
#include "problem_private.h"
#include "robion/memory.h"

/* Which slots the modes of the terms look at, and which sums that takes; the others are not applied. */
static void FindUsedSlots(Problem p)
{
  const ProblemSpec *spec = &p->spec;
  for (PetscInt t = 0; t < spec->n_term; t++)
    for (PetscInt k = 0; k < p->n_slot; k++) {
      const PetscBool used = RobustUsesSlot(spec->robust, &spec->term[t], spec->set, k);
      p->slot_used[t * p->n_slot + k] = used;
      if (used && k < spec->set->n) p->sums_used[spec->set->scenario[k].sums] = PETSC_TRUE;
    }
}

/* Part [begin, end) of a term's voxels that lies in a block. */
static void TermRange(const Term *term, const Block *block, PetscInt *begin, PetscInt *end)
{
  for (int side = 0; side < 2; side++) {
    PetscInt low = 0, high = term->n, wanted = side ? block->first + block->n : block->first;
    while (low < high) {
      PetscInt middle = low + (high - low) / 2;
      if (term->voxel[middle] < wanted)
        low = middle + 1;
      else
        high = middle;
    }
    *(side ? end : begin) = low;
  }
}

/* Room for a term's quantities in a block: for the rows that it looks at, up to the last of them. */
static PetscErrorCode CreatePart(Problem p, const Block *block, PetscInt t, TermPart *part)
{
  PetscFunctionBegin;
  const PetscBool *used = p->slot_used + t * p->n_slot;
  const PetscInt n_scenario = p->spec.set->n;
  PetscBool extra = PETSC_FALSE;
  TermRange(&p->spec.term[t], block, &part->begin, &part->end);
  for (PetscInt s = 0; s < n_scenario; s++)
    if (used[s]) part->n_row = s + 1;
  for (PetscInt k = 0; k < N_EXTRA; k++)
    if (used[n_scenario + k]) extra = PETSC_TRUE;
  const size_t n = (size_t)(part->end - part->begin);
  PetscCall(PetscCalloc1((size_t)part->n_row * n, &part->quantity));
  if (extra) PetscCall(PetscCalloc1(n, &part->spread));
  p->part_bytes += (size_t)part->n_row * n * sizeof(double) + (extra ? n * sizeof(Spread) : 0);
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateBlock(Problem p, PetscInt k, Block *block)
{
  PetscFunctionBegin;
  const ProblemSpec *spec = &p->spec;
  block->first = k * BLOCK_VOXELS;
  block->n = PetscMin(BLOCK_VOXELS, spec->n_voxel - block->first);
  PetscCall(PetscCalloc1(p->n_stage, &block->influence));
  PetscCall(PetscCalloc1((size_t)(p->n_stage * spec->set->n_sums) * (size_t)block->n * N_CHANNELS, &block->channels));
  PetscCall(PetscCalloc1(spec->n_term, &block->part));
  for (PetscInt t = 0; t < spec->n_term; t++) PetscCall(CreatePart(p, block, t, &block->part[t]));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyBlock(Problem p, Block *block)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(block->influence));
  PetscCall(PetscFree(block->channels));
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    PetscCall(PetscFree(block->part[t].quantity));
    PetscCall(PetscFree(block->part[t].spread));
  }
  PetscCall(PetscFree(block->part));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateBlocks(Problem p)
{
  PetscFunctionBegin;
  p->n_block = (p->spec.n_voxel + BLOCK_VOXELS - 1) / BLOCK_VOXELS;
  PetscCall(PetscCalloc1(p->n_block / p->size + 1, &p->block));
  PetscCall(PetscMalloc1(p->n_block / p->size + 1, &p->block_index));
  for (PetscInt k = p->rank; k < p->n_block; k += p->size) {
    PetscCall(CreateBlock(p, k, &p->block[p->n_local]));
    p->block_index[p->n_local++] = k;
  }
  PetscFunctionReturn(0);
}

/* Groups of terms whose worst case is looked for; until the solver says otherwise all scenarios weigh the same. */
static PetscErrorCode CreateGroups(Problem p)
{
  PetscFunctionBegin;
  const PetscInt n = p->spec.set->n;
  PetscCall(RobustGroupsCreate(p->spec.n_term, p->spec.term, &p->groups));
  PetscCall(
      PetscMalloc3(p->groups.n, &p->smooth.mu, p->groups.n * n, &p->smooth.multiplier, p->groups.n * n, &p->lambda));
  for (PetscInt g = 0; g < p->groups.n; g++) p->smooth.mu[g] = 1;
  for (PetscInt i = 0; i < p->groups.n * n; i++) p->smooth.multiplier[i] = 1.0 / (double)n;
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateTables(Problem p)
{
  PetscFunctionBegin;
  const ProblemSpec *spec = &p->spec;
  const size_t table = (size_t)spec->n_term * (size_t)p->n_slot;
  PetscCall(PetscCalloc4(p->n_all, &p->weight, p->n_all, &p->gradient, p->n_all, &p->part_gradient,
                         p->n_stage * BLOCK_VOXELS * N_CHANNELS, &p->cotangent));
  PetscCall(PetscArraycpy(p->weight, spec->fixed, p->first));
  PetscCall(PetscCalloc7((size_t)p->n_block * table, &p->sums, table, &p->inner, table, &p->value, table, &p->count,
                         table, &p->outer_slope, table, &p->landmark, spec->n_term, &p->largest_share));
  for (PetscInt t = 0; t < spec->n_term; t++)
    for (PetscInt i = 0; i < spec->term[t].n; i++)
      p->largest_share[t] = PetscMax(p->largest_share[t], spec->term[t].share[i]);
  PetscCall(ExactSumCreate(p->n_all, &p->exact));
  PetscFunctionReturn(0);
}

/* The stages and their spots; a plan without stages is one of a single stage. */
static PetscErrorCode FindStages(Problem p)
{
  PetscFunctionBegin;
  const ProblemSpec *spec = &p->spec;
  p->n_stage = spec->course ? spec->course->n : 1;
  p->n_fixed = spec->n_fixed;
  PetscCheck(p->n_fixed < p->n_stage, p->comm, PETSC_ERR_ARG_OUTOFRANGE, "%d of %d stages fixed, expected fewer",
             (int)p->n_fixed, (int)p->n_stage);
  p->first = spec->course ? spec->course->stage[p->n_fixed].first_spot : 0;
  p->n_all = p->first + spec->n_spot;
  for (PetscInt stage = 0; stage < p->n_stage; stage++)
    p->model[stage] = spec->course ? spec->course->stage[stage].model : spec->model;
  PetscFunctionReturn(0);
}

/* A stage's doses are looked up by its blocks alone. */
static PetscErrorCode RestrictStage(Problem p, PetscInt stage)
{
  PetscFunctionBegin;
  Influence *influence;
  PetscCall(PetscMalloc1(p->n_local, &influence));
  for (PetscInt k = 0; k < p->n_local; k++) influence[k] = p->block[k].influence[stage];
  PetscCall(FactoredRestrict(p->factored[stage], p->n_local, influence));
  PetscCall(PetscFree(influence));
  PetscFunctionReturn(0);
}

/* The operator of a stage at all blocks. */
static PetscErrorCode OpenStage(Problem p, PetscInt stage)
{
  PetscFunctionBegin;
  const ProblemSpec *spec = &p->spec;
  const FactoredVoxels voxels = {spec->set, spec->grid, spec->n_voxel, spec->voxel};
  PetscCall(DoseModelTrace(p->comm, p->model[stage], spec->set));
  if (spec->type == INFLUENCE_FACTORED)
    PetscCall(FactoredCreate(p->comm, p->model[stage], &voxels, PETSC_TRUE, &p->factored[stage]));
  for (PetscInt k = 0; k < p->n_local; k++) {
    Block *block = &p->block[k];
    const PetscInt *voxel = spec->voxel + block->first;
    if (p->factored[stage])
      PetscCall(InfluenceCreateFactored(p->factored[stage], spec->set, spec->grid, block->n, voxel,
                                        &block->influence[stage]));
    else
      PetscCall(InfluenceCreate(p->model[stage], spec->type, spec->set, spec->grid, block->n, voxel,
                                &block->influence[stage]));
  }
  if (p->factored[stage]) PetscCall(RestrictStage(p, stage));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseStage(Problem p, PetscInt stage)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < p->n_local; k++) PetscCall(InfluenceDestroy(&p->block[k].influence[stage]));
  PetscCall(FactoredDestroy(&p->factored[stage]));
  MemoryGiveBack();
  PetscFunctionReturn(0);
}

/* Channels of a stage whose weights do not change, for good: its operator is not needed again. */
static PetscErrorCode FixStage(Problem p, PetscInt stage)
{
  PetscFunctionBegin;
  PetscCall(OpenStage(p, stage));
  if (p->factored[stage]) PetscCall(FactoredSetWeights(p->factored[stage], p->weight));
  for (PetscInt k = 0; k < p->n_local; k++)
    PetscCall(InfluenceApplyAll(p->block[k].influence[stage], p->sums_used, p->weight,
                                StageChannels(p, &p->block[k], stage, 0)));
  PetscCall(CloseStage(p, stage));
  PetscFunctionReturn(0);
}

/* What is sought comes behind what is given. */
static PetscErrorCode CreateStages(Problem p)
{
  PetscFunctionBegin;
  for (PetscInt stage = 0; stage < p->n_fixed; stage++) PetscCall(FixStage(p, stage));
  for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++) PetscCall(OpenStage(p, stage));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemCreate(MPI_Comm comm, const ProblemSpec *spec, Problem *out)
{
  PetscFunctionBegin;
  Problem p;
  PetscCall(PetscNew(&p));
  p->comm = comm;
  p->column_term = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &p->rank));
  PetscCallMPI(MPI_Comm_size(comm, &p->size));
  p->spec = *spec;
  p->n_slot = RobustSlots(spec->set);
  PetscCall(PetscCalloc2(spec->set->n_sums, &p->sums_used, spec->n_term * p->n_slot, &p->slot_used));
  FindUsedSlots(p);
  PetscCall(FindStages(p));
  PetscCall(CreateBlocks(p));
  PetscCall(CreateTables(p));
  PetscCall(CreateStages(p));
  PetscCall(CreateGroups(p));
  if (spec->field_gradient) PetscCall(FieldGradientCreate(comm, spec->field_gradient, &p->field_gradient));
  PetscCall(ProblemGetConstraints(p, &p->n_hard, &p->n_multiplier));
  PetscCall(PetscCalloc3(p->n_hard, &p->penalty, p->n_multiplier, &p->shift, p->n_multiplier, &p->excess));
  *out = p;
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemDestroy(Problem *problem)
{
  PetscFunctionBegin;
  Problem p = *problem;
  if (!p) PetscFunctionReturn(0);
  for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++) PetscCall(CloseStage(p, stage));
  for (PetscInt k = 0; k < p->n_local; k++) PetscCall(DestroyBlock(p, &p->block[k]));
  PetscCall(PetscFree(p->block));
  PetscCall(PetscFree(p->block_index));
  PetscCall(PetscFree(p->removed));
  PetscCall(PetscFree2(p->sums_used, p->slot_used));
  PetscCall(PetscFree4(p->weight, p->gradient, p->part_gradient, p->cotangent));
  PetscCall(PetscFree7(p->sums, p->inner, p->value, p->count, p->outer_slope, p->landmark, p->largest_share));
  PetscCall(PetscFree3(p->smooth.mu, p->smooth.multiplier, p->lambda));
  PetscCall(PetscFree3(p->penalty, p->shift, p->excess));
  PetscCall(RobustGroupsDestroy(&p->groups));
  PetscCall(FieldGradientDestroy(&p->field_gradient));
  PetscCall(ExactSumDestroy(&p->exact));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(0);
}

/* Nothing of the removed spots, in an array over the sought ones. */
static void ClearRemoved(Problem p, double *value)
{
  for (PetscInt j = 0; p->removed && j < p->spec.n_spot; j++)
    if (p->removed[j]) value[j] = 0;
}

PetscErrorCode ProblemEvaluate(Problem p, const double *weight, double *objective, double *gradient)
{
  PetscFunctionBegin;
  double value;
  PetscCall(PetscArraycpy(p->weight + p->first, weight, p->spec.n_spot));
  ClearRemoved(p, p->weight + p->first);
  PetscCall(ProblemEvaluateTogether(p, gradient ? PETSC_TRUE : PETSC_FALSE, &value));
  if (objective) *objective = value;
  if (gradient) PetscCall(PetscArraycpy(gradient, p->gradient + p->first, p->spec.n_spot));
  if (gradient) ClearRemoved(p, gradient);
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemRemoveSpots(Problem p, const PetscBool *removed)
{
  PetscFunctionBegin;
  if (!p->removed) PetscCall(PetscMalloc1(p->spec.n_spot, &p->removed));
  PetscCall(PetscArraycpy(p->removed, removed, p->spec.n_spot));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemSetSmoothMax(Problem p, const double *mu, const double *multiplier)
{
  PetscFunctionBegin;
  for (PetscInt g = 0; g < p->groups.n; g++)
    PetscCheck(mu[g] > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "mu of group %d is %g, expected a positive number",
               (int)g, mu[g]);
  PetscCall(PetscArraycpy(p->smooth.mu, mu, p->groups.n));
  PetscCall(PetscArraycpy(p->smooth.multiplier, multiplier, p->groups.n * p->spec.set->n));
  PetscCallMPI(MPI_Bcast(p->smooth.mu, (PetscMPIInt)p->groups.n, MPI_DOUBLE, 0, p->comm));
  PetscCallMPI(MPI_Bcast(p->smooth.multiplier, (PetscMPIInt)(p->groups.n * p->spec.set->n), MPI_DOUBLE, 0, p->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemSetConstraints(Problem p, const double *penalty, const double *shift)
{
  PetscFunctionBegin;
  PetscCall(PetscArraycpy(p->penalty, penalty, p->n_hard));
  PetscCall(PetscArraycpy(p->shift, shift, p->n_multiplier));
  PetscCall(ConstraintsShift(p));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemMeasureConstraints(Problem p, double *excess, double *part)
{
  PetscFunctionBegin;
  PetscCall(ConstraintsMeasure(p));
  PetscCall(PetscArraycpy(excess, p->excess, p->n_multiplier));
  *part = ConstraintsPart(p);
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemGetGroups(Problem p, PetscInt *n_group)
{
  PetscFunctionBegin;
  *n_group = p->groups.n;
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemGetTotals(Problem p, double *total, double *lambda)
{
  PetscFunctionBegin;
  RobustTable table = ProblemTable(p);
  if (total) PetscCall(RobustTotals(&table, total));
  if (lambda) PetscCall(PetscArraycpy(lambda, p->lambda, p->groups.n * p->spec.set->n));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemGetTrueObjective(Problem p, double *objective, PetscInt *worst)
{
  PetscFunctionBegin;
  RobustTable table = ProblemTable(p);
  PetscCall(RobustTrueObjective(&table, objective, worst));
  *objective += p->ratio + p->unevenness;
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemTermMean(Problem p, PetscInt t, const double *weight, double *mean)
{
  PetscFunctionBegin;
  const Term *term = &p->spec.term[t];
  double *part;
  /* Any used scenario serves: this only scales a start. */
  PetscInt s = 0;
  while (!p->sums_used[p->spec.set->scenario[s].sums]) s++;
  PetscCall(PetscArraycpy(p->weight + p->first, weight, p->spec.n_spot));
  PetscCall(ProblemSetWeights(p));
  PetscCall(PetscCalloc1(p->n_block, &part));
  for (PetscInt k = 0; k < p->n_local; k++) {
    Block *block = &p->block[k];
    PetscInt begin = block->part[t].begin, end = block->part[t].end;
    if (begin == end) continue;
    for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++)
      PetscCall(InfluenceApply(block->influence[stage], p->spec.set->scenario[s].sums, p->weight,
                               StageChannels(p, block, stage, p->spec.set->scenario[s].sums)));
    for (PetscInt i = begin; i < end; i++)
      part[p->block_index[k]] += term->share[i] * ProblemQuantity(p, block, term, s, term->voxel[i], NULL);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, part, (PetscMPIInt)p->n_block, MPI_DOUBLE, MPI_SUM, p->comm));
  *mean = 0;
  for (PetscInt k = 0; k < p->n_block; k++) *mean += part[k];
  PetscCall(PetscFree(part));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemGetSize(Problem p, size_t *entries, size_t *bytes, size_t *bytes_largest_rank)
{
  PetscFunctionBegin;
  unsigned long long mine[2] = {0, 0}, total[2], largest;
  for (PetscInt k = 0; k < p->n_local; k++) {
    for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++) {
      size_t block_entries, block_bytes;
      PetscCall(InfluenceGetSize(p->block[k].influence[stage], &block_entries, &block_bytes));
      mine[0] += block_entries;
      mine[1] += block_bytes + (size_t)p->spec.set->n_sums * (size_t)p->block[k].n * N_CHANNELS * sizeof(double);
    }
  }
  mine[1] += p->part_bytes;
  if (p->field_gradient) {
    size_t stored, held;
    PetscCall(FieldGradientGetSize(p->field_gradient, &stored, &held));
    mine[0] += stored;
    mine[1] += held;
  }
  for (PetscInt stage = p->n_fixed; stage < p->n_stage && p->factored[stage]; stage++) {
    size_t shared, own;
    PetscCall(FactoredGetSize(p->factored[stage], &shared, &own));
    mine[1] += own + (p->rank == 0 ? shared : 0); /* of one node */
  }
  PetscCallMPI(MPI_Allreduce(mine, total, 2, MPI_UNSIGNED_LONG_LONG, MPI_SUM, p->comm));
  PetscCallMPI(MPI_Allreduce(&mine[1], &largest, 1, MPI_UNSIGNED_LONG_LONG, MPI_MAX, p->comm));
  *entries = (size_t)total[0];
  *bytes = (size_t)total[1];
  *bytes_largest_rank = (size_t)largest;
  PetscFunctionReturn(0);
}
