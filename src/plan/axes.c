/* What a plan tells of the axes of its scenarios: beams, tissues, responses; and how many scenarios they make. */
#include "plan_private.h"
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
                       .n_biology = settings->n_alternatives};
  PetscCall(PetscCalloc1(axes.n_biology, &axes.biology));
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
  PetscCall(PetscFree(settings->optimize.axes.biology));
  settings->evaluate.axes.biology = NULL;
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
  PetscInt n_model = 1;
  for (PetscInt i = 0; i < settings->optimize.axes.n_biology; i++)
    n_model = PetscMax(n_model, 1 + settings->optimize.axes.biology[i].model);
  if (n_model * (1 + settings->n_tissues) > TISSUES_MOST)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "scenarios.biology: found %d models of %d tissues in scenarios, expected at most %d of both "
                          "together, biology's own among them",
                          (int)n_model, (int)(1 + settings->n_tissues), TISSUES_MOST));
  PetscFunctionReturn(0);
}
