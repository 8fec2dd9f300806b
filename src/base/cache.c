/* The folder for what robion keeps for a user from one run to the next. */
#include "robion/text.h"
#include <stdlib.h>

PetscErrorCode CacheFolder(char folder[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  const char *own = getenv("ROBION_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (own && *own)
    PetscCall(PetscStrncpy(folder, own, PETSC_MAX_PATH_LEN));
  else if (xdg && *xdg)
    PetscCall(PetscSNPrintf(folder, PETSC_MAX_PATH_LEN, "%s/robion", xdg));
  else if (home && *home)
    PetscCall(PetscSNPrintf(folder, PETSC_MAX_PATH_LEN, "%s/.cache/robion", home));
  else
    PetscCall(PetscStrncpy(folder, "build", PETSC_MAX_PATH_LEN));
  PetscFunctionReturn(0);
}
