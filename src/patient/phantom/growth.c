/*
 * Volumes that grow from a place: every place has a level, and a volume is made of as many voxels as fill it, those of the lowest
 * levels. So volumes are met to half a voxel at any CT spacing, and shapes are those of the level's surfaces. A blob's level is the
 * distance from its centre over a smooth random function of the direction.
 */
#include "phantom_private.h"
#include <math.h>
#include <stdlib.h>

static const double farthest_radii = 2.5; /* a blob's surface is nearer than that, and need not be looked for beyond */

void RandomFieldDraw(CounterRandom *random, double length, RandomField *field)
{
  for (int w = 0; w < N_WAVES; w++) {
    for (int k = 0; k < 3; k++) field->wave[w][k] = CounterRandomNormal(random) / length;
    field->phase[w] = 2 * PETSC_PI * CounterRandomUniform(random);
  }
}

double RandomFieldAt(const RandomField *field, const double x[3])
{
  double sum = 0;
  for (int w = 0; w < N_WAVES; w++) {
    const double *wave = field->wave[w];
    sum += cos(wave[0] * x[0] + wave[1] * x[1] + wave[2] * x[2] + field->phase[w]);
  }
  return sum * sqrt(2.0 / N_WAVES);
}

double RadiusOfVolume_mm(double cm3)
{
  return cbrt(cm3 * 1e3 * 3 / (4 * PETSC_PI));
}

double DrawBetween(CounterRandom *random, double least, double most)
{
  return least + (most - least) * CounterRandomUniform(random);
}

double DrawAround(CounterRandom *random, double mean, double sd, double least, double most)
{
  const double drawn = mean + sd * CounterRandomNormal(random); /* once: PetscClipInterval repeats its argument */
  return PetscClipInterval(drawn, least, most);
}

void BlobDraw(CounterRandom *random, Blob *blob)
{
  for (int k = 0; k < 3; k++) blob->axis[k] = DrawAround(random, 1, 0.1, 0.8, 1.2);
  RandomFieldDraw(random, 0.5, &blob->shape);
}

double BlobLevel_mm(const Blob *blob, const double x[3], double most_mm)
{
  const double least = 0.6, largest = 1.5;
  double d[3], length = 0;
  for (int k = 0; k < 3; k++) {
    d[k] = (x[k] - blob->centre_mm[k]) / blob->axis[k];
    length += d[k] * d[k];
  }
  length = sqrt(length);
  if (length == 0 || length > farthest_radii * blob->radius_mm || length > largest * most_mm) return length;
  for (int k = 0; k < 3; k++) d[k] /= length;
  return length / PetscClipInterval(1 + 0.17 * RandomFieldAt(&blob->shape, d), least, largest);
}

double DrawVolume_cm3(PetscInt n, const double *sample_cm3, CounterRandom *random)
{
  double mean = 0, square = 0, least = PETSC_INFINITY, most = 0;
  for (PetscInt i = 0; i < n; i++) {
    const double ln = log(sample_cm3[i]);
    mean += ln / n, square += ln * ln / n;
    least = PetscMin(least, sample_cm3[i]), most = PetscMax(most, sample_cm3[i]);
  }
  return exp(DrawAround(random, mean, sqrt(square - mean * mean), log(least), log(most)));
}

double QuantileOfTen(PetscInt seed, uint32_t stream_tenths, uint32_t stream_within)
{
  enum { TEN = 10 };
  CounterRandom shuffle = {.seed = (uint64_t)((seed - 1) / TEN), .stream = stream_tenths};
  CounterRandom within = {.seed = (uint64_t)seed, .stream = stream_within};
  PetscInt tenth[TEN];
  for (PetscInt i = 0; i < TEN; i++) tenth[i] = i;
  for (PetscInt i = TEN - 1; i > 0; i--) {
    PetscInt j = CounterRandomIndex(&shuffle, i + 1), swap = tenth[i];
    tenth[i] = tenth[j];
    tenth[j] = swap;
  }
  return ((double)tenth[(seed - 1) % TEN] + CounterRandomUniform(&within)) / TEN;
}

typedef struct Candidate {
  float level;
  size_t voxel;
} Candidate;

static int LowerFirst(const void *left, const void *right)
{
  const Candidate *a = left, *b = right;
  if (a->level != b->level) return a->level < b->level ? -1 : 1;
  return a->voxel < b->voxel ? -1 : a->voxel > b->voxel;
}

/* Places of a level up to `most`, the lowest first; every stride-th of them. */
static size_t FindCandidates(const Growth *growth, const Grid *ct, size_t stride, double most, Candidate *candidate)
{
  size_t count = 0;
  for (size_t v = 0; v < GridSize(ct); v += stride) {
    double x[3], level;
    if (growth->within && !growth->within[v]) continue;
    GridCentre(ct, v, x);
    level = growth->level(growth->of, x, most);
    if (level <= most && level < PETSC_INFINITY) candidate[count++] = (Candidate){(float)level, v};
  }
  qsort(candidate, count, sizeof *candidate, LowerFirst);
  return count;
}

PetscErrorCode GrowVolume(const Growth *growth, const Grid *ct, double cm3, unsigned char *mask, float *rim)
{
  PetscFunctionBegin;
  const size_t stride = 101, filling = (size_t)lround(cm3 / GridVoxelVolume_cm3(ct));
  size_t wanted = PetscMax(1, filling), count;
  const double expected = (double)wanted / (double)stride, spread = sqrt(expected);
  const size_t safe = (size_t)(expected + 4 * spread) + 4;
  Candidate *candidate;
  PetscCall(PetscMalloc1(GridSize(ct), &candidate));
  /* a few places tell how far it may reach; where that was not far enough, all are looked at */
  count = FindCandidates(growth, ct, stride, PETSC_INFINITY, candidate);
  const float most = safe < count ? candidate[safe].level : INFINITY;
  count = FindCandidates(growth, ct, 1, (double)most, candidate);
  if (most < INFINITY && (count < wanted || candidate[wanted - 1].level >= most))
    count = FindCandidates(growth, ct, 1, PETSC_INFINITY, candidate);
  wanted = PetscMin(wanted, count);
  for (size_t i = 0; i < wanted; i++) {
    mask[candidate[i].voxel] = 1;
    if (rim) rim[candidate[i].voxel] = candidate[i].level / candidate[wanted - 1].level;
  }
  PetscCall(PetscFree(candidate));
  PetscFunctionReturn(0);
}
