/**
 * Statistics of a cohort: describing samples, comparing paired and independent ones. Pure functions of their numbers; none is
 * collective, and none gives NaN: what a sample is too small for is left out (`n` 0, p 1).
 */
#pragma once
#include <petscsys.h>

/** A sample in numbers. Quantiles are linear between order statistics (type 7 of Hyndman and Fan, Am Stat 50:361, 1996). */
typedef struct Description {
  PetscInt n;
  double mean, sd; /* sd with n - 1; 0 for n < 2 */
  double min, q1, median, q3, max;
} Description;

/** What describes n >= 1 values. */
PetscErrorCode DescriptionOf(PetscInt n, const double *value, Description *out);

typedef struct TestResult {
  PetscInt n;       /* values (pairs) that count; 0: the test cannot be made of them */
  double statistic; /* see the test */
  double p;         /* two-sided */
  PetscBool exact;  /* p from the whole distribution, not from a limit law */
} TestResult;

/** How a rank test gets its p: exact where that is quick (see the test), or always one of both. */
typedef enum { RANKS_AUTOMATIC, RANKS_EXACT, RANKS_NORMAL } RankMethod;

/**
 * a[i] - b[i], rounded to 1e-10 of the largest |a|, |b|: tables hold nine digits, and what differs by rounding alone is tied. A
 * pair of values so small that its difference is less than that keeps it, unless it is rounding of the pair's own values: nothing.
 */
void PairedDifferences(PetscInt n, const double *a, const double *b, double *difference);

/**
 * Wilcoxon's signed rank test of differences (Biometrics Bulletin 1:80, 1945): zeros are dropped, ties get middle ranks.
 * statistic: the smaller of the rank sums of both signs. Exact (automatic up to 50 pairs): distribution of the rank sum over all
 * signs, ties as they are. Normal: variance corrected for ties, continuity correction of 1/2.
 */
PetscErrorCode WilcoxonSignedRank(PetscInt n, const double *difference, RankMethod method, TestResult *out);

/**
 * Mann-Whitney U of two independent samples (Ann Math Stat 18:50, 1947). statistic: U of `a`. Exact (automatic up to 40 values
 * together): distribution over all ways to choose n of the n + m middle ranks, p = twice the smaller tail. Normal: variance
 * corrected for ties, continuity correction of 1/2.
 */
PetscErrorCode MannWhitney(PetscInt n, const double *a, PetscInt m, const double *b, RankMethod method,
                           TestResult *out);

/** Student's t of paired differences, statistic t with n - 1 degrees of freedom. Left out if they are all equal or n < 2. */
PetscErrorCode PairedT(PetscInt n, const double *difference, TestResult *out);

/**
 * Shapiro and Wilk's W by Royston's algorithm AS R94 (Appl Stat 44:547, 1995), n from 3 to 5000. Left out beyond that and if
 * all values are equal.
 */
PetscErrorCode ShapiroWilk(PetscInt n, const double *value, TestResult *out);

/** Holm's step-down correction (Scand J Stat 6:65, 1979) of n p-values, in place. */
PetscErrorCode HolmCorrect(PetscInt n, double *p);

/**
 * 95 % intervals of medians by the percentile bootstrap. The samples are drawn once for all samples of n values, as ranks and
 * with an own generator of fixed seed: the same values give the same bits, in whatever order they come. n >= 1.
 */
typedef struct Bootstrap_s *Bootstrap;
enum { BOOTSTRAP_SAMPLES = 4000 };
PetscErrorCode BootstrapCreate(PetscInt n, Bootstrap *bootstrap);
PetscErrorCode BootstrapMedian(Bootstrap bootstrap, const double *value, double *low, double *high);
PetscErrorCode BootstrapDestroy(Bootstrap *bootstrap);
