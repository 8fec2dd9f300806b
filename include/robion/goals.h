/**
 * Clinical goals: what a plan is to keep, judged by its metrics. Part of step 11. Not collective.
 */
#pragma once
#include "robion/course.h"
#include "robion/metric_request.h"

/** What a plan is to keep: a metric of a structure at least or at most at a limit (goals.h). */
typedef struct GoalSpec {
  MetricSpec metric;                          /* that every plan has, by request, or of an outcome */
  PetscBool at_least, of_prescription, worst; /* limit in percent of the prescription; in the worst scenario */
  double limit;
  double least_percent; /* 0: of one scenario; else in so many percent of the evaluation set's */
} GoalSpec;

/** What a goal holds a value to. */
typedef struct GoalBound {
  PetscBool at_least; /* else at most */
  double limit;
  char unit[12]; /* of value and limit */
} GoalBound;

/** "at least", "at most". */
const char *GoalRelation(const GoalBound *bound);

/** What a plan makes of one goal. */
typedef struct Goal {
  char structure[64], metric[40];
  Quantity quantity;
  PetscBool course; /* of the course, else per fraction */
  const char *
      scenario; /* "nominal"; "min", "max": the statistic over the evaluation set that is worst; "share": of scenarios */
  GoalBound bound;
  double value;   /* the metric's; of a share: percent of the evaluation set's scenarios that keep `each` */
  GoalBound each; /* of a share */
  PetscBool share, met;
  PetscInt
      worst; /* row of the evaluation set that is worst for the metric, the first of equals; -1: the set is empty */
} Goal;

/** What goals are judged from. */
typedef struct GoalBasis {
  double prescription_Gy_RBE; /* per fraction, of a course its mean fraction's */
  double fractions;           /* of the prescription */
  const Course *course;       /* of a plan in stages, else NULL */
  const ScenarioSet *set;
  const MetricList *metrics,
      *statistics; /* as DoseSet has them: metrics[set->n], the nominal first; statistics[0] min, [1] max */
} GoalBasis;

/** Judge n goals, out[n]. A structure without metrics (no volume on the dose grid) is a mistake (ROBION_INPUT). */
PetscErrorCode GoalsJudge(const GoalBasis *basis, PetscInt n, const GoalSpec *spec, Mistakes *mistakes, Goal *out);
