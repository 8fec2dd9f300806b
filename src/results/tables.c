/* The tables beside plan.h5, as CSV: the numbers of its groups for people and spreadsheets. One list names columns and files. */
#include "robion/results.h"
#include "tables_private.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const table_headers[N_PLAN_FILES] = {
    [PLAN_METRICS] = "study,case,arm,sweep,scenario,structure,quantity,metric,value,unit",
    [PLAN_DVH] = "study,case,arm,sweep,structure,quantity,dose,unit,nominal_percent,min_percent,max_percent",
    [PLAN_SCENARIOS] = "set,id,x_mm,y_mm,z_mm,range_percent,weight,in_set,range_percent_of_beams,biology,"
                       "alpha_factors,beta_factors,rotation_x_deg,rotation_y_deg,rotation_z_deg,phase",
    [PLAN_GOALS] = "study,case,arm,sweep,structure,quantity,metric,per,scenario,relation,limit,value,unit,met,"
                   "each_relation,each_limit,each_unit"};

/* The first four columns, which are the same in every row of a plan. */
static PetscErrorCode PlanColumns(const PlanResult *r, Text *text)
{
  PetscFunctionBegin;
  const char *column[] = {r->study, r->patient, r->arm, r->sweep};
  for (int i = 0; i < 4; i++) {
    PetscCall(TextAddCSV(text, column[i]));
    PetscCall(TextAdd(text, ","));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MetricRows(const char *plan, const char *scenario, const MetricList *list, Text *text)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < list->n; i++) {
    const Metric *m = &list->item[i];
    PetscCall(TextAdd(text, "%s", plan));
    PetscCall(TextAddCSV(text, scenario));
    PetscCall(TextAdd(text, ","));
    PetscCall(TextAddCSV(text, m->structure));
    PetscCall(TextAdd(text, ",%s,%s,%.9g,%s\n", quantities[m->quantity].name, m->name, m->value, m->unit));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MetricsText(const PlanResult *r, Text *text)
{
  PetscFunctionBegin;
  Text plan = {0};
  PetscCall(PlanColumns(r, &plan));
  for (PetscInt s = 0; s < r->evaluate->n; s++)
    PetscCall(MetricRows(plan.data, r->evaluate->scenario[s].id, &r->metrics[s], text));
  for (int k = 0; k < SCENARIO_STATISTICS && r->statistics; k++)
    PetscCall(MetricRows(plan.data, scenario_statistic_names[k], &r->statistics[k], text));
  PetscCall(TextDestroy(&plan));
  PetscFunctionReturn(0);
}

static PetscErrorCode BandsText(const PlanResult *r, Text *text)
{
  PetscFunctionBegin;
  Text plan = {0};
  PetscCall(PlanColumns(r, &plan));
  for (PetscInt b = 0; b < r->n_bands; b++) {
    const DVHBand *band = &r->bands[b];
    for (PetscInt i = 0; i < band->n; i++) {
      PetscCall(TextAdd(text, "%s", plan.data));
      PetscCall(TextAddCSV(text, band->structure));
      PetscCall(TextAdd(text, ",%s,%.9g,%s,%.9g,%.9g,%.9g\n", quantities[band->quantity].name, band->axis[i],
                        quantities[band->quantity].unit, band->nominal[i], band->min[i], band->max[i]));
    }
  }
  PetscCall(TextDestroy(&plan));
  PetscFunctionReturn(0);
}

static PetscErrorCode ScenarioRows(const char *name, const ScenarioSet *set, Text *text)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < set->n; s++) {
    const Scenario *one = &set->scenario[s];
    PetscCall(TextAdd(text, "%s,", name));
    PetscCall(TextAddCSV(text, one->id));
    PetscCall(TextAdd(text, ",%.9g,%.9g,%.9g,%.9g,%.9g,%d,", one->shift_mm[0], one->shift_mm[1], one->shift_mm[2],
                      one->range_percent, one->weight, one->in_set ? 1 : 0));
    for (PetscInt b = 0; one->range_of_beam && b < set->n_beam; b++)
      PetscCall(TextAdd(text, "%s%.9g", b ? " " : "", one->range_of_beam[b]));
    PetscCall(TextAdd(text, ",%s", one->biology));
    for (int k = 0; k < 2; k++) {
      PetscCall(TextAdd(text, ","));
      for (PetscInt t = 0; one->factor && t < set->n_tissue; t++)
        PetscCall(TextAdd(text, "%s%.9g", t ? " " : "", ScenarioFactor(one, t, k)));
    }
    for (int k = 0; k < 3; k++) PetscCall(TextAdd(text, ",%.9g", one->rotation_deg[k]));
    PetscCall(TextAdd(text, ","));
    PetscCall(TextAddCSV(text, ScenarioPhaseName(one)));
    PetscCall(TextAdd(text, "\n"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ScenariosText(const PlanResult *r, Text *text)
{
  PetscFunctionBegin;
  PetscCall(ScenarioRows("optimize", r->optimize, text));
  PetscCall(ScenarioRows("evaluate", r->evaluate, text));
  PetscFunctionReturn(0);
}

static PetscErrorCode GoalsText(const PlanResult *r, Text *text)
{
  PetscFunctionBegin;
  Text plan = {0};
  PetscCall(PlanColumns(r, &plan));
  for (PetscInt i = 0; i < r->n_goals; i++) {
    const Goal *g = &r->goals[i];
    PetscCall(TextAdd(text, "%s", plan.data));
    PetscCall(TextAddCSV(text, g->structure));
    PetscCall(TextAdd(text, ",%s,%s,%s,%s,%s,%.9g,%.9g,%s,%d", quantities[g->quantity].name, g->metric,
                      g->course ? "course" : "fraction", g->scenario, GoalRelation(&g->bound), g->bound.limit, g->value,
                      g->bound.unit, g->met ? 1 : 0));
    if (g->share)
      PetscCall(TextAdd(text, ",%s,%.9g,%s\n", GoalRelation(&g->each), g->each.limit, g->each.unit));
    else
      PetscCall(TextAdd(text, ",,,\n"));
  }
  PetscCall(TextDestroy(&plan));
  PetscFunctionReturn(0);
}

PetscBool PlanTablesWrite(const PlanResult *result, const char *folder, Mistakes *mistakes)
{
  static PetscErrorCode (*const fill[N_PLAN_FILES])(const PlanResult *, Text *) = {
      [PLAN_METRICS] = MetricsText, [PLAN_DVH] = BandsText, [PLAN_SCENARIOS] = ScenariosText, [PLAN_GOALS] = GoalsText};
  PetscBool good = PETSC_TRUE;
  for (int t = FIRST_TABLE; t < N_PLAN_FILES && good; t++) {
    char file[PETSC_MAX_PATH_LEN];
    Text text = {0};
    PlanFilePath(folder, t, file);
    good = TextAdd(&text, "%s\n", table_headers[t]) || fill[t](result, &text)
               ? PETSC_FALSE
               : FileReplace(file, text.data, text.length, mistakes);
    (void)TextDestroy(&text);
  }
  return good;
}

PetscBool PlanTableRead(const char *folder, int which, Mistakes *mistakes, Table *table)
{
  char file[PETSC_MAX_PATH_LEN];
  PlanFilePath(folder, which, file);
  return TableReadGrown(file, table_headers[which], mistakes, table);
}

PetscInt GoalTableMet(const Table *goals)
{
  PetscInt met = 0;
  for (PetscInt row = 0; row < goals->n_rows; row++) met += goals->field[row * goals->n_columns + GOAL_MET][0] == '1';
  return met;
}

PetscBool MetricTableRead(const char *file, Mistakes *mistakes, Table *table)
{
  double value;
  if (!TableReadGrown(file, table_headers[PLAN_METRICS], mistakes, table)) return PETSC_FALSE;
  for (PetscInt i = 0; i < table->n_rows; i++) {
    const char *found = table->field[i * table->n_columns + COLUMN_VALUE];
    if (TextParseNumber(found, &value)) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: damaged table: value is '%s', expected a number", file,
                      (int)i + 2, found);
    (void)TableDestroy(table);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool MetricTableFind(const Table *table, const char *scenario, const char *structure, const char *quantity,
                          const char *metric, double *value)
{
  for (PetscInt i = 0; i < table->n_rows; i++) {
    char **row = table->field + i * table->n_columns;
    if (!strcmp(row[COLUMN_METRIC], metric) && !strcmp(row[COLUMN_SCENARIO], scenario) &&
        !strcmp(row[COLUMN_STRUCTURE], structure) && !strcmp(row[COLUMN_QUANTITY], quantity))
      return TextParseNumber(row[COLUMN_VALUE], value);
  }
  return PETSC_FALSE;
}
