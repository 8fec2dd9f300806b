/*
 * Positron emitters of a plan in the patient. Of each emitter the operator has what stops per mm of water-equivalent depth, which a
 * voxel's stopping power makes one per mm of the patient, and what a nucleus of carbon, nitrogen and oxygen becomes, which the
 * voxel has as many of as its HU says.
 */
#include "robion/activity.h"
#include "doses_private.h"
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define NOISE 1e-5                        /* of a bound of a channel: less is noise of the transforms */
#define LEAST_DENSITY 0.1                 /* of the matter a positron ends in, g/cm3 */
#define MEAN_PER_SIGMA 1.5957691216057308 /* mean distance of a Gaussian in three dimensions: sqrt(8 / pi) */
enum { LUNG_HU = -150, FAT_HU = -20, BONE_HU = 150 }; /* fat lies between the first two, bone from the third on */

/* This rank's voxels. */
typedef struct Share {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  const ActivityInput *input;
  DoseModel model;
  Factored factored;
  double *floor;   /* [emitter][channel] */
  PetscInt n;      /* of this rank */
  PetscInt *voxel; /* block after block */
  Matter *matter;  /* [n] */
  Depths *depths;  /* [block] */
  float *value;    /* [emitter][n] */
  float *density;  /* [grid] */
  float *tissue;   /* [grid] WashoutTissue */
} Share;

PetscBool ActivityWants(const ActivitySpec *spec, const Scenario *scenario)
{
  for (PetscInt i = 0; i < spec->n_scenarios; i++)
    if (!strcmp(spec->scenarios[i], "all") || !strcmp(spec->scenarios[i], scenario->id)) return PETSC_TRUE;
  return PETSC_FALSE;
}

static WashoutTissue TissueOfMatter(const ActivityInput *in, PetscInt voxel, double hu)
{
  if (in->spec->washout == WASHOUT_NONE) return WASHOUT_KEPT;
  if (in->brain && in->brain[voxel]) return WASHOUT_BRAIN;
  return hu >= BONE_HU || (hu >= LUNG_HU && hu < FAT_HU) ? WASHOUT_SLOW : WASHOUT_MUSCLE;
}

/* Density and washout of the voxels of all ranks. */
static PetscErrorCode GatherMatter(Share *share)
{
  PetscFunctionBegin;
  const ActivityInput *in = share->input;
  const size_t size = GridSize(in->grid);
  PetscCall(PetscMalloc2(size, &share->density, size, &share->tissue));
  for (PetscInt v = 0; v < share->n; v++) share->value[v] = (float)share->matter[v].density_g_cm3;
  PetscCall(VoxelsGather(share->comm, share->n, share->voxel, share->value, size, share->density));
  for (PetscInt v = 0; v < share->n; v++)
    share->value[v] = (float)TissueOfMatter(in, share->voxel[v], share->matter[v].hu);
  PetscCall(VoxelsGather(share->comm, share->n, share->voxel, share->value, size, share->tissue));
  PetscFunctionReturn(0);
}

/* The operator at the plan's weights. */
static PetscErrorCode OpenOperator(Share *share)
{
  PetscFunctionBegin;
  const ActivityInput *in = share->input;
  const FactoredVoxels voxels = {in->set, in->grid, in->n, in->voxel};
  const PetscInt n_channel = in->machine->n_emitter * N_EMISSIONS;
  PetscCall(EmissionModelCreate(in->patient, in->machine, in->beams, in->dropped_dose_fraction, &share->model));
  PetscCall(FactoredCreate(share->comm, share->model, &voxels, PETSC_FALSE, &share->factored));
  PetscCall(FactoredSetWeights(share->factored, in->weight));
  PetscCall(PetscMalloc1(n_channel, &share->floor));
  for (PetscInt c = 0; c < n_channel; c++) {
    PetscCall(FactoredGetLargest(share->factored, c / N_EMISSIONS, (int)(c % N_EMISSIONS), &share->floor[c]));
    share->floor[c] *= NOISE;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareCreate(MPI_Comm comm, const ActivityInput *in, Share *share)
{
  PetscFunctionBegin;
  PetscInt n_depths = 0;
  *share = (Share){.comm = comm, .input = in};
  PetscCallMPI(MPI_Comm_rank(comm, &share->rank));
  PetscCallMPI(MPI_Comm_size(comm, &share->size));
  PetscCall(OpenOperator(share));
  PetscCall(PetscMalloc1(in->n, &share->voxel));
  PetscCall(PetscMalloc1(in->n / BLOCK_VOXELS + 1, &share->depths));
  for (PetscInt at = share->rank * BLOCK_VOXELS; at < in->n; at += share->size * BLOCK_VOXELS) {
    const PetscInt n = VoxelBlock(in->n, at);
    PetscCall(PetscArraycpy(share->voxel + share->n, in->voxel + at, n));
    PetscCall(DepthsCreate(share->model, in->grid, n, share->voxel + share->n, &share->depths[n_depths++]));
    share->n += n;
  }
  PetscCall(PetscMalloc2(share->n, &share->matter, PetscMax(in->machine->n_emitter, 1) * share->n, &share->value));
  PetscCall(CaseMatter(in->patient, in->spec->composition, in->grid, share->n, share->voxel, share->matter));
  PetscCall(GatherMatter(share));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareDestroy(Share *share)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k * BLOCK_VOXELS < share->n; k++) PetscCall(DepthsDestroy(&share->depths[k]));
  PetscCall(FactoredDestroy(&share->factored));
  PetscCall(DoseModelDestroy(&share->model));
  PetscCall(PetscFree(share->floor));
  PetscCall(PetscFree(share->voxel));
  PetscCall(PetscFree(share->depths));
  PetscCall(PetscFree2(share->matter, share->value));
  PetscCall(PetscFree2(share->density, share->tissue));
  PetscFunctionReturn(0);
}

/* Nuclei per mm3 in a voxel from its channels. A range error is one of stopping powers, not of how many nuclei there are. */
static double Nuclei(const Share *share, PetscInt emitter, const Matter *matter, double range_factor,
                     const double channel[N_EMISSIONS])
{
  const double *least = share->floor + emitter * N_EMISSIONS;
  const double times[N_EMISSIONS] = {[EMISSION_STOPPED] = matter->rsp * range_factor,
                                     [EMISSION_OF_CARBON] = matter->nuclei_1e22_cm3[NUCLEI_CARBON],
                                     [EMISSION_OF_NITROGEN] = matter->nuclei_1e22_cm3[NUCLEI_NITROGEN],
                                     [EMISSION_OF_OXYGEN] = matter->nuclei_1e22_cm3[NUCLEI_OXYGEN]};
  double sum = 0;
  for (int c = 0; c < N_EMISSIONS; c++)
    if (channel[c] > least[c]) sum += channel[c] * times[c];
  return sum;
}

/* All emitters at one block of this rank's voxels in the only scenario of a slice. */
static PetscErrorCode ComputeBlock(Share *share, const ScenarioSet *slice, PetscInt at)
{
  PetscFunctionBegin;
  const PetscInt n = VoxelBlock(share->n, at), n_emitter = share->input->machine->n_emitter;
  const double range_factor = ScenarioRangeFactor(&slice->scenario[0], 0); /* the same for all beams */
  Influence influence;
  double *channels, *rsp;
  PetscCall(PetscMalloc2(n_emitter * n * N_EMISSIONS, &channels, n, &rsp));
  for (PetscInt v = 0; v < n; v++) rsp[v] = share->matter[at + v].rsp;
  PetscCall(InfluenceCreateAtDepths(share->depths[at / BLOCK_VOXELS], share->factored, slice, &influence));
  PetscCall(InfluenceApplyEmitters(influence, 0, rsp, channels));
  for (PetscInt m = 0; m < n_emitter; m++)
    for (PetscInt v = 0; v < n; v++)
      share->value[m * share->n + at + v] =
          (float)Nuclei(share, m, &share->matter[at + v], range_factor, channels + (m * n + v) * N_EMISSIONS);
  PetscCall(InfluenceDestroy(&influence));
  PetscCall(PetscFree2(channels, rsp));
  PetscFunctionReturn(0);
}

static PetscErrorCode ComputeScenario(Share *share, PetscInt s, ActivityMap *map)
{
  PetscFunctionBegin;
  const ActivityInput *in = share->input;
  const size_t size = GridSize(in->grid);
  ScenarioSet *slice;
  PetscCall(ScenarioSetSlice(in->set, s, 1, &slice));
  for (PetscInt at = 0; at < share->n; at += BLOCK_VOXELS) PetscCall(ComputeBlock(share, slice, at));
  PetscCall(ScenarioSetDestroy(&slice));
  for (PetscInt m = 0; m < in->machine->n_emitter; m++) {
    PetscCall(PetscMalloc1(size, &map->nuclei[m]));
    PetscCall(VoxelsGather(share->comm, share->n, share->voxel, share->value + m * share->n, size, map->nuclei[m]));
  }
  PetscFunctionReturn(0);
}

/* Decays of one emitter in a window, and the variance of where they are seen. */
static void DecaysOf(const Share *share, const ActivityMap *map, PetscInt emitter, const ActivityWindow *window,
                     float *decays, float *variance_mm2)
{
  const ActivityInput *in = share->input;
  const double scanner_mm = in->spec->scanner_fwhm_mm / FWHM_PER_SIGMA;
  const double positron_mm = PositronRange_mm(in->machine->emitter[emitter]) / MEAN_PER_SIGMA;
  double per_nucleus[N_WASHOUTS];
  for (int t = 0; t < N_WASHOUTS; t++)
    per_nucleus[t] = DecaysPerNucleus(in->machine->emitter_half_life_s[emitter], (WashoutTissue)t,
                                      &in->spec->irradiation, window->from_s, window->to_s);
  for (size_t v = 0; v < GridSize(in->grid); v++) {
    const double sigma_mm = positron_mm / PetscMax(LEAST_DENSITY, (double)share->density[v]);
    decays[v] = (float)(per_nucleus[(int)share->tissue[v]] * (double)map->nuclei[emitter][v]);
    variance_mm2[v] = (float)(scanner_mm * scanner_mm + sigma_mm * sigma_mm);
  }
}

/* What the scanner sees in a window. */
static PetscErrorCode MakeImage(const Share *share, const ActivityMap *map, PetscInt window, float *image)
{
  PetscFunctionBegin;
  const ActivityInput *in = share->input;
  const size_t size = GridSize(in->grid);
  float *decays, *variance_mm2;
  double *sum;
  PetscCall(PetscMalloc2(size, &decays, size, &variance_mm2));
  PetscCall(PetscCalloc1(size, &sum));
  for (PetscInt m = 0; m < in->machine->n_emitter; m++) {
    DecaysOf(share, map, m, &in->spec->windows[window], decays, variance_mm2);
    PetscCall(ActivityBlur(in->grid, decays, variance_mm2, sum));
  }
  for (size_t v = 0; v < size; v++) image[v] = (float)sum[v];
  PetscCall(PetscFree2(decays, variance_mm2));
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(0);
}

/* Counts of an image, drawn from a generator of its own. */
static PetscErrorCode DrawCounts(const ActivityInput *in, PetscInt scenario, PetscInt window, const float *image,
                                 float *counts)
{
  PetscFunctionBegin;
  const double per_decay = in->spec->efficiency * 1e3 * GridVoxelVolume_cm3(in->grid);
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
  gsl_rng_set(random,
              1 + (unsigned long)in->spec->seed * 1000003UL + (unsigned long)scenario * 1009UL + (unsigned long)window);
  for (size_t v = 0; v < GridSize(in->grid); v++)
    counts[v] = image[v] > 0 ? (float)gsl_ran_poisson(random, per_decay * (double)image[v]) : 0;
  gsl_rng_free(random);
  PetscFunctionReturn(0);
}

/* Images and counts; those of one window of a scenario are made by one rank. */
static PetscErrorCode MakeImages(const Share *share, ActivitySet *out)
{
  PetscFunctionBegin;
  const ActivitySpec *spec = share->input->spec;
  const size_t size = GridSize(share->input->grid);
  for (PetscInt i = 0; i < out->n * spec->n_windows; i++) {
    ActivityMap *map = &out->map[i / spec->n_windows];
    const PetscInt w = i % spec->n_windows, row = (PetscInt)(map->scenario - share->input->set->scenario);
    PetscCall(PetscMalloc1(size, &map->image[w]));
    if (map->counts) PetscCall(PetscMalloc1(size, &map->counts[w]));
    if (i % share->size != share->rank) continue;
    PetscCall(MakeImage(share, map, w, map->image[w]));
    if (map->counts) PetscCall(DrawCounts(share->input, row, w, map->image[w], map->counts[w]));
  }
  for (PetscInt i = 0; i < out->n * spec->n_windows; i++) {
    const ActivityMap *map = &out->map[i / spec->n_windows];
    const PetscInt w = i % spec->n_windows;
    const PetscMPIInt owner = (PetscMPIInt)(i % share->size);
    PetscCallMPI(MPI_Bcast(map->image[w], (PetscMPIInt)size, MPI_FLOAT, owner, share->comm));
    if (map->counts) PetscCallMPI(MPI_Bcast(map->counts[w], (PetscMPIInt)size, MPI_FLOAT, owner, share->comm));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateMaps(const ActivityInput *in, ActivitySet *out)
{
  PetscFunctionBegin;
  *out = (ActivitySet){.spec = in->spec,
                       .n_emitter = in->machine->n_emitter,
                       .emitter = in->machine->emitter,
                       .half_life_s = in->machine->emitter_half_life_s};
  PetscCall(PetscCalloc1(in->set->n, &out->map));
  for (PetscInt s = 0; s < in->set->n; s++) {
    if (!ActivityWants(in->spec, &in->set->scenario[s])) continue;
    ActivityMap *map = &out->map[out->n++];
    map->scenario = &in->set->scenario[s];
    PetscCall(PetscCalloc1(out->n_emitter, &map->nuclei));
    PetscCall(PetscCalloc1(in->spec->n_windows, &map->image));
    if (in->spec->efficiency > 0) PetscCall(PetscCalloc1(in->spec->n_windows, &map->counts));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ActivitySetCreate(MPI_Comm comm, const ActivityInput *in, ActivitySet *out)
{
  PetscFunctionBegin;
  Share share;
  PetscCall(CreateMaps(in, out));
  if (!out->n) PetscFunctionReturn(0);
  PetscCall(ShareCreate(comm, in, &share));
  for (PetscInt i = 0; i < out->n; i++)
    PetscCall(ComputeScenario(&share, (PetscInt)(out->map[i].scenario - in->set->scenario), &out->map[i]));
  PetscCall(MakeImages(&share, out));
  PetscCall(ShareDestroy(&share));
  PetscFunctionReturn(0);
}

PetscErrorCode ActivitySetDestroy(ActivitySet *set)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < set->n; i++) {
    ActivityMap *map = &set->map[i];
    for (PetscInt m = 0; m < set->n_emitter; m++) PetscCall(PetscFree(map->nuclei[m]));
    for (PetscInt w = 0; w < set->spec->n_windows; w++) {
      PetscCall(PetscFree(map->image[w]));
      if (map->counts) PetscCall(PetscFree(map->counts[w]));
    }
    PetscCall(PetscFree(map->nuclei));
    PetscCall(PetscFree(map->image));
    PetscCall(PetscFree(map->counts));
  }
  PetscCall(PetscFree(set->map));
  PetscFunctionReturn(0);
}
