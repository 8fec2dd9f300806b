/* The constraints of a checked, complete tree: objectives that are hard, behind the others. */
#include "settings_private.h"
#include <string.h>

/* The bound per fraction, and what is bounded. */
static PetscErrorCode ReadBound(const Node *node, const Settings *settings, ObjectiveSpec *out)
{
  PetscFunctionBegin;
  const PetscBool course = strcmp(NodeGet(node, "per")->text, "course") ? PETSC_FALSE : PETSC_TRUE;
  const char *key = NodeGet(node, "dose_Gy") ? "dose_Gy" : NodeGet(node, "percent") ? "percent" : "dose_Gy_RBE";
  out->quantity = strcmp(key, "dose_Gy") ? QUANTITY_RBE_WEIGHTED : QUANTITY_PHYSICAL;
  PetscCall(SettingNumber(node, key, &out->goal));
  if (!strcmp(key, "percent")) out->goal *= 0.01 * settings->prescription_Gy_RBE;
  if (course) out->goal /= (double)settings->fractions;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadConstraint(const Node *node, const Settings *settings, ObjectiveSpec *out)
{
  PetscFunctionBegin;
  static const char *const objective[] = {"mean-deviation", "mean", "underdose", "overdose", "max-dvh"};
  PetscInt type;
  PetscCall(SettingText(node, "structure", &out->structure));
  PetscCall(SettingPlace(NodeGet(node, "structure")->place, &out->where));
  PetscCall(SettingWord(node, "type", n_constraint_type_names, constraint_type_names, &type));
  PetscCall(PetscStrallocpy(objective[type], &out->type));
  PetscCall(ReadBound(node, settings, out));
  if (NodeGet(node, "volume_percent")) {
    PetscCall(SettingNumber(node, "volume_percent", &out->parameters.volume));
    out->parameters.volume *= 0.01;
  }
  out->parameters.fractions = (double)settings->fractions;
  out->mode = strcmp(NodeGet(node, "scenarios")->text, "all") ? ROBUST_NONE : ROBUST_VOXELWISE;
  out->stage = settings->course.n_stages ? COURSE_MEAN : 0;
  out->map_scale = out->weight = 1;
  out->hard = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadConstraints(const Node *list, Settings *out)
{
  PetscFunctionBegin;
  const PetscInt first = out->n_objectives;
  if (!list || !list->n) PetscFunctionReturn(0);
  out->n_objectives += list->n;
  PetscCall(PetscRealloc((size_t)out->n_objectives * sizeof *out->objectives, &out->objectives));
  PetscCall(PetscArrayzero(out->objectives + first, list->n));
  for (PetscInt i = 0; i < list->n; i++)
    PetscCall(ReadConstraint(list->entry[i].value, out, &out->objectives[first + i]));
  PetscFunctionReturn(0);
}
