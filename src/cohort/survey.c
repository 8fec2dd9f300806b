/* What earlier runs have left in the results folder. */
#include "cohort_private.h"
#include "robion/status.h"
#include <dirent.h>
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

/* Plans of other settings that one rank has found. */
typedef struct Others {
  PetscInt first, n;
} Others;

/*
 * Finished with these settings and with every byte in place? Others are planned anew, and the log says why; those of other settings
 * only if that is asked for.
 */
static PetscErrorCode SurveyFinished(const RunContext *run, PetscInt p, const char *folder, PetscBool *finished,
                                     Others *others)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &run->plan.study->plans[p];
  char reason[PLAN_REASON];
  PetscBool differ;
  const PlanState state = PlanInspect(folder, PlanSettingsOf(plan), LOOK_INPUTS, reason);
  *finished = state == PLAN_FINISHED ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PlanSettingsDiffer(plan, folder, state, &differ));
  if (differ && !run->options->replan) {
    others->first = PetscMin(others->first, p);
    others->n++;
    PetscFunctionReturn(0);
  }
  if (differ && !run->options->dry_run) CheckpointRemove(folder);
  if (differ)
    fprintf(stderr, "robion: %s: was made with other settings: planned anew\n", folder);
  else if (reason[0])
    fprintf(stderr, "robion: %s: planned anew\n", reason);
  PetscFunctionReturn(0);
}

static PetscErrorCode SurveyPlan(const RunContext *run, PetscInt p, QueuePlan *out, Others *others)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN];
  PetscBool finished;
  PlanStatus status;
  PlanFolder(run, &run->plan.study->plans[p], folder);
  PetscCall(StatusRead(folder, &status));
  if (status.there && status.state == STATE_DONE) out->measured_s = status.seconds * TeamSpeed(status.ranks);
  if (!run->options->dry_run) TemporariesRemove(folder, "");
  if (!run->options->resume) PetscFunctionReturn(0);
  PetscCall(SurveyFinished(run, p, folder, &finished, others));
  if (finished)
    out->left = LEFT_FINISHED;
  else if (status.there && status.state == STATE_RUNNING)
    out->left = LEFT_INTERRUPTED;
  PetscFunctionReturn(0);
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

/* Plans of other settings that any rank has found, as one mistake of them all. */
static PetscErrorCode RefuseOthers(const RunContext *run, const Others *mine, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Others all;
  PetscCallMPI(MPI_Allreduce(&mine->first, &all.first, 1, MPIU_INT, MPI_MIN, run->plan.comm));
  PetscCallMPI(MPI_Allreduce(&mine->n, &all.n, 1, MPIU_INT, MPI_SUM, run->plan.comm));
  if (all.n && mine->first == all.first) PetscCall(SettingsRefuse(run, all.first, all.n, mistakes));
  PetscCall(MistakesShare(run->plan.comm, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode SurveyPlans(RunContext *run, QueuePlan *plan, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Study *study = run->plan.study;
  const RunOptions *options = run->options;
  PetscInt *job = NULL;
  PetscBool *selected;
  Others others = {.first = study->n_plans};
  PetscCall(PetscArrayzero(plan, study->n_plans));
  PetscCall(PetscMalloc1(study->n_plans, &job));
  PetscCall(PetscCalloc1(study->n_plans, &selected));
  PlansSelect(run, selected);
  PetscCall(ArrayShare(study, PetscMax(1, options->array_jobs), job));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    while (strcmp(study->plans[plan[p].arm].arm, study->plans[p].arm)) plan[p].arm++;
    const PetscBool mine = !options->array_jobs || job[p] == options->array_job ? PETSC_TRUE : PETSC_FALSE;
    plan[p].left = mine && selected[p] ? LEFT_TO_DO : LEFT_OUT;
    if (plan[p].left != LEFT_OUT && p % run->plan.size == run->plan.rank)
      PetscCall(SurveyPlan(run, p, &plan[p], &others));
  }
  PetscCall(PetscFree(job));
  PetscCall(PetscFree(selected));
  if (run->plan.rank == 0 && !options->dry_run)
    TemporariesRemove(run->plan.results, run->part); /* other jobs may be at work */
  PetscCall(ShareFindings(run, plan));
  PetscCall(RefuseOthers(run, &others, mistakes));
  PetscFunctionReturn(0);
}
