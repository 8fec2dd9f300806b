/* What has become of the plans of a study, as their folders tell. */
#include "robion/collect.h"
#include "robion/plan.h"
#include "robion/status.h"
#include "robion/text.h"
#include <string.h>
#include <unistd.h>

const char *const plan_condition_names[N_CONDITIONS] = {
    "done", "running", "stopped", "failed", "damaged", "foreign", "missing", "not asked for (--only, --arms)"};

const PlanCondition bad_news[N_BAD_NEWS] = {CONDITION_FAILED,  CONDITION_DAMAGED, CONDITION_FOREIGN,
                                            CONDITION_STOPPED, CONDITION_RUNNING, CONDITION_MISSING};

PetscErrorCode ResultsStudy(const char *results, Mistakes *mistakes, Study **study)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  Mistakes found = {0};
  *study = NULL;
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/study.yaml", results));
  if (access(file, F_OK))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: holds no study.yaml, expected a results folder of robion run",
                          results));
  else
    PetscCall(StudyLoad(file, 0, NULL, &found, study));
  PetscCall(MistakesMove(&found, ROBION_INPUT, mistakes));
  PetscFunctionReturn(0);
}

/* What its status says, with the reason; the condition stays if there is none. */
static PetscErrorCode ReadStatus(const char *folder, PlanNews *news)
{
  PetscFunctionBegin;
  static const PlanCondition told[N_STATES] = {[STATE_DONE] = CONDITION_DONE,
                                               [STATE_RUNNING] = CONDITION_RUNNING,
                                               [STATE_STOPPED] = CONDITION_STOPPED,
                                               [STATE_FAILED] = CONDITION_FAILED};
  PlanStatus status;
  PetscCall(StatusRead(folder, &status));
  if (!status.there) PetscFunctionReturn(0);
  news->condition = told[status.state];
  news->seconds = status.seconds;
  PetscCall(PetscStrncpy(news->reason, status.message, sizeof news->reason));
  PetscFunctionReturn(0);
}

/*
 * Its files decide, not its status; but where it is being made anew, was stopped at that or failed, those of before do not count.
 * Plans of other settings that nobody asked for are none of the study's.
 */
static PetscErrorCode Inspect(const char *folder, const PlanSpec *plan, PlanLook look, PetscBool asked, PlanNews *news)
{
  PetscFunctionBegin;
  static const PlanCondition found[] = {
      [PLAN_FINISHED] = CONDITION_DONE, [PLAN_OTHER_SETTINGS] = CONDITION_FOREIGN, [PLAN_DAMAGED] = CONDITION_DAMAGED};
  char reason[PLAN_REASON];
  const PlanState state = PlanInspect(folder, PlanSettingsOf(plan), look, reason);
  const PetscBool at_rest =
      news->condition == CONDITION_DONE || news->condition == CONDITION_MISSING || news->condition == CONDITION_UNASKED;
  if (state == PLAN_OTHER_SETTINGS && at_rest && !asked)
    news->condition = CONDITION_UNASKED;
  else if (state == PLAN_FINISHED || (state != PLAN_ABSENT && at_rest)) {
    news->condition = found[state];
    PetscCall(PetscStrncpy(news->reason, reason, sizeof news->reason));
  } else if (news->condition == CONDITION_DONE && look >= LOOK_CONTENT) {
    news->condition = CONDITION_DAMAGED;
    PetscCall(PetscStrncpy(news->reason, "its status says done, but its files are not complete", sizeof news->reason));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode InventoryFill(const char *results, const Study *study, PetscBool thorough, PlanNews *news)
{
  PetscFunctionBegin;
  PetscBool *asked;
  PetscCall(PetscMalloc1(study->n_plans, &asked));
  PetscCall(AskedRead(results, study, asked));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    char folder[PETSC_MAX_PATH_LEN];
    news[p] = (PlanNews){.condition = asked[p] ? CONDITION_MISSING : CONDITION_UNASKED};
    PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", results, study->plans[p].folder));
    if (access(folder, F_OK)) continue;
    PetscCall(ReadStatus(folder, &news[p]));
    PetscCall(Inspect(folder, &study->plans[p], thorough ? LOOK_CONTENT : LOOK_SETTINGS, asked[p], &news[p]));
    TextRemoveControls(news[p].reason);
  }
  PetscCall(PetscFree(asked));
  PetscFunctionReturn(0);
}

void UnaskedPrint(FILE *out, PetscInt n)
{
  if (n) fprintf(out, "; %d more of the study %s", (int)n, plan_condition_names[CONDITION_UNASKED]);
}

PetscInt InventoryCount(PetscInt n, const PlanNews *news, PlanCondition condition)
{
  PetscInt count = 0;
  for (PetscInt p = 0; p < n; p++) count += news[p].condition == condition;
  return count;
}

void InventoryPrint(FILE *out, const Study *study, const PlanNews *news)
{
  const PetscInt n_unasked = InventoryCount(study->n_plans, news, CONDITION_UNASKED);
  fprintf(out, "study %s: %d of %d plans done", study->name, (int)InventoryCount(study->n_plans, news, CONDITION_DONE),
          (int)(study->n_plans - n_unasked));
  for (PetscInt i = 0; i < N_BAD_NEWS; i++) {
    const PetscInt n = InventoryCount(study->n_plans, news, bad_news[i]);
    if (n) fprintf(out, ", %d %s", (int)n, plan_condition_names[bad_news[i]]);
  }
  UnaskedPrint(out, n_unasked);
  fprintf(out, "\n");
}
