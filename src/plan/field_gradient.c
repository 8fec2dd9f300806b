/* In-field gradient suppression of a plan: its target's voxels on the dose grid, and a dose model of each field alone. */
#include "plan_private.h"
#include "robion/log.h"

/* The fields whose spots are sought, each as a set of one beam. */
static PetscErrorCode CreateFields(const PlanInputs *in, PlanFields *out)
{
  PetscFunctionBegin;
  const PetscInt first = in->course.n ? in->course.stage[in->n_fixed].first_spot : 0;
  PetscInt n = 0;
  PetscCall(PetscCalloc2(in->beams->n_beam, &out->beams, in->beams->n_beam, &out->model));
  for (PetscInt b = 0; b < in->beams->n_beam; b++) {
    Beam *beam = &in->beams->beam[b];
    if (!beam->n_spot || beam->first_spot < first || beam->first_spot >= first + in->n_sought) continue;
    out->beams[n] = *in->beams;
    out->beams[n].n_beam = 1;
    out->beams[n].beam = beam;
    PetscCall(DoseModelCreate(in->patient, in->machine, &in->tissues, &out->beams[n],
                              in->settings->dropped_dose_fraction, &out->model[n]));
    n++;
  }
  out->spec.n_field = n;
  out->spec.field = out->model;
  out->spec.n_spot = first + in->n_sought;
  PetscFunctionReturn(0);
}

/* Voxels that lie at least half in the prescription's target. */
static PetscErrorCode CreateVoxels(const PlanInputs *in, PetscInt *n, PetscInt **voxel)
{
  PetscFunctionBegin;
  unsigned char *mark;
  PetscCall(PetscCalloc1(GridSize(&in->grid), &mark));
  (void)RegionMark(&in->target, 1, mark);
  PetscCall(PlanCollectMarked(&in->grid, mark, n, voxel));
  PetscCall(PetscFree(mark));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanFieldsCreate(const PlanInputs *in, Mistakes *mistakes, PlanFields *out)
{
  PetscFunctionBegin;
  const SpotControlSpec *spec = &in->settings->spot_control;
  *out = (PlanFields){0};
  if (!(spec->gradient > 0)) PetscFunctionReturn(0);
  if (spec->gradient_distance_mm < in->grid.spacing_mm[0]) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "spot_control.gradient_distance_mm: found %g, expected at least dose_grid_mm, %g",
                          spec->gradient_distance_mm, in->grid.spacing_mm[0]));
    PetscFunctionReturn(0);
  }
  out->spec = (FieldGradientSpec){
      .weight = spec->gradient, .distance_mm = spec->gradient_distance_mm, .tissues = &in->tissues, .grid = &in->grid};
  PetscCall(CreateFields(in, out));
  PetscCall(CreateVoxels(in, &out->spec.n_voxel, &out->voxel));
  out->spec.voxel = out->voxel;
  LogLine(LOG_INFO, "build", in->patient->name, "in-field gradients of %d fields in %d voxels within %g mm",
          (int)out->spec.n_field, (int)out->spec.n_voxel, spec->gradient_distance_mm);
  PetscFunctionReturn(0);
}

PetscErrorCode PlanFieldsDestroy(PlanFields *fields)
{
  PetscFunctionBegin;
  for (PetscInt l = 0; l < fields->spec.n_field; l++) PetscCall(DoseModelDestroy(&fields->model[l]));
  PetscCall(PetscFree2(fields->beams, fields->model));
  PetscCall(PetscFree(fields->voxel));
  PetscFunctionReturn(0);
}
