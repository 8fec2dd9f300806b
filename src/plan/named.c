/* The structures that a study names, for what: whether the case has them, with volume, and the dose grid that covers them. */
#include "plan_private.h"
#include "robion/plan_read.h"

typedef struct NameList {
  PetscInt n;
  NamedStructure *item;
} NameList;

static PetscErrorCode AddName(NameList *list, const char *name, const char *where, const char *key, PetscBool filled)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc((size_t)(list->n + 1) * sizeof *list->item, &list->item));
  list->item[list->n++] = (NamedStructure){name, where, key, filled};
  PetscFunctionReturn(0);
}

static PetscErrorCode AddBeamTargets(NameList *list, PetscInt n, const BeamSpec *beam)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < n; b++)
    if (beam[b].target) PetscCall(AddName(list, beam[b].target, beam[b].where, "beams.target", PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* A name without volume is a mistake where doses are wanted in it, kept out of it, judged or measured from it. */
PetscErrorCode PlanNamed(const Settings *settings, PetscInt *n, NamedStructure **named)
{
  PetscFunctionBegin;
  const CourseSpec *course = &settings->course;
  const SpotControlSpec *control = &settings->spot_control;
  NameList list = {0};
  PetscCall(AddName(&list, settings->target, settings->target_where, "prescription.target", PETSC_TRUE));
  PetscCall(AddBeamTargets(&list, settings->beams.n, settings->beams.beam));
  for (PetscInt k = 0; k < course->n_stages; k++)
    PetscCall(AddBeamTargets(&list, course->stages[k].n_beams, course->stages[k].beams));
  for (PetscInt i = 0; i < settings->n_objectives; i++) {
    const ObjectiveSpec *objective = &settings->objectives[i];
    const char *key = objective->hard ? "constraints" : "objectives";
    PetscCall(AddName(&list, objective->structure, objective->where, key, PETSC_TRUE));
    if (objective->from) PetscCall(AddName(&list, objective->from, objective->where, "objectives", PETSC_TRUE));
  }
  for (PetscInt i = 0; i < settings->n_goals; i++)
    PetscCall(
        AddName(&list, settings->goals[i].metric.structure, settings->goals[i].metric.where, "goals", PETSC_TRUE));
  for (PetscInt i = 0; i < settings->n_metrics; i++)
    PetscCall(AddName(&list, settings->metrics[i].structure, settings->metrics[i].where, "metrics", PETSC_TRUE));
  PetscCall(AddName(&list, settings->tumour.structure, settings->tumour.where, "tcp.structure", PETSC_TRUE));
  for (PetscInt i = 0; i < settings->n_outcomes; i++)
    PetscCall(AddName(&list, settings->outcomes[i].structure, settings->outcomes[i].where, "outcomes", PETSC_TRUE));
  for (PetscInt k = 0; k < course->n_stages; k++)
    PetscCall(AddName(&list, course->stages[k].target, course->stages[k].where, "stages", PETSC_TRUE));
  for (PetscInt i = 0; i < settings->n_priority; i++)
    PetscCall(AddName(&list, settings->priority[i], settings->priority_where, "overlap_priority", PETSC_FALSE));
  for (PetscInt i = 0; i < control->n_structures; i++)
    PetscCall(AddName(&list, control->structures[i], control->where, "spot_control.structures", PETSC_TRUE));
  for (PetscInt t = 0; t < settings->n_tissues; t++)
    for (PetscInt i = 0; i < settings->tissues[t].n_structures; i++)
      PetscCall(AddName(&list, settings->tissues[t].structures[i], settings->tissues[t].where, "biology.tissues",
                        PETSC_FALSE));
  for (PetscInt i = 0; i < settings->activity.n_brain; i++)
    PetscCall(
        AddName(&list, settings->activity.brain[i], settings->activity.brain_where, "activity.brain", PETSC_FALSE));
  *n = list.n;
  *named = list.item;
  PetscFunctionReturn(0);
}

static PetscErrorCode StructureNames(const Case *patient, const char ***names)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(patient->n_structures, names));
  for (PetscInt i = 0; i < patient->n_structures; i++) (*names)[i] = patient->structures[i].name;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckName(const Case *patient, const char *name, const char *where, const char *key,
                             Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (CaseFindStructure(patient, name) >= 0) PetscFunctionReturn(0);
  const char **names;
  PetscCall(StructureNames(patient, &names));
  PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: case %s has no structure %s%s", where, key, patient->name,
                        name, SuggestName(", ", name, patient->n_structures, names).text));
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}

/* Maps that outcomes are judged by. */
static PetscErrorCode CheckOutcomes(const Settings *settings, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscInt map = CaseFindMap(patient, MAP_CLONOGENS);
  for (PetscInt i = 0; i < settings->n_outcomes; i++) {
    const OutcomeSpec *outcome = &settings->outcomes[i];
    if (!OutcomeModelFind(outcome->model)->kind->wants_clonogens) continue;
    if (map < 0 || strcmp(patient->maps[map].unit, MAP_CLONOGENS_UNIT))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: outcomes: case %s has no map " MAP_CLONOGENS " of numbers " MAP_CLONOGENS_UNIT
                            ", which model %s needs",
                            outcome->where, patient->name, outcome->model));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckGroups(const Settings *settings, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char(*group)[PLAN_PATH];
  PetscCall(PetscMalloc1(patient->n_structures, &group));
  for (PetscInt i = 0; i < patient->n_structures; i++) {
    PlanNamedPath("", patient->structures[i].name, group[i]);
    for (PetscInt k = 0; k < i; k++)
      if (!strcmp(group[i], group[k]))
        PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                              "%s: structures \"%s\" and \"%s\" of case %s would both be %s in plan.h5: rename one",
                              settings->patient.where, patient->structures[k].name, patient->structures[i].name,
                              patient->name, group[i] + 1));
  }
  PetscCall(PetscFree(group));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckNames(const Settings *settings, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscInt n, sought = 0;
  NamedStructure *named;
  Settings kept;
  PetscCall(PlanSettingsKeep(settings, patient, PETSC_FALSE, &kept));
  PetscCall(CheckOutcomes(&kept, patient, mistakes));
  PetscCall(PlanNamed(&kept, &n, &named));
  for (PetscInt o = 0; o < kept.n_objectives; o++) sought += !kept.objectives[o].hard;
  if (!sought)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: case %s has none of the structures that objectives look at",
                          settings->patient.where, patient->name));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt s = CaseFindStructure(patient, named[i].name);
    PetscCall(PlanCheckName(patient, named[i].name, named[i].where, named[i].key, mistakes));
    if (s >= 0 && named[i].filled && !memchr(patient->structures[s].mask, 1, GridSize(&patient->ct)))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: structure %s of case %s has no volume", named[i].where,
                            named[i].key, named[i].name, patient->name));
  }
  PetscCall(PetscFree(named));
  PetscCall(PlanSettingsDrop(&kept));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanDoseGrid(const Settings *settings, const Case *patient, Grid *grid)
{
  PetscFunctionBegin;
  PetscInt n, n_covered = 0, *covered;
  NamedStructure *named;
  PetscCall(PlanNamed(settings, &n, &named));
  PetscCall(PetscMalloc1(n + settings->n_derived, &covered));
  for (PetscInt i = 0; i < n; i++) covered[n_covered++] = CaseFindStructure(patient, named[i].name);
  for (PetscInt i = 0; i < settings->n_derived; i++)
    covered[n_covered++] = CaseFindStructure(patient, settings->derived[i].name);
  PetscCall(CaseDoseGrid(patient, settings->dose_grid_mm, n_covered, covered, grid));
  PetscCall(PetscFree(covered));
  PetscCall(PetscFree(named));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckRegions(const PlanInputs *in, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscInt n;
  NamedStructure *named;
  PetscCall(PlanNamed(in->settings, &n, &named));
  for (PetscInt i = 0; i < n; i++) {
    PetscInt r = 0;
    while (r < in->n_region && strcmp(in->region[r].name, named[i].name)) r++;
    if (named[i].filled && r == in->n_region)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: %s: structure %s of case %s has no volume on the dose grid: %.3g cm3 of it, expected "
                            "more or a smaller dose_grid_mm",
                            named[i].where, named[i].key, named[i].name, in->patient->name,
                            StructureVolume_cm3(in->patient, CaseFindStructure(in->patient, named[i].name))));
  }
  PetscCall(PetscFree(named));
  PetscFunctionReturn(0);
}
