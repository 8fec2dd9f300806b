/*
 * The library of tissues and the match of a measurement: the tissue of greatest posterior probability. For each R, D_i and D_0
 * the fraction f that fits best is found between the library's steps, so that counts do not come in steps.
 */
#include "robion/adc.h"
#include <math.h>
#include <stdlib.h>

enum { N_RADIUS = 37, N_FRACTION = 56, N_DI = 5, N_D0 = 5, N_SETS = N_RADIUS * N_DI * N_D0 };

/* Tissues that differ in f alone. */
typedef struct Set {
  DiffusionTissue tissue; /* f is not set */
  double penalty;         /* minus the logarithm of the prior */
  double adc[N_FRACTION];
  double *apparent; /* [fraction][b-value beyond the first] */
} Set;

struct ADCLibrary_private {
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  Set set[N_SETS];
};

PetscErrorCode ADCLibrarySpecDefault(ADCLibrarySpec *spec)
{
  PetscFunctionBegin;
  *spec = (ADCLibrarySpec){.radius_um = {3, 12},
                           .fraction = {0.2, 0.75},
                           .Di_um2_ms = {0.8, 1.2},
                           .D0_um2_ms = {1.6, 2.4},
                           .radius_prior_um = {5, 0.5},
                           .Di_prior_um2_ms = {1, 0.1},
                           .D0_prior_um2_ms = {2, 0.2},
                           .adc_sd_um2_ms = 0.02,
                           .clonogenic_fraction = 0.01};
  PetscFunctionReturn(0);
}

PetscErrorCode DiffusionProtocolDefault(DiffusionProtocol *protocol)
{
  PetscFunctionBegin;
  *protocol = (DiffusionProtocol){.delta_ms = 20, .Delta_ms = 40, .n_b = 3, .b_ms_um2 = {0, 0.4, 1}};
  PetscFunctionReturn(0);
}

PetscErrorCode ADCCheck(const ADCLibrarySpec *s, const DiffusionProtocol *p, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const struct {
    const char *name;
    double value, least, most;
  } range[] = {{"delta_ms", p->delta_ms, 0.1, 1000},
               {"Delta_ms", p->Delta_ms, p->delta_ms, 1000},
               {"number of b-values", (double)p->n_b, 2, ADC_MOST_B},
               {"radius_um", s->radius_prior_um[0], s->radius_um[0], s->radius_um[1]},
               {"radius_sd_um", s->radius_prior_um[1], 1e-3, 100},
               {"adc_sd_um2_ms", s->adc_sd_um2_ms, 1e-4, 10},
               {"clonogenic_fraction", s->clonogenic_fraction, 1e-9, 1}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(range); i++)
    if (!(range[i].value >= range[i].least && range[i].value <= range[i].most))
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s is %g, expected %g to %g", range[i].name, range[i].value,
                            range[i].least, range[i].most));
  for (PetscInt k = 0; k < PetscMin(p->n_b, ADC_MOST_B); k++)
    if (!(p->b_ms_um2[k] >= 0 && p->b_ms_um2[k] <= 100) || (k && p->b_ms_um2[k] <= p->b_ms_um2[k - 1]))
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                            "b-value %d is %g s/mm2, expected ascending numbers from 0 to 100000 s/mm2", (int)k + 1,
                            1000 * p->b_ms_um2[k]));
  PetscFunctionReturn(0);
}

static double Step(const double range[2], PetscInt i, PetscInt n)
{
  return range[0] + (range[1] - range[0]) * (double)i / (double)(n - 1);
}

static double Penalty(const double prior[2], double value)
{
  return 0.5 * (value - prior[0]) * (value - prior[0]) / (prior[1] * prior[1]);
}

static PetscErrorCode FillSet(ADCLibrary l, Set *set)
{
  PetscFunctionBegin;
  const DiffusionProtocol *p = &l->protocol;
  const PetscInt n = p->n_b - 1;
  PetscCall(PetscMalloc1(N_FRACTION * n, &set->apparent));
  for (PetscInt i = 0; i < N_FRACTION; i++) {
    DiffusionTissue tissue = set->tissue;
    double signal[ADC_MOST_B];
    tissue.fraction = Step(l->spec.fraction, i, N_FRACTION);
    for (PetscInt k = 0; k < p->n_b; k++) signal[k] = DiffusionSignal(&tissue, p, p->b_ms_um2[k]);
    set->adc[i] = ADCOfSignals(p, signal);
    for (PetscInt k = 0; k < n; k++)
      set->apparent[i * n + k] = log(signal[0] / signal[k + 1]) / (p->b_ms_um2[k + 1] - p->b_ms_um2[0]);
  }
  PetscFunctionReturn(0);
}

static int LikelierFirst(const void *left, const void *right)
{
  const Set *a = left, *b = right;
  if (a->penalty != b->penalty) return a->penalty < b->penalty ? -1 : 1;
  return a->tissue.radius_um < b->tissue.radius_um ? -1 : 1; /* an order of its own for every pair */
}

PetscErrorCode ADCLibraryCreate(const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, ADCLibrary *library)
{
  PetscFunctionBegin;
  ADCLibrary l;
  PetscCall(PetscNew(&l));
  l->spec = *spec;
  l->protocol = *protocol;
  for (PetscInt s = 0; s < N_SETS; s++) {
    Set *set = &l->set[s];
    set->tissue = (DiffusionTissue){.radius_um = Step(spec->radius_um, s % N_RADIUS, N_RADIUS),
                                    .Di_um2_ms = Step(spec->Di_um2_ms, s / N_RADIUS % N_DI, N_DI),
                                    .D0_um2_ms = Step(spec->D0_um2_ms, s / N_RADIUS / N_DI, N_D0)};
    set->penalty = Penalty(spec->radius_prior_um, set->tissue.radius_um) +
                   Penalty(spec->Di_prior_um2_ms, set->tissue.Di_um2_ms) +
                   Penalty(spec->D0_prior_um2_ms, set->tissue.D0_um2_ms);
    PetscCall(FillSet(l, set));
  }
  qsort(l->set, N_SETS, sizeof *l->set, LikelierFirst);
  *library = l;
  PetscFunctionReturn(0);
}

PetscErrorCode ADCLibraryDestroy(ADCLibrary *library)
{
  PetscFunctionBegin;
  if (!*library) PetscFunctionReturn(0);
  for (PetscInt s = 0; s < N_SETS; s++) PetscCall(PetscFree((*library)->set[s].apparent));
  PetscCall(PetscFree(*library));
  PetscFunctionReturn(0);
}

/* Mean square misfit of n measured numbers at a position between the fractions of a set: values[fraction][n]. */
static double Misfit(const double *values, PetscInt n, const double *measured, PetscInt i, double along)
{
  double sum = 0;
  for (PetscInt k = 0; k < n; k++) {
    double here = values[i * n + k], next = values[(i + 1) * n + k], d = measured[k] - here - along * (next - here);
    sum += d * d / (double)n;
  }
  return sum;
}

/* The best place on the straight lines between neighbouring fractions: index and part of the way to the next. */
static double FitFraction(const double *values, PetscInt n, const double *measured, PetscInt *index, double *along)
{
  double best = PETSC_INFINITY;
  for (PetscInt i = 0; i + 1 < N_FRACTION; i++) {
    double product = 0, square = 0;
    for (PetscInt k = 0; k < n; k++) {
      double step = values[(i + 1) * n + k] - values[i * n + k];
      product += step * (measured[k] - values[i * n + k]);
      square += step * step;
    }
    double t = square > 0 ? PetscClipInterval(product / square, 0, 1) : 0, misfit = Misfit(values, n, measured, i, t);
    if (misfit >= best) continue;
    best = misfit;
    *index = i;
    *along = t;
  }
  return best;
}

static ADCMatch Match(ADCLibrary l, PetscInt n, const double *measured, PetscBool is_adc)
{
  ADCMatch match = {{0}, 0, 0};
  const double variance = l->spec.adc_sd_um2_ms * l->spec.adc_sd_um2_ms;
  double best = PETSC_INFINITY;
  for (PetscInt s = 0; s < N_SETS; s++) {
    const Set *set = &l->set[s];
    PetscInt i = 0;
    double t = 0;
    if (set->penalty >= best) break; /* those that follow are less likely still */
    double misfit = FitFraction(is_adc ? set->adc : set->apparent, n, measured, &i, &t);
    double posterior = 0.5 * (double)n * misfit / variance + set->penalty;
    if (posterior >= best) continue;
    best = posterior;
    match.tissue = set->tissue;
    match.tissue.fraction =
        Step(l->spec.fraction, i, N_FRACTION) + t * (l->spec.fraction[1] - l->spec.fraction[0]) / (N_FRACTION - 1);
    match.adc_um2_ms = set->adc[i] + t * (set->adc[i + 1] - set->adc[i]);
    match.rmse_um2_ms = sqrt(misfit);
  }
  return match;
}

ADCMatch ADCMatchADC(ADCLibrary library, double adc_um2_ms)
{
  return Match(library, 1, &adc_um2_ms, PETSC_TRUE);
}

ADCMatch ADCMatchSignals(ADCLibrary library, const double *signal)
{
  const DiffusionProtocol *p = &library->protocol;
  double apparent[ADC_MOST_B];
  for (PetscInt k = 0; k + 1 < p->n_b; k++)
    apparent[k] = log(signal[0] / signal[k + 1]) / (p->b_ms_um2[k + 1] - p->b_ms_um2[0]);
  return Match(library, p->n_b - 1, apparent, PETSC_FALSE);
}
