/**
 * Images on grids of their own: NIfTI, where robion was built with its library, and HDF5. Part of exchange.
 */
#pragma once
#include "robion/error.h"
#include "robion/grid.h"

/** One or several volumes on a grid along the patient's axes (LPS, mm). */
typedef struct Image {
  Grid grid;
  PetscInt n_volume;
  float *value; /* [volume][voxel] */
} Image;

/**
 * Read an image. NIfTI (.nii, .nii.gz, .hdr): the affine matrix (sform, else qform) is turned from RAS to LPS; axes may be in any order
 * and direction, but must be the patient's within 0.1 %: an oblique image is to be resampled first. Else HDF5: a dataset /image of
 * shape [z][y][x] or [volume][z][y][x] with attributes spacing_mm and origin_mm as /ct/hu of a case. Values that are not finite (the library
 * of NIfTI makes them 0) and everything else that is wrong are mistakes (ROBION_INPUT); false then. ImageDestroy in either case. Not collective.
 */
PetscBool ImageRead(const char *file, Mistakes *mistakes, Image *image);
PetscErrorCode ImageDestroy(Image *image);
