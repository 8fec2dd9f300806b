/**
 * In-field gradient suppression, Yagi et al., PLOS ONE 18(7):e0288545 (2023), Eq. 9: what an objective pays for fields that are
 * uneven in the target even where their sum is not. Part of step 10 of the data's way.
 *
 *     F_grad = G0 (1 / N) sum_l sum_i sum_{k: 0 < r_ik <= distance} ((e_li - e_lk) / r_ik)^2
 *
 * over the fields l and the N target voxels i, k; e_li is the effect of field l alone in the nominal scenario, r_ik the distance
 * of voxel centres. The study sums over i and leaves the distance open: the mean, which keeps the weight of the term against
 * objectives (volume means as well) on any dose grid, and the distance are robion's own.
 */
#pragma once
#include "robion/influence.h"

typedef struct FieldGradientSpec {
  double weight; /* G0, mm2 */
  double distance_mm;
  PetscInt n_field;
  const DoseModel *field; /* of one beam each; spots are counted as in the weights */
  const Tissues *tissues;
  const Grid *grid;
  PetscInt n_voxel;
  const PetscInt *voxel; /* of the target: indices into grid, neighbours together */
  PetscInt n_spot;       /* all weights there are */
} FieldGradientSpec;

typedef struct FieldGradient_s *FieldGradient;

/**
 * Find the pairs of voxels and store the nominal rows of every field, voxels dealt to the ranks in blocks as those of a problem.
 * The members of spec must outlive it. Collective.
 */
PetscErrorCode FieldGradientCreate(MPI_Comm comm, const FieldGradientSpec *spec, FieldGradient *out);

/**
 * Value at weights [n_spot] in particles, the same on every rank; its gradient is added to gradient[n_spot] unless that is NULL.
 * The same bits on any number of ranks. Collective.
 */
PetscErrorCode FieldGradientEvaluate(FieldGradient term, const double *weight, double *value, double *gradient);

/** Stored entries and bytes on this rank. Not collective. */
PetscErrorCode FieldGradientGetSize(FieldGradient term, size_t *entries, size_t *bytes);

PetscErrorCode FieldGradientDestroy(FieldGradient *term);
