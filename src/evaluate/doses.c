/* Doses of all evaluation scenarios, reduced to what is kept of them. */
#include "doses_private.h"
#include <math.h>

void DosesDerive(const Tissues *tissues, size_t n, float *const dose[N_DOSE_KINDS])
{
  for (size_t v = 0; v < n; v++) {
    const BiologySpec *biology = &tissues->biology[TissueOf(tissues, (PetscInt)v)]->spec;
    double physical = (double)dose[DOSE_PHYSICAL][v], weighted = (double)dose[DOSE_RBE_WEIGHTED][v];
    dose[DOSE_RBE][v] = physical > 0 ? (float)(weighted / physical) : 0;
    dose[DOSE_SURVIVAL][v] = weighted > 0 ? (float)SurvivalFraction(PhotonEffect(biology, weighted)) : 1;
  }
}

DoseKind CourseDoseKind(const Course *course)
{
  return course->accumulation == ACCUMULATE_EQD2 ? DOSE_COURSE_EQD2 : DOSE_COURSE;
}

static PetscBool HasKind(const Course *course, int kind)
{
  return kind < DOSE_COURSE || (course && kind == (int)CourseDoseKind(course)) ? PETSC_TRUE : PETSC_FALSE;
}

/* Everything that follows from the computed kinds. */
static void Derive(const Tissues *tissues, const Course *course, size_t n, float *const dose[N_DOSE_KINDS])
{
  DosesDerive(tissues, n, dose);
  for (size_t v = 0; v < n && course; v++)
    dose[CourseDoseKind(course)][v] = (float)CourseTotal(course, (double)dose[DOSE_RBE_WEIGHTED][v]);
}

static PetscErrorCode CheckFinite(const Scenario *scenario, size_t n, const float *dose)
{
  PetscFunctionBegin;
  for (size_t i = 0; i < n && dose; i++)
    PetscCheck(isfinite(dose[i]), PETSC_COMM_SELF, PETSC_ERR_FP,
               "scenario %s: dose value %zu is %g, expected a finite number", scenario->id, i, (double)dose[i]);
  PetscFunctionReturn(0);
}

/* Lowest and highest RBE-weighted dose of this rank's voxels over the rows of the set that have been computed. */
typedef struct Extremes {
  float *lowest, *highest;
} Extremes;

static PetscErrorCode ExtremesCreate(const LocalDoses *local, Extremes *extremes)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc2(local->n, &extremes->lowest, local->n, &extremes->highest));
  for (PetscInt v = 0; v < local->n; v++) {
    extremes->lowest[v] = INFINITY;
    extremes->highest[v] = 0;
  }
  PetscFunctionReturn(0);
}

static void ExtremesAdd(const LocalDoses *local, const ScenarioSet *set, Extremes *extremes)
{
  for (PetscInt s = local->first; s < local->first + local->n_scenario; s++) {
    const float *rbe_weighted = LocalDosesOf(local, s, DOSE_RBE_WEIGHTED);
    for (PetscInt v = 0; set->scenario[s].in_set && v < local->n; v++) {
      extremes->lowest[v] = PetscMin(extremes->lowest[v], rbe_weighted[v]);
      extremes->highest[v] = PetscMax(extremes->highest[v], rbe_weighted[v]);
    }
  }
}

static PetscErrorCode ExtremesShare(const LocalDoses *local, Extremes *extremes, DoseSet *out)
{
  PetscFunctionBegin;
  PetscCall(LocalDosesGather(local, extremes->lowest, out->size, out->rbe_min));
  PetscCall(LocalDosesGather(local, extremes->highest, out->size, out->rbe_max));
  PetscCall(PetscFree2(extremes->lowest, extremes->highest));
  PetscFunctionReturn(0);
}

/* Metrics and DVH curves of all regions in one scenario. */
static PetscErrorCode AnalyseScenario(const Scenario *scenario, PetscBool nominal, const Grid *grid,
                                      const float *const dose[N_DOSE_KINDS], PetscInt n_region, const Region *region,
                                      const Region *outside, double prescription_Gy_RBE, MetricList *metrics,
                                      DVHBand *band)
{
  PetscFunctionBegin;
  for (PetscInt r = 0; r < n_region; r++) {
    DVH dvh[2];
    PetscCall(MetricsAndDVHsOfStructure(&region[r], grid, dose, prescription_Gy_RBE, metrics, &dvh[0], &dvh[1]));
    for (PetscInt k = 0; k < 2; k++) {
      PetscCall(DVHBandAdd(&band[2 * r + k], &dvh[k], nominal, scenario->in_set));
      PetscCall(DVHDestroy(&dvh[k]));
    }
  }
  if (outside->n) PetscCall(MetricsOfHotSpot(outside, n_region, region, grid, dose, metrics));
  PetscFunctionReturn(0);
}

/* Empty bands: RBE-weighted dose up to 1.5 x prescription in steps of 1 %, LETd up to 200 keV/um in steps of 1. */
static PetscErrorCode CreateBands(PetscInt n_region, const Region *region, double prescription_Gy_RBE, DoseSet *out)
{
  PetscFunctionBegin;
  out->n_band = 2 * n_region;
  PetscCall(PetscCalloc1(out->n_band, &out->band));
  for (PetscInt r = 0; r < n_region; r++) {
    PetscCall(DVHBandCreate(region[r].name, DOSE_RBE_WEIGHTED, 151, 1.5 * prescription_Gy_RBE, &out->band[2 * r]));
    PetscCall(DVHBandCreate(region[r].name, DOSE_LETD, 201, 200, &out->band[2 * r + 1]));
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
  }
  PetscFunctionReturn(0);
}

/* What a scenario's doses are judged by. */
typedef struct Analysis {
  const Course *course;
  const Tissues *tissues;
  const ScenarioSet *set;
  const Grid *grid;
  PetscInt n_region;
  const Region *region, *outside; /* outside: of all targets */
  double prescription_Gy_RBE;
  const TumourControl *control;
  float *dose[N_DOSE_KINDS]; /* room for one scenario on the grid */
} Analysis;

/* The slice's scenarios are dealt to the ranks: in each round every rank analyses one, as long as there are any. */
static PetscErrorCode AnalyseSlice(const LocalDoses *local, const Analysis *a, DoseSet *out)
{
  PetscFunctionBegin;
  const PetscInt end = local->first + local->n_scenario;
  for (PetscInt first = local->first; first < end; first += local->size) {
    const PetscInt s = first + local->rank;
    PetscCall(LocalDosesDeliver(local, first, a->dose));
    if (s >= end) continue;
    Derive(a->tissues, a->course, out->size, a->dose);
    for (int kind = 0; kind < N_DOSE_KINDS; kind++)
      PetscCall(CheckFinite(&a->set->scenario[s], out->size, a->dose[kind]));
    PetscCall(AnalyseScenario(&a->set->scenario[s], s == 0 ? PETSC_TRUE : PETSC_FALSE, a->grid,
                              (const float *const *)a->dose, a->n_region, a->region, a->outside, a->prescription_Gy_RBE,
                              &out->metrics[s], out->band));
    if (a->control) PetscCall(MetricsOfControl(a->control, a->dose[DOSE_RBE_WEIGHTED], &out->metrics[s]));
  }
  PetscFunctionReturn(0);
}

/* The nominal scenario's doses, while the first slice is there. */
static PetscErrorCode KeepNominal(const LocalDoses *local, const Analysis *a, DoseSet *out)
{
  PetscFunctionBegin;
  for (int kind = 0; kind < N_COMPUTED_KINDS; kind++)
    PetscCall(LocalDosesGather(local, LocalDosesOf(local, 0, (DoseKind)kind), out->size, out->nominal[kind]));
  Derive(a->tissues, a->course, out->size, out->nominal);
  if (!a->control) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(out->size, &out->nominal[DOSE_TCP]));
  TumourControlMap(a->control, out->nominal[DOSE_RBE_WEIGHTED], out->nominal[DOSE_TCP]);
  PetscFunctionReturn(0);
}

/* All scenarios, slice by slice; what is kept of them ends up on every rank. */
static PetscErrorCode AnalyseAll(LocalDoses *local, Analysis *a, DoseSet *out)
{
  PetscFunctionBegin;
  Extremes extremes;
  PetscCall(ExtremesCreate(local, &extremes));
  for (int kind = 0; kind < N_DOSE_KINDS; kind++)
    if (HasKind(a->course, kind)) PetscCall(PetscCalloc1(out->size, &a->dose[kind]));
  for (PetscInt first = 0; first < a->set->n; first += local->most) {
    PetscCall(LocalDosesCompute(local, first));
    if (!first) PetscCall(KeepNominal(local, a, out));
    ExtremesAdd(local, a->set, &extremes);
    PetscCall(AnalyseSlice(local, a, out));
  }
  for (int kind = 0; kind < N_DOSE_KINDS; kind++) PetscCall(PetscFree(a->dose[kind]));
  PetscCall(ExtremesShare(local, &extremes, out));
  PetscCall(ShareMetrics(local, out));
  PetscCall(ShareBands(local->comm, out->n_band, out->band));
  PetscCall(Statistics(a->set, out));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetCreate(MPI_Comm comm, DoseModel model, const Course *course, const Tissues *tissues,
                             const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                             const double *weight, PetscInt n_region, const Region *region, const Region *outside,
                             double prescription_Gy_RBE, const TumourControl *control, DoseSet *out)
{
  PetscFunctionBegin;
  LocalDoses local;
  Analysis analysis = {course, tissues, set, grid, n_region, region, outside, prescription_Gy_RBE, control, {NULL}};
  PetscCall(PetscArrayzero(out, 1));
  out->n = set->n;
  out->size = GridSize(grid);
  PetscCheck(out->size < (size_t)PETSC_MPI_INT_MAX / (2 * N_COMPUTED_KINDS), comm, PETSC_ERR_SUP,
             "dose grid of %zu voxels, expected fewer than 2^31 / 6", out->size);
  for (int kind = 0; kind < N_DOSE_KINDS; kind++)
    if (HasKind(course, kind)) PetscCall(PetscMalloc1(out->size, &out->nominal[kind]));
  PetscCall(PetscMalloc2(out->size, &out->rbe_min, out->size, &out->rbe_max));
  PetscCall(PetscCalloc1(set->n, &out->metrics));
  PetscCall(CreateBands(n_region, region, prescription_Gy_RBE, out));
  PetscCall(LocalDosesCreate(comm, model, course, tissues, set, grid, n, voxel, weight, &local));
  PetscCall(AnalyseAll(&local, &analysis, out));
  PetscCall(LocalDosesDestroy(&local));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseSetDestroy(DoseSet *doses)
{
  PetscFunctionBegin;
  for (int kind = 0; kind < N_DOSE_KINDS; kind++) PetscCall(PetscFree(doses->nominal[kind]));
  PetscCall(PetscFree2(doses->rbe_min, doses->rbe_max));
  for (PetscInt s = 0; s < doses->n; s++) PetscCall(MetricListDestroy(&doses->metrics[s]));
  PetscCall(PetscFree(doses->metrics));
  for (int k = 0; k < 4; k++) PetscCall(MetricListDestroy(&doses->statistics[k]));
  for (PetscInt b = 0; b < doses->n_band; b++) PetscCall(DVHBandDestroy(&doses->band[b]));
  PetscCall(PetscFree(doses->band));
  PetscFunctionReturn(0);
}
