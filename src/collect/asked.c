/* Which plans of a study the runs of a results folder were asked for: a file of their folders, where it is not all of them. */
#include "robion/collect.h"
#include "robion/text.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void AskedPath(const char *results, char file[PETSC_MAX_PATH_LEN])
{
  snprintf(file, PETSC_MAX_PATH_LEN, "%s/asked.txt", results);
}

/* The plan of a line; the plans are looked through from where the last one was. -1: of none. */
static PetscInt FindPlan(const Study *study, const char *folder, PetscInt from)
{
  for (PetscInt i = 0; i < study->n_plans; i++) {
    const PetscInt p = (from + i) % study->n_plans;
    if (!strcmp(study->plans[p].folder, folder)) return p;
  }
  return -1;
}

PetscErrorCode AskedRead(const char *results, const Study *study, PetscBool *asked)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], *text;
  size_t length;
  Mistakes unread = {0};
  AskedPath(results, file);
  const PetscBool listed = !access(file, F_OK) && FileRead(file, &text, &length, &unread) ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt p = 0; p < study->n_plans; p++) asked[p] = listed ? PETSC_FALSE : PETSC_TRUE;
  if (listed) {
    PetscInt last = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
      *end = 0;
      const PetscInt p = FindPlan(study, line, last);
      if (p >= 0) asked[last = p] = PETSC_TRUE;
    }
    PetscCall(PetscFree(text));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

PetscErrorCode AskedWrite(const char *results, const Study *study, const PetscBool *asked, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  Text text = {0};
  PetscInt n = 0;
  AskedPath(results, file);
  for (PetscInt p = 0; p < study->n_plans; p++) {
    if (!asked[p]) continue;
    PetscCall(TextAdd(&text, "%s\n", study->plans[p].folder));
    n++;
  }
  if (n < study->n_plans)
    (void)FileReplace(file, text.data, text.length, mistakes);
  else if (unlink(file) && errno != ENOENT)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be removed: %s", file, strerror(errno)));
  PetscCall(TextDestroy(&text));
  PetscFunctionReturn(0);
}
