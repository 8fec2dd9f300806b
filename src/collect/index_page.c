/*
 * The page of a study. Its numbers are those of the plans' tables and of statistics.csv, as they stand there; what is compared is what
 * the study has goals on, and the coverage of the targets.
 */
#include "index_private.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

PetscBool IndexHasPage(const StudyPage *page, PetscInt p)
{
  return page->news[p].condition == CONDITION_DONE && !page->error[p] ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool IndexSameVariant(const PlanSpec *a, const PlanSpec *b)
{
  return !strcmp(a->arm, b->arm) && !strcmp(a->sweep, b->sweep) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode IndexAddVariant(Text *text, const char *arm, const char *sweep)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "%s%s%s", arm, sweep[0] ? ", " : "", sweep));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexAddTopic(Text *text, const Topic *t)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "%s %s, %s / %s", t->structure, t->metric, t->scenario, t->unit));
  PetscFunctionReturn(0);
}

PetscInt IndexValues(const StudyPage *page, const Topic *t, const PlanSpec *variant, double *value, PetscInt *of)
{
  const Sample *sample = SamplesFind(&page->samples, t->scenario, t->structure, t->quantity, t->metric);
  PetscInt n = 0;
  for (PetscInt p = 0; sample && p < page->study->n_plans; p++) {
    const PlanSpec *plan = &page->study->plans[p];
    if (!IndexSameVariant(plan, variant) || !IndexHasPage(page, p) || isnan(sample->value[p])) continue;
    of[n] = plan->case_index;
    value[n++] = sample->value[p];
  }
  return n;
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
    PetscCall(PlanPageWrite(&spec, &found, &page->facts[p]));
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

static PetscErrorCode FindVariants(StudyPage *page)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans;
  PetscCall(PetscMalloc1(page->study->n_plans, &page->variant));
  PetscCall(PetscCalloc1(page->study->n_plans, &page->variant_name));
  for (PetscInt p = 0; p < page->study->n_plans; p++) {
    PetscInt k = 0;
    while (k < page->n_variant && !IndexSameVariant(&plans[page->variant[k]], &plans[p])) k++;
    if (k < page->n_variant || !IndexHasPage(page, p)) continue;
    PetscCall(IndexAddVariant(&page->variant_name[k], plans[p].arm, plans[p].sweep));
    page->variant[page->n_variant++] = p;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Compose(StudyPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLBegin(&page->text, page->study->name, NULL));
  PetscCall(IndexSummary(page));
  PetscCall(IndexPlans(page));
  PetscCall(IndexGoals(page));
  PetscCall(IndexArms(page));
  PetscCall(IndexSweep(page));
  PetscCall(IndexStatistics(page));
  PetscCall(IndexOrigin(page));
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
  PetscCall(PetscCalloc4(study->n_plans, &page.news, study->n_plans, &page.goals, study->n_plans, &page.error,
                         study->n_plans, &page.facts));
  PetscCall(SamplesCreate(study->n_plans, &page.samples));
  PetscCall(InventoryFill(results, study, PETSC_FALSE, page.news));
  for (PetscInt p = 0; p < study->n_plans && MistakesExit(mistakes) != ROBION_RESOURCES; p++)
    if (page.news[p].condition == CONDITION_DONE) PetscCall(AddPlan(&page, p));
  for (PetscInt p = 0; p < study->n_plans; p++) n += IndexHasPage(&page, p);
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/statistics.csv", results));
  if (!access(file, F_OK)) (void)TableRead(file, statistics_header, mistakes, &page.statistics);
  PetscCall(FindTopics(&page));
  PetscCall(FindVariants(&page));
  if (MistakesExit(mistakes) != ROBION_RESOURCES) PetscCall(Compose(&page));
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/index.html", folder));
  if (page.text.length && FolderMake(folder, mistakes) && FileReplace(file, page.text.data, page.text.length, mistakes))
    fprintf(out, "%s: the study, with links to the pages of %d plans\n", file, (int)n);
  const PetscInt n_done = InventoryCount(study->n_plans, page.news, CONDITION_DONE);
  if (n_done < study->n_plans - InventoryCount(study->n_plans, page.news, CONDITION_UNASKED)) {
    InventoryPrint(out, study, page.news);
    fprintf(out, "`robion status %s` says what of each\n", results);
  }
  for (PetscInt p = 0; p < study->n_plans; p++) {
    PetscCall(TableDestroy(&page.goals[p]));
    PetscCall(PetscFree(page.error[p]));
  }
  for (PetscInt k = 0; k < page.n_variant; k++) PetscCall(TextDestroy(&page.variant_name[k]));
  PetscCall(PetscFree(page.variant));
  PetscCall(PetscFree(page.variant_name));
  PetscCall(TableDestroy(&page.statistics));
  PetscCall(SamplesDestroy(&page.samples));
  PetscCall(TextDestroy(&page.text));
  PetscCall(PetscFree4(page.news, page.goals, page.error, page.facts));
  PetscFunctionReturn(0);
}
