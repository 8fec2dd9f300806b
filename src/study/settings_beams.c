/* Patient position, beams and spots of a checked, complete tree. */
#include "settings_private.h"
#include <string.h>

PetscErrorCode SettingsReadPosition(const Node *root, Settings *out)
{
  PetscFunctionBegin;
  PetscInt position;
  out->beams.position_from_case =
      strcmp(NodeGet(root, "patient_position")->text, "from-case") ? PETSC_FALSE : PETSC_TRUE;
  if (out->beams.position_from_case) PetscFunctionReturn(0);
  PetscCall(SettingWord(root, "patient_position", N_PATIENT_POSITIONS, patient_position_names, &position));
  out->beams.position = (PatientPosition)position;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadBeam(const Node *node, BeamSpec *out)
{
  PetscFunctionBegin;
  const Node *isocentre = NodeGet(node, "isocentre_mm"), *shifter = NodeGet(node, "range_shifter");
  PetscCall(SettingNumber(node, "gantry_deg", &out->gantry_deg));
  PetscCall(SettingNumber(node, "couch_deg", &out->couch_deg));
  PetscCall(SettingNumber(shifter, "thickness_mm", &out->range_shifter.thickness_mm));
  PetscCall(SettingNumber(shifter, "to_isocentre_mm", &out->range_shifter.to_isocentre_mm));
  out->has_isocentre = isocentre ? PETSC_TRUE : PETSC_FALSE;
  if (isocentre) PetscCall(SettingNumbers(isocentre, 3, out->isocentre_mm));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadBeamList(const Node *node, PetscInt *n, BeamSpec **out)
{
  PetscFunctionBegin;
  *n = node->n;
  PetscCall(PetscCalloc1(node->n, out));
  for (PetscInt i = 0; i < node->n; i++) PetscCall(ReadBeam(node->entry[i].value, &(*out)[i]));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadBeams(const Node *node, Settings *out)
{
  PetscFunctionBegin;
  PetscCall(SettingPlace(node->place, &out->beams.where));
  out->beams.from_case = node->kind == NODE_SCALAR ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(SettingsReadBeamList(node, &out->beams.n, &out->beams.beam));
  PetscFunctionReturn(0);
}

/* A margin of its own, or the one for all sides. */
static PetscErrorCode ReadMargin(const Node *node, const char *key, double *out)
{
  PetscFunctionBegin;
  PetscCall(SettingNumber(node, NodeGet(node, key) ? key : "margin_mm", out));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadSpots(const Node *node, SpotSpec *out)
{
  PetscFunctionBegin;
  PetscInt grid, cover, splitting;
  PetscCall(SettingWord(node, "grid", 2, spot_grid_names, &grid));
  PetscCall(SettingWord(node, "cover", 3, spot_cover_names, &cover));
  out->grid = (SpotGrid)grid;
  PetscCall(SettingWord(node, "splitting", 3, spot_splitting_names, &splitting));
  out->cover = (SpotCover)cover;
  out->splitting = (SpotSplitting)splitting;
  PetscCall(SettingNumber(node, "lateral_mm", &out->lateral_mm));
  PetscCall(SettingNumber(node, "layer_mm", &out->layer_mm));
  if (NodeGet(node, "layer_MeV_u")) PetscCall(SettingNumber(node, "layer_MeV_u", &out->layer_MeV_u));
  PetscCall(ReadMargin(node, "lateral_margin_mm", &out->lateral_margin_mm));
  PetscCall(ReadMargin(node, "proximal_margin_mm", &out->proximal_margin_mm));
  PetscCall(ReadMargin(node, "distal_margin_mm", &out->distal_margin_mm));
  PetscFunctionReturn(0);
}
