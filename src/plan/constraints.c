/* How well a plan keeps its constraints, for log and files. */
#include "plan_private.h"
#include "robion/log.h"

/* What the study calls a constraint that is a term of this type. */
static const char *NameOf(const ObjectiveSpec *objective)
{
  PetscInt i = 0;
  while (i + 1 < n_constraint_type_names && strcmp(objective->type, constraint_objectives[i])) i++;
  return constraint_type_names[i];
}

/* Constraints are terms in the order of the settings, and all of them in the last stage of a course. */
PetscErrorCode ConstraintsReport(const Settings *settings, const Solution *solution, ConstraintReport **out)
{
  PetscFunctionBegin;
  PetscInt n = 0;
  PetscCall(PetscCalloc1(solution->n_constraint, out));
  for (PetscInt o = 0; o < settings->n_objectives && n < solution->n_constraint; o++) {
    const ObjectiveSpec *objective = &settings->objectives[o];
    const ConstraintState *c = &solution->constraint[n];
    if (!objective->hard) continue;
    (*out)[n++] = (ConstraintReport){.structure = objective->structure,
                                     .type = NameOf(objective),
                                     .unit = quantities[objective->quantity].unit,
                                     .scenarios = objective->mode == ROBUST_NONE ? "nominal" : "all",
                                     .bound = c->bound,
                                     .worst = c->worst,
                                     .violation_percent = 100 * c->violation,
                                     .volume_beyond_percent = 100 * c->missed,
                                     .penalty = c->penalty};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ConstraintsLog(const PlanSpec *plan, const Settings *settings, const Solution *solution)
{
  PetscFunctionBegin;
  ConstraintReport *report;
  if (!solution->n_constraint) PetscFunctionReturn(0);
  PetscCall(ConstraintsReport(settings, solution, &report));
  for (PetscInt i = 0; i < solution->n_constraint; i++) {
    const ConstraintReport *c = &report[i];
    const PetscBool kept = c->violation_percent <= 100 * settings->optimizer.constraint_tolerance;
    LogLine(kept ? LOG_INFO : LOG_WARNING, "constrain", plan->case_name,
            "%s  %-6s  %s %s in %s scenarios: bound %.6g %s per fraction, worst %.6g, missed by %.3g %%", plan->arm,
            kept ? "kept" : "missed", c->structure, c->type, c->scenarios, c->bound, c->unit, c->worst,
            c->violation_percent);
  }
  LogLine(LOG_INFO, "constrain", plan->case_name, "%s  %d rounds of multipliers; F without constraints %.8g", plan->arm,
          (int)solution->n_round, solution->objective - solution->constraint_part);
  PetscCall(PetscFree(report));
  PetscFunctionReturn(0);
}
