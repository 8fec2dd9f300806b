/* What a user should know before believing a plan: no mistakes, but lines of the log; what is true of a case once for all its plans. */
#include "plan_private.h"
#include "robion/log.h"

/* Volume that rounding and voxels touched by less than 1e-3 may lose on the dose grid. */
static const double LOST_SHARE = 1e-3;
/* More than targets may get (ICRU 50), outside of them, deserves a warning. */
static const double HOT_SHARE = 1.07;

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

/* "5.1 Gy at (1, 2, 3) mm, 4 mm from Bladder", of the nominal scenario; of several regions that are as near the smallest. */
static void HotSpotText(const PlanResult *r, Quantity quantity, char text[256])
{
  const MetricList *nominal = &r->metrics[0];
  const Metric *dose = MetricListFind(nominal, OUTSIDE_TARGETS, quantity, "D0.03cc");
  const Region *nearest = NULL;
  double place_mm[3], distance_mm = 0;
  for (int k = 0; k < 3; k++)
    place_mm[k] = MetricListFind(nominal, OUTSIDE_TARGETS, quantity, hot_spot_place_names[k])->value;
  for (PetscInt i = 0; i < r->n_regions; i++) {
    const Metric *from = MetricListFind(nominal, r->regions[i].name, quantity, HOT_SPOT_DISTANCE);
    if (!from || (nearest && from->value > distance_mm)) continue;
    if (nearest && from->value == distance_mm && r->regions[i].volume_cm3 >= nearest->volume_cm3) continue;
    nearest = &r->regions[i];
    distance_mm = from->value;
  }
  int at = snprintf(text, 256, "%.4g %s at (%.1f, %.1f, %.1f) mm", dose->value, dose->unit, place_mm[0], place_mm[1],
                    place_mm[2]);
  if (nearest && distance_mm > 0)
    snprintf(text + at, 256 - (size_t)at, ", %.1f mm from %.60s", distance_mm, nearest->name);
  else if (nearest)
    snprintf(text + at, 256 - (size_t)at, " in %.60s", nearest->name);
}

void PlanTellHotSpot(const PlanResult *r)
{
  char weighted[256], physical[256];
  const Metric *dose = MetricListFind(&r->metrics[0], OUTSIDE_TARGETS, QUANTITY_RBE_WEIGHTED, "D0.03cc"),
               *worst = MetricListFind(&r->statistics[1], OUTSIDE_TARGETS, QUANTITY_RBE_WEIGHTED, "D0.03cc");
  if (!dose) return;
  HotSpotText(r, QUANTITY_RBE_WEIGHTED, weighted);
  HotSpotText(r, QUANTITY_PHYSICAL, physical);
  LogLine(
      dose->value > HOT_SHARE * r->prescription_Gy_RBE ? LOG_WARNING : LOG_INFO, "plan", r->patient,
      "%s  hottest 0.03 cm3 outside all targets: %s, %.1f %% of the prescription, up to %.1f %% in the scenarios; %s",
      r->arm, weighted, 100 * dose->value / r->prescription_Gy_RBE, 100 * worst->value / r->prescription_Gy_RBE,
      physical);
}

static PetscBool IsLowDoseLEM(const BiologySpec *biology)
{
  return !strcmp(biology->model, "lem1") && biology->approach == LEM_LOW_DOSE ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode StudyTellModels(const Study *study)
{
  PetscFunctionBegin;
  PetscBool lem = PETSC_FALSE, *used;
  Text others = {0};
  PetscCall(PetscCalloc1(n_biology_model_names, &used));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const Settings *settings = &study->plans[p].settings;
    const BiologySpec *biology[] = {&settings->biology, settings->other_biology ? &settings->judging_biology : NULL};
    for (int b = 0; b < 2 && biology[b]; b++) {
      lem = lem || IsLowDoseLEM(biology[b]) ? PETSC_TRUE : PETSC_FALSE;
      for (PetscInt m = 0; m < n_biology_model_names; m++)
        if (!strcmp(biology[b]->model, biology_model_names[m])) used[m] = PETSC_TRUE;
    }
  }
  for (PetscInt m = 0; m < n_biology_model_names; m++)
    if (used[m] && strcmp(biology_model_names[m], "lem1"))
      PetscCall(TextAdd(&others, "%s%s", others.length ? ", " : "", biology_model_names[m]));
  if (lem && others.length)
    LogLine(
        LOG_INFO, "biology", NULL,
        "lem1 (low-dose approximation) beside %s: LEM I has a high RBE already at the low LET of the entrance, which "
        "LEM IV was made to mend; RBE-weighted doses before the target differ by the model, not only by the plan",
        others.data);
  PetscCall(PetscFree(used));
  PetscCall(TextDestroy(&others));
  PetscFunctionReturn(0);
}
