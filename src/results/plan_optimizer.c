/* What plan.h5 tells of the optimisation: /optimizer. */
#include "plan_file_private.h"
#include "plan_names.h"

static PetscErrorCode WriteHistory(SharedFile *file, const OptimizerReport *o)
{
  PetscFunctionBegin;
  static const char *const name[] = {"iteration", "evaluations", "objective", "worst_scenario", "gradient_norm"};
  static const char *const meaning[] = {"iteration", "evaluations of the objective so far",
                                        "objective that is minimised", "largest objective of a scenario",
                                        "norm of the projected gradient"};
  double *column;
  PetscCall(PetscMalloc1(o->n_history, &column));
  for (int c = 0; c < 5; c++) {
    for (PetscInt i = 0; i < o->n_history; i++) {
      const IterationRecord *h = &o->history[i];
      const double value[] = {(double)h->iteration, (double)h->evaluations, h->objective, h->worst, h->gradient_norm};
      column[i] = value[c];
    }
    PetscCall(SharedFileColumn(file, GROUP_HISTORY, name[c], o->n_history, column, "1", meaning[c]));
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteCertificate(SharedFile *file, const Certificate *c)
{
  PetscFunctionBegin;
  static const char group[] = GROUP_CERTIFICATE;
  if (!c->known) PetscFunctionReturn(0);
  PetscCall(SharedFileGroup(file, group));
  PetscCall(SharedFileString(file, group, "kind", CertificateKind(c)));
  PetscCall(SharedFileString(
      file, group, "about",
      "rigorous: no weights have an objective below lower_bound (by convexity); local: lower_bound is the "
      "least of the weighted sum of the scenarios that its own minimisation from the plan found; expected: "
      "lower_bound is what further iterations are expected to come to by the fall of the objective so far; none: no "
      "bound "
      "was looked for"));
  PetscCall(SharedFileNumber(file, group, "objective", c->objective));
  PetscCall(SharedFileNumber(file, group, "weighted_sum_at_plan", c->weighted_sum));
  if (c->bounded) {
    PetscCall(SharedFileNumber(file, group, "lower_bound", c->lower_bound));
    PetscCall(SharedFileNumber(file, group, "gap", c->gap));
    PetscCall(SharedFileNumber(file, group, "weighted_sum_least", c->least_sum));
  }
  PetscCall(SharedFileNumber(file, group, "stationarity", c->stationarity));
  PetscCall(SharedFileNumber(file, group, "stationarity_at_start", c->stationarity_start));
  PetscCall(SharedFileNumber(file, group, "active_scenarios", (double)c->n_active));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteConstraint(SharedFile *file, const char *group, const ConstraintReport *c)
{
  PetscFunctionBegin;
  PetscCall(SharedFileGroup(file, group));
  PetscCall(SharedFileString(file, group, "structure", c->structure));
  PetscCall(SharedFileString(file, group, "type", c->type));
  PetscCall(SharedFileString(file, group, "unit", c->unit));
  PetscCall(SharedFileString(file, group, "scenarios", c->scenarios));
  PetscCall(SharedFileNumber(file, group, "bound", c->bound));
  PetscCall(SharedFileNumber(file, group, "worst", c->worst));
  PetscCall(SharedFileNumber(file, group, "violation_percent", c->violation_percent));
  PetscCall(SharedFileNumber(file, group, "volume_beyond_percent", c->volume_beyond_percent));
  PetscCall(SharedFileNumber(file, group, "penalty", c->penalty));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteConstraints(SharedFile *file, const OptimizerReport *o)
{
  PetscFunctionBegin;
  static const char group[] = GROUP_OPTIMIZER "/constraints";
  if (!o->n_constraint) PetscFunctionReturn(0);
  PetscCall(SharedFileGroup(file, group));
  PetscCall(SharedFileString(file, group, "about",
                             "bounds by an augmented Lagrangian; values per fraction on the optimisation's voxels and "
                             "scenarios; the objective and its certificate include objective_part"));
  PetscCall(SharedFileNumber(file, group, "rounds", (double)o->n_round));
  PetscCall(SharedFileNumber(file, group, "objective_part", o->constraint_part));
  for (PetscInt i = 0; i < o->n_constraint; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s/%d", group, (int)i);
    PetscCall(WriteConstraint(file, path, &o->constraint[i]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteDelivery(SharedFile *file, const OptimizerReport *o)
{
  PetscFunctionBegin;
  static const char group[] = GROUP_OPTIMIZER "/delivery";
  if (!o->delivery.done) PetscFunctionReturn(0);
  PetscCall(SharedFileGroup(file, group));
  PetscCall(SharedFileString(file, group, "about",
                             "spots have no particles, or at least min_particles and a multiple of step_particles (0: "
                             "any number); the certificate is of the plan before, with objective_before"));
  PetscCall(SharedFileNumber(file, group, "min_particles", o->delivery_limits.min_particles));
  PetscCall(SharedFileNumber(file, group, "step_particles", o->delivery_limits.step_particles));
  PetscCall(SharedFileNumber(file, group, "rounds", (double)o->delivery.rounds));
  PetscCall(SharedFileNumber(file, group, "spots_before", (double)o->delivery.n_before));
  PetscCall(SharedFileNumber(file, group, "spots", (double)o->delivery.n_after));
  PetscCall(SharedFileNumber(file, group, "objective_before", o->delivery.optimised));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteSpent(SharedFile *file, const OptimizerReport *o)
{
  PetscFunctionBegin;
  char name[64];
  for (PetscInt k = 0; k < o->n_spent; k++) {
    snprintf(name, sizeof name, "evaluations_for_%s", o->spent_names[k]);
    for (char *c = name; *c; c++)
      if (*c == ' ') *c = '_';
    PetscCall(SharedFileNumber(file, GROUP_OPTIMIZER, name, (double)o->spent[k]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode WriteOptimizer(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  const OptimizerReport *o = &r->optimizer;
  PetscCall(SharedFileGroup(file, GROUP_OPTIMIZER));
  PetscCall(PlanTextWrite(file, PLAN_MODE, o->mode));
  PetscCall(PlanTextWrite(file, PLAN_STOPPED, o->reason));
  PetscCall(PlanNumberWrite(file, PLAN_ITERATIONS, (double)o->iterations));
  PetscCall(PlanNumberWrite(file, PLAN_EVALUATIONS, (double)o->evaluations));
  PetscCall(PlanNumberWrite(file, PLAN_OBJECTIVE, o->objective));
  PetscCall(WriteSpent(file, o));
  PetscCall(WriteHistory(file, o));
  PetscCall(WriteCertificate(file, &o->certificate));
  PetscCall(WriteConstraints(file, o));
  PetscCall(WriteDelivery(file, o));
  PetscCall(WriteScenarios(file, GROUP_OPTIMIZER "/scenarios", r->optimize));
  for (PetscInt g = 0; g < o->n_group; g++) {
    char name[32];
    snprintf(name, sizeof name, g ? "multiplier_%d" : "multiplier", (int)g);
    PetscCall(SharedFileColumn(file, GROUP_OPTIMIZER "/scenarios", name, r->optimize->n,
                               o->multiplier + g * r->optimize->n, "1",
                               "weight of the scenario's objective at the solution, of one group of objectives"));
  }
  PetscFunctionReturn(0);
}
