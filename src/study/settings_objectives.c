/* The objectives of a checked, complete tree. */
#include "settings_private.h"
#include <string.h>

/* true: as the study; false: the nominal scenario alone; else a mode by name. */
static PetscErrorCode ReadMode(const Node *node, RobustMode of_study, RobustMode *out)
{
  PetscFunctionBegin;
  PetscBool robust;
  PetscInt mode;
  if (NodeFlag(NodeGet(node, "robust"), &robust)) {
    *out = robust ? of_study : ROBUST_NONE;
    PetscFunctionReturn(0);
  }
  PetscCall(SettingWord(node, "robust", n_robust_mode_names, robust_mode_names, &mode));
  *out = (RobustMode)mode;
  PetscFunctionReturn(0);
}

/* What is looked at and what is wanted of it, per fraction. */
static PetscErrorCode ReadGoal(const Node *node, PetscInt fractions, ObjectiveSpec *out)
{
  PetscFunctionBegin;
  static const char *const key[] = {[QUANTITY_RBE_WEIGHTED] = "dose_Gy_RBE",
                                    [QUANTITY_PHYSICAL] = "dose_Gy",
                                    [QUANTITY_EFFECT] = "effect",
                                    [QUANTITY_LETD] = "let_keV_um"};
  const PetscBool course = strcmp(NodeGet(node, "per")->text, "course") ? PETSC_FALSE : PETSC_TRUE;
  PetscInt quantity = QUANTITY_RBE_WEIGHTED;
  for (PetscInt q = 0; q < (PetscInt)PETSC_STATIC_ARRAY_LENGTH(key); q++) {
    if (!NodeGet(node, key[q])) continue;
    quantity = q;
    PetscCall(SettingNumber(node, key[q], &out->goal));
  }
  if (NodeGet(node, "quantity")) PetscCall(SettingWord(node, "quantity", n_quantity_names, quantity_names, &quantity));
  out->quantity = (Quantity)quantity;
  out->map_scale = course && quantity != QUANTITY_LETD ? 1.0 / (double)fractions : 1;
  out->goal *= out->map_scale;
  PetscFunctionReturn(0);
}

/* Numbers that only some types have. */
static PetscErrorCode ReadParameters(const Node *node, ObjectiveParameters *out)
{
  PetscFunctionBegin;
  const struct {
    const char *key;
    double *value, scale;
  } number[] = {{"volume_percent", &out->volume, 0.01},
                {"a", &out->a, 1},
                {"smoothing_percent", &out->smoothing, 0.01},
                {"distance_mm", &out->distance_mm, 1},
                {"low_percent", &out->low, 0.01},
                {"td50_Gy", &out->td50_Gy, 1},
                {"m", &out->m, 1},
                {"alpha_beta_Gy", &out->alpha_beta_Gy, 1}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++) {
    if (!NodeGet(node, number[i].key)) continue;
    PetscCall(SettingNumber(node, number[i].key, number[i].value));
    *number[i].value *= number[i].scale;
  }
  PetscFunctionReturn(0);
}

/* What a mapping says of the model; the rest stays. */
static PetscErrorCode ReadTCP(const Node *node, TumourSpec *out)
{
  PetscFunctionBegin;
  PetscInt link;
  const struct {
    const char *key;
    double *value;
  } number[] = {{"ln_a", &out->tcp.ln_a},
                {"kappa", &out->tcp.kappa},
                {"n0_clonogens", &out->tcp.n0_clonogens},
                {"alpha_per_Gy", &out->tcp.alpha_per_Gy},
                {"alpha_beta_Gy", &out->tcp.alpha_beta_Gy}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++)
    if (NodeGet(node, number[i].key)) PetscCall(SettingNumber(node, number[i].key, number[i].value));
  if (NodeGet(node, "link")) {
    PetscCall(SettingWord(node, "link", n_tcp_link_names, tcp_link_names, &link));
    out->tcp.link = (TCPLink)link;
  }
  if (NodeGet(node, "clonogens_percent")) {
    PetscCall(SettingNumber(node, "clonogens_percent", &out->share));
    out->share *= 0.01;
  }
  PetscFunctionReturn(0);
}

/* By what finished plans are judged: as they were made unless `judging` says otherwise. */
static PetscErrorCode ReadTumour(const Node *root, const TumourSpec *made, Settings *out)
{
  PetscFunctionBegin;
  const Node *structure = NodeGet(NodeGet(root, "tcp"), "structure");
  if (!structure) structure = NodeGet(NodeGet(root, "prescription"), "target");
  out->tumour = *made;
  PetscCall(PetscStrallocpy(structure->text, &out->tumour.structure));
  PetscCall(SettingPlace(structure->place, &out->tumour.where));
  PetscCall(ReadTCP(NodeGet(NodeGet(root, "judging"), "tcp"), &out->tumour));
  PetscFunctionReturn(0);
}

/* Which clonogens a tcp objective counts. */
static PetscErrorCode ReadCells(const Node *node, double share, ObjectiveSpec *out)
{
  PetscFunctionBegin;
  PetscInt cells;
  PetscCall(SettingWord(node, "cells", N_CELL_CASES, cell_case_names, &cells));
  out->cells = (CellCase)cells;
  out->map_scale = share;
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadObjectives(const Node *root, Settings *out)
{
  PetscFunctionBegin;
  const Node *node = NodeGet(root, "objectives");
  TumourSpec made = {.tcp.fractions = (double)out->fractions};
  PetscCall(ReadTCP(NodeGet(root, "tcp"), &made));
  PetscCall(ReadTumour(root, &made, out));
  out->n_objectives = node->n;
  PetscCall(PetscCalloc1(node->n, &out->objectives));
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *one = node->entry[i].value;
    ObjectiveSpec *objective = &out->objectives[i];
    PetscCall(SettingText(one, "structure", &objective->structure));
    PetscCall(SettingText(one, "type", &objective->type));
    PetscCall(SettingPlace(NodeGet(one, "structure")->place, &objective->where));
    if (NodeGet(one, "map")) PetscCall(SettingText(one, "map", &objective->map));
    if (NodeGet(one, "clonogens")) PetscCall(SettingText(one, "clonogens", &objective->map));
    if (NodeGet(one, "from")) PetscCall(SettingText(one, "from", &objective->from));
    PetscCall(ReadGoal(one, out->fractions, objective));
    PetscCall(ReadParameters(one, &objective->parameters));
    objective->parameters.fractions = (double)out->fractions;
    objective->parameters.tcp = made.tcp;
    if (NodeGet(one, "clonogens")) PetscCall(ReadCells(one, made.share, objective));
    PetscCall(SettingNumber(one, "weight", &objective->weight));
    PetscCall(ReadMode(one, out->robust.mode, &objective->mode));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroyObjectives(Settings *settings)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < settings->n_objectives; i++) {
    ObjectiveSpec *objective = &settings->objectives[i];
    PetscCall(PetscFree(objective->structure));
    PetscCall(PetscFree(objective->type));
    PetscCall(PetscFree(objective->where));
    PetscCall(PetscFree(objective->map));
    PetscCall(PetscFree(objective->from));
  }
  PetscCall(PetscFree(settings->objectives));
  PetscCall(PetscFree(settings->tumour.structure));
  PetscCall(PetscFree(settings->tumour.where));
  PetscFunctionReturn(0);
}
