/* Stages of a course that are planned already, while the plan is not: kept so that --resume need not plan them again. */
#include "plan_private.h"
#include <math.h>
#include <unistd.h>

static void FileName(const char *folder, const CourseStage *stage, char name[PETSC_MAX_PATH_LEN])
{
  snprintf(name, PETSC_MAX_PATH_LEN, "%s/stage-%s.h5", folder, stage->name);
}

PetscBool StageFileWrite(const char *folder, const char *yaml, const CourseStage *stage, const double *weight,
                         Mistakes *mistakes)
{
  char name[PETSC_MAX_PATH_LEN];
  const hsize_t n = (hsize_t)stage->n_spot;
  H5Sink sink;
  FileName(folder, stage, name);
  if (!H5SinkOpen(name, mistakes, &sink)) return PETSC_FALSE;
  sink.sealed = PETSC_TRUE;
  H5WriteArray(&sink, "/particles", H5T_NATIVE_DOUBLE, 1, &n, weight, "1", "ions per spot per fraction of the stage");
  H5WriteString(&sink, "/particles", "settings", yaml);
  return H5SinkClose(&sink, mistakes);
}

PetscBool StageFileRead(const char *folder, const char *yaml, const CourseStage *stage, double *weight)
{
  char name[PETSC_MAX_PATH_LEN], *settings = NULL;
  double *stored = NULL;
  hsize_t n = (hsize_t)stage->n_spot;
  H5Source source;
  Mistakes damage = {0}; /* a file that cannot be used only costs the time to plan the stage again */
  PetscBool good;
  FileName(folder, stage, name);
  if (access(name, F_OK) || !H5SealHolds(name, &damage) || !H5SourceOpen(name, &damage, &source)) {
    (void)MistakesClear(&damage);
    return PETSC_FALSE;
  }
  good = H5ReadString(&source, "/particles", "settings", PETSC_FALSE, &settings, &damage) && !strcmp(settings, yaml) &&
                 H5ReadArray(&source, "/particles", H5T_NATIVE_DOUBLE, 1, &n, &stored, &damage)
             ? PETSC_TRUE
             : PETSC_FALSE;
  if (!H5SourceClose(&source, &damage)) good = PETSC_FALSE;
  for (PetscInt j = 0; good && j < stage->n_spot; j++) {
    if (!(stored[j] >= 0 && isfinite(stored[j]))) good = PETSC_FALSE;
    weight[j] = stored[j];
  }
  (void)PetscFree(stored);
  (void)PetscFree(settings);
  (void)MistakesClear(&damage);
  return good;
}

void StageFilesRemove(const char *folder, const Course *course)
{
  for (PetscInt k = 0; k < course->n; k++) {
    char name[PETSC_MAX_PATH_LEN];
    FileName(folder, &course->stage[k], name);
    unlink(name);
  }
}
