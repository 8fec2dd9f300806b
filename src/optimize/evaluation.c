/* Objective and gradient of the problem: doses of all blocks, term values, robust combination, transposed pass. */
#include "problem_private.h"
#include <limits.h>
#include <math.h>

/* What a voxel's quantity is over the scenarios. Rows of probability 0 count for the extremes alone. */
static Spread SpreadOf(const ScenarioSet *set, const PetscBool *used, const double *quantity, PetscInt stride)
{
  Spread out = {.low = INFINITY, .high = -INFINITY};
  for (PetscInt s = 0; s < set->n; s++) {
    const double q = quantity[s * stride];
    if (!used[s]) continue;
    if (q < out.low) out.low = q, out.low_row = s;
    if (q > out.high) out.high = q, out.high_row = s;
    out.mean += set->scenario[s].weight * q;
  }
  for (PetscInt s = 0; s < set->n; s++)
    if (used[s]) out.variance += set->scenario[s].weight * pow(quantity[s * stride] - out.mean, 2);
  return out;
}

double ProblemQuantity(Problem p, const Block *block, const Term *term, PetscInt scenario, PetscInt voxel,
                       double derivative[STAGES_MOST][N_CHANNELS])
{
  const Scenario *row = &p->spec.set->scenario[scenario];
  const VoxelResponse response = ResponseOf(p->spec.tissues, row, p->spec.voxel[voxel]);
  const size_t at = (size_t)(voxel - block->first) * N_CHANNELS;
  const double *channels[STAGES_MOST];
  double scaled[STAGES_MOST][N_CHANNELS], value;
  for (PetscInt k = 0; k < p->n_stage; k++) {
    channels[k] = StageChannels(p, block, k, row->sums) + at;
    if (!response.factor) continue;
    for (int c = 0; c < N_CHANNELS; c++) scaled[k][c] = channels[k][c];
    ResponseScale(&response, scaled[k]);
    channels[k] = scaled[k];
  }
  if (term->stage == COURSE_MEAN)
    value = CourseQuantity(p->spec.course, response.spec, term->quantity, channels, derivative);
  else {
    for (PetscInt k = 0; derivative && k < p->n_stage; k++)
      for (int c = 0; c < N_CHANNELS; c++) derivative[k][c] = 0;
    value = quantities[term->quantity].of_channels(response.spec, channels[term->stage],
                                                   derivative ? derivative[term->stage] : NULL);
  }
  for (PetscInt k = 0; derivative && k < p->n_stage; k++) ResponseScale(&response, derivative[k]);
  return value;
}

/* A term's quantity in all its voxels of a block and all scenarios that it looks at. */
static void FillPart(Problem p, const Block *block, PetscInt t)
{
  const Term *term = &p->spec.term[t];
  const TermPart *part = &block->part[t];
  const PetscBool *used = p->slot_used + t * p->n_slot;
  const PetscInt n = part->end - part->begin;
  for (PetscInt s = 0; s < part->n_row; s++)
    for (PetscInt i = 0; i < n && used[s]; i++)
      part->quantity[s * n + i] = ProblemQuantity(p, block, term, s, term->voxel[part->begin + i], NULL);
  for (PetscInt i = 0; i < n && part->spread; i++) part->spread[i] = SpreadOf(p->spec.set, used, part->quantity + i, n);
}

/* Whether the mode of a term counts the value of a slot (rather than only making up another slot from it). */
static const ObjectiveType *CountedType(Problem p, PetscInt t, PetscInt slot)
{
  const Term *term = &p->spec.term[t];
  if (!p->slot_used[t * p->n_slot + slot] || term->weight == 0) return NULL;
  return RobustSlotType(p->spec.robust, term, p->spec.set, slot);
}

/* Value and slope of the voxel function of one voxel in a slot. */
static inline double VoxelValue(const ObjectiveType *type, const Term *term, KernelPoint *at, PetscInt i, double q,
                                double *slope)
{
  if (term->goal_of_voxel) at->goal = term->goal_of_voxel[i];
  return (*type->voxel)(at, q, slope);
}

/* Partial volume means of all terms over one block. */
static void AddSums(Problem p, const Block *block, double *sums)
{
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    const TermPart *part = &block->part[t];
    for (PetscInt slot = 0; slot < p->n_slot; slot++) {
      const ObjectiveType *type = CountedType(p, t, slot);
      KernelPoint at = SlotPoint(p, t, slot);
      double sum = 0, slope;
      for (PetscInt i = part->begin; type && i < part->end; i++)
        sum += term->share[i] *
               VoxelValue(type, term, &at, i, SlotValue(part, p->spec.set->n, slot, i - part->begin), &slope);
      sums[t * p->n_slot + slot] += sum;
    }
  }
}

PetscErrorCode ProblemSetWeights(Problem p)
{
  PetscFunctionBegin;
  for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++)
    if (p->factored[stage]) PetscCall(FactoredSetWeights(p->factored[stage], p->weight));
  PetscFunctionReturn(0);
}

/* Doses of all local blocks in all used sums, and the quantities of all terms. */
static PetscErrorCode Doses(Problem p)
{
  PetscFunctionBegin;
  PetscCall(ProblemSetWeights(p));
  for (PetscInt k = 0; k < p->n_local; k++) {
    Block *block = &p->block[k];
    for (PetscInt stage = p->n_fixed; stage < p->n_stage; stage++)
      PetscCall(InfluenceApplyAll(block->influence[stage], p->sums_used, p->weight, StageChannels(p, block, stage, 0)));
    for (PetscInt t = 0; t < p->spec.n_term; t++)
      if (p->spec.term[t].weight != 0) FillPart(p, block, t);
  }
  PetscFunctionReturn(0);
}

/* The volume means of every term in every slot, added in block order. */
static PetscErrorCode Forward(Problem p)
{
  PetscFunctionBegin;
  const PetscInt table = p->spec.n_term * p->n_slot;
  PetscCall(Doses(p));
  PetscCall(ProblemFindLandmarks(p));
  PetscCall(PetscArrayzero(p->sums, p->n_block * table));
  for (PetscInt k = 0; k < p->n_local; k++) AddSums(p, &p->block[k], p->sums + p->block_index[k] * table);
  /* Each entry has one owner and zeros elsewhere: this sum is exact in any order. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, p->sums, (PetscMPIInt)(p->n_block * table), MPI_DOUBLE, MPI_SUM, p->comm));
  PetscCall(PetscArrayzero(p->inner, table));
  for (PetscInt k = 0; k < p->n_block; k++)
    for (PetscInt i = 0; i < table; i++) p->inner[i] += p->sums[k * table + i];
  PetscFunctionReturn(0);
}

RobustTable ProblemTable(Problem p)
{
  return (RobustTable){.spec = p->spec.robust,
                       .set = p->spec.set,
                       .groups = &p->groups,
                       .smooth = &p->smooth,
                       .n_term = p->spec.n_term,
                       .term = p->spec.term,
                       .value = p->value};
}

/*
 * Term values from their volume means, then the robust combination. All ranks do the same; rank 0's count, since the solver's way must
 * be one and the same even where the mathematical functions of two nodes differ.
 */
static PetscErrorCode Combine(Problem p, double *objective)
{
  PetscFunctionBegin;
  RobustTable table = ProblemTable(p);
  for (PetscInt t = 0; t < p->spec.n_term; t++)
    for (PetscInt slot = 0, k = t * p->n_slot; slot < p->n_slot; slot++, k++) {
      const ObjectiveType *type = CountedType(p, t, slot);
      const KernelPoint at = SlotPoint(p, t, slot);
      double slope = 0;
      p->value[k] = type ? p->spec.term[t].weight * ObjectiveOuter(type, &at, p->inner[k], &slope) : 0;
      p->outer_slope[k] = p->spec.term[t].weight * slope;
    }
  PetscCallMPI(MPI_Bcast(p->value, (PetscMPIInt)(p->spec.n_term * p->n_slot), MPI_DOUBLE, 0, p->comm));
  PetscCall(RobustCombine(&table, objective, p->count, p->lambda));
  PetscCallMPI(MPI_Bcast(objective, 1, MPI_DOUBLE, 0, p->comm));
  PetscCallMPI(MPI_Bcast(p->lambda, (PetscMPIInt)(p->groups.n * p->spec.set->n), MPI_DOUBLE, 0, p->comm));
  PetscCheck(isfinite(*objective), p->comm, PETSC_ERR_FP, "objective is %g, expected a finite number", *objective);
  PetscFunctionReturn(0);
}

/* d objective / d (value of voxel i in a slot), over the voxel's share. */
static inline double SlotSlope(Problem p, PetscInt t, PetscInt slot, const TermPart *part, PetscInt i)
{
  const PetscInt k = t * p->n_slot + slot;
  const double factor = p->count[k] * p->outer_slope[k];
  double slope;
  if (factor == 0) return 0;
  KernelPoint at = SlotPoint(p, t, slot);
  const ObjectiveType *type = RobustSlotType(p->spec.robust, &p->spec.term[t], p->spec.set, slot);
  VoxelValue(type, &p->spec.term[t], &at, part->begin + i, SlotValue(part, p->spec.set->n, slot, i), &slope);
  return factor * slope;
}

/* d objective / d (quantity of voxel i in a scenario), over the voxel's share. */
static double QuantitySlope(Problem p, PetscInt t, PetscInt scenario, const TermPart *part, PetscInt i)
{
  const PetscInt n = p->spec.set->n;
  if (p->column_term >= 0) return t == p->column_term && scenario == p->column_row ? 1 : 0;
  double sum = SlotSlope(p, t, scenario, part, i);
  if (!part->spread) return sum;
  const Spread *spread = &part->spread[i];
  if (spread->low_row == scenario) sum += SlotSlope(p, t, n + EXTRA_LOW, part, i);
  if (spread->high_row == scenario) sum += SlotSlope(p, t, n + EXTRA_HIGH, part, i);
  const double chance = p->spec.set->scenario[scenario].weight;
  if (chance == 0) return sum;
  sum += chance * SlotSlope(p, t, n + EXTRA_EXPECTED, part, i);
  sum += 2 * chance * (SlotValue(part, n, scenario, i) - spread->mean) * SlotSlope(p, t, n + EXTRA_VARIANCE, part, i);
  return sum;
}

/* Add to p->cotangent what all terms together want of the channels of a block's voxels, of all stages, in one scenario. */
static void AddCotangents(Problem p, const Block *block, PetscInt scenario)
{
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    const TermPart *part = &block->part[t];
    if (!p->slot_used[t * p->n_slot + scenario]) continue;
    for (PetscInt i = 0; i < part->end - part->begin; i++) {
      const double slope = QuantitySlope(p, t, scenario, part, i);
      const PetscInt v = term->voxel[part->begin + i];
      double derivative[STAGES_MOST][N_CHANNELS];
      if (slope == 0) continue;
      ProblemQuantity(p, block, term, scenario, v, derivative);
      for (PetscInt k = p->n_fixed; k < p->n_stage; k++)
        for (int c = 0; c < N_CHANNELS; c++)
          StageCotangent(p, k)[(v - block->first) * N_CHANNELS + c] +=
              term->share[part->begin + i] * slope * derivative[k][c];
    }
  }
}

/* p->cotangent: the same in all scenarios that share sums. */
static PetscErrorCode Cotangents(Problem p, const Block *block, PetscInt sums)
{
  PetscFunctionBegin;
  const ScenarioSet *set = p->spec.set;
  PetscCall(PetscArrayzero(p->cotangent, p->n_stage * BLOCK_VOXELS * N_CHANNELS));
  for (PetscInt s = set->sums[sums].row; s < set->n; s++)
    if (set->scenario[s].sums == sums) AddCotangents(p, block, s);
  PetscFunctionReturn(0);
}

/* Gradient of one block: cotangents of its voxels sums by sums through the transposed operator. */
static PetscErrorCode BackwardBlock(Problem p, const Block *block)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(p->part_gradient, p->n_all));
  for (PetscInt s = 0; s < p->spec.set->n_sums; s++) {
    if (!p->sums_used[s]) continue;
    PetscCall(Cotangents(p, block, s));
    for (PetscInt k = p->n_fixed; k < p->n_stage; k++)
      PetscCall(InfluenceApplyTranspose(block->influence[k], s, StageCotangent(p, k), p->part_gradient));
  }
  PetscFunctionReturn(0);
}

/* Cotangents of all blocks and sums in the place of the channels, and the largest of each stage over all ranks. */
static PetscErrorCode KeepCotangents(Problem p, double largest[STAGES_MOST][N_CHANNELS])
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < p->n_local; b++)
    for (PetscInt s = 0; s < p->spec.set->n_sums; s++) {
      const Block *block = &p->block[b];
      if (!p->sums_used[s]) continue;
      PetscCall(Cotangents(p, block, s));
      for (PetscInt k = p->n_fixed; k < p->n_stage; k++) {
        const double *cotangent = StageCotangent(p, k);
        for (PetscInt i = 0; i < block->n * N_CHANNELS; i++)
          largest[k][i % N_CHANNELS] = PetscMax(largest[k][i % N_CHANNELS], fabs(cotangent[i]));
        PetscCall(PetscArraycpy(StageChannels(p, block, k, s), cotangent, block->n * N_CHANNELS));
      }
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, STAGES_MOST * N_CHANNELS, MPI_DOUBLE, MPI_MAX, p->comm));
  PetscFunctionReturn(0);
}

/* All cotangents of a stage into its operator. */
static PetscErrorCode ScatterBlocks(Problem p, PetscInt stage)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < p->n_local; b++)
    for (PetscInt s = 0; s < p->spec.set->n_sums; s++)
      if (p->sums_used[s])
        PetscCall(
            InfluenceApplyTranspose(p->block[b].influence[stage], s, StageChannels(p, &p->block[b], stage, s), NULL));
  PetscFunctionReturn(0);
}

/* Gradient through the factored operators, which must know the largest cotangent before they take any. */
static PetscErrorCode BackwardFactored(Problem p)
{
  PetscFunctionBegin;
  double largest[STAGES_MOST][N_CHANNELS] = {{0}};
  PetscCall(KeepCotangents(p, largest));
  PetscCall(PetscArrayzero(p->gradient, p->n_all));
  for (PetscInt k = p->n_fixed; k < p->n_stage; k++) {
    PetscCall(PetscArrayzero(p->part_gradient, p->n_all));
    PetscCall(FactoredBeginGradient(p->factored[k], largest[k], p->part_gradient));
    for (;;) {
      PetscBool there;
      PetscCall(FactoredNextSlab(p->factored[k], &there));
      if (!there) break;
      PetscCall(ScatterBlocks(p, k));
    }
    for (PetscInt j = 0; j < p->n_all; j++) p->gradient[j] += p->part_gradient[j];
  }
  PetscFunctionReturn(0);
}

/* Gradient over all blocks; repeated with a larger exponent when an addend did not fit the exact sum. */
static PetscErrorCode Backward(Problem p)
{
  PetscFunctionBegin;
  if (p->spec.type == INFLUENCE_FACTORED) {
    PetscCall(BackwardFactored(p));
    PetscFunctionReturn(0);
  }
  int exponent = p->exact.exponent;
  do {
    PetscCall(ExactSumReset(&p->exact, exponent));
    for (PetscInt k = 0; k < p->n_local; k++) {
      PetscCall(BackwardBlock(p, &p->block[k]));
      PetscCall(ExactSumAdd(&p->exact, p->part_gradient));
    }
    PetscCall(ExactSumReduce(p->comm, &p->exact));
    exponent = p->exact.overflow;
  } while (p->exact.overflow != INT_MIN);
  PetscCall(ExactSumGet(&p->exact, p->gradient));
  PetscFunctionReturn(0);
}

/* The mean cost of the sought particles, and its gradient; every rank adds all spots in the same order. */
static void AddSpotCosts(Problem p, PetscBool with_gradient)
{
  const double *cost = p->spec.spot_cost, *x = p->weight + p->first;
  double particles = 0, sum = 0;
  p->ratio = 0;
  for (PetscInt j = 0; cost && j < p->spec.n_spot; j++) {
    particles += x[j];
    sum += cost[j] * x[j];
  }
  if (!(particles > 0)) return;
  p->ratio = sum / particles;
  for (PetscInt j = 0; with_gradient && j < p->spec.n_spot; j++)
    p->gradient[p->first + j] += (cost[j] - p->ratio) / particles;
}

/* One evaluation, all ranks together. */
PetscErrorCode ProblemEvaluateTogether(Problem p, PetscBool with_gradient, double *objective)
{
  PetscFunctionBegin;
  PetscCall(Forward(p));
  PetscCall(Combine(p, objective));
  if (with_gradient) PetscCall(Backward(p));
  AddSpotCosts(p, with_gradient);
  if (p->field_gradient)
    PetscCall(FieldGradientEvaluate(p->field_gradient, p->weight, &p->unevenness, with_gradient ? p->gradient : NULL));
  *objective += p->ratio + p->unevenness;
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemTermColumn(Problem p, PetscInt t, PetscInt row, const double *weight, double *column)
{
  PetscFunctionBegin;
  double objective;
  PetscCheck(p->slot_used[t * p->n_slot + row], p->comm, PETSC_ERR_ARG_OUTOFRANGE, "term %d does not look at row %d",
             (int)t, (int)row);
  PetscCall(PetscArraycpy(p->weight + p->first, weight, p->spec.n_spot));
  PetscCall(ProblemEvaluateTogether(p, PETSC_FALSE, &objective));
  p->column_term = t;
  p->column_row = row;
  PetscCall(Backward(p));
  p->column_term = -1;
  PetscCall(PetscArraycpy(column, p->gradient + p->first, p->spec.n_spot));
  PetscFunctionReturn(0);
}
