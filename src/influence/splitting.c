/* Sub-beams of a model's spots: their lattice, their depths, and what spots give to them. */
#include "splitting.h"
#include "robion/node_memory.h"
#include "robion/raytrace.h"
#include <math.h>
#include <string.h>

#define PITCH_PER_SIGMA 1.39 /* of the sum over the lattice: its error is 2 exp(-2 pi^2 / 1.39^2) = 7e-5 */
#define REACH_PER_SIGMA 4.0  /* sub-beams of a spot lie within so many sigma of their weights */
#define WIDE 2.0             /* components that reach so many times as far as the first are not split */
enum { MOST_ACROSS = 64 };

/* Places along one axis that a spot at x has sub-beams at: the first, and weights that sum to 1. */
typedef struct Window {
  PetscInt first, n;
  double weight[MOST_ACROSS];
} Window;

static void Spread(double x_mm, double x0_mm, double pitch_mm, double sigma_mm, Window *out)
{
  const double at = (x_mm - x0_mm) / pitch_mm, reach = REACH_PER_SIGMA * sigma_mm / pitch_mm;
  double sum = 0;
  out->first = (PetscInt)ceil(at - reach);
  out->n = (PetscInt)floor(at + reach) - out->first + 1;
  for (PetscInt i = 0; i < out->n; i++) {
    const double d = ((double)(out->first + i) - at) * pitch_mm / sigma_mm;
    out->weight[i] = exp(-0.5 * d * d);
    sum += out->weight[i];
  }
  for (PetscInt i = 0; i < out->n; i++) out->weight[i] /= sum;
}

/* Sigma of the places of a layer's sub-beams. */
static double PlacesSigma_mm(Splitting split, PetscInt b, PetscInt layer)
{
  return sqrt(split->moved) * split->model->beam[b].layer[layer].spot_sigma_mm;
}

/* Both axes of a spot. */
static void SpreadSpot(Splitting split, PetscInt b, const SpotRun *run, PetscInt layer, Window *x, Window *y)
{
  const Lattice *lattice = &split->lattice[b];
  const double sigma_mm = PlacesSigma_mm(split, b, layer);
  Spread(run->x_mm, lattice->x0_mm, lattice->pitch_mm, sigma_mm, x);
  Spread(run->y_mm, lattice->y0_mm, lattice->pitch_mm, sigma_mm, y);
}

/* The lattice around a beam's spots; its pitch is for the narrowest layer, its size for the widest. */
static PetscErrorCode CreateLattice(Splitting split, PetscInt b)
{
  PetscFunctionBegin;
  const Beam *beam = &split->model->beams->beam[b];
  Lattice *lattice = &split->lattice[b];
  double narrowest = INFINITY, widest = 0, x1 = -INFINITY, y1 = -INFINITY;
  lattice->x0_mm = lattice->y0_mm = INFINITY;
  for (PetscInt l = 0; l < beam->n_layer; l++) {
    narrowest = PetscMin(narrowest, PlacesSigma_mm(split, b, l));
    widest = PetscMax(widest, PlacesSigma_mm(split, b, l));
  }
  for (PetscInt r = 0; r < beam->n_run; r++) {
    lattice->x0_mm = PetscMin(lattice->x0_mm, beam->run[r].x_mm), x1 = PetscMax(x1, beam->run[r].x_mm);
    lattice->y0_mm = PetscMin(lattice->y0_mm, beam->run[r].y_mm), y1 = PetscMax(y1, beam->run[r].y_mm);
  }
  if (!beam->n_run) PetscFunctionReturn(0);
  lattice->pitch_mm = PITCH_PER_SIGMA * narrowest * sqrt(1 - split->moved);
  PetscCheck(2 * REACH_PER_SIGMA * widest / lattice->pitch_mm + 1 < MOST_ACROSS, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "spots of %g and %g mm in one beam", narrowest, widest);
  lattice->x0_mm -= REACH_PER_SIGMA * widest;
  lattice->y0_mm -= REACH_PER_SIGMA * widest;
  lattice->nx = (PetscInt)ceil((x1 - lattice->x0_mm + REACH_PER_SIGMA * widest) / lattice->pitch_mm) + 1;
  lattice->ny = (PetscInt)ceil((y1 - lattice->y0_mm + REACH_PER_SIGMA * widest) / lattice->pitch_mm) + 1;
  PetscCall(PetscMalloc1(lattice->nx * lattice->ny, &lattice->run));
  for (PetscInt i = 0; i < lattice->nx * lattice->ny; i++) lattice->run[i] = -1;
  PetscFunctionReturn(0);
}

/* Lattice points that any spot has a sub-beam at become runs of the fine beam, row by row. */
static PetscErrorCode CreateRays(Splitting split, PetscInt b)
{
  PetscFunctionBegin;
  const Beam *beam = &split->model->beams->beam[b];
  Lattice *lattice = &split->lattice[b];
  Beam *fine = &split->fine.beam[b];
  Window x, y;
  *fine = *beam;
  fine->n_run = fine->n_spot = 0;
  fine->first_spot = split->fine.n_spot;
  for (PetscInt r = 0; r < beam->n_run; r++)
    for (PetscInt l = beam->run[r].first_layer; l < beam->run[r].first_layer + beam->run[r].n; l++) {
      SpreadSpot(split, b, &beam->run[r], l, &x, &y);
      for (PetscInt j = 0; j < y.n; j++)
        for (PetscInt i = 0; i < x.n; i++) lattice->run[(y.first + j) * lattice->nx + x.first + i] = 0;
    }
  PetscCall(PetscMalloc1(lattice->nx * lattice->ny, &fine->run));
  for (PetscInt at = 0; at < lattice->nx * lattice->ny; at++) {
    if (lattice->run[at] < 0) continue;
    lattice->run[at] = fine->n_run;
    fine->run[fine->n_run++] = (SpotRun){.x_mm = lattice->x0_mm + at % lattice->nx * lattice->pitch_mm,
                                         .y_mm = lattice->y0_mm + at / lattice->nx * lattice->pitch_mm,
                                         .first_spot = split->fine.n_spot + fine->n_spot,
                                         .first_layer = 0,
                                         .n = beam->n_layer};
    fine->n_spot += beam->n_layer;
  }
  split->fine.n_spot += fine->n_spot;
  PetscFunctionReturn(0);
}

PetscErrorCode SplittingCreate(const struct DoseModel_s *model, Splitting *out)
{
  PetscFunctionBegin;
  Splitting split;
  const BeamSet *beams = model->beams;
  PetscCall(PetscNew(&split));
  split->model = model;
  split->moved = beams->splitting == SPLITTING_FINE ? 0.75 : 0.5;
  split->fine.n_beam = beams->n_beam;
  split->fine.position = beams->position;
  PetscCall(PetscCalloc2(beams->n_beam, &split->fine.beam, beams->n_beam, &split->lattice));
  for (PetscInt b = 0; b < beams->n_beam; b++) {
    PetscCall(CreateLattice(split, b));
    PetscCall(CreateRays(split, b));
  }
  PetscCall(DoseModelCreateNarrowed(model, &split->fine, sqrt(1 - split->moved), &split->fine_model));
  PetscCall(PetscMalloc1(beams->n_spot, &split->weight));
  PetscCall(PetscCalloc2(split->fine.n_spot, &split->fine_weight, split->fine.n_spot, &split->fine_gradient));
  for (PetscInt j = 0; j < beams->n_spot; j++) split->weight[j] = 0;
  *out = split;
  PetscFunctionReturn(0);
}

/* Take the trace that a link of the list points to out of it. */
static PetscErrorCode TraceDestroy(Trace **link)
{
  PetscFunctionBegin;
  Trace *trace = *link;
  *link = trace->next;
  if (trace->window != MPI_WIN_NULL)
    PetscCall(NodeMemoryDestroy(&trace->window));
  else
    PetscCall(PetscFree2(trace->wepl_mm, trace->passed_mm));
  PetscCall(PetscFree(trace));
  PetscFunctionReturn(0);
}

PetscErrorCode SplittingDestroy(Splitting *splitting)
{
  PetscFunctionBegin;
  Splitting split = *splitting;
  if (!split) PetscFunctionReturn(0);
  while (split->trace) PetscCall(TraceDestroy(&split->trace));
  PetscCall(DoseModelDestroy(&split->fine_model));
  for (PetscInt b = 0; b < split->fine.n_beam; b++) {
    PetscCall(PetscFree(split->fine.beam[b].run));
    PetscCall(PetscFree(split->lattice[b].run));
  }
  PetscCall(PetscFree2(split->fine.beam, split->lattice));
  PetscCall(PetscFree(split->weight));
  PetscCall(PetscFree2(split->fine_weight, split->fine_gradient));
  PetscCall(PetscFree(*splitting));
  PetscFunctionReturn(0);
}

PetscBool SplittingOf(Splitting split, PetscInt b, PetscInt k)
{
  const double *reach_mm = split->fine_model->beam[b].longest_reach_mm;
  return reach_mm[k] <= WIDE * reach_mm[0] ? PETSC_TRUE : PETSC_FALSE;
}

/* First and last place along a beam where a CT can be. */
static void AlongBeam(const Beam *beam, const Grid *ct, const double shift_mm[3], double *low_mm, double *high_mm)
{
  *low_mm = INFINITY;
  *high_mm = -INFINITY;
  for (int corner = 0; corner < 8; corner++) {
    double point[3], bev[3];
    for (int k = 0; k < 3; k++)
      point[k] = ct->origin_mm[k] + ((corner >> k & 1 ? (double)ct->n[k] : 0) - 0.5) * ct->spacing_mm[k];
    BeamProject(beam, point, shift_mm, bev);
    *low_mm = PetscMin(*low_mm, bev[2]);
    *high_mm = PetscMax(*high_mm, bev[2]);
  }
}

/* The point of a ray of a beam at w, in the frame of the shifted patient. */
static void PointOnRay(const Beam *beam, const SpotRun *run, double w_mm, const double shift_mm[3], double point_mm[3])
{
  const double magnification = beam->sad_mm > 0 ? (beam->sad_mm + w_mm) / beam->sad_mm : 1;
  for (int k = 0; k < 3; k++)
    point_mm[k] = beam->isocentre_mm[k] - shift_mm[k] + w_mm * beam->w[k] +
                  magnification * (run->x_mm * beam->u[k] + run->y_mm * beam->v[k]);
}

/* Depths of one ray, sample by sample. */
static void TraceRay(const Case *patient, const Beam *beam, const SpotRun *run, const Trace *trace, float *wepl_mm)
{
  double before[3], here[3], sum;
  PointOnRay(beam, run, trace->w0_mm, trace->view.shift_mm, before);
  sum = BeamWEPL(beam, patient, before, trace->view.shift_mm);
  for (PetscInt i = 0; i < trace->n; i++) {
    PointOnRay(beam, run, trace->w0_mm + i * TRACE_MM, trace->view.shift_mm, here);
    if (i) sum += RaytraceWEPL_mm(&patient->ct, patient->rsp, before, here);
    wepl_mm[i] = (float)sum;
    memcpy(before, here, sizeof before);
  }
}

/* Rays first, first + step ... of a trace whose memory is there. */
static void TraceRays(Splitting split, const Trace *trace, PetscInt first, PetscInt step)
{
  const struct DoseModel_s *model = split->model;
  Beam turned;
  const Beam *fine = BeamInView(&split->fine.beam[trace->beam], &trace->view, &turned);
  Case there;
  const Case *patient = CaseInPhase(model->patient, trace->view.phase, &there);
  for (PetscInt r = first; r < fine->n_run; r += step) {
    double point_mm[3];
    TraceRay(patient, fine, &fine->run[r], trace, trace->wepl_mm + (size_t)r * (size_t)trace->n);
    PointOnRay(fine, &fine->run[r], 0, trace->view.shift_mm, point_mm);
    trace->passed_mm[r] = BeamPassed_mm(fine, model->machine, patient, point_mm, trace->view.shift_mm);
  }
}

/* A trace without depths, in the list. */
static PetscErrorCode TraceCreate(Splitting split, PetscInt b, const View *view, Trace **out)
{
  PetscFunctionBegin;
  Beam turned;
  Trace *trace;
  double high_mm;
  PetscCall(PetscNew(&trace));
  trace->beam = b;
  trace->window = MPI_WIN_NULL;
  trace->view = *view;
  AlongBeam(BeamInView(&split->fine.beam[b], view, &turned), &split->model->patient->ct, view->shift_mm, &trace->w0_mm,
            &high_mm);
  trace->n = (PetscInt)ceil((high_mm - trace->w0_mm) / TRACE_MM) + 2;
  trace->next = split->trace;
  split->trace = trace;
  *out = trace;
  PetscFunctionReturn(0);
}

static Trace *FindTrace(Splitting split, PetscInt b, const View *view, PetscBool shared)
{
  Trace *trace = split->trace;
  while (trace && (trace->beam != b || !ViewSame(&trace->view, view) || (shared && trace->window == MPI_WIN_NULL)))
    trace = trace->next;
  return trace;
}

PetscErrorCode SplittingTrace(Splitting split, PetscInt b, const View *view, const Trace **out)
{
  PetscFunctionBegin;
  const PetscInt n_run = split->fine.beam[b].n_run;
  Trace *trace = FindTrace(split, b, view, PETSC_FALSE);
  if (!trace) {
    PetscCall(TraceCreate(split, b, view, &trace));
    PetscCall(PetscMalloc2((size_t)n_run * (size_t)trace->n, &trace->wepl_mm, n_run, &trace->passed_mm));
    TraceRays(split, trace, 0, 1);
  }
  *out = trace;
  PetscFunctionReturn(0);
}

/* One view, a part of the rays on each rank of a node. */
static PetscErrorCode TraceOnNode(Splitting split, MPI_Comm node, PetscInt b, const View *view)
{
  PetscFunctionBegin;
  const size_t n_run = (size_t)split->fine.beam[b].n_run;
  PetscMPIInt rank, size;
  Trace *trace;
  void *memory;
  PetscCallMPI(MPI_Comm_rank(node, &rank));
  PetscCallMPI(MPI_Comm_size(node, &size));
  PetscCall(TraceCreate(split, b, view, &trace));
  const size_t bytes = n_run * (sizeof *trace->passed_mm + (size_t)trace->n * sizeof *trace->wepl_mm);
  PetscCall(NodeMemoryCreate(node, bytes, PETSC_FALSE, &trace->window));
  PetscCall(NodeMemoryGet(trace->window, 0, &memory));
  trace->passed_mm = memory;
  trace->wepl_mm = (float *)(void *)(trace->passed_mm + n_run);
  TraceRays(split, trace, rank, size);
  PetscCall(NodeMemoryMeet(node, 1, &trace->window));
  PetscFunctionReturn(0);
}

static PetscBool HasView(const ScenarioSet *set, const View *view)
{
  for (PetscInt k = 0; k < set->n_view; k++)
    if (!memcmp(&set->view[k], view, sizeof *view)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode SplittingTraceTogether(Splitting split, MPI_Comm team, const ScenarioSet *set)
{
  PetscFunctionBegin;
  MPI_Comm node;
  PetscCallMPI(MPI_Comm_split_type(team, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  for (Trace **link = &split->trace; *link;) {
    if ((*link)->window != MPI_WIN_NULL && !HasView(set, &(*link)->view))
      PetscCall(TraceDestroy(link));
    else
      link = &(*link)->next;
  }
  for (PetscInt k = 0; k < set->n_view; k++)
    for (PetscInt b = 0; b < split->fine.n_beam; b++)
      if (!FindTrace(split, b, &set->view[k], PETSC_TRUE)) PetscCall(TraceOnNode(split, node, b, &set->view[k]));
  PetscCallMPI(MPI_Comm_free(&node));
  PetscFunctionReturn(0);
}

PetscErrorCode SplittingSpread(Splitting split, const double *weight)
{
  PetscFunctionBegin;
  const BeamSet *beams = split->model->beams;
  if (!memcmp(weight, split->weight, (size_t)beams->n_spot * sizeof *weight)) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(split->weight, weight, beams->n_spot));
  PetscCall(PetscArrayzero(split->fine_weight, split->fine.n_spot));
  for (PetscInt b = 0; b < beams->n_beam; b++)
    for (PetscInt r = 0; r < beams->beam[b].n_run; r++) {
      const SpotRun *run = &beams->beam[b].run[r];
      const Lattice *lattice = &split->lattice[b];
      for (PetscInt i = 0; i < run->n; i++) {
        const PetscInt layer = run->first_layer + i;
        Window x, y;
        SpreadSpot(split, b, run, layer, &x, &y);
        for (PetscInt j = 0; j < y.n; j++)
          for (PetscInt k = 0; k < x.n; k++) {
            const PetscInt ray = lattice->run[(y.first + j) * lattice->nx + x.first + k];
            split->fine_weight[split->fine.beam[b].run[ray].first_spot + layer] +=
                weight[run->first_spot + i] * y.weight[j] * x.weight[k];
          }
      }
    }
  PetscFunctionReturn(0);
}

void SplittingCollect(Splitting split, const double *fine_gradient, double *gradient)
{
  const BeamSet *beams = split->model->beams;
  for (PetscInt b = 0; b < beams->n_beam; b++)
    for (PetscInt r = 0; r < beams->beam[b].n_run; r++) {
      const SpotRun *run = &beams->beam[b].run[r];
      const Lattice *lattice = &split->lattice[b];
      for (PetscInt i = 0; i < run->n; i++) {
        const PetscInt layer = run->first_layer + i;
        Window x, y;
        double sum = 0;
        SpreadSpot(split, b, run, layer, &x, &y);
        for (PetscInt j = 0; j < y.n; j++)
          for (PetscInt k = 0; k < x.n; k++) {
            const PetscInt ray = lattice->run[(y.first + j) * lattice->nx + x.first + k];
            sum += fine_gradient[split->fine.beam[b].run[ray].first_spot + layer] * y.weight[j] * x.weight[k];
          }
        gradient[run->first_spot + i] += sum;
      }
    }
}
