/* What the tumour control of a plan is judged by: the clonogens of its case. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/map.h"

/* A voxel without clonogens is one without tumour; many of them may be an image that did not cover the structure. */
static void WarnOfEmpty(const PlanInputs *in, const TumourControl *control)
{
  double empty = 0, all = 0;
  for (PetscInt i = 0; i < control->region.n; i++) {
    all += control->region.fraction[i];
    if (!(control->clonogens[CELLS_NOMINAL][i] > 0)) empty += control->region.fraction[i];
  }
  if (empty > TCP_MOST_EMPTY * all)
    LogLine(LOG_WARNING, "tcp", in->patient->name, "%.1f %% of %s hold no clonogens and count as controlled",
            100 * empty / all, in->settings->tumour.structure);
}

PetscErrorCode PlanTumourControl(const PlanInputs *in, TumourControl *control)
{
  PetscFunctionBegin;
  const TumourSpec *spec = &in->settings->tumour;
  const PetscInt map = CaseFindMap(in->patient, MAP_CLONOGENS),
                 structure = CaseFindStructure(in->patient, spec->structure);
  double sum = 0;
  *control = (TumourControl){.spec = spec->tcp};
  if (map < 0 || strcmp(in->patient->maps[map].unit, MAP_CLONOGENS_UNIT)) PetscFunctionReturn(0);
  PetscCall(StructureToGrid(in->patient, structure, &in->grid, &control->region));
  for (int c = 0; c < N_CELL_CASES && control->region.n; c++) {
    double *per_mm3;
    PetscCall(CaseClonogens(in->patient, map, (CellCase)c, &in->grid, &per_mm3));
    PetscCall(PetscMalloc1(control->region.n, &control->clonogens[c]));
    for (PetscInt i = 0; i < control->region.n; i++) {
      control->clonogens[c][i] = TCP_REFERENCE_MM3 * spec->share * per_mm3[control->region.voxel[i]];
      sum += control->clonogens[c][i];
    }
    PetscCall(PetscFree(per_mm3));
  }
  if (!(sum > 0))
    PetscCall(RegionDestroy(&control->region));
  else
    WarnOfEmpty(in, control);
  PetscFunctionReturn(0);
}

PetscErrorCode PlanTumourControlDestroy(TumourControl *control)
{
  PetscFunctionBegin;
  for (int c = 0; c < N_CELL_CASES; c++) PetscCall(PetscFree(control->clonogens[c]));
  PetscCall(RegionDestroy(&control->region));
  PetscFunctionReturn(0);
}
