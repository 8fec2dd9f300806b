/* The operator object: where its voxels are seen from every beam, and the choice of implementation. */
#include "influence_private.h"
#include <string.h>

const char *const dose_operator_names[] = {"factored", "assembled"};
const PetscInt n_dose_operator_names = PETSC_STATIC_ARRAY_LENGTH(dose_operator_names);

/* BEV position of every voxel for every view and beam, and its tissue. */
static PetscErrorCode SightVoxels(Influence influence, const Grid *grid, const PetscInt *voxel)
{
  PetscFunctionBegin;
  const struct DoseModel_s *model = influence->model;
  const ScenarioSet *set = influence->set;
  size_t n = (size_t)set->n_view * (size_t)model->beams->n_beam * (size_t)influence->n;
  PetscCall(PetscMalloc1(3 * n, &influence->bev_mm));
  for (PetscInt v = 0; v < influence->n; v++) {
    double centre_mm[3], point_mm[3];
    GridCentre(grid, (size_t)voxel[v], centre_mm);
    for (PetscInt k = 0; k < set->n_view; k++) {
      CasePlaceInPhase(model->patient, set->view[k].phase, centre_mm, point_mm);
      for (PetscInt b = 0; b < model->beams->n_beam; b++) {
        Beam turned;
        BeamProject(BeamInView(&model->beams->beam[b], &set->view[k], &turned), point_mm, set->view[k].shift_mm,
                    influence->bev_mm + 3 * (SightIndex(influence, k, b) + (size_t)v));
      }
    }
  }
  PetscCall(PetscMalloc1(influence->n, &influence->tissue));
  for (PetscInt v = 0; v < influence->n; v++)
    influence->tissue[v] = model->tissues ? (unsigned char)TissueOf(model->tissues, voxel[v]) : 0;
  influence->bytes += 3 * n * sizeof(double) + (size_t)influence->n;
  PetscFunctionReturn(0);
}

static PetscBool AnyBent(const ScenarioSet *set)
{
  for (PetscInt k = 0; k < set->n_view; k++)
    if (ViewBends(&set->view[k])) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Without `depths`, or where they depend on the view, the operator traces its own. */
static PetscErrorCode CreateFrame(DoseModel model, const ScenarioSet *set, const Grid *grid, PetscInt n,
                                  const PetscInt *voxel, Depths depths, Influence *out)
{
  PetscFunctionBegin;
  Influence influence;
  PetscCall(PetscNew(&influence));
  influence->model = model;
  influence->set = set;
  influence->n = n;
  influence->depths = depths;
  if (!depths || !depths->n_trace || AnyBent(set)) {
    PetscCall(DepthsTrace(model, set, grid, n, voxel, &influence->own_depths));
    influence->depths = influence->own_depths;
    influence->bytes += influence->depths->bytes;
  }
  PetscCall(SightVoxels(influence, grid, voxel));
  *out = influence;
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreate(DoseModel model, InfluenceType type, const ScenarioSet *set, const Grid *grid,
                               PetscInt n, const PetscInt *voxel, Influence *out)
{
  PetscFunctionBegin;
  PetscCheck(type != INFLUENCE_FACTORED, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "expected InfluenceCreateFactored");
  PetscCall(CreateFrame(model, set, grid, n, voxel, NULL, out));
  if (model->split)
    PetscCall(InfluenceCreate_Split(*out));
  else if (type == INFLUENCE_ASSEMBLED)
    PetscCall(InfluenceCreate_Assembled(*out));
  else
    PetscCall(InfluenceCreate_Streamed(*out));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreateFactored(Factored factored, const ScenarioSet *set, const Grid *grid, PetscInt n,
                                       const PetscInt *voxel, Influence *out)
{
  PetscFunctionBegin;
  DoseModel model;
  PetscCall(FactoredGetModel(factored, &model));
  PetscCall(CreateFrame(model, set, grid, n, voxel, NULL, out));
  (*out)->factored = factored;
  PetscCall(InfluenceCreate_Factored(*out));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreateAtDepths(Depths depths, Factored factored, const ScenarioSet *set, Influence *out)
{
  PetscFunctionBegin;
  PetscCall(CreateFrame(depths->model, set, depths->grid, depths->n, depths->voxel, depths, out));
  (*out)->factored = factored;
  if (factored)
    PetscCall(InfluenceCreate_Factored(*out));
  else if (depths->model->split)
    PetscCall(InfluenceCreate_Split(*out));
  else
    PetscCall(InfluenceCreate_Streamed(*out));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSums(Influence influence, PetscInt sums)
{
  PetscFunctionBegin;
  PetscCheck(sums >= 0 && sums < influence->set->n_sums, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "sums %d, expected 0 to %d", (int)sums, (int)influence->set->n_sums - 1);
  PetscFunctionReturn(0);
}

/* The weighted mean of channels in all phases of sums, that follow each other. */
static void Accumulate(Influence influence, PetscInt sums, const double *of_phase, double *channels)
{
  const size_t size = (size_t)influence->n * N_CHANNELS;
  const ScenarioSums *of = &influence->set->sums[sums];
  memset(channels, 0, size * sizeof *channels);
  for (PetscInt k = of->first; k < of->first + of->n_phase; k++, of_phase += size)
    for (size_t i = 0; i < size; i++) channels[i] += influence->set->of_phase[k].weight * of_phase[i];
}

PetscErrorCode InfluenceApply(Influence influence, PetscInt sums, const double *weight, double *channels)
{
  PetscFunctionBegin;
  const size_t size = (size_t)influence->n * N_CHANNELS;
  double *of_phase = NULL;
  PetscCall(CheckSums(influence, sums));
  const ScenarioSums *of = &influence->set->sums[sums];
  if (of->n_phase == 1) {
    PetscCall((*influence->apply)(influence, of->first, weight, channels));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)of->n_phase * size, &of_phase));
  for (PetscInt k = 0; k < of->n_phase; k++)
    PetscCall((*influence->apply)(influence, of->first + k, weight, of_phase + (size_t)k * size));
  Accumulate(influence, sums, of_phase, channels);
  PetscCall(PetscFree(of_phase));
  PetscFunctionReturn(0);
}

/* Of all phases: [of_phase][n][channels]. */
static PetscErrorCode ApplyPhases(Influence influence, const PetscBool *used, const double *weight, double *channels)
{
  PetscFunctionBegin;
  const size_t size = (size_t)influence->n * N_CHANNELS;
  if (influence->apply_all)
    PetscCall((*influence->apply_all)(influence, used, weight, channels));
  else
    for (PetscInt k = 0; k < influence->set->n_of_phase; k++)
      if (!used || used[influence->set->of_phase[k].sums])
        PetscCall((*influence->apply)(influence, k, weight, channels + (size_t)k * size));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceApplyAll(Influence influence, const PetscBool *used, const double *weight, double *channels)
{
  PetscFunctionBegin;
  const ScenarioSet *set = influence->set;
  const size_t size = (size_t)influence->n * N_CHANNELS;
  double *of_phase;
  if (!set->accumulates) {
    PetscCall(ApplyPhases(influence, used, weight, channels));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)set->n_of_phase * size, &of_phase));
  PetscCall(ApplyPhases(influence, used, weight, of_phase));
  for (PetscInt s = 0; s < set->n_sums; s++)
    if (!used || used[s])
      Accumulate(influence, s, of_phase + (size_t)set->sums[s].first * size, channels + (size_t)s * size);
  PetscCall(PetscFree(of_phase));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceApplyTranspose(Influence influence, PetscInt sums, const double *cotangent, double *gradient)
{
  PetscFunctionBegin;
  const size_t size = (size_t)influence->n * N_CHANNELS;
  double *part = NULL;
  PetscCall(CheckSums(influence, sums));
  const ScenarioSums *of = &influence->set->sums[sums];
  if (of->n_phase == 1) {
    PetscCall((*influence->transpose)(influence, of->first, cotangent, gradient));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(size, &part));
  for (PetscInt k = of->first; k < of->first + of->n_phase; k++) {
    for (size_t i = 0; i < size; i++) part[i] = influence->set->of_phase[k].weight * cotangent[i];
    PetscCall((*influence->transpose)(influence, k, part, gradient));
  }
  PetscCall(PetscFree(part));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceGetSize(Influence influence, size_t *entries, size_t *bytes)
{
  PetscFunctionBegin;
  *entries = influence->entries;
  *bytes = influence->bytes;
  PetscFunctionReturn(0);
}

double InfluenceDepth(Influence influence, PetscInt view, PetscInt beam, PetscInt v)
{
  const size_t at = DepthIndex(influence->depths, view, beam) + (size_t)v;
  return influence->depths->wepl_mm[at] + influence->depths->passed_mm[at];
}

PetscErrorCode InfluenceCountEntries(DoseModel model, const Grid *grid, PetscInt n, const PetscInt *voxel,
                                     size_t *entries)
{
  PetscFunctionBegin;
  const double no_shift[3] = {0, 0, 0};
  Row row;
  *entries = 0;
  PetscCall(RowCreate(model, &row));
  for (PetscInt v = 0; v < n; v++)
    for (PetscInt b = 0; b < model->beams->n_beam; b++) {
      const Beam *beam = &model->beams->beam[b];
      double point_mm[3], bev_mm[3];
      GridCentre(grid, (size_t)voxel[v], point_mm);
      BeamProject(beam, point_mm, no_shift, bev_mm);
      double depth_mm = BeamWEPL(beam, model->patient, point_mm, no_shift);
      depth_mm += BeamPassed_mm(beam, model->machine, model->patient, point_mm, no_shift);
      for (PetscInt k = 0; k < model->n_component; k++) {
        RowBuild(model, b, k, 0, bev_mm, depth_mm, &row);
        *entries += row.n_value;
      }
    }
  PetscCall(RowDestroy(&row));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceDestroy(Influence *influence)
{
  PetscFunctionBegin;
  if (*influence) {
    PetscCall((*(*influence)->destroy)(*influence));
    PetscCall(PetscFree((*influence)->tissue));
    PetscCall(PetscFree((*influence)->bev_mm));
    PetscCall(DepthsDestroy(&(*influence)->own_depths));
    PetscCall(PetscFree(*influence));
  }
  PetscFunctionReturn(0);
}
