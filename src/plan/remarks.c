/* What a user should know of a case before believing its plans: no mistakes, but lines of the log, once for all plans of the case. */
#include "plan_private.h"
#include "robion/log.h"

/* Volume that rounding and voxels touched by less than 1e-3 may lose on the dose grid. */
static const double LOST_SHARE = 1e-3;

static void TellExternal(const Case *patient)
{
  const PetscInt external = CaseFindExternal(patient);
  if (external < 0)
    LogLineOnce(LOG_WARNING, "case", patient->name,
                "no structure has the role external, and no voxel of the CT is above %d HU: depths are those of the CT "
                "as it is",
                EXTERNAL_THRESHOLD_HU);
  else if (!strcmp(patient->structures[external].name, DERIVED_EXTERNAL))
    LogLineOnce(LOG_WARNING, "case", patient->name,
                "no structure has the role external: " DERIVED_EXTERNAL
                ", %.5g cm3, is taken for the patient (the largest piece above %d HU, holes filled), all else for air",
                StructureVolume_cm3(patient, external), EXTERNAL_THRESHOLD_HU);
}

void PlanTellCase(const Case *patient)
{
  const PetscInt external = CaseFindExternal(patient);
  TellExternal(patient);
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    const char *name = patient->structures[s].name;
    const double volume_cm3 = StructureVolume_cm3(patient, s), outside_cm3 = StructureOutside_cm3(patient, s);
    if (!(volume_cm3 > 0))
      LogLineOnce(LOG_WARNING, "case", patient->name, "structure %s has no voxel: no metrics of it", name);
    else if (outside_cm3 > 0)
      LogLineOnce(
          LOG_WARNING, "case", patient->name,
          "structure %s: %.4g of its %.4g cm3 (%.3g %%) lie outside the external structure %s, where all is air", name,
          outside_cm3, volume_cm3, 100 * outside_cm3 / volume_cm3, patient->structures[external].name);
  }
}

static const Region *FindRegion(const PlanInputs *in, const char *name)
{
  for (PetscInt r = 0; r < in->n_region; r++)
    if (!strcmp(in->region[r].name, name)) return &in->region[r];
  return NULL;
}

void PlanTellRegions(const PlanInputs *in)
{
  for (PetscInt s = 0; s < in->patient->n_structures; s++) {
    const char *name = in->patient->structures[s].name;
    const Region *region = FindRegion(in, name);
    const double all_cm3 = StructureVolume_cm3(in->patient, s), there_cm3 = region ? region->volume_cm3 : 0;
    if (all_cm3 > 0 && all_cm3 - there_cm3 > LOST_SHARE * all_cm3)
      LogLineOnce(
          LOG_WARNING, "case", in->patient->name,
          "structure %s: %.4g of its %.4g cm3 (%.3g %%) are not on the dose grid, which covers the external and what "
          "the study names: %s",
          name, all_cm3 - there_cm3, all_cm3, 100 * (1 - there_cm3 / all_cm3),
          region ? "its metrics are of the rest" : "no metrics of it");
    if (region && region->volume_cm3 < NEAR_MAXIMUM_cm3)
      LogLineOnce(LOG_INFO, "case", in->patient->name,
                  "structure %s has %.3g cm3, less than %g cm3: its D0.03cc is its Dmax", name, region->volume_cm3,
                  NEAR_MAXIMUM_cm3);
  }
}
