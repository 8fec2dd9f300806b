#include "robion/cohort.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static void CheckpointName(const char *folder, char name[PETSC_MAX_PATH_LEN])
{
  snprintf(name, PETSC_MAX_PATH_LEN, "%s/checkpoint.h5", folder);
}

PetscBool CheckpointWrite(const char *folder, const char *yaml, PetscInt n_spot, const double *weight,
                          Mistakes *mistakes)
{
  char name[PETSC_MAX_PATH_LEN];
  const hsize_t n = (hsize_t)n_spot;
  H5Sink sink;
  CheckpointName(folder, name);
  if (!H5SinkOpen(name, mistakes, &sink)) return PETSC_FALSE;
  H5WriteArray(&sink, "/particles", H5T_NATIVE_DOUBLE, 1, &n, weight, "1",
               "ions per spot per fraction, not yet optimal");
  H5WriteString(&sink, "/particles", "settings", yaml);
  return H5SinkClose(&sink, mistakes);
}

PetscBool CheckpointRead(const char *folder, const char *yaml, PetscInt n_spot, double *weight, Mistakes *mistakes)
{
  char name[PETSC_MAX_PATH_LEN], *settings = NULL;
  double *stored = NULL;
  hsize_t n = (hsize_t)n_spot;
  H5Source source;
  PetscBool good;
  CheckpointName(folder, name);
  if (access(name, F_OK)) return PETSC_FALSE;
  if (!H5SourceOpen(name, mistakes, &source)) return PETSC_FALSE;
  good = H5ReadString(&source, "/particles", "settings", PETSC_FALSE, &settings, mistakes);
  if (good && strcmp(settings, yaml)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: made with other settings; remove it or restore the study", name);
    good = PETSC_FALSE;
  }
  good = good && H5ReadArray(&source, "/particles", H5T_NATIVE_DOUBLE, 1, &n, &stored, mistakes) ? PETSC_TRUE
                                                                                                 : PETSC_FALSE;
  for (PetscInt j = 0; good && j < n_spot; j++) {
    if (!(stored[j] >= 0 && isfinite(stored[j]))) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: /particles: spot %d is %g, expected a number of at least 0", name,
                        (int)j, stored[j]);
      good = PETSC_FALSE;
    }
    weight[j] = stored[j];
  }
  (void)PetscFree(stored);
  (void)PetscFree(settings);
  H5SourceClose(&source);
  return good;
}

void CheckpointRemove(const char *folder)
{
  char name[PETSC_MAX_PATH_LEN];
  CheckpointName(folder, name);
  unlink(name);
}
