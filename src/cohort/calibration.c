/*
 * How long this machine takes for what is estimated. Every plan that a run makes leaves a row in times.csv of the user's cache: what
 * was estimated of each phase, from its size alone, and what it took. The median of their ratios corrects the next estimates, phase
 * by phase, for the same dose operator where there are plans of it; how much single plans differ from that is told with them.
 */
#include "cohort_private.h"
#include "robion/csv.h"
#include "robion/log.h"
#include "robion/plan_read.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The estimates in a file are of the formulas of cost.c: this grows with every change of them. */
#define FORMULAS "1"
static const char header[] = "formulas,processor,operator,set_up_estimated_s,set_up_s,optimize_estimated_s,optimize_s,"
                             "evaluate_estimated_s,evaluate_s";
static const char *const operator_names[] = {[OPERATOR_FACTORED] = "factored", [OPERATOR_ASSEMBLED] = "assembled"};
enum { COLUMN_FORMULAS, COLUMN_PROCESSOR, COLUMN_OPERATOR, COLUMN_FIRST_COST };
enum { MOST_ROWS = 200 };

/* Plans took between the estimate over this and the estimate times this: without any that are known; least. */
static const double UNKNOWN_SPREAD = 4, LEAST_SPREAD = 1.3;
static const double UNKNOWN_S = 10;       /* what is thought without any plan counts as one that took so long */
static const double LARGEST_FACTOR = 100; /* or its inverse: more is a slip of a clock */
static const double SHORT_S = 0.05;       /* what takes less is noise */
static const double LONG_S = 60;          /* what takes as long counts most: seconds tell little of hours */

/* "model name : X" of the first processor. */
static void ProcessorName(char name[80])
{
  char line[256];
  FILE *f = fopen("/proc/cpuinfo", "r");
  snprintf(name, 80, "unknown");
  while (f && fgets(line, sizeof line, f)) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) || !colon) continue;
    snprintf(name, 80, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    break;
  }
  if (f) fclose(f);
  TextRemoveControls(name);
}

static PetscErrorCode TimesFile(char file[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN];
  PetscCall(CacheFolder(folder));
  if (snprintf(file, PETSC_MAX_PATH_LEN, "%s/times.csv", folder) >= PETSC_MAX_PATH_LEN) file[0] = 0;
  PetscFunctionReturn(0);
}

/* The rows that are there; a file that cannot be read holds none. */
static PetscErrorCode ReadTimes(const char *file, Table *table)
{
  PetscFunctionBegin;
  Mistakes unread = {0};
  *table = (Table){0};
  if (!access(file, F_OK) && !TableRead(file, header, &unread, table)) *table = (Table){0};
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

/* A number that one row tells, and how much it counts. */
typedef struct Told {
  double value, weight;
} Told;

static int Ascending(const void *a, const void *b)
{
  const double x = ((const Told *)a)->value, y = ((const Told *)b)->value;
  return (x > y) - (x < y);
}

/* The value that this share of the weight does not exceed; the list is sorted. */
static double Quantile(PetscInt n, Told *told, double share)
{
  double all = 0, seen = 0;
  qsort(told, (size_t)n, sizeof *told, Ascending);
  for (PetscInt i = 0; i < n; i++) all += told[i].weight;
  for (PetscInt i = 0; i < n; i++)
    if ((seen += told[i].weight) >= share * all) return told[i].value;
  return told[n - 1].value;
}

/* Seconds estimated and taken for a phase in a row. */
static double Estimated(char **row, int cost)
{
  return strtod(row[COLUMN_FIRST_COST + 2 * cost], NULL);
}

static double Taken(char **row, int cost)
{
  return strtod(row[COLUMN_FIRST_COST + 2 * cost + 1], NULL);
}

static PetscBool RowIsOf(char **row, const char *processor, int kind)
{
  if (strcmp(row[COLUMN_FORMULAS], FORMULAS) || (processor && strcmp(row[COLUMN_PROCESSOR], processor)))
    return PETSC_FALSE;
  return kind < 0 || !strcmp(row[COLUMN_OPERATOR], operator_names[kind]) ? PETSC_TRUE : PETSC_FALSE;
}

/* Median of measured over estimated for a phase; NaN: no row tells. `told` is room for one number a row. */
static double MedianRatio(const Table *table, const char *processor, int kind, int cost, Told *told)
{
  PetscInt n = 0;
  for (PetscInt r = 0; r < table->n_rows; r++) {
    char **row = table->field + r * table->n_columns;
    if (!RowIsOf(row, processor, kind)) continue;
    const double took = Taken(row, cost), ratio = took / Estimated(row, cost);
    if (took > SHORT_S && ratio < LARGEST_FACTOR && ratio > 1 / LARGEST_FACTOR)
      told[n++] = (Told){ratio, PetscMin(took, LONG_S)};
  }
  if (!n) return NAN;
  told[n++] = (Told){1, UNKNOWN_S};
  return Quantile(n, told, 0.5);
}

/* How far off corrected estimates of whole plans are, in nine of ten cases. */
static double Spread(const Table *table, const char *processor, const Calibration *c, Told *told)
{
  PetscInt n = 0;
  for (PetscInt r = 0; r < table->n_rows; r++) {
    char **row = table->field + r * table->n_columns;
    double estimated = 0, took = 0;
    if (!RowIsOf(row, processor, -1)) continue;
    const double *factor =
        c->factor[RowIsOf(row, processor, OPERATOR_ASSEMBLED) ? OPERATOR_ASSEMBLED : OPERATOR_FACTORED];
    for (int k = 0; k < N_COSTS; k++) {
      estimated += factor[k] * Estimated(row, k);
      took += Taken(row, k);
    }
    if (estimated > 0 && took > 0) told[n++] = (Told){fabs(log(took / estimated)), PetscMin(took, LONG_S)};
  }
  told[n++] = (Told){log(UNKNOWN_SPREAD), UNKNOWN_S};
  return PetscMax(LEAST_SPREAD, exp(Quantile(n, told, 0.9)));
}

static PetscErrorCode Calibrate(const Table *table, const char *processor, Calibration *c)
{
  PetscFunctionBegin;
  Told *told;
  PetscCall(PetscMalloc1(table->n_rows + 1, &told));
  for (PetscInt r = 0; r < table->n_rows; r++)
    c->n_plans += RowIsOf(table->field + r * table->n_columns, processor, -1) ? 1 : 0;
  for (int kind = 0; kind < 2; kind++)
    for (int k = 0; k < N_COSTS; k++) {
      double ratio = MedianRatio(table, processor, kind, k, told);
      if (isnan(ratio)) ratio = MedianRatio(table, processor, -1, k, told);
      c->factor[kind][k] = isnan(ratio) ? 1 : ratio;
    }
  c->spread = Spread(table, processor, c, told);
  PetscCall(PetscFree(told));
  PetscFunctionReturn(0);
}

PetscErrorCode CalibrationRead(MPI_Comm comm, Calibration *calibration)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  *calibration = (Calibration){.factor = {{1, 1, 1}, {1, 1, 1}}, .spread = UNKNOWN_SPREAD};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char file[PETSC_MAX_PATH_LEN], processor[80];
    Table table;
    PetscCall(TimesFile(file));
    PetscCall(ReadTimes(file, &table));
    ProcessorName(processor);
    PetscCall(Calibrate(&table, processor, calibration));
    if (!calibration->n_plans) { /* a head node may have other processors than those that plan */
      PetscCall(Calibrate(&table, NULL, calibration));
      calibration->other_machine = calibration->n_plans ? PETSC_TRUE : PETSC_FALSE;
    }
    PetscCall(TableDestroy(&table));
  }
  PetscCallMPI(MPI_Bcast(calibration, (PetscMPIInt)sizeof *calibration, MPI_BYTE, 0, comm));
  PetscFunctionReturn(0);
}

void CalibrationText(const Calibration *c, char text[COST_BASIS])
{
  if (c->n_plans)
    snprintf(text, COST_BASIS,
             "estimated from the times of %d plans of %s; nine of ten took between 1/%.2g and %.2g of that",
             (int)c->n_plans, c->other_machine ? "other processors" : "this machine", c->spread, c->spread);
  else
    snprintf(text, COST_BASIS,
             "estimated from sizes alone, since this machine has no finished plans yet: it may be 1/%g to %g of that",
             c->spread, c->spread);
}

/* What a finished plan took by phases, in core seconds; false if its file does not tell. */
static PetscBool ReadPhases(const char *folder, double speed, double took_s[N_COSTS])
{
  static const struct {
    PlanNumber number;
    int cost;
  } part[] = {{PLAN_PREPARE_SECONDS, COST_SET_UP},
              {PLAN_BUILD_SECONDS, COST_SET_UP},
              {PLAN_OPTIMIZE_SECONDS, COST_OPTIMIZE},
              {PLAN_EVALUATE_SECONDS, COST_EVALUATE}};
  char file[PETSC_MAX_PATH_LEN];
  PlanReader reader;
  Mistakes unread = {0};
  PlanFilePath(folder, PLAN_H5, file);
  PetscBool good = PlanReaderOpen(file, &unread, &reader);
  for (int k = 0; k < N_COSTS; k++) took_s[k] = 0;
  if (good) {
    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(part) && good; i++) {
      double seconds = 0;
      good = PlanReadNumber(&reader, part[i].number, &unread, &seconds);
      took_s[part[i].cost] += seconds * speed;
    }
    good = PlanReaderClose(&reader, &unread) && good ? PETSC_TRUE : PETSC_FALSE;
  }
  (void)MistakesClear(&unread);
  return good;
}

PetscErrorCode CalibrationLearn(const QueuePlan *plan, const char *folder, double speed)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], cache[PETSC_MAX_PATH_LEN], processor[80];
  double took_s[N_COSTS];
  Table table;
  Text text = {0};
  Mistakes unwritten = {0}; /* then the next estimates are as good as these */
  if (!(plan->cost_s[COST_SET_UP] > 0) || !ReadPhases(folder, speed, took_s)) PetscFunctionReturn(0);
  PetscCall(TimesFile(file));
  PetscCall(CacheFolder(cache));
  PetscCall(ReadTimes(file, &table));
  PetscCall(TextAdd(&text, "%s\n", header));
  for (PetscInt r = PetscMax(0, table.n_rows - MOST_ROWS + 1); r < table.n_rows; r++)
    for (PetscInt c = 0; c < table.n_columns; c++) {
      PetscCall(TextAddCSV(&text, table.field[r * table.n_columns + c]));
      PetscCall(TextAdd(&text, c + 1 < table.n_columns ? "," : "\n"));
    }
  ProcessorName(processor);
  PetscCall(TextAdd(&text, FORMULAS ","));
  PetscCall(TextAddCSV(&text, processor));
  PetscCall(TextAdd(&text, ",%s", operator_names[plan->assembled]));
  for (int k = 0; k < N_COSTS; k++) PetscCall(TextAdd(&text, ",%.4g,%.4g", plan->cost_s[k], took_s[k]));
  PetscCall(TextAdd(&text, "\n"));
  if (FolderMake(cache, &unwritten)) (void)FileReplace(file, text.data, text.length, &unwritten);
  PetscCall(MistakesClear(&unwritten));
  PetscCall(TextDestroy(&text));
  PetscCall(TableDestroy(&table));
  PetscFunctionReturn(0);
}
