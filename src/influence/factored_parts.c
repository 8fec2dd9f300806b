/* What every layer adds to every plane of the factored operator: its depth profiles as splines. */
#include "factored.h"
#include <math.h>

#define SMALLEST_PART 5e-4 /* of a channel's largest coefficient: left to no level */
#define SMALLEST_TOP 1e-6  /* but this on the coarsest */
#define EDGE_MODE2 16.2    /* (sigma q)^2 that the largest part's must have for a field's edge, see LARGEST_MODE2 */
#define LEAST_MODE2 1.0    /* of the smallest part */
#define WINDOW_STEPS 2.0   /* of a level around a layer's end, where it need not fit what finer ones do */
#define WINDOW_WEIGHT 1e-3

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

/* Functions of depth of one layer's component: sigma^2, then those that are fitted: dose, its product with that, the channels. */
enum { SIGMA2, DOSE, DOSE_SIGMA2, FIRST_CHANNEL };

/* Depth profiles of a beam's layers and components. */
typedef struct Profiles {
  const struct DoseModel_s *model;
  const FactoredBeam *fb;
  PetscInt beam, n_function, n_sample, n_plane;
  double isocentre_mm;
  double *value;       /* [function][sample] of one layer's component */
  double *total;       /* [function][plane] what planes hold with what they take of coarser ones */
  double *band;        /* [plane][4] */
  double *coefficient; /* [component][layer][function][plane]; SIGMA2 0: no part */
} Profiles;

/* Values of a component at sample j. Behind its table it has no dose, and the last sigma. */
static void SampleTable(const Profiles *p, const LayerTable *table, PetscInt j)
{
  float record[NODE_LARGEST];
  const struct DoseModel_s *model = p->model;
  const double z_mm = p->fb->depth[0].sample_mm[j];
  const PetscInt n = p->n_sample;
  double *value = p->value + j;
  for (PetscInt k = 1; k < p->n_function; k++) value[k * n] = 0;
  value[SIGMA2 * n] = j ? value[SIGMA2 * n - 1] : 0;
  if (!LayerRecord(table, model->node_size, (float)z_mm, record)) return;
  const double magnification = WaterMagnification(&model->beams->beam[p->beam], p->isocentre_mm, z_mm);
  const double dose = (double)record[NODE_IDD] * (double)record[NODE_SHARE], water = (double)record[NODE_SIGMA];
  value[SIGMA2 * n] = (table->spot_sigma_mm * table->spot_sigma_mm + water * water) / (magnification * magnification);
  value[DOSE_SIGMA2 * n] = dose * value[SIGMA2 * n];
  value[DOSE * n] = dose;
  for (PetscInt c = 0; !model->tissues && c < p->n_function - FIRST_CHANNEL; c++)
    value[(FIRST_CHANNEL + c) * n] = (double)record[NODE_EMISSION + c];
  for (PetscInt t = 0; model->tissues && t < model->n_group; t++) {
    double *channel = value + (FIRST_CHANNEL + t * N_CHANNELS) * n;
    channel[CHANNEL_DOSE * n] = dose;
    channel[CHANNEL_ALPHA * n] = dose * (double)record[NODE_TISSUE + 2 * t];
    channel[CHANNEL_SQRT_BETA * n] = dose * (double)record[NODE_TISSUE + 2 * t + 1];
    channel[CHANNEL_LET * n] = dose * (double)record[NODE_LET];
  }
}

/* Bounds of sigma^2 where B-spline i of a level is not 0. */
static void Sigma2Bounds(const Profiles *p, int level, PetscInt i, double *low, double *high)
{
  double first_mm, last_mm;
  Four unused;
  DepthSplineSupport(&p->fb->depth[level], i, &first_mm, &last_mm);
  const PetscInt first = DepthSplineWeights(&p->fb->depth[0], first_mm, &unused) * SPLINE_SAMPLES;
  const PetscInt end = (DepthSplineWeights(&p->fb->depth[0], last_mm, &unused) + 1) * SPLINE_SAMPLES;
  *low = INFINITY;
  *high = 0;
  for (PetscInt j = first; j < end; j++) {
    *low = PetscMin(*low, p->value[SIGMA2 * p->n_sample + j]);
    *high = PetscMax(*high, p->value[SIGMA2 * p->n_sample + j]);
  }
}

/* What plane i takes of the coarser level. */
static double OfCoarser(const FactoredBeam *fb, PetscInt i, const double *plane)
{
  double sum = 0;
  if (i >= fb->level_start[DEPTH_LEVELS - 1]) return 0;
  for (int k = 0; k < 4; k++) sum += fb->refine[i][k] * plane[fb->coarse[i] + k];
  return sum;
}

/* Coefficients of the next level which come closest to those of a level, but hardly counting where the layer ends. */
static void Coarsen(const Profiles *p, int level, double end_mm, double *fit)
{
  const FactoredBeam *fb = p->fb;
  const PetscInt base = fb->level_start[level + 1], n = fb->depth[level + 1].n;
  for (PetscInt i = 0; i < 4 * n; i++) p->band[i] = 0;
  for (PetscInt k = 1; k < p->n_function; k++)
    for (PetscInt j = 0; j < n; j++) fit[k * p->n_plane + base + j] = 0;
  for (PetscInt i = fb->level_start[level]; i < base; i++) {
    const Four r = fb->refine[i];
    const PetscInt first = fb->coarse[i];
    double low_mm, high_mm;
    DepthSplineSupport(&fb->depth[level + 1], first - base + 1, &low_mm, &high_mm);
    const double window_mm = WINDOW_STEPS * (high_mm - low_mm) / 4;
    DepthSplineSupport(&fb->depth[level], i - fb->level_start[level], &low_mm, &high_mm);
    const double weight = fabs(0.5 * (low_mm + high_mm) - end_mm) < window_mm ? WINDOW_WEIGHT : 1;
    for (int a = 0; a < 4; a++) {
      for (int b = a; b < 4; b++) p->band[(first - base + a) * 4 + b - a] += weight * r[a] * r[b];
      for (PetscInt k = 1; k < p->n_function; k++)
        fit[k * p->n_plane + first + a] += weight * r[a] * fit[k * p->n_plane + i];
    }
  }
  BandFactor(n, p->band);
  for (PetscInt k = 1; k < p->n_function; k++) BandSolve(n, p->band, fit + k * p->n_plane + base);
}

/* Leave to plane i what it does not take of coarser planes, if that is worth a part. smallest: of every function. */
static void SplitPlane(const Profiles *p, int level, PetscInt i, const double *smallest, double *fit)
{
  const PetscInt n = p->n_plane;
  PetscBool keep = PETSC_FALSE;
  double low, high;
  for (PetscInt k = 1; k < p->n_function; k++) {
    p->total[k * n + i] = OfCoarser(p->fb, i, p->total + k * n);
    fit[k * n + i] -= p->total[k * n + i];
    if (k >= FIRST_CHANNEL && fabs(fit[k * n + i]) > smallest[k]) keep = PETSC_TRUE;
  }
  fit[SIGMA2 * n + i] = 0;
  if (!keep) return;
  Sigma2Bounds(p, level, i - p->fb->level_start[level], &low, &high);
  const double dose = fit[DOSE * n + i], ratio = fit[DOSE_SIGMA2 * n + i] / dose;
  fit[SIGMA2 * n + i] = ratio >= low && ratio <= high ? ratio : ratio > high ? high : low;
  fit[DOSE_SIGMA2 * n + i] = dose * fit[SIGMA2 * n + i];
  for (PetscInt k = 1; k < p->n_function; k++) p->total[k * n + i] += fit[k * n + i];
}

/* Fit the profiles of one table and split them into levels, coarsest first. */
static void FitTable(const Profiles *p, const LayerTable *table, double end_mm, double *fit)
{
  const FactoredBeam *fb = p->fb;
  double smallest[FIRST_CHANNEL + N_CHANNELS * TISSUES_MOST], smallest_top[FIRST_CHANNEL + N_CHANNELS * TISSUES_MOST];
  for (PetscInt j = 0; j < p->n_sample; j++) SampleTable(p, table, j);
  for (PetscInt k = 1; k < p->n_function; k++) {
    double largest = 0;
    DepthSplineFit(&fb->depth[0], p->value + k * p->n_sample, fit + k * p->n_plane);
    for (PetscInt i = 0; i < fb->nz; i++) largest = PetscMax(largest, fabs(fit[k * p->n_plane + i]));
    smallest[k] = SMALLEST_PART * largest;
    smallest_top[k] = SMALLEST_TOP * largest;
  }
  for (int level = 0; level + 1 < DEPTH_LEVELS; level++) Coarsen(p, level, end_mm, fit);
  for (int level = DEPTH_LEVELS - 1; level >= 0; level--)
    for (PetscInt i = fb->level_start[level]; i < fb->level_start[level + 1]; i++)
      SplitPlane(p, level, i, level + 1 == DEPTH_LEVELS ? smallest_top : smallest, fit);
}

/* The parts of plane i from the fits, behind the n there are; returns how many there are then. */
static PetscInt TakeParts(const Profiles *p, PetscInt i, PetscInt n, FactoredBeam *fb)
{
  const PetscInt n_layer = p->model->beams->beam[p->beam].n_layer, per_part = p->n_function - FIRST_CHANNEL;
  fb->part_start[i] = n;
  for (PetscInt l = 0; l < n_layer; l++)
    for (PetscInt k = 0; k < p->model->n_component; k++) {
      const double *fit = p->coefficient + (size_t)(k * n_layer + l) * (size_t)p->n_function * (size_t)p->n_plane + i;
      if (fit[SIGMA2 * p->n_plane] == 0) continue;
      fb->part[n] = (FieldPart){.layer = l, .sigma2_mm2 = fit[SIGMA2 * p->n_plane]};
      for (PetscInt c = 0; c < per_part; c++)
        fb->amplitude[(size_t)n * (size_t)per_part + (size_t)c] = fit[(FIRST_CHANNEL + c) * p->n_plane];
      n++;
    }
  return n;
}

/*
 * Which modes are kept of the parts. most: [layer][amplitude] the largest of the layer's parts; first of the laterally integrated
 * amplitude, then of the height of the Gaussian with it.
 */
static PetscErrorCode CutModes(PetscInt n_layer, PetscInt n_amplitude, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const PetscInt n = fb->part_start[PlaneCount(fb)];
  double *most;
  PetscCall(PetscCalloc1(2 * n_layer * n_amplitude, &most));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt c = 0; c < n_amplitude; c++) {
      const double a = fabs(fb->amplitude[i * n_amplitude + c]);
      double *of = most + 2 * (fb->part[i].layer * n_amplitude + c);
      of[0] = PetscMax(of[0], a);
      of[1] = PetscMax(of[1], a / fb->part[i].sigma2_mm2);
    }
  for (PetscInt i = 0; i < n; i++) {
    FieldPart *part = &fb->part[i];
    double share = 0, height = 0;
    for (PetscInt c = 0; c < n_amplitude; c++) {
      const double a = fabs(fb->amplitude[i * n_amplitude + c]), *of = most + 2 * (part->layer * n_amplitude + c);
      if (!(a > 0)) continue;
      share = PetscMax(share, a / of[0]);
      height = PetscMax(height, a / part->sigma2_mm2 / of[1]);
    }
    const double mode2 = PetscMax(EDGE_MODE2 + 2 * log(share), LARGEST_MODE2 + 2 * log(height));
    part->largest_q2 = PetscMax(LEAST_MODE2, mode2) / part->sigma2_mm2;
  }
  PetscCall(PetscFree(most));
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredCreateParts(const struct DoseModel_s *model, PetscInt b, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &model->beams->beam[b];
  const size_t per_part = (size_t)model->n_group * N_CHANNELS, n_plane = (size_t)PlaneCount(fb),
               n_table = (size_t)(beam->n_layer * model->n_component), n_function = FIRST_CHANNEL + per_part;
  Profiles p = {.model = model,
                .fb = fb,
                .beam = b,
                .n_function = (PetscInt)n_function,
                .n_sample = (fb->nz - 3) * SPLINE_SAMPLES,
                .n_plane = (PetscInt)n_plane,
                .isocentre_mm = IsocentreDepth_mm(model, beam)};
  PetscCall(PetscMalloc4(n_function * (size_t)p.n_sample, &p.value, n_function * n_plane, &p.total, 4 * n_plane,
                         &p.band, n_table * n_function * n_plane, &p.coefficient));
  for (size_t l = 0; l < n_table; l++)
    FitTable(&p, &model->beam[b].layer[l], model->machine->r80_mm[beam->energy[l % (size_t)beam->n_layer]],
             p.coefficient + l * n_function * n_plane);
  PetscCall(PetscMalloc1(n_plane + 1, &fb->part_start));
  PetscCall(PetscMalloc1(n_plane * n_table, &fb->part));
  PetscCall(PetscMalloc1(n_plane * n_table * per_part, &fb->amplitude));
  PetscInt n = 0;
  for (PetscInt i = 0; i < p.n_plane; i++) n = TakeParts(&p, i, n, fb);
  fb->part_start[n_plane] = n;
  PetscCall(CutModes(beam->n_layer, (PetscInt)per_part, fb));
  PetscCall(PetscRealloc((size_t)n * sizeof *fb->part, &fb->part));
  PetscCall(PetscRealloc((size_t)n * per_part * sizeof *fb->amplitude, &fb->amplitude));
  PetscCall(PetscFree4(p.value, p.total, p.band, p.coefficient));
  PetscFunctionReturn(0);
}

/* The largest value over depth of a channel of a layer: of dose that of all components, whichever is asked for. */
static double LargestOf(const struct DoseModel_s *model, PetscInt b, PetscInt layer, PetscInt channel)
{
  const PetscInt n_layer = model->beams->beam[b].n_layer, n_component = model->tissues ? 1 : model->n_component;
  const PetscInt first = model->tissues ? NODE_IDD : NODE_EMISSION + channel;
  double largest = 0;
  for (PetscInt d = 0; d < model->beam[b].layer[layer].n_node; d++) {
    double sum = 0;
    for (PetscInt k = 0; k < n_component; k++)
      sum +=
          (double)model->beam[b].layer[k * n_layer + layer].node[(size_t)d * (size_t)model->node_size + (size_t)first];
    largest = PetscMax(largest, sum);
  }
  return largest;
}

PetscErrorCode FactoredReach(const struct DoseModel_s *model, PetscInt b, const FactoredBeam *fb, double *reach_mm)
{
  PetscFunctionBegin;
  const PetscInt n_layer = model->beams->beam[b].n_layer, per_part = model->n_group * N_CHANNELS;
  const PetscInt n_looked = model->tissues ? 1 : per_part; /* CHANNEL_DOSE of a tissue, or all of the emitters */
  const double part = PetscMax(1e-6, model->dropped) / model->n_component;
  double reach2 = 0, *largest;
  PetscCall(PetscMalloc1(n_layer * n_looked, &largest));
  for (PetscInt l = 0; l < n_layer; l++)
    for (PetscInt c = 0; c < n_looked; c++) largest[l * n_looked + c] = LargestOf(model, b, l, c);
  for (PetscInt i = 0; i < fb->part_start[PlaneCount(fb)]; i++)
    for (PetscInt c = 0; c < n_looked; c++) {
      const double most = largest[fb->part[i].layer * n_looked + c];
      const double ratio = most > 0 ? fb->amplitude[(size_t)i * (size_t)per_part + (size_t)c] / (part * most) : 0;
      if (ratio > 1) reach2 = PetscMax(reach2, 2 * fb->part[i].sigma2_mm2 * log(ratio));
    }
  PetscCall(PetscFree(largest));
  *reach_mm = sqrt(reach2);
  PetscFunctionReturn(0);
}
