/* Forward doses of all evaluation scenarios, reduced to what is kept of them. */
#include "robion/doses.h"
#include "robion/optimize.h"
#include <math.h>
#include <string.h>

#define NOISE 1e-5 /* of a bound of the dose */

/* Doses of the local blocks in all scenarios: value[(scenario * N_DOSE_KINDS + kind) * n + local voxel]. */
typedef struct LocalDoses {
  PetscInt n;
  PetscInt *voxel; /* grid index of each local voxel */
  float *value;
} LocalDoses;

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
                 local->value + (size_t)s * N_DOSE_KINDS * stride + (size_t)(at + v), stride);
  }
  for (PetscInt v = 0; v < n; v++) local->voxel[at + v] = voxel[v];
  PetscCall(InfluenceDestroy(&influence));
  PetscFunctionReturn(0);
}

static PetscErrorCode ComputeLocal(MPI_Comm comm, DoseModel model, const Tissues *tissues, const ScenarioSet *set,
                                   const Grid *grid, PetscInt n, const PetscInt *voxel, const double *weight,
                                   LocalDoses *local)
{
  PetscFunctionBegin;
  PetscMPIInt rank, size;
  PetscInt at = 0;
  DoseSource source = {.tissues = tissues, .set = set, .grid = grid};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  local->n = 0;
  for (PetscInt first = rank * BLOCK_VOXELS; first < n; first += size * BLOCK_VOXELS)
    local->n += PetscMin(BLOCK_VOXELS, n - first);
  PetscCall(PetscMalloc1(local->n, &local->voxel));
  PetscCall(PetscMalloc1((size_t)set->n * N_DOSE_KINDS * (size_t)local->n, &local->value));
  PetscCall(FactoredCreate(comm, model, &(FactoredVoxels){set, grid, n, voxel}, &source.factored));
  PetscCall(FactoredSetWeights(source.factored, weight));
  PetscCall(FactoredGetLargestDose(source.factored, &source.floor_Gy));
  source.floor_Gy *= NOISE;
  for (PetscInt first = rank * BLOCK_VOXELS; first < n; first += size * BLOCK_VOXELS) {
    PetscInt count = PetscMin(BLOCK_VOXELS, n - first);
    PetscCall(ComputeBlock(&source, count, voxel + first, at, local));
    at += count;
  }
  PetscCall(FactoredDestroy(&source.factored));
  PetscFunctionReturn(0);
}

/* One scenario's doses on the whole grid, on every rank: each voxel has one owner, so the sum is exact. */
static PetscErrorCode GatherScenario(MPI_Comm comm, const LocalDoses *local, PetscInt scenario, size_t size,
                                     float *dose)
{
  PetscFunctionBegin;
  memset(dose, 0, N_DOSE_KINDS * size * sizeof *dose);
  for (PetscInt kind = 0; kind < N_DOSE_KINDS; kind++) {
    const float *value = local->value + ((size_t)scenario * N_DOSE_KINDS + (size_t)kind) * (size_t)local->n;
    float *cube = dose + (size_t)kind * size;
    for (PetscInt v = 0; v < local->n; v++) cube[local->voxel[v]] = value[v];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, cube, (PetscMPIInt)size, MPI_FLOAT, MPI_SUM, comm));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckFinite(const Scenario *scenario, size_t n, const float *dose)
{
  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++)
    PetscCheck(isfinite(dose[i]), PETSC_COMM_SELF, PETSC_ERR_FP,
               "scenario %s: dose value %zu is %g, expected a finite number", scenario->id, i, (double)dose[i]);
  PetscFunctionReturn(0);
}

static void UpdateExtremes(size_t n, const float *rbe, PetscBool first, float *lowest, float *highest)
{
  for (size_t i = 0; i < n; i++) {
    lowest[i] = first || rbe[i] < lowest[i] ? rbe[i] : lowest[i];
    highest[i] = first || rbe[i] > highest[i] ? rbe[i] : highest[i];
  }
}

/* Metrics and DVH curves of all regions in one scenario. */
static PetscErrorCode AnalyseScenario(const Scenario *scenario, PetscBool nominal, const Grid *grid, const float *dose,
                                      PetscInt n_region, const Region *region, double prescription_Gy_RBE, PetscInt row,
                                      DoseSet *out)
{
  PetscFunctionBegin;
  const float *kinds[N_DOSE_KINDS];
  for (int kind = 0; kind < N_DOSE_KINDS; kind++) kinds[kind] = dose + (size_t)kind * out->size;
  for (PetscInt r = 0; r < n_region; r++) {
    PetscCall(MetricsOfStructure(&region[r], grid, kinds, prescription_Gy_RBE, &out->metrics[row]));
    for (PetscInt k = 0; k < 2; k++) {
      DVH dvh;
      PetscCall(DVHCreate(&region[r], grid, kinds[k ? DOSE_LETD : DOSE_RBE_WEIGHTED], &dvh));
      PetscCall(DVHBandAdd(&out->band[2 * r + k], &dvh, nominal, scenario->in_set));
      PetscCall(DVHDestroy(&dvh));
    }
  }
  PetscFunctionReturn(0);
}

/* Empty bands: RBE-weighted dose up to 1.5 x prescription in steps of 1 %, LETd up to 200 keV/um in steps of 1. */
static PetscErrorCode CreateBands(PetscInt n_region, const Region *region, double prescription_Gy_RBE, DoseSet *out)
{
  PetscFunctionBegin;
  out->n_band = 2 * n_region;
  PetscCall(PetscCalloc1(out->n_band, &out->band));
  for (PetscInt r = 0; r < n_region; r++) {
    PetscCall(DVHBandCreate(region[r].name, DOSE_RBE_WEIGHTED, 151, 1.5 * prescription_Gy_RBE, &out->band[2 * r]));
    PetscCall(DVHBandCreate(region[r].name, DOSE_LETD, 201, 200, &out->band[2 * r + 1]));
  }
  PetscFunctionReturn(0);
}

/* Statistics over the rows of the set (a nominal row outside it does not count). */
static PetscErrorCode Statistics(const ScenarioSet *set, DoseSet *out)
{
  PetscFunctionBegin;
  MetricList *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(set->n, &list));
  for (PetscInt s = 0; s < set->n; s++)
    if (set->scenario[s].in_set) list[n++] = out->metrics[s];
  PetscCall(MetricsOverScenarios(n, list, out->statistics));
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetCreate(MPI_Comm comm, DoseModel model, const Tissues *tissues, const ScenarioSet *set,
                             const Grid *grid, PetscInt n, const PetscInt *voxel, const double *weight,
                             PetscInt n_region, const Region *region, double prescription_Gy_RBE, DoseSet *out)
{
  PetscFunctionBegin;
  LocalDoses local;
  float *dose;
  PetscBool first = PETSC_TRUE;
  PetscCall(PetscArrayzero(out, 1));
  out->n = set->n;
  out->size = GridSize(grid);
  PetscCheck(out->size < (size_t)PETSC_MPI_INT_MAX, comm, PETSC_ERR_SUP,
             "dose grid of %zu voxels, expected fewer than 2^31", out->size);
  for (int kind = 0; kind < N_DOSE_KINDS; kind++) PetscCall(PetscMalloc1(out->size, &out->nominal[kind]));
  PetscCall(PetscMalloc2(out->size, &out->rbe_min, out->size, &out->rbe_max));
  PetscCall(PetscCalloc1(set->n, &out->metrics));
  PetscCall(CreateBands(n_region, region, prescription_Gy_RBE, out));
  PetscCall(ComputeLocal(comm, model, tissues, set, grid, n, voxel, weight, &local));
  PetscCall(PetscMalloc1(N_DOSE_KINDS * out->size, &dose));
  for (PetscInt s = 0; s < set->n; s++) {
    const Scenario *scenario = &set->scenario[s];
    PetscCall(GatherScenario(comm, &local, s, out->size, dose));
    PetscCall(CheckFinite(scenario, N_DOSE_KINDS * out->size, dose));
    PetscCall(AnalyseScenario(scenario, s == 0 ? PETSC_TRUE : PETSC_FALSE, grid, dose, n_region, region,
                              prescription_Gy_RBE, s, out));
    for (int kind = 0; s == 0 && kind < N_DOSE_KINDS; kind++)
      PetscCall(PetscArraycpy(out->nominal[kind], dose + (size_t)kind * out->size, out->size));
    if (!scenario->in_set) continue;
    UpdateExtremes(out->size, dose + DOSE_RBE_WEIGHTED * out->size, first, out->rbe_min, out->rbe_max);
    first = PETSC_FALSE;
  }
  PetscCall(Statistics(set, out));
  PetscCall(PetscFree(dose));
  PetscCall(PetscFree(local.voxel));
  PetscCall(PetscFree(local.value));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetDestroy(DoseSet *doses)
{
  PetscFunctionBegin;
  for (int kind = 0; kind < N_DOSE_KINDS; kind++) PetscCall(PetscFree(doses->nominal[kind]));
  PetscCall(PetscFree2(doses->rbe_min, doses->rbe_max));
  for (PetscInt s = 0; s < doses->n; s++) PetscCall(MetricListDestroy(&doses->metrics[s]));
  PetscCall(PetscFree(doses->metrics));
  for (int k = 0; k < 4; k++) PetscCall(MetricListDestroy(&doses->statistics[k]));
  for (PetscInt b = 0; b < doses->n_band; b++) PetscCall(DVHBandDestroy(&doses->band[b]));
  PetscCall(PetscFree(doses->band));
  PetscFunctionReturn(0);
}
