/*
 * Water-equivalent depths of voxels. A setup error moves the patient against the beams; under parallel rays every voxel keeps the
 * way that its ray takes through the patient, so one trace serves all setups, to the last bit. Rays of a source at a finite distance
 * tilt by shift / distance instead. That is no small change where they run along voxel walls: 5 mm at 6 m moved 3 to 7 % of the
 * voxels of two patients by more than 0.05 mm, some by 5 to 10 mm, and slopes from neighbouring traces did not mend it. So there
 * every ray of every setup is traced.
 */
#include "influence_private.h"

/* The depths of one beam in one view. */
static void TraceBeam(const struct Depths_s *depths, PetscInt b, const double shift_mm[3], double *wepl_mm,
                      double *passed_mm)
{
  const struct DoseModel_s *model = depths->model;
  const Beam *beam = &model->beams->beam[b];
  for (PetscInt v = 0; v < depths->n; v++) {
    double point_mm[3];
    GridCentre(depths->grid, (size_t)depths->voxel[v], point_mm);
    wepl_mm[v] = BeamWEPL(beam, model->patient, point_mm, shift_mm);
    passed_mm[v] = BeamPassed_mm(beam, model->machine, model->patient, point_mm, shift_mm);
  }
}

PetscErrorCode DepthsTrace(DoseModel model, const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                           Depths *out)
{
  PetscFunctionBegin;
  static const double no_shift[3];
  Depths depths;
  PetscCall(PetscNew(&depths));
  *depths = (struct Depths_s){.model = model, .grid = grid, .n = n, .voxel = voxel, .n_trace = 1};
  for (PetscInt b = 0; b < model->beams->n_beam; b++)
    if (BeamTraces(&model->beams->beam[b], 2) > 1) depths->n_trace = set ? set->n_view : 0;
  const size_t beams = (size_t)depths->n_trace * (size_t)model->beams->n_beam, size = beams * (size_t)n;
  PetscCall(PetscMalloc2(size, &depths->wepl_mm, size, &depths->passed_mm));
  for (PetscInt k = 0; k < depths->n_trace; k++)
    for (PetscInt b = 0; b < model->beams->n_beam; b++) {
      const size_t at = DepthIndex(depths, k, b);
      TraceBeam(depths, b, set ? set->view[k].shift_mm : no_shift, depths->wepl_mm + at, depths->passed_mm + at);
    }
  depths->bytes = 2 * size * sizeof(double);
  *out = depths;
  PetscFunctionReturn(0);
}

PetscErrorCode DepthsCreate(DoseModel model, const Grid *grid, PetscInt n, const PetscInt *voxel, Depths *depths)
{
  PetscFunctionBegin;
  PetscCall(DepthsTrace(model, NULL, grid, n, voxel, depths));
  PetscFunctionReturn(0);
}

PetscErrorCode DepthsDestroy(Depths *depths)
{
  PetscFunctionBegin;
  if (*depths) PetscCall(PetscFree2((*depths)->wepl_mm, (*depths)->passed_mm));
  PetscCall(PetscFree(*depths));
  PetscFunctionReturn(0);
}
