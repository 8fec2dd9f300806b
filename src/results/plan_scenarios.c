/* Reading plan.h5: doses and DVHs of single scenarios. */
#include "plan_names.h"
#include <math.h>
#include <stdio.h>

PetscBool PlanHasScenarioDose(const PlanReader *reader, const char *scenario)
{
  char path[PLAN_PATH];
  PlanNamedPath(GROUP_SCENARIO_DOSES, scenario, path);
  return H5SourceHas(&reader->source, path);
}

PetscBool PlanReadScenarioDose(const PlanReader *reader, const char *scenario, Mistakes *mistakes, Grid *grid,
                               double *step_Gy_RBE, unsigned char **value)
{
  const H5Source *source = &reader->source;
  hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  char path[PLAN_PATH];
  *value = NULL;
  PlanNamedPath(GROUP_SCENARIO_DOSES, scenario, path);
  if (!H5ReadArray(source, path, H5T_NATIVE_UCHAR, 3, dims, value, mistakes) ||
      !H5ReadAttribute(source, path, SCENARIO_DOSE_STEP, 1, step_Gy_RBE, mistakes))
    return PETSC_FALSE;
  for (int a = 0; a < 3; a++) grid->n[a] = (PetscInt)dims[2 - a];
  if (isfinite(*step_Gy_RBE) && *step_Gy_RBE >= 0) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: " SCENARIO_DOSE_STEP " is %g, expected at least 0", source->name,
                    path, *step_Gy_RBE);
  return PETSC_FALSE;
}

PetscBool PlanReadScenarioDVHs(const PlanReader *reader, const char *structure, Quantity quantity, Mistakes *mistakes,
                               PetscInt *n_scenario, PetscInt *n, float **percent)
{
  const H5Source *source = &reader->source;
  char group[PLAN_PATH], path[PLAN_PATH + 64];
  hsize_t dims[2] = {0, 0};
  *n_scenario = *n = 0;
  *percent = NULL;
  PlanNamedPath(GROUP_DVH, structure, group);
  snprintf(path, sizeof path, "%s/%s/" DVH_SCENARIOS, group, quantities[quantity].name);
  if (!H5SourceHas(source, path)) return PETSC_FALSE;
  if (!H5ReadArray(source, path, H5T_NATIVE_FLOAT, 2, dims, percent, mistakes)) return PETSC_FALSE;
  for (hsize_t i = 0; i < dims[0] * dims[1]; i++) {
    if ((*percent)[i] >= 0 && (*percent)[i] <= 100.01f) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: element %llu is %g, expected 0 to 100 %%", source->name, path,
                      (unsigned long long)i, (double)(*percent)[i]);
    return PETSC_FALSE;
  }
  *n_scenario = (PetscInt)dims[0];
  *n = (PetscInt)dims[1];
  return PETSC_TRUE;
}
