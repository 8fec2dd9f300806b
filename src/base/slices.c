/*
 * Vectors in slices. The sum over a block runs in LANES partial sums side by side, which the processor adds at once; they and the
 * sums of the blocks are put together in a fixed order.
 */
#include "robion/slices.h"

enum { LANES = 8 };

PetscErrorCode SlicesCreate(MPI_Comm comm, PetscInt n, PetscBool on_first, Slices *slices)
{
  PetscFunctionBegin;
  Slices s = {.comm = comm, .n = n};
  PetscCallMPI(MPI_Comm_rank(comm, &s.rank));
  PetscCallMPI(MPI_Comm_size(comm, &s.size));
  PetscCall(PetscMalloc4(s.size, &s.start, s.size, &s.count, s.size, &s.block_start, s.size, &s.n_block));
  const int64_t blocks = (n + SLICE_BLOCK - 1) / SLICE_BLOCK;
  for (PetscMPIInt r = 0; r < s.size; r++) {
    const int64_t begin = on_first && r ? blocks : blocks * r / s.size,
                  end = on_first ? blocks : blocks * (r + 1) / s.size;
    s.block_start[r] = (PetscMPIInt)begin;
    s.n_block[r] = (PetscMPIInt)(end - begin);
    s.start[r] = (PetscMPIInt)PetscMin(n, begin * SLICE_BLOCK);
    s.count[r] = (PetscMPIInt)PetscMin(n, end * SLICE_BLOCK) - s.start[r];
  }
  s.first = s.start[s.rank];
  s.n_own = s.count[s.rank];
  *slices = s;
  PetscFunctionReturn(0);
}

PetscErrorCode SlicesDestroy(Slices *slices)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(slices->start, slices->count, slices->block_start, slices->n_block));
  PetscFunctionReturn(0);
}

static inline double Product(Factors of, const double *mask, PetscInt j)
{
  return (mask ? mask[j] : 1) * (of.b ? of.a[j] * of.b[j] : of.a[j]);
}

static inline double SumLanes(PetscInt begin, PetscInt end, Factors of, const double *mask)
{
  double lane[LANES] = {0};
  PetscInt j = begin;
  for (; j + LANES <= end; j += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += Product(of, mask, j + k);
  for (int k = 0; j + k < end; k++) lane[k] += Product(of, mask, j + k);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Each kind of sum on its own, for the compiler. */
static double SumBlock(PetscInt begin, PetscInt end, Factors of, const double *mask)
{
  if (mask && of.b) return SumLanes(begin, end, of, mask);
  if (of.b) return SumLanes(begin, end, of, NULL);
  return SumLanes(begin, end, (Factors){.a = of.a}, mask);
}

PetscErrorCode SlicesDots(const Slices *s, PetscInt m, const Factors *factors, const double *mask, double *sum)
{
  PetscFunctionBegin;
  const PetscMPIInt blocks = s->block_start[s->size - 1] + s->n_block[s->size - 1], mine = s->n_block[s->rank];
  double *own, *all;
  PetscMPIInt *start, *count;
  PetscCall(PetscMalloc4(m * mine, &own, m * blocks, &all, s->size, &start, s->size, &count));
  for (PetscInt k = 0; k < mine; k++)
    for (PetscInt i = 0; i < m; i++)
      own[i * mine + k] = SumBlock(k * SLICE_BLOCK, PetscMin(s->n_own, (k + 1) * SLICE_BLOCK), factors[i], mask);
  for (PetscMPIInt r = 0; r < s->size; r++) {
    start[r] = (PetscMPIInt)m * s->block_start[r];
    count[r] = (PetscMPIInt)m * s->n_block[r];
  }
  PetscCallMPI(MPI_Allgatherv(own, count[s->rank], MPI_DOUBLE, all, count, start, MPI_DOUBLE, s->comm));
  for (PetscInt i = 0; i < m; i++) {
    sum[i] = 0;
    for (PetscMPIInt r = 0; r < s->size; r++)
      for (PetscInt k = 0; k < s->n_block[r]; k++) sum[i] += all[start[r] + i * s->n_block[r] + k];
  }
  PetscCall(PetscFree4(own, all, start, count));
  PetscFunctionReturn(0);
}

PetscErrorCode SlicesDot(const Slices *s, const double *a, const double *b, double *sum)
{
  PetscFunctionBegin;
  const Factors factors = {a, b};
  PetscCall(SlicesDots(s, 1, &factors, NULL, sum));
  PetscFunctionReturn(0);
}

PetscErrorCode SlicesGather(const Slices *s, const double *own, double *whole)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Allgatherv(own, s->count[s->rank], MPI_DOUBLE, whole, s->count, s->start, MPI_DOUBLE, s->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode SlicesCollect(const Slices *s, PetscInt rows, const double *own, double *whole)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i++)
    PetscCallMPI(MPI_Gatherv(own + (size_t)i * (size_t)s->n_own, s->count[s->rank], MPI_DOUBLE,
                             whole ? whole + (size_t)i * (size_t)s->n : NULL, s->count, s->start, MPI_DOUBLE, 0,
                             s->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode SlicesDeal(const Slices *s, PetscInt rows, const double *whole, double *own)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i++)
    PetscCallMPI(MPI_Scatterv(whole ? whole + (size_t)i * (size_t)s->n : NULL, s->count, s->start, MPI_DOUBLE,
                              own + (size_t)i * (size_t)s->n_own, s->count[s->rank], MPI_DOUBLE, 0, s->comm));
  PetscFunctionReturn(0);
}
