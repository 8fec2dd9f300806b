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

/* Factors of the parts of plane i along u, [part][nu / 2 + 1], and along v, [part][row]; modes along v that count with them. */
static void PlaneFactors(const FactoredBeam *fb, PetscInt i, double *along_u, double *along_v, PetscInt *through)
{
  const PetscInt n_u = fb->nu / 2 + 1;
  for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
    Gaussian(fb->part[p].sigma2_mm2, fb->dq_u, n_u, along_u + (size_t)k * (size_t)n_u);
    Gaussian(fb->part[p].sigma2_mm2, fb->dq_v, fb->row, along_v + (size_t)k * (size_t)fb->row);
    for (PetscInt m = 0; m < n_u; m++) through[(size_t)k * (size_t)n_u + (size_t)m] = ModesThrough(fb, &fb->part[p], m);
  }
}

static PetscInt MostParts(const FactoredBeam *fb)
{
  PetscInt most = 0;
  for (PetscInt i = 0; i < PlaneCount(fb); i++) most = PetscMax(most, fb->part_start[i + 1] - fb->part_start[i]);
  return most;
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
  size_t at = ((size_t)m * (size_t)f->model->n_group + (size_t)tissue) * (size_t)PlaneCount(fb) + (size_t)i;
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

/* Add to four modes along v what a plane takes of coarser ones. */
static inline void AddCoarser(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, PetscInt m,
                              PetscInt n, Four re[N_CHANNELS], Four im[N_CHANNELS])
{
  const FactoredBeam *fb = &f->beam[b];
  if (i >= fb->level_start[DEPTH_LEVELS - 1]) return;
  for (int k = 0; k < 4; k++) {
    const double factor = fb->refine[i][k], *row = PlaneRow(f, b, m, tissue, fb->coarse[i] + k) + n;
    for (int c = 0; c < N_CHANNELS; c++) {
      re[c] += factor * *(const Four *)(row + 2 * c * fb->row);
      im[c] += factor * *(const Four *)(row + (2 * c + 1) * fb->row);
    }
  }
}

/* Sum over the parts of a plane for four modes along v, and what it takes of coarser ones: real and imaginary. */
static inline void SumParts(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, PetscInt m, PetscInt n,
                            const double *along_u, const double *along_v, const PetscInt *through, Four re[N_CHANNELS],
                            Four im[N_CHANNELS])
{
  const FactoredBeam *fb = &f->beam[b];
  const PetscInt n_u = fb->nu / 2 + 1, n_tissue = f->model->n_group, mode = 2 * m < fb->nu ? m : fb->nu - m;
  for (int c = 0; c < N_CHANNELS; c++) re[c] = im[c] = (Four){0};
  for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
    const size_t at = (size_t)k * (size_t)n_u + (size_t)mode;
    if (n >= through[at]) continue;
    const double factor = along_u[at];
    const double *w = SpectrumRow(f, b, m, fb->part[p].layer) + n;
    const Four gauss = *(const Four *)(along_v + (size_t)k * (size_t)fb->row + (size_t)n) * factor;
    const Four wr = *(const Four *)w * gauss, wi = *(const Four *)(w + fb->row) * gauss;
    const double *amplitude = fb->amplitude + ((size_t)p * (size_t)n_tissue + (size_t)tissue) * N_CHANNELS;
    for (int c = 0; c < N_CHANNELS; c++) {
      re[c] += amplitude[c] * wr;
      im[c] += amplitude[c] * wi;
    }
  }
  AddCoarser(f, b, i, tissue, m, n, re, im);
}

/* One plane of a coarser level in Fourier space: stored. */
static void CoarsePlane(const struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, const double *along_u,
                        const double *along_v, const PetscInt *through)
{
  const FactoredBeam *fb = &f->beam[b];
  for (PetscInt m = 0; m < fb->nu; m++)
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) {
      Four re[N_CHANNELS], im[N_CHANNELS];
      double *row = PlaneRow(f, b, m, tissue, i) + n;
      SumParts(f, b, i, tissue, m, n, along_u, along_v, through, re, im);
      for (int c = 0; c < N_CHANNELS; c++) {
        *(Four *)(row + 2 * c * fb->row) = re[c];
        *(Four *)(row + (2 * c + 1) * fb->row) = im[c];
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
static void PlaneSpectrum(struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, const double *along_u,
                          const double *along_v, const PetscInt *through)
{
  const FactoredBeam *fb = &f->beam[b];
  memset(f->work, 0, fb->plane * sizeof *f->work);
  for (PetscInt m = 0; m < fb->nu; m++)
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) {
      Four re[N_CHANNELS], im[N_CHANNELS];
      SumParts(f, b, i, tissue, m, n, along_u, along_v, through, re, im);
      PutModes(f, fb, m, n, re, im);
    }
}

/* One plane that voxels look up, in space. */
static void FinePlane(struct Factored_s *f, PetscInt b, PetscInt i, PetscInt tissue, const double *along_u,
                      const double *along_v, const PetscInt *through)
{
  const FactoredBeam *fb = &f->beam[b];
  PlaneSpectrum(f, b, i, tissue, along_u, along_v, through);
  PlaneToSpace(f, fb, f->volume + fb->at + (size_t)tissue * fb->volume + (size_t)i * fb->plane);
}

PetscErrorCode FieldForward(struct Factored_s *f, PetscInt b, const double *weight)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  double *along_u, *along_v;
  PetscInt *through;
  if (!fb->nz) PetscFunctionReturn(0);
  const size_t most = (size_t)MostParts(fb), n_u = (size_t)fb->nu / 2 + 1;
  PetscCall(PetscMalloc3(most * n_u, &along_u, most * (size_t)fb->row, &along_v, most * n_u, &through));
  PetscCall(SpotSpectra(f, b, weight));
  PetscCall(FactoredMeet(f));
  for (int level = DEPTH_LEVELS - 1; level >= 0; level--) {
    for (PetscInt i = fb->level_start[level] + f->node_rank; i < fb->level_start[level + 1]; i += f->node_size) {
      PlaneFactors(fb, i, along_u, along_v, through);
      for (PetscInt t = 0; t < f->model->n_group; t++) {
        if (level)
          CoarsePlane(f, b, i, t, along_u, along_v, through);
        else
          FinePlane(f, b, i, t, along_u, along_v, through);
      }
    }
    PetscCall(FactoredMeet(f));
  }
  PetscCall(PetscFree3(along_u, along_v, through));
  PetscFunctionReturn(0);
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

/* What all ranks that count have scattered into a plane. */
static void SumScattered(const struct Factored_s *f, size_t at, size_t n, Four *space)
{
  const PetscMPIInt first = f->one_node ? 0 : f->node_rank, end = f->one_node ? f->node_size : f->node_rank + 1;
  const Four unit = {f->unit[0], f->unit[1], f->unit[2], f->unit[3]};
  for (size_t k = at; k < at + n; k++) {
    FourBits sum = {0};
    for (PetscMPIInt r = first; r < end; r++)
      sum += *(const FourBits *)(const void *)(f->scattered[r] + k * N_CHANNELS);
    space[k - at] = Numbers(sum) * unit;
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
  SumScattered(f, SlabPlane(f, slab, tissue, i), fb->plane, space);
  PlaneToModes(f, fb, space);
  for (PetscInt m = 0; m < fb->nu; m++) {
    if (!fb->n_mode[m]) continue;
    double *row = PlaneRow(f, b, m, tissue, i);
    memset(row, 0, 2 * N_CHANNELS * (size_t)fb->row * sizeof *row);
    for (PetscInt n = 0; n < fb->n_mode[m]; n += FOUR) TakeModes(f, fb, m, n, row);
  }
}

/* Add one plane to the spectra of all layers at mode m along u. along_u, through: of every part at this mode. */
static void GatherPlane(struct Factored_s *f, PetscInt b, PetscInt m, PetscInt tissue, PetscInt i,
                        const double *along_u, const double *along_v, const PetscInt *through)
{
  const FactoredBeam *fb = &f->beam[b];
  const double *row = PlaneRow(f, b, m, tissue, i);
  for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
    const double *amplitude = fb->amplitude + ((size_t)p * (size_t)f->model->n_group + (size_t)tissue) * N_CHANNELS;
    double *re = SpectrumRow(f, b, m, fb->part[p].layer), *im = re + fb->row;
    for (PetscInt n = 0; n < PetscMin(through[k], fb->n_mode[m]); n += FOUR) {
      const Four gauss = *(const Four *)(along_v + (size_t)k * (size_t)fb->row + (size_t)n) * along_u[k];
      Four sum_re = {0}, sum_im = {0};
      for (int c = 0; c < N_CHANNELS; c++) {
        sum_re += amplitude[c] * *(const Four *)(row + 2 * c * fb->row + n);
        sum_im += amplitude[c] * *(const Four *)(row + (2 * c + 1) * fb->row + n);
      }
      *(Four *)(re + n) += gauss * sum_re;
      *(Four *)(im + n) += gauss * sum_im;
    }
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
    const double *from = PlaneRow(f, b, m, tissue, i);
    for (int k = 0; k < 4; k++) {
      double *to = PlaneRow(f, b, m, tissue, fb->coarse[i] + k);
      for (PetscInt j = 0; j < size; j++) to[j] += fb->refine[i][k] * from[j];
    }
  }
}

/* Spectra of all layers at this rank's share of the modes along u; a mode and its mirror image share their factors. */
static PetscErrorCode GatherSpectra(struct Factored_s *f, PetscInt b)
{
  PetscFunctionBegin;
  const FactoredBeam *fb = &f->beam[b];
  const PetscInt n_layer = f->model->beams->beam[b].n_layer, most = MostParts(fb);
  double *along_u, *along_v;
  PetscInt *through;
  PetscCall(PetscMalloc3(most, &along_u, (size_t)most * (size_t)fb->row, &along_v, most, &through));
  for (PetscInt mode = f->node_rank; 2 * mode < fb->nu; mode += f->node_size) {
    if (!fb->n_mode[mode]) continue;
    const PetscInt twin[2] = {mode, mode ? fb->nu - mode : mode};
    for (int side = 0; side < (mode ? 2 : 1); side++)
      memset(SpectrumRow(f, b, twin[side], 0), 0, 2 * (size_t)fb->row * (size_t)n_layer * sizeof(double));
    for (PetscInt t = 0; t < f->model->n_group; t++)
      for (int side = 0; side < (mode ? 2 : 1); side++) GatherCoarser(f, b, twin[side], t);
    for (PetscInt i = 0; i < PlaneCount(fb); i++) {
      const double q = fb->dq_u * (double)mode;
      for (PetscInt p = fb->part_start[i], k = 0; p < fb->part_start[i + 1]; p++, k++) {
        through[k] = ModesThrough(fb, &fb->part[p], mode);
        if (!through[k]) continue;
        along_u[k] = exp(-0.5 * fb->part[p].sigma2_mm2 * q * q);
        Gaussian(fb->part[p].sigma2_mm2, fb->dq_v, through[k], along_v + (size_t)k * (size_t)fb->row);
      }
      for (PetscInt t = 0; t < f->model->n_group; t++)
        for (int side = 0; side < (mode ? 2 : 1); side++)
          GatherPlane(f, b, twin[side], t, i, along_u, along_v, through);
    }
  }
  PetscCall(PetscFree3(along_u, along_v, through));
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
    for (PetscInt t = 0; t < f->model->n_group; t++) PlaneAdjoint(f, slab, i, t, space);
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
