/*
 * Dose-volume histograms without bins: the values of a structure's voxels, descending, with the volume that has at least as much.
 * Voxels partly inside count with their part. Whatever is read off (volume at a dose, dose at a volume) is a search in these.
 */
#include "robion/evaluate.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct Entry {
  uint32_t key; /* ascending where the value descends */
  PetscInt at;  /* among the region's voxels */
} Entry;

/* Bits of a float order as its magnitude; the first is the sign. */
static uint32_t KeyOf(float value)
{
  uint32_t bits;
  value += 0.0f; /* -0 is 0 */
  memcpy(&bits, &value, sizeof bits);
  return bits >> 31 ? bits : ~bits & 0x7fffffffu;
}

/*
 * By descending value; equal ones keep their order, that of voxels, so that the sums below are always the same. Byte by byte from
 * the last (radix sort): many times faster than a sort that compares, and histograms of whole patients are sorted per scenario.
 */
static void SortEntries(PetscInt n, Entry *entry, Entry *spare)
{
  for (int shift = 0; shift < 32; shift += 8) {
    PetscInt start[257] = {0};
    for (PetscInt i = 0; i < n; i++) start[1 + (entry[i].key >> shift & 255)]++;
    for (int b = 0; b < 256; b++) start[b + 1] += start[b];
    for (PetscInt i = 0; i < n; i++) spare[start[entry[i].key >> shift & 255]++] = entry[i];
    Entry *sorted = spare;
    spare = entry;
    entry = sorted;
  }
}

/* Before anything is allocated: no number that is not one, no fraction that is none. */
static PetscErrorCode CheckRegion(const Region *region, const float *value)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < region->n; i++) {
    double found = (double)value[region->voxel[i]], weight = (double)region->fraction[i];
    PetscCheck(isfinite(found), PETSC_COMM_SELF, PETSC_ERR_FP,
               "value %g in voxel %" PetscInt_FMT " of %s is not finite", found, region->voxel[i], region->name);
    PetscCheck(weight > 0 && weight <= 1, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "voxel fraction %g in voxel %" PetscInt_FMT " of %s, expected (0, 1]", weight, region->voxel[i],
               region->name);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Allocate(PetscInt n, DVH *dvh)
{
  PetscFunctionBegin;
  memset(dvh, 0, sizeof *dvh);
  PetscCall(PetscMalloc3(n, &dvh->order, n, &dvh->value, n, &dvh->cumulative));
  PetscFunctionReturn(0);
}

/* Volumes, mean and maximum of what is sorted. */
static void Accumulate(const Region *region, const Grid *grid, DVH *dvh)
{
  double total = 0, sum = 0;
  for (PetscInt i = 0; i < dvh->n; i++) {
    const double weight = (double)region->fraction[dvh->order[i]];
    total += weight;
    sum += weight * dvh->value[i];
    dvh->cumulative[i] = total;
  }
  for (PetscInt i = 0; i < dvh->n; i++) dvh->cumulative[i] /= total;
  dvh->mean = sum / total;
  dvh->max = dvh->value[0];
  dvh->volume_cm3 = total * GridVoxelVolume_cm3(grid);
}

PetscErrorCode DVHCreate(const Region *region, const Grid *grid, const float *value, DVH *dvh)
{
  PetscFunctionBegin;
  Entry *entry, *spare;
  memset(dvh, 0, sizeof *dvh);
  PetscCheck(region->n > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "structure %s has no voxels on the dose grid",
             region->name);
  PetscCall(CheckRegion(region, value));
  PetscCall(Allocate(region->n, dvh));
  PetscCall(PetscMalloc2(region->n, &entry, region->n, &spare));
  for (PetscInt i = 0; i < region->n; i++) entry[i] = (Entry){KeyOf(value[region->voxel[i]]), i};
  SortEntries(region->n, entry, spare);
  dvh->n = region->n;
  for (PetscInt i = 0; i < region->n; i++) {
    dvh->order[i] = entry[i].at;
    dvh->value[i] = (double)value[region->voxel[entry[i].at]];
  }
  Accumulate(region, grid, dvh);
  PetscCall(PetscFree2(entry, spare));
  PetscFunctionReturn(0);
}

PetscErrorCode DVHCreatePart(const DVH *whole, const Region *region, const Grid *grid, const float *dose, double least,
                             DVH *dvh)
{
  PetscFunctionBegin;
  PetscCall(Allocate(whole->n, dvh));
  for (PetscInt i = 0; i < whole->n; i++) {
    if ((double)dose[region->voxel[whole->order[i]]] < least) continue;
    dvh->order[dvh->n] = whole->order[i];
    dvh->value[dvh->n++] = whole->value[i];
  }
  if (dvh->n) Accumulate(region, grid, dvh);
  PetscFunctionReturn(0);
}

PetscErrorCode DVHDestroy(DVH *dvh)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(dvh->order, dvh->value, dvh->cumulative));
  memset(dvh, 0, sizeof *dvh);
  PetscFunctionReturn(0);
}

/* First index with cumulative[i] >= share; n-1 if rounding leaves none. */
static PetscInt FirstReaching(const DVH *dvh, double share)
{
  PetscInt low = 0, high = dvh->n - 1;
  while (low < high) {
    PetscInt middle = low + (high - low) / 2;
    if (dvh->cumulative[middle] >= share)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

double DVHDoseAtVolume(const DVH *dvh, double percent)
{
  double share = percent / 100;
  PetscInt i = FirstReaching(dvh, share);
  if (i == 0 || share >= dvh->cumulative[i]) return dvh->value[i];
  double step = (share - dvh->cumulative[i - 1]) / (dvh->cumulative[i] - dvh->cumulative[i - 1]);
  return dvh->value[i - 1] + step * (dvh->value[i] - dvh->value[i - 1]);
}

double DVHDoseAtVolume_cm3(const DVH *dvh, double volume_cm3)
{
  const double rounding = 1e-6; /* a structure of just this volume is not smaller because its voxels' sum is */
  if (dvh->volume_cm3 < (1 - rounding) * volume_cm3) return dvh->max;
  return DVHDoseAtVolume(dvh, 100 * volume_cm3 / dvh->volume_cm3);
}

double DVHVolumeAtDose(const DVH *dvh, double dose)
{
  PetscInt low = 0, high = dvh->n; /* the number of values at or above dose lies in [low, high] */
  while (low < high) {
    PetscInt middle = low + (high - low) / 2;
    if (dvh->value[middle] >= dose)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? 100 * dvh->cumulative[low - 1] : 0;
}

PetscErrorCode DVHCurve(const DVH *dvh, PetscInt n, const double *axis, double *percent)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) percent[i] = DVHVolumeAtDose(dvh, axis[i]);
  PetscFunctionReturn(0);
}

PetscErrorCode DVHBandCreate(const char *structure, Quantity quantity, PetscInt n, double top, PetscInt n_scenario,
                             DVHBand *band)
{
  PetscFunctionBegin;
  PetscCheck(n >= 2 && top > 0 && isfinite(top), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "DVH axis of %" PetscInt_FMT " values up to %g, expected at least 2 and a positive end", n, top);
  memset(band, 0, sizeof *band);
  PetscCall(PetscStrncpy(band->structure, structure, sizeof band->structure));
  band->quantity = quantity;
  band->n = n;
  band->n_scenario = n_scenario;
  PetscCall(PetscCalloc4(n, &band->axis, n, &band->nominal, n, &band->min, n, &band->max));
  PetscCall(PetscCalloc1(n_scenario * n, &band->scenario));
  for (PetscInt i = 0; i < n; i++) {
    band->axis[i] = top * (double)i / (double)(n - 1);
    band->min[i] = 100;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DVHBandAdd(DVHBand *band, const DVH *dvh, PetscInt scenario, PetscBool in_set)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < band->n; i++) {
    double percent = DVHVolumeAtDose(dvh, band->axis[i]);
    if (scenario == 0) band->nominal[i] = percent;
    if (scenario < band->n_scenario) band->scenario[scenario * band->n + i] = (float)percent;
    if (!in_set) continue;
    band->min[i] = PetscMin(band->min[i], percent);
    band->max[i] = PetscMax(band->max[i], percent);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DVHBandDestroy(DVHBand *band)
{
  PetscFunctionBegin;
  PetscCall(PetscFree4(band->axis, band->nominal, band->min, band->max));
  PetscCall(PetscFree(band->scenario));
  memset(band, 0, sizeof *band);
  PetscFunctionReturn(0);
}
