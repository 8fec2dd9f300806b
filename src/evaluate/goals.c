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

const char *GoalRelation(const GoalBound *bound)
{
  return bound->at_least ? "at least" : "at most";
}

static PetscBool Keeps(const GoalBound *bound, double value)
{
  return (bound->at_least ? value >= bound->limit : value <= bound->limit) ? PETSC_TRUE : PETSC_FALSE;
}

/* The share of the set's scenarios, in percent, whose metric at this place of the list keeps the goal: a goal itself. */
static void JudgeShare(const GoalBasis *basis, const GoalSpec *spec, PetscInt row, double factor, Goal *out)
{
  PetscInt n = 0, good = 0;
  for (PetscInt s = 0; s < basis->set->n; s++) {
    if (!basis->set->scenario[s].in_set) continue;
    n++;
    if (Keeps(&out->bound, factor * basis->metrics[s].item[row].value)) good++;
  }
  out->each = out->bound;
  out->share = PETSC_TRUE;
  out->scenario = "share";
  out->bound = (GoalBound){PETSC_TRUE, spec->least_percent, "%"};
  out->value = n ? 100.0 * good / n : 0;
}

/* The scenario of the set whose metric at this place of the list is lowest, or highest. */
static PetscInt WorstRow(const GoalBasis *basis, PetscBool lowest, PetscInt row)
{
  PetscInt worst = -1;
  for (PetscInt s = 0; s < basis->set->n; s++) {
    if (!basis->set->scenario[s].in_set) continue;
    const double value = basis->metrics[s].item[row].value;
    const double least = worst < 0 ? value : basis->metrics[worst].item[row].value;
    if (worst < 0 || (lowest ? value < least : value > least)) worst = s;
  }
  return worst;
}

static PetscErrorCode JudgeGoal(const GoalBasis *basis, const GoalSpec *spec, Mistakes *mistakes, Goal *out)
{
  PetscFunctionBegin;
  const int worst = spec->at_least ? 0 : 1;
  const MetricSpec *asked = &spec->metric;
  double factor;
  const Quantity quantity = RowOf(basis, asked, &factor);
  const MetricList *list = spec->worst ? &basis->statistics[worst] : &basis->metrics[0];
  const Metric *metric = MetricListFind(list, asked->structure, quantity, asked->name);
  /* outcomes are those of the whole course, whatever is asked */
  *out = (Goal){.quantity = quantity, .course = asked->course, .bound = {.at_least = spec->at_least}, .worst = -1};
  if (quantity == QUANTITY_OUTCOME) out->course = PETSC_TRUE;
  out->scenario = spec->worst ? scenario_statistic_names[worst] : "nominal";
  if (!metric) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: goals: structure %s has no %s: it has no volume on the dose grid", asked->where,
                          asked->structure, asked->name));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscStrncpy(out->structure, metric->structure, sizeof out->structure));
  PetscCall(PetscStrncpy(out->metric, metric->name, sizeof out->metric));
  PetscCall(PetscStrncpy(out->bound.unit, metric->unit, sizeof out->bound.unit));
  out->value = factor * metric->value;
  out->bound.limit = LimitOf(basis, spec);
  out->worst = WorstRow(basis, spec->at_least, (PetscInt)(metric - list->item));
  if (spec->least_percent > 0) JudgeShare(basis, spec, (PetscInt)(metric - list->item), factor, out);
  out->met = Keeps(&out->bound, out->value);
  PetscFunctionReturn(0);
}

PetscErrorCode GoalsJudge(const GoalBasis *basis, PetscInt n, const GoalSpec *spec, Mistakes *mistakes, Goal *out)
{
  PetscFunctionBegin;
  for (PetscInt g = 0; g < n; g++) PetscCall(JudgeGoal(basis, &spec[g], mistakes, &out[g]));
  PetscFunctionReturn(0);
}
