/* The factored operator as an object: memory shared on a node, one evaluation's comings and goings. */
#include "factored.h"
#include "robion/node_memory.h"
#include "robion/memory.h"
#include <math.h>
#include <string.h>

#define STEP_PER_SIGMA 0.55 /* of the narrowest spot: spline error below 1e-3 of a single spot's peak */
PetscErrorCode FactoredMeet(struct Factored_s *f)
{
  PetscFunctionBegin;
  PetscCall(NodeMemoryMeet(f->node, 4, f->window));
  PetscFunctionReturn(0);
}

/* Where the beams' volumes lie in one array. */
static void PlaceVolumes(struct Factored_s *f)
{
  f->n_volume = 0;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    f->beam[b].at = f->n_volume;
    f->n_volume += (size_t)f->model->n_group * f->beam[b].volume;
  }
}

/* The planes of each beam in slabs of about the same number. */
static PetscErrorCode CutSlabs(struct Factored_s *f)
{
  PetscFunctionBegin;
  PetscInt most = 0;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) most += f->beam[b].nz;
  PetscCall(PetscMalloc1(most, &f->slab));
  f->n_slab = 0;
  f->n_slab_volume = 0;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    const FactoredBeam *fb = &f->beam[b];
    const size_t bytes = (size_t)f->model->n_group * fb->plane * sizeof(Four);
    const PetscInt fit = bytes ? (PetscInt)PetscMin(FACTORED_SLAB_BYTES / bytes, SLAB_PLANES_MOST) : SLAB_PLANES_MOST,
                   planes = PetscMax(SLAB_PLANES_LEAST, fit), n = (fb->nz + planes - 1) / planes;
    for (PetscInt k = 0; k < n; k++) {
      Slab *slab = &f->slab[f->n_slab++];
      double unused;
      *slab = (Slab){.beam = b, .first = k * fb->nz / n, .end = (k + 1) * fb->nz / n};
      DepthSplineSupport(&fb->depth[0], slab->first, &slab->low_mm, &unused);
      DepthSplineSupport(&fb->depth[0], slab->end - 1, &unused, &slab->high_mm);
      const size_t volume = (size_t)f->model->n_group * (size_t)(slab->end - slab->first) * fb->plane;
      if (f->gradients) f->n_slab_volume = PetscMax(f->n_slab_volume, volume);
    }
  }
  PetscFunctionReturn(0);
}

/* Numbers of the largest beam's spectra: of its spots, and of the planes that a gradient fills. */
static void MeasureSpectra(const struct Factored_s *f, size_t *spectrum, size_t *adjoint)
{
  const struct DoseModel_s *model = f->model;
  *spectrum = *adjoint = 0;
  for (PetscInt b = 0; b < model->beams->n_beam; b++) {
    const FactoredBeam *fb = &f->beam[b];
    const size_t row = 2 * (size_t)fb->row * (size_t)fb->nu, tissues = (size_t)model->n_group;
    *spectrum = PetscMax(*spectrum, row * (size_t)model->beams->beam[b].n_layer);
    *adjoint = PetscMax(*adjoint, row * tissues * (size_t)(PlaneCount(fb) - FirstKept(f, fb)) * N_CHANNELS);
  }
}

/* Memory for the largest beam's spectra and for all volumes. */
static PetscErrorCode CreateMemory(struct Factored_s *f)
{
  PetscFunctionBegin;
  const struct DoseModel_s *model = f->model;
  size_t spectrum, adjoint, work = 0;
  MeasureSpectra(f, &spectrum, &adjoint);
  for (PetscInt b = 0; b < model->beams->n_beam; b++) work = PetscMax(work, f->beam[b].plane);
  PetscCall(NodeMemoryCreate(f->node, f->n_volume * sizeof(Four), PETSC_FALSE, &f->window[0]));
  PetscCall(NodeMemoryCreate(f->node, spectrum * sizeof(double), PETSC_FALSE, &f->window[1]));
  PetscCall(NodeMemoryCreate(f->node, adjoint * sizeof(double), PETSC_FALSE, &f->window[2]));
  PetscCall(NodeMemoryCreate(f->node, f->n_slab_volume * sizeof(Four), PETSC_TRUE, &f->window[3]));
  PetscCall(NodeMemoryGet(f->window[0], 0, (void **)&f->volume));
  PetscCall(NodeMemoryGet(f->window[1], 0, (void **)&f->spectrum));
  PetscCall(NodeMemoryGet(f->window[2], 0, (void **)&f->adjoint));
  PetscCall(PetscMalloc1(f->node_size, &f->scattered));
  for (PetscMPIInt r = 0; r < f->node_size; r++) PetscCall(NodeMemoryGet(f->window[3], r, (void **)&f->scattered[r]));
  f->work = fftw_malloc(PetscMax(work, 1) * sizeof *f->work);
  PetscCheck(f->work, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a plane of %zu points", work);
  PetscFunctionReturn(0);
}

static double NarrowestSpot_mm(const struct DoseModel_s *model)
{
  double narrowest = INFINITY;
  for (PetscInt b = 0; b < model->beams->n_beam; b++)
    for (PetscInt l = 0; l < model->beams->beam[b].n_layer; l++)
      narrowest = PetscMin(narrowest, model->beam[b].layer[l].spot_sigma_mm);
  return narrowest;
}

static PetscInt HighestModel(const ScenarioSet *set)
{
  PetscInt highest = set->other_model;
  for (PetscInt k = 0; k < set->n_of_phase; k++) highest = PetscMax(highest, set->of_phase[k].model);
  return highest;
}

/* Everything but the memory of the volumes. */
static PetscErrorCode Prepare(MPI_Comm team, DoseModel model, const FactoredVoxels *voxels, PetscBool gradients,
                              Factored *out)
{
  PetscFunctionBegin;
  Factored f;
  PetscCheck(!model->split, team, PETSC_ERR_SUP, "spots that are split have no factored operator");
  PetscCall(PetscNew(&f));
  f->own_model = *model;
  f->model = &f->own_model;
  if (model->tissues) f->own_model.n_group = model->tissues->n * (1 + HighestModel(voxels->set));
  f->team = team;
  f->gradients = gradients;
  PetscCallMPI(MPI_Comm_split_type(team, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &f->node));
  PetscCallMPI(MPI_Comm_rank(f->node, &f->node_rank));
  PetscCallMPI(MPI_Comm_size(f->node, &f->node_size));
  PetscMPIInt team_size;
  PetscCallMPI(MPI_Comm_size(team, &team_size));
  f->one_node = team_size == f->node_size ? PETSC_TRUE : PETSC_FALSE;
  f->step_mm = STEP_PER_SIGMA * NarrowestSpot_mm(model);
  PetscCall(PetscCalloc1(model->beams->n_beam, &f->beam));
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) PetscCall(FactoredBeamCreate(f, voxels, b));
  PlaceVolumes(f);
  PetscCall(CutSlabs(f));
  *out = f;
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredCreate(MPI_Comm team, DoseModel model, const FactoredVoxels *voxels, PetscBool gradients,
                              Factored *out)
{
  PetscFunctionBegin;
  PetscCall(Prepare(team, model, voxels, gradients, out));
  PetscCall(CreateMemory(*out));
  PetscCall(FactoredCreateTransforms(*out));
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredMeasure(MPI_Comm team, DoseModel model, const FactoredVoxels *voxels, PetscBool gradients,
                               size_t *shared_bytes, size_t *own_bytes)
{
  PetscFunctionBegin;
  Factored f;
  PetscCall(Prepare(team, model, voxels, gradients, &f));
  PetscCall(FactoredGetSize(f, shared_bytes, own_bytes));
  PetscCall(FactoredDestroy(&f));
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredGetModel(Factored f, DoseModel *model)
{
  PetscFunctionBegin;
  *model = f->model;
  PetscFunctionReturn(0);
}

/* The boxes of all ranks' voxels together, or where there is none an empty one. */
static PetscErrorCode ShareBoxes(Factored f, FactoredBeam *fb)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < fb->nz; i++) { /* so that the least is wanted of all numbers */
    fb->box[i].u_end *= -1;
    fb->box[i].v_end *= -1;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, fb->box, (PetscMPIInt)(4 * fb->nz), MPI_INT32_T, MPI_MIN, f->team));
  for (PetscInt i = 0; i < fb->nz; i++) {
    fb->box[i].u_end *= -1;
    fb->box[i].v_end *= -1;
    if (fb->box[i].u_low >= fb->box[i].u_end) fb->box[i] = (PlaneBox){0};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredRestrict(Factored f, PetscInt n, const Influence *influence)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    FactoredBeam *fb = &f->beam[b];
    for (PetscInt i = 0; i < fb->nz; i++) fb->box[i] = (PlaneBox){.u_low = (int32_t)fb->nu, .v_low = (int32_t)fb->nv};
    for (PetscInt k = 0; k < n; k++) InfluenceGrowBoxes(influence[k], b, fb->box);
    PetscCall(ShareBoxes(f, fb));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredSetWeights(Factored f, const double *weight)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) PetscCall(FieldForward(f, b, weight));
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredGetLargest(Factored f, PetscInt group, int channel, double *bound)
{
  PetscFunctionBegin;
  *bound = 0;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    const FactoredBeam *fb = &f->beam[b];
    double largest = 0;
    for (PetscInt i = f->node_rank; i < fb->nz; i += f->node_size) {
      const Four *plane = f->volume + fb->at + (size_t)group * fb->volume + (size_t)i * fb->plane;
      for (size_t k = 0; k < fb->plane; k++) largest = PetscMax(largest, plane[k][channel]);
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, f->node));
    *bound += largest;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredBeginGradient(Factored f, const double largest[N_CHANNELS], double *gradient)
{
  PetscFunctionBegin;
  PetscCheck(f->gradients, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONGSTATE, "this operator makes no gradients");
  for (int c = 0; c < N_CHANNELS; c++) {
    PetscCheck(isfinite(largest[c]), PETSC_COMM_SELF, PETSC_ERR_FP, "a cotangent is %g, expected a finite number",
               largest[c]);
    f->unit[c] = largest[c] > 0 ? ldexp(1.0, ilogb(largest[c]) + 1 - SCATTER_BITS) : 1;
  }
  PetscCall(PetscArrayzero(gradient, f->model->beams->n_spot));
  f->gradient = gradient;
  f->slab_at = -1;
  PetscFunctionReturn(0);
}

/*
 * Ranks of one node add up what they need of each other's sums where they read them. Between nodes every rank gets the total
 * in its own. Sums of integers are exact in any order.
 */
static PetscErrorCode AddScattered(Factored f, size_t n)
{
  PetscFunctionBegin;
  if (!f->one_node)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, f->scattered[f->node_rank], (PetscMPIInt)(n * N_CHANNELS), MPI_INT64_T,
                               MPI_SUM, f->team));
  PetscCall(FactoredMeet(f));
  PetscFunctionReturn(0);
}

/* What all voxels have scattered into a slab goes on its way to the spots. */
static PetscErrorCode EndSlab(Factored f, const Slab *slab)
{
  PetscFunctionBegin;
  PetscCall(AddScattered(f, SlabPlane(f, slab, f->model->n_group, slab->first)));
  PetscCall(FieldBackwardSlab(f, slab));
  if (slab->end == f->beam[slab->beam].nz) PetscCall(FieldBackward(f, slab->beam, f->gradient));
  PetscFunctionReturn(0);
}

/* Nothing scattered by this rank, where voxels look planes up. */
static void ClearSlab(Factored f, const Slab *slab)
{
  const FactoredBeam *fb = &f->beam[slab->beam];
  for (PetscInt t = 0; t < f->model->n_group; t++)
    for (PetscInt i = slab->first; i < slab->end; i++) {
      const PlaneBox *box = &fb->box[i];
      for (PetscInt u = box->u_low; u < box->u_end; u++) {
        const size_t at = SlabPlane(f, slab, t, i) + (size_t)u * (size_t)fb->nv + (size_t)box->v_low;
        memset(f->scattered[f->node_rank] + at * N_CHANNELS, 0, (size_t)(box->v_end - box->v_low) * sizeof(Four));
      }
    }
}

PetscErrorCode FactoredNextSlab(Factored f, PetscBool *there)
{
  PetscFunctionBegin;
  if (f->slab_at >= 0) PetscCall(EndSlab(f, &f->slab[f->slab_at]));
  *there = ++f->slab_at < f->n_slab ? PETSC_TRUE : PETSC_FALSE;
  if (*there) {
    const Slab *slab = &f->slab[f->slab_at];
    ClearSlab(f, slab);
  } else /* every spot has one owner on the node and zeros elsewhere: exact in any order */
    PetscCallMPI(
        MPI_Allreduce(MPI_IN_PLACE, f->gradient, (PetscMPIInt)f->model->beams->n_spot, MPI_DOUBLE, MPI_SUM, f->node));
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredGetSize(Factored f, size_t *shared_bytes, size_t *own_bytes)
{
  PetscFunctionBegin;
  size_t spectrum, adjoint;
  MeasureSpectra(f, &spectrum, &adjoint);
  *own_bytes = f->n_slab_volume * sizeof(Four); /* what voxels scatter */
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    const FactoredBeam *fb = &f->beam[b];
    size_t parts = fb->nz ? (size_t)fb->part_start[PlaneCount(fb)] : 0;
    *own_bytes += parts * (sizeof(FieldPart) + (size_t)f->model->n_group * N_CHANNELS * sizeof(double));
    *own_bytes += (size_t)f->model->beams->beam[b].n_run * (size_t)fb->nu * sizeof(double complex);
  }
  *shared_bytes = f->n_volume * sizeof(Four) + (spectrum + adjoint) * sizeof(double);
  PetscFunctionReturn(0);
}

/* Of complex FFTs along u for the modes along v that are kept, and along v where voxels look planes up: 5 n log2 n each, two at a time. */
static double TransformOperations(const FactoredBeam *fb)
{
  const double along_u = 5 * (double)fb->nu * log2((double)fb->nu), along_v = 5 * (double)fb->nv * log2((double)fb->nv);
  double operations = 0;
  for (PetscInt i = 0; i < fb->nz; i++)
    if (IsLookedUp(fb, i))
      operations += 2 * ((double)(2 * fb->n_mode_v - 1) * along_u + (fb->box[i].u_end - fb->box[i].u_low) * along_v);
  return operations;
}

PetscErrorCode FactoredGetWork(Factored f, double *operations, double *bytes)
{
  PetscFunctionBegin;
  *operations = *bytes = 0;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    const FactoredBeam *fb = &f->beam[b];
    double points = 0;
    if (!fb->nz) continue;
    for (PetscInt i = 0; i < fb->nz; i++) points += (double)(fb->box[i].u_end - fb->box[i].u_low) * (double)fb->nv;
    *operations += FieldOperations(f, b) + (double)f->model->n_group * TransformOperations(fb);
    *bytes += (double)f->model->n_group * points * sizeof(Four);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredDestroy(Factored *factored)
{
  PetscFunctionBegin;
  Factored f = *factored;
  if (!f) PetscFunctionReturn(0);
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    FactoredDestroyTransforms(&f->beam[b]);
    PetscCall(FactoredBeamDestroy(&f->beam[b]));
  }
  for (int k = 0; k < 4 && f->volume; k++) /* none of what was only measured */
    PetscCall(NodeMemoryDestroy(&f->window[k]));
  PetscCallMPI(MPI_Comm_free(&f->node));
  fftw_free(f->work);
  PetscCall(PetscFree(f->scattered));
  PetscCall(PetscFree(f->slab));
  PetscCall(PetscFree(f->beam));
  PetscCall(PetscFree(*factored));
  PetscFunctionReturn(0);
}
