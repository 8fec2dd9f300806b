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
  PetscInt first, n;    /* optimised voxels [first, first + n) */
  Influence *influence; /* [stage] */
  double *channels;     /* [stage][sums][n][N_CHANNELS]; cotangents in their place during a factored gradient */
  TermPart *part;       /* [n_term] */
} Block;

/* What the voxels of one slot have in common, see LandmarkKind. */
typedef struct Landmark {
  double value, edge;
} Landmark;

struct Problem_s {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  ProblemSpec spec;
  PetscInt n_stage, n_fixed; /* stages of the course; the first of them have given weights: channels, but no operator */
  DoseModel model[STAGES_MOST];
  Factored factored[STAGES_MOST]; /* of INFLUENCE_FACTORED, else NULL */
  PetscInt n_all, first;          /* spots of all stages; the first one whose weight is sought */
  PetscBool *removed;             /* [n_spot] of the sought ones, NULL: none */
  PetscInt n_block, n_local, n_slot;
  Block *block; /* local ones */
  PetscInt *block_index;
  PetscBool *sums_used, *slot_used;          /* [sums of the set]; [n_term][n_slot] */
  double *weight, *gradient, *part_gradient; /* [n_all]; the last: of a block or a stage */
  double *cotangent;                         /* [stage][BLOCK_VOXELS][N_CHANNELS] */
  double *sums;                              /* [n_block][n_term][n_slot] */
  double *inner;                             /* [n_term][n_slot] volume means of the voxel function */
  double *value, *count, *outer_slope;       /* [n_term][n_slot] */
  double *largest_share;                     /* [n_term] */
  Landmark *landmark;                        /* [n_term][n_slot] */
  RobustGroups groups;
  SmoothMax smooth;
  size_t part_bytes; /* of all TermParts */
  double ratio;      /* mean spot cost at the last evaluation */
  FieldGradient field_gradient;
  double unevenness; /* its value then */
  double *lambda;    /* [group][scenario] weights at the last evaluation */
  ExactSum exact;
  PetscInt n_hard, n_multiplier;    /* constraints */
  double *penalty;                  /* [n_hard] */
  double *shift, *excess;           /* [n_multiplier] */
  PetscInt column_term, column_row; /* gradients are those of this term's mean in this row; -1: of the objective */
};

/* Objective, and gradient if wanted, at p->weight, the same on every rank. Collective. */
PetscErrorCode ProblemEvaluateTogether(Problem p, PetscBool with_gradient, double *objective);

/* Landmarks of all terms from the quantities of all blocks (landmark.c). Collective. */
PetscErrorCode ProblemFindLandmarks(Problem p);

/* Constraints (problem_constraints.c): rank 0's penalties and shifts to the terms of all ranks; excesses of the last evaluation, on all
   ranks. Collective. Then: what the hard terms add to the objective. */
PetscErrorCode ConstraintsShift(Problem p);
PetscErrorCode ConstraintsMeasure(Problem p);
double ConstraintsPart(Problem p);

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

/* A block's channels of a stage, one of the sums that scenarios share. */
static inline double *StageChannels(Problem p, const Block *block, PetscInt stage, PetscInt sums)
{
  return block->channels + (size_t)(stage * p->spec.set->n_sums + sums) * (size_t)block->n * N_CHANNELS;
}

/* What terms want of a stage's channels of a block, [n][N_CHANNELS]. */
static inline double *StageCotangent(Problem p, PetscInt stage)
{
  return p->cotangent + stage * BLOCK_VOXELS * N_CHANNELS;
}

/* What a term looks at in a voxel of the block in a scenario, and unless NULL its derivatives to every stage's channels. */
double ProblemQuantity(Problem p, const Block *block, const Term *term, PetscInt scenario, PetscInt voxel,
                       double derivative[STAGES_MOST][N_CHANNELS]);

/* The doses of the weights p->weight of all stages that are looked for, from now on. */
PetscErrorCode ProblemSetWeights(Problem p);
