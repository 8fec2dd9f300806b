/* Forward doses of all scenarios, each voxel on one rank, until a scenario as a whole is wanted. */
#include "doses_private.h"
#include "robion/optimize.h"

#define NOISE 1e-5 /* of a bound of the dose */

/* What all voxels are computed from. */
typedef struct DoseSource {
  Factored factored;
  const Tissues *tissues;
  const ScenarioSet *set;
  const Grid *grid;
  double floor_Gy; /* less is noise */
} DoseSource;

static void StoreVoxel(const DoseSource *source, PetscInt voxel, const double *channels, float *value, size_t stride)
{
  const BiologySpec *biology = &source->tissues->biology[TissueOf(source->tissues, voxel)]->spec;
  FieldDose field = {channels[CHANNEL_DOSE], channels[CHANNEL_ALPHA], channels[CHANNEL_SQRT_BETA],
                     channels[CHANNEL_LET]};
  if (!(field.dose_Gy > source->floor_Gy)) field = (FieldDose){0};
  value[DOSE_PHYSICAL * stride] = (float)field.dose_Gy;
  value[DOSE_RBE_WEIGHTED * stride] = (float)RBEWeightedDose(biology, FieldEffect(biology, field, NULL), NULL);
  value[DOSE_LETD * stride] = field.dose_Gy > 0 ? (float)(field.let_dose / field.dose_Gy) : 0;
}

/* All scenarios of one block of voxels. */
static PetscErrorCode ComputeBlock(const DoseSource *source, PetscInt n, const PetscInt *voxel, PetscInt at,
                                   LocalDoses *local)
{
  PetscFunctionBegin;
  Influence influence;
  double channels[BLOCK_VOXELS * N_CHANNELS];
  const size_t stride = (size_t)local->n;
  PetscCall(InfluenceCreateFactored(source->factored, source->set, source->grid, n, voxel, &influence));
  for (PetscInt s = 0; s < source->set->n; s++) {
    PetscCall(InfluenceApply(influence, s, NULL, channels));
    for (PetscInt v = 0; v < n; v++)
      StoreVoxel(source, voxel[v], channels + v * N_CHANNELS,
                 local->value + (size_t)s * N_COMPUTED_KINDS * stride + (size_t)(at + v), stride);
  }
  for (PetscInt v = 0; v < n; v++) local->voxel[at + v] = voxel[v];
  PetscCall(InfluenceDestroy(&influence));
  PetscFunctionReturn(0);
}

/* Voxels of the block that begins at this one. */
static PetscInt BlockSize(const LocalDoses *local, PetscInt at)
{
  return PetscMin(BLOCK_VOXELS, local->n_all - at);
}

static PetscInt ShareOf(const LocalDoses *local, PetscMPIInt rank)
{
  PetscInt n = 0;
  for (PetscInt at = rank * BLOCK_VOXELS; at < local->n_all; at += local->size * BLOCK_VOXELS)
    n += BlockSize(local, at);
  return n;
}

PetscErrorCode LocalDosesCreate(MPI_Comm comm, DoseModel model, const Tissues *tissues, const ScenarioSet *set,
                                const Grid *grid, PetscInt n, const PetscInt *voxel, const double *weight,
                                LocalDoses *local)
{
  PetscFunctionBegin;
  PetscInt done = 0;
  DoseSource source = {.tissues = tissues, .set = set, .grid = grid};
  *local = (LocalDoses){.comm = comm, .n_scenario = set->n, .n_all = n, .all = voxel};
  PetscCallMPI(MPI_Comm_rank(comm, &local->rank));
  PetscCallMPI(MPI_Comm_size(comm, &local->size));
  local->n = ShareOf(local, local->rank);
  PetscCall(PetscMalloc1(local->n, &local->voxel));
  PetscCall(PetscMalloc1((size_t)set->n * N_COMPUTED_KINDS * (size_t)local->n, &local->value));
  PetscCall(FactoredCreate(comm, model, &(FactoredVoxels){set, grid, n, voxel}, &source.factored));
  PetscCall(FactoredSetWeights(source.factored, weight));
  PetscCall(FactoredGetLargestDose(source.factored, &source.floor_Gy));
  source.floor_Gy *= NOISE;
  for (PetscInt at = local->rank * BLOCK_VOXELS; at < n; at += local->size * BLOCK_VOXELS) {
    PetscCall(ComputeBlock(&source, BlockSize(local, at), voxel + at, done, local));
    done += BlockSize(local, at);
  }
  PetscCall(FactoredDestroy(&source.factored));
  PetscCall(PetscMalloc1(N_COMPUTED_KINDS * (size_t)n, &local->received));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalDosesDestroy(LocalDoses *local)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(local->voxel));
  PetscCall(PetscFree(local->value));
  PetscCall(PetscFree(local->received));
  PetscFunctionReturn(0);
}

/* Put what one rank sent, kind after kind, where its voxels are. */
static void Unpack(const LocalDoses *local, PetscMPIInt rank, const float *value, float *const dose[N_DOSE_KINDS])
{
  for (int kind = 0; kind < N_COMPUTED_KINDS; kind++)
    for (PetscInt at = rank * BLOCK_VOXELS; at < local->n_all; at += local->size * BLOCK_VOXELS)
      for (PetscInt v = 0; v < BlockSize(local, at); v++) dose[kind][local->all[at + v]] = *value++;
}

PetscErrorCode LocalDosesDeliver(const LocalDoses *local, PetscInt first, float *const dose[N_DOSE_KINDS])
{
  PetscFunctionBegin;
  PetscMPIInt *sent, *sent_at, *received, *received_at, at = 0;
  const PetscMPIInt mine = (PetscMPIInt)(N_COMPUTED_KINDS * local->n);
  const PetscBool wanted = first + local->rank < local->n_scenario ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscMalloc4(local->size, &sent, local->size, &sent_at, local->size, &received, local->size, &received_at));
  for (PetscMPIInt r = 0; r < local->size; r++) {
    const PetscBool there = first + r < local->n_scenario ? PETSC_TRUE : PETSC_FALSE;
    sent[r] = there ? mine : 0;
    sent_at[r] = there ? r * mine : 0;
    received[r] = wanted ? (PetscMPIInt)(N_COMPUTED_KINDS * ShareOf(local, r)) : 0;
    received_at[r] = at;
    at += received[r];
  }
  PetscCallMPI(MPI_Alltoallv(LocalDosesOf(local, first, 0), sent, sent_at, MPI_FLOAT, local->received, received,
                             received_at, MPI_FLOAT, local->comm));
  for (PetscMPIInt r = 0; r < local->size && wanted; r++) Unpack(local, r, local->received + received_at[r], dose);
  PetscCall(PetscFree4(sent, sent_at, received, received_at));
  PetscFunctionReturn(0);
}

PetscErrorCode LocalDosesGather(const LocalDoses *local, const float *value, size_t size, float *cube)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(cube, size));
  for (PetscInt v = 0; v < local->n; v++) cube[local->voxel[v]] = value[v];
  /* Each voxel has one owner, so the sum is exact. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, cube, (PetscMPIInt)size, MPI_FLOAT, MPI_SUM, local->comm));
  PetscFunctionReturn(0);
}
