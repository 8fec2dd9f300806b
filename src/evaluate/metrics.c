/*
 * Numbers that tell a plan: of every structure and quantity what the quantity's row asks for, per scenario; then lowest, highest,
 * median, index and percentiles over a set of scenarios, row by row. One list has the same rows in every scenario.
 */
#include "metrics_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const scenario_statistic_names[SCENARIO_STATISTICS] = {"min", "max", "median", "index", "p5", "p95"};

/* Where only dose worth speaking of counts: from this share of the prescription on. */
static const double DOSED_SHARE = 0.01;

PetscErrorCode MetricAppend(MetricList *list, const char *structure, Quantity quantity, const char *name,
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

/* Percent: mean over the volume, as cells are counted in a flask, and the highest. */
static void Shares(const Region *region, const float *share, double *mean, double *highest)
{
  double sum = 0, volume = 0;
  *highest = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    double fraction = (double)region->fraction[i], value = (double)share[region->voxel[i]];
    sum += fraction * value;
    volume += fraction;
    *highest = PetscMax(*highest, value);
  }
  *mean = 100 * sum / volume;
  *highest *= 100;
}

/* What metrics of a structure are made from. */
typedef struct Basis {
  const Region *region;
  const Grid *grid;
  const float *const *dose; /* [Quantity] */
  double prescription_Gy_RBE;
} Basis;

/* Of the voxels that count; their histogram is empty if there are none. */
static double MetricValue(const Basis *b, Quantity quantity, const QuantityMetric *metric, const DVH *dvh)
{
  double mean, highest;
  switch (metric->rule) {
  case METRIC_AT_VOLUME:
    return dvh->n ? DVHDoseAtVolume(dvh, metric->number) : 0;
  case METRIC_AT_SMALL_VOLUME:
    return dvh->n ? DVHDoseAtVolume_cm3(dvh, metric->number) : 0;
  case METRIC_MAX:
    return dvh->max;
  case METRIC_MEAN:
    return dvh->mean;
  case METRIC_MEAN_RBE:
    return MeanRBE(b->region, b->dose[QUANTITY_RBE_WEIGHTED], b->dose[QUANTITY_PHYSICAL]);
  case METRIC_COVERAGE:
    return DVHVolumeAtDose(dvh, metric->number * b->prescription_Gy_RBE);
  default: /* METRIC_SHARE_MEAN, METRIC_SHARE_MAX */
    Shares(b->region, b->dose[quantity], &mean, &highest);
    return metric->rule == METRIC_SHARE_MEAN ? mean : highest;
  }
}

/* Sorting voxels takes most of the time: not for shares, which need none. */
static PetscBool NeedsHistogram(const QuantityRow *row)
{
  for (PetscInt m = 0; m < row->n_metric; m++)
    if (row->metric[m].rule < METRIC_SHARE_MEAN) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The histogram of the voxels with dose worth speaking of; from that of all voxels, where there is one. */
static PetscErrorCode DosedDVH(const Basis *b, Quantity quantity, const DVH *whole, DVH *dvh)
{
  PetscFunctionBegin;
  const float *rbe_weighted = b->dose[QUANTITY_RBE_WEIGHTED];
  const double least = DOSED_SHARE * b->prescription_Gy_RBE;
  Region part = *b->region;
  if (whole->n) {
    PetscCall(DVHCreatePart(whole, b->region, b->grid, rbe_weighted, least, dvh));
    PetscFunctionReturn(0);
  }
  part.n = 0;
  PetscCall(PetscMalloc2(b->region->n, &part.voxel, b->region->n, &part.fraction));
  for (PetscInt i = 0; i < b->region->n; i++)
    if ((double)rbe_weighted[b->region->voxel[i]] >= least) {
      part.voxel[part.n] = b->region->voxel[i];
      part.fraction[part.n++] = b->region->fraction[i];
    }
  if (part.n) PetscCall(DVHCreate(&part, b->grid, b->dose[quantity], dvh));
  PetscCall(PetscFree2(part.voxel, part.fraction));
  PetscFunctionReturn(0);
}

/* `whole`: the DVH of all voxels of a quantity that has one, else left empty. */
static PetscErrorCode MetricsOfQuantity(const Basis *b, Quantity quantity, MetricList *list, DVH *whole)
{
  PetscFunctionBegin;
  const QuantityRow *row = &quantities[quantity];
  const PetscBool needs = NeedsHistogram(row);
  DVH part = {0};
  if (row->dvh.n || (needs && !row->where_dosed)) PetscCall(DVHCreate(b->region, b->grid, b->dose[quantity], whole));
  if (needs && row->where_dosed) PetscCall(DosedDVH(b, quantity, whole, &part));
  for (PetscInt m = 0; m < row->n_metric; m++) {
    const QuantityMetric *metric = &row->metric[m];
    PetscCall(MetricAppend(list, b->region->name, quantity, metric->name, QuantityMetricUnit(quantity, metric),
                           MetricValue(b, quantity, metric, row->where_dosed ? &part : whole)));
  }
  PetscCall(DVHDestroy(&part));
  if (!row->dvh.n) PetscCall(DVHDestroy(whole));
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsAndDVHsOfStructure(const Region *region, const Grid *grid,
                                         const float *const dose[QUANTITIES_MOST], double prescription_Gy_RBE,
                                         MetricList *list, DVH dvh[QUANTITIES_MOST])
{
  PetscFunctionBegin;
  const Basis basis = {region, grid, dose, prescription_Gy_RBE};
  PetscCheck(prescription_Gy_RBE > 0 && isfinite(prescription_Gy_RBE), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "prescription %g Gy(RBE), expected a positive dose", prescription_Gy_RBE);
  PetscCall(PetscArrayzero(dvh, QUANTITIES_MOST));
  for (Quantity q = 0; q < n_quantities; q++)
    if (dose[q] && quantities[q].kept != KEPT_OF_CLONOGENS) PetscCall(MetricsOfQuantity(&basis, q, list, &dvh[q]));
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsOfStructure(const Region *region, const Grid *grid, const float *const dose[QUANTITIES_MOST],
                                  double prescription_Gy_RBE, MetricList *list)
{
  PetscFunctionBegin;
  DVH dvh[QUANTITIES_MOST] = {{0}};
  const PetscErrorCode failed = MetricsAndDVHsOfStructure(region, grid, dose, prescription_Gy_RBE, list, dvh);
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(DVHDestroy(&dvh[q]));
  PetscCall(failed);
  PetscFunctionReturn(0);
}

PetscErrorCode MetricsOfOutcome(const Outcome *outcome, const float *rbe_weighted, MetricList *list)
{
  PetscFunctionBegin;
  const OutcomeKind *kind = outcome->model->kind;
  const char *behind = outcome->spec->name;
  double *value;
  PetscCall(PetscMalloc1(kind->n_value, &value));
  OutcomeEvaluate(outcome, rbe_weighted, value);
  for (PetscInt v = 0; v < kind->n_value; v++) {
    char name[sizeof((Metric *)0)->name];
    PetscCall(PetscSNPrintf(name, sizeof name, "%s%s%s", kind->value[v].name, behind ? "-" : "", behind ? behind : ""));
    PetscCall(MetricAppend(list, outcome->region.name, behind ? QUANTITY_OUTCOME : QUANTITY_TCP, name,
                           kind->value[v].unit, value[v]));
  }
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}

const Metric *MetricListFind(const MetricList *list, const char *structure, Quantity quantity, const char *name)
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

/* The value that `percent` of n ascending ones lie below, linear between neighbours: the lowest for 0, the highest for 100. */
static double Percentile(PetscInt n, const double *value, double percent)
{
  const double place = percent / 100 * (double)(n - 1);
  const PetscInt below = PetscMin((PetscInt)place, n - 1), above = PetscMin(below + 1, n - 1);
  return value[below] + (place - (double)below) * (value[above] - value[below]);
}

PetscErrorCode MetricsOverScenarios(PetscInt n, const MetricList *lists, MetricList out[SCENARIO_STATISTICS])
{
  PetscFunctionBegin;
  PetscCheck(n > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "no scenarios to take statistics over");
  PetscCall(CheckRows(n, lists));
  PetscInt rows = lists[0].n;
  double *value;
  PetscCall(PetscMalloc1(n, &value));
  for (int k = 0; k < SCENARIO_STATISTICS; k++) {
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
    out[4].item[i].value = Percentile(n, value, 5);
    out[5].item[i].value = Percentile(n, value, 95);
  }
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}
