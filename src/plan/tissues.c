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

/* Responses of a model of scenarios: where it is not of a tissue, that has the plan's own. */
static PetscErrorCode AddModel(MPI_Comm team, const BiologyAlternative *alternative, const ScenarioBiology *axis,
                               Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  Tissues *tissues = &in->tissues;
  BiologySpec other = alternative->biology;
  /* Its own dose counts relative to the prescription as it states that. */
  if (alternative->dose_Gy_RBE > 0) other.clinical_factor *= settings->prescription_Gy_RBE / alternative->dose_Gy_RBE;
  for (PetscInt t = 0; t < tissues->n && !MistakesAny(mistakes); t++) {
    const BiologySpec *usual = t ? &settings->tissues[t - 1].biology : &settings->biology;
    PetscCall(BiologyCreateTogether(team, axis->tissue < 0 || axis->tissue == t ? &other : usual, in->machine, mistakes,
                                    &tissues->biology[axis->model * tissues->n + t]));
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
  const ScenarioAxes *axes = &settings->evaluate.axes;
  for (PetscInt i = 0; i < axes->n_biology; i++) tissues->n_model = PetscMax(tissues->n_model, axes->biology[i].model);
  if (settings->results.high_let_keV_um > 0) tissues->high_let = ++tissues->n_model;
  PetscCall(PetscCalloc1((1 + tissues->n_model) * (1 + settings->n_tissues), &tissues->biology));
  if (settings->n_tissues) PetscCall(PetscCalloc1(GridSize(&in->grid), &tissues->of_voxel));
  tissues->n = 1 + settings->n_tissues;
  PetscCall(BiologyCreateTogether(team, &settings->biology, in->machine, mistakes, &tissues->biology[0]));
  for (PetscInt t = 0; t < settings->n_tissues && !MistakesAny(mistakes); t++) {
    PetscCall(
        BiologyCreateTogether(team, &settings->tissues[t].biology, in->machine, mistakes, &tissues->biology[1 + t]));
    PetscCall(Claim(&settings->tissues[t], 1 + t, in, tissues->of_voxel));
  }
  for (PetscInt i = 0; i < axes->n_biology && !MistakesAny(mistakes); i++)
    if (axes->biology[i].model) PetscCall(AddModel(team, &settings->alternatives[i], &axes->biology[i], mistakes, in));
  for (PetscInt t = 0; t < tissues->n && tissues->high_let && !MistakesAny(mistakes); t++)
    PetscCall(BiologyAboveLET(team, &settings->biology, in->machine, settings->results.high_let_keV_um,
                              settings->results.high_let_where, mistakes,
                              &tissues->biology[tissues->high_let * tissues->n + t]));
  PetscFunctionReturn(0);
}

const BiologySpec *TissueOfStructure(const Settings *settings, const char *structure)
{
  const PetscInt tissue = PlanTissueOf(settings, structure);
  return tissue ? &settings->tissues[tissue - 1].biology : &settings->biology;
}

PetscErrorCode TissuesDestroy(Tissues *tissues)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < (1 + tissues->n_model) * tissues->n; t++) PetscCall(BiologyDestroy(&tissues->biology[t]));
  PetscCall(PetscFree(tissues->biology));
  PetscCall(PetscFree(tissues->of_voxel));
  PetscFunctionReturn(0);
}
