/**
 * The metrics of all plans of a study as samples: of each metric one value per plan. They are taken from the plans' tables as these
 * are merged (TablesMerge), so that each is read once. Not collective.
 */
#pragma once
#include "robion/results.h"

/** One metric in the nominal scenario, or over all: min, max, median, index. Single scenarios need not be the same in all plans. */
typedef struct Sample {
  char *scenario, *structure, *quantity, *metric, *unit;
  double *value; /* [n_plans] NaN: the plan is not there or has no such metric */
} Sample;

typedef struct Samples {
  PetscInt n, capacity, n_plans;
  PetscBool *there; /* [n_plans] whether the plan has been added */
  Sample **sample;  /* in the order of the tables */
  void *tree;       /* the same, to be found */
} Samples;

PetscErrorCode SamplesCreate(PetscInt n_plans, Samples *samples);
PetscErrorCode SamplesDestroy(Samples *samples);
/** Take in the rows of a plan's metrics.csv, as MetricTableRead gives them. */
PetscErrorCode SamplesAdd(Samples *samples, PetscInt plan, const Table *metrics);
/** A metric by its names; NULL if no plan has it. */
const Sample *SamplesFind(const Samples *samples, const char *scenario, const char *structure, const char *quantity,
                          const char *metric);

/**
 * Merge the tables of n plan folders (NULL: left out), in this order, into <results>/metrics.csv, dvh.csv, goals.csv and
 * scenarios.csv (the last without repeated lines); metrics go to `samples` too, unless NULL, of n plans. Folders without tables are
 * left out; damaged tables are mistakes (ROBION_INPUT) and left out, unwritable results are ROBION_RESOURCES.
 */
PetscErrorCode TablesMerge(const char *results, PetscInt n, const char *const *folders, Samples *samples,
                           Mistakes *mistakes);
