/* The entries of one voxel and beam, computed and applied. */
#include "influence_private.h"
#include <math.h>
#include <string.h>

/*
 * A run's entries are computed in blocks of this many layers, as loops of fixed length become vector code without
 * remainders. The last block may go past the run's end: what it writes there is overwritten by the next run or lies in the
 * slack of the arrays.
 */
enum { LANES = 8 };

PetscErrorCode RowCreate(const struct DoseModel_s *model, Row *row)
{
  PetscFunctionBegin;
  size_t layers = (size_t)model->max_layer, spots = (size_t)model->max_run_entries;
  PetscCall(
      PetscMalloc4(spots, &row->first_spot, spots, &row->run_layer, spots, &row->run_n, spots + LANES, &row->value));
  PetscCall(PetscCalloc4(3 * layers, &row->factor, layers + LANES, &row->norm, layers + LANES, &row->rate,
                         layers + LANES, &row->cut2));
  PetscFunctionReturn(0);
}

PetscErrorCode RowDestroy(Row *row)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(row->first_spot, row->run_layer, row->run_n, row->value));
  PetscCall(PetscFree4(row->factor, row->norm, row->rate, row->cut2));
  PetscFunctionReturn(0);
}

/* exp(x) for x <= 0 in plain arithmetic, so that compilers vectorise it; relative error below 2e-7. */
static inline float ExpNegative(float x)
{
  const float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f, round_magic = 12582912.0f;
  x = x > -87.0f ? x : -87.0f; /* the order of a max instruction */
  float shifted = x * log2e + round_magic, k = shifted - round_magic;
  float r = (x - k * ln2_high) - k * ln2_low;
  float p =
      1.0f +
      r * (1.0f + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * (8.33333333e-3f + r * 1.38888889e-3f)))));
  union {
    float f;
    int32_t i;
  } scale = {.i = ((int32_t)k + 127) << 23};
  return p * scale.f;
}

PetscBool LayerRecord(const LayerTable *table, PetscInt node_size, float depth_mm, float *record)
{
  PetscInt bin = (PetscInt)(depth_mm / (float)BIN_MM);
  if (bin >= table->n_bin) return PETSC_FALSE;
  PetscInt d = table->bin[bin];
  const float *node = table->node + (size_t)d * (size_t)node_size;
  while (d + 2 < table->n_node && node[node_size] < depth_mm) d++, node += node_size;
  if (depth_mm > node[node_size]) return PETSC_FALSE;
  float t = (depth_mm - node[0]) / (node[node_size] - node[0]);
  for (PetscInt i = 1; i < node_size; i++) record[i] = node[i] + t * (node[node_size + i] - node[i]);
  return PETSC_TRUE;
}

/*
 * Squared radius outside which a component has no more than its part of the spot's dropped dose, and the scale that makes up
 * for it. A Gaussian drops exp(-r^2 / (2 sigma^2)) outside r. Of a component that has hardly more than its part, half is
 * kept: its dose must stay somewhere.
 */
static inline float CutOff(const struct DoseModel_s *model, float share, float rate, float *scale)
{
  *scale = 1;
  if (model->dropped <= 0) return INFINITY;
  const float part = (float)model->dropped / (float)model->n_component;
  const float lost = part < 0.5f * share ? part / share : 0.5f;
  *scale = 1 / (1 - lost);
  return -logf(lost) / rate;
}

/* Amplitudes, rates, cut-offs and channel factors of all layers at this depth; returns the largest squared cut-off. */
static float LayersAt(const struct DoseModel_s *model, PetscInt beam, PetscInt component, PetscInt tissue,
                      float depth_mm, Row *row)
{
  const PetscInt all = model->beams->beam[beam].n_layer;
  const LayerTable *layer = model->beam[beam].layer + component * all;
  float record[NODE_LARGEST] = {0}, largest = 0;
  row->first_layer = all;
  for (PetscInt l = 0; l < all; l++) {
    PetscBool reached = LayerRecord(&layer[l], model->node_size, depth_mm, record);
    if (reached && row->first_layer == all) {
      row->first_layer = l;
      row->n_layer = all - l;
    }
    if (row->first_layer == all) continue;
    const PetscInt i = l - row->first_layer, n = row->n_layer;
    const float spot = (float)layer[l].spot_sigma_mm, water = reached ? record[NODE_SIGMA] : 0;
    float scale = 1;
    row->rate[i] = 0.5f / (spot * spot + water * water);
    row->cut2[i] = reached ? CutOff(model, record[NODE_SHARE], row->rate[i], &scale) : 0;
    row->norm[i] = reached ? record[NODE_IDD] * record[NODE_SHARE] * row->rate[i] * (float)M_1_PI * scale : 0;
    largest = PetscMax(largest, row->cut2[i]);
    row->factor[i] = reached ? record[NODE_TISSUE + 2 * tissue] : 0;
    row->factor[n + i] = reached ? record[NODE_TISSUE + 2 * tissue + 1] : 0;
    row->factor[2 * n + i] = reached ? record[NODE_LET] : 0;
  }
  return largest;
}

/* Entries of one run of layers [a, a + n) at squared distance r2. */
static inline void RunValues(const Row *row, PetscInt a, PetscInt n, float r2, float *restrict value)
{
  const float *restrict cut2 = row->cut2 + a, *restrict norm = row->norm + a, *restrict rate = row->rate + a;
  for (PetscInt i = 0; i < n; i += LANES)
    for (PetscInt j = i; j < i + LANES; j++) value[j] = r2 <= cut2[j] ? norm[j] * ExpNegative(-r2 * rate[j]) : 0;
}

/* The cells of the isocentre plane within reach of a point; false if there are none with runs. */
typedef struct CellRange {
  PetscInt ix0, ix1, iy0, iy1;
} CellRange;

static PetscBool CellsWithin(const BeamTable *table, double x_mm, double y_mm, double reach_mm, CellRange *range)
{
  const double x = x_mm - table->x0_mm, y = y_mm - table->y0_mm;
  if (x + reach_mm < 0 || y + reach_mm < 0) return PETSC_FALSE;
  double last_x = table->nx - 1, last_y = table->ny - 1;
  range->ix0 = (PetscInt)PetscMin(last_x + 1, PetscMax(0, (x - reach_mm) / table->cell_mm));
  range->iy0 = (PetscInt)PetscMin(last_y + 1, PetscMax(0, (y - reach_mm) / table->cell_mm));
  range->ix1 = (PetscInt)PetscMin(last_x, (x + reach_mm) / table->cell_mm);
  range->iy1 = (PetscInt)PetscMin(last_y, (y + reach_mm) / table->cell_mm);
  for (PetscInt iy = range->iy0; iy <= range->iy1 && range->ix0 <= range->ix1; iy++)
    if (table->cell_start[iy * table->nx + range->ix0] < table->cell_start[iy * table->nx + range->ix1 + 1])
      return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Append the entries of one run at squared distance r2, leaving out layers that do not reach the voxel. */
static inline void AppendRun(const SpotRun *run, float r2, Row *row)
{
  PetscInt skip = PetscMax(0, row->first_layer - run->first_layer), n = run->n - skip;
  if (n <= 0) return;
  row->first_spot[row->n_run] = run->first_spot + skip;
  row->run_layer[row->n_run] = (uint16_t)(run->first_layer + skip - row->first_layer);
  row->run_n[row->n_run] = (uint16_t)n;
  RunValues(row, row->run_layer[row->n_run], n, r2, row->value + row->n_value);
  row->n_run++;
  row->n_value += (size_t)n;
}

void RowBuild(const struct DoseModel_s *model, PetscInt b, PetscInt component, PetscInt tissue, const double bev_mm[3],
              double depth_mm, Row *row)
{
  const Beam *beam = &model->beams->beam[b];
  const BeamTable *table = &model->beam[b];
  CellRange cells;
  row->n_run = row->n_layer = 0;
  row->n_value = 0;
  /* Compare in the isocentre plane: spot axes diverge with distance from the source. */
  const double magnification = beam->sad_mm > 0 ? (beam->sad_mm + bev_mm[2]) / beam->sad_mm : 1;
  const double x = bev_mm[0] / magnification, y = bev_mm[1] / magnification;
  if (!CellsWithin(table, x, y, table->longest_reach_mm[component] / magnification, &cells)) return;
  /* Tables begin at 0; a negative offset of the base data puts the skin before that. */
  const float cut2 = LayersAt(model, b, component, tissue, (float)PetscMax(0, depth_mm), row);
  if (row->first_layer == beam->n_layer || !CellsWithin(table, x, y, sqrt((double)cut2) / magnification, &cells))
    return;
  const float fx = (float)x, fy = (float)y, stretch2 = (float)(magnification * magnification);
  for (PetscInt iy = cells.iy0; iy <= cells.iy1; iy++) {
    PetscInt first = table->cell_start[iy * table->nx + cells.ix0];
    PetscInt last = table->cell_start[iy * table->nx + cells.ix1 + 1];
    for (PetscInt i = first; i < last; i++) {
      float dx = table->run_x_mm[i] - fx, dy = table->run_y_mm[i] - fy, r2 = (dx * dx + dy * dy) * stretch2;
      if (r2 <= cut2) AppendRun(&beam->run[table->run[i]], r2, row);
    }
  }
}

void RowBuildOfRun(const struct DoseModel_s *model, PetscInt b, PetscInt component, PetscInt tissue, PetscInt run,
                   double r2_mm2, double depth_mm, Row *row)
{
  const Beam *beam = &model->beams->beam[b];
  row->n_run = row->n_layer = 0;
  row->n_value = 0;
  const float cut2 = LayersAt(model, b, component, tissue, (float)PetscMax(0, depth_mm), row);
  if (row->first_layer < beam->n_layer && (float)r2_mm2 <= cut2) AppendRun(&beam->run[run], (float)r2_mm2, row);
}

void RowApply(const Row *row, const double *weight, double *layer_sum, double out[N_CHANNELS])
{
  const float *restrict value = row->value;
  memset(layer_sum, 0, (size_t)row->n_layer * sizeof *layer_sum);
  for (PetscInt r = 0; r < row->n_run; r++) {
    const double *restrict w = weight + row->first_spot[r];
    double *restrict sum = layer_sum + row->run_layer[r];
    const int n = row->run_n[r];
    for (int i = 0; i < n; i++) sum[i] += (double)value[i] * w[i];
    value += n;
  }
  const float *alpha = row->factor, *sqrt_beta = alpha + row->n_layer, *let = sqrt_beta + row->n_layer;
  for (PetscInt l = 0; l < row->n_layer; l++) {
    out[CHANNEL_DOSE] += layer_sum[l];
    out[CHANNEL_ALPHA] += (double)alpha[l] * layer_sum[l];
    out[CHANNEL_SQRT_BETA] += (double)sqrt_beta[l] * layer_sum[l];
    out[CHANNEL_LET] += (double)let[l] * layer_sum[l];
  }
}

void RowApplyTranspose(const Row *row, const double cotangent[N_CHANNELS], double *layer_factor, double *gradient)
{
  const float *alpha = row->factor, *sqrt_beta = alpha + row->n_layer, *let = sqrt_beta + row->n_layer;
  for (PetscInt l = 0; l < row->n_layer; l++)
    layer_factor[l] = cotangent[CHANNEL_DOSE] + (double)alpha[l] * cotangent[CHANNEL_ALPHA] +
                      (double)sqrt_beta[l] * cotangent[CHANNEL_SQRT_BETA] + (double)let[l] * cotangent[CHANNEL_LET];
  const float *restrict value = row->value;
  for (PetscInt r = 0; r < row->n_run; r++) {
    double *restrict g = gradient + row->first_spot[r];
    const double *restrict factor = layer_factor + row->run_layer[r];
    const int n = row->run_n[r];
    for (int i = 0; i < n; i++) g[i] += (double)value[i] * factor[i];
    value += n;
  }
}
