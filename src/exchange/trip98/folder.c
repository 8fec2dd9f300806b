/* The files of one kind in a folder of TRiP98's. */
#include "trip_private.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

PetscErrorCode TripFilesDestroy(TripFiles *files)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < files->n; i++) PetscCall(PetscFree(files->path[i]));
  PetscCall(PetscFree(files->path));
  files->n = 0;
  PetscFunctionReturn(0);
}

/* beam_2 before beam_10. */
static int ComparePaths(const void *a, const void *b)
{
  return strverscmp(*(char *const *)a, *(char *const *)b);
}

PetscErrorCode TripFilesFind(const char *folder, const char *ending, TripFiles *files)
{
  PetscFunctionBegin;
  char path[PETSC_MAX_PATH_LEN];
  DIR *open = opendir(folder);
  *files = (TripFiles){0};
  for (struct dirent *entry; open && (entry = readdir(open));) {
    if (!TextHasEnding(entry->d_name, ending)) continue;
    PetscCall(PetscSNPrintf(path, sizeof path, "%s/%s", folder, entry->d_name));
    PetscCall(TripGrow(files->n, sizeof *files->path, &files->path));
    PetscCall(PetscStrallocpy(path, &files->path[files->n++]));
  }
  if (open) closedir(open);
  if (files->n) qsort(files->path, (size_t)files->n, sizeof *files->path, ComparePaths);
  PetscFunctionReturn(0);
}

PetscErrorCode TripFilesOne(const char *path, TripFiles *files)
{
  PetscFunctionBegin;
  *files = (TripFiles){0};
  PetscCall(TripGrow(0, sizeof *files->path, &files->path));
  PetscCall(PetscStrallocpy(path, &files->path[files->n++]));
  PetscFunctionReturn(0);
}
