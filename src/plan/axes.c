/* What a plan tells of the axes of its scenarios, and how many scenarios they make. */
#include "plan_private.h"

/* Beams of the plan, as they will be numbered. */
static PetscInt CountBeams(const Settings *settings, const Case *patient)
{
  const PetscInt study = settings->beams.from_case ? patient->n_beam_angles : settings->beams.n;
  PetscInt n = settings->course.n_stages ? 0 : study;
  for (PetscInt k = 0; k < settings->course.n_stages; k++)
    n += settings->course.stages[k].n_beams ? settings->course.stages[k].n_beams : study;
  return n;
}

PetscErrorCode PlanSetAxes(const Case *patient, Settings *settings)
{
  PetscFunctionBegin;
  const ScenarioAxes axes = {.n_beam = CountBeams(settings, patient)};
  settings->optimize.axes = settings->evaluate.axes = axes;
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
  PetscFunctionReturn(0);
}
