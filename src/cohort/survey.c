/* What earlier runs have left in the results folder. */
#include "cohort_private.h"
#include "robion/log.h"
#include "robion/text.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void PlanFolder(const RunContext *run, const PlanSpec *plan, char folder[PETSC_MAX_PATH_LEN])
{
  snprintf(folder, PETSC_MAX_PATH_LEN, "%s/%s", run->plan.results, plan->folder);
}

void TemporariesRemove(const char *folder, const char *among)
{
  DIR *directory = opendir(folder);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    char file[PETSC_MAX_PATH_LEN];
    const char *tail = strstr(entry->d_name, ".tmp");
    if (!tail || !strstr(entry->d_name, among) ||
        (tail[4] && (tail[4] != '.' || strspn(tail + 5, "0123456789") != strlen(tail + 5))))
      continue;
    if (snprintf(file, sizeof file, "%s/%s", folder, entry->d_name) < (int)sizeof file) unlink(file);
  }
  if (directory) closedir(directory);
}

/* State and core seconds that an earlier run wrote of a plan; nothing if there is no status. */
static void ReadStatus(const char *folder, char state[16], double *core_seconds)
{
  char file[PETSC_MAX_PATH_LEN + 16], *text, *at;
  size_t length;
  double seconds = 0, ranks = 1;
  Mistakes unread = {0};
  state[0] = 0;
  *core_seconds = 0;
  snprintf(file, sizeof file, "%s/status.json", folder);
  if (!access(file, F_OK) && FileRead(file, &text, &length, &unread)) {
    if ((at = strstr(text, "\"state\": \""))) (void)sscanf(at + 10, "%15[a-z]", state);
    if ((at = strstr(text, "\"seconds\": "))) seconds = strtod(at + 11, NULL);
    if ((at = strstr(text, "\"ranks\": "))) ranks = strtod(at + 9, NULL);
    if (seconds > 0 && ranks > 0) *core_seconds = seconds * TeamSpeed((PetscInt)ranks);
    (void)PetscFree(text);
  }
  (void)MistakesClear(&unread);
}

/* Finished with these settings and with every byte in place? Others are planned anew, and the log says why. */
static PetscBool IsFinished(const PlanSpec *plan, const char *folder)
{
  Mistakes damage = {0};
  PlanState state = PlanFileState(folder, plan->yaml, &damage);
  PetscBool good = state == PLAN_FINISHED && PlanChecksumsVerify(folder, &damage) ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; i < damage.n; i++) fprintf(stderr, "robion: %s: planned anew\n", damage.item[i].text);
  if (state == PLAN_OTHER_SETTINGS) fprintf(stderr, "robion: %s: was made with other settings: planned anew\n", folder);
  InputFile changed;
  if (good && PlanInputChanged(folder, &changed)) {
    fprintf(stderr, "robion: %s: %s has changed since: planned anew\n", folder, changed.path);
    good = PETSC_FALSE;
  }
  (void)MistakesClear(&damage);
  return good;
}

static void SurveyPlan(const RunContext *run, const PlanSpec *plan, QueuePlan *out)
{
  char folder[PETSC_MAX_PATH_LEN], state[16];
  PlanFolder(run, plan, folder);
  ReadStatus(folder, state, &out->measured_s);
  if (strcmp(state, "done")) out->measured_s = 0;
  if (!run->options->dry_run) TemporariesRemove(folder, "");
  if (!run->options->resume) return;
  if (IsFinished(plan, folder))
    out->left = LEFT_FINISHED;
  else if (!strcmp(state, "running"))
    out->left = LEFT_INTERRUPTED;
}

static PetscBool IsNamed(const char *name, PetscInt n, char *const *names)
{
  for (PetscInt i = 0; i < n; i++)
    if (!strcmp(names[i], name)) return PETSC_TRUE;
  return n ? PETSC_FALSE : PETSC_TRUE;
}

static PetscBool IsSelected(const RunOptions *options, const PlanSpec *plan)
{
  return IsNamed(plan->case_name, options->n_only, options->only) && IsNamed(plan->arm, options->n_arms, options->arms);
}

void PlansSelect(const RunContext *run, PetscBool *selected)
{
  const Study *study = run->plan.study;
  for (PetscInt p = 0; p < study->n_plans; p++)
    if (IsSelected(run->options, &study->plans[p])) selected[p] = selected[study->plans[p].optimized_by] = PETSC_TRUE;
}

/* Give every rank what the rank that looked has found. */
static PetscErrorCode ShareFindings(const RunContext *run, QueuePlan *plan)
{
  PetscFunctionBegin;
  const PetscInt n = run->plan.study->n_plans;
  double *found;
  PetscCall(PetscCalloc1(2 * n, &found));
  for (PetscInt p = run->plan.rank; p < n; p += run->plan.size) {
    found[2 * p] = (double)plan[p].left;
    found[2 * p + 1] = plan[p].measured_s;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, found, (PetscMPIInt)(2 * n), MPI_DOUBLE, MPI_SUM, run->plan.comm));
  for (PetscInt p = 0; p < n; p++) {
    plan[p].left = (Left)found[2 * p];
    plan[p].measured_s = found[2 * p + 1];
  }
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

PetscErrorCode SurveyPlans(RunContext *run, QueuePlan *plan)
{
  PetscFunctionBegin;
  const Study *study = run->plan.study;
  const RunOptions *options = run->options;
  PetscInt *job = NULL;
  PetscBool *selected;
  PetscCall(PetscArrayzero(plan, study->n_plans));
  PetscCall(PetscMalloc1(study->n_plans, &job));
  PetscCall(PetscCalloc1(study->n_plans, &selected));
  PlansSelect(run, selected);
  PetscCall(ArrayShare(study, PetscMax(1, options->array_jobs), job));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    while (strcmp(study->plans[plan[p].arm].arm, study->plans[p].arm)) plan[p].arm++;
    const PetscBool mine = !options->array_jobs || job[p] == options->array_job ? PETSC_TRUE : PETSC_FALSE;
    plan[p].left = mine && selected[p] ? LEFT_TO_DO : LEFT_OUT;
    if (plan[p].left != LEFT_OUT && p % run->plan.size == run->plan.rank) SurveyPlan(run, &study->plans[p], &plan[p]);
  }
  PetscCall(PetscFree(job));
  PetscCall(PetscFree(selected));
  if (run->plan.rank == 0 && !options->dry_run)
    TemporariesRemove(run->plan.results, run->part); /* other jobs may be at work */
  PetscCall(ShareFindings(run, plan));
  PetscFunctionReturn(0);
}
