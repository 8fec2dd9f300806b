#include "robion/objective.h"
#include <string.h>

static const ObjectiveType *const registered[] = {&objective_uniform, &objective_overdose, &objective_underdose,
                                                  &objective_mean};
const char *const objective_type_names[] = {"uniform", "overdose", "underdose", "mean"};
const PetscInt n_objective_type_names = PETSC_STATIC_ARRAY_LENGTH(objective_type_names);

const ObjectiveType *ObjectiveTypeFind(const char *name)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(registered); i++)
    if (!strcmp(name, registered[i]->name)) return registered[i];
  return NULL;
}

double ObjectiveOuter(const ObjectiveType *type, const KernelPoint *at, double mean, double *slope)
{
  *slope = 1;
  return type->outer ? (*type->outer)(at, mean, slope) : mean;
}

PetscErrorCode TermDestroy(Term *term)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(term->voxel));
  PetscCall(PetscFree(term->share));
  PetscCall(PetscFree(term->goal_of_voxel));
  PetscFunctionReturn(0);
}
