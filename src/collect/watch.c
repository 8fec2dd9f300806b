/* What a run is at, from the status and event files it writes: for people at another terminal. */
#include "robion/collect.h"
#include "robion/json.h"
#include "robion/log.h"
#include "robion/results.h"
#include "robion/text.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Nothing heard of a plan for this long: its run may be dead. */
static const double SILENT_S = 600;

/* The last that events tell of each plan. */
typedef struct Heard {
  double started, time, iteration, objective, seconds; /* seconds: of its optimisation at that iteration */
  char worst[64];                                      /* scenario */
} Heard;

typedef struct Watch {
  const char *results;
  const Study *study;
  PlanNews *news; /* [n_plans] */
  Heard *heard;   /* [n_plans] */
  PetscInt last;  /* plan of the last event: the next is often of the same */
  double now;
} Watch;

static double ParseTime(const char *text)
{
  struct tm parts = {0};
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return rest && !*rest ? (double)timegm(&parts) : 0;
}

/* Which plan an event is of: it names its folder. -1: of none. */
static PetscInt EventPlan(Watch *watch, const char *line)
{
  char folder[PETSC_MAX_PATH_LEN];
  if (!JSONFindString(line, "plan", sizeof folder, folder)) return -1;
  for (PetscInt i = 0; i < watch->study->n_plans; i++) {
    const PetscInt p = (watch->last + i) % watch->study->n_plans;
    if (!strcmp(watch->study->plans[p].folder, folder)) return watch->last = p;
  }
  return -1;
}

static void TakeEvent(Watch *watch, const char *line)
{
  char stamp[32], kind[32];
  const PetscInt p = EventPlan(watch, line);
  if (p < 0 || !JSONFindString(line, "time", sizeof stamp, stamp)) return;
  Heard *heard = &watch->heard[p];
  const double when = ParseTime(stamp);
  if (when < heard->time) return;
  (void)JSONFindString(line, "event", sizeof kind, kind);
  if (!strcmp(kind, "plan_started")) *heard = (Heard){.started = when};
  heard->time = when;
  if (strcmp(kind, "iteration")) return;
  (void)JSONFindNumber(line, "iteration", &heard->iteration);
  (void)JSONFindNumber(line, "objective", &heard->objective);
  (void)JSONFindNumber(line, "seconds", &heard->seconds);
  (void)JSONFindString(line, "worst", sizeof heard->worst, heard->worst);
}

/* events.jsonl, and those of other jobs and nodes beside it. A last line that is still being written does not count. */
static PetscErrorCode ReadEvents(Watch *watch)
{
  PetscFunctionBegin;
  DIR *directory = opendir(watch->results);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    char file[PETSC_MAX_PATH_LEN], *text;
    size_t length = strlen(entry->d_name);
    Mistakes unread = {0};
    if (strncmp(entry->d_name, "events", 6) || length < 12 || strcmp(entry->d_name + length - 6, ".jsonl")) continue;
    PetscCall(PetscSNPrintf(file, sizeof file, "%s/%s", watch->results, entry->d_name));
    if (FileRead(file, &text, &length, &unread)) {
      for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        TakeEvent(watch, line);
      }
      PetscCall(PetscFree(text));
    }
    PetscCall(MistakesClear(&unread));
  }
  if (directory) closedir(directory);
  PetscFunctionReturn(0);
}

static void PrintRunning(FILE *out, const Watch *watch)
{
  PetscBool any = PETSC_FALSE;
  for (PetscInt p = 0; p < watch->study->n_plans; p++) {
    const PlanSpec *plan = &watch->study->plans[p];
    const Heard *heard = &watch->heard[p];
    char left[32], silent[32], iteration[32] = "-";
    if (watch->news[p].condition != CONDITION_RUNNING) continue;
    if (!any)
      fprintf(out, "\n%-60s %11s %12s %-14s  %s\n", "running", "iteration", "objective", "worst scenario", "time left");
    any = PETSC_TRUE;
    const PetscInt most = plan->settings.optimizer.max_iterations;
    TimeLeftText(heard->seconds, (PetscInt)heard->iteration, most, left);
    DurationText(watch->now - heard->time, silent);
    if (heard->iteration > 0) snprintf(iteration, sizeof iteration, "%.0f/%d", heard->iteration, (int)most);
    fprintf(out, "%-60.110s %11s %12.6g %-14.14s  ", plan->folder, iteration, heard->objective,
            heard->worst[0] ? heard->worst : "-");
    if (heard->time > 0 && watch->now - heard->time > SILENT_S)
      fprintf(out, "not heard of for %s\n", silent);
    else if (heard->iteration > 0)
      fprintf(out, "at most %s\n", left);
    else
      fprintf(out, "not yet known\n");
  }
}

static void PrintTroubles(FILE *out, const Watch *watch)
{
  static const PlanCondition shown[] = {CONDITION_FAILED, CONDITION_DAMAGED, CONDITION_FOREIGN, CONDITION_STOPPED};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(shown); i++) {
    if (InventoryCount(watch->study->n_plans, watch->news, shown[i]))
      fprintf(out, "\n%s\n", plan_condition_names[shown[i]]);
    for (PetscInt p = 0; p < watch->study->n_plans; p++)
      if (watch->news[p].condition == shown[i])
        fprintf(out, "%s%s%s\n", watch->study->plans[p].folder, watch->news[p].reason[0] ? ": " : "",
                watch->news[p].reason);
  }
}

/* D98 of a target in the worst scenario over the prescription; NaN if the plan does not tell. */
static PetscErrorCode WorstCoverage(const Watch *watch, PetscInt p, const char *target, double *share)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &watch->study->plans[p];
  char folder[PETSC_MAX_PATH_LEN], file[PETSC_MAX_PATH_LEN];
  Mistakes unread = {0};
  Table table;
  double value;
  *share = NAN;
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", watch->results, plan->folder));
  PlanFilePath(folder, PLAN_METRICS, file);
  if (!access(file, F_OK) && MetricTableRead(file, &unread, &table)) {
    if (MetricTableFind(&table, "min", target, quantities[QUANTITY_RBE_WEIGHTED].name, "D98", &value))
      *share = value / plan->settings.prescription_Gy_RBE;
    PetscCall(TableDestroy(&table));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

/* The case of each arm that fares worst so far in one target; *any: the table has begun. */
static PetscErrorCode PrintWorstIn(FILE *out, const Watch *watch, const char *target, PetscBool *any)
{
  PetscFunctionBegin;
  const Study *study = watch->study;
  double *share;
  PetscCall(PetscMalloc1(study->n_plans, &share));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    share[p] = NAN;
    if (watch->news[p].condition == CONDITION_DONE) PetscCall(WorstCoverage(watch, p, target, &share[p]));
  }
  for (PetscInt first = 0; first < study->n_plans; first++) {
    PetscInt worst = -1, n = 0, known = 0;
    while (known < first && strcmp(study->plans[known].arm, study->plans[first].arm)) known++;
    for (PetscInt p = first; p < study->n_plans && known == first; p++) {
      if (isnan(share[p]) || strcmp(study->plans[p].arm, study->plans[first].arm)) continue;
      n++;
      if (worst < 0 || share[p] < share[worst]) worst = p;
    }
    if (worst < 0) continue;
    if (!*any)
      fprintf(out, "\n%-24s %6s  %-16s %6s  %s\n", "worst so far, by arm", "plans", "target", "D98",
              "in the worst scenario, RBE-weighted over the prescription, of");
    *any = PETSC_TRUE;
    fprintf(out, "%-24.60s %6d  %-16.60s %6.3f  %s\n", study->plans[first].arm, (int)n, target, share[worst],
            study->plans[worst].folder);
  }
  PetscCall(PetscFree(share));
  PetscFunctionReturn(0);
}

/* Arms are ranked on the same structure: that of one may be a margin of that of another. */
static PetscErrorCode PrintWorst(FILE *out, const Watch *watch)
{
  PetscFunctionBegin;
  PetscBool any = PETSC_FALSE;
  PetscInt n;
  const char **target;
  PetscCall(PlansTargets(watch->study->n_plans, watch->study->plans, &n, &target));
  for (PetscInt t = 0; t < n; t++) PetscCall(PrintWorstIn(out, watch, target[t], &any));
  PetscCall(PetscFree(target));
  PetscFunctionReturn(0);
}

/* What the plans that are done took on average tells how long the others will, at as many at once as now. */
static void PrintHead(FILE *out, const Watch *watch)
{
  const PetscInt n = watch->study->n_plans, done = InventoryCount(n, watch->news, CONDITION_DONE),
                 running = InventoryCount(n, watch->news, CONDITION_RUNNING);
  double took = 0, begun = 0;
  for (PetscInt p = 0; p < n; p++)
    if (watch->news[p].condition == CONDITION_DONE) took += watch->news[p].seconds;
  const PetscInt n_unasked = InventoryCount(n, watch->news, CONDITION_UNASKED);
  fprintf(out, "study %s: %d plans", watch->study->name, (int)(n - n_unasked));
  for (int c = 0; c < CONDITION_UNASKED; c++) {
    const PetscInt count = InventoryCount(n, watch->news, (PlanCondition)c);
    if (count) fprintf(out, ", %d %s", (int)count, c == CONDITION_MISSING ? "to do" : plan_condition_names[c]);
  }
  if (done && running) {
    char left[32];
    const double each = took / (double)done;
    for (PetscInt p = 0; p < n; p++)
      if (watch->news[p].condition == CONDITION_RUNNING) begun += PetscMin(each, watch->now - watch->heard[p].started);
    const double rest = each * (double)(running + InventoryCount(n, watch->news, CONDITION_MISSING)) - begun;
    DurationText(PetscMax(0, rest) / (double)running, left);
    fprintf(out, "; about %s left", left);
  }
  UnaskedPrint(out, n_unasked);
  fprintf(out, "\n");
}

PetscErrorCode ResultsStatus(FILE *out, const char *results, const Study *study, PetscBool *going)
{
  PetscFunctionBegin;
  Watch watch = {.results = results, .study = study, .now = TimeNow()};
  PetscCall(PetscMalloc1(study->n_plans, &watch.news));
  PetscCall(PetscCalloc1(study->n_plans, &watch.heard));
  PetscCall(InventoryFill(results, study, PETSC_FALSE, watch.news));
  PetscCall(ReadEvents(&watch));
  PrintHead(out, &watch);
  PrintRunning(out, &watch);
  PrintTroubles(out, &watch);
  PetscCall(PrintWorst(out, &watch));
  const PetscInt left = InventoryCount(study->n_plans, watch.news, CONDITION_RUNNING) +
                        InventoryCount(study->n_plans, watch.news, CONDITION_MISSING);
  *going = left ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscFree(watch.news));
  PetscCall(PetscFree(watch.heard));
  PetscFunctionReturn(0);
}
