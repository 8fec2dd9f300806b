/* The table of objective types. */
#include "robion/objective.h"
#include <string.h>

const char *const robust_mode_names[] = {"none",          "expected", "composite",     "voxelwise",
                                         "objectivewise", "cvar",     "probabilistic", "percentile"};
const PetscInt n_robust_mode_names = PETSC_STATIC_ARRAY_LENGTH(robust_mode_names);

const char *const constraint_type_names[] = {"mean-equal", "mean-at-most", "voxel-at-least", "voxel-at-most",
                                             "max-dvh"};
const PetscInt n_constraint_type_names = PETSC_STATIC_ARRAY_LENGTH(constraint_type_names);
const char *const constraint_objectives[] = {"mean-deviation", "mean", "underdose", "overdose", "max-dvh"};
_Static_assert(PETSC_STATIC_ARRAY_LENGTH(constraint_objectives) == PETSC_STATIC_ARRAY_LENGTH(constraint_type_names),
               "every constraint is a term");

static const ObjectiveType *const registered[] = {
    &objective_uniform,     &objective_overdose, &objective_underdose, &objective_mean,    &objective_mean_deviation,
    &objective_mean_linear, &objective_max_dvh,  &objective_min_dvh,   &objective_maximum, &objective_minimum,
    &objective_max_geud,    &objective_min_geud, &objective_max_let,   &objective_min_let, &objective_falloff,
    &objective_ntcp,        &objective_tcp};
const char *const objective_type_names[] = {
    "uniform", "overdose", "underdose", "mean",    "mean-deviation", "mean-linear", "max-dvh", "min-dvh", "maximum",
    "minimum", "max-geud", "min-geud",  "max-let", "min-let",        "falloff",     "ntcp",    "tcp"};
const PetscInt n_objective_type_names = PETSC_STATIC_ARRAY_LENGTH(objective_type_names);

_Static_assert(PETSC_STATIC_ARRAY_LENGTH(registered) == PETSC_STATIC_ARRAY_LENGTH(objective_type_names),
               "every registered type has a name that a study may use");

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
