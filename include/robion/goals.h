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
} GoalSpec;

/** What a plan makes of one goal. */
typedef struct Goal {
  char structure[64], metric[40], unit[12]; /* unit of value and limit */
  Quantity quantity;
  PetscBool course;     /* of the course, else per fraction */
  const char *scenario; /* "nominal", or the statistic over the evaluation set that is worst: "min", "max" */
  PetscBool at_least;   /* else at most */
  double value, limit;
  PetscBool met;
} Goal;

/** What goals are judged from. */
typedef struct GoalBasis {
  double prescription_Gy_RBE;             /* per fraction, of a course its mean fraction's */
  double fractions;                       /* of the prescription */
  const Course *course;                   /* of a plan in stages, else NULL */
  const MetricList *nominal, *statistics; /* as DoseSet has them: statistics[0] min, [1] max */
} GoalBasis;

/** Judge n goals, out[n]. A structure without metrics (no volume on the dose grid) is a mistake (ROBION_INPUT). */
PetscErrorCode GoalsJudge(const GoalBasis *basis, PetscInt n, const GoalSpec *spec, Mistakes *mistakes, Goal *out);
