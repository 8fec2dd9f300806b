/* The operator object: where its voxels are seen from every beam, and the choice of implementation. */
#include "influence_private.h"
#include "robion/raytrace.h"
#include <math.h>

/* Air between nozzle and skin beyond that of the base data's own set-up, as matRad counts it: 0.0011 mm of water per
 * mm. */
static double AirOffset_mm(const Machine *machine, const Beam *beam, const Case *patient, const double point_mm[3],
                           const double shift_mm[3])
{
  if (machine->bams_to_iso_mm <= 0 || machine->sad_mm <= 0) return 0;
  double source_mm[3];
  BeamSource(beam, point_mm, shift_mm, source_mm);
  double ssd_mm = RaytraceEntry_mm(&patient->ct, patient->rsp, source_mm, point_mm, 0.05);
  return isfinite(ssd_mm) ? 0.0011 * (ssd_mm + machine->bams_to_iso_mm - machine->sad_mm) : 0;
}

/* BEV position and depth of every voxel for every setup and beam. */
static PetscErrorCode SightVoxels(Influence influence, const Grid *grid, const PetscInt *voxel)
{
  PetscFunctionBegin;
  const struct DoseModel_s *model = influence->model;
  const ScenarioSet *set = influence->set;
  size_t n = (size_t)set->n_setup * (size_t)model->beams->n_beam * (size_t)influence->n;
  PetscCall(PetscMalloc2(3 * n, &influence->bev_mm, n, &influence->depth_mm));
  for (PetscInt k = 0; k < set->n_setup; k++)
    for (PetscInt b = 0; b < model->beams->n_beam; b++) {
      const Beam *beam = &model->beams->beam[b];
      size_t at = SightIndex(influence, k, b);
      for (PetscInt v = 0; v < influence->n; v++, at++) {
        double point_mm[3];
        GridCentre(grid, (size_t)voxel[v], point_mm);
        BeamProject(beam, point_mm, set->setup_mm[k], influence->bev_mm + 3 * at);
        influence->depth_mm[at] = BeamWEPL(beam, model->patient, point_mm, set->setup_mm[k]);
        influence->depth_mm[at] += AirOffset_mm(model->machine, beam, model->patient, point_mm, set->setup_mm[k]);
      }
    }
  influence->bytes += 4 * n * sizeof(double);
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreate(DoseModel model, InfluenceType type, const ScenarioSet *set, const Grid *grid,
                               PetscInt n, const PetscInt *voxel, Influence *out)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(out));
  (*out)->type = type;
  (*out)->model = model;
  (*out)->set = set;
  (*out)->n = n;
  PetscCall(SightVoxels(*out, grid, voxel));
  if (type == INFLUENCE_ASSEMBLED)
    PetscCall(InfluenceCreate_Assembled(*out));
  else
    PetscCall(InfluenceCreate_Streamed(*out));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceApply(Influence influence, PetscInt scenario, const double *weight, double *channels)
{
  PetscFunctionBegin;
  PetscCheck(scenario >= 0 && scenario < influence->set->n, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "scenario %d, expected 0 to %d", (int)scenario, (int)influence->set->n - 1);
  PetscCall((*influence->apply)(influence, scenario, weight, channels));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceApplyTranspose(Influence influence, PetscInt scenario, const double *cotangent,
                                       double *gradient)
{
  PetscFunctionBegin;
  PetscCheck(scenario >= 0 && scenario < influence->set->n, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "scenario %d, expected 0 to %d", (int)scenario, (int)influence->set->n - 1);
  PetscCall((*influence->transpose)(influence, scenario, cotangent, gradient));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceGetSize(Influence influence, size_t *entries, size_t *bytes)
{
  PetscFunctionBegin;
  *entries = influence->entries;
  *bytes = influence->bytes;
  PetscFunctionReturn(0);
}

double InfluenceDepth(Influence influence, PetscInt setup, PetscInt beam, PetscInt v)
{
  return influence->depth_mm[SightIndex(influence, setup, beam) + (size_t)v] + influence->model->machine->offset_mm;
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
      RowBuild(model, b, bev_mm, BeamWEPL(beam, model->patient, point_mm, no_shift) + model->machine->offset_mm, &row);
      *entries += row.n_value;
    }
  PetscCall(RowDestroy(&row));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceDestroy(Influence *influence)
{
  PetscFunctionBegin;
  if (*influence) {
    PetscCall((*(*influence)->destroy)(*influence));
    PetscCall(PetscFree2((*influence)->bev_mm, (*influence)->depth_mm));
    PetscCall(PetscFree(*influence));
  }
  PetscFunctionReturn(0);
}
