/*
 * The page of a study. Its numbers are those of the plans' tables and of statistics.csv, as they stand there; what is compared is what
 * the study has goals on, and the coverage of the targets.
 */
#include "robion/index_page.h"
#include "robion/collect.h"
#include "robion/html.h"
#include "robion/plan_page.h"
#include "robion/results.h"
#include <math.h>
#include <string.h>

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
  Table *goals;       /* [study->n_plans] */
  const char **error; /* [study->n_plans] why there is no page of a plan that is done, NULL: there is one; owned */
  Samples samples;
  PetscInt n_variant,
      *variant;       /* arms and sweep points in the order of the study: the first plan of each that has a page */
  Text *variant_name; /* [n_variant] "12C" or "12C, sweep" */
  PetscInt n_topic;
  Topic topic[MOST_COMPARED];
} StudyPage;

static PetscBool HasPage(const StudyPage *page, PetscInt p)
{
  return page->news[p].condition == CONDITION_DONE && !page->error[p] ? PETSC_TRUE : PETSC_FALSE;
}

/* As many "../" as a plan's folder has names. */
static void Upwards(const char *folder, char up[64])
{
  size_t used = 0;
  for (const char *c = strchr(folder, '/'); c && used < 60; c = strchr(c + 1, '/'))
    used += (size_t)snprintf(up + used, 64 - used, "../");
  up[used] = 0;
}

/* Where a plan's files are as seen from its page: NULL unless the pages are in the results folder. */
static const char *FilesOf(const StudyPage *page, const char *folder, char files[PETSC_MAX_PATH_LEN])
{
  char up[64], own[PETSC_MAX_PATH_LEN];
  snprintf(own, sizeof own, "%s/report", page->results);
  if (strcmp(own, page->folder)) return NULL;
  Upwards(folder, up);
  snprintf(files, PETSC_MAX_PATH_LEN, "%s../%s", up, folder);
  return files;
}

/* The finished plans of the same case, but for this one; the first at the same sweep point. others: as many as the study has plans. */
static PetscInt OthersOf(const StudyPage *page, PetscInt p, PlanPageOther *others)
{
  const Study *study = page->study;
  const PlanSpec *plan = &study->plans[p];
  PetscInt n = 0;
  for (int same = 1; same >= 0; same--)
    for (PetscInt k = 0; k < study->n_plans; k++) {
      const PlanSpec *other = &study->plans[k];
      if (k == p || other->case_index != plan->case_index || (strcmp(other->sweep, plan->sweep) == 0) != same ||
          page->news[k].condition != CONDITION_DONE)
        continue;
      snprintf(others[n].name, sizeof others[n].name, "%s%s%s", other->arm, other->sweep[0] ? ", " : "", other->sweep);
      snprintf(others[n].folder, sizeof others[n].folder, "%s/%s", page->results, other->folder);
      n++;
    }
  return n;
}

/* The page of one plan, and what of it the study's page needs. */
static PetscErrorCode AddPlan(StudyPage *page, PetscInt p)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN], out[PETSC_MAX_PATH_LEN], home[80], up[64], files[PETSC_MAX_PATH_LEN];
  const char *const own = page->study->plans[p].folder;
  Mistakes found = {0};
  Table metrics = {0};
  char file[PETSC_MAX_PATH_LEN];
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", page->results, own));
  PetscCall(PetscSNPrintf(out, sizeof out, "%s/%s.html", page->folder, own));
  Upwards(own, up);
  snprintf(home, sizeof home, "%sindex.html", up);
  char *slash = strrchr(out, '/');
  *slash = 0;
  const PetscBool there = FolderMake(out, &found);
  *slash = '/';
  PlanFilePath(folder, PLAN_METRICS, file);
  if (there) {
    PlanPageSpec spec = {.folder = folder, .out = out, .home = home, .files = FilesOf(page, own, files)};
    PlanPageOther *others;
    PetscCall(PetscMalloc1(page->study->n_plans, &others));
    spec.n_other = OthersOf(page, p, others);
    spec.other = others;
    PetscCall(PlanPageWrite(&spec, &found));
    PetscCall(PetscFree(others));
  }
  if (!MistakesAny(&found) && PlanTableRead(folder, PLAN_GOALS, &found, &page->goals[p]) &&
      MetricTableRead(file, &found, &metrics))
    PetscCall(SamplesAdd(&page->samples, p, &metrics));
  PetscCall(TableDestroy(&metrics));
  if (MistakesAny(&found)) PetscCall(PetscStrallocpy(MistakesFirst(&found), (char **)&page->error[p]));
  PetscCall(MistakesMove(&found, MistakesExit(&found), page->mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTopic(StudyPage *page, const Topic *topic)
{
  PetscFunctionBegin;
  const Sample *sample = SamplesFind(&page->samples, topic->scenario, topic->structure, topic->quantity, topic->metric);
  if (!sample || page->n_topic == MOST_COMPARED) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < page->n_topic; i++) {
    const Topic *t = &page->topic[i];
    if (!strcmp(t->scenario, topic->scenario) && !strcmp(t->structure, topic->structure) &&
        !strcmp(t->quantity, topic->quantity) && !strcmp(t->metric, topic->metric))
      PetscFunctionReturn(0);
  }
  page->topic[page->n_topic] = *topic;
  page->topic[page->n_topic++].unit = sample->unit;
  PetscFunctionReturn(0);
}

/* The highest dose of what objectives keep low. */
static PetscErrorCode AddOrgans(StudyPage *page, const Settings *settings)
{
  PetscFunctionBegin;
  static const char *const scenario[] = {"nominal", "max"};
  for (PetscInt o = 0; o < settings->n_objectives; o++)
    for (int k = 0; k < 2; k++)
      if (!strcmp(settings->objectives[o].type, "overdose"))
        PetscCall(AddTopic(page, &(Topic){scenario[k], settings->objectives[o].structure,
                                          quantities[QUANTITY_RBE_WEIGHTED].name, "Dmax", NULL}));
  PetscFunctionReturn(0);
}

/* Coverage of targets in the nominal and the worst scenario, what objectives keep low and goals look at, and outcomes. */
static PetscErrorCode FindTopics(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const scenario[] = {"nominal", "min"};
  const char *const dose = quantities[QUANTITY_RBE_WEIGHTED].name;
  for (PetscInt p = 0; p < page->study->n_plans; p++)
    for (int k = 0; k < 2; k++)
      PetscCall(AddTopic(page, &(Topic){scenario[k], page->study->plans[p].settings.target, dose, "D98", NULL}));
  for (PetscInt p = 0; p < page->study->n_plans; p++)
    for (PetscInt row = 0; row < page->goals[p].n_rows; row++) {
      char *const *const cell = page->goals[p].field + row * page->goals[p].n_columns;
      PetscCall(
          AddTopic(page, &(Topic){"nominal", cell[GOAL_STRUCTURE], cell[GOAL_QUANTITY], cell[GOAL_METRIC], NULL}));
      if (strcmp(cell[GOAL_SCENARIO], "nominal"))
        PetscCall(AddTopic(
            page, &(Topic){cell[GOAL_SCENARIO], cell[GOAL_STRUCTURE], cell[GOAL_QUANTITY], cell[GOAL_METRIC], NULL}));
    }
  for (PetscInt p = 0; p < page->study->n_plans; p++) PetscCall(AddOrgans(page, &page->study->plans[p].settings));
  for (PetscInt i = 0; i < page->samples.n; i++) {
    const Sample *s = page->samples.sample[i];
    if (!strcmp(s->scenario, "nominal") && (!strncmp(s->metric, "NTCP-", 5) || !strncmp(s->metric, "TCP", 3)))
      PetscCall(AddTopic(page, &(Topic){s->scenario, s->structure, s->quantity, s->metric, NULL}));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddPlanRow(StudyPage *page, PetscInt p)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &page->study->plans[p];
  const PlanNews *news = &page->news[p];
  const Table *goals = &page->goals[p];
  const PetscInt met = GoalTableMet(goals);
  PetscCall(TextAdd(&page->text, "<tr>"));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->case_name));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->arm));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->sweep));
  if (HasPage(page, p)) {
    PetscCall(TextAdd(&page->text, "<td><a href='"));
    PetscCall(HTMLText(&page->text, plan->folder));
    PetscCall(TextAdd(&page->text, ".html'>done</a></td><td class='number'>%.4g</td>", news->seconds));
    if (goals->n_rows)
      PetscCall(TextAdd(&page->text, "<td class='number %s'>%d of %d</td>", met == goals->n_rows ? "met" : "missed",
                        (int)met, (int)goals->n_rows));
    else
      PetscCall(TextAdd(&page->text, "<td>no goals</td>"));
    PetscCall(TextAdd(&page->text, "<td></td></tr>\n"));
    PetscFunctionReturn(0);
  }
  PetscCall(
      HTMLElement(&page->text, "td", news->condition == CONDITION_FAILED || page->error[p] ? "class='missed'" : NULL,
                  page->error[p] ? plan_condition_names[CONDITION_DAMAGED] : plan_condition_names[news->condition]));
  PetscCall(TextAdd(&page->text, "<td class='number'>%.4g</td><td></td>", news->seconds));
  PetscCall(HTMLElement(&page->text, "td", NULL, page->error[p] ? page->error[p] : news->reason));
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddPlans(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Case", "Arm", "Sweep", "State", "Seconds", "Goals met", "Why not"};
  const PetscInt n = page->study->n_plans;
  PetscInt unasked = InventoryCount(n, page->news, CONDITION_UNASKED), done = 0;
  for (PetscInt p = 0; p < n; p++) done += HasPage(page, p);
  PetscCall(HTMLSection(&page->text, "plans", "Plans"));
  PetscCall(TextAdd(&page->text, "<p class='verdict %s'>%d of %d plans are done</p>\n",
                    done + unasked == n ? "met" : "missed", (int)done, (int)(n - unasked)));
  PetscCall(HTMLTable(&page->text, "Every plan, with a link to its page", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt p = 0; p < n; p++)
    if (page->news[p].condition != CONDITION_UNASKED) PetscCall(AddPlanRow(page, p));
  PetscCall(HTMLTableEnd(&page->text));
  if (unasked)
    PetscCall(
        TextAdd(&page->text, "<p>%d more plans of the study were not asked for (--only, --arms).</p>\n", (int)unasked));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

static PetscBool SameVariant(const PlanSpec *a, const PlanSpec *b)
{
  return !strcmp(a->arm, b->arm) && !strcmp(a->sweep, b->sweep) ? PETSC_TRUE : PETSC_FALSE;
}

/* "12C" or "12C, sweep". */
static PetscErrorCode AddVariantName(Text *text, const char *arm, const char *sweep)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "%s%s%s", arm, sweep[0] ? ", " : "", sweep));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindVariants(StudyPage *page)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans;
  PetscCall(PetscMalloc1(page->study->n_plans, &page->variant));
  PetscCall(PetscCalloc1(page->study->n_plans, &page->variant_name));
  for (PetscInt p = 0; p < page->study->n_plans; p++) {
    PetscInt k = 0;
    while (k < page->n_variant && !SameVariant(&plans[page->variant[k]], &plans[p])) k++;
    if (k < page->n_variant || !HasPage(page, p)) continue;
    PetscCall(AddVariantName(&page->variant_name[k], plans[p].arm, plans[p].sweep));
    page->variant[page->n_variant++] = p;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTopicName(Text *text, const Topic *t)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "%s %s, %s / %s", t->structure, t->metric, t->scenario, t->unit));
  PetscFunctionReturn(0);
}

/* Values of a topic in one variant, of the cases that have it: value and case of each. */
static PetscInt ValuesOf(const StudyPage *page, const Topic *t, const PlanSpec *variant, double *value, PetscInt *of)
{
  const Sample *sample = SamplesFind(&page->samples, t->scenario, t->structure, t->quantity, t->metric);
  PetscInt n = 0;
  for (PetscInt p = 0; sample && p < page->study->n_plans; p++) {
    const PlanSpec *plan = &page->study->plans[p];
    if (!SameVariant(plan, variant) || !HasPage(page, p) || isnan(sample->value[p])) continue;
    of[n] = plan->case_index;
    value[n++] = sample->value[p];
  }
  return n;
}

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
  PetscCall(AddTopicName(&caption, t));
  PetscCall(HTMLTable(&page->text, caption.data, n_variant + 1, column));
  for (PetscInt p = 0, last = -1; p < page->study->n_plans; p++) {
    const PlanSpec *plan = &page->study->plans[p];
    if (plan->case_index == last || !HasPage(page, p)) continue;
    last = plan->case_index;
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "th", "scope='row'", plan->case_name));
    for (PetscInt k = 0; k < n_variant; k++) {
      double value = NAN;
      for (PetscInt q = 0; q < page->study->n_plans; q++)
        if (page->study->plans[q].case_index == last &&
            SameVariant(&page->study->plans[q], &page->study->plans[page->variant[k]]))
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
        ValuesOf(page, t, &page->study->plans[page->variant[k]], pairs.value + k * n_plans, pairs.of + k * n_plans);
  }
  PetscCall(AddTopicName(&title, t));
  pairs.title = title.data;
  pairs.stride = n_plans;
  PetscCall(HTMLPairsPlot(&page->text, &pairs));
  PetscCall(PetscFree4(pairs.value, pairs.of, pairs.n, pairs.name));
  PetscCall(TextDestroy(&title));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddComparison(StudyPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLSection(&page->text, "arms", "Arms beside each other"));
  PetscCall(TextAdd(
      &page->text,
      "<p>What the study has goals on, the coverage of its targets and outcomes; doses RBE-weighted per fraction "
      "unless named otherwise. "
      "“nominal” is the nominal scenario, “min” and “max” the lowest and highest of all evaluation scenarios.</p>\n"));
  for (PetscInt i = 0; i < page->n_topic; i++) {
    if (page->n_variant > 1) PetscCall(AddPairs(page, &page->topic[i]));
    PetscCall(TextAdd(&page->text, "<details><summary>Values of all cases</summary>\n"));
    PetscCall(AddCases(page, &page->topic[i]));
    PetscCall(TextAdd(&page->text, "</details>\n"));
  }
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

/* Rows of statistics.csv that compare two variants in a topic. */
static PetscErrorCode AddStatistics(StudyPage *page)
{
  PetscFunctionBegin;
  enum {
    ARM = 5,
    SWEEP,
    VERSUS_ARM,
    VERSUS_SWEEP,
    COUNT,
    MEDIAN = 14,
    MEDIAN_LOW = 17,
    MEDIAN_HIGH,
    RATIO,
    WILCOXON = 21,
    HOLM
  };
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
  static const int shown[] = {COUNT, MEDIAN, MEDIAN_LOW, MEDIAN_HIGH, RATIO, WILCOXON, HOLM};
  char file[PETSC_MAX_PATH_LEN];
  Table table = {0};
  Mistakes missing = {0};
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/statistics.csv", page->results));
  if (!TableRead(file, statistics_header, &missing, &table)) {
    PetscCall(MistakesClear(&missing));
    PetscFunctionReturn(0);
  }
  PetscCall(HTMLSection(&page->text, "statistics", "Statistics over the cases"));
  PetscCall(HTMLTable(&page->text, "Differences between plans of the same case, as in statistics.csv",
                      PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt row = 0; row < table.n_rows; row++) {
    char *const *const cell = table.field + row * table.n_columns;
    for (PetscInt i = 0; i < page->n_topic && cell[VERSUS_ARM][0]; i++) {
      const Topic *t = &page->topic[i];
      Text text = {0};
      if (strcmp(cell[0], t->scenario) || strcmp(cell[1], t->structure) || strcmp(cell[2], t->quantity) ||
          strcmp(cell[3], t->metric))
        continue;
      PetscCall(AddTopicName(&text, t));
      PetscCall(TextAdd(&page->text, "<tr>"));
      PetscCall(HTMLElement(&page->text, "th", "scope='row'", text.data));
      PetscCall(TextDestroy(&text));
      PetscCall(AddVariantName(&text, cell[ARM], cell[SWEEP]));
      PetscCall(HTMLElement(&page->text, "td", NULL, text.data));
      PetscCall(TextDestroy(&text));
      PetscCall(AddVariantName(&text, cell[VERSUS_ARM], cell[VERSUS_SWEEP]));
      PetscCall(HTMLElement(&page->text, "td", NULL, text.data));
      PetscCall(TextDestroy(&text));
      for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(shown); k++)
        PetscCall(HTMLElement(&page->text, "td", "class='number'", cell[shown[k]]));
      PetscCall(TextAdd(&page->text, "</tr>\n"));
    }
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscCall(TableDestroy(&table));
  PetscFunctionReturn(0);
}

/* Each goal by its words, and in how many plans of each variant it is met. */
static PetscErrorCode AddGoals(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Arm", "Goals met", "Plans that meet all of theirs"};
  PetscInt n_goal = 0;
  for (PetscInt p = 0; p < page->study->n_plans; p++) n_goal += page->goals[p].n_rows;
  if (!n_goal) PetscFunctionReturn(0);
  PetscCall(HTMLSection(&page->text, "goals", "Goals"));
  PetscCall(HTMLTable(&page->text, "Goals met by the plans of each arm", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt k = 0; k < page->n_variant; k++) {
    PetscInt met = 0, all = 0, whole = 0, plans = 0;
    for (PetscInt p = 0; p < page->study->n_plans; p++) {
      const Table *goals = &page->goals[p];
      if (!HasPage(page, p) || !SameVariant(&page->study->plans[p], &page->study->plans[page->variant[k]])) continue;
      const PetscInt own = GoalTableMet(goals);
      met += own, all += goals->n_rows, whole += own == goals->n_rows, plans++;
    }
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "th", "scope='row'", page->variant_name[k].data));
    PetscCall(TextAdd(&page->text, "<td class='number'>%d of %d</td><td class='number'>%d of %d</td></tr>\n", (int)met,
                      (int)all, (int)whole, (int)plans));
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Compose(StudyPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLBegin(&page->text, page->study->name, NULL));
  PetscCall(AddPlans(page));
  PetscCall(AddGoals(page));
  PetscCall(AddComparison(page));
  PetscCall(AddStatistics(page));
  PetscCall(HTMLEnd(&page->text, 0, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyPagesWrite(FILE *out, const char *results, const Study *study, const char *folder,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  StudyPage page = {.results = results, .folder = folder, .study = study, .mistakes = mistakes};
  char file[PETSC_MAX_PATH_LEN];
  PetscInt n = 0;
  PetscCall(PetscCalloc3(study->n_plans, &page.news, study->n_plans, &page.goals, study->n_plans, &page.error));
  PetscCall(SamplesCreate(study->n_plans, &page.samples));
  PetscCall(InventoryFill(results, study, PETSC_FALSE, page.news));
  for (PetscInt p = 0; p < study->n_plans && MistakesExit(mistakes) != ROBION_RESOURCES; p++)
    if (page.news[p].condition == CONDITION_DONE) PetscCall(AddPlan(&page, p));
  for (PetscInt p = 0; p < study->n_plans; p++) n += HasPage(&page, p);
  PetscCall(FindTopics(&page));
  PetscCall(FindVariants(&page));
  if (MistakesExit(mistakes) != ROBION_RESOURCES) PetscCall(Compose(&page));
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/index.html", folder));
  if (page.text.length && FolderMake(folder, mistakes) && FileReplace(file, page.text.data, page.text.length, mistakes))
    fprintf(out, "%s: the study, with links to the pages of %d plans\n", file, (int)n);
  for (PetscInt p = 0; p < study->n_plans; p++) {
    PetscCall(TableDestroy(&page.goals[p]));
    PetscCall(PetscFree(page.error[p]));
  }
  for (PetscInt k = 0; k < page.n_variant; k++) PetscCall(TextDestroy(&page.variant_name[k]));
  PetscCall(PetscFree(page.variant));
  PetscCall(PetscFree(page.variant_name));
  PetscCall(SamplesDestroy(&page.samples));
  PetscCall(TextDestroy(&page.text));
  PetscCall(PetscFree3(page.news, page.goals, page.error));
  PetscFunctionReturn(0);
}
