/* Doses of all evaluation scenarios, reduced to what is kept of them. */
#include "doses_private.h"
#include <math.h>

/* Whether the LET threshold of a plan has this quantity looked up. */
static PetscBool AsksFor(const ScenarioSet *set, Quantity q)
{
  return set->other_model && quantities[q].kept == KEPT_OF_HIGH_LET ? PETSC_TRUE : PETSC_FALSE;
}

PetscInt DosesComputed(const ScenarioSet *set, Quantity computed[QUANTITIES_MOST])
{
  PetscInt n = 0;
  for (Quantity q = 0; q < n_quantities; q++)
    if (QuantityIsComputed(q) || AsksFor(set, q)) computed[n++] = q;
  return n;
}

PetscBool DosesHave(const ScenarioSet *set, const Course *course, Quantity q)
{
  return quantities[q].kept == KEPT_ALWAYS || AsksFor(set, q) || (course && q == CourseDose(course)) ? PETSC_TRUE
                                                                                                     : PETSC_FALSE;
}

void DosesDerive(const Tissues *tissues, const Scenario *scenario, size_t n, float *const dose[QUANTITIES_MOST])
{
  double value[QUANTITIES_MOST] = {0};
  for (size_t v = 0; v < n; v++) {
    const BiologySpec *biology = ResponseOf(tissues, scenario, (PetscInt)v).spec;
    for (Quantity q = 0; q < n_quantities; q++) {
      if (!dose[q] || quantities[q].kept != KEPT_ALWAYS) continue;
      if (quantities[q].of_quantities) dose[q][v] = (float)quantities[q].of_quantities(biology, value);
      value[q] = (double)dose[q][v];
    }
  }
}

/* Everything that follows from what is computed. */
static void Derive(const DoseSpec *spec, PetscInt scenario, size_t n, float *const dose[QUANTITIES_MOST])
{
  const Course *course = spec->course;
  DosesDerive(spec->tissues, &spec->set->scenario[scenario], n, dose);
  for (size_t v = 0; v < n && course; v++)
    dose[CourseDose(course)][v] = (float)CourseTotal(course, (double)dose[QUANTITY_RBE_WEIGHTED][v]);
}

static PetscErrorCode CheckFinite(const Scenario *scenario, size_t n, const float *dose)
{
  PetscFunctionBegin;
  for (size_t i = 0; i < n && dose; i++)
    PetscCheck(isfinite(dose[i]), PETSC_COMM_SELF, PETSC_ERR_FP,
               "scenario %s: dose value %zu is %g, expected a finite number", scenario->id, i, (double)dose[i]);
  PetscFunctionReturn(0);
}

/*
 * RBE-weighted dose of this rank's voxels over the rows of the set that have been computed: lowest, highest, mean, and the sum of
 * squared distances from the mean (Welford, Technometrics 4:419, 1962). Rows come in their order, however many ranks there are.
 */
typedef struct Spread {
  PetscInt n;
  float *lowest, *highest, *sd;
  double *mean, *squares;
} Spread;

static PetscErrorCode SpreadCreate(const LocalDoses *local, Spread *spread)
{
  PetscFunctionBegin;
  const PetscInt n = local->n;
  spread->n = 0;
  PetscCall(PetscMalloc3(n, &spread->lowest, n, &spread->highest, n, &spread->sd));
  PetscCall(PetscCalloc2(n, &spread->mean, n, &spread->squares));
  for (PetscInt v = 0; v < n; v++) {
    spread->lowest[v] = INFINITY;
    spread->highest[v] = 0;
  }
  PetscFunctionReturn(0);
}

static void SpreadAdd(const LocalDoses *local, const ScenarioSet *set, Spread *spread)
{
  for (PetscInt s = local->first; s < local->first + local->n_scenario; s++) {
    const float *rbe_weighted = LocalDosesOf(local, s, QUANTITY_RBE_WEIGHTED);
    if (!set->scenario[s].in_set) continue;
    spread->n++;
    for (PetscInt v = 0; v < local->n; v++) {
      const double dose = (double)rbe_weighted[v], before = dose - spread->mean[v];
      spread->lowest[v] = PetscMin(spread->lowest[v], rbe_weighted[v]);
      spread->highest[v] = PetscMax(spread->highest[v], rbe_weighted[v]);
      spread->mean[v] += before / (double)spread->n;
      spread->squares[v] += before * (dose - spread->mean[v]);
    }
  }
}

static PetscErrorCode SpreadShare(const LocalDoses *local, Spread *spread, DoseSet *out)
{
  PetscFunctionBegin;
  for (PetscInt v = 0; v < local->n; v++) spread->sd[v] = (float)sqrt(spread->squares[v] / (double)spread->n);
  PetscCall(LocalDosesGather(local, spread->lowest, out->size, out->rbe_min));
  PetscCall(LocalDosesGather(local, spread->highest, out->size, out->rbe_max));
  PetscCall(LocalDosesGather(local, spread->sd, out->size, out->rbe_sd));
  PetscCall(PetscFree3(spread->lowest, spread->highest, spread->sd));
  PetscCall(PetscFree2(spread->mean, spread->squares));
  PetscFunctionReturn(0);
}

/* Metrics and DVH curves of all regions in one scenario. */
static PetscErrorCode AnalyseScenario(const DoseSpec *spec, PetscInt scenario, const float *const dose[QUANTITIES_MOST],
                                      MetricList *metrics, DVHBand *band)
{
  PetscFunctionBegin;
  for (PetscInt r = 0; r < spec->n_region; r++) {
    DVH dvh[QUANTITIES_MOST];
    PetscCall(MetricsAndDVHsOfStructure(&spec->region[r], spec->grid, dose, spec->prescription_Gy_RBE, metrics, dvh));
    PetscCall(
        MetricsByRequest(&spec->request, &spec->region[r], spec->grid, dose, dvh, spec->prescription_Gy_RBE, metrics));
    for (Quantity q = 0; q < n_quantities; q++) {
      if (dvh[q].n) PetscCall(DVHBandAdd(band++, &dvh[q], scenario, spec->set->scenario[scenario].in_set));
      PetscCall(DVHDestroy(&dvh[q]));
    }
  }
  if (spec->outside->n)
    PetscCall(MetricsOfHotSpot(spec->outside, spec->n_region, spec->region, spec->grid, dose, metrics));
  for (PetscInt i = 0; i < spec->outcomes.n; i++)
    PetscCall(MetricsOfOutcome(&spec->outcomes.item[i], dose[QUANTITY_RBE_WEIGHTED], metrics));
  PetscFunctionReturn(0);
}

/* Empty bands, of each region one per quantity that has a DVH. */
static PetscErrorCode CreateBands(const DoseSpec *spec, DoseSet *out)
{
  PetscFunctionBegin;
  PetscCall(PetscCalloc1(spec->n_region * n_quantities, &out->band));
  for (PetscInt r = 0; r < spec->n_region; r++)
    for (Quantity q = 0; q < n_quantities; q++) {
      const QuantityAxis *axis = &quantities[q].dvh;
      const double top = axis->of_prescription ? axis->top * spec->prescription_Gy_RBE : axis->top;
      if (axis->n && DosesHave(spec->set, spec->course, q))
        PetscCall(DVHBandCreate(spec->region[r].name, q, axis->n, top, PetscMin(spec->set->n, DVH_SCENARIOS_MOST),
                                &out->band[out->n_band++]));
    }
  PetscFunctionReturn(0);
}

/* Statistics over the rows of the set (a nominal row outside it does not count). */
static PetscErrorCode Statistics(const ScenarioSet *set, DoseSet *out)
{
  PetscFunctionBegin;
  MetricList *list;
  PetscInt n = 0;
  PetscCall(PetscMalloc1(set->n, &list));
  for (PetscInt s = 0; s < set->n; s++)
    if (set->scenario[s].in_set) list[n++] = out->metrics[s];
  PetscCall(MetricsOverScenarios(n, list, out->statistics));
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

/* Scenario by scenario from the rank that analysed it; all have as many rows as the first, which is that of rank 0. */
static PetscErrorCode ShareMetrics(const LocalDoses *local, DoseSet *out)
{
  PetscFunctionBegin;
  PetscInt rows = out->metrics[0].n;
  PetscCallMPI(MPI_Bcast(&rows, 1, MPIU_INT, 0, local->comm));
  for (PetscInt s = 0; s < out->n; s++) {
    MetricList *list = &out->metrics[s];
    const PetscMPIInt owner = (PetscMPIInt)(s % local->size);
    if (local->rank != owner) {
      list->n = list->capacity = rows;
      PetscCall(PetscMalloc1(rows, &list->item));
    }
    PetscCallMPI(
        MPI_Bcast(list->item, (PetscMPIInt)(rows * (PetscInt)sizeof *list->item), MPI_BYTE, owner, local->comm));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareBands(MPI_Comm comm, PetscInt n, DVHBand *band)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < n; b++) {
    const PetscMPIInt points = (PetscMPIInt)band[b].n;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, band[b].nominal, points, MPI_DOUBLE, MPI_MAX, comm));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, band[b].min, points, MPI_DOUBLE, MPI_MIN, comm));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, band[b].max, points, MPI_DOUBLE, MPI_MAX, comm));
    /* One rank has analysed a scenario, the others have zeros: exact. */
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, band[b].scenario, (PetscMPIInt)(points * band[b].n_scenario), MPI_FLOAT,
                               MPI_SUM, comm));
  }
  PetscFunctionReturn(0);
}

/* The slice's scenarios are dealt to the ranks: in each round every rank analyses one, as long as there are any. */
static PetscErrorCode AnalyseSlice(const LocalDoses *local, float *const dose[QUANTITIES_MOST], DoseSet *out)
{
  PetscFunctionBegin;
  const DoseSpec *spec = local->spec;
  const PetscInt end = local->first + local->n_scenario;
  for (PetscInt first = local->first; first < end; first += local->size) {
    const PetscInt s = first + local->rank;
    PetscCall(LocalDosesDeliver(local, first, dose));
    if (s >= end) continue;
    Derive(spec, s, out->size, dose);
    for (Quantity q = 0; q < n_quantities; q++) PetscCall(CheckFinite(&spec->set->scenario[s], out->size, dose[q]));
    PetscCall(AnalyseScenario(spec, s, (const float *const *)dose, &out->metrics[s], out->band));
    const double analysed = (double)(PetscMin(first + local->size, end) - local->first);
    PhaseTell(spec->phase, local->first + COMPUTING_SHARE * local->n_scenario + (1 - COMPUTING_SHARE) * analysed,
              spec->set->n);
  }
  PetscFunctionReturn(0);
}

/* The nominal scenario's doses, while the first slice is there. */
static PetscErrorCode KeepNominal(const LocalDoses *local, DoseSet *out)
{
  PetscFunctionBegin;
  const DoseSpec *spec = local->spec;
  for (PetscInt k = 0; k < local->n_computed; k++) {
    const Quantity q = local->computed[k];
    PetscCall(LocalDosesGather(local, LocalDosesOf(local, 0, q), out->size, out->nominal[q]));
  }
  Derive(spec, 0, out->size, out->nominal);
  for (PetscInt i = 0; i < spec->outcomes.n; i++) {
    if (spec->outcomes.item[i].spec->name) continue;
    PetscCall(PetscCalloc1(out->size, &out->nominal[QUANTITY_TCP]));
    OutcomeMap(&spec->outcomes.item[i], out->nominal[QUANTITY_RBE_WEIGHTED], out->nominal[QUANTITY_TCP]);
  }
  PetscFunctionReturn(0);
}

/* The physical doses that the spec asks for, as far as the slice has them. */
static PetscErrorCode KeepPhysical(const LocalDoses *local, DoseSet *out)
{
  PetscFunctionBegin;
  const DoseSpec *spec = local->spec;
  for (PetscInt i = 0; i < spec->n_kept; i++) {
    const PetscInt s = spec->kept[i];
    if (s >= local->first && s < local->first + local->n_scenario)
      PetscCall(LocalDosesGather(local, LocalDosesOf(local, s, QUANTITY_PHYSICAL), out->size, out->kept[i]));
  }
  PetscFunctionReturn(0);
}

/* All scenarios, slice by slice; what is kept of them ends up on every rank. */
static PetscErrorCode AnalyseAll(LocalDoses *local, DoseSet *out)
{
  PetscFunctionBegin;
  const DoseSpec *spec = local->spec;
  float *dose[QUANTITIES_MOST] = {NULL}; /* room for one scenario on the grid */
  Spread spread;
  PetscCall(SpreadCreate(local, &spread));
  for (Quantity q = 0; q < n_quantities; q++)
    if (DosesHave(spec->set, spec->course, q)) PetscCall(PetscCalloc1(out->size, &dose[q]));
  for (PetscInt first = 0; first < spec->set->n; first += local->most) {
    PetscCall(LocalDosesCompute(local, first));
    if (!first) PetscCall(KeepNominal(local, out));
    PetscCall(KeepPhysical(local, out));
    SpreadAdd(local, spec->set, &spread);
    PetscCall(AnalyseSlice(local, dose, out));
  }
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(PetscFree(dose[q]));
  PetscCall(SpreadShare(local, &spread, out));
  PetscCall(ShareMetrics(local, out));
  PetscCall(ShareBands(local->comm, out->n_band, out->band));
  PetscCall(Statistics(spec->set, out));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetCreate(MPI_Comm comm, const DoseSpec *spec, DoseSet *out)
{
  PetscFunctionBegin;
  LocalDoses local;
  Quantity computed[QUANTITIES_MOST];
  const PetscInt n_computed = DosesComputed(spec->set, computed);
  *out = (DoseSet){.n = spec->set->n, .size = GridSize(spec->grid)};
  PetscCheck(out->size < (size_t)PETSC_MPI_INT_MAX / (2 * (size_t)n_computed), comm, PETSC_ERR_SUP,
             "dose grid of %zu voxels, expected fewer than 2^31 / %d", out->size, (int)(2 * n_computed));
  for (Quantity q = 0; q < n_quantities; q++)
    if (DosesHave(spec->set, spec->course, q)) PetscCall(PetscMalloc1(out->size, &out->nominal[q]));
  PetscCall(PetscMalloc3(out->size, &out->rbe_min, out->size, &out->rbe_max, out->size, &out->rbe_sd));
  PetscCall(PetscCalloc1(out->n, &out->metrics));
  out->n_kept = spec->n_kept;
  PetscCall(PetscCalloc1(out->n_kept, &out->kept));
  for (PetscInt i = 0; i < out->n_kept; i++) PetscCall(PetscMalloc1(out->size, &out->kept[i]));
  PetscCall(CreateBands(spec, out));
  PetscCall(LocalDosesCreate(comm, spec, &local));
  PetscCall(AnalyseAll(&local, out));
  PetscCall(LocalDosesDestroy(&local));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetDestroy(DoseSet *doses)
{
  PetscFunctionBegin;
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(PetscFree(doses->nominal[q]));
  PetscCall(PetscFree3(doses->rbe_min, doses->rbe_max, doses->rbe_sd));
  for (PetscInt i = 0; i < doses->n_kept; i++) PetscCall(PetscFree(doses->kept[i]));
  PetscCall(PetscFree(doses->kept));
  for (PetscInt s = 0; s < doses->n; s++) PetscCall(MetricListDestroy(&doses->metrics[s]));
  PetscCall(PetscFree(doses->metrics));
  for (int k = 0; k < SCENARIO_STATISTICS; k++) PetscCall(MetricListDestroy(&doses->statistics[k]));
  for (PetscInt b = 0; b < doses->n_band; b++) PetscCall(DVHBandDestroy(&doses->band[b]));
  PetscCall(PetscFree(doses->band));
  PetscFunctionReturn(0);
}
