/**
 * Sums of doubles that do not depend on the order of the additions, hence not on the number of ranks.
 *
 * Every addend is rounded once to a multiple of 2^(exponent - 80) and added in integers (two 64-bit limbs), so addition is
 * associative. Room: addends up to 2^(exponent + 20), 4096 of them at that size.
 */
#pragma once
#include <petscsys.h>

typedef struct ExactSum {
  PetscInt n;
  int exponent; /* addends are expected to be around 2^exponent */
  int overflow; /* largest exponent an addend needed when it did not fit, else INT_MIN: add again with a larger exponent */
  int64_t *limb; /* [2n]: high limbs, then low limbs */
} ExactSum;

PetscErrorCode ExactSumCreate(PetscInt n, ExactSum *sum);
/** Set all n sums to zero and the expected size of the addends. Not collective. */
PetscErrorCode ExactSumReset(ExactSum *sum, int exponent);
/** sum[i] += value[i] for all i. Values must be finite. Not collective. */
PetscErrorCode ExactSumAdd(ExactSum *sum, const double *value);
/** Add up over the ranks of comm; every rank holds the total and the same `overflow`. Collective. */
PetscErrorCode ExactSumReduce(MPI_Comm comm, ExactSum *sum);
/** The sums as doubles. */
PetscErrorCode ExactSumGet(const ExactSum *sum, double *value);
PetscErrorCode ExactSumDestroy(ExactSum *sum);
