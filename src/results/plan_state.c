/* The files of a plan's folder, and whether they are those of a finished plan. */
#include "robion/plan_read.h"
#include "robion/results.h"
#include "plan_file_private.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const plan_files[N_PLAN_FILES] = {"plan.h5", "metrics.csv", "dvh.csv", "scenarios.csv", "goals.csv"};

void PlanFilePath(const char *folder, int which, char path[PETSC_MAX_PATH_LEN])
{
  snprintf(path, PETSC_MAX_PATH_LEN, "%s/%s", folder, plan_files[which]);
}

void PlanFilesRemove(const char *folder)
{
  char file[PETSC_MAX_PATH_LEN];
  PlanChecksumsRemove(folder);
  for (int f = 0; f < N_PLAN_FILES; f++) {
    PlanFilePath(folder, f, file);
    unlink(file);
  }
}

void SettingsHash(const char *yaml, char hex[17])
{
  snprintf(hex, 17, "%016llx", (unsigned long long)HashBytes(HASH_START, yaml, strlen(yaml)));
}

/* Plans without goals have had no goals.csv. */
static PetscBool HasFiles(const char *folder)
{
  for (int f = 0; f < PLAN_GOALS; f++) {
    char file[PETSC_MAX_PATH_LEN];
    PetscBool found = PETSC_FALSE;
    PlanFilePath(folder, f, file);
    if (PetscTestFile(file, 'r', &found) || !found) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether settings that differ in their text are the same with the keys and defaults of today. */
static PetscBool SameToday(PlanReader *reader, PlanSettings settings, Mistakes *mistakes)
{
  char *stored = NULL, *today = NULL;
  PetscBool same = PETSC_FALSE;
  if (PlanReadText(reader, PLAN_SETTINGS, mistakes, &stored) && !(*settings.update)(stored, &today) && today)
    same = !strcmp(today, settings.yaml) ? PETSC_TRUE : PETSC_FALSE;
  (void)PetscFree(stored);
  (void)PetscFree(today);
  return same;
}

/* Of a plan.h5 that can be read, its tables beside it: whether it was made with these settings. */
static PetscBool HasSettings(const char *folder, PlanSettings settings, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN], wanted[17], *found = NULL;
  PlanReader reader;
  PetscBool same = PETSC_FALSE;
  PlanFilePath(folder, PLAN_H5, file);
  if (!PlanReaderOpen(file, mistakes, &reader)) return PETSC_FALSE;
  SettingsHash(settings.yaml, wanted);
  if (PlanReadText(&reader, PLAN_SETTINGS_HASH, mistakes, &found))
    same = !strcmp(found, wanted) || SameToday(&reader, settings, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  if (!PlanReaderClose(&reader, mistakes)) same = PETSC_FALSE;
  (void)PetscFree(found);
  return same;
}

/* Whether one of the files that the plan was made from, the study's aside, has another content now; the first such one. */
static PetscBool InputChanged(const char *folder, InputFile *changed)
{
  char file[PETSC_MAX_PATH_LEN];
  PetscBool found = PETSC_FALSE;
  PlanReader reader;
  Mistakes unread = {0};
  PlanFilePath(folder, PLAN_H5, file);
  if (PlanReaderOpen(file, &unread, &reader)) {
    for (PetscInt i = 0; !found && PlanReadInput(&reader, i, &unread, changed); i++)
      if (strcmp(changed->kind, input_kind_names[INPUT_STUDY])) found = InputFileChanged(changed);
    if (!PlanReaderClose(&reader, &unread)) found = PETSC_FALSE;
  }
  (void)MistakesClear(&unread);
  return found;
}

PlanState PlanInspect(const char *folder, PlanSettings settings, PlanLook look, char reason[PLAN_REASON])
{
  Mistakes damage = {0};
  InputFile changed;
  PlanState state = PLAN_ABSENT;
  reason[0] = 0;
  if (!HasFiles(folder)) return state;
  if (!HasSettings(folder, settings, &damage)) {
    state = PLAN_OTHER_SETTINGS;
    snprintf(reason, PLAN_REASON, "was made with other settings");
  } else if (PlanChecksumsThere(folder) && (look < LOOK_CONTENT || PlanChecksumsVerify(folder, &damage)))
    state = PLAN_FINISHED;
  if (state == PLAN_FINISHED && look == LOOK_INPUTS && InputChanged(folder, &changed)) {
    state = PLAN_OTHER_INPUTS;
    snprintf(reason, PLAN_REASON, "%.300s has changed since", changed.path);
  }
  if (MistakesAny(&damage)) {
    state = PLAN_DAMAGED;
    snprintf(reason, PLAN_REASON, "%s", MistakesFirst(&damage));
  }
  (void)MistakesClear(&damage);
  return state;
}
