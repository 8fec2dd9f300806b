/* Doses of single scenarios, kept for pictures in a byte per voxel. */
#include "doses_private.h"
#include <math.h>

const char *const scenario_doses_names[] = {"none", "worst", "all"};
const PetscInt n_scenario_doses_names = PETSC_STATIC_ARRAY_LENGTH(scenario_doses_names);

/* In 255 steps up to the maximum; nothing where there is no dose at all. */
static void Quantise(size_t n, const float *dose, ScenarioDose *out)
{
  float most = 0;
  for (size_t v = 0; v < n; v++) most = PetscMax(most, dose[v]);
  out->step_Gy_RBE = (double)most / 255;
  for (size_t v = 0; v < n && most > 0; v++)
    out->value[v] = (unsigned char)lround(PetscMax(0, (double)dose[v]) / out->step_Gy_RBE);
}

PetscErrorCode ScenarioDosesCreate(MPI_Comm comm, const DoseSpec *spec, PetscInt n, const PetscInt *row,
                                   ScenarioDose **out)
{
  PetscFunctionBegin;
  const size_t size = GridSize(spec->grid);
  LocalDoses local;
  float *dose;
  *out = NULL;
  if (!n) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(n, out));
  PetscCall(PetscMalloc1(size, &dose));
  PetscCall(LocalDosesCreate(comm, spec, &local));
  local.most = 1;
  for (PetscInt i = 0; i < n; i++) {
    ScenarioDose *kept = &(*out)[i];
    kept->row = row[i];
    PetscCall(PetscCalloc1(size, &kept->value));
    PetscCall(LocalDosesCompute(&local, row[i]));
    PetscCall(LocalDosesGather(&local, LocalDosesOf(&local, row[i], QUANTITY_RBE_WEIGHTED), size, dose));
    Quantise(size, dose, kept);
  }
  PetscCall(LocalDosesDestroy(&local));
  PetscCall(PetscFree(dose));
  PetscFunctionReturn(0);
}

PetscErrorCode ScenarioDosesDestroy(PetscInt n, ScenarioDose **doses)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n && *doses; i++) PetscCall(PetscFree((*doses)[i].value));
  PetscCall(PetscFree(*doses));
  PetscFunctionReturn(0);
}
