/* Arms and sweep points beside each other: values of all cases, and statistics of their differences. */
#include "index_private.h"
#include <math.h>
#include <string.h>

/* Boxes of more arms and sweep points than this are shown when asked for. */
enum { MOST_OPEN = 12 };

/* Every case a row, every variant a column: of one topic. */
static PetscErrorCode AddCases(StudyPage *page, const Topic *t)
{
  PetscFunctionBegin;
  const PetscInt n_variant = page->n_variant;
  const Sample *sample = SamplesFind(&page->samples, t->scenario, t->structure, t->quantity, t->metric);
  Text caption = {0};
  const char **column;
  PetscCall(PetscMalloc1(n_variant + 1, &column));
  column[0] = "Case";
  for (PetscInt k = 0; k < n_variant; k++) column[k + 1] = page->variant_name[k].data;
  PetscCall(IndexAddTopic(&caption, t));
  PetscCall(HTMLTable(&page->text, caption.data, n_variant + 1, column));
  for (PetscInt p = 0, last = -1; p < page->study->n_plans; p++) {
    const PlanSpec *plan = &page->study->plans[p];
    if (plan->case_index == last || !IndexHasPage(page, p)) continue;
    last = plan->case_index;
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "th", "scope='row'", plan->case_name));
    for (PetscInt k = 0; k < n_variant; k++) {
      double value = NAN;
      for (PetscInt q = 0; q < page->study->n_plans; q++)
        if (page->study->plans[q].case_index == last &&
            IndexSameVariant(&page->study->plans[q], &page->study->plans[page->variant[k]]))
          value = sample->value[q];
      PetscCall(TextAdd(&page->text, isnan(value) ? "<td></td>" : "<td class='number'>%.9g</td>", value));
    }
    PetscCall(TextAdd(&page->text, "</tr>\n"));
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(PetscFree(column));
  PetscCall(TextDestroy(&caption));
  PetscFunctionReturn(0);
}

/* A box of quartiles with its median, all points, and lines that join the same case from variant to variant. */
static PetscErrorCode AddPairs(StudyPage *page, const Topic *t)
{
  PetscFunctionBegin;
  const PetscInt n_variant = page->n_variant;
  HTMLPairs pairs = {.n_group = n_variant};
  Text title = {0};
  const PetscInt n_plans = page->study->n_plans;
  PetscCall(PetscMalloc4(n_variant * n_plans, &pairs.value, n_variant * n_plans, &pairs.of, n_variant, &pairs.n,
                         n_variant, &pairs.name));
  for (PetscInt k = 0; k < n_variant; k++) {
    pairs.name[k] = page->variant_name[k].data;
    pairs.n[k] =
        IndexValues(page, t, &page->study->plans[page->variant[k]], pairs.value + k * n_plans, pairs.of + k * n_plans);
  }
  PetscCall(IndexAddTopic(&title, t));
  pairs.title = title.data;
  pairs.stride = n_plans;
  PetscCall(HTMLPairsPlot(&page->text, &pairs));
  PetscCall(PetscFree4(pairs.value, pairs.of, pairs.n, pairs.name));
  PetscCall(TextDestroy(&title));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexArms(StudyPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLSection(&page->text, "arms", "Arms beside each other"));
  PetscCall(TextAdd(
      &page->text,
      "<p>What the study has goals on, the coverage of its targets and outcomes; doses RBE-weighted per fraction "
      "unless named otherwise. "
      "“nominal” is the nominal scenario, “min” and “max” the lowest and highest of all evaluation scenarios.</p>\n"));
  for (PetscInt i = 0; i < page->n_topic; i++) {
    const PetscBool many = page->n_variant > MOST_OPEN ? PETSC_TRUE : PETSC_FALSE;
    Text what = {0};
    if (page->n_variant > 1 && !many) PetscCall(AddPairs(page, &page->topic[i]));
    if (many) PetscCall(IndexAddTopic(&what, &page->topic[i]));
    PetscCall(TextAdd(&page->text, "<details><summary>"));
    PetscCall(HTMLText(&page->text, many ? what.data : "Values of all cases"));
    PetscCall(TextAdd(&page->text, "</summary>\n"));
    if (many) PetscCall(AddPairs(page, &page->topic[i]));
    PetscCall(AddCases(page, &page->topic[i]));
    PetscCall(TextAdd(&page->text, "</details>\n"));
    PetscCall(TextDestroy(&what));
  }
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

static PetscBool IsOf(char *const *cell, const Topic *t)
{
  return strcmp(cell[0], t->scenario) || strcmp(cell[1], t->structure) || strcmp(cell[2], t->quantity) ||
                 strcmp(cell[3], t->metric)
             ? PETSC_FALSE
             : PETSC_TRUE;
}

PetscInt IndexCompared(const StudyPage *page, const Topic *topic, const PlanSpec *a, const PlanSpec *b)
{
  for (PetscInt row = 0; row < page->statistics.n_rows; row++) {
    char *const *const cell = page->statistics.field + row * page->statistics.n_columns;
    if (IsOf(cell, topic) && !strcmp(cell[STATISTICS_ARM], a->arm) && !strcmp(cell[STATISTICS_SWEEP], a->sweep) &&
        !strcmp(cell[STATISTICS_VERSUS_ARM], b->arm) && !strcmp(cell[STATISTICS_VERSUS_SWEEP], b->sweep))
      return row;
  }
  return -1;
}

/* Rows of statistics.csv that compare two variants in a topic. */
PetscErrorCode IndexStatistics(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Metric",
                                        "Arm",
                                        "Against",
                                        "Pairs",
                                        "Median difference",
                                        "95 % from",
                                        "to",
                                        "Ratio (relative risk)",
                                        "Wilcoxon P, exact",
                                        "Holm"};
  static const int shown[] = {STATISTICS_COUNT, STATISTICS_MEDIAN,   STATISTICS_MEDIAN_LOW, STATISTICS_MEDIAN_HIGH,
                              STATISTICS_RATIO, STATISTICS_WILCOXON, STATISTICS_HOLM};
  const Table *table = &page->statistics;
  if (!table->n_rows) PetscFunctionReturn(0);
  PetscCall(HTMLSection(&page->text, "statistics", "Statistics over the cases"));
  PetscCall(HTMLTable(&page->text, "Differences between plans of the same case, as in statistics.csv",
                      PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt row = 0; row < table->n_rows; row++) {
    char *const *const cell = table->field + row * table->n_columns;
    for (PetscInt i = 0; i < page->n_topic && cell[STATISTICS_VERSUS_ARM][0]; i++) {
      const Topic *t = &page->topic[i];
      Text text = {0};
      if (!IsOf(cell, t)) continue;
      PetscCall(IndexAddTopic(&text, t));
      PetscCall(TextAdd(&page->text, "<tr>"));
      PetscCall(HTMLElement(&page->text, "th", "scope='row'", text.data));
      PetscCall(TextDestroy(&text));
      PetscCall(IndexAddVariant(&text, cell[STATISTICS_ARM], cell[STATISTICS_SWEEP]));
      PetscCall(HTMLElement(&page->text, "td", NULL, text.data));
      PetscCall(TextDestroy(&text));
      PetscCall(IndexAddVariant(&text, cell[STATISTICS_VERSUS_ARM], cell[STATISTICS_VERSUS_SWEEP]));
      PetscCall(HTMLElement(&page->text, "td", NULL, text.data));
      PetscCall(TextDestroy(&text));
      for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(shown); k++)
        PetscCall(HTMLElement(&page->text, "td", "class='number'", cell[shown[k]]));
      PetscCall(TextAdd(&page->text, "</tr>\n"));
    }
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
