/* Fit of the TCP model: bounded least squares, judged by AUC and calibration, with bootstrap intervals. */
#include "robion/tcp_fit.h"
#include "robion/counter_random.h"
#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

const char *const tcp_fitted_names[] = {"ln_a", "kappa", "alpha_per_Gy"};
const double tcp_fit_bounds[N_TCP_FITTED][2] = {{-12, 3}, {0, 3}, {0, 0.3}};

/* Where survival stands in place of ln A, so that the parameters hardly depend on each other. */
static const double reference_clonogens = 2.852e5, reference_dose_Gy = 73.6;

/* D (1 + (D / n) / (alpha/beta)): what alpha multiplies. */
static double Effective(const TCPSpec *spec, double dose)
{
  return dose * (1 + dose / spec->fractions / spec->alpha_beta_Gy);
}

static double LogLink(const TCPSpec *spec, double clonogens)
{
  return spec->link == TCP_LINK_POWER ? log(clonogens) : log(log1p(clonogens / spec->n0_clonogens));
}

/* Within the bounds for any number. */
static double Bounded(const double bounds[2], double u)
{
  return bounds[0] + (bounds[1] - bounds[0]) * 0.5 * (1 + sin(u));
}

static double BoundedSlope(const double bounds[2], double u)
{
  return (bounds[1] - bounds[0]) * 0.5 * cos(u);
}

static double Unbounded(const double bounds[2], double value)
{
  return asin(PetscClipInterval(2 * (value - bounds[0]) / (bounds[1] - bounds[0]) - 1, -0.999, 0.999));
}

/* The logarithmic link has no kappa: it counts as 1 and is not fitted. */
static TCPSpec SpecAt(const TCPSpec *given, const double p[N_TCP_FITTED])
{
  TCPSpec spec = *given;
  spec.kappa = given->link == TCP_LINK_POWER ? p[TCP_KAPPA] : 1;
  spec.alpha_per_Gy = p[TCP_ALPHA];
  spec.ln_a = p[TCP_LN_A] - spec.kappa * LogLink(given, reference_clonogens) +
              p[TCP_ALPHA] * Effective(given, reference_dose_Gy);
  if (given->link != TCP_LINK_POWER) spec.kappa = given->kappa;
  return spec;
}

typedef struct Fitting {
  const TCPSpec *given;
  PetscInt n;
  const TCPPatient **patient; /* those that count */
  const double *weight;
} Fitting;

static void ParametersOf(const gsl_vector *u, double p[N_TCP_FITTED])
{
  for (int k = 0; k < N_TCP_FITTED; k++) p[k] = Bounded(tcp_fit_bounds[k], gsl_vector_get(u, (size_t)k));
}

static double TCPOfPatient(const TCPSpec *spec, const TCPPatient *p)
{
  return TCPOfSurvival(TCPRegionSurvival(spec, p->n, p->share, p->clonogens, p->dose_Gy_RBE));
}

static int Residuals(const gsl_vector *u, void *data, gsl_vector *f)
{
  const Fitting *fitting = data;
  double p[N_TCP_FITTED];
  ParametersOf(u, p);
  const TCPSpec spec = SpecAt(fitting->given, p);
  for (PetscInt i = 0; i < fitting->n; i++) {
    const TCPPatient *patient = fitting->patient[i];
    gsl_vector_set(f, (size_t)i, sqrt(fitting->weight[i]) * (TCPOfPatient(&spec, patient) - patient->control));
  }
  return GSL_SUCCESS;
}

static int Jacobian(const gsl_vector *u, void *data, gsl_matrix *jacobian)
{
  const Fitting *fitting = data;
  double p[N_TCP_FITTED];
  ParametersOf(u, p);
  const TCPSpec spec = SpecAt(fitting->given, p);
  const double link = LogLink(&spec, reference_clonogens), dose = Effective(&spec, reference_dose_Gy);
  for (PetscInt i = 0; i < fitting->n; i++) {
    const TCPPatient *patient = fitting->patient[i];
    double survival = 0, slope[N_TCP_FITTED] = {0};
    for (PetscInt v = 0; v < patient->n; v++) {
      if (!(patient->clonogens[v] > 0)) continue;
      double s = patient->share[v] * TCPSurvival(&spec, patient->clonogens[v], patient->dose_Gy_RBE[v], NULL);
      survival += s;
      slope[TCP_LN_A] += s;
      if (spec.link == TCP_LINK_POWER) slope[TCP_KAPPA] += s * (LogLink(&spec, patient->clonogens[v]) - link);
      slope[TCP_ALPHA] -= s * (Effective(&spec, patient->dose_Gy_RBE[v]) - dose);
    }
    for (int k = 0; k < N_TCP_FITTED; k++)
      gsl_matrix_set(jacobian, (size_t)i, (size_t)k,
                     -sqrt(fitting->weight[i]) * TCPOfSurvival(survival) * slope[k] *
                         BoundedSlope(tcp_fit_bounds[k], gsl_vector_get(u, (size_t)k)));
  }
  return GSL_SUCCESS;
}

/* A start's ln S with which the mean TCP is about 1/2: where it is 0 or 1 for all, the squares have no slope. */
static double MiddlingLn(const Fitting *fitting, const double start[N_TCP_FITTED])
{
  double low = tcp_fit_bounds[TCP_LN_A][0], high = tcp_fit_bounds[TCP_LN_A][1];
  double p[N_TCP_FITTED] = {0.5 * (low + high), start[TCP_KAPPA], start[TCP_ALPHA]};
  for (int step = 0; step < 40; step++, p[TCP_LN_A] = 0.5 * (low + high)) {
    double excess = 0;
    const TCPSpec spec = SpecAt(fitting->given, p);
    for (PetscInt i = 0; i < fitting->n; i++)
      excess += fitting->weight[i] * (TCPOfPatient(&spec, fitting->patient[i]) - 0.5);
    *(excess > 0 ? &low : &high) = p[TCP_LN_A];
  }
  return p[TCP_LN_A];
}

/* The least squares of the patients that count, from the given start, or from one of its kappa and alpha and a middling TCP. */
static PetscErrorCode FitSolve(Fitting *fitting, PetscBool middling, TCPSpec *spec)
{
  PetscFunctionBegin;
  enum { MOST_ITERATIONS = 200 };
  gsl_multifit_nlinear_parameters options = gsl_multifit_nlinear_default_parameters();
  gsl_multifit_nlinear_fdf fdf = {
      .f = Residuals, .df = Jacobian, .n = (size_t)fitting->n, .p = N_TCP_FITTED, .params = fitting};
  const double start_ln = spec->ln_a +
                          (spec->link == TCP_LINK_POWER ? spec->kappa : 1) * LogLink(spec, reference_clonogens) -
                          spec->alpha_per_Gy * Effective(spec, reference_dose_Gy);
  double start[N_TCP_FITTED] = {start_ln, spec->kappa, spec->alpha_per_Gy};
  if (middling) start[TCP_LN_A] = MiddlingLn(fitting, start);
  double u[N_TCP_FITTED], p[N_TCP_FITTED];
  int why;
  for (int k = 0; k < N_TCP_FITTED; k++) u[k] = Unbounded(tcp_fit_bounds[k], start[k]);
  gsl_vector_view at = gsl_vector_view_array(u, N_TCP_FITTED);
  gsl_multifit_nlinear_workspace *work =
      gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &options, (size_t)fitting->n, N_TCP_FITTED);
  PetscCheck(work, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a fit of %d patients", (int)fitting->n);
  gsl_error_handler_t *handler = gsl_set_error_handler_off(); /* the default one aborts where the Jacobian vanishes */
  gsl_multifit_nlinear_init(&at.vector, &fdf, work);
  (void)gsl_multifit_nlinear_driver(MOST_ITERATIONS, 1e-8, 1e-10, 0, NULL, NULL, &why, work);
  (void)gsl_set_error_handler(handler);
  ParametersOf(gsl_multifit_nlinear_position(work), p);
  *spec = SpecAt(spec, p);
  gsl_multifit_nlinear_free(work);
  PetscFunctionReturn(0);
}

PetscErrorCode TCPFitParameters(PetscInt n, const TCPPatient *patient, const PetscInt *use, TCPSpec *spec)
{
  PetscFunctionBegin;
  const TCPPatient **chosen;
  double *weight;
  const TCPSpec given = *spec;
  Fitting fitting = {.given = &given};
  PetscCall(PetscMalloc2(n, &chosen, n, &weight));
  for (PetscInt i = 0; i < n; i++) {
    if (patient[i].held_out || (use && !use[i])) continue;
    chosen[fitting.n] = &patient[i];
    weight[fitting.n++] = use ? use[i] : 1;
  }
  PetscCheck(fitting.n >= N_TCP_FITTED, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%d patients, expected at least %d",
             (int)fitting.n, (int)N_TCP_FITTED);
  fitting.patient = chosen;
  fitting.weight = weight;
  PetscCall(FitSolve(&fitting, use ? PETSC_FALSE : PETSC_TRUE, spec)); /* resampled: from the whole's fit */
  PetscCall(PetscFree2(chosen, weight));
  PetscFunctionReturn(0);
}

TCPQuality TCPJudge(const TCPSpec *spec, PetscInt n, const TCPPatient *patient, const PetscInt *use, PetscBool held_out)
{
  TCPQuality q = {0, 0, 0.5, 0, 0};
  double wins = 0;
  double *tcp;
  if (PetscMalloc1(n, &tcp)) return q;
  for (PetscInt i = 0; i < n; i++) {
    const TCPPatient *p = &patient[i];
    const PetscInt count = p->held_out != held_out ? 0 : use ? use[i] : 1;
    if (!count) continue;
    tcp[i] = TCPOfPatient(spec, p);
    q.n += count;
    q.n_control += p->control ? count : 0;
    q.expected += count * (tcp[i] - p->control);
    q.brier += count * (tcp[i] - p->control) * (tcp[i] - p->control);
  }
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++) {
      const PetscInt ci = patient[i].held_out != held_out ? 0 : use ? use[i] : 1;
      const PetscInt cj = patient[j].held_out != held_out ? 0 : use ? use[j] : 1;
      if (!ci || !cj || !patient[i].control || patient[j].control) continue;
      wins += (double)ci * cj * (tcp[i] > tcp[j] ? 1 : tcp[i] == tcp[j] ? 0.5 : 0);
    }
  const double pairs = (double)q.n_control * (q.n - q.n_control);
  if (pairs > 0) q.auc = wins / pairs;
  q.expected /= PetscMax(1, q.n);
  q.brier /= PetscMax(1, q.n);
  (void)PetscFree(tcp);
  return q;
}

/* 95 % of sorted bootstrap values. */
static TCPInterval IntervalOf(double value, PetscInt n, double *sample)
{
  TCPInterval interval = {value, value, value};
  if (n < 2) return interval;
  gsl_sort(sample, 1, (size_t)n);
  interval.low = gsl_stats_quantile_from_sorted_data(sample, 1, (size_t)n, 0.025);
  interval.high = gsl_stats_quantile_from_sorted_data(sample, 1, (size_t)n, 0.975);
  return interval;
}

static void Fitted(const TCPSpec *spec, double p[N_TCP_FITTED])
{
  p[TCP_LN_A] = spec->ln_a;
  p[TCP_KAPPA] = spec->kappa;
  p[TCP_ALPHA] = spec->alpha_per_Gy;
}

/* How often each patient is drawn: fitted and held-out ones among themselves. */
static void Resample(CounterRandom *random, PetscInt n, const TCPPatient *patient, PetscInt *member, PetscInt *use)
{
  for (PetscInt i = 0; i < n; i++) use[i] = 0;
  for (int set = 0; set < 2; set++) {
    PetscInt size = 0;
    for (PetscInt i = 0; i < n; i++)
      if (patient[i].held_out == (PetscBool)set) member[size++] = i;
    for (PetscInt i = 0; i < size; i++) use[member[CounterRandomIndex(random, size)]]++;
  }
}

PetscErrorCode TCPFitAll(PetscInt n, const TCPPatient *patient, const TCPSpec *spec, PetscInt n_bootstrap,
                         PetscInt seed, TCPFit *fit)
{
  PetscFunctionBegin;
  enum { N_SAMPLED = N_TCP_FITTED + 2 };
  CounterRandom random = {.seed = (uint64_t)seed};
  double *sample[N_SAMPLED], value[N_TCP_FITTED];
  PetscInt *use, *member;
  PetscBool any = PETSC_FALSE;
  fit->spec = *spec;
  PetscCall(TCPFitParameters(n, patient, NULL, &fit->spec));
  fit->fitted = TCPJudge(&fit->spec, n, patient, NULL, PETSC_FALSE);
  fit->held_out = TCPJudge(&fit->spec, n, patient, NULL, PETSC_TRUE);
  any = fit->held_out.n > 0 ? PETSC_TRUE : PETSC_FALSE;
  for (int k = 0; k < N_SAMPLED; k++) PetscCall(PetscMalloc1(n_bootstrap, &sample[k]));
  PetscCall(PetscMalloc2(n, &use, n, &member));
  for (PetscInt b = 0; b < n_bootstrap; b++) {
    TCPSpec again = fit->spec;
    Resample(&random, n, patient, member, use);
    TCPQuality quality = TCPJudge(&fit->spec, n, patient, use, any);
    PetscCall(TCPFitParameters(n, patient, use, &again));
    Fitted(&again, value);
    for (int k = 0; k < N_TCP_FITTED; k++) sample[k][b] = value[k];
    sample[N_TCP_FITTED][b] = quality.auc;
    sample[N_TCP_FITTED + 1][b] = quality.expected;
  }
  Fitted(&fit->spec, value);
  const TCPQuality *judged = any ? &fit->held_out : &fit->fitted;
  for (int k = 0; k < N_TCP_FITTED; k++) fit->parameter[k] = IntervalOf(value[k], n_bootstrap, sample[k]);
  fit->auc = IntervalOf(judged->auc, n_bootstrap, sample[N_TCP_FITTED]);
  fit->expected = IntervalOf(judged->expected, n_bootstrap, sample[N_TCP_FITTED + 1]);
  PetscCall(PetscFree2(use, member));
  for (int k = 0; k < N_SAMPLED; k++) PetscCall(PetscFree(sample[k]));
  PetscFunctionReturn(0);
}
