/*
 * The library of tissues and the match of a measurement: the tissue x = (f, R, D_i, D_0) of greatest posterior probability, which
 * makes
 *
 *     sum_k (M_k(x) - m_k)^2 / 2 sigma^2 + sum_j (x_j - mean_j)^2 / 2 sd_j^2,   each x_j within its bounds,
 *
 * least; the measured m_k are linear in ln S. The library's tissues are where searches start: from the best of them damped
 * steps (Levenberg and Marquardt's) go on to any tissue between, with those x_j held that would leave their bounds. So counts
 * change with the measurement as smoothly as the model does.
 */
#include "robion/adc.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

enum { N_FRACTION = 12, N_RADIUS = 10, N_D0 = 3, N_START = N_FRACTION * N_RADIUS * N_D0 };

/* Numbers that are sums over the b-values: m_k = sum_q weight[k][q] (-ln S_q). */
typedef struct Measure {
  PetscInt n;
  double weight[ADC_MOST_B][ADC_MOST_B];
} Measure;

/* Bounds and prior of one number of a tissue; an infinite sd: any is as likely. */
typedef struct Axis {
  double least, most, mean, sd;
} Axis;

struct ADCLibrary_private {
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  Axis axis[N_TISSUE];
  Measure adc, apparent;
  struct {
    double x[N_TISSUE], minus_ln[ADC_MOST_B];
  } start[N_START];
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

/* The least-squares slope. */
static void MeasureADC(const DiffusionProtocol *p, Measure *m)
{
  double mean = 0, square = 0;
  for (PetscInt q = 0; q < p->n_b; q++) mean += p->b_ms_um2[q] / p->n_b;
  for (PetscInt q = 0; q < p->n_b; q++) square += (p->b_ms_um2[q] - mean) * (p->b_ms_um2[q] - mean);
  m->n = 1;
  for (PetscInt q = 0; q < p->n_b; q++) m->weight[0][q] = (p->b_ms_um2[q] - mean) / square;
}

/* ln(S_0/S_k)/(b_k - b_0). */
static void MeasureApparent(const DiffusionProtocol *p, Measure *m)
{
  m->n = p->n_b - 1;
  for (PetscInt k = 0; k < m->n; k++) {
    m->weight[k][k + 1] = 1 / (p->b_ms_um2[k + 1] - p->b_ms_um2[0]);
    m->weight[k][0] = -m->weight[k][k + 1];
  }
}

static double Measured(ADCLibrary l, const Measure *m, PetscInt k, const double *minus_ln)
{
  double sum = 0;
  for (PetscInt q = 0; q < l->protocol.n_b; q++) sum += m->weight[k][q] * minus_ln[q];
  return sum;
}

static DiffusionTissue TissueOf(const double x[N_TISSUE])
{
  return (DiffusionTissue){.fraction = x[TISSUE_FRACTION],
                           .radius_um = x[TISSUE_RADIUS],
                           .Di_um2_ms = x[TISSUE_DI],
                           .D0_um2_ms = x[TISSUE_D0]};
}

static Axis AxisOf(const double bounds[2], const double *prior)
{
  return (Axis){bounds[0], bounds[1], prior ? prior[0] : 0, prior ? prior[1] : PETSC_INFINITY};
}

static double StepOf(const Axis *axis, PetscInt i, PetscInt n)
{
  return axis->least + (axis->most - axis->least) * (double)i / (double)(n - 1);
}

PetscErrorCode ADCLibraryCreate(const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, ADCLibrary *library)
{
  PetscFunctionBegin;
  ADCLibrary l;
  double slope[ADC_MOST_B][N_TISSUE];
  PetscCall(PetscNew(&l));
  l->spec = *spec;
  l->protocol = *protocol;
  l->axis[TISSUE_FRACTION] = AxisOf(spec->fraction, NULL);
  l->axis[TISSUE_RADIUS] = AxisOf(spec->radius_um, spec->radius_prior_um);
  l->axis[TISSUE_DI] = AxisOf(spec->Di_um2_ms, spec->Di_prior_um2_ms);
  l->axis[TISSUE_D0] = AxisOf(spec->D0_um2_ms, spec->D0_prior_um2_ms);
  MeasureADC(protocol, &l->adc);
  MeasureApparent(protocol, &l->apparent);
  for (PetscInt s = 0; s < N_START; s++) {
    double *x = l->start[s].x;
    x[TISSUE_FRACTION] = StepOf(&l->axis[TISSUE_FRACTION], s % N_FRACTION, N_FRACTION);
    x[TISSUE_RADIUS] = StepOf(&l->axis[TISSUE_RADIUS], s / N_FRACTION % N_RADIUS, N_RADIUS);
    x[TISSUE_DI] = l->axis[TISSUE_DI].mean;
    x[TISSUE_D0] = StepOf(&l->axis[TISSUE_D0], s / N_FRACTION / N_RADIUS, N_D0);
    const DiffusionTissue tissue = TissueOf(x);
    DiffusionAttenuations(&tissue, protocol, l->start[s].minus_ln, slope);
  }
  *library = l;
  PetscFunctionReturn(0);
}

PetscErrorCode ADCLibraryDestroy(ADCLibrary *library)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(*library));
  PetscFunctionReturn(0);
}

/* Minus the logarithm of the posterior of a tissue whose signals are given. */
static double Unlikeliness(ADCLibrary l, const Measure *m, const double *measured, const double x[N_TISSUE],
                           const double *minus_ln)
{
  double sum = 0;
  for (PetscInt k = 0; k < m->n; k++) {
    const double misfit = (Measured(l, m, k, minus_ln) - measured[k]) / l->spec.adc_sd_um2_ms;
    sum += 0.5 * misfit * misfit;
  }
  for (int i = 0; i < N_TISSUE; i++) {
    const double off = (x[i] - l->axis[i].mean) / l->axis[i].sd;
    sum += 0.5 * off * off;
  }
  return sum;
}

/* A tissue that is looked at: its unlikeliness and the gradient of that; scale: curvature along each axis without that of the model. */
typedef struct Point {
  double x[N_TISSUE], minus_ln[ADC_MOST_B], value, gradient[N_TISSUE], scale[N_TISSUE];
} Point;

/* A measurement whose tissue is sought. */
typedef struct Sought {
  ADCLibrary library;
  const Measure *measure;
  const double *measured;
} Sought;

/* Everything of the point but x. */
static void LookAt(const Sought *s, Point *p)
{
  ADCLibrary l = s->library;
  const double precision = 1 / (l->spec.adc_sd_um2_ms * l->spec.adc_sd_um2_ms);
  double slope[ADC_MOST_B][N_TISSUE];
  const DiffusionTissue tissue = TissueOf(p->x);
  DiffusionAttenuations(&tissue, &l->protocol, p->minus_ln, slope);
  p->value = Unlikeliness(l, s->measure, s->measured, p->x, p->minus_ln);
  for (int i = 0; i < N_TISSUE; i++) {
    p->scale[i] = 1 / (l->axis[i].sd * l->axis[i].sd);
    p->gradient[i] = (p->x[i] - l->axis[i].mean) * p->scale[i];
  }
  for (PetscInt k = 0; k < s->measure->n; k++) {
    const double misfit = Measured(l, s->measure, k, p->minus_ln) - s->measured[k];
    double by[N_TISSUE] = {0};
    for (PetscInt q = 0; q < l->protocol.n_b; q++)
      for (int i = 0; i < N_TISSUE; i++) by[i] += s->measure->weight[k][q] * slope[q][i];
    for (int i = 0; i < N_TISSUE; i++) {
      p->gradient[i] += precision * misfit * by[i];
      p->scale[i] += precision * by[i] * by[i];
    }
  }
}

/* Second derivatives at p, from gradients beside it. */
static void Curve(const Sought *s, const Point *p, double curvature[N_TISSUE][N_TISSUE])
{
  for (int i = 0; i < N_TISSUE; i++) {
    Point beside = *p;
    const Axis *axis = &s->library->axis[i];
    const double h = 1e-5 * (axis->most - axis->least) * (p->x[i] > 0.5 * (axis->least + axis->most) ? -1 : 1);
    beside.x[i] += h;
    LookAt(s, &beside);
    for (int j = 0; j < N_TISSUE; j++) curvature[i][j] = (beside.gradient[j] - p->gradient[j]) / h;
  }
}

/* Which numbers of the tissue stay: those at a bound that the gradient leads out of. */
static void FindHeld(ADCLibrary l, const Point *p, PetscBool held[N_TISSUE])
{
  for (int i = 0; i < N_TISSUE; i++)
    held[i] = (PetscBool)((p->x[i] <= l->axis[i].least && p->gradient[i] > 0) ||
                          (p->x[i] >= l->axis[i].most && p->gradient[i] < 0));
}

/* The damped step of those that are not held, given the others'; false where the unlikeliness is not bent upwards. */
static PetscBool SolveFree(const Point *p, double curvature[N_TISSUE][N_TISSUE], double damping,
                           const PetscBool held[N_TISSUE], double step[N_TISSUE])
{
  double matrix[N_TISSUE * N_TISSUE], side[N_TISSUE];
  for (int i = 0; i < N_TISSUE; i++) {
    side[i] = held[i] ? step[i] : -p->gradient[i];
    for (int j = 0; j < N_TISSUE; j++) {
      matrix[i * N_TISSUE + j] = held[i] || held[j] ? 0 : 0.5 * (curvature[i][j] + curvature[j][i]);
      if (!held[i] && held[j]) side[i] -= curvature[i][j] * step[j];
    }
    matrix[i * N_TISSUE + i] = held[i] ? 1 : curvature[i][i] + damping * p->scale[i];
  }
  gsl_matrix_view a = gsl_matrix_view_array(matrix, N_TISSUE, N_TISSUE);
  gsl_vector_view b = gsl_vector_view_array(side, N_TISSUE);
  if (gsl_linalg_cholesky_decomp1(&a.matrix)) return PETSC_FALSE;
  (void)gsl_linalg_cholesky_svx(&a.matrix, &b.vector);
  PetscArraycpy(step, side, N_TISSUE);
  return PETSC_TRUE;
}

/* A damped step from p to x; what would leave its bounds stops there, and the others are stepped again. False: damp more. */
static PetscBool Step(ADCLibrary l, const Point *p, double curvature[N_TISSUE][N_TISSUE], double damping,
                      double x[N_TISSUE])
{
  double step[N_TISSUE] = {0};
  PetscBool held[N_TISSUE], more = PETSC_TRUE;
  FindHeld(l, p, held);
  while (more) {
    more = PETSC_FALSE;
    if (!SolveFree(p, curvature, damping, held, step)) return PETSC_FALSE;
    for (int i = 0; i < N_TISSUE; i++) {
      x[i] = PetscClipInterval(p->x[i] + step[i], l->axis[i].least, l->axis[i].most);
      if (!held[i] && x[i] != p->x[i] + step[i]) held[i] = more = PETSC_TRUE;
      if (held[i]) step[i] = x[i] - p->x[i];
    }
  }
  return PETSC_TRUE;
}

/* Whether two tissues are the same, to 1e-8 of the bounds' distance. */
static PetscBool IsSame(ADCLibrary l, const double a[N_TISSUE], const double b[N_TISSUE])
{
  for (int i = 0; i < N_TISSUE; i++)
    if (fabs(a[i] - b[i]) > 1e-8 * (l->axis[i].most - l->axis[i].least)) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* From a point to the likeliest tissue around it: Newton's steps, damped where they do not lead down. */
static void Descend(const Sought *s, Point *p)
{
  enum { MOST_STEPS = 200 };
  const double least_damping = 1e-4, most_damping = 1e12;
  double damping = 0, curvature[N_TISSUE][N_TISSUE];
  LookAt(s, p);
  Curve(s, p, curvature);
  for (int it = 0; it < MOST_STEPS && damping < most_damping; it++) {
    Point next;
    const PetscBool solved = Step(s->library, p, curvature, damping, next.x);
    if (solved && damping == 0 && IsSame(s->library, p->x, next.x)) return;
    if (solved) LookAt(s, &next);
    if (!solved || next.value >= p->value) {
      damping = PetscMax(10 * damping, least_damping);
      continue;
    }
    *p = next;
    Curve(s, p, curvature);
    damping = damping > least_damping ? 0.1 * damping : 0;
  }
}

static ADCMatch Match(ADCLibrary l, const Measure *m, const double *measured)
{
  Point p;
  PetscInt best = 0;
  double least = PETSC_INFINITY, square = 0;
  for (PetscInt s = 0; s < N_START; s++) {
    const double value = Unlikeliness(l, m, measured, l->start[s].x, l->start[s].minus_ln);
    if (value >= least) continue;
    least = value;
    best = s;
  }
  const Sought sought = {l, m, measured};
  PetscArraycpy(p.x, l->start[best].x, N_TISSUE);
  gsl_error_handler_t *handler =
      gsl_set_error_handler_off(); /* it would abort where a matrix is not positive definite */
  Descend(&sought, &p);
  (void)gsl_set_error_handler(handler);
  for (PetscInt k = 0; k < m->n; k++) {
    const double misfit = Measured(l, m, k, p.minus_ln) - measured[k];
    square += misfit * misfit / (double)m->n;
  }
  return (ADCMatch){TissueOf(p.x), Measured(l, &l->adc, 0, p.minus_ln), sqrt(square)};
}

ADCMatch ADCMatchADC(ADCLibrary library, double adc_um2_ms)
{
  return Match(library, &library->adc, &adc_um2_ms);
}

ADCMatch ADCMatchSignals(ADCLibrary library, const double *signal)
{
  double minus_ln[ADC_MOST_B], apparent[ADC_MOST_B];
  for (PetscInt q = 0; q < library->protocol.n_b; q++) minus_ln[q] = -log(signal[q]);
  for (PetscInt k = 0; k < library->apparent.n; k++) apparent[k] = Measured(library, &library->apparent, k, minus_ln);
  return Match(library, &library->apparent, apparent);
}
