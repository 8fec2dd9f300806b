/* The positron emitters of a plan, as far as its study wants them. */
#include "plan_private.h"
#include "robion/log.h"

/* Whether the evaluation has a scenario of this id. */
static PetscErrorCode CheckScenario(const ActivitySpec *spec, const char *id, const ScenarioSet *set,
                                    Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char **ids;
  PetscBool known = !strcmp(id, "all") ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscMalloc1(set->n, &ids));
  const PetscBool all = known;
  const Scenario *unfit = NULL;
  for (PetscInt s = 0; s < set->n; s++) {
    ids[s] = set->scenario[s].id;
    if (!strcmp(id, ids[s])) known = PETSC_TRUE;
    if ((all || !strcmp(id, ids[s])) && set->scenario[s].range_of_beam) unfit = &set->scenario[s];
  }
  if (unfit)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: activity.scenarios: found %s, whose beams have range errors of their own, expected one "
                          "range error for all beams",
                          spec->where, unfit->id));
  if (!known)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: activity.scenarios: scenarios.evaluate has no %s%s", spec->where,
                          id, SuggestName(", ", id, (size_t)set->n, ids).text));
  PetscCall(PetscFree(ids));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckActivitySettings(const Settings *settings, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const ActivitySpec *spec = &settings->activity;
  ScenarioSet *set;
  if (!spec->n_scenarios) PetscFunctionReturn(0);
  if (settings->evaluate.motion != MOTION_NONE) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: activity: found scenarios.evaluate.motion: %s, expected a patient who lies still",
                          spec->where, motion_names[settings->evaluate.motion]));
    PetscFunctionReturn(0);
  }
  PetscCall(ScenarioSetCreate(&settings->evaluate, &set));
  for (PetscInt i = 0; i < spec->n_scenarios; i++) PetscCall(CheckScenario(spec, spec->scenarios[i], set, mistakes));
  PetscCall(ScenarioSetDestroy(&set));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckActivity(const PlanInputs *in, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const ActivitySpec *spec = &in->settings->activity;
  PetscCall(PlanCheckActivitySettings(in->settings, mistakes));
  if (spec->n_scenarios && !in->machine->n_emitter)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: activity: base data %s hold no positron emitters, expected built-in ones", spec->where,
                          in->machine->name));
  if (spec->n_scenarios && in->settings->course.n_stages)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: activity: found a plan in stages, expected one without: fractions differ", spec->where));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanActivityRows(const PlanInputs *in, PetscInt *n, PetscInt **row)
{
  PetscFunctionBegin;
  *n = 0;
  PetscCall(PetscMalloc1(in->evaluate->n, row));
  for (PetscInt s = 0; s < in->evaluate->n; s++)
    if (ActivityWants(&in->settings->activity, &in->evaluate->scenario[s])) (*row)[(*n)++] = s;
  PetscFunctionReturn(0);
}

/* Voxels that lie at least half in one of the structures that wash out as brain does. */
static PetscErrorCode MarkBrain(const PlanInputs *in, unsigned char **brain)
{
  PetscFunctionBegin;
  const ActivitySpec *spec = &in->settings->activity;
  *brain = NULL;
  if (spec->n_brain) PetscCall(PetscCalloc1(GridSize(&in->grid), brain));
  for (PetscInt i = 0; i < spec->n_brain; i++)
    for (PetscInt r = 0; r < in->n_region; r++)
      if (!strcmp(in->region[r].name, spec->brain[i])) (void)RegionMark(&in->region[r], 1, *brain);
  PetscFunctionReturn(0);
}

PetscErrorCode PlanActivity(MPI_Comm comm, const PlanInputs *in, const double *weight, const DoseSet *doses,
                            ActivitySet *out)
{
  PetscFunctionBegin;
  unsigned char *brain;
  PetscCall(MarkBrain(in, &brain));
  const ActivityInput input = {.spec = &in->settings->activity,
                               .patient = in->patient,
                               .machine = in->machine,
                               .beams = in->beams,
                               .dropped_dose_fraction = in->settings->dropped_dose_fraction,
                               .set = in->evaluate,
                               .grid = &in->grid,
                               .n = in->n_dose_voxel,
                               .voxel = in->dose_voxel,
                               .brain = brain,
                               .weight = weight};
  PetscCall(ActivitySetCreate(comm, &input, out));
  for (PetscInt i = 0; i < out->n; i++) out->map[i].physical = doses->kept[i];
  PetscCall(PetscFree(brain));
  if (out->n)
    LogLine(LOG_INFO, "activity", in->patient->name, "%d positron emitters at rest in %d scenarios, seen in %d windows",
            (int)out->n_emitter, (int)out->n, (int)in->settings->activity.n_windows);
  PetscFunctionReturn(0);
}
