/* Shared by the files that combine scenarios. */
#pragma once
#include "robion/robust.h"

/* The largest weights that the rows of a group may get. */
void RobustCaps(const RobustTable *table, PetscInt group, double *cap);
