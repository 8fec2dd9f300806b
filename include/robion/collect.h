/**
 * Looking at results from outside of a run: what has become of each plan, the tables of all of them, statistics of the cohort.
 * Works while a run goes on and after the jobs of an array. Nothing here is collective: call it on one rank.
 */
#pragma once
#include "robion/samples.h"
#include "robion/study.h"
#include <stdio.h>

typedef enum {
  CONDITION_DONE,
  CONDITION_RUNNING, /* says its status; it may have died */
  CONDITION_STOPPED, /* with a checkpoint, perhaps */
  CONDITION_FAILED,
  CONDITION_DAMAGED, /* finished, but its files are not what they were */
  CONDITION_FOREIGN, /* made with other settings than the study's */
  CONDITION_MISSING, /* not begun */
  CONDITION_UNASKED, /* not begun, and no run was asked for it (--only, --arms) */
  N_CONDITIONS
} PlanCondition;
extern const char *const plan_condition_names[N_CONDITIONS];
/** Those of plans that are asked for and not done, the worst news first. */
enum { N_BAD_NEWS = 6 };
extern const PlanCondition bad_news[N_BAD_NEWS];

/**
 * asked[study->n_plans]: the plans that runs in a results folder were asked for, as <results>/asked.txt lists them; without that file
 * all of them.
 */
PetscErrorCode AskedRead(const char *results, const Study *study, PetscBool *asked);
/** Write that file, or take it away where all are asked for. A mistake (ROBION_RESOURCES) if that fails. */
PetscErrorCode AskedWrite(const char *results, const Study *study, const PetscBool *asked, Mistakes *mistakes);

/** What is known of one plan. */
typedef struct PlanNews {
  PlanCondition condition;
  char reason[PLAN_REASON]; /* one line, of a plan that is not done; "" if there is none */
  double seconds;           /* it took, or has been at work */
} PlanNews;

/** The study of a results folder, as it was run (study.yaml there). NULL and mistakes (ROBION_INPUT) if there is none. */
PetscErrorCode ResultsStudy(const char *results, Mistakes *mistakes, Study **study);

/** News of every plan [study->n_plans], by status and settings. `thorough`: files are compared with their checksums too. */
PetscErrorCode InventoryFill(const char *results, const Study *study, PetscBool thorough, PlanNews *news);

/** "; 8 more of the study not asked for (--only, --arms)", nothing for none. */
void UnaskedPrint(FILE *out, PetscInt n);

/** One line: how many plans of a study are done, and how many there are of each condition else. */
void InventoryPrint(FILE *out, const Study *study, const PlanNews *news);

/** Number of plans of a condition. */
PetscInt InventoryCount(PetscInt n, const PlanNews *news, PlanCondition condition);

/**
 * What is made of all plans that are done, done[study->n_plans]: their tables merged into those of the study, the summary on `out`
 * and, with several cases, statistics.csv. Damaged files are mistakes (ROBION_INPUT), unwritable ones ROBION_RESOURCES.
 */
PetscErrorCode ResultsConclude(FILE *out, const char *results, const Study *study, const PetscBool *done,
                               Mistakes *mistakes);

/**
 * `robion collect`: merge the tables of all finished plans, list what is missing, failed or damaged with its reason, print the
 * summary, and with several cases write statistics.csv. exit_code: ROBION_DONE if all plans asked for are there, ROBION_SOME_FAILED if
 * some failed or are damaged, else ROBION_STOPPED (run again with --resume). Unwritable files are mistakes (ROBION_RESOURCES).
 */
PetscErrorCode ResultsCollect(FILE *out, const char *results, const Study *study, Mistakes *mistakes,
                              RobionExit *exit_code);

/**
 * `robion status`: what is done, running (iteration, worst scenario, time left), failed with the reason, and the worst
 * coverage of each target in each arm so far, from status and event files and the tables of plans that are done. Writes
 * no file. *going: plans run or are to do.
 */
PetscErrorCode ResultsStatus(FILE *out, const char *results, const Study *study, PetscBool *going);

/** The first line of statistics.csv, without its end. */
extern const char statistics_header[];

/**
 * Statistics over the cases of the plans that the samples have (of study->n_plans) into <results>/statistics.csv, and the most telling
 * of them to `out`. Nothing if the study has a single case. One row per metric (structure, quantity, metric, and scenario nominal,
 * min, max, median or index), arm and sweep point; then one per pair of them, of the differences between the plans of the same case:
 * arms with the arms before at the same sweep point, sweep points with the first one of the same arm. Columns:
 *
 *   scenario,structure,quantity,metric,unit,arm,sweep     what is described
 *   versus_arm,versus_sweep                               what it is compared with; empty in the rows of a single plan
 *   n,mean,sd,min,q1,median,q3,max                        over cases, of the values or of the differences
 *   median_low,median_high                                95 % bootstrap interval of the median
 *   ratio                                                 median over cases of value / value of versus, if all are above 0
 *   shapiro_p                                             normal distribution of values or differences (Shapiro-Wilk)
 *   wilcoxon_p,wilcoxon_holm_p,t_p,mann_whitney_p         two-sided; holm: corrected over all comparisons of the same kind
 *                                                         (arms, or sweep points) of the same metric
 *
 * An empty field means that there are too few values.
 */
PetscErrorCode StatisticsWrite(FILE *out, const char *results, const Study *study, const Samples *samples,
                               Mistakes *mistakes);
