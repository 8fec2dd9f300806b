/*
 * Forward doses of all scenarios, each voxel on one rank, until a scenario as a whole is wanted. Scenarios come in slices, so that
 * 10,000 take no more memory than a few for each rank.
 */
#include "doses_private.h"

#define NOISE 1e-5 /* of a bound of the dose */
enum {
  SCENARIOS_PER_RANK = 8, /* of a slice: projecting a block and meeting the others is worth that many */
  FEW_VIEWS = 32          /* sub-beams are traced for as many at once */
};

/* Channel sums of a voxel in each stage. */
typedef double VoxelChannels[STAGES_MOST][N_CHANNELS];

/*
 * What is computed of one voxel in a scenario from its channel sums, value[k * n] of computed[k]; if `high_let`, what follows from those
 * of the LET threshold alone, else all the rest.
 */
static void StoreVoxel(const LocalDoses *local, const Scenario *scenario, PetscInt voxel, PetscBool high_let,
                       VoxelChannels channels, float *value)
{
  const DoseSource *source = &local->source;
  const DoseSpec *spec = local->spec;
  VoxelResponse response = ResponseOf(spec->tissues, scenario, voxel);
  const double *stage[STAGES_MOST];
  if (high_let) response.factor = NULL; /* what the cells do does not count */
  for (PetscInt k = 0; k < source->n_stage; k++) {
    stage[k] = channels[k];
    if (!(channels[k][CHANNEL_DOSE] > source->floor_Gy[k]))
      for (int c = 0; c < N_CHANNELS; c++) channels[k][c] = 0;
    ResponseScale(&response, channels[k]);
  }
  for (PetscInt k = 0; k < local->n_computed; k++)
    if ((quantities[local->computed[k]].kept == KEPT_OF_HIGH_LET) == (high_let == PETSC_TRUE))
      value[(size_t)k * (size_t)local->n] =
          (float)(spec->course ? CourseQuantity(spec->course, response.spec, local->computed[k], stage, NULL)
                               : quantities[local->computed[k]].of_channels(response.spec, stage[0], NULL));
}

/* A slice of scenarios at the voxels of one block, the first of them at `at` in this rank's: `high_let` as in StoreVoxel. */
static PetscErrorCode ComputeBlock(LocalDoses *local, const ScenarioSet *slice, PetscBool high_let,
                                   const Depths *depths, PetscInt at, PetscInt n)
{
  PetscFunctionBegin;
  const DoseSource *source = &local->source;
  const size_t rows = (size_t)slice->n_sums * (size_t)n;
  double *channels;
  VoxelChannels of_voxel;
  PetscCall(PetscMalloc1((size_t)source->n_stage * rows * N_CHANNELS, &channels));
  for (PetscInt k = 0; k < source->n_stage; k++) {
    Influence influence;
    const Factored factored = high_let ? source->high_let[k] : source->factored[k];
    PetscCall(InfluenceCreateAtDepths(depths[k], factored, slice, &influence));
    PetscCall(InfluenceApplyAll(influence, NULL, local->spec->weight, channels + (size_t)k * rows * N_CHANNELS));
    PetscCall(InfluenceDestroy(&influence));
  }
  for (PetscInt s = 0; s < slice->n; s++)
    for (PetscInt v = 0; v < n; v++) {
      const size_t row = (size_t)slice->scenario[s].sums * (size_t)n + (size_t)v;
      for (PetscInt k = 0; k < source->n_stage; k++)
        PetscCall(PetscArraycpy(of_voxel[k], channels + ((size_t)k * rows + row) * N_CHANNELS, N_CHANNELS));
      StoreVoxel(local, &slice->scenario[s], local->voxel[at + v], high_let, of_voxel,
                 local->value + (size_t)(s * local->n_computed) * (size_t)local->n + (size_t)(at + v));
    }
  PetscCall(PetscFree(channels));
  PetscFunctionReturn(0);
}

static PetscInt ShareOf(const LocalDoses *local, PetscMPIInt rank)
{
  PetscInt n = 0;
  for (PetscInt at = rank * BLOCK_VOXELS; at < local->spec->n; at += local->size * BLOCK_VOXELS)
    n += VoxelBlock(local->spec->n, at);
  return n;
}

PetscInt DoseSetRows(PetscInt n, PetscMPIInt team_size)
{
  return PetscMin(n, SCENARIOS_PER_RANK * team_size);
}

PetscErrorCode LocalDosesWeigh(LocalDoses *local)
{
  PetscFunctionBegin;
  DoseSource *source = &local->source;
  for (PetscInt k = 0; k < source->n_stage; k++) {
    if (!source->factored[k]) continue;
    PetscCall(FactoredSetWeights(source->factored[k], local->spec->weight));
    if (source->high_let[k]) PetscCall(FactoredSetWeights(source->high_let[k], local->spec->weight));
    PetscCall(FactoredGetLargest(source->factored[k], 0, CHANNEL_DOSE, &source->floor_Gy[k]));
    source->floor_Gy[k] *= NOISE;
  }
  PetscFunctionReturn(0);
}

/* The operators of all stages at the plan's weights. */
static PetscErrorCode OpenSource(LocalDoses *local)
{
  PetscFunctionBegin;
  const DoseSpec *spec = local->spec;
  ScenarioSet scenarios = *spec->set;
  scenarios.other_model = 0;
  const FactoredVoxels voxels = {&scenarios, spec->grid, spec->n, spec->voxel},
                       high_let = {spec->set, spec->grid, spec->n, spec->voxel};
  DoseSource *source = &local->source;
  source->n_stage = spec->course ? spec->course->n : 1;
  for (PetscInt k = 0; k < source->n_stage; k++) {
    source->model[k] = spec->course ? spec->course->stage[k].model : spec->model;
    if (DoseModelIsSplit(source->model[k])) continue;
    PetscCall(FactoredCreate(local->comm, source->model[k], &voxels, PETSC_FALSE, &source->factored[k]));
    if (spec->set->other_model)
      PetscCall(FactoredCreate(local->comm, source->model[k], &high_let, PETSC_FALSE, &source->high_let[k]));
  }
  PetscCall(LocalDosesWeigh(local));
  PetscFunctionReturn(0);
}

/* This rank's voxels and how deep they lie. */
static PetscErrorCode TakeShare(LocalDoses *local)
{
  PetscFunctionBegin;
  const DoseSource *source = &local->source;
  PetscInt done = 0;
  local->n = ShareOf(local, local->rank);
  PetscCall(PetscMalloc1(local->n, &local->voxel));
  PetscCall(PetscMalloc1((local->n / BLOCK_VOXELS + 1) * source->n_stage, &local->depths));
  for (PetscInt at = local->rank * BLOCK_VOXELS; at < local->spec->n; at += local->size * BLOCK_VOXELS) {
    const PetscInt n = VoxelBlock(local->spec->n, at);
    PetscCall(PetscArraycpy(local->voxel + done, local->spec->voxel + at, n));
    for (PetscInt k = 0; k < source->n_stage; k++)
      PetscCall(
          DepthsCreate(source->model[k], local->spec->grid, n, local->voxel + done, &local->depths[local->n_depths++]));
    done += n;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LocalDosesCreate(MPI_Comm comm, const DoseSpec *spec, LocalDoses *local)
{
  PetscFunctionBegin;
  *local = (LocalDoses){.comm = comm, .spec = spec};
  PetscCallMPI(MPI_Comm_rank(comm, &local->rank));
  PetscCallMPI(MPI_Comm_size(comm, &local->size));
  local->n_computed = DosesComputed(spec->set, local->computed);
  local->most = DoseSetRows(spec->set->n, local->size);
  PetscCall(OpenSource(local));
  PetscCall(TakeShare(local));
  PetscCall(PetscMalloc1((size_t)(local->most * local->n_computed) * (size_t)local->n, &local->value));
  PetscCall(PetscMalloc1((size_t)local->n_computed * (size_t)spec->n, &local->received));
  PetscFunctionReturn(0);
}

/* The views that sub-beams are traced for at a time: all, if they are few and come again with each range error. */
static const ScenarioSet *TracedSet(const ScenarioSet *set, const ScenarioSet *slice)
{
  return set->n_view <= FEW_VIEWS ? set : slice;
}

PetscErrorCode LocalDosesCompute(LocalDoses *local, PetscInt first)
{
  PetscFunctionBegin;
  const PetscInt n_stage = local->source.n_stage;
  const PetscInt other_model = local->spec->set->other_model;
  ScenarioSet *slice, *by_let = NULL;
  local->first = first;
  local->n_scenario = PetscMin(local->most, local->spec->set->n - first);
  PetscCall(ScenarioSetSlice(local->spec->set, first, local->n_scenario, &slice));
  if (other_model) PetscCall(ScenarioSetSlice(local->spec->set, first, local->n_scenario, &by_let));
  if (by_let) ScenarioSetLookUpBy(by_let, other_model);
  for (PetscInt k = 0; k < n_stage; k++)
    PetscCall(DoseModelTrace(local->comm, local->source.model[k], TracedSet(local->spec->set, slice)));
  for (PetscInt at = 0; at < local->n; at += BLOCK_VOXELS) {
    const PetscInt n = PetscMin(BLOCK_VOXELS, local->n - at);
    const Depths *depths = local->depths + at / BLOCK_VOXELS * n_stage;
    PetscCall(ComputeBlock(local, slice, PETSC_FALSE, depths, at, n));
    if (by_let) PetscCall(ComputeBlock(local, by_let, PETSC_TRUE, depths, at, n));
    PhaseTell(local->spec->phase, first + slice->n * COMPUTING_SHARE * (at + n) / local->n, local->spec->set->n);
  }
  PetscCall(ScenarioSetDestroy(&slice));
  PetscCall(ScenarioSetDestroy(&by_let));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalDosesDestroy(LocalDoses *local)
{
  PetscFunctionBegin;
  DoseSource *source = &local->source;
  for (PetscInt i = 0; i < local->n_depths; i++) PetscCall(DepthsDestroy(&local->depths[i]));
  for (PetscInt k = 0; k < source->n_stage; k++) {
    PetscCall(FactoredDestroy(&source->factored[k]));
    PetscCall(FactoredDestroy(&source->high_let[k]));
  }
  PetscCall(PetscFree(local->depths));
  PetscCall(PetscFree(local->voxel));
  PetscCall(PetscFree(local->value));
  PetscCall(PetscFree(local->received));
  PetscFunctionReturn(0);
}

/* Put what one rank sent, quantity after quantity, where its voxels are. */
static void Unpack(const LocalDoses *local, PetscMPIInt rank, const float *value, float *const dose[QUANTITIES_MOST])
{
  for (PetscInt k = 0; k < local->n_computed; k++)
    for (PetscInt at = rank * BLOCK_VOXELS; at < local->spec->n; at += local->size * BLOCK_VOXELS)
      for (PetscInt v = 0; v < VoxelBlock(local->spec->n, at); v++)
        dose[local->computed[k]][local->spec->voxel[at + v]] = *value++;
}

PetscErrorCode LocalDosesDeliver(const LocalDoses *local, PetscInt first, float *const dose[QUANTITIES_MOST])
{
  PetscFunctionBegin;
  PetscMPIInt *sent, *sent_at, *received, *received_at, at = 0;
  const PetscMPIInt mine = (PetscMPIInt)(local->n_computed * local->n);
  const PetscBool wanted = first + local->rank < local->first + local->n_scenario ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscMalloc4(local->size, &sent, local->size, &sent_at, local->size, &received, local->size, &received_at));
  for (PetscMPIInt r = 0; r < local->size; r++) {
    const PetscBool there = first + r < local->first + local->n_scenario ? PETSC_TRUE : PETSC_FALSE;
    sent[r] = there ? mine : 0;
    sent_at[r] = there ? r * mine : 0;
    received[r] = wanted ? (PetscMPIInt)(local->n_computed * ShareOf(local, r)) : 0;
    received_at[r] = at;
    at += received[r];
  }
  PetscCallMPI(MPI_Alltoallv(LocalDosesOf(local, first, local->computed[0]), sent, sent_at, MPI_FLOAT, local->received,
                             received, received_at, MPI_FLOAT, local->comm));
  for (PetscMPIInt r = 0; r < local->size && wanted; r++) Unpack(local, r, local->received + received_at[r], dose);
  PetscCall(PetscFree4(sent, sent_at, received, received_at));
  PetscFunctionReturn(0);
}

PetscErrorCode VoxelsGather(MPI_Comm comm, PetscInt n, const PetscInt *voxel, const float *value, size_t size,
                            float *cube)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(cube, size));
  for (PetscInt v = 0; v < n; v++) cube[voxel[v]] = value[v];
  /* Each voxel has one owner, so the sum is exact. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, cube, (PetscMPIInt)size, MPI_FLOAT, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalDosesGather(const LocalDoses *local, const float *value, size_t size, float *cube)
{
  PetscFunctionBegin;
  PetscCall(VoxelsGather(local->comm, local->n, local->voxel, value, size, cube));
  PetscFunctionReturn(0);
}
