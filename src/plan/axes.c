/* What a plan tells of the axes of its scenarios: beams, tissues, responses; and how many scenarios they make. */
#include "plan_private.h"
#include "robion/text.h"
#include <string.h>

/* Beams of the plan, as they will be numbered. */
static PetscInt CountBeams(const Settings *settings, const Case *patient)
{
  const PetscInt study = settings->beams.from_case ? patient->n_beam_angles : settings->beams.n;
  PetscInt n = settings->course.n_stages ? 0 : study;
  for (PetscInt k = 0; k < settings->course.n_stages; k++)
    n += settings->course.stages[k].n_beams ? settings->course.stages[k].n_beams : study;
  return n;
}

/* Whether a set has a response of this name in any scenario. */
static PetscBool Wants(const ScenarioSpec *set, const char *name)
{
  for (PetscInt i = 0; i < set->n_biology; i++)
    if (!strcmp(set->biology[i], name)) return PETSC_TRUE;
  for (PetscInt i = 0; i < set->n_plus; i++)
    if (Wants(&set->plus[i], name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscInt PlanTissueOf(const Settings *settings, const char *structure)
{
  for (PetscInt t = 0; t < settings->n_tissues; t++)
    for (PetscInt s = 0; s < settings->tissues[t].n_structures; s++)
      if (!strcmp(settings->tissues[t].structures[s], structure)) return 1 + t;
  return 0;
}

PetscBool PlanIsRobust(const Settings *settings)
{
  for (PetscInt o = 0; o < settings->n_objectives; o++)
    if (settings->objectives[o].mode != ROBUST_NONE) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Number the models that scenarios have: those of the optimisation first, whose operator has no others. */
static void NumberModels(const Settings *settings, ScenarioAxes *axes)
{
  PetscInt n = 0;
  for (int pass = 0; pass < 2; pass++)
    for (PetscInt i = 0; i < settings->n_alternatives; i++) {
      const BiologyAlternative *one = &settings->alternatives[i];
      const PetscBool wanted = pass ? Wants(&settings->evaluate, one->name)
                                    : PlanIsRobust(settings) && Wants(&settings->optimize, one->name);
      if (one->has_model && wanted && !axes->biology[i].model) axes->biology[i].model = ++n;
    }
}

PetscErrorCode PlanSetAxes(const Case *patient, Settings *settings)
{
  PetscFunctionBegin;
  ScenarioAxes axes = {.n_beam = CountBeams(settings, patient),
                       .n_tissue = 1 + settings->n_tissues,
                       .n_biology = settings->n_alternatives,
                       .n_phase = patient->n_phases};
  PetscCall(PetscCalloc2(axes.n_biology, &axes.biology, axes.n_phase, &axes.phase));
  for (PetscInt i = 0; i < axes.n_phase; i++)
    axes.phase[i] = (ScenarioPhase){patient->phases[i].name, patient->phases[i].weight};
  for (PetscInt i = 0; i < axes.n_biology; i++) {
    const BiologyAlternative *one = &settings->alternatives[i];
    axes.biology[i] = (ScenarioBiology){.name = one->name,
                                        .tissue = one->structure ? PlanTissueOf(settings, one->structure) : -1,
                                        .alpha_factor = one->alpha_factor,
                                        .beta_factor = one->beta_factor};
  }
  NumberModels(settings, &axes);
  settings->optimize.axes = settings->evaluate.axes = axes;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanDropAxes(Settings *settings)
{
  PetscFunctionBegin;
  ScenarioAxes *axes = &settings->optimize.axes;
  PetscCall(PetscFree2(axes->biology, axes->phase));
  settings->evaluate.axes = *axes;
  PetscFunctionReturn(0);
}

/* Phases that a set names and the case does not have. */
static PetscErrorCode CheckPhases(const Settings *settings, const ScenarioSpec *set, const char *name,
                                  Mistakes *mistakes)
{
  PetscFunctionBegin;
  const ScenarioAxes *axes = &set->axes;
  const char **known;
  if (set->motion == MOTION_NONE) PetscFunctionReturn(0);
  if (!axes->n_phase)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT,
                    "scenarios.%s.motion: found %s, but case %s has no breathing phases, expected /phases in its file "
                    "or a phantom that breathes",
                    name, motion_names[set->motion], settings->patient.name));
  PetscCall(PetscMalloc1(axes->n_phase, &known));
  for (PetscInt k = 0; k < axes->n_phase; k++) known[k] = axes->phase[k].name;
  for (PetscInt i = 0; i < set->n_phase && axes->n_phase; i++) {
    PetscInt k = 0;
    while (k < axes->n_phase && strcmp(known[k], set->phase[i])) k++;
    if (k == axes->n_phase)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "scenarios.%s.phases: case %s has no phase %s%s", name,
                            settings->patient.name, set->phase[i],
                            SuggestName(", ", set->phase[i], (size_t)axes->n_phase, known).text));
  }
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckScenarios(const Settings *settings, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const ScenarioSpec *set[] = {&settings->optimize, &settings->evaluate};
  static const char *const name[] = {"optimize", "evaluate"};
  for (int k = 0; k < 2; k++)
    if (ScenarioCount(set[k]) > SCENARIOS_MOST)
      PetscCall(
          MistakesAdd(mistakes, ROBION_STUDY,
                      "scenarios.%s: found up to %.0f scenarios, expected at most %d: fewer range errors per beam, "
                      "or setup: random",
                      name[k], ScenarioCount(set[k]), SCENARIOS_MOST));
  for (int k = 0; k < 2; k++) PetscCall(CheckPhases(settings, set[k], name[k], mistakes));
  PetscInt n_model = 1;
  for (PetscInt i = 0; i < settings->optimize.axes.n_biology; i++)
    n_model = PetscMax(n_model, 1 + settings->optimize.axes.biology[i].model);
  if (settings->results.high_let_keV_um > 0) n_model++;
  if (n_model * (1 + settings->n_tissues) > TISSUES_MOST)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "scenarios.biology: found %d models of %d tissues in scenarios, expected at most %d of both "
                          "together, biology's own and one of results.high_let_keV_um among them",
                          (int)n_model, (int)(1 + settings->n_tissues), TISSUES_MOST));
  PetscFunctionReturn(0);
}
