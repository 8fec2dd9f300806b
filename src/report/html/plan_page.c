/* A plan's page: what it is made from, and the order of its parts. */
#include "page_private.h"
#include <string.h>

PetscInt PageBlock(const PlanPage *page, const char *scenario)
{
  const Table *metrics = &page->table[PLAN_METRICS];
  for (PetscInt row = 0; row < metrics->n_rows; row += PetscMax(page->n_metric, 1))
    if (!strcmp(Cell(metrics, row, COLUMN_SCENARIO), scenario)) return row;
  return -1;
}

const char *PageMetric(const PlanPage *page, PetscInt block, const char *structure, const char *quantity,
                       const char *metric)
{
  const Table *metrics = &page->table[PLAN_METRICS];
  for (PetscInt i = 0; block >= 0 && i < page->n_metric; i++)
    if (!strcmp(Cell(metrics, block + i, COLUMN_METRIC), metric) &&
        !strcmp(Cell(metrics, block + i, COLUMN_QUANTITY), quantity) &&
        !strcmp(Cell(metrics, block + i, COLUMN_STRUCTURE), structure))
      return Cell(metrics, block + i, COLUMN_VALUE);
  return "";
}

/* Whether a row of metrics.csv has a value, of this quantity. */
static PetscBool HasValue(const PlanPage *page, PetscInt row, const char *quantity)
{
  const Table *metrics = &page->table[PLAN_METRICS];
  return strcmp(Cell(metrics, row, COLUMN_QUANTITY), quantity) || !Cell(metrics, row, COLUMN_VALUE)[0] ? PETSC_FALSE
                                                                                                       : PETSC_TRUE;
}

PetscErrorCode PageMetricColumnsCreate(const PlanPage *page, PetscInt block, const char *quantity,
                                       PageMetricColumns *columns)
{
  PetscFunctionBegin;
  const Table *metrics = &page->table[PLAN_METRICS];
  *columns = (PageMetricColumns){0};
  for (PetscInt i = 0; block >= 0 && i < page->n_metric; i++) {
    const char *const metric = Cell(metrics, block + i, COLUMN_METRIC), *const unit =
                                                                            Cell(metrics, block + i, COLUMN_UNIT);
    PetscInt k = 0;
    if (!HasValue(page, block + i, quantity)) continue;
    while (k < columns->n && strcmp(columns->metric[k], metric)) k++;
    if (k < columns->n || k == PAGE_METRICS_MOST) continue;
    columns->metric[columns->n++] = metric;
    PetscCall(TextAdd(&columns->header[k], strcmp(unit, "1") ? "%s / %s" : "%s", metric, unit));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PageMetricColumnsDestroy(PageMetricColumns *columns)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < columns->n; k++) PetscCall(TextDestroy(&columns->header[k]));
  PetscFunctionReturn(0);
}

const char *PageMetricStructure(const PlanPage *page, PetscInt block, const char *quantity, PetscInt *row)
{
  const Table *metrics = &page->table[PLAN_METRICS];
  while (block >= 0 && *row < page->n_metric) {
    const PetscInt here = block + (*row)++;
    const char *const name = Cell(metrics, here, COLUMN_STRUCTURE);
    PetscInt before = block;
    if (!HasValue(page, here, quantity)) continue;
    while (before < here &&
           (!HasValue(page, before, quantity) || strcmp(Cell(metrics, before, COLUMN_STRUCTURE), name)))
      before++;
    if (before == here) return name;
  }
  return NULL;
}

PetscBool PageNominalApart(const PlanPage *page)
{
  const Table *scenarios = &page->table[PLAN_SCENARIOS];
  for (PetscInt row = 0; row < scenarios->n_rows; row++)
    if (!strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate") &&
        !strcmp(Cell(scenarios, row, SCENARIO_ID), "nominal") && Cell(scenarios, row, SCENARIO_IN_SET)[0] != '1')
      return PETSC_TRUE;
  return PETSC_FALSE;
}

const PageStructure *PageStructureFind(const PlanPage *page, const char *name)
{
  for (PetscInt s = 0; s < page->n_structure; s++)
    if (!strcmp(page->structure[s].on_file.name, name)) return &page->structure[s];
  return NULL;
}

/* The tables, and how many rows each scenario has. */
static PetscBool ReadTables(PlanPage *page)
{
  for (int which = PLAN_METRICS; which < N_PLAN_FILES; which++)
    if (!PlanTableRead(page->spec->folder, which, page->mistakes, &page->table[which])) return PETSC_FALSE;
  const Table *metrics = &page->table[PLAN_METRICS];
  while (page->n_metric < metrics->n_rows &&
         !strcmp(Cell(metrics, page->n_metric, COLUMN_SCENARIO), Cell(metrics, 0, COLUMN_SCENARIO)))
    page->n_metric++;
  if (page->n_metric && metrics->n_rows % page->n_metric == 0) return PETSC_TRUE;
  (void)MistakesAdd(page->mistakes, ROBION_INPUT, "%s/%s: %d rows, expected as many for each scenario",
                    page->spec->folder, plan_files[PLAN_METRICS], (int)metrics->n_rows);
  return PETSC_FALSE;
}

/* A dose gives the grid its size. */
static PetscBool ReadGrid(PlanPage *page)
{
  float *dose = NULL;
  const PetscBool good =
      PlanReadGrid(&page->plan, page->mistakes, &page->grid) &&
              PlanReadDose(&page->plan, PLAN_NOMINAL, QUANTITY_RBE_WEIGHTED, page->mistakes, &page->grid, &dose)
          ? PETSC_TRUE
          : PETSC_FALSE;
  (void)PetscFree(dose);
  return good;
}

static PetscErrorCode ReadStructures(PlanPage *page, const PlanVolumes *names)
{
  PetscFunctionBegin;
  PetscCall(PetscCalloc1(names->n, &page->structure));
  for (PetscInt i = 0; i < names->n; i++) {
    PageStructure *s = &page->structure[page->n_structure];
    if (strncmp(names->name[i], PLAN_STRUCTURES, strlen(PLAN_STRUCTURES))) continue;
    page->n_structure++;
    s->colour = ReportColour(page->n_structure - 1);
    if (!PlanReadStructure(&page->plan, names->name[i], page->mistakes, &s->on_file)) break;
    if (!PlanReadShares(&page->plan, names->name[i], &page->grid, page->mistakes, &s->share)) break;
  }
  PetscFunctionReturn(0);
}

static PetscBool ReadFacts(PlanPage *page)
{
  PlanPageFacts *facts = page->facts;
  const Table *scenarios = &page->table[PLAN_SCENARIOS];
  *facts = (PlanPageFacts){.prescription_Gy_RBE = page->number[PLAN_PRESCRIPTION_Gy_RBE]};
  snprintf(facts->mode, sizeof facts->mode, "%s", page->word[PLAN_MODE]);
  for (PetscInt s = 0; s < page->n_structure; s++)
    if (!strcmp(page->structure[s].on_file.role, "external"))
      snprintf(facts->external, sizeof facts->external, "%s", page->structure[s].on_file.name);
  for (PetscInt row = 0; row < scenarios->n_rows; row++) {
    const PetscInt counts = Cell(scenarios, row, SCENARIO_IN_SET)[0] == '1';
    *(strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate") ? &facts->n_optimize : &facts->n_evaluate) += counts;
  }
  return PlanReadCertificate(&page->plan, page->mistakes, &facts->certificate);
}

/* Everything but doses; false after a mistake. */
static PetscBool ReadPlan(PlanPage *page)
{
  Mistakes *mistakes = page->mistakes;
  PlanVolumes names = {0};
  for (int t = 0; t < N_PLAN_TEXTS; t++)
    if (!PlanReadText(&page->plan, t, mistakes, &page->word[t])) return PETSC_FALSE;
  for (int k = 0; k < N_PLAN_NUMBERS; k++)
    if (!PlanReadNumber(&page->plan, k, mistakes, &page->number[k])) return PETSC_FALSE;
  if (!ReadGrid(page)) return PETSC_FALSE;
  if (!PlanVolumeNames(&page->plan, mistakes, &names)) (void)ReadStructures(page, &names);
  (void)PlanVolumesDestroy(&names);
  return !MistakesAny(mistakes) && ReadTables(page) && ReadFacts(page) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode Destroy(PlanPage *page)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < page->n_structure; s++) {
    PetscCall(PlanStructureDestroy(&page->structure[s].on_file));
    PetscCall(PetscFree(page->structure[s].share));
  }
  PetscCall(PetscFree(page->structure));
  for (int t = 0; t < N_PLAN_TEXTS; t++) PetscCall(PetscFree(page->word[t]));
  for (int which = 0; which < N_PLAN_FILES; which++) PetscCall(TableDestroy(&page->table[which]));
  PetscCall(TextDestroy(&page->text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Compose(PlanPage *page)
{
  PetscFunctionBegin;
  static PetscErrorCode (*const part[])(PlanPage *) = {PageVerdict, PageHistograms, PageSlices,
                                                       PageMetrics, PageRobustness, PageScenarios,
                                                       PageBeams,   PageSolution,   PageOrigin};
  static const char *const scripts[] = {uPlot_min_js, plan_js};
  Text title = {0};
  PetscCall(TextAdd(&title, "%s, %s", page->word[PLAN_CASE], page->word[PLAN_ARM]));
  if (page->word[PLAN_SWEEP][0]) PetscCall(TextAdd(&title, ", %s", page->word[PLAN_SWEEP]));
  PetscCall(TextAdd(&title, " — %s", page->word[PLAN_STUDY]));
  PetscCall(HTMLBegin(&page->text, title.data, page->spec->home));
  PetscCall(TextDestroy(&title));
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(part); i++) PetscCall((*part[i])(page));
  PetscCall(HTMLEnd(&page->text, PETSC_STATIC_ARRAY_LENGTH(scripts), scripts));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanPageWrite(const PlanPageSpec *spec, Mistakes *mistakes, PlanPageFacts *facts)
{
  PetscFunctionBegin;
  PlanPage page = {.spec = spec, .mistakes = mistakes, .facts = facts};
  char file[PETSC_MAX_PATH_LEN];
  PlanFilePath(spec->folder, PLAN_H5, file);
  if (!PlanReaderOpen(file, mistakes, &page.plan)) PetscFunctionReturn(0);
  if (ReadPlan(&page)) PetscCall(Compose(&page));
  if (PlanReaderClose(&page.plan, mistakes) && !MistakesAny(mistakes))
    (void)FileReplace(spec->out, page.text.data, page.text.length, mistakes);
  PetscCall(Destroy(&page));
  PetscFunctionReturn(0);
}
