#include "metrics_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const scenario_statistic_names[4] = {"min", "max", "median", "index"};

/* LETd and RBE count only where there is dose worth speaking of: 1 % of the prescription. */
static const double QUALITY_DOSE_SHARE = 0.01;
/* V95: volume with at least 95 % of the prescription. */
static const double COVERAGE_SHARE = 0.95;

PetscErrorCode MetricAppend(MetricList *list, const char *structure, DoseKind quantity, const char *name,
                            const char *unit, double value)
{
  PetscFunctionBegin;
  PetscCheck(isfinite(value), PETSC_COMM_SELF, PETSC_ERR_FP, "%s of %s is %g", name, structure, value);
  if (list->n == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 64;
    PetscCall(PetscRealloc((size_t)list->capacity * sizeof *list->item, &list->item));
  }
  Metric *m = &list->item[list->n++];
  memset(m, 0, sizeof *m); /* rows are sent and compared as bytes */
  PetscCall(PetscStrncpy(m->structure, structure, sizeof m->structure));
  PetscCall(PetscStrncpy(m->name, name, sizeof m->name));
  PetscCall(PetscStrncpy(m->unit, unit, sizeof m->unit));
  m->quantity = quantity;
  m->value = value;
  PetscFunctionReturn(0);
}

/* Names and volumes of points of a DVH. */
typedef struct DVHPoint {
  const char *name;
  double percent;
} DVHPoint;

static PetscErrorCode DoseMetrics(const Region *region, DoseKind kind, const DVH *dvh, double prescription_Gy_RBE,
                                  MetricList *list)
{
  PetscFunctionBegin;
  static const DVHPoint point[] = {{"D98", 98}, {"D95", 95}, {"D50", 50}, {"D2", 2}, {"D1", 1}};
  const char *unit = dose_kind_units[kind];
  for (size_t i = 0; i < sizeof point / sizeof *point; i++)
    PetscCall(MetricAppend(list, region->name, kind, point[i].name, unit, DVHDoseAtVolume(dvh, point[i].percent)));
  PetscCall(MetricAppend(list, region->name, kind, "Dmax", unit, dvh->max));
  PetscCall(MetricAppend(list, region->name, kind, "D0.03cc", unit, DVHDoseAtVolume_cm3(dvh, NEAR_MAXIMUM_cm3)));
  PetscCall(MetricAppend(list, region->name, kind, "Dmean", unit, dvh->mean));
  if (kind == DOSE_RBE_WEIGHTED)
    PetscCall(
        MetricAppend(list, region->name, kind, "V95", "%", DVHVolumeAtDose(dvh, COVERAGE_SHARE * prescription_Gy_RBE)));
  PetscFunctionReturn(0);
}

/* The same of doses that no DVH is there of. */
static PetscErrorCode DoseMetricsOfVoxels(const Region *region, const Grid *grid, DoseKind kind, const float *dose,
                                          double prescription_Gy_RBE, MetricList *list)
{
  PetscFunctionBegin;
  DVH dvh;
  PetscCall(DVHCreate(region, grid, dose, &dvh));
  PetscCall(DoseMetrics(region, kind, &dvh, prescription_Gy_RBE, list));
  PetscCall(DVHDestroy(&dvh));
  PetscFunctionReturn(0);
}

/* The part of a region with at least this dose; voxel and fraction belong to the caller (PetscFree2). */
static PetscErrorCode RegionAboveDose(const Region *region, const float *dose, double least, Region *part)
{
  PetscFunctionBegin;
  *part = *region;
  part->n = 0;
  PetscCall(PetscMalloc2(region->n, &part->voxel, region->n, &part->fraction));
  for (PetscInt i = 0; i < region->n; i++)
    if ((double)dose[region->voxel[i]] >= least) {
      part->voxel[part->n] = region->voxel[i];
      part->fraction[part->n++] = region->fraction[i];
    }
  PetscFunctionReturn(0);
}

/* Points of the volume histogram of the part of a region that counts, all 0 if it has no voxels. */
static PetscErrorCode QualityMetrics(const Region *region, DoseKind kind, const DVH *dvh, const DVHPoint point[3],
                                     MetricList *list)
{
  PetscFunctionBegin;
  for (int i = 0; i < 3; i++)
    PetscCall(MetricAppend(list, region->name, kind, point[i].name, dose_kind_units[kind],
                           dvh->n ? DVHDoseAtVolume(dvh, point[i].percent) : 0));
  PetscFunctionReturn(0);
}

/* Mean RBE, weighted by physical dose: the RBE-weighted over the physical dose of all voxels. */
static double MeanRBE(const Region *region, const float *rbe_weighted, const float *physical)
{
  double weighted = 0, dose = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    weighted += (double)region->fraction[i] * (double)rbe_weighted[region->voxel[i]];
    dose += (double)region->fraction[i] * (double)physical[region->voxel[i]];
  }
  return dose > 0 ? weighted / dose : 0;
}

static PetscErrorCode RadiationQuality(const Region *region, const Grid *grid, const float *const dose[N_DOSE_KINDS],
                                       const DVH *whole_letd, double prescription_Gy_RBE, MetricList *list)
{
  PetscFunctionBegin;
  static const DVHPoint letd[3] = {{"L98", 98}, {"L50", 50}, {"L1", 1}},
                        rbe[3] = {{"RBE98", 98}, {"RBE50", 50}, {"RBE2", 2}};
  const double least = QUALITY_DOSE_SHARE * prescription_Gy_RBE;
  Region part;
  DVH dvh;
  PetscCall(DVHCreatePart(whole_letd, region, grid, dose[DOSE_RBE_WEIGHTED], least, &dvh));
  PetscCall(QualityMetrics(region, DOSE_LETD, &dvh, letd, list));
  PetscCall(MetricAppend(list, region->name, DOSE_LETD, "Lmean", dose_kind_units[DOSE_LETD], dvh.mean));
  PetscCall(DVHDestroy(&dvh));
  PetscCall(RegionAboveDose(region, dose[DOSE_RBE_WEIGHTED], least, &part));
  if (part.n) PetscCall(DVHCreate(&part, grid, dose[DOSE_RBE], &dvh));
  PetscCall(QualityMetrics(region, DOSE_RBE, &dvh, rbe, list));
  PetscCall(DVHDestroy(&dvh));
  PetscCall(MetricAppend(list, region->name, DOSE_RBE, "RBEmean", dose_kind_units[DOSE_RBE],
                         MeanRBE(region, dose[DOSE_RBE_WEIGHTED], dose[DOSE_PHYSICAL])));
  PetscCall(PetscFree2(part.voxel, part.fraction));
  PetscFunctionReturn(0);
}

static PetscErrorCode SurvivalMetrics(const Region *region, const float *survival, MetricList *list)
{
  PetscFunctionBegin;
  double sum = 0, volume = 0, highest = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    double fraction = (double)region->fraction[i], value = (double)survival[region->voxel[i]];
    sum += fraction * value;
    volume += fraction;
    highest = PetscMax(highest, value);
  }
  PetscCall(MetricAppend(list, region->name, DOSE_SURVIVAL, "Smean", "%", 100 * sum / volume));
  PetscCall(MetricAppend(list, region->name, DOSE_SURVIVAL, "Smax", "%", 100 * highest));
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsAndDVHsOfStructure(const Region *region, const Grid *grid, const float *const dose[N_DOSE_KINDS],
                                         double prescription_Gy_RBE, MetricList *list, DVH *rbe_weighted, DVH *letd)
{
  PetscFunctionBegin;
  PetscCheck(prescription_Gy_RBE > 0 && isfinite(prescription_Gy_RBE), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "prescription %g Gy(RBE), expected a positive dose", prescription_Gy_RBE);
  PetscCall(DVHCreate(region, grid, dose[DOSE_RBE_WEIGHTED], rbe_weighted));
  PetscCall(DVHCreate(region, grid, dose[DOSE_LETD], letd));
  PetscCall(DoseMetrics(region, DOSE_RBE_WEIGHTED, rbe_weighted, prescription_Gy_RBE, list));
  PetscCall(DoseMetricsOfVoxels(region, grid, DOSE_PHYSICAL, dose[DOSE_PHYSICAL], prescription_Gy_RBE, list));
  PetscCall(RadiationQuality(region, grid, dose, letd, prescription_Gy_RBE, list));
  PetscCall(SurvivalMetrics(region, dose[DOSE_SURVIVAL], list));
  for (int kind = DOSE_COURSE; kind <= DOSE_COURSE_EQD2; kind++)
    if (dose[kind]) PetscCall(DoseMetricsOfVoxels(region, grid, (DoseKind)kind, dose[kind], prescription_Gy_RBE, list));
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsOfStructure(const Region *region, const Grid *grid, const float *const dose[N_DOSE_KINDS],
                                  double prescription_Gy_RBE, MetricList *list)
{
  PetscFunctionBegin;
  DVH rbe_weighted = {0}, letd = {0};
  const PetscErrorCode failed =
      MetricsAndDVHsOfStructure(region, grid, dose, prescription_Gy_RBE, list, &rbe_weighted, &letd);
  PetscCall(DVHDestroy(&rbe_weighted));
  PetscCall(DVHDestroy(&letd));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsOfControl(const TumourControl *control, const float *rbe_weighted, MetricList *list)
{
  PetscFunctionBegin;
  static const char *const name[N_CELL_CASES] = {"TCP", "TCP_best", "TCP_worst"};
  const Region *region = &control->region;
  double survival[N_CELL_CASES] = {0}, volume = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    const double share = (double)region->fraction[i],
                 dose = control->spec.fractions * (double)rbe_weighted[region->voxel[i]];
    volume += share;
    for (int c = 0; c < N_CELL_CASES; c++)
      survival[c] += share * TCPSurvival(&control->spec, control->clonogens[c][i], dose, NULL);
  }
  for (int c = 0; c < N_CELL_CASES; c++)
    PetscCall(MetricAppend(list, region->name, DOSE_TCP, name[c], "%", 100 * TCPOfSurvival(survival[c] / volume)));
  PetscFunctionReturn(0);
}

void TumourControlMap(const TumourControl *control, const float *rbe_weighted, float *tcp)
{
  const Region *region = &control->region;
  for (PetscInt i = 0; i < region->n; i++) {
    const double dose = control->spec.fractions * (double)rbe_weighted[region->voxel[i]];
    tcp[region->voxel[i]] =
        (float)TCPOfSurvival(TCPSurvival(&control->spec, control->clonogens[CELLS_NOMINAL][i], dose, NULL));
  }
}

const Metric *MetricListFind(const MetricList *list, const char *structure, DoseKind quantity, const char *name)
{
  for (PetscInt i = 0; i < list->n; i++) {
    const Metric *m = &list->item[i];
    if (m->quantity == quantity && !strcmp(m->name, name) && !strcmp(m->structure, structure)) return m;
  }
  return NULL;
}

PetscErrorCode MetricListDestroy(MetricList *list)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(list->item));
  list->n = list->capacity = 0;
  PetscFunctionReturn(0);
}

static int CompareDoubles(const void *a, const void *b)
{
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

static PetscErrorCode CheckRows(PetscInt n, const MetricList *lists)
{
  PetscFunctionBegin;
  for (PetscInt s = 1; s < n; s++) {
    PetscCheck(lists[s].n == lists[0].n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ,
               "scenario %" PetscInt_FMT " has %" PetscInt_FMT " metrics, the first has %" PetscInt_FMT, s, lists[s].n,
               lists[0].n);
    for (PetscInt i = 0; i < lists[0].n; i++) {
      const Metric *a = &lists[0].item[i], *b = &lists[s].item[i];
      PetscCheck(!strcmp(a->structure, b->structure) && !strcmp(a->name, b->name) && a->quantity == b->quantity,
                 PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
                 "metric row %" PetscInt_FMT " of scenario %" PetscInt_FMT " is %s of %s, expected %s of %s", i, s,
                 b->name, b->structure, a->name, a->structure);
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsOverScenarios(PetscInt n, const MetricList *lists, MetricList out[4])
{
  PetscFunctionBegin;
  PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "no scenarios to take statistics over");
  PetscCall(CheckRows(n, lists));
  PetscInt rows = lists[0].n;
  double *value;
  PetscCall(PetscMalloc1(n, &value));
  for (int k = 0; k < 4; k++) {
    out[k].n = out[k].capacity = rows;
    PetscCall(PetscMalloc1(rows, &out[k].item));
    PetscCall(PetscArraycpy(out[k].item, lists[0].item, rows));
  }
  for (PetscInt i = 0; i < rows; i++) {
    for (PetscInt s = 0; s < n; s++) value[s] = lists[s].item[i].value;
    qsort(value, (size_t)n, sizeof *value, CompareDoubles);
    out[0].item[i].value = value[0];
    out[1].item[i].value = value[n - 1];
    out[2].item[i].value = 0.5 * (value[(n - 1) / 2] + value[n / 2]);
    out[3].item[i].value = value[n - 1] - value[0];
  }
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}
