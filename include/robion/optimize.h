/**
 * The optimisation problem on a team of ranks. Step 10 of the data's way; solver.h solves it.
 *
 * The optimised voxels are cut into blocks of BLOCK_VOXELS; block k belongs to rank k mod size, with its rows of every
 * scenario. A rank therefore holds whole voxels: doses and voxel-wise extremes need no communication, and one evaluation
 * communicates the weights, one partial sum per (block, term, slot), and the gradient. Partial sums are added in block
 * order and gradients in exact arithmetic (ExactSum), so results are bit-identical on any number of ranks.
 */
#pragma once
#include "robion/course.h"
#include "robion/field_gradient.h"
#include "robion/robust.h"

enum { BLOCK_VOXELS = 256 };

typedef struct Problem_s *Problem;

typedef struct ProblemSpec {
  DoseModel model;      /* of a plan without stages */
  const Course *course; /* of one with stages, else NULL */
  PetscInt n_fixed;     /* its first stages, all but the last at most, whose spots keep the weights fixed[...] */
  const double *fixed;
  const Tissues *tissues;
  const ScenarioSet *set;
  const Grid *grid;
  PetscInt n_voxel;        /* optimised voxels */
  const PetscInt *voxel;   /* indices into grid; of every term ascending positions in this list */
  PetscInt n_spot;         /* those whose weights are sought: all but those of fixed stages */
  const double *spot_cost; /* [n_spot] or NULL: sum cost x / sum x is added to the objective (spot_control.h) */
  const FieldGradientSpec *field_gradient; /* NULL: nothing is paid for uneven fields */
  PetscInt n_term;
  Term *term; /* only constraints' goals and weights are ever changed */
  const RobustSpec *robust;
  InfluenceType type;
} ProblemSpec;

/** Build the local blocks. The members of spec must outlive the problem. Collective. */
PetscErrorCode ProblemCreate(MPI_Comm comm, const ProblemSpec *spec, Problem *problem);

/**
 * Objective and gradient (either may be NULL; the gradient costs a second pass) at spot weights in particles, [n_spot], the same
 * on every rank; so are the results. Collective.
 */
PetscErrorCode ProblemEvaluate(Problem problem, const double *weight, double *objective, double *gradient);

/**
 * From now on these spots have no particles, whatever the weights say, and no gradient. removed[n_spot] is copied, the same on every
 * rank. Not collective.
 */
PetscErrorCode ProblemRemoveSpots(Problem problem, const PetscBool *removed);

/** Groups of terms whose worst case over scenarios is looked for (see robust.h); 0: the mode has none. */
PetscErrorCode ProblemGetGroups(Problem problem, PetscInt *n_group);

/** Set the smooth maxima, mu[n_group] and multiplier[n_group][rows] (copied); rank 0's count. Collective. */
PetscErrorCode ProblemSetSmoothMax(Problem problem, const double *mu, const double *multiplier);

/**
 * Of the last evaluation, each [n_group][rows], NULL if not wanted: totals of the groups in every scenario row, and the weights
 * lambda that the rows had in the gradient, which are the multipliers of the next stage. Not collective.
 */
PetscErrorCode ProblemGetTotals(Problem problem, double *total, double *lambda);
/** Of the last evaluation: the objective without smoothing, and the worst row of the first group (-1: no groups). Not collective. */
PetscErrorCode ProblemGetTrueObjective(Problem problem, double *objective, PetscInt *worst);

/** Hard terms (constraints) in the order of the terms, and all their multipliers: one per voxel, or one. */
PetscErrorCode ProblemGetConstraints(Problem problem, PetscInt *n, PetscInt *n_multiplier);
/** A term that is hard gets what the solver moves its goals by. Not collective. */
PetscErrorCode ConstraintPrepare(Term *term);
/** The multipliers that a hard term has: its voxels, or 1 where one number of the structure has a bound. */
PetscInt ConstraintSize(const Term *term);
/** Set penalties [n] and shifts [n_multiplier], in units of the quantities: goals become bounds moved by them. Rank 0's count. Collective. */
PetscErrorCode ProblemSetConstraints(Problem problem, const double *penalty, const double *shift);
/**
 * Of the last evaluation: excess[n_multiplier] of the quantities over their bounds (lack where they must be reached; signed where
 * they must be met), and the part of the objective that the hard terms make. Collective.
 */
PetscErrorCode ProblemMeasureConstraints(Problem problem, double *excess, double *part);

/** Mean of a term's quantity in the nominal scenario over its structure; any mode, collective on all ranks. */
PetscErrorCode ProblemTermMean(Problem problem, PetscInt term, const double *weight, double *mean);

/**
 * column[n_spot] = d (mean of the term's quantity in a scenario row that its mode looks at) / d particles at the given weights,
 * which are the same on every rank. Collective on all ranks.
 */
PetscErrorCode ProblemTermColumn(Problem problem, PetscInt term, PetscInt row, const double *weight, double *column);

/** Entries and bytes of the operator over all ranks, and the bytes on the fullest rank. Collective. */
PetscErrorCode ProblemGetSize(Problem problem, size_t *entries, size_t *bytes, size_t *bytes_largest_rank);

PetscErrorCode ProblemDestroy(Problem *problem);
