/* Describing samples, tests that rest on the normal distribution, the bootstrap, Holm's correction. */
#include "robion/statistics.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* Seed of every bootstrap: rows of a table do not depend on each other's order. */
enum { BOOTSTRAP_SEED = 19790607 };

static PetscErrorCode SortedCopy(PetscInt n, const double *value, double **sorted)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, sorted));
  PetscCall(PetscArraycpy(*sorted, value, n));
  PetscCall(PetscSortReal(n, *sorted));
  PetscFunctionReturn(0);
}

PetscErrorCode DescriptionOf(PetscInt n, const double *value, Description *out)
{
  PetscFunctionBegin;
  double *sorted;
  PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "description of %d values", (int)n);
  PetscCall(SortedCopy(n, value, &sorted));
  out->n = n;
  out->mean = gsl_stats_mean(value, 1, (size_t)n);
  out->sd = n > 1 ? gsl_stats_sd(value, 1, (size_t)n) : 0;
  out->min = sorted[0];
  out->q1 = gsl_stats_quantile_from_sorted_data(sorted, 1, (size_t)n, 0.25);
  out->median = gsl_stats_median_from_sorted_data(sorted, 1, (size_t)n);
  out->q3 = gsl_stats_quantile_from_sorted_data(sorted, 1, (size_t)n, 0.75);
  out->max = sorted[n - 1];
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

void PairedDifferences(PetscInt n, const double *a, const double *b, double *difference)
{
  double largest = 0;
  for (PetscInt i = 0; i < n; i++) largest = PetscMax(largest, PetscMax(fabs(a[i]), fabs(b[i])));
  const double share = 1e-10, quantum = share * largest;
  for (PetscInt i = 0; i < n; i++) {
    const double d = a[i] - b[i], own = share * PetscMax(fabs(a[i]), fabs(b[i]));
    difference[i] = fabs(d) <= own ? 0 : d;
    if (quantum > 0 && fabs(d) >= 0.5 * quantum) difference[i] = quantum * nearbyint(d / quantum);
  }
}

PetscErrorCode PairedT(PetscInt n, const double *difference, TestResult *out)
{
  PetscFunctionBegin;
  Description d;
  *out = (TestResult){.p = 1};
  if (n < 2) PetscFunctionReturn(0);
  PetscCall(DescriptionOf(n, difference, &d));
  if (d.min == d.max) PetscFunctionReturn(0);
  out->n = n;
  out->statistic = d.mean / (d.sd / sqrt((double)n));
  out->p = 2 * gsl_cdf_tdist_Q(fabs(out->statistic), (double)(n - 1));
  PetscFunctionReturn(0);
}

PetscErrorCode HolmCorrect(PetscInt n, double *p)
{
  PetscFunctionBegin;
  PetscInt *order;
  double largest = 0;
  PetscCall(PetscMalloc1(n, &order));
  for (PetscInt i = 0; i < n; i++) order[i] = i;
  PetscCall(PetscSortRealWithPermutation(n, p, order));
  for (PetscInt i = 0; i < n; i++) {
    largest = PetscMax(largest, PetscMin(1.0, (double)(n - i) * p[order[i]]));
    p[order[i]] = largest;
  }
  PetscCall(PetscFree(order));
  PetscFunctionReturn(0);
}

/* Samples in the order of their ranks: medians of most numbers of values then come in order. */
static int CompareMiddles(const void *a, const void *b)
{
  const PetscInt *x = a, *y = b;
  return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : (x[1] > y[1]) - (x[1] < y[1]);
}

static PetscBool InOrder(PetscInt n, const double *value)
{
  for (PetscInt i = 1; i < n; i++)
    if (value[i] < value[i - 1]) return PETSC_FALSE;
  return PETSC_TRUE;
}

struct Bootstrap_s {
  PetscInt n;
  PetscInt (*middle)[2]; /* [BOOTSTRAP_SAMPLES] ranks of the two middle values of each sample */
  double *sorted, *median;
};

PetscErrorCode BootstrapCreate(PetscInt n, Bootstrap *bootstrap)
{
  PetscFunctionBegin;
  PetscInt *sample;
  PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "bootstrap of %d values", (int)n);
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
  PetscCheck(random, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a random number generator");
  gsl_rng_set(random, BOOTSTRAP_SEED);
  PetscCall(PetscNew(bootstrap));
  (*bootstrap)->n = n;
  PetscCall(PetscMalloc3(BOOTSTRAP_SAMPLES, &(*bootstrap)->middle, n, &(*bootstrap)->sorted, BOOTSTRAP_SAMPLES,
                         &(*bootstrap)->median));
  PetscCall(PetscMalloc1(n, &sample));
  for (PetscInt s = 0; s < BOOTSTRAP_SAMPLES; s++) {
    for (PetscInt i = 0; i < n; i++) sample[i] = (PetscInt)gsl_rng_uniform_int(random, (unsigned long)n);
    PetscCall(PetscSortInt(n, sample));
    (*bootstrap)->middle[s][0] = sample[(n - 1) / 2];
    (*bootstrap)->middle[s][1] = sample[n / 2];
  }
  qsort((*bootstrap)->middle, BOOTSTRAP_SAMPLES, sizeof *(*bootstrap)->middle, CompareMiddles);
  PetscCall(PetscFree(sample));
  gsl_rng_free(random);
  PetscFunctionReturn(0);
}

PetscErrorCode BootstrapMedian(Bootstrap bootstrap, const double *value, double *low, double *high)
{
  PetscFunctionBegin;
  double *sorted = bootstrap->sorted, *median = bootstrap->median;
  PetscCall(PetscArraycpy(sorted, value, bootstrap->n));
  PetscCall(PetscSortReal(bootstrap->n, sorted));
  for (PetscInt s = 0; s < BOOTSTRAP_SAMPLES; s++)
    median[s] = 0.5 * (sorted[bootstrap->middle[s][0]] + sorted[bootstrap->middle[s][1]]);
  if (!InOrder(BOOTSTRAP_SAMPLES, median)) gsl_sort(median, 1, BOOTSTRAP_SAMPLES); /* a heap sort: many are equal */
  *low = gsl_stats_quantile_from_sorted_data(median, 1, BOOTSTRAP_SAMPLES, 0.025);
  *high = gsl_stats_quantile_from_sorted_data(median, 1, BOOTSTRAP_SAMPLES, 0.975);
  PetscFunctionReturn(0);
}

PetscErrorCode BootstrapDestroy(Bootstrap *bootstrap)
{
  PetscFunctionBegin;
  if (!*bootstrap) PetscFunctionReturn(0);
  PetscCall(PetscFree3((*bootstrap)->middle, (*bootstrap)->sorted, (*bootstrap)->median));
  PetscCall(PetscFree(*bootstrap));
  PetscFunctionReturn(0);
}
