/* Spot weights -> planes of spline coefficients, and back. */
#include "factored.h"
#include <math.h>
#include <string.h>

/* Modes along v, in fours, that are kept of a part at a mode along u. */
static PetscInt ModesThrough(const FactoredBeam *fb, const FieldPart *part, PetscInt mode_u)
{
  const double q_u = fb->dq_u * (double)mode_u, rest = part->largest_q2 - q_u * q_u;
  if (rest < 0) return 0;
  const PetscInt n = PetscMin(fb->n_mode_v, 1 + (PetscInt)(sqrt(rest) / fb->dq_v));
  return (n + FOUR - 1) / FOUR * FOUR;
}

/* Gaussian factors exp(-sigma^2 q^2 / 2) at q = 0, dq, 2 dq ...; q^2 grows by odd multiples of dq^2. */
static void Gaussian(double sigma2_mm2, double dq, PetscInt n, double *factor)
{
  const double ratio2 = exp(-sigma2_mm2 * dq * dq);
  double value = 1, ratio = sqrt(ratio2);
  for (PetscInt i = 0; i < n; i++) {
    factor[i] = value;
    value = value > 1e-300 ? value * ratio : 0;
    ratio *= ratio2;
  }
}

static PetscInt MostParts(const FactoredBeam *fb)
{
  PetscInt most = 0;
  for (PetscInt i = 0; i < PlaneCount(fb); i++) most = PetscMax(most, fb->part_start[i + 1] - fb->part_start[i]);
  return most;
}

/* [tissue][channel] of part p. */
static inline const double *AmplitudeOf(const struct Factored_s *f, PetscInt b, PetscInt p)
{
  return f->beam[b].amplitude + (size_t)p * (size_t)f->model->n_group * N_CHANNELS;
}

/* A part at a mode along u. */
typedef struct PartColumn {
  size_t layer;                      /* where its layer's rows are, behind those of the first layer */
  const double *along_v, *amplitude; /* the latter: of the first tissue */
  double along_u;
  PetscInt through; /* modes along v that count */
} PartColumn;

/* What makes a plane at a mode along u. */
typedef struct ModeColumn {
  PetscInt n, row;
  const PartColumn *part;
  PetscInt tissue;
  const double *spectrum; /* of the first layer's spots: real, then imaginary row */
  const double *coarser;  /* the first of four planes that it takes part of, NULL: none */
  Four refine;
} ModeColumn;

/* Room for the factors of one plane's parts. */
typedef struct PlaneFactors {
  double *along_u, *along_v; /* [part][nu / 2 + 1], [part][row] */
  PetscInt *through;         /* [part][nu / 2 + 1] modes along v that count */
  PartColumn *part;
} PlaneFactors;

static PetscErrorCode PlaneFactorsCreate(const FactoredBeam *fb, PlaneFactors *factors)
{
  PetscFunctionBegin;
  const size_t most = (size_t)MostParts(fb), n_u = (size_t)fb->nu / 2 + 1;
  PetscCall(PetscMalloc4(most * n_u, &factors->along_u, most * (size_t)fb->row, &factors->along_v, most * n_u,
                         &factors->through, most, &factors->part));
  PetscFunctionReturn(0);
}

static PetscErrorCode PlaneFactorsDestroy(PlaneFactors *factors)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(factors->along_u, factors->along_v, factors->through, factors->part));
  PetscFunctionReturn(0);
}

/* Of the parts of plane i. */
static void FindFactors(const FactoredBeam *fb, PetscInt i, PlaneFactors *factors)
{
  const PetscInt n_u = fb->nu / 2 + 1;
  for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
    Gaussian(fb->part[p].sigma2_mm2, fb->dq_u, n_u, factors->along_u + (size_t)k * (size_t)n_u);
    Gaussian(fb->part[p].sigma2_mm2, fb->dq_v, fb->row, factors->along_v + (size_t)k * (size_t)fb->row);
    for (PetscInt m = 0; m < n_u; m++)
      factors->through[(size_t)k * (size_t)n_u + (size_t)m] = ModesThrough(fb, &fb->part[p], m);
  }
}

/* Row of the spots' spectrum: [mode u][layer][re, im][row]. */
static inline double *SpectrumRow(const struct Factored_s *f, PetscInt b, PetscInt m, PetscInt layer)
{
  const FactoredBeam *fb = &f->beam[b];
  return f->spectrum + ((size_t)m * (size_t)f->model->beams->beam[b].n_layer + (size_t)layer) * 2 * (size_t)fb->row;
}

/* Row of a plane in Fourier space: [mode u][tissue][plane][channel][re, im][row]; coarser planes', and the filtered adjoint ones. */
static inline double *PlaneRow(const struct Factored_s *f, PetscInt b, PetscInt m, PetscInt tissue, PetscInt i)
{
  const FactoredBeam *fb = &f->beam[b];
  const size_t first = (size_t)FirstKept(f, fb), kept = (size_t)PlaneCount(fb) - first;
  const size_t at = ((size_t)m * (size_t)f->model->n_group + (size_t)tissue) * kept + (size_t)i - first;
  return f->adjoint + at * 2 * N_CHANNELS * (size_t)fb->row;
}

/* Sum over the spots of a line on one layer of w exp(-i q x), for every mode along u. */
static PetscBool LineSpectrum(const struct Factored_s *f, PetscInt b, PetscInt line, PetscInt layer,
                              const double *weight, double complex *sum)
{
  const FactoredBeam *fb = &f->beam[b];
  PetscBool any = PETSC_FALSE;
  for (PetscInt r = fb->line_start[line]; r < fb->line_start[line + 1]; r++) {
    const SpotRun *run = &f->model->beams->beam[b].run[r];
    if (layer < run->first_layer || layer >= run->first_layer + run->n) continue;
    const double w = weight[run->first_spot + layer - run->first_layer];
    const double complex *phase = fb->phase_u + (size_t)r * (size_t)fb->nu;
    if (!any) memset(sum, 0, (size_t)fb->nu * sizeof *sum);
    any = PETSC_TRUE;
    for (PetscInt m = 0; m < fb->nu; m++) sum[m] += w * phase[m];
  }
  return any;
}

/* Spectrum of the spots of this rank's share of the layers. */
static PetscErrorCode SpotSpectra(struct Factored_s *f, PetscInt b, const double *weight)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  double complex *sum;
  PetscCall(PetscMalloc1(fb->nu, &sum));
  for (PetscInt l = f->node_rank; l < f->model->beams->beam[b].n_layer; l += f->node_size) {
    for (PetscInt m = 0; m < fb->nu; m++) memset(SpectrumRow(f, b, m, l), 0, 2 * (size_t)fb->row * sizeof(double));
    for (PetscInt k = 0; k < fb->n_line; k++) {
      if (!LineSpectrum(f, b, k, l, weight, sum)) continue;
      const double complex *phase = fb->phase_v + (size_t)k * (size_t)fb->row;
      for (PetscInt m = 0; m < fb->nu; m++) {
        double *re = SpectrumRow(f, b, m, l), *im = re + fb->row, a = creal(sum[m]), c = cimag(sum[m]);
        for (PetscInt n = 0; n < fb->n_mode[m]; n++) {
          re[n] += a * creal(phase[n]) - c * cimag(phase[n]);
          im[n] += a * cimag(phase[n]) + c * creal(phase[n]);
        }
      }
    }
  }
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(0);
}

/* Plane i at mode m along u. */
static ModeColumn ColumnOf(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, PetscInt m,
                           const PlaneFactors *factors)
{
  const FactoredBeam *fb = &f->beam[b];
  const PetscInt n_u = fb->nu / 2 + 1, mode = 2 * m < fb->nu ? m : fb->nu - m;
  ModeColumn out = {.row = fb->row, .part = factors->part, .tissue = tissue, .spectrum = SpectrumRow(f, b, m, 0)};
  for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
    const size_t at = (size_t)k * (size_t)n_u + (size_t)mode;
    if (factors->through[at])
      factors->part[out.n++] = (PartColumn){.layer = 2 * (size_t)fb->part[p].layer * (size_t)fb->row,
                                            .along_v = factors->along_v + (size_t)k * (size_t)fb->row,
                                            .amplitude = AmplitudeOf(f, b, p),
                                            .along_u = factors->along_u[at],
                                            .through = factors->through[at]};
  }
  if (i >= fb->level_start[DEPTH_LEVELS - 1]) return out;
  out.coarser = PlaneRow(f, b, m, tissue, fb->coarse[i]);
  out.refine = fb->refine[i];
  return out;
}

/* Sum over the parts for four modes along v, and what is taken of coarser planes: real and imaginary. */
static inline void SumColumn(const ModeColumn *column, PetscInt n, Four re[N_CHANNELS], Four im[N_CHANNELS])
{
  const size_t row = (size_t)column->row;
  for (int c = 0; c < N_CHANNELS; c++) re[c] = im[c] = (Four){0};
  for (const PartColumn *part = column->part; part < column->part + column->n; part++) {
    if (n >= part->through) continue;
    const Four gauss = *(const Four *)(part->along_v + n) * part->along_u;
    const double *spectrum = column->spectrum + part->layer + n;
    const double *amplitude = part->amplitude + column->tissue * N_CHANNELS;
    const Four wr = *(const Four *)spectrum * gauss, wi = *(const Four *)(spectrum + row) * gauss;
    for (int c = 0; c < N_CHANNELS; c++) {
      re[c] += amplitude[c] * wr;
      im[c] += amplitude[c] * wi;
    }
  }
  const double *coarser = column->coarser + n;
  for (int k = 0; k < 4 && column->coarser; k++, coarser += 2 * N_CHANNELS * row)
    for (int c = 0; c < N_CHANNELS; c++) {
      re[c] += column->refine[k] * *(const Four *)(coarser + 2 * (size_t)c * row);
      im[c] += column->refine[k] * *(const Four *)(coarser + (2 * (size_t)c + 1) * row);
    }
}

/* One plane of a coarser level in Fourier space: stored. */
static void CoarsePlane(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue,
                        const PlaneFactors *factors)
{
  const FactoredBeam *fb = &f->beam[b];
  for (PetscInt m = 0; m < fb->nu; m++) {
    if (!fb->n_mode[m]) continue;
    const ModeColumn column = ColumnOf(f, b, i, tissue, m, factors);
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) {
      Four re[N_CHANNELS], im[N_CHANNELS];
      double *row = PlaneRow(f, b, m, tissue, i) + n;
      SumColumn(&column, n, re, im);
      for (int c = 0; c < N_CHANNELS; c++) {
        *(Four *)(row + 2 * c * fb->row) = re[c];
        *(Four *)(row + (2 * c + 1) * fb->row) = im[c];
      }
    }
  }
}

/* Rows become columns. */
static inline void Turn(Four a[FOUR])
{
  typedef long long Order __attribute__((vector_size(32)));
  const Four low = __builtin_shuffle(a[0], a[1], (Order){0, 4, 2, 6}),
             high = __builtin_shuffle(a[0], a[1], (Order){1, 5, 3, 7}),
             low2 = __builtin_shuffle(a[2], a[3], (Order){0, 4, 2, 6}),
             high2 = __builtin_shuffle(a[2], a[3], (Order){1, 5, 3, 7});
  a[0] = __builtin_shuffle(low, low2, (Order){0, 1, 4, 5});
  a[1] = __builtin_shuffle(high, high2, (Order){0, 1, 4, 5});
  a[2] = __builtin_shuffle(low, low2, (Order){2, 3, 6, 7});
  a[3] = __builtin_shuffle(high, high2, (Order){2, 3, 6, 7});
}

/* Where a mode along v and one along u, and the one that mirrors both, are in f->work. */
static inline size_t ModeAt(const FactoredBeam *fb, PetscInt n, PetscInt m)
{
  return (size_t)n * (size_t)fb->nu + (size_t)m;
}
static inline size_t MirrorAt(const FactoredBeam *fb, PetscInt n, PetscInt m)
{
  return ModeAt(fb, n ? fb->nv - n : 0, m ? fb->nu - m : 0);
}

/* Four modes along v into f->work, filtered: A + iB of two channels A and B, and conj A + i conj B at the mirrored modes. */
static inline void PutModes(struct Factored_s *f, const FactoredBeam *fb, PetscInt m, PetscInt n,
                            const Four re[N_CHANNELS], const Four im[N_CHANNELS])
{
  const Four filter = fb->filter_u[m] * *(const Four *)(fb->filter_v + n);
  Four here[FOUR], mirror[FOUR];
  for (int c = 0; c < N_CHANNELS; c += 2) {
    here[c] = filter * (re[c] - im[c + 1]);
    here[c + 1] = filter * (im[c] + re[c + 1]);
    mirror[c] = filter * (re[c] + im[c + 1]);
    mirror[c + 1] = filter * (re[c + 1] - im[c]);
  }
  Turn(here);
  Turn(mirror);
  for (PetscInt j = 0; j < PetscMin(FOUR, fb->n_mode[m] - n); j++) {
    if (n + j) f->work[MirrorAt(fb, n + j, m)] = mirror[j];
    f->work[ModeAt(fb, n + j, m)] = here[j];
  }
}

/* One plane in Fourier space, filtered: f->work. */
static void PlaneSpectrum(struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, const PlaneFactors *factors)
{
  const FactoredBeam *fb = &f->beam[b];
  memset(f->work, 0, fb->plane * sizeof *f->work);
  for (PetscInt m = 0; m < fb->nu; m++) {
    if (!fb->n_mode[m]) continue;
    const ModeColumn column = ColumnOf(f, b, i, tissue, m, factors);
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) {
      Four re[N_CHANNELS], im[N_CHANNELS];
      SumColumn(&column, n, re, im);
      PutModes(f, fb, m, n, re, im);
    }
  }
}

/* One plane that voxels look up, in space. */
static void FinePlane(struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, const PlaneFactors *factors)
{
  const FactoredBeam *fb = &f->beam[b];
  PlaneSpectrum(f, b, i, tissue, factors);
  PlaneToSpace(f, fb, &fb->box[i], f->volume + fb->at + (size_t)tissue * fb->volume + (size_t)i * fb->plane);
}

PetscErrorCode FieldForward(struct Factored_s *f, PetscInt b, const double *weight)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  PlaneFactors factors;
  if (!fb->nz) PetscFunctionReturn(0);
  PetscCall(PlaneFactorsCreate(fb, &factors));
  PetscCall(SpotSpectra(f, b, weight));
  PetscCall(FactoredMeet(f));
  for (int level = DEPTH_LEVELS - 1; level >= 0; level--) {
    for (PetscInt i = fb->level_start[level] + f->node_rank; i < fb->level_start[level + 1]; i += f->node_size) {
      if (!IsLookedUp(fb, i)) continue;
      FindFactors(fb, i, &factors);
      for (PetscInt t = 0; t < f->model->n_group; t++) {
        if (level)
          CoarsePlane(f, b, i, t, &factors);
        else
          FinePlane(f, b, i, t, &factors);
      }
    }
    PetscCall(FactoredMeet(f));
  }
  PetscCall(PlaneFactorsDestroy(&factors));
  PetscFunctionReturn(0);
}

double FieldOperations(const struct Factored_s *f, PetscInt b)
{
  enum { OF_PART = 3 + 4 * N_CHANNELS, OF_COARSER = 4 * 4 * N_CHANNELS, OF_LINE = 4, OF_SPOT = 4 };
  const FactoredBeam *fb = &f->beam[b];
  const Beam *beam = &f->model->beams->beam[b];
  double operations = 0, modes = 0;
  for (PetscInt m = 0; m < fb->nu; m++) modes += (double)fb->n_mode[m];
  for (PetscInt i = 0; i < PlaneCount(fb); i++) {
    if (!IsLookedUp(fb, i)) continue;
    if (i < fb->level_start[DEPTH_LEVELS - 1]) operations += OF_COARSER * modes;
    for (PetscInt p = fb->part_start[i]; p < fb->part_start[i + 1]; p++)
      for (PetscInt m = 0; m < fb->nu; m++)
        operations +=
            OF_PART * (double)PetscMin(fb->n_mode[m], ModesThrough(fb, &fb->part[p], PetscMin(m, fb->nu - m)));
  }
  return operations * (double)f->model->n_group + (double)beam->n_spot * OF_SPOT * (double)fb->nu +
         (double)fb->n_line * (double)beam->n_layer * OF_LINE * 2 * modes;
}

/* --- the transpose --- */

typedef unsigned long long FourBits __attribute__((vector_size(32), aligned(8)));

/*
 * Integers as numbers, rounded once: the low half behind 2^52, and the high half, which is signed, behind 2^84 + 2^63, are the last bits of
 * numbers of their own.
 */
static inline Four Numbers(FourBits integer)
{
  const FourBits low = (integer & 0xffffffff) | 0x4330000000000000, high = (integer >> 32) ^ 0x4530000080000000;
  return ((Four)high - (0x1p84 + 0x1p63 + 0x1p52)) + (Four)low;
}

/* What all ranks that count have scattered into a plane that begins at `at`: where voxels look it up. */
static void SumScattered(const struct Factored_s *f, const FactoredBeam *fb, const PlaneBox *box, size_t at,
                         Four *space)
{
  const PetscMPIInt first = f->one_node ? 0 : f->node_rank, end = f->one_node ? f->node_size : f->node_rank + 1;
  const Four unit = {f->unit[0], f->unit[1], f->unit[2], f->unit[3]};
  for (PetscInt u = box->u_low; u < box->u_end; u++) {
    const size_t line = (size_t)u * (size_t)fb->nv;
    memset(space + line, 0, (size_t)fb->nv * sizeof *space);
    for (size_t k = line + (size_t)box->v_low; k < line + (size_t)box->v_end; k++) {
      FourBits sum = {0};
      for (PetscMPIInt r = first; r < end; r++)
        sum += *(const FourBits *)(const void *)(f->scattered[r] + (at + k) * N_CHANNELS);
      space[k] = Numbers(sum) * unit;
    }
  }
}

/* Four modes along v of f->work, filtered, by channels. Modes along v other than 0 stand for their mirror images too. */
static inline void TakeModes(const struct Factored_s *f, const FactoredBeam *fb, PetscInt m, PetscInt n, double *row)
{
  Four sum[FOUR] = {{0}}, difference[FOUR] = {{0}}, filter = 0.5 * fb->filter_u[m] * *(const Four *)(fb->filter_v + n);
  for (PetscInt j = 0; j < PetscMin(FOUR, fb->n_mode[m] - n); j++) {
    const Four here = f->work[ModeAt(fb, n + j, m)], mirror = f->work[MirrorAt(fb, n + j, m)];
    sum[j] = here + mirror;
    difference[j] = here - mirror;
    if (n + j) filter[j] *= 2;
  }
  Turn(sum);
  Turn(difference);
  for (int c = 0; c < N_CHANNELS; c += 2) {
    double *re = row + 2 * c * fb->row + n;
    *(Four *)re = filter * sum[c];
    *(Four *)(re + fb->row) = filter * difference[c + 1];
    *(Four *)(re + 2 * fb->row) = filter * sum[c + 1];
    *(Four *)(re + 3 * fb->row) = -filter * difference[c];
  }
}

/* One plane of what voxels scattered: to Fourier space, filtered, stored by modes along u. */
static void PlaneAdjoint(struct Factored_s *f, const Slab *slab, PetscInt i, PetscInt tissue, Four *space)
{
  const PetscInt b = slab->beam;
  const FactoredBeam *fb = &f->beam[b];
  SumScattered(f, fb, &fb->box[i], SlabPlane(f, slab, tissue, i), space);
  PlaneToModes(f, fb, &fb->box[i], space);
  for (PetscInt m = 0; m < fb->nu; m++) {
    if (!fb->n_mode[m]) continue;
    double *row = PlaneRow(f, b, m, tissue, i);
    memset(row, 0, 2 * N_CHANNELS * (size_t)fb->row * sizeof *row);
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) TakeModes(f, fb, m, n, row);
  }
}

/* Add a part of a plane, its rows at a mode along u, to its layer's spectrum there. */
static inline void GatherPart(const double *plane, size_t row, PetscInt tissue, const PartColumn *part,
                              double *spectrum)
{
  const double *amplitude = part->amplitude + tissue * N_CHANNELS;
  double *re = spectrum + part->layer, *im = re + row;
  for (PetscInt n = 0; n < part->through; n += FOUR) {
    const Four gauss = *(const Four *)(part->along_v + n) * part->along_u;
    Four sum_re = {0}, sum_im = {0};
    for (size_t c = 0; c < N_CHANNELS; c++) {
      sum_re += amplitude[c] * *(const Four *)(plane + 2 * c * row + n);
      sum_im += amplitude[c] * *(const Four *)(plane + (2 * c + 1) * row + n);
    }
    *(Four *)(re + n) += gauss * sum_re;
    *(Four *)(im + n) += gauss * sum_im;
  }
}

/* Give coarser planes what finer ones take of them, at mode m along u. */
static void GatherCoarser(struct Factored_s *f, PetscInt b, PetscInt m, PetscInt tissue)
{
  const FactoredBeam *fb = &f->beam[b];
  const PetscInt size = 2 * N_CHANNELS * fb->row, n_plane = PlaneCount(fb),
                 n_taking = fb->level_start[DEPTH_LEVELS - 1];
  memset(PlaneRow(f, b, m, tissue, fb->nz), 0, (size_t)(n_plane - fb->nz) * (size_t)size * sizeof(double));
  for (PetscInt i = 0; i < n_taking; i++) {
    if (!IsLookedUp(fb, i)) continue;
    const double *from = PlaneRow(f, b, m, tissue, i);
    for (int k = 0; k < 4; k++) {
      double *to = PlaneRow(f, b, m, tissue, fb->coarse[i] + k);
      for (PetscInt j = 0; j < size; j++) to[j] += fb->refine[i][k] * from[j];
    }
  }
}

/* The spectra of all layers at a mode along u, none yet, and what coarser planes get there. */
static void BeginSpectra(struct Factored_s *f, PetscInt b, PetscInt m)
{
  const size_t size = 2 * (size_t)f->beam[b].row * (size_t)f->model->beams->beam[b].n_layer;
  memset(SpectrumRow(f, b, m, 0), 0, size * sizeof(double));
  for (PetscInt t = 0; t < f->model->n_group; t++) GatherCoarser(f, b, m, t);
}

/* Parts of plane i at a mode along u; along_v: of the first of them. Returns how many count. */
static PetscInt FindColumn(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt mode, const double *along_v,
                           PartColumn *column)
{
  const FactoredBeam *fb = &f->beam[b];
  const PetscInt n_mode = (fb->n_mode[mode] + FOUR - 1) / FOUR * FOUR;
  const double q = fb->dq_u * (double)mode;
  PetscInt n = 0;
  for (PetscInt p = fb->part_start[i]; p < fb->part_start[i + 1]; p++, along_v += fb->row) {
    const PetscInt through = PetscMin(ModesThrough(fb, &fb->part[p], mode), n_mode);
    if (through)
      column[n++] = (PartColumn){.layer = 2 * (size_t)fb->part[p].layer * (size_t)fb->row,
                                 .along_v = along_v,
                                 .amplitude = AmplitudeOf(f, b, p),
                                 .along_u = exp(-0.5 * fb->part[p].sigma2_mm2 * q * q),
                                 .through = through};
  }
  return n;
}

/* Add plane i to the spectra of all layers, at a mode along u and the one that mirrors it. */
static void GatherPlane(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt mode, PetscInt n,
                        const PartColumn *column)
{
  const FactoredBeam *fb = &f->beam[b];
  for (PetscInt t = 0; t < f->model->n_group; t++)
    for (int side = 0; side < (mode ? 2 : 1); side++) {
      const PetscInt m = side ? fb->nu - mode : mode;
      const double *plane = PlaneRow(f, b, m, t, i);
      double *spectrum = SpectrumRow(f, b, m, 0);
      for (PetscInt k = 0; k < n; k++) GatherPart(plane, (size_t)fb->row, t, &column[k], spectrum);
    }
}

/* Planes are taken together whose parts' factors along v fit into the cache: so many parts, or one plane. */
enum { PARTS_TOGETHER = 256 };

static PetscInt PlanesTogether(const FactoredBeam *fb, PetscInt first)
{
  PetscInt end = first + 1;
  while (end < PlaneCount(fb) && fb->part_start[end + 1] - fb->part_start[first] <= PARTS_TOGETHER) end++;
  return end;
}

/* Spectra of all layers at this rank's share of the modes along u; a mode and its mirror image share their factors. */
static PetscErrorCode GatherSpectra(struct Factored_s *f, PetscInt b)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  const size_t row = (size_t)fb->row;
  double *along_v;
  PartColumn *column;
  PetscCall(PetscMalloc2((size_t)PetscMax(PARTS_TOGETHER, MostParts(fb)) * row, &along_v, MostParts(fb), &column));
  for (PetscInt mode = f->node_rank; 2 * mode < fb->nu; mode += f->node_size) {
    if (fb->n_mode[mode]) BeginSpectra(f, b, mode);
    if (fb->n_mode[mode] && mode) BeginSpectra(f, b, fb->nu - mode);
  }
  for (PetscInt first = 0, end; first < PlaneCount(fb); first = end) {
    const PetscInt base = fb->part_start[first];
    end = PlanesTogether(fb, first);
    for (PetscInt p = base; p < fb->part_start[end]; p++)
      Gaussian(fb->part[p].sigma2_mm2, fb->dq_v, fb->row, along_v + (size_t)(p - base) * row);
    for (PetscInt mode = f->node_rank; 2 * mode < fb->nu; mode += f->node_size)
      for (PetscInt i = first; i < end && fb->n_mode[mode]; i++) {
        if (!IsLookedUp(fb, i)) continue;
        const PetscInt n = FindColumn(f, b, i, mode, along_v + (size_t)(fb->part_start[i] - base) * row, column);
        GatherPlane(f, b, i, mode, n, column);
      }
  }
  PetscCall(PetscFree2(along_v, column));
  PetscFunctionReturn(0);
}

/* Gradient of the spots of a line on one layer from its spectrum: Re sum exp(i q x) W(q). */
static void LineGradient(const struct Factored_s *f, PetscInt b, PetscInt line, PetscInt layer,
                         const double complex *sum, double *gradient)
{
  const FactoredBeam *fb = &f->beam[b];
  for (PetscInt r = fb->line_start[line]; r < fb->line_start[line + 1]; r++) {
    const SpotRun *run = &f->model->beams->beam[b].run[r];
    if (layer < run->first_layer || layer >= run->first_layer + run->n) continue;
    const double complex *phase = fb->phase_u + (size_t)r * (size_t)fb->nu;
    double value = 0;
    for (PetscInt m = 0; m < fb->nu; m++) value += creal(phase[m]) * creal(sum[m]) + cimag(phase[m]) * cimag(sum[m]);
    gradient[run->first_spot + layer - run->first_layer] = value;
  }
}

static PetscErrorCode SpotGradients(struct Factored_s *f, PetscInt b, double *gradient)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  double complex *sum;
  PetscCall(PetscMalloc1(fb->nu, &sum));
  for (PetscInt l = f->node_rank; l < f->model->beams->beam[b].n_layer; l += f->node_size)
    for (PetscInt k = 0; k < fb->n_line; k++) {
      const double complex *phase = fb->phase_v + (size_t)k * (size_t)fb->row;
      for (PetscInt m = 0; m < fb->nu; m++) {
        const double *re = SpectrumRow(f, b, m, l), *im = re + fb->row;
        double a = 0, c = 0; /* of conj(phase) W */
        for (PetscInt n = 0; n < fb->n_mode[m]; n++) {
          a += re[n] * creal(phase[n]) + im[n] * cimag(phase[n]);
          c += im[n] * creal(phase[n]) - re[n] * cimag(phase[n]);
        }
        sum[m] = CMPLX(a, c);
      }
      LineGradient(f, b, k, l, sum, gradient);
    }
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(0);
}

PetscErrorCode FieldBackwardSlab(struct Factored_s *f, const Slab *slab)
{
  PetscFunctionBegin;
  const size_t plane = f->beam[slab->beam].plane;
  Four *space = fftw_malloc(plane * sizeof *space);
  PetscCheck(space, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a plane of %zu points", plane);
  for (PetscInt i = slab->first + f->node_rank; i < slab->end; i += f->node_size)
    for (PetscInt t = 0; t < f->model->n_group && IsLookedUp(&f->beam[slab->beam], i); t++)
      PlaneAdjoint(f, slab, i, t, space);
  fftw_free(space);
  PetscCall(FactoredMeet(f));
  PetscFunctionReturn(0);
}

PetscErrorCode FieldBackward(struct Factored_s *f, PetscInt b, double *gradient)
{
  PetscFunctionBegin;
  PetscCall(GatherSpectra(f, b));
  PetscCall(FactoredMeet(f));
  PetscCall(SpotGradients(f, b, gradient));
  PetscCall(FactoredMeet(f));
  PetscFunctionReturn(0);
}
