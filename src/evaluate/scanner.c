/*
 * What a scanner sees of decays. A positron ends some way from where it starts, in proportion to 1 / density, and the scanner spreads
 * that: both as one Gaussian per voxel, of the sum of their variances. Voxels of all variances are spread on a ladder of few of
 * them, each shared between the two next to its own so that counts and mean square distance are kept.
 */
#include "robion/activity.h"
#include <math.h>

#define LADDER_RATIO 1.3
#define REACH_SIGMAS 4.0

/* Mean range in water: 11C, 13N, 15O as PET physics quotes them; 10C from 15O by the end point energy, 1.91 against 1.73 MeV. */
static const struct {
  Species emitter;
  double mm;
} positron_range[] = {{{6, 11}, 1.2}, {{7, 13}, 1.8}, {{8, 15}, 3.0}, {{6, 10}, 3.4}};

double PositronRange_mm(Species emitter)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(positron_range); i++)
    if (positron_range[i].emitter.Z == emitter.Z && positron_range[i].emitter.A == emitter.A)
      return positron_range[i].mm;
  return 0;
}

/* Shares of a Gaussian in the voxels around its own: weight[0 ... reach], and the mirror image. */
typedef struct Kernel {
  PetscInt reach;
  double *weight;
} Kernel;

/* The variance in units of a voxel's side squared; counts are those of a Gaussian centred in its voxel. */
static PetscErrorCode KernelCreate(double variance, Kernel *kernel)
{
  PetscFunctionBegin;
  const double sigma = sqrt(variance);
  double sum = 0;
  kernel->reach = (PetscInt)ceil(REACH_SIGMAS * sigma);
  PetscCall(PetscMalloc1(kernel->reach + 1, &kernel->weight));
  for (PetscInt i = 0; i <= kernel->reach; i++) {
    kernel->weight[i] = 0.5 * (erf(((double)i + 0.5) / (M_SQRT2 * sigma)) - erf(((double)i - 0.5) / (M_SQRT2 * sigma)));
    sum += (i ? 2 : 1) * kernel->weight[i];
  }
  for (PetscInt i = 0; i <= kernel->reach; i++) kernel->weight[i] /= sum;
  PetscFunctionReturn(0);
}

/* Spread along one axis, lines of n values `stride` apart. line: room for n. */
static void SpreadAxis(const Grid *grid, int axis, const Kernel *kernel, double *value, double *line)
{
  const PetscInt n = grid->n[axis];
  size_t stride = 1;
  for (int k = 0; k < axis; k++) stride *= (size_t)grid->n[k];
  for (size_t at = 0; at < GridSize(grid); at++) {
    if (at / stride % (size_t)n) continue;
    double *first = value + at;
    PetscBool any = PETSC_FALSE;
    for (PetscInt i = 0; i < n; i++) {
      line[i] = first[(size_t)i * stride];
      if (line[i] != 0) any = PETSC_TRUE;
      first[(size_t)i * stride] = 0;
    }
    for (PetscInt i = 0; any && i < n; i++) {
      if (line[i] == 0) continue;
      for (PetscInt j = PetscMax(0, i - kernel->reach); j <= PetscMin(n - 1, i + kernel->reach); j++)
        first[(size_t)j * stride] += line[i] * kernel->weight[PetscAbsInt(j - i)];
    }
  }
}

/* Add to the image the share of the decays that belongs to one variance, spread by it. */
static PetscErrorCode AddRung(const Grid *grid, const float *decays, const float *variance_mm2, double below,
                              double rung, double above, double *part, double *image)
{
  PetscFunctionBegin;
  const size_t size = GridSize(grid);
  PetscBool any = PETSC_FALSE;
  double *line;
  for (size_t v = 0; v < size; v++) {
    const double x = (double)variance_mm2[v];
    double share = x == rung ? 1 : 0;
    if (x > below && x < rung) share = (x - below) / (rung - below);
    if (x > rung && x < above) share = (above - x) / (above - rung);
    part[v] = share * (double)decays[v];
    if (part[v] != 0) any = PETSC_TRUE;
  }
  if (!any) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(PetscMax(PetscMax(grid->n[0], grid->n[1]), grid->n[2]), &line));
  for (int axis = 0; axis < 3; axis++) {
    Kernel kernel;
    PetscCall(KernelCreate(rung / (grid->spacing_mm[axis] * grid->spacing_mm[axis]), &kernel));
    SpreadAxis(grid, axis, &kernel, part, line);
    PetscCall(PetscFree(kernel.weight));
  }
  PetscCall(PetscFree(line));
  for (size_t v = 0; v < size; v++) image[v] += part[v];
  PetscFunctionReturn(0);
}

PetscErrorCode ActivityBlur(const Grid *grid, const float *decays, const float *variance_mm2, double *image)
{
  PetscFunctionBegin;
  const size_t size = GridSize(grid);
  double low = INFINITY, high = 0, *part;
  for (size_t v = 0; v < size; v++) {
    if (decays[v] == 0) continue;
    low = PetscMin(low, (double)variance_mm2[v]);
    high = PetscMax(high, (double)variance_mm2[v]);
  }
  PetscCall(PetscMalloc1(size, &part));
  for (double rung = low, below = 0; rung / LADDER_RATIO < high; below = rung, rung *= LADDER_RATIO)
    PetscCall(AddRung(grid, decays, variance_mm2, below, rung, LADDER_RATIO * rung, part, image));
  PetscCall(PetscFree(part));
  PetscFunctionReturn(0);
}
