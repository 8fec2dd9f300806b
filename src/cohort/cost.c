/* What a plan will cost, from the sizes of its case and settings: good enough to start long plans first. */
#include "cohort_private.h"
#include "robion/doses.h"
#include "robion/optimize.h"
#include "robion/structure.h"
#include <math.h>
#include <string.h>

/*
 * Time and memory of the factored operator and of doses, from plans of the RTOG benchmark on one core. Only ratios matter for the
 * order of plans; what plans have taken corrects the scale (calibration.c, whose FORMULAS is to grow with any change here).
 */
static const double LOOKUP_S = 100e-9;     /* per voxel, beam and scenario row of one evaluation with its gradient */
static const double FIELD_S = 45e-9;       /* per point of the beams' dose volumes and evaluation */
static const double ROW_S = 2e-6;          /* per voxel, beam and row where rows are stored: no dose volumes then */
static const double EVALUATE_S = 250e-9;   /* per voxel, beam and row of the final doses with their metrics */
static const double SET_UP_S = 0.3;        /* per plan */
static const double SET_UP_POINT_S = 3e-7; /* and point of the dose volumes */
static const double EVALUATIONS = 1.05;    /* per iteration: some line searches and rounds take more than one */
static const double STEP_MM = 1.5;         /* between points of the dose volumes, laterally */
static const double PLANE_MM = 0.8;        /* and in depth */
/*
 * Of memory: a point in the dose volumes, and what a gradient needs besides; libraries, tables and voxels of one rank; dose spectra of
 * the base data, on one rank of a team; what each structure or map, HU and stopping power take per voxel of the CT, once per node.
 */
static const double POINT_BYTES = 32, GRADIENT_BYTES = 18, RANK_BYTES = 130e6, SPECTRA_BYTES = 110e6;
static const double LONGEST_ITERATIONS = 300; /* plans mostly level out by then */

/* Volume and bounding box of a structure. */
typedef struct Extent {
  double mm3, box_mm[3];
} Extent;

static Extent ExtentOf(const Case *patient, PetscInt structure)
{
  const Grid *ct = &patient->ct;
  PetscInt low[3] = {ct->n[0], ct->n[1], ct->n[2]}, high[3] = {-1, -1, -1};
  size_t at = 0, n = 0;
  Extent extent = {0};
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[1]; j++)
      for (PetscInt i = 0; i < ct->n[0]; i++, at++) {
        if (structure >= 0 && !patient->structures[structure].mask[at]) continue;
        const PetscInt index[3] = {i, j, k};
        n++;
        for (int a = 0; a < 3; a++) {
          low[a] = PetscMin(low[a], index[a]);
          high[a] = PetscMax(high[a], index[a]);
        }
      }
  extent.mm3 = (double)n * 1e3 * GridVoxelVolume_cm3(ct);
  for (int a = 0; a < 3 && n; a++) extent.box_mm[a] = (double)(high[a] - low[a] + 1) * ct->spacing_mm[a];
  return extent;
}

/* Of all structures, and of the body: the external structure, or else the whole CT. */
typedef struct Extents {
  Extent *structure, body;
} Extents;

static PetscErrorCode ExtentsCreate(const Case *patient, Extents *extents)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(patient->n_structures, &extents->structure));
  for (PetscInt i = 0; i < patient->n_structures; i++) extents->structure[i] = ExtentOf(patient, i);
  const PetscInt external = CaseFindExternal(patient);
  extents->body = external >= 0 ? extents->structure[external] : ExtentOf(patient, -1);
  PetscFunctionReturn(0);
}

static PetscErrorCode CountSet(const ScenarioSpec *spec, PetscInt *n)
{
  PetscFunctionBegin;
  ScenarioSet *set;
  *n = 1;
  if (ScenarioCount(spec) > SCENARIOS_MOST) PetscFunctionReturn(0); /* the plan will be refused */
  PetscCall(ScenarioSetCreate(spec, &set));
  *n = set->n;
  PetscCall(ScenarioSetDestroy(&set));
  PetscFunctionReturn(0);
}

/* Rows of a set of scenarios; plans that are not robust are optimised in one. */
static PetscErrorCode CountRows(const Settings *settings, const Case *patient, PetscInt *optimize, PetscInt *evaluate)
{
  PetscFunctionBegin;
  Settings own = *settings;
  *optimize = 1;
  PetscCall(PlanSetAxes(patient, &own));
  PetscCall(CountSet(&own.evaluate, evaluate));
  if (settings->robust.mode != ROBUST_NONE) PetscCall(CountSet(&own.optimize, optimize));
  PetscCall(PlanDropAxes(&own));
  PetscFunctionReturn(0);
}

/* Volume that objectives look at, overlaps counted twice but never more than the body. */
static double ObjectiveVolume_mm3(const Settings *settings, const Case *patient, const Extents *extents)
{
  double sum = 0;
  for (PetscInt o = 0; o < settings->n_objectives; o++) {
    const char *name = settings->objectives[o].structure;
    const PetscInt index = CaseFindStructure(patient, name);
    PetscBool seen = PETSC_FALSE;
    for (PetscInt earlier = 0; earlier < o; earlier++)
      if (!strcmp(name, settings->objectives[earlier].structure)) seen = PETSC_TRUE;
    if (index >= 0 && !seen) sum += extents->structure[index].mm3;
  }
  return PetscMin(sum, extents->body.mm3);
}

/* Bytes of a case on its node. */
static double CaseBytes(const Case *patient)
{
  return (double)GridSize(&patient->ct) * (double)(sizeof *patient->hu + sizeof *patient->rsp +
                                                   (size_t)patient->n_structures + 4 * (size_t)patient->n_maps);
}

/* Points of the dose volumes of all stages, and of those that are optimised at a time, from those of the study's beams. */
static void StagePoints(const Settings *settings, double beams, double points, double *all, double *at_once)
{
  const CourseSpec *course = &settings->course;
  *all = *at_once = course->n_stages ? 0 : points;
  for (PetscInt k = 0; k < course->n_stages; k++) {
    const double own = course->stages[k].n_beams ? points * (double)course->stages[k].n_beams / beams : points;
    *all += own;
    *at_once = course->together ? *all : PetscMax(*at_once, own);
  }
}

/* `optimised`: else the plan takes its weights from another. */
static PetscErrorCode Estimate(const Settings *settings, const Case *patient, const Extents *extents,
                               PetscBool optimised, QueuePlan *plan)
{
  PetscFunctionBegin;
  PetscInt optimize, evaluate;
  PetscCall(CountRows(settings, patient, &optimize, &evaluate));
  const double voxel_mm3 = pow(settings->dose_grid_mm, 3), *box = extents->body.box_mm;
  const double beams = settings->beams.from_case ? PetscMax(1, patient->n_beam_angles) : settings->beams.n;
  const double voxels = ObjectiveVolume_mm3(settings, patient, extents) / voxel_mm3,
               dose_voxels = extents->body.mm3 / voxel_mm3;
  const double points =
      beams * PetscMax(1, settings->n_tissues + 1) * (box[0] / STEP_MM) * (box[1] / STEP_MM) * (box[2] / PLANE_MM);
  const double steps = PetscMin((double)settings->optimizer.max_iterations, LONGEST_ITERATIONS) * EVALUATIONS +
                       (double)settings->optimizer.certificate_iterations;
  plan->units = (PetscInt)ceil(voxels / BLOCK_VOXELS);
  plan->cost_s[COST_SET_UP] = SET_UP_S + points * SET_UP_POINT_S;
  const double rows = voxels * beams * optimize;
  const double step_s =
      settings->dose_operator == OPERATOR_ASSEMBLED ? rows * ROW_S : rows * LOOKUP_S + points * FIELD_S;
  plan->cost_s[COST_OPTIMIZE] = optimised ? steps * step_s : 0;
  plan->cost_s[COST_EVALUATE] = dose_voxels * beams * evaluate * EVALUATE_S;
  double all, at_once;
  StagePoints(settings, beams, points, &all, &at_once);
  const double doses = dose_voxels * (double)DoseSetRows(evaluate, 1) * 12; /* of scenarios at a time */
  plan->own_bytes = RANK_BYTES + (double)FACTORED_SLAB_BYTES + doses;
  plan->bytes = plan->own_bytes + SPECTRA_BYTES + CaseBytes(patient) +
                PetscMax(at_once * (POINT_BYTES + GRADIENT_BYTES), all * POINT_BYTES) +
                voxels * optimize * (double)PetscMax(1, settings->course.n_stages) * 32;
  PetscFunctionReturn(0);
}

/* All plans of the case of plan `first`; a case that cannot be read costs nothing, as its plans fail at once. */
static PetscErrorCode EstimateCase(const Study *study, PetscInt first, QueuePlan *plan)
{
  PetscFunctionBegin;
  Mistakes unread = {0};
  Case *patient = NULL;
  Extents extents;
  PetscCall(PlanReadCase(&study->plans[first].settings, &unread, &patient));
  PetscCall(MistakesClear(&unread));
  if (!patient) PetscFunctionReturn(0);
  PetscCall(ExtentsCreate(patient, &extents));
  for (PetscInt p = first; p < study->n_plans && study->plans[p].case_index == study->plans[first].case_index; p++)
    PetscCall(Estimate(&study->plans[p].settings, patient, &extents,
                       study->plans[p].optimized_by == p ? PETSC_TRUE : PETSC_FALSE, &plan[p]));
  PetscCall(PetscFree(extents.structure));
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

/* Estimates that are known on all ranks, corrected. */
static void Correct(const Study *study, const Calibration *calibration, QueuePlan *plan)
{
  for (PetscInt p = 0; p < study->n_plans; p++) {
    plan[p].assembled = study->plans[p].settings.dose_operator;
    plan[p].estimate_s = 0;
    for (int k = 0; k < N_COSTS; k++)
      plan[p].estimate_s += calibration->factor[plan[p].assembled][k] * plan[p].cost_s[k];
  }
}

PetscErrorCode CostsEstimate(MPI_Comm comm, const Study *study, QueuePlan *plan, Calibration *calibration)
{
  PetscFunctionBegin;
  enum { N = 3 + N_COSTS };
  PetscMPIInt rank, size, next = 0;
  double *found;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    if (p && study->plans[p].case_index == study->plans[p - 1].case_index) continue;
    if (next++ % size == rank) PetscCall(EstimateCase(study, p, plan));
  }
  PetscCall(PetscMalloc1(N * study->n_plans, &found));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const double mine[3] = {plan[p].bytes, plan[p].own_bytes, (double)plan[p].units};
    PetscCall(PetscArraycpy(&found[N * p], mine, 3));
    PetscCall(PetscArraycpy(&found[N * p + 3], plan[p].cost_s, N_COSTS));
  }
  /* each plan has one rank that knows, and zeros elsewhere */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, found, (PetscMPIInt)(N * study->n_plans), MPI_DOUBLE, MPI_SUM, comm));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    plan[p].bytes = found[N * p];
    plan[p].own_bytes = found[N * p + 1];
    plan[p].units = (PetscInt)found[N * p + 2];
    PetscCall(PetscArraycpy(plan[p].cost_s, &found[N * p + 3], N_COSTS));
  }
  PetscCall(CalibrationRead(comm, calibration));
  Correct(study, calibration, plan);
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}
