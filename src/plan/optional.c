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

/*
 * The structure for whose lack an item is left out, and what it is called, of each kind of item; NULL: it is kept.
 */
typedef const char *Lacking(const Case *patient, const void *item, const char **what);

static const char *LackedBy(const Case *patient, PetscBool optional, const char *structure)
{
  return optional && Lacks(patient, structure) ? structure : NULL;
}

static const char *LackingObjective(const Case *patient, const void *item, const char **what)
{
  const ObjectiveSpec *objective = item;
  const char *structure = LackedBy(patient, objective->optional, objective->structure);
  *what = objective->hard ? "constraint" : "objective";
  return structure || !objective->from ? structure : LackedBy(patient, objective->optional, objective->from);
}

static const char *LackingMetric(const Case *patient, const void *item, const char **what)
{
  const MetricSpec *metric = item;
  *what = "metric";
  return LackedBy(patient, metric->optional, metric->structure);
}

static const char *LackingGoal(const Case *patient, const void *item, const char **what)
{
  const char *structure = LackingMetric(patient, &((const GoalSpec *)item)->metric, what);
  *what = "goal";
  return structure;
}

static const char *LackingOutcome(const Case *patient, const void *item, const char **what)
{
  const OutcomeSpec *outcome = item;
  *what = "outcome";
  return LackedBy(patient, outcome->optional, outcome->structure);
}

/* Put a list of what is kept in the place of `list`, *n items of so many bytes. */
static PetscErrorCode Keep(const Case *patient, PetscBool tell, Lacking *lacking, size_t size, PetscInt *n, void *list)
{
  PetscFunctionBegin;
  const char *all = *(char **)list, *what;
  char *kept;
  PetscInt n_kept = 0;
  PetscCall(PetscMalloc1((size_t)*n * size, &kept));
  for (PetscInt i = 0; i < *n; i++) {
    const char *item = all + (size_t)i * size, *structure = (*lacking)(patient, item, &what);
    if (!structure)
      memcpy(kept + (size_t)n_kept++ * size, item, size);
    else if (tell)
      LogLine(LOG_INFO, "case", patient->name, "has no %s: optional %s on it left out", structure, what);
  }
  *n = n_kept;
  *(char **)list = kept;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSettingsKeep(const Settings *settings, const Case *patient, PetscBool tell, Settings *kept)
{
  PetscFunctionBegin;
  *kept = *settings;
  kept->optimize.axes = kept->evaluate.axes = (ScenarioAxes){0};
  PetscCall(Keep(patient, tell, LackingObjective, sizeof(ObjectiveSpec), &kept->n_objectives, &kept->objectives));
  PetscCall(Keep(patient, tell, LackingGoal, sizeof(GoalSpec), &kept->n_goals, &kept->goals));
  PetscCall(Keep(patient, tell, LackingMetric, sizeof(MetricSpec), &kept->n_metrics, &kept->metrics));
  PetscCall(Keep(patient, tell, LackingOutcome, sizeof(OutcomeSpec), &kept->n_outcomes, &kept->outcomes));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSettingsDrop(Settings *kept)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(kept->objectives));
  PetscCall(PetscFree(kept->goals));
  PetscCall(PetscFree(kept->metrics));
  PetscCall(PetscFree(kept->outcomes));
  PetscCall(PlanDropAxes(kept));
  PetscFunctionReturn(0);
}
