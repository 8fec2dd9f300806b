/* The goals of a checked, complete tree. */
#include "settings_private.h"
#include <string.h>

static PetscErrorCode ReadGoal(const Node *node, GoalSpec *out)
{
  PetscFunctionBegin;
  PetscCall(SettingText(node, "structure", &out->structure));
  PetscCall(SettingPlace(NodeGet(node, "structure")->place, &out->where));
  PetscCall(SettingText(node, "metric", &out->metric));
  out->at_least = NodeGet(node, "at_least") ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(SettingNumber(node, out->at_least ? "at_least" : "at_most", &out->limit));
  out->of_prescription = strcmp(NodeGet(node, "of")->text, "prescription") ? PETSC_FALSE : PETSC_TRUE;
  out->course = strcmp(NodeGet(node, "per")->text, "course") ? PETSC_FALSE : PETSC_TRUE;
  out->worst = strcmp(NodeGet(node, "scenario")->text, "worst") ? PETSC_FALSE : PETSC_TRUE;
  out->quantity = strcmp(NodeGet(node, "quantity")->text, "physical") ? QUANTITY_RBE_WEIGHTED : QUANTITY_PHYSICAL;
  if (out->metric[0] == 'L') out->quantity = QUANTITY_LETD;
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadGoals(const Node *list, Settings *out)
{
  PetscFunctionBegin;
  if (!list) PetscFunctionReturn(0);
  out->n_goals = list->n;
  PetscCall(PetscCalloc1(list->n, &out->goals));
  for (PetscInt i = 0; i < list->n; i++) PetscCall(ReadGoal(list->entry[i].value, &out->goals[i]));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroyGoals(Settings *settings)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < settings->n_goals; i++) {
    PetscCall(PetscFree(settings->goals[i].structure));
    PetscCall(PetscFree(settings->goals[i].where));
    PetscCall(PetscFree(settings->goals[i].metric));
  }
  PetscCall(PetscFree(settings->goals));
  PetscFunctionReturn(0);
}
