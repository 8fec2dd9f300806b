/* Spot control of a plan: the structures to spare on its dose grid, and the costs of its spots. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/spot_control.h"

const char *SpotControlText(const Settings *settings)
{
#define COSTS                                                                                                          \
  "density index after Yagi et al. 2023 (Eqs 7, 8); risk indices of Eq. 10 by robion's own formula: the largest "      \
  "exp(-(distance / sigma)^2 / 2) of peak (range errors) and path before it (setup errors)"
#define GRADIENT                                                                                                       \
  "in-field gradients of effect after Eq. 9 of Yagi et al. 2023, as robion's own mean over the target's voxels "       \
  "within "                                                                                                            \
  "a distance of robion's own"
  const PetscBool costs = SpotControlIsOn(&settings->spot_control);
  if (settings->spot_control.gradient > 0) return costs ? COSTS "; " GRADIENT : GRADIENT;
  return costs ? COSTS : NULL;
}

/* Voxels that lie at least half in one of the structures. */
static PetscErrorCode MarkSpared(const PlanInputs *in, Mistakes *mistakes, unsigned char *mask)
{
  PetscFunctionBegin;
  const SpotControlSpec *spec = &in->settings->spot_control;
  for (PetscInt s = 0; s < spec->n_structures; s++) {
    Region region;
    PetscCall(StructureToGrid(in->patient, CaseFindStructure(in->patient, spec->structures[s]), &in->grid, &region));
    if (!RegionMark(&region, 1, mask))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: spot_control.structures: structure %s of case %s fills no voxel of the dose grid, "
                            "expected a larger one or a finer dose_grid_mm",
                            spec->where, spec->structures[s], in->patient->name));
    PetscCall(RegionDestroy(&region));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSpotCosts(const PlanInputs *in, Mistakes *mistakes, double **cost)
{
  PetscFunctionBegin;
  const SpotControlSpec *spec = &in->settings->spot_control;
  unsigned char *mask;
  *cost = NULL;
  if (!SpotControlIsOn(spec)) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(GridSize(&in->grid), &mask));
  PetscCall(MarkSpared(in, mistakes, mask));
  PetscCall(PetscCalloc1(in->beams->n_spot, cost));
  if (!MistakesAny(mistakes))
    PetscCall(SpotControlCosts(spec, in->beams, in->machine, in->patient, &in->grid, mask, *cost));
  PetscCall(PetscFree(mask));
  PetscFunctionReturn(0);
}
