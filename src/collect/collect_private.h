/* The metrics of a cohort as samples over its cases. */
#pragma once
#include "robion/study.h"

/* One metric in one scenario (or over all: min, max, median, index). */
typedef struct Sample {
  char *scenario, *structure, *quantity, *metric, *unit;
  double *value; /* [n_plans] NaN: the plan is not there or has no such metric */
} Sample;

typedef struct Samples {
  PetscInt n, capacity, n_plans;
  Sample **sample; /* in the order of the tables */
  void *tree;      /* the same, to be found */
} Samples;

/* Read metrics.csv of the plans that are done. Damaged tables are mistakes and left out. */
PetscErrorCode SamplesCreate(const char *results, const Study *study, const PetscBool *done, Mistakes *mistakes,
                             Samples *samples);
PetscErrorCode SamplesDestroy(Samples *samples);
/* NULL if no plan has it. */
const Sample *SamplesFind(const Samples *samples, const char *scenario, const char *structure, const char *quantity,
                          const char *metric);
