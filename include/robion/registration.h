/**
 * Images of another frame (a diffusion scan) brought onto the CT by a known rigid transform. Part of step 2.
 */
#pragma once
#include "robion/image.h"

/** From a point p of the CT to the point of the image that shows the same, LPS. */
typedef struct RigidTransform {
  double matrix[3][3];
  double offset_mm[3]; /* of matrix p + offset */
} RigidTransform;

/**
 * Read a transform: 16 numbers, the rows of a 4 x 4 matrix, or a text file of ITK with one transform (Euler3D, VersorRigid3D, Affine,
 * MatrixOffset, Translation; ITK's "from fixed to moving" with the CT as the fixed image). False and one mistake (ROBION_INPUT)
 * otherwise, and where the matrix scales, shears or mirrors by more than 0.1 %. Not collective.
 */
PetscBool RigidTransformRead(const char *file, Mistakes *mistakes, RigidTransform *transform);

/**
 * The image as the CT's frame sees it: voxels of its own size, as many as cover what of it lies on `frame`, each the trilinear mean of its
 * eight neighbours in the image, or 0 (no signal) where one of them is missing or has none. A mistake (ROBION_INPUT) if nothing is left.
 * Replaces *image. Not collective.
 */
PetscErrorCode ImageRegister(const RigidTransform *transform, const Grid *frame, Mistakes *mistakes, Image *image);
