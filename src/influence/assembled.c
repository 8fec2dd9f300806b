/*
 * Dose operator as a sparse matrix per sums and part (beam and lateral component). A row is a list of runs: spots of one ray on consecutive
 * layers, so that one start index serves a whole run; entries are float32, and the alpha, sqrt(beta) and LET channels
 * are factors per row and layer over the same entries. About 4.6 bytes per entry for all four channels.
 */
#include "influence_private.h"
#include <string.h>

/* Grow-only storage of one matrix. */
typedef struct Matrix {
  size_t n_run, run_capacity, n_value, value_capacity, n_factor, factor_capacity;
  int32_t *first_spot;
  uint16_t *run_layer, *run_n;
  float *value, *factor;
  size_t *row_run, *row_value, *row_factor; /* [n] starts */
  int32_t *row_n_run;                       /* [n] */
  uint16_t *row_n_layer;                    /* [n] */
} Matrix;

typedef struct Assembled {
  Matrix *matrix;  /* [sums][part] */
  double *scratch; /* [max_layer] */
} Assembled;

static PetscErrorCode MatrixCreate(PetscInt n, Matrix *m)
{
  PetscFunctionBegin;
  memset(m, 0, sizeof *m);
  PetscCall(PetscMalloc5(n, &m->row_run, n, &m->row_value, n, &m->row_factor, n, &m->row_n_run, n, &m->row_n_layer));
  PetscFunctionReturn(0);
}

static PetscErrorCode Grow(size_t need, size_t *capacity, size_t element, void *array)
{
  PetscFunctionBegin;
  if (need <= *capacity) PetscFunctionReturn(0);
  *capacity = PetscMax(need, *capacity + *capacity / 2);
  PetscCall(PetscRealloc(*capacity * element, (void **)array));
  PetscFunctionReturn(0);
}

static PetscErrorCode GrowRuns(Matrix *m, size_t need)
{
  PetscFunctionBegin;
  size_t capacity = m->run_capacity;
  PetscCall(Grow(need, &m->run_capacity, sizeof *m->first_spot, &m->first_spot));
  size_t again = capacity;
  PetscCall(Grow(need, &again, sizeof *m->run_layer, &m->run_layer));
  PetscCall(Grow(need, &capacity, sizeof *m->run_n, &m->run_n));
  PetscFunctionReturn(0);
}

static PetscErrorCode AppendRow(Matrix *m, PetscInt v, const Row *row)
{
  PetscFunctionBegin;
  size_t runs = (size_t)row->n_run, factors = row->n_run ? 3 * (size_t)row->n_layer : 0;
  m->row_run[v] = m->n_run;
  m->row_value[v] = m->n_value;
  m->row_factor[v] = m->n_factor;
  m->row_n_run[v] = (int32_t)row->n_run;
  m->row_n_layer[v] = (uint16_t)row->n_layer;
  PetscCall(GrowRuns(m, m->n_run + runs));
  PetscCall(Grow(m->n_value + row->n_value, &m->value_capacity, sizeof *m->value, &m->value));
  PetscCall(Grow(m->n_factor + factors, &m->factor_capacity, sizeof *m->factor, &m->factor));
  PetscCall(PetscArraycpy(m->first_spot + m->n_run, row->first_spot, runs));
  PetscCall(PetscArraycpy(m->run_layer + m->n_run, row->run_layer, runs));
  PetscCall(PetscArraycpy(m->run_n + m->n_run, row->run_n, runs));
  PetscCall(PetscArraycpy(m->value + m->n_value, row->value, row->n_value));
  PetscCall(PetscArraycpy(m->factor + m->n_factor, row->factor, factors));
  m->n_run += runs;
  m->n_value += row->n_value;
  m->n_factor += factors;
  PetscFunctionReturn(0);
}

/* Give back what growing reserved in excess, and count. */
static PetscErrorCode MatrixFinish(PetscInt n, Matrix *m, size_t *bytes)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc(m->n_run * sizeof *m->first_spot, &m->first_spot));
  PetscCall(PetscRealloc(m->n_run * sizeof *m->run_layer, &m->run_layer));
  PetscCall(PetscRealloc(m->n_run * sizeof *m->run_n, &m->run_n));
  PetscCall(PetscRealloc(m->n_value * sizeof *m->value, &m->value));
  PetscCall(PetscRealloc(m->n_factor * sizeof *m->factor, &m->factor));
  *bytes += m->n_run * (sizeof(int32_t) + 2 * sizeof(uint16_t)) + (m->n_value + m->n_factor) * sizeof(float) +
            (size_t)n * (3 * sizeof(size_t) + sizeof(int32_t) + sizeof(uint16_t));
  PetscFunctionReturn(0);
}

/* A stored row as the kernels take it. */
static inline Row RowView(const Matrix *m, PetscInt v)
{
  return (Row){.n_layer = m->row_n_layer[v],
               .n_run = m->row_n_run[v],
               .first_spot = m->first_spot + m->row_run[v],
               .run_layer = m->run_layer + m->row_run[v],
               .run_n = m->run_n + m->row_run[v],
               .value = m->value + m->row_value[v],
               .factor = m->factor + m->row_factor[v]};
}

static PetscErrorCode Apply_Assembled(Influence influence, PetscInt sums, const double *weight, double *channels)
{
  PetscFunctionBegin;
  Assembled *assembled = influence->data;
  const PetscInt n_part = PartCount(influence);
  memset(channels, 0, (size_t)influence->n * N_CHANNELS * sizeof *channels);
  for (PetscInt v = 0; v < influence->n; v++)
    for (PetscInt i = 0; i < n_part; i++) {
      Row row = RowView(&assembled->matrix[sums * n_part + i], v);
      if (row.n_run) RowApply(&row, weight, assembled->scratch, channels + v * N_CHANNELS);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyTranspose_Assembled(Influence influence, PetscInt sums, const double *cotangent,
                                               double *gradient)
{
  PetscFunctionBegin;
  static const double zero[N_CHANNELS];
  Assembled *assembled = influence->data;
  const PetscInt n_part = PartCount(influence);
  for (PetscInt v = 0; v < influence->n; v++) {
    const double *c = cotangent + v * N_CHANNELS;
    if (!memcmp(c, zero, sizeof zero)) continue;
    for (PetscInt i = 0; i < n_part; i++) {
      Row row = RowView(&assembled->matrix[sums * n_part + i], v);
      if (row.n_run) RowApplyTranspose(&row, c, assembled->scratch, gradient);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy_Assembled(Influence influence)
{
  PetscFunctionBegin;
  Assembled *assembled = influence->data;
  for (PetscInt i = 0; i < influence->set->n_of_phase * PartCount(influence); i++) {
    Matrix *m = &assembled->matrix[i];
    PetscCall(PetscFree5(m->row_run, m->row_value, m->row_factor, m->row_n_run, m->row_n_layer));
    PetscCall(PetscFree(m->first_spot));
    PetscCall(PetscFree(m->run_layer));
    PetscCall(PetscFree(m->run_n));
    PetscCall(PetscFree(m->value));
    PetscCall(PetscFree(m->factor));
  }
  PetscCall(PetscFree(assembled->matrix));
  PetscCall(PetscFree(assembled->scratch));
  PetscCall(PetscFree(influence->data));
  PetscFunctionReturn(0);
}

/* Build the matrix of one sums and part. */
static PetscErrorCode Assemble(Influence influence, PetscInt sums, PetscInt part, Row *row, Matrix *m)
{
  PetscFunctionBegin;
  const PetscInt beam = PartBeam(influence, part);
  const size_t at = SightIndex(influence, influence->set->of_phase[sums].view, beam);
  PetscCall(MatrixCreate(influence->n, m));
  for (PetscInt v = 0; v < influence->n; v++) {
    RowBuild(influence->model, beam, PartComponent(influence, part), SumsTissue(influence, sums, v),
             influence->bev_mm + 3 * (at + (size_t)v), SumsDepth_mm(influence, sums, beam, v), row);
    PetscCall(AppendRow(m, v, row));
  }
  PetscCall(MatrixFinish(influence->n, m, &influence->bytes));
  influence->entries += m->n_value;
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreate_Assembled(Influence influence)
{
  PetscFunctionBegin;
  const PetscInt n_part = PartCount(influence);
  Assembled *assembled;
  Row row;
  PetscCall(PetscNew(&assembled));
  PetscCall(PetscCalloc1(influence->set->n_of_phase * n_part, &assembled->matrix));
  PetscCall(PetscMalloc1(influence->model->max_layer, &assembled->scratch));
  PetscCall(RowCreate(influence->model, &row));
  for (PetscInt s = 0; s < influence->set->n_of_phase; s++)
    for (PetscInt i = 0; i < n_part; i++)
      PetscCall(Assemble(influence, s, i, &row, &assembled->matrix[s * n_part + i]));
  PetscCall(RowDestroy(&row));
  influence->data = assembled;
  influence->apply = Apply_Assembled;
  influence->transpose = ApplyTranspose_Assembled;
  influence->destroy = Destroy_Assembled;
  PetscFunctionReturn(0);
}
