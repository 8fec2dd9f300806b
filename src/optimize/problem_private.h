/* The optimisation problem's inside, shared by its object (problem.c) and its evaluation (evaluation.c). */
#pragma once
#include "robion/exact_sum.h"
#include "robion/optimize.h"

/* What the backward pass needs of a voxel's worst case in one term. */
typedef struct Extreme {
  PetscInt low, high; /* scenario rows */
  double slope_low, slope_high;
} Extreme;

typedef struct Block {
  PetscInt first, n; /* optimised voxels [first, first + n) */
  Influence influence;
  double *channels;                /* [scenario][n][N_CHANNELS]; cotangents in their place during a factored gradient */
  PetscInt *term_begin, *term_end; /* [n_term] part of each term's voxels that lies in this block */
  Extreme **extreme;               /* [n_term][end - begin], voxel-wise modes only, else NULL */
} Block;

struct Problem_s {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  ProblemSpec spec;
  Factored factored; /* of INFLUENCE_FACTORED, else NULL */
  PetscInt n_block, n_local, n_slot;
  Block *block; /* local ones */
  PetscInt *block_index;
  PetscBool *scenario_used;
  double *weight, *gradient, *block_gradient, *cotangent; /* [n_spot] and [BLOCK_VOXELS * N_CHANNELS] */
  double *sums;                                           /* [n_block][n_term][n_slot] */
  double *inner;                                          /* [n_term][n_slot] volume means of the voxel function */
  double *value, *count, *outer_slope;                    /* [n_term][n_slot] */
  SmoothMax smooth;
  ExactSum exact;
};

/* Objective, and gradient if wanted, at p->weight, which rank 0 shares first. Collective. */
PetscErrorCode ProblemEvaluateTogether(Problem p, PetscBool with_gradient, double *objective);

/* The values of all terms as a robust mode takes them. */
RobustTable ProblemTable(Problem p);

/* Response of an optimised voxel. */
static inline const BiologySpec *VoxelBiology(Problem p, PetscInt voxel)
{
  const Tissues *tissues = p->spec.tissues;
  return &tissues->biology[TissueOf(tissues, p->spec.voxel[voxel])]->spec;
}

/* Channel sums of a voxel of the block in a scenario. */
static inline const double *BlockChannels(const Block *block, PetscInt scenario, PetscInt voxel)
{
  return block->channels + ((size_t)scenario * (size_t)block->n + (size_t)(voxel - block->first)) * N_CHANNELS;
}
