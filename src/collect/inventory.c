/* What has become of the plans of a study, as their folders tell. */
#include "robion/collect.h"
#include "robion/json.h"
#include "robion/results.h"
#include "robion/text.h"
#include <string.h>
#include <unistd.h>

const char *const plan_condition_names[N_CONDITIONS] = {"done",    "running", "stopped", "failed",
                                                        "damaged", "foreign", "missing"};

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
  for (PetscInt i = 0; i < found.n; i++) PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s", found.item[i].text));
  PetscCall(MistakesClear(&found));
  PetscFunctionReturn(0);
}

/* What status.json says, with the reason; CONDITION_MISSING if there is none. */
static PetscErrorCode ReadStatus(const char *folder, PlanNews *news)
{
  PetscFunctionBegin;
  static const PlanCondition told[] = {CONDITION_DONE, CONDITION_RUNNING, CONDITION_STOPPED, CONDITION_FAILED};
  char file[PETSC_MAX_PATH_LEN], state[16], *text;
  size_t length;
  Mistakes unread = {0};
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/status.json", folder));
  if (!access(file, F_OK) && FileRead(file, &text, &length, &unread)) {
    (void)JSONFindString(text, "state", sizeof state, state);
    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(told); i++)
      if (!strcmp(state, plan_condition_names[told[i]])) news->condition = told[i];
    (void)JSONFindString(text, "message", sizeof news->reason, news->reason);
    (void)JSONFindNumber(text, "seconds", &news->seconds);
    PetscCall(PetscFree(text));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

/* Open the plan: its files decide, not its status. */
static PetscErrorCode Verify(const char *folder, const PlanSpec *plan, PlanNews *news)
{
  PetscFunctionBegin;
  Mistakes damage = {0};
  const PlanState state = PlanFileState(folder, plan->yaml, &damage);
  const PetscBool whole = state == PLAN_FINISHED ? PlanChecksumsVerify(folder, &damage) : PETSC_FALSE;
  if (MistakesAny(&damage)) {
    news->condition = CONDITION_DAMAGED;
    PetscCall(PetscStrncpy(news->reason, MistakesFirst(&damage), sizeof news->reason));
  } else if (state == PLAN_OTHER_SETTINGS) {
    news->condition = CONDITION_FOREIGN;
    PetscCall(PetscStrncpy(news->reason, "was made with other settings", sizeof news->reason));
  } else if (whole) {
    news->condition = CONDITION_DONE;
    news->reason[0] = 0;
  } else if (news->condition == CONDITION_DONE) {
    news->condition = CONDITION_DAMAGED;
    PetscCall(PetscStrncpy(news->reason, "its status says done, but its files are not complete", sizeof news->reason));
  }
  PetscCall(MistakesClear(&damage));
  PetscFunctionReturn(0);
}

PetscErrorCode InventoryFill(const char *results, const Study *study, PetscBool thorough, PlanNews *news)
{
  PetscFunctionBegin;
  for (PetscInt p = 0; p < study->n_plans; p++) {
    char folder[PETSC_MAX_PATH_LEN];
    news[p] = (PlanNews){.condition = CONDITION_MISSING};
    PetscCall(PetscSNPrintf(folder, sizeof folder, "%s/%s", results, study->plans[p].folder));
    if (access(folder, F_OK)) continue;
    PetscCall(ReadStatus(folder, &news[p]));
    if (thorough) PetscCall(Verify(folder, &study->plans[p], &news[p]));
    TextRemoveControls(news[p].reason);
  }
  PetscFunctionReturn(0);
}

PetscInt InventoryCount(PetscInt n, const PlanNews *news, PlanCondition condition)
{
  PetscInt count = 0;
  for (PetscInt p = 0; p < n; p++) count += news[p].condition == condition;
  return count;
}
