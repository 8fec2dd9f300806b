/*
 * Sums that are the same in any order. A double a is split into two integers: a 2^(30 - e), rounded, and what is left of it in
 * units 2^50 times finer; both are added up as 64-bit integers, which is associative and leaves room for 2^33 and 2^14 addends of
 * size 2^e. One rounding per addend, at 2^(e - 80), is all that is lost, and it does not depend on the others. e is the caller's guess of
 * the size; an addend too large for it is not added but asks for a larger e.
 */
#include "robion/exact_sum.h"
#include <limits.h>
#include <math.h>
#include <string.h>

enum { HIGH_BITS = 30, LOW_BITS = 50, GROWTH_BITS = 20 };

PetscErrorCode ExactSumCreate(PetscInt n, ExactSum *sum)
{
  PetscFunctionBegin;
  sum->n = n;
  PetscCall(PetscMalloc1(2 * (size_t)n, &sum->limb));
  PetscCall(ExactSumReset(sum, 0));
  PetscFunctionReturn(0);
}

PetscErrorCode ExactSumReset(ExactSum *sum, int exponent)
{
  PetscFunctionBegin;
  sum->exponent = exponent;
  sum->overflow = INT_MIN;
  memset(sum->limb, 0, 2 * (size_t)sum->n * sizeof *sum->limb);
  PetscFunctionReturn(0);
}

/* Largest magnitude in an array; the first NaN, if there is one. */
static double LargestMagnitude(PetscInt n, const double *value)
{
  double largest = 0;
  for (PetscInt i = 0; i < n; i++) {
    double magnitude = fabs(value[i]);
    if (isnan(magnitude)) return magnitude;
    largest = PetscMax(largest, magnitude);
  }
  return largest;
}

PetscErrorCode ExactSumAdd(ExactSum *sum, const double *value)
{
  PetscFunctionBegin;
  double largest = LargestMagnitude(sum->n, value);
  PetscCheck(isfinite(largest), PETSC_COMM_SELF, PETSC_ERR_FP, "an addend is %g, expected a finite number", largest);
  int needed = largest > 0 ? ilogb(largest) + 1 : INT_MIN;
  if (needed > sum->exponent + GROWTH_BITS) {
    sum->overflow = PetscMax(sum->overflow, needed);
    PetscFunctionReturn(0);
  }
  const double up = ldexp(1.0, HIGH_BITS - sum->exponent), finer = ldexp(1.0, LOW_BITS);
  int64_t *high = sum->limb, *low = sum->limb + sum->n;
  for (PetscInt i = 0; i < sum->n; i++) {
    double scaled = value[i] * up, whole = rint(scaled);
    high[i] += (int64_t)whole;
    low[i] += (int64_t)rint((scaled - whole) * finer);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ExactSumReduce(MPI_Comm comm, ExactSum *sum)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum->overflow, 1, MPI_INT, MPI_MAX, comm));
  if (sum->overflow != INT_MIN) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum->limb, (PetscMPIInt)(2 * sum->n), MPI_INT64_T, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode ExactSumGet(const ExactSum *sum, double *value)
{
  PetscFunctionBegin;
  const double unit = ldexp(1.0, sum->exponent - HIGH_BITS), finer = ldexp(1.0, -LOW_BITS);
  for (PetscInt i = 0; i < sum->n; i++)
    value[i] = ((double)sum->limb[i] + (double)sum->limb[sum->n + i] * finer) * unit;
  PetscFunctionReturn(0);
}

PetscErrorCode ExactSumDestroy(ExactSum *sum)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(sum->limb));
  sum->n = 0;
  PetscFunctionReturn(0);
}
