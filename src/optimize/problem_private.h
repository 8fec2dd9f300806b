/* The optimisation problem's inside, shared by its object (problem.c) and its evaluation (evaluation.c). */
#pragma once
#include "robion/exact_sum.h"
#include "robion/optimize.h"

/* A term's quantity in one voxel over the scenarios, for modes that judge voxel by voxel. */
typedef struct Spread {
  PetscInt low_row, high_row;
  double low, high, mean, variance;
} Spread;

/* A term's voxels in one block, and their quantity. */
typedef struct TermPart {
  PetscInt begin, end; /* of the term's voxels */
  PetscInt n_row;      /* scenario rows kept: all, or the nominal alone */
  double *quantity;    /* [n_row][end - begin] */
  Spread *spread;      /* [end - begin], or NULL where the mode has no use for it */
} TermPart;

typedef struct Block {
  PetscInt first, n; /* optimised voxels [first, first + n) */
  Influence influence;
  double *channels; /* [scenario][n][N_CHANNELS]; cotangents in their place during a factored gradient */
  TermPart *part;   /* [n_term] */
} Block;

/* What the voxels of one slot have in common, see LandmarkKind. */
typedef struct Landmark {
  double value, edge;
} Landmark;

struct Problem_s {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  ProblemSpec spec;
  Factored factored; /* of INFLUENCE_FACTORED, else NULL */
  PetscInt n_block, n_local, n_slot;
  Block *block; /* local ones */
  PetscInt *block_index;
  PetscBool *scenario_used, *slot_used;                   /* [scenario]; [n_term][n_slot] */
  double *weight, *gradient, *block_gradient, *cotangent; /* [n_spot] and [BLOCK_VOXELS * N_CHANNELS] */
  double *sums;                                           /* [n_block][n_term][n_slot] */
  double *inner;                                          /* [n_term][n_slot] volume means of the voxel function */
  double *value, *count, *outer_slope;                    /* [n_term][n_slot] */
  double *largest_share;                                  /* [n_term] */
  Landmark *landmark;                                     /* [n_term][n_slot] */
  RobustGroups groups;
  SmoothMax smooth;
  size_t part_bytes; /* of all TermParts */
  double *lambda;    /* [group][scenario] weights at the last evaluation */
  ExactSum exact;
};

/* Objective, and gradient if wanted, at p->weight, which rank 0 shares first. Collective. */
PetscErrorCode ProblemEvaluateTogether(Problem p, PetscBool with_gradient, double *objective);

/* Landmarks of all terms from the quantities of all blocks (landmark.c). Collective. */
PetscErrorCode ProblemFindLandmarks(Problem p);

/* A term's distribution in one slot: the value of voxel i of the part. */
static inline double SlotValue(const TermPart *part, PetscInt n_scenario, PetscInt slot, PetscInt i)
{
  if (slot < n_scenario) return part->quantity[slot * (part->end - part->begin) + i];
  const Spread *spread = &part->spread[i];
  const double value[N_EXTRA] = {[EXTRA_LOW] = spread->low,
                                 [EXTRA_HIGH] = spread->high,
                                 [EXTRA_EXPECTED] = spread->mean,
                                 [EXTRA_VARIANCE] = spread->variance};
  return value[slot - n_scenario];
}

/* What kernels know of a term in a slot; the goal is that of the whole term. */
static inline KernelPoint SlotPoint(Problem p, PetscInt t, PetscInt slot)
{
  const Term *term = &p->spec.term[t];
  const Landmark *mark = &p->landmark[t * p->n_slot + slot];
  return (KernelPoint){.parameters = &term->parameters,
                       .goal = term->goal,
                       .landmark = mark->value,
                       .edge = mark->edge,
                       .largest_share = p->largest_share[t]};
}

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
