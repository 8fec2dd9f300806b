/*
 * The table at the end of a run: a row per plan of a case, in groups of columns. Every row is judged on the same structures, the
 * targets of all arms, so that arms can be compared; values are those of /metrics.
 */
#include "robion/objective.h"
#include "robion/plan_read.h"
#include "robion/report.h"
#include "robion/log.h"
#include <math.h>
#include <string.h>

enum { LINE = 120, LABEL = 56, CELL = 40, TITLE = 28 };

/* A few columns that stay together: a title over them, their names, and one cell text per plan. */
typedef struct Group {
  char title[LINE], columns[CELL];
  char (*cell)[CELL]; /* [plan of the case] */
  int width;
} Group;

/* The plans of one case and the groups of columns that describe them. */
typedef struct Sheet {
  const char *results;
  PetscInt n_plans;
  const PlanSpec *plans;
  const Samples *samples;
  PetscInt first; /* of the plans in the samples */
  PetscInt n_groups;
  Group *groups;
  Mistakes *mistakes;
} Sheet;

static PetscBool IsThere(const Sheet *sheet, PetscInt plan)
{
  return sheet->samples->there[sheet->first + plan];
}

static PetscErrorCode AddGroup(Sheet *sheet, const char *title, const char *columns, Group **group)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc((size_t)(sheet->n_groups + 1) * sizeof **group, &sheet->groups));
  *group = &sheet->groups[sheet->n_groups++];
  snprintf((*group)->title, sizeof(*group)->title, "%s", title);
  snprintf((*group)->columns, sizeof(*group)->columns, "%s", columns);
  (*group)->width = (int)strlen((*group)->columns);
  PetscCall(PetscCalloc1(sheet->n_plans, &(*group)->cell));
  PetscFunctionReturn(0);
}

/* A metric of a plan over its prescription (or as it is, where relative is false) in seven characters. */
static void AddValue(const Sheet *sheet, PetscInt plan, const char *scenario, const char *structure, const char *metric,
                     PetscBool relative, char cell[CELL])
{
  const Sample *sample =
      SamplesFind(sheet->samples, scenario, structure, quantities[QUANTITY_RBE_WEIGHTED].name, metric);
  const double value = sample ? sample->value[sheet->first + plan] : NAN;
  size_t used = strlen(cell);
  if (isnan(value))
    snprintf(cell + used, CELL - used, "%7s", "-");
  else if (relative)
    snprintf(cell + used, CELL - used, "%7.3f", value / sheet->plans[plan].settings.prescription_Gy_RBE);
  else
    snprintf(cell + used, CELL - used, "%7.1f", value);
}

static PetscErrorCode AddTarget(Sheet *sheet, const char *target)
{
  PetscFunctionBegin;
  static const char *const scenario[] = {"nominal", "min", "max", "index"};
  char title[LINE], name[TITLE + 1];
  Group *group;
  snprintf(name, sizeof name, "%.*s D98", TITLE - 4, target);
  snprintf(title, sizeof title, "%-*s  V95 %%", TITLE, name);
  PetscCall(AddGroup(sheet, title, "nominal    min    max  index    worst", &group));
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    for (int k = 0; k < 4; k++) AddValue(sheet, p, scenario[k], target, "D98", PETSC_TRUE, group->cell[p]);
    strcat(group->cell[p], "  ");
    AddValue(sheet, p, "min", target, "V95", PETSC_FALSE, group->cell[p]);
  }
  PetscFunctionReturn(0);
}

/* Every plan is told on the targets of all of them: what covers one's own target may not cover that of another. */
static PetscErrorCode AddTargets(Sheet *sheet)
{
  PetscFunctionBegin;
  PetscInt n;
  const char **target;
  PetscCall(PlansTargets(sheet->n_plans, sheet->plans, &n, &target));
  for (PetscInt t = 0; t < n; t++) PetscCall(AddTarget(sheet, target[t]));
  PetscCall(PetscFree(target));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddOrgan(Sheet *sheet, const char *structure)
{
  PetscFunctionBegin;
  static const char *const scenario[] = {"nominal", "max", "index"};
  char title[LINE];
  Group *group;
  snprintf(title, sizeof title, "%.*s Dmax", TITLE - 8, structure);
  for (PetscInt g = 0; g < sheet->n_groups; g++)
    if (!strcmp(sheet->groups[g].title, title)) PetscFunctionReturn(0);
  PetscCall(AddGroup(sheet, title, "nominal    max  index", &group));
  for (PetscInt p = 0; p < sheet->n_plans; p++)
    for (int k = 0; k < 3; k++) AddValue(sheet, p, scenario[k], structure, "Dmax", PETSC_TRUE, group->cell[p]);
  PetscFunctionReturn(0);
}

/* An organ is what is only kept low: a structure that some objective of any plan wants dose in is a target. */
static PetscBool IsOrgan(const Sheet *sheet, const char *structure)
{
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    const Settings *settings = &sheet->plans[p].settings;
    if (!strcmp(structure, settings->target)) return PETSC_FALSE;
    for (PetscInt o = 0; o < settings->n_objectives; o++) {
      const ObjectiveSpec *objective = &settings->objectives[o];
      if (strcmp(objective->structure, structure)) continue;
      if (ObjectiveTypeFind(objective->type)->wants_dose) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

static PetscErrorCode AddOrgans(Sheet *sheet)
{
  PetscFunctionBegin;
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    const Settings *settings = &sheet->plans[p].settings;
    for (PetscInt o = 0; o < settings->n_objectives; o++)
      if (IsOrgan(sheet, settings->objectives[o].structure))
        PetscCall(AddOrgan(sheet, settings->objectives[o].structure));
  }
  PetscFunctionReturn(0);
}

static void EffortCell(double iterations, double seconds, double memory_MiB, char cell[CELL])
{
  char duration[32];
  DurationText(seconds, duration);
  if (memory_MiB < 1024)
    snprintf(cell, CELL, "%5.0f %12.12s %6.0f MiB", iterations, duration, memory_MiB);
  else
    snprintf(cell, CELL, "%5.0f %12.12s %6.1f GiB", iterations, duration, memory_MiB / 1024);
}

static PetscErrorCode AddEffort(Sheet *sheet)
{
  PetscFunctionBegin;
  Group *group;
  PetscCall(AddGroup(sheet, "", " iter         time     memory", &group));
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    char file[PETSC_MAX_PATH_LEN];
    double iterations, seconds, memory_MiB;
    PlanReader reader;
    snprintf(file, sizeof file, "%s/%s/%s", sheet->results, sheet->plans[p].folder, plan_files[PLAN_H5]);
    if (!IsThere(sheet, p) || !PlanReaderOpen(file, sheet->mistakes, &reader)) continue;
    if (PlanReadNumber(&reader, PLAN_ITERATIONS, sheet->mistakes, &iterations) &&
        PlanReadNumber(&reader, PLAN_SECONDS, sheet->mistakes, &seconds) &&
        PlanReadNumber(&reader, PLAN_PEAK_MEMORY_MiB, sheet->mistakes, &memory_MiB))
      EffortCell(iterations, seconds, memory_MiB, group->cell[p]);
    (void)PlanReaderClose(&reader, sheet->mistakes);
  }
  PetscFunctionReturn(0);
}

/* Arm and sweep point; of a long one the end, which is where sweep points differ. */
static void LabelOf(const PlanSpec *plan, char label[LABEL + 1])
{
  char whole[4096];
  snprintf(whole, sizeof whole, "%s%s%s", plan->arm, *plan->sweep ? " " : "", plan->sweep);
  TextRemoveControls(whole);
  size_t length = strlen(whole);
  if (length <= LABEL)
    snprintf(label, LABEL + 1, "%.*s", LABEL, whole);
  else
    snprintf(label, LABEL + 1, "..%s", whole + length - (LABEL - 2));
}

/* Lines end where their text ends. */
static void PrintLine(FILE *out, char line[4 * LINE])
{
  size_t length = strlen(line);
  while (length && line[length - 1] == ' ') line[--length] = 0;
  fprintf(out, "%s\n", line);
}

/* The groups [first, last) below each other, one line per plan. */
static void PrintBlock(FILE *out, const Sheet *sheet, PetscInt first, PetscInt last, int label_width)
{
  char titles[4 * LINE], columns[4 * LINE], line[4 * LINE], label[LABEL + 1];
  int at = snprintf(titles, sizeof titles, "%-*s", label_width, "");
  snprintf(columns, sizeof columns, "%-*s", label_width, "arm");
  for (PetscInt g = first; g < last; g++) {
    const Group *group = &sheet->groups[g];
    snprintf(columns + at, sizeof columns - (size_t)at, "  %-*s", group->width, group->columns);
    at += snprintf(titles + at, sizeof titles - (size_t)at, "  %-*.*s", group->width, group->width, group->title);
  }
  PrintLine(out, titles);
  PrintLine(out, columns);
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    LabelOf(&sheet->plans[p], label);
    at = snprintf(line, sizeof line, "%-*s", label_width, label);
    if (!IsThere(sheet, p))
      snprintf(line + at, sizeof line - (size_t)at, "  no results");
    else
      for (PetscInt g = first; g < last; g++)
        at += snprintf(line + at, sizeof line - (size_t)at, "  %-*s", sheet->groups[g].width, sheet->groups[g].cell[p]);
    PrintLine(out, line);
  }
}

static void CaseTitle(const Sheet *sheet, char name[LINE])
{
  snprintf(name, LINE, "%.90s", sheet->plans[0].case_name);
  TextRemoveControls(name);
}

static void PrintSheet(FILE *out, const Sheet *sheet)
{
  char label[LABEL + 1];
  int label_width = (int)strlen("arm");
  for (PetscInt p = 0; p < sheet->n_plans; p++) {
    LabelOf(&sheet->plans[p], label);
    label_width = PetscMax(label_width, (int)strlen(label));
  }
  char name[LINE];
  CaseTitle(sheet, name);
  fprintf(out, "\ncase %s\n", name);
  for (PetscInt first = 0, last; first < sheet->n_groups; first = last) {
    int width = label_width;
    for (last = first; last < sheet->n_groups; last++) {
      width += 2 + sheet->groups[last].width;
      if (width > LINE && last > first) break;
    }
    PrintBlock(out, sheet, first, last, label_width);
  }
}

static PetscErrorCode CaseSummary(FILE *out, Sheet *sheet)
{
  PetscFunctionBegin;
  PetscBool any = PETSC_FALSE;
  for (PetscInt p = 0; p < sheet->n_plans; p++)
    if (IsThere(sheet, p)) any = PETSC_TRUE;
  if (any) {
    PetscCall(AddTargets(sheet));
    PetscCall(AddOrgans(sheet));
    PetscCall(AddEffort(sheet));
    PrintSheet(out, sheet);
  } else {
    char name[LINE];
    CaseTitle(sheet, name);
    fprintf(out, "\ncase %s: no results\n", name);
  }
  for (PetscInt g = 0; g < sheet->n_groups; g++) PetscCall(PetscFree(sheet->groups[g].cell));
  PetscCall(PetscFree(sheet->groups));
  PetscFunctionReturn(0);
}

PetscErrorCode SummaryPrint(FILE *out, const char *results, const Study *study, const Samples *samples,
                            Mistakes *mistakes)
{
  PetscFunctionBegin;
  fprintf(out, "\nRBE-weighted doses relative to the prescription; min, max: over the evaluation scenarios; index = "
               "max - min\n");
  for (PetscInt first = 0, last; first < study->n_plans; first = last) {
    for (last = first; last < study->n_plans && study->plans[last].case_index == study->plans[first].case_index;)
      last++;
    Sheet sheet = {results, last - first, study->plans + first, samples, first, 0, NULL, mistakes};
    PetscCall(CaseSummary(out, &sheet));
  }
  fflush(out);
  PetscFunctionReturn(0);
}
