/* Going on with other settings than those that plans were begun with: told by key, and refused unless it is asked for. */
#include "cohort_private.h"
#include "robion/plan_read.h"
#include "robion/yaml.h"
#include <string.h>

enum { MOST_TOLD = 6 };

/* The settings that a plan's files were made with, as YAML; NULL: there are none, or they cannot be read. PetscFree. */
static PetscErrorCode StoredSettings(const char *folder, PlanState state, char **yaml)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  PlanReader reader;
  Mistakes unread = {0};
  *yaml = NULL;
  PlanFilePath(folder, PLAN_H5, file);
  if (state != PLAN_OTHER_SETTINGS)
    CheckpointSettings(folder, yaml);
  else if (PlanReaderOpen(file, &unread, &reader)) {
    (void)PlanReadText(&reader, PLAN_SETTINGS, &unread, yaml);
    if (!PlanReaderClose(&reader, &unread)) PetscCall(PetscFree(*yaml));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanSettingsDiffer(const PlanSpec *plan, const char *folder, PlanState state, PetscBool *differ)
{
  PetscFunctionBegin;
  char *yaml = NULL;
  *differ = state == PLAN_OTHER_SETTINGS ? PETSC_TRUE : PETSC_FALSE;
  if (state == PLAN_ABSENT || state == PLAN_DAMAGED) PetscCall(StoredSettings(folder, state, &yaml));
  if (yaml && strcmp(yaml, plan->yaml)) *differ = PETSC_TRUE;
  PetscCall(PetscFree(yaml));
  PetscFunctionReturn(0);
}

/* "spots.layer_mm was 4, now 2; ... and 3 more". */
static PetscErrorCode AddDifferences(Text *text, const char *before, const char *now)
{
  PetscFunctionBegin;
  Difference difference[MOST_TOLD];
  PetscInt n;
  PetscCall(YamlDifferences(before, now, MOST_TOLD, difference, &n));
  for (PetscInt i = 0; i < PetscMin(n, MOST_TOLD); i++)
    PetscCall(TextAdd(text, "%s%s was %s, now %s", i ? "; " : "", difference[i].key.text, difference[i].before.text,
                      difference[i].now.text));
  if (n > MOST_TOLD) PetscCall(TextAdd(text, "; and %d more", (int)n - MOST_TOLD));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsRefuse(const RunContext *run, PetscInt p, PetscInt n, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &run->plan.study->plans[p];
  char folder[PETSC_MAX_PATH_LEN], reason[PLAN_REASON], others[48] = "", *yaml, *today = NULL;
  Text text = {0};
  PlanFolder(run, plan, folder);
  PetscCall(StoredSettings(folder, PlanInspect(folder, PlanSettingsOf(plan), LOOK_SETTINGS, reason), &yaml));
  if (yaml) PetscCall(SettingsUpdate(yaml, &today));
  PetscCall(AddDifferences(&text, today ? today : yaml, plan->yaml));
  if (n > 1) snprintf(others, sizeof others, " (and %d other plans)", (int)n - 1);
  PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                        "--resume: %s%s was made with other settings: %s; run with those, with other --results, or "
                        "with --replan to make such plans anew",
                        folder, others, text.data ? text.data : "which cannot be read"));
  PetscCall(TextDestroy(&text));
  PetscCall(PetscFree(yaml));
  PetscCall(PetscFree(today));
  PetscFunctionReturn(0);
}
