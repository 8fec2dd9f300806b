/* What a particle of each spot costs: the indices of heterogeneity and risk that the header defines. */
#include "robion/spot_control.h"
#include "robion/raytrace.h"
#include <math.h>

static const double STEP_MM = 1;

/* Water-equivalent depths along the axes of a beam's rays, at equal steps of w. */
typedef struct Profiles {
  PetscInt n;        /* points on a ray */
  double start_mm;   /* w of the first */
  double *depth_mm;  /* [run][n] */
  double *passed_mm; /* [run] before the patient */
} Profiles;

/* Distances to the structures to spare on the dose grid. */
typedef struct Spared {
  const Grid *grid;
  float *distance_mm;
} Spared;

PetscBool SpotControlIsOn(const SpotControlSpec *spec)
{
  return spec->heterogeneity > 0 || spec->oar_range > 0 || spec->oar_setup > 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* Patient point on a ray's axis at w when the patient is shifted. */
static void PointOnAxis(const Beam *beam, const SpotRun *run, double w_mm, const double shift_mm[3], double point_mm[3])
{
  const double spread = beam->sad_mm > 0 ? 1 + w_mm / beam->sad_mm : 1;
  for (int k = 0; k < 3; k++)
    point_mm[k] = beam->isocentre_mm[k] - shift_mm[k] + spread * (run->x_mm * beam->u[k] + run->y_mm * beam->v[k]) +
                  w_mm * beam->w[k];
}

/* Distance from the isocentre beyond which there is no patient. */
static double Reach_mm(const Beam *beam, const Grid *ct)
{
  double sum = 0;
  for (int k = 0; k < 3; k++) {
    const double low = ct->origin_mm[k] - 0.5 * ct->spacing_mm[k], high = low + ct->n[k] * ct->spacing_mm[k];
    sum += pow(PetscMax(fabs(low - beam->isocentre_mm[k]), fabs(high - beam->isocentre_mm[k])), 2);
  }
  return sqrt(sum);
}

static PetscErrorCode ProfilesCreate(const Beam *beam, const Machine *machine, const Case *patient, Profiles *out)
{
  PetscFunctionBegin;
  const double no_shift[3] = {0}, reach_mm = Reach_mm(beam, &patient->ct);
  double from[3], to[3];
  out->start_mm = beam->sad_mm > 0 ? PetscMax(-reach_mm, 1 - beam->sad_mm) : -reach_mm;
  out->n = (PetscInt)ceil((reach_mm - out->start_mm) / STEP_MM) + 1;
  PetscCall(PetscMalloc2((size_t)beam->n_run * (size_t)out->n, &out->depth_mm, beam->n_run, &out->passed_mm));
  for (PetscInt r = 0; r < beam->n_run; r++) {
    double *depth = out->depth_mm + (size_t)r * (size_t)out->n;
    depth[0] = 0;
    PointOnAxis(beam, &beam->run[r], out->start_mm, no_shift, from);
    for (PetscInt k = 1; k < out->n; k++) {
      PointOnAxis(beam, &beam->run[r], out->start_mm + (double)k * STEP_MM, no_shift, to);
      depth[k] = depth[k - 1] + RaytraceWEPL_mm(&patient->ct, patient->rsp, from, to);
      for (int a = 0; a < 3; a++) from[a] = to[a];
    }
    out->passed_mm[r] = BeamPassed_mm(beam, machine, patient, to, no_shift);
  }
  PetscFunctionReturn(0);
}

/* Where a ray reaches a water-equivalent depth, in steps from its first point; its last point if it never does. */
static double StepOfDepth(const Profiles *p, PetscInt run, double depth_mm)
{
  const double *depth = p->depth_mm + (size_t)run * (size_t)p->n;
  PetscInt low = 0, high = p->n - 1;
  if (depth_mm <= depth[low]) return 0;
  if (depth_mm > depth[high]) return (double)high;
  while (high - low > 1) {
    const PetscInt middle = low + (high - low) / 2;
    if (depth[middle] < depth_mm)
      low = middle;
    else
      high = middle;
  }
  return (double)low + (depth_mm - depth[low]) / (depth[high] - depth[low]);
}

static double DepthAtStep(const Profiles *p, PetscInt run, double step)
{
  const double *depth = p->depth_mm + (size_t)run * (size_t)p->n;
  const PetscInt k = PetscMin((PetscInt)step, p->n - 2);
  return depth[k] + (step - (double)k) * (depth[k + 1] - depth[k]);
}

/* The density index of a spot whose peak is at a step of its ray. */
static double DensityIndex(const Beam *beam, const Profiles *p, PetscInt run, double step, double sigma_mm)
{
  const double own_mm = DepthAtStep(p, run, step), radius_mm = 2 * sigma_mm;
  double sum = 0;
  for (PetscInt i = 0; i < beam->n_run; i++) {
    const double dx = beam->run[i].x_mm - beam->run[run].x_mm, dy = beam->run[i].y_mm - beam->run[run].y_mm;
    if (dx * dx + dy * dy <= radius_mm * radius_mm) sum += pow(own_mm - DepthAtStep(p, i, step), 2);
  }
  return sum;
}

/* Distance, mm, of a point to the spared structures, linear between voxel centres; infinite off the grid. */
static double Distance_mm(const Spared *spared, const double point_mm[3])
{
  const Grid *grid = spared->grid;
  PetscInt first[3];
  double part[3], sum = 0;
  for (int k = 0; k < 3; k++) {
    const double at = (point_mm[k] - grid->origin_mm[k]) / grid->spacing_mm[k];
    if (!(at >= 0 && at <= grid->n[k] - 1) || grid->n[k] < 2) return INFINITY;
    first[k] = PetscMin((PetscInt)at, grid->n[k] - 2);
    part[k] = at - (double)first[k];
  }
  for (int corner = 0; corner < 8; corner++) {
    size_t voxel = 0;
    double weight = 1;
    for (int k = 2; k >= 0; k--) {
      const int up = corner >> k & 1;
      voxel = voxel * (size_t)grid->n[k] + (size_t)(first[k] + up);
      weight *= up ? part[k] : 1 - part[k];
    }
    sum += weight * (double)spared->distance_mm[voxel];
  }
  return PetscMax(0, sum - 0.5 * grid->spacing_mm[0]); /* from the surface, half a voxel beyond the outermost centres */
}

/* Least distance of a ray's points up to each step, whatever the setup error. */
static void LeastDistances(const SpotControlSpec *spec, const Beam *beam, const SpotRun *run, const Profiles *p,
                           const Spared *spared, double *least_mm)
{
  for (PetscInt k = 0; k < p->n; k++) {
    least_mm[k] = k ? least_mm[k - 1] : INFINITY;
    for (int e = -1; e < 6; e++) {
      double shift_mm[3] = {0}, point_mm[3];
      if (e >= 0) shift_mm[e / 2] = e % 2 ? -spec->setup_mm : spec->setup_mm;
      PointOnAxis(beam, run, p->start_mm + (double)k * STEP_MM, shift_mm, point_mm);
      least_mm[k] = PetscMin(least_mm[k], Distance_mm(spared, point_mm));
    }
  }
}

/* Least distance of a spot's peak, whatever the range error. */
static double PeakDistance_mm(const SpotControlSpec *spec, const Beam *beam, PetscInt run, const Profiles *p,
                              const Spared *spared, double depth_mm)
{
  const double no_shift[3] = {0};
  double least_mm = INFINITY, point_mm[3];
  for (int sign = -1; sign <= 1; sign++) {
    const double step = StepOfDepth(p, run, depth_mm / (1 + sign * spec->range_percent / 100));
    PointOnAxis(beam, &beam->run[run], p->start_mm + step * STEP_MM, no_shift, point_mm);
    least_mm = PetscMin(least_mm, Distance_mm(spared, point_mm));
  }
  return least_mm;
}

static double Risk(double distance_mm, double sigma_mm)
{
  return exp(-0.5 * pow(distance_mm / sigma_mm, 2));
}

static PetscErrorCode CostsOfBeam(const SpotControlSpec *spec, const Beam *beam, const Machine *machine,
                                  const Case *patient, const Spared *spared, double *cost)
{
  PetscFunctionBegin;
  Profiles p;
  double *least_mm;
  PetscCall(ProfilesCreate(beam, machine, patient, &p));
  PetscCall(PetscMalloc1(p.n, &least_mm));
  for (PetscInt r = 0; r < beam->n_run; r++) {
    const SpotRun *run = &beam->run[r];
    if (spec->oar_setup > 0) LeastDistances(spec, beam, run, &p, spared, least_mm);
    for (PetscInt l = 0; l < run->n; l++) {
      const PetscInt energy = beam->energy[run->first_layer + l];
      const double depth_mm = machine->r80_mm[energy] - p.passed_mm[r], step = StepOfDepth(&p, r, depth_mm);
      double *c = &cost[run->first_spot + l];
      *c = 0;
      if (spec->heterogeneity > 0)
        *c += spec->heterogeneity * DensityIndex(beam, &p, r, step, machine->spot_sigma_mm[energy]);
      if (spec->oar_range > 0)
        *c += spec->oar_range * Risk(PeakDistance_mm(spec, beam, r, &p, spared, depth_mm), spec->sigma_mm);
      if (spec->oar_setup > 0) *c += spec->oar_setup * Risk(least_mm[(PetscInt)step], spec->sigma_mm);
    }
  }
  PetscCall(PetscFree(least_mm));
  PetscCall(PetscFree2(p.depth_mm, p.passed_mm));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotControlCosts(const SpotControlSpec *spec, const BeamSet *beams, const Machine *machine,
                                const Case *patient, const Grid *grid, const unsigned char *mask, double *cost)
{
  PetscFunctionBegin;
  Spared spared = {.grid = grid};
  if (spec->oar_range > 0 || spec->oar_setup > 0) {
    PetscCheck(mask, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "spot control of no structure, expected one");
    PetscCall(PetscMalloc1(GridSize(grid), &spared.distance_mm));
    PetscCall(DistanceToMask(grid, mask, spared.distance_mm));
  }
  for (PetscInt b = 0; b < beams->n_beam; b++)
    PetscCall(CostsOfBeam(spec, &beams->beam[b], machine, patient, &spared, cost));
  PetscCall(PetscFree(spared.distance_mm));
  PetscFunctionReturn(0);
}
