/* Positron emitters in plan.h5. */
#include "plan_file_private.h"

static PetscErrorCode WriteMap(SharedFile *file, const PlanResult *r, const char *scenario, const char *kind,
                               const char *name, const float *value, const char *unit, const char *long_name)
{
  PetscFunctionBegin;
  const hsize_t dims[3] = {(hsize_t)r->grid.n[2], (hsize_t)r->grid.n[1], (hsize_t)r->grid.n[0]};
  char map[128], path[PLAN_PATH];
  snprintf(map, sizeof map, "%s%s%s", kind, *name ? "/" : "", name);
  PlanActivityPath(scenario, map, path);
  PetscCall(SharedFileArray(file, path, H5T_NATIVE_FLOAT, 3, dims, value, unit, long_name));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteScenarioActivity(SharedFile *file, const PlanResult *r, const ActivityMap *map)
{
  PetscFunctionBegin;
  const ActivitySet *set = r->activity;
  const char *id = map->scenario->id;
  char name[16];
  PetscCall(WriteMap(file, r, id, ACTIVITY_PHYSICAL, "", map->physical, "Gy", "physical dose per fraction"));
  for (PetscInt m = 0; m < set->n_emitter; m++) {
    SpeciesName(set->emitter[m], name);
    PetscCall(WriteMap(file, r, id, ACTIVITY_NUCLEI, name, map->nuclei[m], "1/mm3",
                       "positron emitters that come to rest per fraction, without decay and washout"));
  }
  for (PetscInt w = 0; w < set->spec->n_windows; w++) {
    const char *window = set->spec->windows[w].name;
    PetscCall(WriteMap(file, r, id, ACTIVITY_IMAGE, window, map->image[w], "1/mm3",
                       "decays in the window as the scanner sees them, expected"));
    if (map->counts)
      PetscCall(WriteMap(file, r, id, ACTIVITY_COUNTS, window, map->counts[w], "1",
                         "coincidences counted in the voxel, drawn from Poisson's distribution"));
  }
  PetscFunctionReturn(0);
}

/* How long a fraction takes, and what the scanner is. */
static PetscErrorCode WriteSpec(SharedFile *file, const ActivitySet *set)
{
  PetscFunctionBegin;
  const ActivitySpec *spec = set->spec;
  PetscCall(SharedFileGroup(file, GROUP_ACTIVITY));
  PetscCall(SharedFileString(file, GROUP_ACTIVITY, "composition", composition_names[spec->composition]));
  PetscCall(SharedFileString(file, GROUP_ACTIVITY, "washout", washout_names[spec->washout]));
  PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, "irradiation_s", spec->irradiation.duration_s));
  PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, "spill_s", spec->irradiation.spill_s));
  PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, "pause_s", spec->irradiation.pause_s));
  PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, "scanner_fwhm_mm", spec->scanner_fwhm_mm));
  PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, ACTIVITY_EFFICIENCY, spec->efficiency));
  for (PetscInt m = 0; m < set->n_emitter; m++) {
    char name[16], attribute[32];
    SpeciesName(set->emitter[m], name);
    snprintf(attribute, sizeof attribute, "half_life_%s_s", name);
    PetscCall(SharedFileNumber(file, GROUP_ACTIVITY, attribute, set->half_life_s[m]));
  }
  for (PetscInt w = 0; w < spec->n_windows; w++) {
    const ActivityWindow *window = &spec->windows[w];
    char attribute[160];
    snprintf(attribute, sizeof attribute, "window_%s_s", window->name);
    PetscCall(SharedFileDoubles(file, GROUP_ACTIVITY, attribute, 2, (double[]){window->from_s, window->to_s}));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode WriteActivity(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  if (!r->activity || !r->activity->n) PetscFunctionReturn(0);
  PetscCall(WriteSpec(file, r->activity));
  for (PetscInt i = 0; i < r->activity->n; i++) PetscCall(WriteScenarioActivity(file, r, &r->activity->map[i]));
  PetscFunctionReturn(0);
}
