/**
 * Images on grids of their own, as readers of volumes give them (exchange.h).
 */
#pragma once
#include "robion/grid.h"

/** One or several volumes on a grid along the patient's axes (LPS, mm). */
typedef struct Image {
  Grid grid;
  PetscInt n_volume;
  float *value; /* [volume][voxel] */
} Image;
