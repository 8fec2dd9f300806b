/* Which scenarios of a plan are kept with their doses. */
#include "plan_private.h"
#include "robion/log.h"

/* Mark a row unless it is the nominal one, which is kept anyway. */
static void Mark(PetscInt row, PetscBool *wanted, PetscInt *n)
{
  if (row <= 0 || wanted[row] || *n == SCENARIO_DOSES_MOST) return;
  wanted[row] = PETSC_TRUE;
  (*n)++;
}

PetscErrorCode PlanScenarioRows(const ResultsSpec *spec, const ScenarioSet *set, PetscInt n_goal, const Goal *goal,
                                PetscInt *n, PetscInt **row)
{
  PetscFunctionBegin;
  PetscBool *wanted;
  PetscInt at = 0;
  *n = 0;
  PetscCall(PetscCalloc1(set->n, &wanted));
  for (PetscInt g = 0; g < n_goal && spec->scenario_doses != SCENARIO_DOSES_NONE; g++) Mark(goal[g].worst, wanted, n);
  for (PetscInt s = 0; s < set->n && spec->scenario_doses == SCENARIO_DOSES_ALL; s++) Mark(s, wanted, n);
  PetscCall(PetscMalloc1(*n, row));
  for (PetscInt s = 0; s < set->n; s++)
    if (wanted[s]) (*row)[at++] = s;
  PetscCall(PetscFree(wanted));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanScenarioDoses(MPI_Comm comm, const WeightedPlan *plan, const PlanResult *result, PetscInt *n,
                                 ScenarioDose **doses)
{
  PetscFunctionBegin;
  const PlanInputs *in = plan->inputs;
  const ResultsSpec *spec = &in->settings->results;
  const DoseSpec source = PlanDoseSpec(in, plan->weight);
  PetscInt *row;
  PetscCall(PlanScenarioRows(spec, in->evaluate, result->n_goals, result->goals, n, &row));
  if (spec->scenario_doses == SCENARIO_DOSES_ALL && *n + 1 < in->evaluate->n)
    LogLine(LOG_WARNING, "evaluate", plan->spec->case_name, "%s  plan.h5 gets the doses of %d of %d scenarios",
            plan->spec->arm, (int)*n, (int)in->evaluate->n - 1);
  PetscCall(ScenarioDosesCreate(comm, &source, *n, row, doses));
  PetscCall(PetscFree(row));
  PetscFunctionReturn(0);
}
