/* The operator of one beam and sums as a plain sparse matrix, for those who want one. */
#include "influence_private.h"

/* Go through all rows of a beam; found is called for every entry of a voxel, its spot counted from the beam's first. */
typedef struct Entries {
  PetscInt *last;        /* [spot] 1 + the last voxel that had an entry */
  size_t *count, *slot;  /* [spot] voxels so far; where the last one's values are */
  InfluenceMatrix *fill; /* NULL: only count */
} Entries;

static void TakeEntry(Entries *e, PetscInt v, PetscInt spot, const float value[N_CHANNELS])
{
  if (e->last[spot] != v + 1) {
    e->last[spot] = v + 1;
    if (e->fill) {
      e->slot[spot] = (size_t)e->fill->start[spot] + e->count[spot];
      e->fill->row[e->slot[spot]] = (int32_t)v;
      for (int c = 0; c < N_CHANNELS; c++) e->fill->value[c][e->slot[spot]] = 0;
    }
    e->count[spot]++;
  }
  for (int c = 0; c < N_CHANNELS && e->fill; c++) e->fill->value[c][e->slot[spot]] += value[c];
}

static void TakeRow(Entries *e, PetscInt v, PetscInt first_spot, const Row *row)
{
  const float *value = row->value;
  for (PetscInt r = 0; r < row->n_run; r++)
    for (PetscInt i = 0; i < row->run_n[r]; i++, value++) {
      const float *factor = row->factor + row->run_layer[r] + i;
      TakeEntry(
          e, v, row->first_spot[r] + i - first_spot,
          (float[]){*value, *value * factor[0], *value * factor[row->n_layer], *value * factor[2 * row->n_layer]});
    }
}

static PetscErrorCode TakeAll(Influence influence, PetscInt sums, PetscInt b, Entries *e)
{
  PetscFunctionBegin;
  const Beam *beam = &influence->model->beams->beam[b];
  const size_t at = SightIndex(influence, influence->set->of_phase[sums].view, b);
  Row row;
  PetscCall(PetscArrayzero(e->last, beam->n_spot));
  PetscCall(PetscArrayzero(e->count, beam->n_spot));
  PetscCall(RowCreate(influence->model, &row));
  for (PetscInt v = 0; v < influence->n; v++)
    for (PetscInt k = 0; k < influence->model->n_component; k++) {
      RowBuild(influence->model, b, k, SumsTissue(influence, sums, v), influence->bev_mm + 3 * (at + (size_t)v),
               SumsDepth_mm(influence, sums, b, v), &row);
      TakeRow(e, v, beam->first_spot, &row);
    }
  PetscCall(RowDestroy(&row));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceGetMatrix(Influence influence, PetscInt sums, PetscInt b, double most_bytes,
                                  InfluenceMatrix *out)
{
  PetscFunctionBegin;
  const PetscInt n_spot = influence->model->beams->beam[b].n_spot;
  Entries e = {0};
  PetscCheck(!influence->factored && !influence->model->split, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "a matrix is made of rows, expected an assembled or streamed operator");
  *out = (InfluenceMatrix){.n_row = influence->n, .n_column = n_spot};
  PetscCall(PetscMalloc3(n_spot, &e.last, n_spot, &e.count, n_spot, &e.slot));
  PetscCall(TakeAll(influence, sums, b, &e));
  PetscCall(PetscMalloc1(n_spot + 1, &out->start));
  out->start[0] = 0;
  for (PetscInt j = 0; j < n_spot; j++) out->start[j + 1] = out->start[j] + (int64_t)e.count[j];
  out->bytes = (double)out->start[n_spot] * (sizeof *out->row + N_CHANNELS * sizeof(float));
  if (!(most_bytes > 0) || out->bytes <= most_bytes) {
    PetscCall(PetscMalloc1(out->start[n_spot], &out->row));
    for (int c = 0; c < N_CHANNELS; c++) PetscCall(PetscMalloc1(out->start[n_spot], &out->value[c]));
    e.fill = out;
    PetscCall(TakeAll(influence, sums, b, &e));
  }
  PetscCall(PetscFree3(e.last, e.count, e.slot));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceMatrixDestroy(InfluenceMatrix *matrix)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(matrix->start));
  PetscCall(PetscFree(matrix->row));
  for (int c = 0; c < N_CHANNELS; c++) PetscCall(PetscFree(matrix->value[c]));
  PetscFunctionReturn(0);
}
