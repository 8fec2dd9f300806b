/*
 * Patients that the CT cuts off where a beam enters. What a CT does not show counts as nothing, so a ray whose first voxel is
 * tissue has lost what lies before it, and its depths are too small by that.
 */
#include "beam_private.h"
#include "robion/log.h"
#include "robion/raytrace.h"

/* Both searches walk the same pieces: they end in the same place where the very first voxel is tissue. */
static PetscBool IsCut(const Beam *beam, const Case *patient, const double point_mm[3])
{
  const double no_shift[3] = {0}, anything = -1;
  double source_mm[3];
  BeamSource(beam, point_mm, no_shift, source_mm);
  const double ct_mm = RaytraceEntry_mm(&patient->ct, patient->rsp, source_mm, point_mm, anything);
  const double skin_mm = RaytraceEntry_mm(&patient->ct, patient->rsp, source_mm, point_mm, SKIN_RSP);
  return isfinite(skin_mm) && skin_mm <= ct_mm ? PETSC_TRUE : PETSC_FALSE;
}

double BeamCutShare(const Beam *beam, const Case *patient, const Grid *grid, const Region *target)
{
  double cut = 0, all = 0, point_mm[3];
  for (PetscInt i = 0; i < target->n; i++) {
    GridCentre(grid, (size_t)target->voxel[i], point_mm);
    all += (double)target->fraction[i];
    if (IsCut(beam, patient, point_mm)) cut += (double)target->fraction[i];
  }
  return all > 0 ? cut / all : 0;
}

void BeamWarnCut(const Beam *beam, PetscInt index, const Case *patient, const Grid *grid, const Region *target)
{
  const double share = BeamCutShare(beam, patient, grid, target);
  if (share > 0)
    LogLineOnce(
        LOG_WARNING, "beams", patient->name,
        "beam %d, gantry %g deg, couch %g deg: %.3g %% of its rays to %s enter through the border of the CT, where the "
        "patient is cut off: their depths lack what lies beyond",
        (int)index, beam->gantry_deg, beam->couch_deg, 100 * share, target->name);
}
