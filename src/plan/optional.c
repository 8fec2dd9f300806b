/* The settings of a plan without what is optional and of structures that its case lacks. */
#include "plan_private.h"
#include "robion/log.h"
#include <string.h>

/* A structure without a single voxel is as good as none. */
static PetscBool Lacks(const Case *patient, const char *name)
{
  const PetscInt s = CaseFindStructure(patient, name);
  return s < 0 || !memchr(patient->structures[s].mask, 1, GridSize(&patient->ct)) ? PETSC_TRUE : PETSC_FALSE;
}

static void Tell(const Case *patient, PetscBool tell, const char *what, const char *structure)
{
  if (tell) LogLine(LOG_INFO, "case", patient->name, "has no %s: optional %s on it left out", structure, what);
}

static PetscErrorCode KeepObjectives(const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  ObjectiveSpec *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(kept->n_objectives, &list));
  for (PetscInt o = 0; o < kept->n_objectives; o++) {
    const ObjectiveSpec *objective = &kept->objectives[o];
    const char *missing = Lacks(patient, objective->structure)                 ? objective->structure
                          : objective->from && Lacks(patient, objective->from) ? objective->from
                                                                               : NULL;
    if (objective->optional && missing)
      Tell(patient, tell, objective->hard ? "constraint" : "objective", missing);
    else
      list[n++] = *objective;
  }
  kept->n_objectives = n;
  kept->objectives = list;
  PetscFunctionReturn(0);
}

static PetscErrorCode KeepGoals(const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  GoalSpec *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(kept->n_goals, &list));
  for (PetscInt g = 0; g < kept->n_goals; g++) {
    const MetricSpec *metric = &kept->goals[g].metric;
    if (metric->optional && Lacks(patient, metric->structure))
      Tell(patient, tell, "goal", metric->structure);
    else
      list[n++] = kept->goals[g];
  }
  kept->n_goals = n;
  kept->goals = list;
  PetscFunctionReturn(0);
}

static PetscErrorCode KeepMetrics(const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  MetricSpec *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(kept->n_metrics, &list));
  for (PetscInt m = 0; m < kept->n_metrics; m++) {
    if (kept->metrics[m].optional && Lacks(patient, kept->metrics[m].structure))
      Tell(patient, tell, "metric", kept->metrics[m].structure);
    else
      list[n++] = kept->metrics[m];
  }
  kept->n_metrics = n;
  kept->metrics = list;
  PetscFunctionReturn(0);
}

static PetscErrorCode KeepOutcomes(const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  OutcomeSpec *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(kept->n_outcomes, &list));
  for (PetscInt o = 0; o < kept->n_outcomes; o++) {
    if (kept->outcomes[o].optional && Lacks(patient, kept->outcomes[o].structure))
      Tell(patient, tell, "outcome", kept->outcomes[o].structure);
    else
      list[n++] = kept->outcomes[o];
  }
  kept->n_outcomes = n;
  kept->outcomes = list;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSettingsKeep(const Settings *settings, const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  *kept = *settings;
  PetscCall(KeepObjectives(patient, tell, kept));
  PetscCall(KeepGoals(patient, tell, kept));
  PetscCall(KeepMetrics(patient, tell, kept));
  PetscCall(KeepOutcomes(patient, tell, kept));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSettingsDrop(Settings *kept)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(kept->objectives));
  PetscCall(PetscFree(kept->goals));
  PetscCall(PetscFree(kept->metrics));
  PetscCall(PetscFree(kept->outcomes));
  PetscFunctionReturn(0);
}
