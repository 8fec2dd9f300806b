/* What the finished files of a plan hold, so that a later run can tell whether they still do. */
#include "robion/provenance.h"
#include "robion/results.h"
#include "robion/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char checksums_name[] = "checksums.txt";

/* One line "<fnv1a64>  <name>" per file, or false with a mistake. */
static PetscBool ChecksumsText(const char *folder, Text *text, Mistakes *mistakes)
{
  for (int f = 0; f < N_PLAN_FILES; f++) {
    char file[PETSC_MAX_PATH_LEN], *content;
    size_t length;
    PlanFilePath(folder, f, file);
    if (!FileRead(file, &content, &length, mistakes)) return PETSC_FALSE;
    unsigned long long hash = HashBytes(HASH_START, content, length);
    (void)PetscFree(content);
    if (TextAdd(text, "%016llx  %s\n", hash, plan_files[f])) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool PlanChecksumsWrite(const char *folder, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN];
  Text text = {0};
  snprintf(file, sizeof file, "%s/%s", folder, checksums_name);
  PetscBool good = ChecksumsText(folder, &text, mistakes) && FileReplace(file, text.data, text.length, mistakes)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  (void)TextDestroy(&text);
  return good;
}

PetscBool PlanChecksumsVerify(const char *folder, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN], *stored;
  size_t length;
  Text text = {0};
  snprintf(file, sizeof file, "%s/%s", folder, checksums_name);
  if (access(file, F_OK)) return PETSC_FALSE; /* interrupted before the end */
  if (!FileRead(file, &stored, &length, mistakes)) return PETSC_FALSE;
  PetscBool good = ChecksumsText(folder, &text, mistakes);
  if (good && strcmp(stored, text.data)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: does not fit the files beside it, which were changed or damaged",
                      file);
    good = PETSC_FALSE;
  }
  (void)PetscFree(stored);
  (void)TextDestroy(&text);
  return good;
}

PetscBool PlanChecksumsThere(const char *folder)
{
  char file[PETSC_MAX_PATH_LEN];
  snprintf(file, sizeof file, "%s/%s", folder, checksums_name);
  return access(file, F_OK) ? PETSC_FALSE : PETSC_TRUE;
}

void PlanChecksumsRemove(const char *folder)
{
  char file[PETSC_MAX_PATH_LEN];
  snprintf(file, sizeof file, "%s/%s", folder, checksums_name);
  unlink(file);
}
