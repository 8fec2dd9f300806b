/* The stages of the course of a checked, complete tree. */
#include "settings_private.h"
#include <string.h>

static PetscErrorCode ReadStage(const Node *node, const Settings *settings, StageSpec *out)
{
  PetscFunctionBegin;
  const Node *beams = NodeGet(node, "beams");
  PetscCall(SettingText(node, "name", &out->name));
  PetscCall(SettingText(node, "target", &out->target));
  PetscCall(SettingPlace(NodeGet(node, "target")->place, &out->where));
  PetscCall(SettingInteger(node, "fractions", &out->fractions));
  out->dose_Gy_RBE = settings->prescription_Gy_RBE;
  if (NodeGet(node, "dose_Gy_RBE")) PetscCall(SettingNumber(node, "dose_Gy_RBE", &out->dose_Gy_RBE));
  if (beams) PetscCall(SettingsReadBeamList(beams, &out->n_beams, &out->beams));
  PetscFunctionReturn(0);
}

/* An objective that names a stage looks at its fractions, one that does not at the mean fraction of the course. */
static PetscErrorCode ReadStagesOfObjectives(const Node *objectives, Settings *out)
{
  PetscFunctionBegin;
  for (PetscInt o = 0; o < out->n_objectives; o++) {
    const Node *name = NodeGet(objectives->entry[o].value, "stage");
    ObjectiveSpec *objective = &out->objectives[o];
    objective->stage = COURSE_MEAN;
    for (PetscInt k = 0; name && k < out->course.n_stages; k++)
      if (!strcmp(name->text, out->course.stages[k].name)) objective->stage = k;
    PetscCheck(!name || objective->stage >= 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked study without the stage %s",
               name->text);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsReadCourse(const Node *root, Settings *out)
{
  PetscFunctionBegin;
  const Node *stages = NodeGet(root, "stages"), *course = NodeGet(root, "course");
  CourseSpec *spec = &out->course;
  spec->together = strcmp(NodeGet(course, "planning")->text, "together") ? PETSC_FALSE : PETSC_TRUE;
  spec->accumulation = strcmp(NodeGet(course, "accumulate")->text, accumulation_names[ACCUMULATE_EQD2])
                           ? ACCUMULATE_GY_RBE
                           : ACCUMULATE_EQD2;
  PetscCall(SettingNumber(course, "alpha_beta_Gy", &spec->alpha_beta_Gy));
  if (!stages) PetscFunctionReturn(0);
  spec->n_stages = stages->n;
  PetscCall(PetscCalloc1(stages->n, &spec->stages));
  for (PetscInt i = 0; i < stages->n; i++) PetscCall(ReadStage(stages->entry[i].value, out, &spec->stages[i]));
  PetscCall(ReadStagesOfObjectives(NodeGet(root, "objectives"), out));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsDestroyCourse(CourseSpec *spec)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < spec->n_stages; i++) {
    PetscCall(PetscFree(spec->stages[i].name));
    PetscCall(PetscFree(spec->stages[i].target));
    PetscCall(PetscFree(spec->stages[i].where));
    PetscCall(PetscFree(spec->stages[i].beams));
  }
  PetscCall(PetscFree(spec->stages));
  PetscFunctionReturn(0);
}
