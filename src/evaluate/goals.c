/* Clinical goals against the metrics of a plan. */
#include "robion/doses.h"
#include "robion/goals.h"
#include <string.h>

/*
 * The row of the metrics that a goal looks at, and what to multiply it with. Metrics that every plan has per fraction are taken
 * from there, others have rows of their own; shares of a volume are the same over a course.
 */
static Quantity RowOf(const GoalBasis *basis, const MetricSpec *spec, double *factor)
{
  const QuantityMetric *metric = QuantityFindMetric(spec->quantity, spec->name);
  *factor = 1;
  if (!spec->course || !QuantityAddsUp(spec->quantity) || (metric && metric->rule >= METRIC_COVERAGE))
    return spec->quantity;
  if (!metric || (basis->course && quantities[spec->quantity].stages == STAGES_ACCUMULATE))
    return MetricRowQuantity(spec->quantity, PETSC_TRUE, basis->course);
  *factor = basis->fractions;
  return spec->quantity;
}

/* The limit in the metric's unit. */
static double LimitOf(const GoalBasis *basis, const GoalSpec *spec)
{
  if (!spec->of_prescription) return spec->limit;
  const double of_course = basis->course ? CourseTotal(basis->course, basis->prescription_Gy_RBE)
                                         : basis->fractions * basis->prescription_Gy_RBE;
  return 0.01 * spec->limit * (spec->metric.course ? of_course : basis->prescription_Gy_RBE);
}

PetscErrorCode GoalsJudge(const GoalBasis *basis, PetscInt n, const GoalSpec *spec, Mistakes *mistakes, Goal *out)
{
  PetscFunctionBegin;
  for (PetscInt g = 0; g < n; g++) {
    const int worst = spec[g].at_least ? 0 : 1;
    const MetricSpec *asked = &spec[g].metric;
    double factor;
    const Quantity quantity = RowOf(basis, asked, &factor);
    const MetricList *list = spec[g].worst ? &basis->statistics[worst] : basis->nominal;
    const Metric *metric = MetricListFind(list, asked->structure, quantity, asked->name);
    out[g] = (Goal){.quantity = quantity, .course = asked->course, .at_least = spec[g].at_least};
    out[g].scenario = spec[g].worst ? scenario_statistic_names[worst] : "nominal";
    if (!metric) {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: goals: structure %s has no %s: it has no volume on the dose grid", asked->where,
                            asked->structure, asked->name));
      continue;
    }
    PetscCall(PetscStrncpy(out[g].structure, metric->structure, sizeof out[g].structure));
    PetscCall(PetscStrncpy(out[g].metric, metric->name, sizeof out[g].metric));
    PetscCall(PetscStrncpy(out[g].unit, metric->unit, sizeof out[g].unit));
    out[g].value = factor * metric->value;
    out[g].limit = LimitOf(basis, &spec[g]);
    out[g].met = spec[g].at_least ? out[g].value >= out[g].limit : out[g].value <= out[g].limit;
  }
  PetscFunctionReturn(0);
}
