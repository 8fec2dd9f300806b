/* What several plans are compared on: their targets. */
#include "robion/study.h"
#include <string.h>

static PetscBool IsDerived(const Settings *settings, const char *name)
{
  for (PetscInt i = 0; i < settings->n_derived; i++)
    if (!strcmp(settings->derived[i].name, name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode PlansTargets(PetscInt n, const PlanSpec *plans, PetscInt *n_target, const char ***target)
{
  PetscFunctionBegin;
  *n_target = 0;
  PetscCall(PetscMalloc1(n, target));
  for (int derived = 0; derived < 2; derived++)
    for (PetscInt p = 0; p < n; p++) {
      const char *name = plans[p].settings.target;
      PetscInt seen = 0;
      if ((IsDerived(&plans[p].settings, name) ? 1 : 0) != derived) continue;
      while (seen < *n_target && strcmp((*target)[seen], name)) seen++;
      if (seen == *n_target) (*target)[(*n_target)++] = name;
    }
  PetscFunctionReturn(0);
}
