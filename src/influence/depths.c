/*
 * Water-equivalent depths of voxels. A setup error moves the patient against the beams; under parallel rays every voxel keeps the
 * way that its ray takes through the patient, so one trace serves all setups, to the last bit. Rays of a source at a finite distance
 * tilt by shift / distance instead. That is no small change where they run along voxel walls: 5 mm at 6 m moved 3 to 7 % of the
 * voxels of two patients by more than 0.05 mm, some by 5 to 10 mm, and slopes from neighbouring traces did not mend it. So there
 * every ray of every setup is traced. A patient who is turned has other rays: each rotation is traced, once for all shifts where rays are
 * parallel; so is one who breathes, in each phase.
 */
#include "influence_private.h"

/* The depths of one beam in one view. */
static void TraceBeam(const struct Depths_s *depths, PetscInt b, const View *view, double *wepl_mm, double *passed_mm)
{
  const struct DoseModel_s *model = depths->model;
  Beam turned;
  const Beam *beam = BeamInView(&model->beams->beam[b], view, &turned);
  Case there;
  const Case *patient = CaseInPhase(model->patient, view->phase, &there);
  for (PetscInt v = 0; v < depths->n; v++) {
    double centre_mm[3], point_mm[3];
    GridCentre(depths->grid, (size_t)depths->voxel[v], centre_mm);
    CasePlaceInPhase(model->patient, view->phase, centre_mm, point_mm);
    wepl_mm[v] = BeamWEPL(beam, patient, point_mm, view->shift_mm);
    passed_mm[v] = BeamPassed_mm(beam, model->machine, patient, point_mm, view->shift_mm);
  }
}

static PetscBool AllParallel(const BeamSet *beams)
{
  for (PetscInt b = 0; b < beams->n_beam; b++)
    if (beams->beam[b].sad_mm > 0) return PETSC_FALSE;
  return PETSC_TRUE;
}

PetscErrorCode DepthsTrace(DoseModel model, const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                           Depths *out)
{
  PetscFunctionBegin;
  static const View no_view;
  const PetscBool parallel = AllParallel(model->beams);
  PetscInt *view = NULL;
  Depths depths;
  PetscCall(PetscNew(&depths));
  *depths = (struct Depths_s){.model = model, .grid = grid, .n = n, .voxel = voxel, .n_trace = parallel ? 1 : 0};
  if (set) {
    PetscCall(PetscMalloc1(set->n_view, &depths->trace));
    PetscCall(PetscMalloc1(set->n_view, &view));
    depths->n_trace = ScenarioTraces(set, parallel, depths->trace, view);
  }
  const size_t beams = (size_t)depths->n_trace * (size_t)model->beams->n_beam, size = beams * (size_t)n;
  PetscCall(PetscMalloc2(size, &depths->wepl_mm, size, &depths->passed_mm));
  for (PetscInt k = 0; k < depths->n_trace; k++)
    for (PetscInt b = 0; b < model->beams->n_beam; b++) {
      const size_t at = ((size_t)k * (size_t)model->beams->n_beam + (size_t)b) * (size_t)n;
      TraceBeam(depths, b, set ? &set->view[view[k]] : &no_view, depths->wepl_mm + at, depths->passed_mm + at);
    }
  depths->bytes = 2 * size * sizeof(double);
  PetscCall(PetscFree(view));
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
  if (*depths) {
    PetscCall(PetscFree2((*depths)->wepl_mm, (*depths)->passed_mm));
    PetscCall(PetscFree((*depths)->trace));
  }
  PetscCall(PetscFree(*depths));
  PetscFunctionReturn(0);
}
