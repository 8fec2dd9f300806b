/* Spot control: its rule beyond the keys' ranges, and its reading. */
#include "settings_private.h"

PetscErrorCode RuleSpotControl(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const sparing[] = {"oar_range", "oar_setup"};
  (void)key;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(sparing); i++) {
    const Node *weight = NodeGet(node, sparing[i]);
    double value;
    if (!weight || !NodeNumber(weight, &value) || value <= 0 || NodeGet(node, "structures")) continue;
    PetscCall(CheckAdd(check, weight->place, PathJoin(path, sparing[i]).text,
                       "found %s without structures, expected spot_control.structures to spare",
                       NodeShown(weight).text));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadSpotControl(const Node *node, SpotControlSpec *out)
{
  PetscFunctionBegin;
  const Node *structures = NodeGet(node, "structures");
  PetscCall(SettingNumber(node, "heterogeneity", &out->heterogeneity));
  PetscCall(SettingNumber(node, "oar_range", &out->oar_range));
  PetscCall(SettingNumber(node, "oar_setup", &out->oar_setup));
  PetscCall(SettingNumber(node, "range_percent", &out->range_percent));
  PetscCall(SettingNumber(node, "setup_mm", &out->setup_mm));
  PetscCall(SettingNumber(node, "sigma_mm", &out->sigma_mm));
  PetscCall(SettingNumber(node, "gradient", &out->gradient));
  PetscCall(SettingNumber(node, "gradient_distance_mm", &out->gradient_distance_mm));
  out->n_structures = structures ? structures->n : 0;
  if (!structures) PetscFunctionReturn(0);
  PetscCall(SettingPlace(structures->place, &out->where));
  PetscCall(PetscCalloc1(structures->n, &out->structures));
  for (PetscInt i = 0; i < structures->n; i++)
    PetscCall(PetscStrallocpy(structures->entry[i].value->text, &out->structures[i]));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroySpotControl(SpotControlSpec *spec)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < spec->n_structures; i++) PetscCall(PetscFree(spec->structures[i]));
  PetscCall(PetscFree(spec->structures));
  PetscCall(PetscFree(spec->where));
  PetscFunctionReturn(0);
}
