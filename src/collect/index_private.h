/* The parts of a study's page. */
#pragma once
#include "robion/collect.h"
#include "robion/html.h"
#include "robion/index_page.h"
#include "robion/plan_page.h"
#include "robion/results.h"

enum { MOST_COMPARED = 24 };

/* A metric that arms are compared by. */
typedef struct Topic {
  const char *scenario, *structure, *quantity, *metric, *unit;
} Topic;

typedef struct StudyPage {
  Text text;
  const char *results, *folder;
  const Study *study;
  Mistakes *mistakes;
  PlanNews *news;
  Table *goals;         /* [study->n_plans] */
  PlanPageFacts *facts; /* [study->n_plans] of those that have a page */
  Table statistics;     /* statistics.csv; no rows: there is none */
  const char **error;   /* [study->n_plans] why there is no page of a plan that is done, NULL: there is one; owned */
  Samples samples;
  PetscInt n_variant,
      *variant;       /* arms and sweep points in the order of the study: the first plan of each that has a page */
  Text *variant_name; /* [n_variant] "12C" or "12C, sweep" */
  PetscInt n_topic;
  Topic topic[MOST_COMPARED];
} StudyPage;

/* Whether a plan is done and its page could be made. */
PetscBool IndexHasPage(const StudyPage *page, PetscInt p);
/* The same arm at the same point of the sweep. */
PetscBool IndexSameVariant(const PlanSpec *a, const PlanSpec *b);
/* "12C" or "12C, sweep". */
PetscErrorCode IndexAddVariant(Text *text, const char *arm, const char *sweep);
/* "CTV D98, nominal / Gy(RBE)". */
PetscErrorCode IndexAddTopic(Text *text, const Topic *topic);
/* Values of a topic in one variant, of the cases that have it: value and case of each [study->n_plans]; how many. */
PetscInt IndexValues(const StudyPage *page, const Topic *topic, const PlanSpec *variant, double *value, PetscInt *of);

/* The row of statistics.csv that compares two plans of the same sweep point in a topic; -1: none. */
PetscInt IndexCompared(const StudyPage *page, const Topic *topic, const PlanSpec *a, const PlanSpec *b);
enum {
  STATISTICS_ARM = 5,
  STATISTICS_SWEEP,
  STATISTICS_VERSUS_ARM,
  STATISTICS_VERSUS_SWEEP,
  STATISTICS_COUNT,
  STATISTICS_MEDIAN = 14,
  STATISTICS_MEDIAN_LOW = 17,
  STATISTICS_MEDIAN_HIGH,
  STATISTICS_RATIO,
  STATISTICS_WILCOXON = 21,
  STATISTICS_HOLM
};

PetscErrorCode IndexSummary(StudyPage *page);
PetscErrorCode IndexPlans(StudyPage *page);
PetscErrorCode IndexGoals(StudyPage *page);
PetscErrorCode IndexArms(StudyPage *page);
PetscErrorCode IndexSweep(StudyPage *page);
PetscErrorCode IndexStatistics(StudyPage *page);
PetscErrorCode IndexOrigin(StudyPage *page);
