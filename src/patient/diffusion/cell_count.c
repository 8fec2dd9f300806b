/* Diffusion images to maps of clonogens on the CT of a case. */
#include "robion/cell_count.h"
#include <math.h>

/* Mean ADC of a tissue: water at body temperature diffuses at 3 um2/ms. */
static const double LEAST_ADC_UM2_MS = 0.05, MOST_ADC_UM2_MS = 4;

/* Shares of the image's voxels that lie in the structure. */
static PetscErrorCode StructureShares(const Case *patient, PetscInt structure, const Grid *grid, double **share)
{
  PetscFunctionBegin;
  const unsigned char *mask = patient->structures[structure].mask;
  const size_t n = GridSize(&patient->ct);
  const double whole = GridVoxelVolume_cm3(grid) / GridVoxelVolume_cm3(&patient->ct);
  double *inside;
  PetscCall(PetscMalloc1(n, &inside));
  for (size_t v = 0; v < n; v++) inside[v] = mask[v];
  PetscCall(GridResampleCounts(&patient->ct, inside, grid, share));
  for (size_t v = 0; v < GridSize(grid); v++) (*share)[v] /= whole;
  PetscCall(PetscFree(inside));
  PetscFunctionReturn(0);
}

/* Numbers of the image that the structure needs must be some. */
static PetscErrorCode CheckFinite(const Image *image, const double *share, const char *structure, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const size_t size = GridSize(&image->grid);
  size_t n = 0, bad = 0;
  for (size_t v = 0; v < (size_t)image->n_volume * size; v++) {
    if (share[v % size] <= 0) continue;
    n++;
    bad += !isfinite(image->value[v]);
  }
  if (bad)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%zu of the image's %zu values in structure %s are not finite, expected numbers", bad, n,
                          structure));
  PetscFunctionReturn(0);
}

/* Mean of the logarithm's rise from one volume to the next over the voxels with both signals; its standard error; their number. */
typedef struct Rise {
  double mean, error;
  size_t n, n_rising;
} Rise;

static Rise RiseAfter(const Image *image, const double *share, PetscInt k)
{
  const size_t size = GridSize(&image->grid);
  const float *here = image->value + (size_t)k * size, *next = here + size;
  Rise rise = {0};
  double square = 0;
  for (size_t v = 0; v < size; v++) {
    if (share[v] <= 0 || !(here[v] > 0) || !(next[v] > 0)) continue;
    const double ln = log((double)next[v] / (double)here[v]);
    rise.mean += ln;
    square += ln * ln;
    rise.n_rising += ln > 0;
    rise.n++;
  }
  rise.mean /= PetscMax(1, (double)rise.n);
  rise.error =
      sqrt(PetscMax(0, square / PetscMax(1, (double)rise.n) - rise.mean * rise.mean) / PetscMax(1, (double)rise.n));
  return rise;
}

/* Signals fall as b grows, whatever diffuses: where they rise by more than noise can do, volumes stand in another order. */
static PetscErrorCode CheckOrder(const Image *image, const double *share, const DiffusionProtocol *protocol,
                                 const char *structure, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double most_errors = 3;
  for (PetscInt k = 0; k + 1 < image->n_volume; k++) {
    const Rise rise = RiseAfter(image, share, k);
    if (!(rise.mean > most_errors * rise.error)) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "from volume %d (b %g s/mm2) to volume %d (b %g s/mm2) signals in structure %s rise by "
                          "%.3g %% in the mean, in %zu of %zu voxels, expected them to fall: are the volumes in the "
                          "order of --b-s-mm2?",
                          (int)k + 1, 1e3 * protocol->b_ms_um2[k], (int)k + 2, 1e3 * protocol->b_ms_um2[k + 1],
                          structure, 100 * expm1(rise.mean), rise.n_rising, rise.n));
  }
  PetscFunctionReturn(0);
}

/* The match of a voxel; false if it has no signal. */
static PetscBool MatchVoxel(ADCLibrary library, const DiffusionProtocol *protocol, const Image *image, double scale,
                            size_t v, ADCMatch *match, double *adc)
{
  const size_t size = GridSize(&image->grid);
  double signal[ADC_MOST_B];
  if (image->n_volume == 1) {
    *adc = scale * (double)image->value[v];
    if (!(*adc > 0)) return PETSC_FALSE;
    *match = ADCMatchADC(library, *adc);
    return PETSC_TRUE;
  }
  for (PetscInt k = 0; k < protocol->n_b; k++) {
    signal[k] = (double)image->value[(size_t)k * size + v];
    if (!(signal[k] > 0)) return PETSC_FALSE;
  }
  *adc = ADCOfSignals(protocol, signal);
  if (!(*adc > 0)) return PETSC_FALSE;
  *match = ADCMatchSignals(library, signal);
  return PETSC_TRUE;
}

/* Maps on the grid of the image. */
typedef struct ImageMaps {
  double *share, *clonogens, *rmse;
  unsigned char *matched;
} ImageMaps;

static PetscErrorCode MatchImage(ADCLibrary library, const ADCLibrarySpec *spec, const DiffusionProtocol *protocol,
                                 const Image *image, double scale, ImageMaps *maps, CellCountReport *report)
{
  PetscFunctionBegin;
  const double voxel_mm3 = 1e3 * GridVoxelVolume_cm3(&image->grid);
  double mean = 0, square = 0;
  for (size_t v = 0; v < GridSize(&image->grid); v++) {
    ADCMatch match;
    double adc;
    if (maps->share[v] <= 0) continue;
    if (!MatchVoxel(library, protocol, image, scale, v, &match, &adc)) {
      report->n_left_out++;
      continue;
    }
    maps->matched[v] = 1;
    maps->clonogens[v] = spec->clonogenic_fraction * CellsOfTissue(&match.tissue, voxel_mm3);
    maps->rmse[v] = match.rmse_um2_ms;
    report->n_voxel++;
    report->clonogens += maps->share[v] * maps->clonogens[v];
    report->mean_adc_um2_ms += adc;
    mean += match.rmse_um2_ms;
    square += match.rmse_um2_ms * match.rmse_um2_ms;
  }
  const double n = PetscMax(1, (double)report->n_voxel);
  report->mean_adc_um2_ms /= n;
  report->rmse_sd_um2_ms = sqrt(PetscMax(0, square / n - mean / n * mean / n));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckReport(const CellCountReport *report, const char *structure, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double adc = report->mean_adc_um2_ms;
  if (!report->n_voxel)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "no voxel of the image with a signal lies in structure %s, expected some", structure));
  else if (!(adc >= LEAST_ADC_UM2_MS && adc <= MOST_ADC_UM2_MS))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "the mean ADC in %s is %.4g um2/ms, expected %g to %g: is it in another unit (--unit)?",
                          structure, adc, LEAST_ADC_UM2_MS, MOST_ADC_UM2_MS));
  PetscFunctionReturn(0);
}

/* Both maps on the CT, inside the structure alone: means over the matched part of a voxel, as if it were the whole. */
static PetscErrorCode AddMaps(Case *patient, PetscInt structure, const Grid *grid, const ImageMaps *maps,
                              CellCountReport *report)
{
  PetscFunctionBegin;
  const unsigned char *mask = patient->structures[structure].mask;
  const size_t n = GridSize(&patient->ct);
  const double ratio = GridVoxelVolume_cm3(&patient->ct) / GridVoxelVolume_cm3(grid);
  double *count, *misfit; /* the first of an image voxel's volume */
  float *clonogens, *rmse;
  PetscCall(GridResampleMeans(grid, maps->clonogens, maps->matched, &patient->ct, &count));
  PetscCall(GridResampleMeans(grid, maps->rmse, maps->matched, &patient->ct, &misfit));
  PetscCall(PetscCalloc1(n, &clonogens));
  PetscCall(PetscCalloc1(n, &rmse));
  for (size_t v = 0; v < n; v++) {
    if (!mask[v]) continue;
    clonogens[v] = (float)(ratio * count[v]);
    rmse[v] = (float)misfit[v];
    report->clonogens_on_ct += ratio * count[v];
  }
  PetscCall(CaseAddMap(patient, MAP_CLONOGENS, MAP_CLONOGENS_UNIT, clonogens));
  PetscCall(CaseAddMap(patient, MAP_RMSE, MAP_RMSE_UNIT, rmse));
  PetscCall(PetscFree(count));
  PetscCall(PetscFree(misfit));
  PetscFunctionReturn(0);
}

PetscErrorCode CellCountAdd(Case *patient, PetscInt structure, const Image *image, double scale,
                            const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, Mistakes *mistakes,
                            CellCountReport *report)
{
  PetscFunctionBegin;
  ADCLibrary library;
  ImageMaps maps;
  const size_t n = GridSize(&image->grid);
  const char *name = patient->structures[structure].name;
  *report = (CellCountReport){0};
  if (image->n_volume != 1 && image->n_volume != protocol->n_b) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "the image has %d volumes, expected 1 (an ADC map) or %d (one for each b-value)",
                          (int)image->n_volume, (int)protocol->n_b));
    PetscFunctionReturn(0);
  }
  PetscCall(StructureShares(patient, structure, &image->grid, &maps.share));
  PetscCall(CheckFinite(image, maps.share, name, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(CheckOrder(image, maps.share, protocol, name, mistakes));
  PetscCall(PetscCalloc3(n, &maps.clonogens, n, &maps.rmse, n, &maps.matched));
  PetscCall(ADCLibraryCreate(spec, protocol, &library));
  if (!MistakesAny(mistakes)) PetscCall(MatchImage(library, spec, protocol, image, scale, &maps, report));
  PetscCall(ADCLibraryDestroy(&library));
  if (!MistakesAny(mistakes)) PetscCall(CheckReport(report, name, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(AddMaps(patient, structure, &image->grid, &maps, report));
  PetscCall(PetscFree(maps.share));
  PetscCall(PetscFree3(maps.clonogens, maps.rmse, maps.matched));
  PetscFunctionReturn(0);
}
