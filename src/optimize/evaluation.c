/* Objective and gradient of the problem: doses of all blocks, term values, robust combination, transposed pass. */
#include "problem_private.h"
#include <limits.h>
#include <math.h>

/* A voxel's quantity in every scenario row (unused rows stay 0). */
static void ScenarioValues(Problem p, const Block *block, const Term *term, PetscInt voxel, double *value)
{
  for (PetscInt s = 0; s < p->spec.set->n; s++)
    value[s] = p->scenario_used[s]
                   ? TermQuantityValue(VoxelBiology(p, voxel), term->quantity, BlockChannels(block, s, voxel), NULL)
                   : 0;
}

/* Partial volume means of all terms over one block for voxel-wise modes, keeping what the backward pass needs. */
static PetscErrorCode SumsVoxelwise(Problem p, const Block *block, double *sums)
{
  PetscFunctionBegin;
  double *value;
  PetscCall(PetscMalloc1(p->spec.set->n, &value));
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    for (PetscInt i = block->term_begin[t]; i < block->term_end[t]; i++) {
      Extreme *e = &block->extreme[t][i - block->term_begin[t]];
      double unused;
      ScenarioValues(p, block, term, term->voxel[i], value);
      if (p->scenario_used[0])
        sums[t * 2 + SLOT_NOMINAL] += term->share[i] * (*term->type->voxel)(value[0], term->goal, &unused);
      if (!term->robust) continue;
      RobustExtremes(p->spec.set->n, value, &e->low, &e->high);
      sums[t * 2 + SLOT_WORST] += term->share[i] * RobustVoxelWorst(p->spec.robust, term, value[e->low], value[e->high],
                                                                    &e->slope_low, &e->slope_high);
    }
  }
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}

/* The same for modes whose slots are the scenarios. */
static PetscErrorCode SumsByScenario(Problem p, const Block *block, double *sums)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    for (PetscInt s = 0; s < p->n_slot; s++) {
      if (!p->scenario_used[s] || (!term->robust && s > 0)) continue;
      double sum = 0, slope;
      for (PetscInt i = block->term_begin[t]; i < block->term_end[t]; i++) {
        const PetscInt v = term->voxel[i];
        double q = TermQuantityValue(VoxelBiology(p, v), term->quantity, BlockChannels(block, s, v), NULL);
        sum += term->share[i] * (*term->type->voxel)(q, term->goal, &slope);
      }
      sums[t * p->n_slot + s] += sum;
    }
  }
  PetscFunctionReturn(0);
}

/* Doses of all local blocks in all used scenarios, then the volume means of every term, added in block order. */
static PetscErrorCode Forward(Problem p)
{
  PetscFunctionBegin;
  const PetscInt table = p->spec.n_term * p->n_slot;
  PetscCall(PetscArrayzero(p->sums, p->n_block * table));
  if (p->factored) PetscCall(FactoredSetWeights(p->factored, p->weight));
  for (PetscInt k = 0; k < p->n_local; k++) {
    Block *block = &p->block[k];
    for (PetscInt s = 0; s < p->spec.set->n; s++)
      if (p->scenario_used[s])
        PetscCall(InfluenceApply(block->influence, s, p->weight,
                                 block->channels + (size_t)s * (size_t)block->n * N_CHANNELS));
    double *sums = p->sums + p->block_index[k] * table;
    if (p->spec.robust->mode == ROBUST_VOXELWISE)
      PetscCall(SumsVoxelwise(p, block, sums));
    else
      PetscCall(SumsByScenario(p, block, sums));
  }
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
                       .smooth = &p->smooth,
                       .n_term = p->spec.n_term,
                       .n_slot = p->n_slot,
                       .term = p->spec.term,
                       .value = p->value};
}

/* Term values from their volume means, then the robust combination. */
static PetscErrorCode Combine(Problem p, double *objective)
{
  PetscFunctionBegin;
  RobustTable table = ProblemTable(p);
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    for (PetscInt k = t * p->n_slot; k < (t + 1) * p->n_slot; k++) {
      double slope = 1, outer = term->type->outer ? (*term->type->outer)(p->inner[k], term->goal, &slope) : p->inner[k];
      p->value[k] = term->weight * outer;
      p->outer_slope[k] = term->weight * slope;
    }
  }
  PetscCall((*RobustCombineOf(p->spec.robust->mode))(&table, objective, p->count));
  PetscCheck(isfinite(*objective), p->comm, PETSC_ERR_FP, "objective is %g, expected a finite number", *objective);
  PetscFunctionReturn(0);
}

/* cotangent of one voxel += factor * d quantity / d channels. */
static void AddCotangent(Problem p, const Block *block, const Term *term, PetscInt scenario, PetscInt voxel,
                         double factor, double *cotangent)
{
  double derivative[N_CHANNELS];
  if (factor == 0) return;
  TermQuantityValue(VoxelBiology(p, voxel), term->quantity, BlockChannels(block, scenario, voxel), derivative);
  for (int c = 0; c < N_CHANNELS; c++) cotangent[(voxel - block->first) * N_CHANNELS + c] += factor * derivative[c];
}

/* Cotangents of one block in one scenario for modes whose slots are the scenarios. */
static void CotangentByScenario(Problem p, const Block *block, const Term *term, PetscInt t, PetscInt scenario)
{
  const PetscInt k = t * p->n_slot + scenario;
  double factor = p->count[k] * p->outer_slope[k], slope;
  if (factor == 0) return;
  for (PetscInt i = block->term_begin[t]; i < block->term_end[t]; i++) {
    const PetscInt v = term->voxel[i];
    double q = TermQuantityValue(VoxelBiology(p, v), term->quantity, BlockChannels(block, scenario, v), NULL);
    (*term->type->voxel)(q, term->goal, &slope);
    AddCotangent(p, block, term, scenario, v, factor * term->share[i] * slope, p->cotangent);
  }
}

/* The same for voxel-wise modes: the nominal slot, and the worst slot where this scenario is a voxel's extreme. */
static void CotangentVoxelwise(Problem p, const Block *block, const Term *term, PetscInt t, PetscInt scenario)
{
  double nominal = scenario == 0 ? p->count[2 * t + SLOT_NOMINAL] * p->outer_slope[2 * t + SLOT_NOMINAL] : 0;
  double worst = p->count[2 * t + SLOT_WORST] * p->outer_slope[2 * t + SLOT_WORST];
  for (PetscInt i = block->term_begin[t]; i < block->term_end[t]; i++) {
    const PetscInt v = term->voxel[i];
    const Extreme *e = &block->extreme[t][i - block->term_begin[t]];
    double factor = 0, slope;
    if (nominal != 0) {
      double q = TermQuantityValue(VoxelBiology(p, v), term->quantity, BlockChannels(block, 0, v), NULL);
      (*term->type->voxel)(q, term->goal, &slope);
      factor += nominal * slope;
    }
    if (worst != 0)
      factor += worst * ((e->low == scenario ? e->slope_low : 0) + (e->high == scenario ? e->slope_high : 0));
    AddCotangent(p, block, term, scenario, v, factor * term->share[i], p->cotangent);
  }
}

/* p->cotangent: what all terms together want of the channels of a block's voxels in one scenario. */
static PetscErrorCode Cotangents(Problem p, const Block *block, PetscInt scenario)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(p->cotangent, block->n * N_CHANNELS));
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    if (p->spec.robust->mode == ROBUST_VOXELWISE)
      CotangentVoxelwise(p, block, term, t, scenario);
    else
      CotangentByScenario(p, block, term, t, scenario);
  }
  PetscFunctionReturn(0);
}

/* Gradient of one block: cotangents of its voxels scenario by scenario through the transposed operator. */
static PetscErrorCode BackwardBlock(Problem p, const Block *block)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(p->block_gradient, p->spec.n_spot));
  for (PetscInt s = 0; s < p->spec.set->n; s++) {
    if (!p->scenario_used[s]) continue;
    PetscCall(Cotangents(p, block, s));
    PetscCall(InfluenceApplyTranspose(block->influence, s, p->cotangent, p->block_gradient));
  }
  PetscFunctionReturn(0);
}

/* Gradient through the factored operator, which must know the largest cotangent before it takes any. */
static PetscErrorCode BackwardFactored(Problem p)
{
  PetscFunctionBegin;
  double largest[N_CHANNELS] = {0};
  for (PetscInt k = 0; k < p->n_local; k++)
    for (PetscInt s = 0; s < p->spec.set->n; s++) {
      Block *block = &p->block[k];
      if (!p->scenario_used[s]) continue;
      PetscCall(Cotangents(p, block, s));
      for (PetscInt i = 0; i < block->n * N_CHANNELS; i++)
        largest[i % N_CHANNELS] = PetscMax(largest[i % N_CHANNELS], fabs(p->cotangent[i]));
      PetscCall(PetscArraycpy(block->channels + (size_t)s * (size_t)block->n * N_CHANNELS, p->cotangent,
                              block->n * N_CHANNELS));
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, N_CHANNELS, MPI_DOUBLE, MPI_MAX, p->comm));
  PetscCall(FactoredResetGradient(p->factored, largest));
  for (PetscInt k = 0; k < p->n_local; k++)
    for (PetscInt s = 0; s < p->spec.set->n; s++)
      if (p->scenario_used[s])
        PetscCall(InfluenceApplyTranspose(p->block[k].influence, s,
                                          p->block[k].channels + (size_t)s * (size_t)p->block[k].n * N_CHANNELS, NULL));
  PetscCall(FactoredGetGradient(p->factored, p->gradient));
  PetscFunctionReturn(0);
}

/* Gradient over all blocks; repeated with a larger exponent when an addend did not fit the exact sum. */
static PetscErrorCode Backward(Problem p)
{
  PetscFunctionBegin;
  if (p->factored) {
    PetscCall(BackwardFactored(p));
    PetscFunctionReturn(0);
  }
  int exponent = p->exact.exponent;
  do {
    PetscCall(ExactSumReset(&p->exact, exponent));
    for (PetscInt k = 0; k < p->n_local; k++) {
      PetscCall(BackwardBlock(p, &p->block[k]));
      PetscCall(ExactSumAdd(&p->exact, p->block_gradient));
    }
    PetscCall(ExactSumReduce(p->comm, &p->exact));
    exponent = p->exact.overflow;
  } while (p->exact.overflow != INT_MIN);
  PetscCall(ExactSumGet(&p->exact, p->gradient));
  PetscFunctionReturn(0);
}

/* One evaluation, all ranks together. */
PetscErrorCode ProblemEvaluateTogether(Problem p, PetscBool with_gradient, double *objective)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Bcast(p->weight, (PetscMPIInt)p->spec.n_spot, MPI_DOUBLE, 0, p->comm));
  PetscCall(Forward(p));
  PetscCall(Combine(p, objective));
  if (with_gradient) PetscCall(Backward(p));
  PetscFunctionReturn(0);
}
