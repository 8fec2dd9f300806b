/* Reading plan.h5: how a plan was found, and on what patient. */
#include "plan_names.h"
#include <stdio.h>

PetscBool PlanReadCT(const PlanReader *reader, Mistakes *mistakes, Grid *grid, short **hu)
{
  hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  *hu = NULL;
  if (!H5SourceHas(&reader->source, DATASET_CT)) return PETSC_FALSE;
  if (!H5ReadArray(&reader->source, DATASET_CT, H5T_NATIVE_SHORT, 3, dims, hu, mistakes)) return PETSC_FALSE;
  for (int a = 0; a < 3; a++) grid->n[a] = (PetscInt)dims[2 - a];
  return PETSC_TRUE;
}

PetscBool PlanReadHistory(const PlanReader *reader, Mistakes *mistakes, PlanHistory *history)
{
  const H5Source *source = &reader->source;
  hsize_t n = 0;
  H5Shape shape;
  *history = (PlanHistory){0};
  if (!H5SourceHas(source, GROUP_HISTORY) || !H5SourceShape(source, GROUP_HISTORY "/iteration", NULL, &shape) ||
      !shape.count)
    return PETSC_TRUE;
  if (!H5ReadArray(source, GROUP_HISTORY "/iteration", H5T_NATIVE_DOUBLE, 1, &n, &history->iteration, mistakes) ||
      !H5ReadArray(source, GROUP_HISTORY "/objective", H5T_NATIVE_DOUBLE, 1, &n, &history->objective, mistakes) ||
      !H5ReadArray(source, GROUP_HISTORY "/gradient_norm", H5T_NATIVE_DOUBLE, 1, &n, &history->gradient_norm, mistakes))
    return PETSC_FALSE;
  history->n = (PetscInt)n;
  return PETSC_TRUE;
}

PetscErrorCode PlanHistoryDestroy(PlanHistory *history)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(history->iteration));
  PetscCall(PetscFree(history->objective));
  PetscCall(PetscFree(history->gradient_norm));
  history->n = 0;
  PetscFunctionReturn(0);
}

PetscBool PlanReadCertificate(const PlanReader *reader, Mistakes *mistakes, PlanCertificate *c)
{
  const H5Source *source = &reader->source;
  char *kind = NULL;
  *c = (PlanCertificate){.kind = ""};
  if (!H5SourceHas(source, GROUP_CERTIFICATE)) return PETSC_TRUE;
  if (!H5ReadString(source, GROUP_CERTIFICATE, "kind", PETSC_FALSE, &kind, mistakes)) return PETSC_FALSE;
  snprintf(c->kind, sizeof c->kind, "%s", kind);
  (void)PetscFree(kind);
  H5Shape shape;
  const PetscBool bounded = H5SourceShape(source, GROUP_CERTIFICATE, "gap", &shape);
  return H5ReadAttribute(source, GROUP_CERTIFICATE, "stationarity", 1, &c->stationarity, mistakes) &&
                 H5ReadAttribute(source, GROUP_CERTIFICATE, "stationarity_at_start", 1, &c->stationarity_at_start,
                                 mistakes) &&
                 (!bounded || (H5ReadAttribute(source, GROUP_CERTIFICATE, "gap", 1, &c->gap, mistakes) &&
                               H5ReadAttribute(source, GROUP_CERTIFICATE, "lower_bound", 1, &c->lower_bound, mistakes)))
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscBool PlanReadStructure(const PlanReader *reader, const char *volume, Mistakes *mistakes, PlanStructure *structure)
{
  char path[600];
  *structure = (PlanStructure){0};
  snprintf(path, sizeof path, "/%s", volume);
  return H5ReadString(&reader->source, path, "name", PETSC_FALSE, &structure->name, mistakes) &&
                 H5ReadString(&reader->source, path, "role", PETSC_FALSE, &structure->role, mistakes) &&
                 H5ReadAttribute(&reader->source, path, "volume_cm3", 1, &structure->volume_cm3, mistakes)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscErrorCode PlanStructureDestroy(PlanStructure *structure)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(structure->name));
  PetscCall(PetscFree(structure->role));
  PetscFunctionReturn(0);
}
