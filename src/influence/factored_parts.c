/* What every layer adds to every plane of the factored operator: its depth profiles as splines. */
#include "factored.h"
#include <math.h>

#define SMALLEST_PART 1e-6 /* of the layer's largest dose: left out */

/* Magnification, against the isocentre plane, where water of depth z would lie. */
static double WaterMagnification(const Beam *beam, double isocentre_depth_mm, double z)
{
  return beam->sad_mm > 0 ? PetscMax(0.1, (beam->sad_mm + z - isocentre_depth_mm) / beam->sad_mm) : 1;
}

static double IsocentreDepth_mm(const struct DoseModel_s *model, const Beam *beam)
{
  static const double no_shift[3] = {0};
  return BeamWEPL(beam, model->patient, beam->isocentre_mm, no_shift) +
         BeamPassed_mm(beam, model->machine, model->patient, beam->isocentre_mm, no_shift);
}

static double LargestDose(const struct DoseModel_s *model, const LayerTable *table)
{
  double largest = 0;
  for (PetscInt d = 0; d < table->n_node; d++)
    largest = PetscMax(largest, (double)table->node[(size_t)d * (size_t)model->node_size + NODE_IDD]);
  return largest;
}

/* Functions of depth of one layer's component: sigma^2, then those that are fitted: its product with dose, and the channels. */
enum { SIGMA2, DOSE_SIGMA2, FIRST_CHANNEL };

/* Depth profiles of a beam's layers and components. */
typedef struct Profiles {
  const struct DoseModel_s *model;
  PetscInt beam, n_function, n_sample;
  double isocentre_mm, *value; /* [function][sample] of one layer's component */
  double *coefficient;         /* [layer][component][function][plane] */
} Profiles;

/* Values of a component at sample j. Behind its table it has no dose, and the last sigma. */
static void SampleTable(const Profiles *p, const DepthSpline *depth, const LayerTable *table, PetscInt j)
{
  float record[NODE_TISSUE + 2 * TISSUES_MOST];
  const struct DoseModel_s *model = p->model;
  const PetscInt n = p->n_sample;
  double *value = p->value + j;
  for (PetscInt k = 1; k < p->n_function; k++) value[k * n] = 0;
  value[SIGMA2 * n] = j ? value[SIGMA2 * n - 1] : 0;
  if (!LayerRecord(table, model->node_size, (float)depth->sample_mm[j], record)) return;
  const double magnification = WaterMagnification(&model->beams->beam[p->beam], p->isocentre_mm, depth->sample_mm[j]);
  const double dose = (double)record[NODE_IDD] * (double)record[NODE_SHARE], water = (double)record[NODE_SIGMA];
  value[SIGMA2 * n] = (table->spot_sigma_mm * table->spot_sigma_mm + water * water) / (magnification * magnification);
  value[DOSE_SIGMA2 * n] = dose * value[SIGMA2 * n];
  for (PetscInt t = 0; t < model->tissues->n; t++) {
    double *channel = value + (FIRST_CHANNEL + t * N_CHANNELS) * n;
    channel[CHANNEL_DOSE * n] = dose;
    channel[CHANNEL_ALPHA * n] = dose * (double)record[NODE_TISSUE + 2 * t];
    channel[CHANNEL_SQRT_BETA * n] = dose * (double)record[NODE_TISSUE + 2 * t + 1];
    channel[CHANNEL_LET * n] = dose * (double)record[NODE_LET];
  }
}

/*
 * sigma^2 of plane i: that of dose sigma^2 over that of dose, but none that the component does not have where the plane counts.
 * sigma2[i] is where the samples of the planes' intervals begin: plane i counts in those from i - 3 to i.
 */
static double PlaneSigma2(const Profiles *p, const DepthSpline *depth, PetscInt i, double dose, double dose_sigma2)
{
  const PetscInt first = PetscMax(0, i - 3) * SPLINE_SAMPLES;
  const PetscInt end = PetscMin(depth->n - 3, i + 1) * SPLINE_SAMPLES;
  double low = INFINITY, high = 0;
  for (PetscInt j = first; j < end; j++) {
    low = PetscMin(low, p->value[SIGMA2 * p->n_sample + j]);
    high = PetscMax(high, p->value[SIGMA2 * p->n_sample + j]);
  }
  return PetscClipInterval(dose_sigma2 / dose, low, high);
}

/* Fit all layers; what is left in the place of SIGMA2 is that of every plane. */
static void FitLayers(const Profiles *p, const DepthSpline *depth)
{
  const PetscInt n_table = p->model->beams->beam[p->beam].n_layer * p->model->n_component;
  for (PetscInt l = 0; l < n_table; l++) {
    double *fit = p->coefficient + (size_t)l * (size_t)p->n_function * (size_t)depth->n;
    for (PetscInt j = 0; j < p->n_sample; j++) SampleTable(p, depth, &p->model->beam[p->beam].layer[l], j);
    for (PetscInt k = 1; k < p->n_function; k++) DepthSplineFit(depth, p->value + k * p->n_sample, fit + k * depth->n);
    for (PetscInt i = 0; i < depth->n; i++)
      fit[i] = PlaneSigma2(p, depth, i, fit[FIRST_CHANNEL * depth->n + i], fit[DOSE_SIGMA2 * depth->n + i]);
  }
}

/* The parts of plane i from the fits, behind the n there are; returns how many there are then. */
static PetscInt TakeParts(const Profiles *p, const double *smallest, PetscInt i, PetscInt n, FactoredBeam *fb)
{
  const PetscInt n_layer = p->model->beams->beam[p->beam].n_layer, per_part = p->n_function - FIRST_CHANNEL;
  fb->part_start[i] = n;
  for (PetscInt l = 0; l < n_layer; l++)
    for (PetscInt k = 0; k < p->model->n_component; k++) {
      const double *fit = p->coefficient + (size_t)(k * n_layer + l) * (size_t)p->n_function * (size_t)fb->nz + i;
      if (fabs(fit[(FIRST_CHANNEL + CHANNEL_DOSE) * fb->nz]) <= smallest[l]) continue;
      fb->part[n] = (FieldPart){l, fit[SIGMA2 * fb->nz]};
      for (PetscInt c = 0; c < per_part; c++)
        fb->amplitude[(size_t)n * (size_t)per_part + (size_t)c] = fit[(FIRST_CHANNEL + c) * fb->nz];
      n++;
    }
  return n;
}

PetscErrorCode FactoredCreateParts(const struct DoseModel_s *model, PetscInt b, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &model->beams->beam[b];
  const size_t per_part = (size_t)model->tissues->n * N_CHANNELS,
               n_table = (size_t)(beam->n_layer * model->n_component);
  Profiles p = {.model = model,
                .beam = b,
                .n_function = FIRST_CHANNEL + (PetscInt)per_part,
                .n_sample = (fb->nz - 3) * SPLINE_SAMPLES,
                .isocentre_mm = IsocentreDepth_mm(model, beam)};
  double *smallest;
  PetscCall(PetscMalloc3((size_t)p.n_function * (size_t)p.n_sample, &p.value,
                         n_table * (size_t)p.n_function * (size_t)fb->nz, &p.coefficient, beam->n_layer, &smallest));
  FitLayers(&p, &fb->depth);
  for (PetscInt l = 0; l < beam->n_layer; l++)
    smallest[l] = SMALLEST_PART * LargestDose(model, &model->beam[b].layer[l]);
  PetscCall(PetscMalloc1(fb->nz + 1, &fb->part_start));
  PetscCall(PetscMalloc1((size_t)fb->nz * n_table, &fb->part));
  PetscCall(PetscMalloc1((size_t)fb->nz * n_table * per_part, &fb->amplitude));
  PetscInt n = 0;
  for (PetscInt i = 0; i < fb->nz; i++) n = TakeParts(&p, smallest, i, n, fb);
  fb->part_start[fb->nz] = n;
  PetscCall(PetscRealloc((size_t)n * sizeof *fb->part, &fb->part));
  PetscCall(PetscRealloc((size_t)n * per_part * sizeof *fb->amplitude, &fb->amplitude));
  PetscCall(PetscFree3(p.value, p.coefficient, smallest));
  PetscFunctionReturn(0);
}

double FactoredReach_mm(const struct DoseModel_s *model, PetscInt b, const FactoredBeam *fb)
{
  const double part = PetscMax(1e-6, model->dropped) / model->n_component;
  double reach2 = 0;
  for (PetscInt i = 0; i < fb->part_start[fb->nz]; i++) {
    double largest = LargestDose(model, &model->beam[b].layer[fb->part[i].layer]);
    double dose = fb->amplitude[(size_t)i * (size_t)model->tissues->n * N_CHANNELS + CHANNEL_DOSE];
    double ratio = dose / (part * largest);
    if (ratio > 1) reach2 = PetscMax(reach2, 2 * fb->part[i].sigma2_mm2 * log(ratio));
  }
  return sqrt(reach2);
}
