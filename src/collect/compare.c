/* Arms and sweep points over the cases of a cohort: statistics.csv, and a table of what tells most. */
#include "robion/collect.h"
#include "robion/statistics.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

const char statistics_header[] =
    "scenario,structure,quantity,metric,unit,arm,sweep,versus_arm,versus_sweep,n,mean,sd,min,"
    "q1,median,q3,max,median_low,median_high,ratio,shapiro_p,wilcoxon_p,wilcoxon_holm_p,t_p,"
    "mann_whitney_p";

/* Width of a label; comparisons that still fit on a screen. */
enum { LABEL = 36, MOST_PRINTED = 48 };

/* A plan of each case, or two of each that are compared: indices of plans of the first case. */
typedef struct Pair {
  PetscInt group, versus; /* versus negative: none */
  PetscBool of_sweep;     /* two sweep points of an arm; else two arms */
} Pair;

/* All pairs, and what is used for every row. */
typedef struct Comparison {
  const Study *study;
  PetscInt n_cases, n_groups; /* plan p = case * n_groups + group */
  PetscInt n_pairs;           /* the first n_groups are groups alone */
  Pair *pair;
  Bootstrap *bootstrap; /* [n_cases + 1] by number of values, made when needed */
  double *a, *b, *difference;
} Comparison;

/* One row of the table. */
typedef struct Row {
  Description d;
  double low, high, ratio; /* ratio NaN: none */
  TestResult shapiro, wilcoxon, t, mann_whitney;
  double holm_p;
} Row;

static PetscErrorCode ComparisonCreate(const Study *study, Comparison *c)
{
  PetscFunctionBegin;
  *c = (Comparison){.study = study, .n_cases = study->plans[study->n_plans - 1].case_index + 1};
  c->n_groups = study->n_plans / c->n_cases;
  const PetscInt n = c->n_groups;
  PetscCall(PetscMalloc1(n + n * n, &c->pair));
  PetscCall(PetscCalloc1(c->n_cases + 1, &c->bootstrap));
  PetscCall(PetscMalloc3(c->n_cases, &c->a, c->n_cases, &c->b, c->n_cases, &c->difference));
  for (PetscInt g = 0; g < n; g++) c->pair[c->n_pairs++] = (Pair){g, -1, PETSC_FALSE};
  for (PetscInt g = 0; g < n; g++) {
    PetscInt first = 0; /* sweep point of the same arm */
    while (strcmp(study->plans[first].arm, study->plans[g].arm)) first++;
    for (PetscInt v = 0; v < g; v++)
      if (!strcmp(study->plans[v].sweep, study->plans[g].sweep)) c->pair[c->n_pairs++] = (Pair){g, v, PETSC_FALSE};
    if (first < g) c->pair[c->n_pairs++] = (Pair){g, first, PETSC_TRUE};
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ComparisonDestroy(Comparison *c)
{
  PetscFunctionBegin;
  for (PetscInt n = 0; n <= c->n_cases; n++) PetscCall(BootstrapDestroy(&c->bootstrap[n]));
  PetscCall(PetscFree(c->pair));
  PetscCall(PetscFree(c->bootstrap));
  PetscCall(PetscFree3(c->a, c->b, c->difference));
  PetscFunctionReturn(0);
}

/* Median over cases of a / b, or NaN. */
static PetscErrorCode MedianRatio(PetscInt n, const double *a, const double *b, double *ratio)
{
  PetscFunctionBegin;
  double *each;
  Description d;
  *ratio = NAN;
  for (PetscInt i = 0; i < n; i++)
    if (!(a[i] > 0 && b[i] > 0)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n, &each));
  for (PetscInt i = 0; i < n; i++) each[i] = a[i] / b[i];
  PetscCall(DescriptionOf(n, each, &d));
  *ratio = d.median;
  PetscCall(PetscFree(each));
  PetscFunctionReturn(0);
}

/* Statistics of one sample for one pair; d.n is 0 if no case has what it takes. */
static PetscErrorCode RowFill(Comparison *c, const Sample *sample, const Pair *pair, Row *row)
{
  PetscFunctionBegin;
  PetscInt n = 0;
  const double *described = c->a;
  *row = (Row){.ratio = NAN, .holm_p = 1};
  for (PetscInt k = 0; k < c->n_cases; k++) {
    const double a = sample->value[k * c->n_groups + pair->group];
    const double b = pair->versus < 0 ? 0 : sample->value[k * c->n_groups + pair->versus];
    if (isnan(a) || isnan(b)) continue;
    c->a[n] = a;
    c->b[n++] = b;
  }
  if (!n) PetscFunctionReturn(0);
  if (pair->versus >= 0) {
    described = c->difference;
    PairedDifferences(n, c->a, c->b, c->difference);
    PetscCall(MedianRatio(n, c->a, c->b, &row->ratio));
    PetscCall(WilcoxonSignedRank(n, c->difference, RANKS_AUTOMATIC, &row->wilcoxon));
    PetscCall(PairedT(n, c->difference, &row->t));
    PetscCall(MannWhitney(n, c->a, n, c->b, RANKS_AUTOMATIC, &row->mann_whitney));
  }
  PetscCall(DescriptionOf(n, described, &row->d));
  PetscCall(ShapiroWilk(n, described, &row->shapiro));
  if (!c->bootstrap[n]) PetscCall(BootstrapCreate(n, &c->bootstrap[n]));
  PetscCall(BootstrapMedian(c->bootstrap[n], described, &row->low, &row->high));
  PetscFunctionReturn(0);
}

/* Holm's correction over the comparisons of one kind. */
static PetscErrorCode CorrectRows(const Comparison *c, PetscBool of_sweep, Row *row)
{
  PetscFunctionBegin;
  PetscInt n = 0, k = 0;
  double *p;
  PetscCall(PetscMalloc1(c->n_pairs, &p));
  for (PetscInt i = c->n_groups; i < c->n_pairs; i++)
    if (c->pair[i].of_sweep == of_sweep && row[i].d.n) p[n++] = row[i].wilcoxon.p;
  PetscCall(HolmCorrect(n, p));
  for (PetscInt i = c->n_groups; i < c->n_pairs; i++)
    if (c->pair[i].of_sweep == of_sweep && row[i].d.n) row[i].holm_p = p[k++];
  PetscCall(PetscFree(p));
  PetscFunctionReturn(0);
}

static PetscErrorCode RowsFill(Comparison *c, const Sample *sample, Row *row)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < c->n_pairs; i++) PetscCall(RowFill(c, sample, &c->pair[i], &row[i]));
  PetscCall(CorrectRows(c, PETSC_FALSE, row));
  PetscCall(CorrectRows(c, PETSC_TRUE, row));
  PetscFunctionReturn(0);
}

/* One more field, empty if there is no such number. */
static PetscErrorCode AddNumber(Text *text, int known, double value)
{
  PetscFunctionBegin;
  if (known)
    PetscCall(TextAdd(text, ",%.9g", value));
  else
    PetscCall(TextAdd(text, ","));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddRow(Text *text, const Comparison *c, const Sample *sample, const Pair *pair, const Row *row)
{
  PetscFunctionBegin;
  const PetscBool compared = pair->versus < 0 ? PETSC_FALSE : PETSC_TRUE;
  const PlanSpec *plan = &c->study->plans[pair->group], *versus = compared ? &c->study->plans[pair->versus] : NULL;
  const char *name[] = {sample->scenario,
                        sample->structure,
                        sample->quantity,
                        sample->metric,
                        sample->unit,
                        plan->arm,
                        plan->sweep,
                        compared ? versus->arm : "",
                        compared ? versus->sweep : ""};
  const Description *d = &row->d;
  const double number[] = {d->min, d->q1, d->median, d->q3, d->max, row->low, row->high};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(name); i++) {
    PetscCall(TextAdd(text, i ? "," : ""));
    PetscCall(TextAddCSV(text, name[i]));
  }
  PetscCall(TextAdd(text, ",%d,%.9g", (int)d->n, d->mean));
  PetscCall(AddNumber(text, d->n > 1, d->sd));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++) PetscCall(AddNumber(text, 1, number[i]));
  PetscCall(AddNumber(text, !isnan(row->ratio), row->ratio));
  PetscCall(AddNumber(text, row->shapiro.n > 0, row->shapiro.p));
  PetscCall(AddNumber(text, row->wilcoxon.n > 0, row->wilcoxon.p));
  PetscCall(AddNumber(text, row->wilcoxon.n > 0, row->holm_p));
  PetscCall(AddNumber(text, row->t.n > 0, row->t.p));
  PetscCall(AddNumber(text, row->mann_whitney.n > 0, row->mann_whitney.p));
  PetscCall(TextAdd(text, "\n"));
  PetscFunctionReturn(0);
}

/* "robust - conventional", and the sweep point where there are several; of a long one the end, where they differ. */
static void PairLabel(const Comparison *c, const Pair *pair, char label[LABEL + 1])
{
  char whole[4096];
  const PlanSpec *plan = &c->study->plans[pair->group],
                 *versus = pair->versus < 0 ? NULL : &c->study->plans[pair->versus];
  const char *blank = *plan->sweep ? " " : "";
  if (!versus)
    snprintf(whole, sizeof whole, "%s%s%s", plan->arm, blank, plan->sweep);
  else if (pair->of_sweep)
    snprintf(whole, sizeof whole, "  %s %s - %s", plan->arm, plan->sweep, versus->sweep);
  else
    snprintf(whole, sizeof whole, "  %s - %s%s%s", plan->arm, versus->arm, blank, plan->sweep);
  TextRemoveControls(whole);
  const size_t length = strlen(whole);
  if (length <= LABEL)
    snprintf(label, LABEL + 1, "%s", whole);
  else
    snprintf(label, LABEL + 1, "..%s", whole + length - (LABEL - 2));
}

/* One metric for people: every arm, then every comparison, as far as they can be overlooked. */
static void PrintSample(FILE *out, const Comparison *c, const Sample *sample, const Row *row)
{
  fprintf(out, "\n%.60s %s %s, %s\n%-*s %3s %9s %8s %9s  %-19s  %-19s %8s %8s\n", sample->structure, sample->metric,
          sample->scenario, sample->unit, LABEL, "", "n", "mean", "SD", "median", "quartiles", "95 % of the median",
          "P", "P Holm");
  for (PetscInt i = 0; i < (c->n_pairs > MOST_PRINTED ? c->n_groups : c->n_pairs); i++) {
    const Description *d = &row[i].d;
    char label[LABEL + 1], p[24] = "", holm[24] = "";
    if (!d->n) continue;
    PairLabel(c, &c->pair[i], label);
    if (row[i].wilcoxon.n) {
      snprintf(p, sizeof p, " %8.2g", row[i].wilcoxon.p);
      snprintf(holm, sizeof holm, " %8.2g", row[i].holm_p);
    }
    fprintf(out, "%-*s %3d %9.4g %8.2g %9.4g  %9.4g %9.4g  %9.4g %9.4g%s%s\n", LABEL, label, (int)d->n, d->mean, d->sd,
            d->median, d->q1, d->q3, row[i].low, row[i].high, p, holm);
  }
}

static PetscErrorCode PrintTarget(FILE *out, Comparison *c, const Samples *samples, const char *target, Row *row)
{
  PetscFunctionBegin;
  static const struct {
    const char *scenario, *metric;
  } telling[] = {{"nominal", "D98"}, {"min", "D98"}, {"min", "V95"}, {"nominal", "Dmax"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(telling); i++) {
    const Sample *sample =
        SamplesFind(samples, telling[i].scenario, target, quantities[QUANTITY_RBE_WEIGHTED].name, telling[i].metric);
    if (!sample) continue;
    PetscCall(RowsFill(c, sample, row));
    PrintSample(out, c, sample, row);
  }
  PetscFunctionReturn(0);
}

/* The targets' coverage in the nominal and worst case: what most studies ask. statistics.csv has the rest. */
static PetscErrorCode PrintTelling(FILE *out, Comparison *c, const Samples *samples, Row *row)
{
  PetscFunctionBegin;
  PetscInt n;
  const char **target;
  fprintf(out,
          "\nover %d cases, RBE-weighted doses per fraction; differences: plans of a case; P: Wilcoxon signed rank\n",
          (int)c->n_cases);
  PetscCall(PlansTargets(c->study->n_plans, c->study->plans, &n, &target));
  for (PetscInt t = 0; t < n; t++) PetscCall(PrintTarget(out, c, samples, target[t], row));
  PetscCall(PetscFree(target));
  PetscFunctionReturn(0);
}

PetscErrorCode StatisticsWrite(FILE *out, const char *results, const Study *study, const Samples *samples,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  Comparison c;
  Row *row;
  Text text = {0};
  char file[PETSC_MAX_PATH_LEN];
  if (study->plans[study->n_plans - 1].case_index == 0) PetscFunctionReturn(0);
  PetscCall(ComparisonCreate(study, &c));
  PetscCall(PetscMalloc1(c.n_pairs, &row));
  PetscCall(TextAdd(&text, "%s\n", statistics_header));
  for (PetscInt i = 0; i < samples->n; i++) {
    PetscCall(RowsFill(&c, samples->sample[i], row));
    for (PetscInt k = 0; k < c.n_pairs; k++)
      if (row[k].d.n) PetscCall(AddRow(&text, &c, samples->sample[i], &c.pair[k], &row[k]));
  }
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/statistics.csv", results));
  (void)FileReplace(file, text.data, text.length, mistakes);
  if (samples->n) PetscCall(PrintTelling(out, &c, samples, row));
  PetscCall(TextDestroy(&text));
  PetscCall(PetscFree(row));
  PetscCall(ComparisonDestroy(&c));
  PetscFunctionReturn(0);
}
