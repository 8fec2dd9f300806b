/* The beams and spots of a checked, complete tree. */
#include "settings_private.h"

PetscErrorCode SettingsReadBeams(const Node *node, Settings *out)
{
  PetscFunctionBegin;
  PetscCall(SettingPlace(node->place, &out->beams_where));
  out->beams_from_case = node->kind == NODE_SCALAR ? PETSC_TRUE : PETSC_FALSE;
  out->n_beams = node->n;
  PetscCall(PetscCalloc1(node->n, &out->beams));
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *one = node->entry[i].value, *isocentre = NodeGet(one, "isocentre_mm");
    PetscCall(SettingNumber(one, "gantry_deg", &out->beams[i].gantry_deg));
    PetscCall(SettingNumber(one, "couch_deg", &out->beams[i].couch_deg));
    out->beams[i].has_isocentre = isocentre ? PETSC_TRUE : PETSC_FALSE;
    if (isocentre) PetscCall(SettingNumbers(isocentre, 3, out->beams[i].isocentre_mm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadSpots(const Node *node, SpotSpec *out)
{
  PetscFunctionBegin;
  PetscCall(SettingNumber(node, "lateral_mm", &out->lateral_mm));
  PetscCall(SettingNumber(node, "layer_mm", &out->layer_mm));
  PetscCall(SettingNumber(node, "margin_mm", &out->margin_mm));
  PetscFunctionReturn(0);
}
