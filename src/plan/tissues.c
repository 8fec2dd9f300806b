/* The tissues of one patient: the study's biology, and that of structures which respond in their own way. */
#include "plan_private.h"

/* Voxels that lie at least half in a tissue's structures, and that no earlier tissue has claimed. */
static PetscErrorCode Claim(const TissueSpec *spec, PetscInt index, const PlanInputs *in, unsigned char *of_voxel)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < spec->n_structures; s++) {
    Region region;
    PetscCall(StructureToGrid(in->patient, CaseFindStructure(in->patient, spec->structures[s]), &in->grid, &region));
    (void)RegionMark(&region, (unsigned char)index, of_voxel);
    PetscCall(RegionDestroy(&region));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode TissuesCreate(MPI_Comm team, Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  Tissues *tissues = &in->tissues;
  PetscCheck(settings->n_tissues < TISSUES_MOST, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%d tissues passed the schema", (int)settings->n_tissues);
  PetscCall(PetscCalloc1(1 + settings->n_tissues, &tissues->biology));
  if (settings->n_tissues) PetscCall(PetscCalloc1(GridSize(&in->grid), &tissues->of_voxel));
  tissues->n = 1 + settings->n_tissues;
  PetscCall(BiologyCreateTogether(team, &settings->biology, in->machine, mistakes, &tissues->biology[0]));
  for (PetscInt t = 0; t < settings->n_tissues && !MistakesAny(mistakes); t++) {
    PetscCall(
        BiologyCreateTogether(team, &settings->tissues[t].biology, in->machine, mistakes, &tissues->biology[1 + t]));
    PetscCall(Claim(&settings->tissues[t], 1 + t, in, tissues->of_voxel));
  }
  PetscFunctionReturn(0);
}

const BiologySpec *TissueOfStructure(const Settings *settings, const char *structure)
{
  for (PetscInt t = 0; t < settings->n_tissues; t++)
    for (PetscInt s = 0; s < settings->tissues[t].n_structures; s++)
      if (!strcmp(settings->tissues[t].structures[s], structure)) return &settings->tissues[t].biology;
  return &settings->biology;
}

PetscErrorCode TissuesDestroy(Tissues *tissues)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < tissues->n; t++) PetscCall(BiologyDestroy(&tissues->biology[t]));
  PetscCall(PetscFree(tissues->biology));
  PetscCall(PetscFree(tissues->of_voxel));
  PetscFunctionReturn(0);
}
