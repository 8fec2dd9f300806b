/* Shared by the files that put one plan's inputs together. */
#pragma once
#include "robion/cohort.h"
#include <string.h>

/* Fill in->tissues from the settings; needs patient, machine and grid. After a mistake some biologies are NULL. */
PetscErrorCode TissuesCreate(Mistakes *mistakes, PlanInputs *in);
PetscErrorCode TissuesDestroy(Tissues *tissues);

/* The biology a structure's objectives on effect are measured by. */
const BiologySpec *TissueOfStructure(const Settings *settings, const char *structure);
