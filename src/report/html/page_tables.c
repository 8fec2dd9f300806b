/* Tables of a plan's page: goals, metrics, scenarios. What stands in a cell is what stands in the plan's CSV files, letter by letter. */
#include "page_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SCENARIOS = 300, MOST_COLUMNS = PAGE_METRICS_MOST };

PetscErrorCode GoalWords(Text *text, const Table *goals, PetscInt row)
{
  PetscFunctionBegin;
  const char *const each = Cell(goals, row, GOAL_EACH_RELATION);
  const PetscBool share = each[0] ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(TextAdd(text, "%s %s ", Cell(goals, row, GOAL_METRIC), share ? each : Cell(goals, row, GOAL_RELATION)));
  PetscCall(TextAdd(text, "%s %s", Cell(goals, row, share ? GOAL_EACH_LIMIT : GOAL_LIMIT),
                    Cell(goals, row, share ? GOAL_EACH_UNIT : GOAL_UNIT)));
  if (share)
    PetscCall(
        TextAdd(text, " in %s %s %% of the scenarios", Cell(goals, row, GOAL_RELATION), Cell(goals, row, GOAL_LIMIT)));
  PetscFunctionReturn(0);
}

/* Whether a goal's limit is of the course, and what metrics.csv has of it is per fraction. */
static PetscBool OtherScale(const Table *goals, PetscInt row)
{
  const char *const quantity = Cell(goals, row, GOAL_QUANTITY);
  const PetscBool of_fraction =
      !strcmp(quantity, quantities[QUANTITY_RBE_WEIGHTED].name) || !strcmp(quantity, quantities[QUANTITY_PHYSICAL].name)
          ? PETSC_TRUE
          : PETSC_FALSE;
  return of_fraction && strcmp(Cell(goals, row, GOAL_PER), "fraction") ? PETSC_TRUE : PETSC_FALSE;
}

/* How many scenarios of the evaluation set keep a goal, and of how many; 0 of 0 where metrics.csv has not what it is about. */
static void CountKept(const PlanPage *page, PetscInt row, PetscInt *kept, PetscInt *all)
{
  const Table *goals = &page->table[PLAN_GOALS], *scenarios = &page->table[PLAN_SCENARIOS];
  const PetscBool share = Cell(goals, row, GOAL_EACH_RELATION)[0] ? PETSC_TRUE : PETSC_FALSE;
  const PetscBool at_least =
      strcmp(Cell(goals, row, share ? GOAL_EACH_RELATION : GOAL_RELATION), "at least") ? PETSC_FALSE : PETSC_TRUE;
  const double limit = strtod(Cell(goals, row, share ? GOAL_EACH_LIMIT : GOAL_LIMIT), NULL);
  *kept = *all = 0;
  if (OtherScale(goals, row)) return;
  for (PetscInt k = 0; k < scenarios->n_rows; k++) {
    if (strcmp(Cell(scenarios, k, SCENARIO_SET), "evaluate") || Cell(scenarios, k, SCENARIO_IN_SET)[0] != '1') continue;
    const char *const text =
        PageMetric(page, PageBlock(page, Cell(scenarios, k, SCENARIO_ID)), Cell(goals, row, GOAL_STRUCTURE),
                   Cell(goals, row, GOAL_QUANTITY), Cell(goals, row, GOAL_METRIC));
    if (!text[0]) continue;
    const double value = strtod(text, NULL);
    *kept += at_least ? value >= limit : value <= limit;
    (*all)++;
  }
}

static PetscErrorCode AddKept(PlanPage *page, PetscInt row)
{
  PetscFunctionBegin;
  PetscInt kept, all;
  CountKept(page, row, &kept, &all);
  if (all)
    PetscCall(TextAdd(&page->text, "<td class='number'>%d of %d, %.3g %%</td>", (int)kept, (int)all,
                      100. * (double)kept / (double)all));
  else
    PetscCall(TextAdd(&page->text, "<td class='number'></td>"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddGoal(PlanPage *page, PetscInt row)
{
  PetscFunctionBegin;
  const Table *goals = &page->table[PLAN_GOALS];
  const PetscBool met = Cell(goals, row, GOAL_MET)[0] == '1' ? PETSC_TRUE : PETSC_FALSE;
  const char *const structure = Cell(goals, row, GOAL_STRUCTURE), *const quantity = Cell(goals, row, GOAL_QUANTITY);
  const char *const told[] = {"nominal", "min", "max"};
  Text demand = {0};
  PetscCall(GoalWords(&demand, goals, row));
  PetscCall(TextAdd(&page->text, "<tr><th scope='row'>"));
  PetscCall(HTMLText(&page->text, structure));
  PetscCall(TextAdd(&page->text, "</th>"));
  PetscCall(HTMLElement(&page->text, "td", NULL, demand.data));
  PetscCall(HTMLElement(&page->text, "td", NULL, Cell(goals, row, GOAL_PER)));
  PetscCall(HTMLElement(&page->text, "td", NULL, Cell(goals, row, GOAL_SCENARIO)));
  PetscCall(
      TextAdd(&page->text, "<td class='number'>%s %s</td>", Cell(goals, row, GOAL_VALUE), Cell(goals, row, GOAL_UNIT)));
  for (int k = 0; k < 3; k++) {
    const char *const text =
        PageMetric(page, PageBlock(page, told[k]), structure, quantity, Cell(goals, row, GOAL_METRIC));
    PetscCall(TextAdd(&page->text, "<td class='number'>%s%s</td>", text,
                      text[0] && OtherScale(goals, row) ? " <small>per fraction</small>" : ""));
  }
  PetscCall(AddKept(page, row));
  PetscCall(TextAdd(&page->text, "<td class='%s'>%s</td></tr>\n", met ? "met" : "missed", met ? "met" : "missed"));
  PetscCall(TextDestroy(&demand));
  PetscFunctionReturn(0);
}

/* Doses without errors and in the worst scenario, as in metrics.csv, and what they are worth; beside goals of targets alone. */
static PetscErrorCode AddShort(PlanPage *page)
{
  PetscFunctionBegin;
  const char *const dose = quantities[QUANTITY_RBE_WEIGHTED].name;
  char words[512];
  PetscCall(TextAdd(&page->text, "<ul>\n"));
  for (PetscInt s = 0; s < page->n_structure; s++) {
    const PlanStructure *of = &page->structure[s].on_file;
    const char *const metric = strcmp(of->role, "target") ? "Dmax" : "D98";
    const PetscInt worst = PageBlock(page, strcmp(of->role, "target") ? "max" : "min");
    const char *const without = PageMetric(page, 0, of->name, dose, metric), *const with = PageMetric(
                                                                                 page, worst, of->name, dose, metric);
    if (!strcmp(of->role, "external") || !without[0]) continue;
    if (page->table[PLAN_GOALS].n_rows && strcmp(of->role, "target")) continue;
    PetscCall(TextAdd(&page->text, "<li>"));
    PetscCall(HTMLText(&page->text, of->name));
    PetscCall(TextAdd(&page->text, " %s: %s Gy(RBE) without errors", metric, without));
    if (with[0])
      PetscCall(TextAdd(&page->text, ", %s in the worst of %d scenarios", with, (int)page->facts->n_evaluate));
    PetscCall(TextAdd(&page->text, "</li>\n"));
  }
  CertificateWords(&page->facts->certificate, words);
  PetscCall(TextAdd(&page->text, "</ul>\n<p>%s</p>\n", words));
  PetscFunctionReturn(0);
}

static PetscBool IsAccumulated(const PlanPage *page)
{
  const Table *scenarios = &page->table[PLAN_SCENARIOS];
  for (PetscInt row = 0; row < scenarios->n_rows; row++)
    if (!strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate") && !strcmp(Cell(scenarios, row, SCENARIO_PHASE), "all"))
      return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode PageVerdict(PlanPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Structure", "Goal",   "Per",     "Judged in",         "Value",
                                        "Nominal",   "Lowest", "Highest", "Kept in scenarios", "Verdict"};
  const Table *goals = &page->table[PLAN_GOALS];
  const double *number = page->number;
  const PetscInt met = GoalTableMet(goals);
  PetscCall(HTMLSection(&page->text, "verdict", "Verdict"));
  PetscCall(TextAdd(&page->text, "<p>%g Gy(RBE) per fraction in %g fraction%s, to ", number[PLAN_PRESCRIPTION_Gy_RBE],
                    number[PLAN_FRACTIONS], number[PLAN_FRACTIONS] == 1 ? "" : "s"));
  PetscCall(HTMLText(&page->text, page->word[PLAN_TARGET]));
  PetscCall(TextAdd(&page->text,
                    "; %s, robust mode %s. Doses are RBE-weighted and per fraction unless said otherwise.</p>\n",
                    page->word[PLAN_ION], page->word[PLAN_MODE]));
  if (IsAccumulated(page))
    PetscCall(
        TextAdd(&page->text, "<p>The patient breathes: doses are accumulated over the phases of a breath.</p>\n"));
  if (!goals->n_rows)
    PetscCall(TextAdd(&page->text, "<p>The study has no goals: nothing is judged here.</p>\n"));
  else {
    PetscCall(TextAdd(&page->text, "<p class='verdict %s'>%d of %d goals met</p>\n",
                      met == goals->n_rows ? "met" : "missed", (int)met, (int)goals->n_rows));
    PetscCall(HTMLTable(&page->text, "Goals", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
    for (PetscInt row = 0; row < goals->n_rows; row++) PetscCall(AddGoal(page, row));
    PetscCall(HTMLTableEnd(&page->text));
  }
  PetscCall(AddShort(page));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddMetricRow(PlanPage *page, const char *structure, const char *quantity, PetscInt n,
                                   const char *const *name)
{
  PetscFunctionBegin;
  const PetscInt low = PageBlock(page, "min"), high = PageBlock(page, "max");
  PetscCall(TextAdd(&page->text, "<tr><th scope='row'>"));
  PetscCall(HTMLText(&page->text, structure));
  PetscCall(TextAdd(&page->text, "</th>"));
  for (PetscInt k = 0; k < n; k++) {
    const char *const from = PageMetric(page, low, structure, quantity, name[k]), *const to =
                                                                                      PageMetric(page, high, structure,
                                                                                                 quantity, name[k]);
    PetscCall(TextAdd(&page->text, "<td class='number'>%s", PageMetric(page, 0, structure, quantity, name[k])));
    if (from[0] && to[0]) PetscCall(TextAdd(&page->text, "<br><small>%s – %s</small>", from, to));
    PetscCall(TextAdd(&page->text, "</td>"));
  }
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddMetricTable(PlanPage *page, const char *quantity, const char *caption)
{
  PetscFunctionBegin;
  const char *column[MOST_COLUMNS + 1] = {"Structure"};
  PageMetricColumns of;
  PetscInt row = 0;
  PetscCall(PageMetricColumnsCreate(page, 0, quantity, &of));
  for (PetscInt k = 0; k < of.n; k++) column[k + 1] = of.header[k].data;
  if (of.n) {
    PetscCall(HTMLTable(&page->text, caption, of.n + 1, column));
    for (const char *name; (name = PageMetricStructure(page, 0, quantity, &row));)
      PetscCall(AddMetricRow(page, name, quantity, of.n, of.metric));
    PetscCall(HTMLTableEnd(&page->text));
  }
  PetscCall(PageMetricColumnsDestroy(&of));
  PetscFunctionReturn(0);
}

PetscErrorCode PageMetrics(PlanPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLSection(&page->text, "metrics", "Doses, LETd and outcomes of structures"));
  PetscCall(TextAdd(&page->text,
                    "<p>Nominal scenario; below it the lowest and the highest value of all evaluation "
                    "scenarios%s.</p>\n",
                    PageNominalApart(page) ? ", of which it is none: it can lie outside" : ""));
  for (Quantity q = 0; q < n_quantities; q++)
    PetscCall(AddMetricTable(page, quantities[q].name, quantities[q].meaning));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

/* A metric that scenarios are compared by, its rows in a block, and its range over the scenarios. */
typedef struct Compared {
  const char *structure, *metric, *unit;
  PetscInt offset;
  double low, high;
  PetscBool more_is_better;
} Compared;

static void FindRange(const PlanPage *page, Compared *c)
{
  const Table *scenarios = &page->table[PLAN_SCENARIOS], *metrics = &page->table[PLAN_METRICS];
  c->low = INFINITY, c->high = -INFINITY;
  for (PetscInt row = 0; row < scenarios->n_rows; row++) {
    const PetscInt block = strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate")
                               ? -1
                               : PageBlock(page, Cell(scenarios, row, SCENARIO_ID));
    if (block < 0) continue;
    const double value = strtod(Cell(metrics, block + c->offset, COLUMN_VALUE), NULL);
    c->low = PetscMin(c->low, value), c->high = PetscMax(c->high, value);
  }
}

/* D95, D98, D2 of targets and the highest dose of organs, as many as have columns. */
static PetscInt ComparedMetrics(const PlanPage *page, Compared compared[MOST_COLUMNS])
{
  static const struct {
    const char *metric, *role;
    PetscBool more_is_better;
  } wanted[] = {{"D98", "target", PETSC_TRUE},
                {"V95", "target", PETSC_TRUE},
                {"D2", "target", PETSC_FALSE},
                {"Dmax", "oar", PETSC_FALSE}};
  const Table *metrics = &page->table[PLAN_METRICS];
  PetscInt n = 0;
  for (PetscInt i = 0; i < page->n_metric && n < 14; i++) {
    const PageStructure *s = PageStructureFind(page, Cell(metrics, i, COLUMN_STRUCTURE));
    for (size_t k = 0; s && k < PETSC_STATIC_ARRAY_LENGTH(wanted); k++)
      if (!strcmp(s->on_file.role, wanted[k].role) && !strcmp(Cell(metrics, i, COLUMN_METRIC), wanted[k].metric) &&
          !strcmp(Cell(metrics, i, COLUMN_QUANTITY), quantities[QUANTITY_RBE_WEIGHTED].name)) {
        compared[n] = (Compared){s->on_file.name, wanted[k].metric, Cell(metrics, i, COLUMN_UNIT), i,
                                 .more_is_better = wanted[k].more_is_better};
        FindRange(page, &compared[n++]);
      }
  }
  return n;
}

static PetscErrorCode AddScenario(PlanPage *page, PetscInt row, PetscInt n, const Compared *compared)
{
  PetscFunctionBegin;
  const Table *scenarios = &page->table[PLAN_SCENARIOS], *metrics = &page->table[PLAN_METRICS];
  const PetscInt block = PageBlock(page, Cell(scenarios, row, SCENARIO_ID));
  PetscCall(TextAdd(&page->text, "<tr data-scenario='"));
  PetscCall(HTMLText(&page->text, Cell(scenarios, row, SCENARIO_ID)));
  PetscCall(TextAdd(&page->text, "'>"));
  PetscCall(HTMLElement(&page->text, "th", "scope='row'", Cell(scenarios, row, SCENARIO_ID)));
  for (int c = SCENARIO_X; c <= SCENARIO_RANGE; c++)
    PetscCall(HTMLElement(&page->text, "td", "class='number'", Cell(scenarios, row, c)));
  for (PetscInt k = 0; k < n && block >= 0; k++) {
    const char *const text = Cell(metrics, block + compared[k].offset, COLUMN_VALUE);
    const double width = compared[k].high - compared[k].low,
                 up = width > 0 ? (strtod(text, NULL) - compared[k].low) / width : 0;
    const double bad = width > 0 ? (compared[k].more_is_better ? 1 - up : up) : 0;
    PetscCall(
        TextAdd(&page->text, "<td class='number' style='background:rgba(213,94,0,%.2f)'>%s</td>", 0.45 * bad, text));
  }
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode PageScenarios(PlanPage *page)
{
  PetscFunctionBegin;
  const Table *scenarios = &page->table[PLAN_SCENARIOS];
  Compared compared[MOST_COLUMNS];
  const char *column[MOST_COLUMNS + 5] = {"Scenario", "x / mm", "y / mm", "z / mm", "range / %"};
  Text name[MOST_COLUMNS] = {{0}};
  const PetscInt n = ComparedMetrics(page, compared);
  PetscInt shown = 0, all = 0;
  for (PetscInt k = 0; k < n; k++) {
    PetscCall(TextAdd(&name[k], "%s %s / %s", compared[k].structure, compared[k].metric, compared[k].unit));
    column[5 + k] = name[k].data;
  }
  PetscCall(HTMLSection(&page->text, "scenarios", "Scenarios of the evaluation"));
  PetscCall(
      HTMLTable(&page->text,
                "RBE-weighted doses per fraction in every scenario; the darker a cell, the worse it is in its column",
                n + 5, column));
  for (PetscInt row = 0; row < scenarios->n_rows; row++) {
    if (strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate")) continue;
    if (all++ < MOST_SCENARIOS) PetscCall(AddScenario(page, row, n, compared));
    shown = PetscMin(all, MOST_SCENARIOS);
  }
  PetscCall(HTMLTableEnd(&page->text));
  if (all > shown)
    PetscCall(
        TextAdd(&page->text, "<p>The first %d of %d scenarios; metrics.csv has all.</p>\n", (int)shown, (int)all));
  PetscCall(HTMLSectionEnd(&page->text));
  for (PetscInt k = 0; k < n; k++) PetscCall(TextDestroy(&name[k]));
  PetscFunctionReturn(0);
}
