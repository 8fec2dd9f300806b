/* What of a plan is a volume on its grid: doses, and structures made whole again from their lists of voxels. */
#include "plan_names.h"
#include "robion/text.h"
#include <stdio.h>
#include <string.h>

/* The dose that is listed i-th; false behind the last. Over the scenarios there is RBE-weighted dose alone. */
static PetscBool DoseAt(PetscInt i, PlanDoses *doses, Quantity *quantity)
{
  const PetscInt of_set = i - n_quantities;
  *doses = of_set < 0 ? PLAN_NOMINAL : (PlanDoses)PetscMin(PLAN_LOWEST + of_set, PLAN_SD);
  *quantity = of_set < 0 ? i : QUANTITY_RBE_WEIGHTED;
  return of_set < PLAN_SD ? PETSC_TRUE : PETSC_FALSE;
}

/* Their name is their path without "/dose/". */
static const char *NameOf(const char *path)
{
  return path + strlen("/dose/");
}

static PetscErrorCode AddName(const char *name, PlanVolumes *names)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc(sizeof *names->name * (size_t)(names->n + 1), &names->name));
  PetscCall(PetscStrallocpy(name, &names->name[names->n]));
  names->n++;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanVolumesDestroy(PlanVolumes *names)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < names->n; i++) PetscCall(PetscFree(names->name[i]));
  PetscCall(PetscFree(names->name));
  names->n = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanVolumeNames(const PlanReader *reader, Mistakes *mistakes, PlanVolumes *names)
{
  PetscFunctionBegin;
  char path[64], name[512];
  PlanDoses doses;
  Quantity quantity;
  H5Names structures = {0};
  *names = (PlanVolumes){0};
  for (PetscInt i = 0; DoseAt(i, &doses, &quantity); i++) {
    PlanDosePath(doses, quantity, path);
    if (PlanHasDose(reader, doses, quantity)) PetscCall(AddName(NameOf(path), names));
  }
  for (PetscInt b = 0; PlanHasBeamDose(reader, b); b++) {
    PlanBeamDosePath(b, path);
    PetscCall(AddName(NameOf(path), names));
  }
  if (H5ReadNames(&reader->source, GROUP_STRUCTURES, &structures, mistakes))
    for (PetscInt i = 0; i < structures.n; i++) {
      snprintf(name, sizeof name, PLAN_STRUCTURES "%s", structures.name[i]);
      PetscCall(AddName(name, names));
    }
  PetscCall(H5NamesDestroy(&structures));
  PetscFunctionReturn(0);
}

void PlanVolumePath(const char *name, char path[64])
{
  if (!strncmp(name, PLAN_STRUCTURES, strlen(PLAN_STRUCTURES)))
    path[0] = 0;
  else
    snprintf(path, 64, "/dose/%s", name);
}

/* Any dose gives the grid its size. */
static PetscBool ReadSize(const PlanReader *reader, Mistakes *mistakes, Grid *grid)
{
  float *dose = NULL;
  const PetscBool good = PlanReadDose(reader, PLAN_NOMINAL, QUANTITY_RBE_WEIGHTED, mistakes, grid, &dose);
  (void)PetscFree(dose);
  return good;
}

PetscBool PlanReadShares(const PlanReader *reader, const char *name, const Grid *grid, Mistakes *mistakes,
                         float **share)
{
  const H5Source *source = &reader->source;
  char path[300];
  int *voxel = NULL;
  float *fraction = NULL;
  hsize_t n = 0;
  const size_t size = GridSize(grid);
  *share = NULL;
  snprintf(path, sizeof path, "/%s/voxel", name);
  PetscBool good = H5ReadArray(source, path, H5T_NATIVE_INT, 1, &n, &voxel, mistakes);
  snprintf(path, sizeof path, "/%s/fraction", name);
  if (good) good = H5ReadArray(source, path, H5T_NATIVE_FLOAT, 1, &n, &fraction, mistakes);
  if (good && PetscCalloc1(size, share)) good = PETSC_FALSE;
  for (hsize_t i = 0; good && i < n; i++) {
    good = voxel[i] >= 0 && (size_t)voxel[i] < size && fraction[i] >= 0 && fraction[i] <= 1 ? PETSC_TRUE : PETSC_FALSE;
    if (good)
      (*share)[voxel[i]] = fraction[i];
    else
      (void)MistakesAdd(mistakes, ROBION_INPUT,
                        "%s: %s: element %llu: share %g of voxel %d, expected 0 to 1 of one of %zu", source->name, path,
                        (unsigned long long)i, (double)fraction[i], voxel[i], size);
  }
  (void)PetscFree(voxel);
  (void)PetscFree(fraction);
  return good;
}

static PetscBool ReadStructure(const PlanReader *reader, const char *name, Mistakes *mistakes, Volume *volume)
{
  snprintf(volume->unit, sizeof volume->unit, "1");
  snprintf(volume->meaning, sizeof volume->meaning, "part of the voxel's volume inside %.80s",
           name + strlen(PLAN_STRUCTURES));
  return ReadSize(reader, mistakes, &volume->grid) &&
                 PlanReadShares(reader, name, &volume->grid, mistakes, &volume->value)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* One mistake: there is no such volume, and which there are. */
static PetscBool Complain(const PlanReader *reader, const char *name, Mistakes *mistakes)
{
  PlanVolumes names;
  Text list = {0};
  if (PlanVolumeNames(reader, mistakes, &names)) return PETSC_FALSE;
  for (PetscInt i = 0; i < names.n; i++) (void)TextAdd(&list, "%s%s", i ? ", " : "", names.name[i]);
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s has no volume %s%s, expected one of %s", reader->source.name,
                    name, SuggestName(" (", name, names.n, (const char *const *)names.name).text,
                    list.data ? list.data : "none");
  (void)TextDestroy(&list);
  (void)PlanVolumesDestroy(&names);
  return PETSC_FALSE;
}

PetscBool PlanReadVolume(const PlanReader *reader, const char *name, Mistakes *mistakes, Volume *volume)
{
  char path[300];
  PlanDoses doses;
  Quantity quantity;
  *volume = (Volume){.value = NULL};
  if (!PlanReadGrid(reader, mistakes, &volume->grid)) return PETSC_FALSE;
  snprintf(volume->name, sizeof volume->name, "%s", name);
  for (PetscInt i = 0; DoseAt(i, &doses, &quantity); i++) {
    PlanDosePath(doses, quantity, path);
    if (strcmp(NameOf(path), name) || !PlanHasDose(reader, doses, quantity)) continue;
    snprintf(volume->unit, sizeof volume->unit, "%s", quantities[quantity].unit);
    snprintf(volume->meaning, sizeof volume->meaning, "%s", quantities[quantity].meaning);
    return PlanReadDose(reader, doses, quantity, mistakes, &volume->grid, &volume->value);
  }
  for (PetscInt b = 0; PlanHasBeamDose(reader, b); b++) {
    PlanBeamDosePath(b, path);
    if (strcmp(NameOf(path), name)) continue;
    snprintf(volume->unit, sizeof volume->unit, "%s", quantities[QUANTITY_PHYSICAL].unit);
    snprintf(volume->meaning, sizeof volume->meaning, "%s of a beam", quantities[QUANTITY_PHYSICAL].meaning);
    return PlanReadBeamDose(reader, b, mistakes, &volume->grid, &volume->value);
  }
  snprintf(path, sizeof path, "/%s", name);
  if (!strncmp(name, PLAN_STRUCTURES, strlen(PLAN_STRUCTURES)) && H5SourceHas(&reader->source, path))
    return ReadStructure(reader, name, mistakes, volume);
  return Complain(reader, name, mistakes);
}
