/*
 * What a study's page says first: which arm is robust, by how much, at what price, and what the numbers are worth. Robust is what
 * keeps its target covered in the worst scenario of the evaluation: by D98 of the first target, the median over the cases. Numbers of
 * the table are those of the plans' tables, and of several cases the medians of statistics.csv.
 */
#include "index_private.h"
#include "robion/statistics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ORGANS = 3, MOST_COLUMNS = 24 };

/* Plans that far from the best are worth a warning, as in the log. */
static const double FAR = 0.03;

/* A column of the table: a topic; or what is known beside the tables. */
typedef struct Summary {
  const char *target;
  PetscInt n_column;
  Topic column[MOST_COLUMNS];
  Text name[MOST_COLUMNS];
  PetscInt worst;  /* the column that tells robustness */
  PetscBool goals; /* there are any */
} Summary;

/* Median of a topic over the cases of a variant; NAN: there is none. */
static PetscErrorCode MedianOf(const StudyPage *page, const Topic *topic, const PlanSpec *variant, double *median)
{
  PetscFunctionBegin;
  double *value;
  PetscInt *of;
  Description d;
  *median = NAN;
  PetscCall(PetscMalloc2(page->study->n_plans, &value, page->study->n_plans, &of));
  const PetscInt n = IndexValues(page, topic, variant, value, of);
  if (n) PetscCall(DescriptionOf(n, value, &d));
  if (n) *median = d.median;
  PetscCall(PetscFree2(value, of));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddColumn(StudyPage *page, Summary *summary, const char *structure, const char *metric,
                                const char *scenario, const char *name)
{
  PetscFunctionBegin;
  const char *const dose = quantities[QUANTITY_RBE_WEIGHTED].name;
  const Sample *sample = SamplesFind(&page->samples, scenario, structure, dose, metric);
  if (!sample || summary->n_column == MOST_COLUMNS) PetscFunctionReturn(0);
  PetscCall(TextAdd(&summary->name[summary->n_column], "%s %s, %s / %s", structure, metric, name, sample->unit));
  summary->column[summary->n_column++] = (Topic){scenario, structure, dose, metric, sample->unit};
  PetscFunctionReturn(0);
}

/* The first target with its loss, the highest dose of what objectives keep low, and the body's mean dose. */
static PetscErrorCode FindColumns(StudyPage *page, Summary *summary)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans;
  const char **target;
  PetscInt n_target, organs = 0;
  PetscCall(PlansTargets(page->study->n_plans, plans, &n_target, &target));
  if (n_target) summary->target = target[0];
  PetscCall(PetscFree(target));
  if (!summary->target) PetscFunctionReturn(0);
  PetscCall(AddColumn(page, summary, summary->target, "D98", "nominal", "nominal"));
  summary->worst = summary->n_column;
  PetscCall(AddColumn(page, summary, summary->target, "D98", "min", "worst"));
  PetscCall(AddColumn(page, summary, summary->target, "V95", "min", "worst"));
  for (PetscInt i = 0; i < page->n_topic && organs < MOST_ORGANS; i++) {
    const Topic *t = &page->topic[i];
    if (strcmp(t->scenario, "max") || strcmp(t->metric, "Dmax")) continue;
    PetscCall(AddColumn(page, summary, t->structure, "Dmax", "nominal", "nominal"));
    PetscCall(AddColumn(page, summary, t->structure, "Dmax", "max", "worst"));
    organs++;
  }
  const char *const external = page->facts[page->variant[0]].external;
  if (external[0]) PetscCall(AddColumn(page, summary, external, "Dmean", "nominal", "nominal"));
  PetscFunctionReturn(0);
}

/* Of the plans of a variant: their median time, and the largest gap; kind "": not all of them have one. */
typedef struct Effort {
  double seconds, gap;
  const char *kind;
  PetscInt met, goals;
} Effort;

static PetscBool Known(const Effort *effort)
{
  return effort->kind && effort->kind[0] && strcmp(effort->kind, "none") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode EffortOf(const StudyPage *page, const PlanSpec *variant, Effort *effort)
{
  PetscFunctionBegin;
  PetscInt n = 0;
  double *seconds;
  Description d;
  *effort = (Effort){.kind = NULL};
  PetscCall(PetscMalloc1(page->study->n_plans, &seconds));
  for (PetscInt p = 0; p < page->study->n_plans; p++) {
    const PlanCertificate *c = &page->facts[p].certificate;
    if (!IndexHasPage(page, p) || !IndexSameVariant(&page->study->plans[p], variant)) continue;
    seconds[n++] = page->news[p].seconds;
    effort->gap = PetscMax(effort->gap, c->gap);
    effort->kind = effort->kind && strcmp(effort->kind, c->kind) ? "" : c->kind;
    effort->met += GoalTableMet(&page->goals[p]);
    effort->goals += page->goals[p].n_rows;
  }
  PetscCall(DescriptionOf(n, seconds, &d));
  effort->seconds = d.median;
  PetscCall(PetscFree(seconds));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddVariant(StudyPage *page, const Summary *summary, PetscInt k)
{
  PetscFunctionBegin;
  const PlanSpec *variant = &page->study->plans[page->variant[k]];
  Effort effort;
  double median;
  PetscCall(EffortOf(page, variant, &effort));
  PetscCall(TextAdd(&page->text, "<tr>"));
  PetscCall(HTMLElement(&page->text, "th", "scope='row'", page->variant_name[k].data));
  PetscCall(HTMLElement(&page->text, "td", NULL, page->facts[page->variant[k]].mode));
  if (effort.goals)
    PetscCall(TextAdd(&page->text, "<td class='number %s'>%d of %d</td>", effort.met == effort.goals ? "met" : "missed",
                      (int)effort.met, (int)effort.goals));
  else if (summary->goals)
    PetscCall(TextAdd(&page->text, "<td>no goals</td>"));
  for (PetscInt c = 0; c < summary->n_column; c++) {
    PetscCall(MedianOf(page, &summary->column[c], variant, &median));
    PetscCall(TextAdd(&page->text, isnan(median) ? "<td></td>" : "<td class='number'>%.9g</td>", median));
  }
  PetscCall(TextAdd(&page->text, "<td class='number'>%.3g</td>", effort.seconds));
  if (Known(&effort))
    PetscCall(TextAdd(&page->text, "<td class='number'>%.2g %%, %s</td></tr>\n", 100 * effort.gap, effort.kind));
  else
    PetscCall(TextAdd(&page->text, "<td>not known</td></tr>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTable(StudyPage *page, const Summary *summary)
{
  PetscFunctionBegin;
  const char *column[MOST_COLUMNS + 5] = {"Arm", "Robust mode"};
  PetscInt n = 2;
  if (summary->goals) column[n++] = "Goals met";
  for (PetscInt c = 0; c < summary->n_column; c++) column[n++] = summary->name[c].data;
  column[n++] = "Seconds per plan";
  column[n++] = "From the best objective";
  PetscCall(
      HTMLTable(&page->text,
                "Every arm; RBE-weighted doses per fraction, worst: of the scenarios of the evaluation; of several "
                "cases the median, of gaps the largest",
                n, column));
  for (PetscInt k = 0; k < page->n_variant; k++) PetscCall(AddVariant(page, summary, k));
  PetscCall(HTMLTableEnd(&page->text));
  PetscFunctionReturn(0);
}

/* The variant of the first sweep point with the highest coverage in the worst scenario, but for one; -1: none. */
static PetscErrorCode HighestOf(const StudyPage *page, const Summary *summary, PetscInt but, PetscInt *best)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans, *first = &plans[page->variant[0]];
  double highest = -INFINITY;
  *best = -1;
  for (PetscInt k = 0; k < page->n_variant; k++) {
    double median;
    if (k == but || strcmp(plans[page->variant[k]].sweep, first->sweep)) continue;
    PetscCall(MedianOf(page, &summary->column[summary->worst], &plans[page->variant[k]], &median));
    if (!(median > highest)) continue;
    *best = k;
    highest = median;
  }
  PetscFunctionReturn(0);
}

/* That variant, and the first of the others in the order of the study. */
static PetscErrorCode FindBest(const StudyPage *page, const Summary *summary, PetscInt *best, PetscInt *other)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans, *first = &plans[page->variant[0]];
  *other = -1;
  PetscCall(HighestOf(page, summary, -1, best));
  for (PetscInt k = 0; k < page->n_variant && *other < 0; k++)
    if (k != *best && !strcmp(plans[page->variant[k]].sweep, first->sweep)) *other = k;
  PetscFunctionReturn(0);
}

/* The prescription per fraction where all plans have the same, else 0. */
static double CommonPrescription(const StudyPage *page)
{
  double common = NAN;
  for (PetscInt p = 0; p < page->study->n_plans; p++) {
    if (!IndexHasPage(page, p)) continue;
    if (!isnan(common) && common != page->facts[p].prescription_Gy_RBE) return 0;
    common = page->facts[p].prescription_Gy_RBE;
  }
  return isnan(common) ? 0 : common;
}

static PetscErrorCode AddCoverage(StudyPage *page, const Summary *summary, PetscInt k, const char *before,
                                  const char *after)
{
  PetscFunctionBegin;
  const double prescription = CommonPrescription(page);
  double median;
  PetscCall(MedianOf(page, &summary->column[summary->worst], &page->study->plans[page->variant[k]], &median));
  PetscCall(TextAdd(&page->text, "%s%.3g %s", before, median, summary->column[summary->worst].unit));
  if (prescription > 0) PetscCall(TextAdd(&page->text, " (%.3g %% of the prescription)", 100 * median / prescription));
  PetscCall(TextAdd(&page->text, "%s", after));
  PetscFunctionReturn(0);
}

/* Which arm, and by how much: more than the first other one, and than the next best. */
static PetscErrorCode AddRobust(StudyPage *page, const Summary *summary, PetscInt best, PetscInt other)
{
  PetscFunctionBegin;
  PetscInt next;
  PetscCall(TextAdd(&page->text, "<dt>Most robust%s</dt><dd><strong>",
                    page->study->plans[page->variant[best]].sweep[0] ? ", at the first point of the sweep" : ""));
  PetscCall(HTMLText(&page->text, page->variant_name[best].data));
  PetscCall(TextAdd(&page->text, "</strong>: in the worst scenario 98 %% of the "));
  PetscCall(HTMLText(&page->text, summary->target));
  PetscCall(AddCoverage(page, summary, best, " still gets ", "; with "));
  PetscCall(HTMLText(&page->text, page->variant_name[other].data));
  PetscCall(AddCoverage(page, summary, other, " it gets ", ""));
  PetscCall(HighestOf(page, summary, best, &next));
  if (next != other) {
    PetscCall(TextAdd(&page->text, ", and with "));
    PetscCall(HTMLText(&page->text, page->variant_name[next].data));
    PetscCall(AddCoverage(page, summary, next, ", the next best, ", ""));
  }
  PetscCall(TextAdd(&page->text, ".</dd>\n"));
  PetscFunctionReturn(0);
}

/* What it costs, or gains, beside that: the differences of all other columns. */
static PetscErrorCode AddPrice(StudyPage *page, const Summary *summary, PetscInt best, PetscInt other)
{
  PetscFunctionBegin;
  const PlanSpec *a = &page->study->plans[page->variant[best]], *b = &page->study->plans[page->variant[other]];
  Effort of_a, of_b;
  PetscCall(TextAdd(&page->text, "<dt>Price and gain against "));
  PetscCall(HTMLText(&page->text, page->variant_name[other].data));
  PetscCall(TextAdd(&page->text, "</dt><dd><ul>\n"));
  for (PetscInt c = 0; c < summary->n_column; c++) {
    const Topic *t = &summary->column[c];
    double with, without;
    if (c == summary->worst || !strcmp(t->metric, "V95")) continue;
    PetscCall(MedianOf(page, t, a, &with));
    PetscCall(MedianOf(page, t, b, &without));
    if (isnan(with) || isnan(without)) continue;
    PetscCall(TextAdd(&page->text, "<li>"));
    PetscCall(HTMLText(&page->text, t->structure));
    PetscCall(TextAdd(&page->text, " %s %s: %.3g instead of %.3g %s</li>\n", t->metric,
                      strcmp(t->scenario, "nominal") ? "in the worst scenario" : "without errors", with, without,
                      t->unit));
  }
  PetscCall(EffortOf(page, a, &of_a));
  PetscCall(EffortOf(page, b, &of_b));
  PetscCall(TextAdd(&page->text, "<li>computing per plan: %.3g instead of %.3g s</li></ul></dd>\n", of_a.seconds,
                    of_b.seconds));
  PetscFunctionReturn(0);
}

/* Whether the difference can be chance. */
static PetscErrorCode AddChance(StudyPage *page, const Summary *summary, PetscInt best, PetscInt other)
{
  PetscFunctionBegin;
  const PlanSpec *a = &page->study->plans[page->variant[best]], *b = &page->study->plans[page->variant[other]];
  const Topic *worst = &summary->column[summary->worst];
  const PetscInt there = IndexCompared(page, worst, a, b), row = there < 0 ? IndexCompared(page, worst, b, a) : there;
  if (row < 0) {
    PetscCall(TextAdd(&page->text, "There are no statistics over cases: what holds here need not hold for others. "));
    PetscFunctionReturn(0);
  }
  char *const *const cell = page->statistics.field + row * page->statistics.n_columns;
  const int n = atoi(cell[STATISTICS_COUNT]);
  PetscCall(TextAdd(&page->text,
                    "Over %d case%s the difference in the worst scenario has P = %s (Wilcoxon, exact, two-sided; "
                    "after Holm %s). ",
                    n, n == 1 ? "" : "s", cell[STATISTICS_WILCOXON][0] ? cell[STATISTICS_WILCOXON] : "not known",
                    cell[STATISTICS_HOLM][0] ? cell[STATISTICS_HOLM] : "not known"));
  if (ldexp(1, 1 - n) > 0.05)
    PetscCall(TextAdd(&page->text, "So few cases cannot give a P below %.3g: the difference is told, not proven. ",
                      PetscMin(ldexp(1, 1 - n), 1)));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddGap(StudyPage *page, PetscInt k)
{
  PetscFunctionBegin;
  Effort effort;
  PetscCall(EffortOf(page, &page->study->plans[page->variant[k]], &effort));
  PetscCall(TextAdd(&page->text, "Plans of "));
  PetscCall(HTMLText(&page->text, page->variant_name[k].data));
  if (Known(&effort))
    PetscCall(TextAdd(&page->text, " are %.2g %% or less from the best objective (%s)%s. ", 100 * effort.gap,
                      strcmp(effort.kind, "expected") ? effort.kind : "extrapolated, no bound",
                      effort.gap > FAR ? ": more iterations may change them" : ""));
  else
    PetscCall(TextAdd(&page->text, ": how far they are from the best objective is not known. "));
  PetscFunctionReturn(0);
}

/* Scenarios, gaps, plans that are missing, and chance. */
static PetscErrorCode AddTrust(StudyPage *page, const Summary *summary, PetscInt best, PetscInt other)
{
  PetscFunctionBegin;
  const PetscInt n = page->study->n_plans, asked = n - InventoryCount(n, page->news, CONDITION_UNASKED);
  PetscInt done = 0;
  for (PetscInt p = 0; p < n; p++) done += IndexHasPage(page, p);
  const PlanPageFacts *facts = &page->facts[page->variant[best < 0 ? 0 : best]];
  PetscCall(TextAdd(&page->text,
                    "<dt>Can it be trusted</dt><dd>%d of %d plans are done%s. Each was recalculated in %d "
                    "scenarios of setup and range errors. ",
                    (int)done, (int)asked, done < asked ? "; the others are missing from all numbers" : "",
                    (int)facts->n_evaluate));
  PetscCall(AddGap(page, best < 0 ? 0 : best));
  if (other >= 0) PetscCall(AddGap(page, other));
  if (best >= 0 && other >= 0) PetscCall(AddChance(page, summary, best, other));
  PetscCall(TextAdd(&page->text, "Doses are of robion's own model, for research only.</dd>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexSummary(StudyPage *page)
{
  PetscFunctionBegin;
  Summary summary = {.target = NULL};
  PetscInt best = -1, other = -1;
  if (!page->n_variant) PetscFunctionReturn(0);
  for (PetscInt p = 0; p < page->study->n_plans; p++)
    if (page->goals[p].n_rows) summary.goals = PETSC_TRUE;
  PetscCall(FindColumns(page, &summary));
  PetscCall(HTMLSection(&page->text, "summary", "In short"));
  PetscCall(TextAdd(&page->text, "<dl>\n"));
  if (summary.worst < summary.n_column) PetscCall(FindBest(page, &summary, &best, &other));
  if (best >= 0 && other >= 0) {
    PetscCall(AddRobust(page, &summary, best, other));
    PetscCall(AddPrice(page, &summary, best, other));
  }
  PetscCall(AddTrust(page, &summary, best, other));
  PetscCall(TextAdd(&page->text, "</dl>\n"));
  PetscCall(AddTable(page, &summary));
  PetscCall(HTMLSectionEnd(&page->text));
  for (PetscInt c = 0; c < summary.n_column; c++) PetscCall(TextDestroy(&summary.name[c]));
  PetscFunctionReturn(0);
}
