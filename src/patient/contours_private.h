/* Shared by the files of contours. */
#pragma once
#include "robion/contours.h"

/* A ring of a plane. */
typedef struct Ring {
  PetscInt n, group; /* group: rings that cross each other, directly or by others, have the same */
  const double (*point)[3];
  double low[2], high[2], z;
} Ring;

/* Give the n rings of a plane their groups (numbers of rings); whether any two cross. */
PetscBool RingsGroup(PetscInt n, Ring *ring);
