/**
 * Images on grids of their own, as readers of volumes give them (exchange.h).
 */
#pragma once
#include "robion/grid.h"

/** One or several volumes on a grid along the patient's axes (LPS, mm). */
typedef struct Image {
  Grid grid;
  PetscInt n_volume;
  float *value;    /* [volume][voxel] */
  double *b_s_mm2; /* of each volume, ascending; NULL: the file does not say that they are diffusion-weighted */
} Image;

/** One volume of a known quantity. */
typedef struct Volume {
  Grid grid;
  char name[128]; /* "nominal/rbe_weighted" */
  char unit[32];  /* "1": none */
  char meaning[128];
  float *value; /* [voxel] */
} Volume;

static inline PetscErrorCode VolumeDestroy(Volume *volume)
{
  PetscErrorCode code = PetscFree(volume->value);
  *volume = (Volume){.value = NULL};
  return code;
}
