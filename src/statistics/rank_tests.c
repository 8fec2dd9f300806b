/* Rank tests with their exact distributions. Ranks are doubled, so that middle ranks of ties are whole numbers too. */
#include "robion/statistics.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

/* Up to here all arrangements are counted: exact as double, and quick. */
enum { EXACT_PAIRS = 50, EXACT_VALUES = 40 };

/* Doubled middle ranks of ascending values' magnitudes; *ties becomes the sum of t^3 - t over groups of t equal ones. */
static PetscErrorCode DoubledRanks(PetscInt n, const double *value, PetscInt *rank, double *ties)
{
  PetscFunctionBegin;
  PetscInt *order;
  PetscCall(PetscMalloc1(n, &order));
  for (PetscInt i = 0; i < n; i++) order[i] = i;
  PetscCall(PetscSortRealWithPermutation(n, value, order));
  *ties = 0;
  for (PetscInt first = 0, end; first < n; first = end) {
    for (end = first; end < n && value[order[end]] == value[order[first]];) end++;
    const double t = (double)(end - first);
    *ties += t * t * t - t;
    for (PetscInt i = first; i < end; i++) rank[order[i]] = first + end + 1; /* twice the mean of first + 1 ... end */
  }
  PetscCall(PetscFree(order));
  PetscFunctionReturn(0);
}

/* Ways to choose exactly `chosen` of the n ranks (negative: any number of them) with each sum up to `total`: [sum]. */
static PetscErrorCode CountSums(PetscInt n, const PetscInt *rank, PetscInt chosen, PetscInt total, double *ways)
{
  PetscFunctionBegin;
  const PetscInt levels = chosen < 0 ? 1 : chosen + 1, stride = total + 1;
  double *count;
  PetscCall(PetscCalloc1((size_t)levels * (size_t)stride, &count));
  count[0] = 1;
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt k = levels - 1; k >= (chosen < 0 ? 0 : 1); k--) {
      const double *from = count + (chosen < 0 ? 0 : k - 1) * stride;
      double *to = count + k * stride;
      for (PetscInt s = total; s >= rank[i]; s--) to[s] += from[s - rank[i]];
    }
  PetscCall(PetscArraycpy(ways, count + (levels - 1) * stride, stride));
  PetscCall(PetscFree(count));
  PetscFunctionReturn(0);
}

/* Twice the smaller tail of a distribution of sums, the sum found in both tails. */
static PetscErrorCode ExactP(PetscInt n, const PetscInt *rank, PetscInt chosen, PetscInt found, double *p)
{
  PetscFunctionBegin;
  PetscInt total = 0;
  double *ways, lower = 0, upper = 0, all = 0;
  for (PetscInt i = 0; i < n; i++) total += rank[i];
  PetscCall(PetscMalloc1(total + 1, &ways));
  PetscCall(CountSums(n, rank, chosen, total, ways));
  for (PetscInt s = 0; s <= total; s++) {
    all += ways[s];
    if (s <= found) lower += ways[s];
    if (s >= found) upper += ways[s];
  }
  *p = PetscMin(1.0, 2 * PetscMin(lower, upper) / all);
  PetscCall(PetscFree(ways));
  PetscFunctionReturn(0);
}

/* Two-sided p of a whole-numbered or half statistic under its normal limit, with a continuity correction of 1/2. */
static double NormalP(double statistic, double mean, double variance)
{
  const double distance = PetscMax(0.0, fabs(statistic - mean) - 0.5);
  return variance > 0 ? PetscMin(1.0, 2 * gsl_cdf_ugaussian_Q(distance / sqrt(variance))) : 1;
}

static PetscBool UseExact(RankMethod method, PetscInt n, PetscInt largest)
{
  return method == RANKS_EXACT || (method == RANKS_AUTOMATIC && n <= largest) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode WilcoxonSignedRank(PetscInt n, const double *difference, RankMethod method, TestResult *out)
{
  PetscFunctionBegin;
  double *magnitude, ties;
  PetscBool *positive;
  PetscInt *rank, used = 0, plus = 0, total;
  *out = (TestResult){.p = 1};
  PetscCall(PetscMalloc3(n, &magnitude, n, &rank, n, &positive));
  for (PetscInt i = 0; i < n; i++) {
    if (difference[i] == 0) continue;
    positive[used] = difference[i] > 0 ? PETSC_TRUE : PETSC_FALSE;
    magnitude[used++] = fabs(difference[i]);
  }
  PetscCall(DoubledRanks(used, magnitude, rank, &ties));
  for (PetscInt i = 0; i < used; i++) plus += positive[i] ? rank[i] : 0;
  total = used * (used + 1); /* of doubled ranks */
  if (used) {
    const double pairs = (double)used;
    out->n = used;
    out->statistic = 0.5 * (double)PetscMin(plus, total - plus);
    out->exact = UseExact(method, used, EXACT_PAIRS);
    if (out->exact)
      PetscCall(ExactP(used, rank, -1, plus, &out->p));
    else
      out->p =
          NormalP(0.5 * (double)plus, 0.25 * (double)total, pairs * (pairs + 1) * (2 * pairs + 1) / 24 - ties / 48);
  }
  PetscCall(PetscFree3(magnitude, rank, positive));
  PetscFunctionReturn(0);
}

PetscErrorCode MannWhitney(PetscInt n, const double *a, PetscInt m, const double *b, RankMethod method, TestResult *out)
{
  PetscFunctionBegin;
  double *value, ties;
  PetscInt *rank, sum = 0;
  const double na = (double)n, nb = (double)m, all = na + nb;
  *out = (TestResult){.p = 1};
  if (n < 1 || m < 1) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(n + m, &value, n + m, &rank));
  PetscCall(PetscArraycpy(value, a, n));
  PetscCall(PetscArraycpy(value + n, b, m));
  PetscCall(DoubledRanks(n + m, value, rank, &ties));
  for (PetscInt i = 0; i < n; i++) sum += rank[i];
  out->n = n + m;
  out->statistic = 0.5 * (double)sum - na * (na + 1) / 2;
  out->exact = UseExact(method, n + m, EXACT_VALUES);
  if (out->exact)
    PetscCall(ExactP(n + m, rank, n, sum, &out->p));
  else
    out->p = NormalP(out->statistic, na * nb / 2, na * nb / 12 * (all + 1 - ties / (all * (all - 1))));
  PetscCall(PetscFree2(value, rank));
  PetscFunctionReturn(0);
}
