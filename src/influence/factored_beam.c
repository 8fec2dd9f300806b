/* Where the factored operator has its planes and modes. */
#include "factored.h"
#include <math.h>

#define STEP_PER_FALLOFF 0.42 /* between knots where layers end, of the falloff behind the peak */
#define FINEST_STEP_MM 0.1
#define COARSEST_STEP_MM 10.0 /* far from there */
#define STEP_GROWTH 0.3       /* distance gained per mm */
#define LEVEL_RATIO 4.0       /* of the steps of levels */
#define BEFORE_PEAK_MM 4.0    /* of the shallowest and behind the deepest layer's R80, knots are finest */
#define BEHIND_PEAK_MM 3.0
#define SNAP_MM 10.0

/* Distance behind the peak over which the dose of energy e falls from 80 to 20 % of its maximum. */
static double Falloff_mm(const Machine *m, PetscInt e)
{
  const double *depth = m->depth_mm + e * m->n_depth, *idd = m->idd_Gy_mm2 + e * m->n_depth;
  PetscInt peak = 0;
  for (PetscInt d = 1; d < m->n_depth; d++)
    if (idd[d] > idd[peak]) peak = d;
  for (PetscInt d = peak + 1; d < m->n_depth; d++)
    if (idd[d] <= 0.2 * idd[peak])
      return depth[d] - (depth[d] - depth[d - 1]) * (0.2 * idd[peak] - idd[d]) / (idd[d - 1] - idd[d]) - m->r80_mm[e];
  return depth[m->n_depth - 1] - m->r80_mm[e];
}

/* Falloff of the machine's energies at a depth: whatever layers a plan has. */
static double FalloffAt_mm(const Machine *m, double z_mm)
{
  PetscInt e = 0;
  while (e + 1 < m->n_energy && m->r80_mm[e + 1] < z_mm) e++;
  const double here = Falloff_mm(m, e);
  if (e + 1 == m->n_energy || z_mm <= m->r80_mm[e]) return here;
  const double part = (z_mm - m->r80_mm[e]) / (m->r80_mm[e + 1] - m->r80_mm[e]);
  return here + part * (Falloff_mm(m, e + 1) - here);
}

/* Between knots at a depth, `away_mm` from the part where layers end. */
static double KnotStep_mm(const Machine *m, double z_mm, double away_mm)
{
  const double fine = PetscClipInterval(STEP_PER_FALLOFF * FalloffAt_mm(m, z_mm), FINEST_STEP_MM, COARSEST_STEP_MM);
  return PetscMin(COARSEST_STEP_MM, fine + STEP_GROWTH * away_mm);
}

/*
 * Knots from the surface to the deepest table's end, finest where layers end. The fine part begins and ends at multiples of
 * SNAP_MM, so that plans which differ by a few layers have the same knots. Fills knot_mm if it is not NULL; returns their number.
 */
static PetscInt PlaceKnots(const struct DoseModel_s *model, const Beam *beam, double last_mm, double *knot_mm)
{
  const Machine *m = model->machine;
  double low = INFINITY, high = 0, z;
  PetscInt before = 0, n;
  for (PetscInt l = 0; l < beam->n_layer; l++) {
    double r80 = m->r80_mm[beam->energy[l]];
    low = PetscMin(low, r80 - BEFORE_PEAK_MM);
    high = PetscMax(high, r80 + BEHIND_PEAK_MM);
  }
  low = PetscMax(0.0, SNAP_MM * floor(low / SNAP_MM));
  high = SNAP_MM * ceil(high / SNAP_MM);
  for (z = low; z > 0; before++) z -= KnotStep_mm(m, low, low - z);
  z = low;
  for (PetscInt i = before; knot_mm && i-- > 0;) knot_mm[i] = z = PetscMax(0.0, z - KnotStep_mm(m, low, low - z));
  n = before;
  for (z = low; z < last_mm; z += KnotStep_mm(m, z, PetscMax(0.0, z - high)), n++)
    if (knot_mm) knot_mm[n] = z;
  if (knot_mm) knot_mm[n] = last_mm;
  return n + 1;
}

/* Those knots that are kept on the next level; returns their number. */
static PetscInt ThinKnots(const Machine *m, int level, PetscInt n, double *knot_mm)
{
  PetscInt kept = 1;
  for (PetscInt i = 1; i < n; i++) {
    const double step = PetscMin(COARSEST_STEP_MM, pow(LEVEL_RATIO, level) * KnotStep_mm(m, knot_mm[kept - 1], 0));
    if (i + 1 == n || knot_mm[i] - knot_mm[kept - 1] >= 0.9 * step) knot_mm[kept++] = knot_mm[i];
  }
  return kept;
}

static PetscErrorCode CreatePlanes(const struct DoseModel_s *model, PetscInt b, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &model->beams->beam[b];
  const Machine *m = model->machine;
  double *knot_mm;
  for (PetscInt l = 0; l < beam->n_layer; l++)
    fb->last_mm = PetscMax(fb->last_mm, m->depth_mm[(beam->energy[l] + 1) * m->n_depth - 1]);
  PetscInt n = PlaceKnots(model, beam, fb->last_mm, NULL);
  PetscCall(PetscMalloc1(n, &knot_mm));
  PlaceKnots(model, beam, fb->last_mm, knot_mm);
  for (int k = 0; k < DEPTH_LEVELS; k++) {
    if (k) n = ThinKnots(m, k, n, knot_mm);
    PetscCall(DepthSplineCreate(n, knot_mm, &fb->depth[k]));
    fb->level_start[k + 1] = fb->level_start[k] + fb->depth[k].n;
  }
  fb->nz = fb->depth[0].n;
  PetscCall(PetscMalloc2(PlaneCount(fb), &fb->coarse, PlaneCount(fb), &fb->refine));
  for (int k = 0; k + 1 < DEPTH_LEVELS; k++) {
    const PetscInt first = fb->level_start[k];
    DepthSplineRefinement(&fb->depth[k + 1], &fb->depth[k], fb->coarse + first, fb->refine + first);
    for (PetscInt i = first; i < fb->level_start[k + 1]; i++) fb->coarse[i] += fb->level_start[k + 1];
  }
  PetscCall(PetscFree(knot_mm));
  PetscFunctionReturn(0);
}

/* A size not below n that FFTs like: 2^a 3^b 5^c, even. */
static PetscInt FastSize(PetscInt n)
{
  for (n += n % 2;; n += 2) {
    PetscInt rest = n;
    for (int k = 0; k < 3; k++)
      while (rest % (int[]){2, 3, 5}[k] == 0) rest /= (int[]){2, 3, 5}[k];
    if (rest == 1) return n;
  }
}

/* Grow bounds by the places where voxels of a list are seen from a beam, in the isocentre plane, in one view. */
static void GrowBounds(const FactoredVoxels *voxels, const Case *patient, const Beam *straight, const View *view,
                       double low[2], double high[2])
{
  Beam turned;
  const Beam *beam = BeamInView(straight, view, &turned);
  for (PetscInt i = 0; i < voxels->n; i++) {
    double centre_mm[3], point_mm[3], bev_mm[3];
    GridCentre(voxels->grid, (size_t)voxels->voxel[i], centre_mm);
    CasePlaceInPhase(patient, view->phase, centre_mm, point_mm);
    BeamProject(beam, point_mm, view->shift_mm, bev_mm);
    const double shrink = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev_mm[2]) : 1;
    for (int k = 0; k < 2; k++) {
      low[k] = PetscMin(low[k], bev_mm[k] * shrink);
      high[k] = PetscMax(high[k], bev_mm[k] * shrink);
    }
  }
}

/* What a view moves all voxels by in a parallel beam, as seen from it. */
static void ViewMove(const Beam *beam, const double shift_mm[3], double move_mm[2])
{
  move_mm[0] = move_mm[1] = 0;
  for (int k = 0; k < 3; k++) {
    move_mm[0] += shift_mm[k] * beam->u[k];
    move_mm[1] += shift_mm[k] * beam->v[k];
  }
}

/* Over all views. Of shifts alone only those that move the voxels farthest matter in a parallel beam, but for rounding. */
static void VoxelBounds(const FactoredVoxels *voxels, const Case *patient, const Beam *beam, double low[2],
                        double high[2])
{
  const ScenarioSet *set = voxels->set;
  const double rounding_mm = 1e-6;
  double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY}, move[2];
  for (PetscInt s = 0; s < set->n_view; s++) {
    if (ViewBends(&set->view[s])) continue;
    ViewMove(beam, set->view[s].shift_mm, move);
    for (int k = 0; k < 2; k++) least[k] = PetscMin(least[k], move[k]), most[k] = PetscMax(most[k], move[k]);
  }
  for (PetscInt s = 0; s < set->n_view; s++) {
    PetscBool matters = beam->sad_mm > 0 || ViewBends(&set->view[s]) ? PETSC_TRUE : PETSC_FALSE;
    ViewMove(beam, set->view[s].shift_mm, move);
    for (int k = 0; k < 2; k++)
      if (move[k] <= least[k] + rounding_mm || move[k] >= most[k] - rounding_mm) matters = PETSC_TRUE;
    if (matters) GrowBounds(voxels, patient, beam, &set->view[s], low, high);
  }
}

static void SpotBounds(const Beam *beam, double low[2], double high[2])
{
  for (PetscInt r = 0; r < beam->n_run; r++)
    for (int k = 0; k < 2; k++) {
      double place = k ? beam->run[r].y_mm : beam->run[r].x_mm;
      low[k] = PetscMin(low[k], place);
      high[k] = PetscMax(high[k], place);
    }
}

/*
 * One axis of the box. It covers the voxels as far as dose reaches, and is so long that its periodic images of the spots
 * reach none of them.
 */
static void PlaceAxis(const double spot[2], double low, double high, double reach, double h, double *first, PetscInt *n)
{
  low = h * floor(PetscClipInterval(low, spot[0] - reach, spot[1] + reach) / h - 2); /* the same grid for all plans */
  high = PetscClipInterval(high, spot[0] - reach, spot[1] + reach) + 2 * h;
  double apart = PetscMax(high - spot[0], spot[1] - low) + reach;
  *first = low;
  *n = FastSize((PetscInt)ceil(PetscMax(apart, high - low) / h) + 1);
}

/* The box, and the modes in it that the narrowest Gaussian lets through. */
static PetscErrorCode CreateModes(const struct Factored_s *f, const FactoredVoxels *voxels, PetscInt b,
                                  FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &f->model->beams->beam[b];
  const double h = f->step_mm;
  double reach;
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY}, largest_q2 = 0;
  double spot_low[2] = {INFINITY, INFINITY}, spot_high[2] = {-INFINITY, -INFINITY};
  PetscCall(FactoredReach(f->model, b, fb, &reach));
  VoxelBounds(voxels, f->model->patient, beam, low, high);
  SpotBounds(beam, spot_low, spot_high);
  for (PetscInt i = 0; i < fb->part_start[PlaneCount(fb)]; i++)
    largest_q2 = PetscMax(largest_q2, fb->part[i].largest_q2);
  PlaceAxis((double[]){spot_low[0], spot_high[0]}, low[0], high[0], reach, h, &fb->u0_mm, &fb->nu);
  PlaceAxis((double[]){spot_low[1], spot_high[1]}, low[1], high[1], reach, h, &fb->v0_mm, &fb->nv);
  fb->dq_u = 2 * M_PI / ((double)fb->nu * h);
  fb->dq_v = 2 * M_PI / ((double)fb->nv * h);
  const double cut = sqrt(largest_q2);
  fb->n_mode_v = PetscMin(fb->nv / 2, 1 + (PetscInt)(cut / fb->dq_v));
  fb->row = (fb->n_mode_v + FOUR - 1) / FOUR * FOUR;
  PetscCall(PetscCalloc3(fb->nu, &fb->n_mode, fb->nu, &fb->filter_u, fb->row, &fb->filter_v));
  for (PetscInt m = 0; m < fb->nu; m++) {
    double q = fb->dq_u * (double)(2 * m < fb->nu ? m : m - fb->nu), angle = 0.5 * q * h;
    if (2 * m != fb->nu && fabs(q) <= cut)
      fb->n_mode[m] = PetscMin(fb->n_mode_v, 1 + (PetscInt)(sqrt(cut * cut - q * q) / fb->dq_v));
    fb->filter_u[m] = (m ? pow(angle / sin(angle), 4) : 1) / ((double)fb->nu * h);
  }
  for (PetscInt n = 0; n < fb->n_mode_v; n++) {
    double angle = 0.5 * fb->dq_v * (double)n * h;
    fb->filter_v[n] = (n ? pow(angle / sin(angle), 4) : 1) / ((double)fb->nv * h);
  }
  PetscFunctionReturn(0);
}

/* Phases of the spots: runs are sorted by y, so those of equal y follow each other. */
static PetscErrorCode CreatePhases(const Beam *beam, FactoredBeam *fb)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(beam->n_run + 1, &fb->line_start));
  for (PetscInt r = 0; r < beam->n_run; r++)
    if (!r || beam->run[r].y_mm != beam->run[r - 1].y_mm) fb->line_start[fb->n_line++] = r;
  fb->line_start[fb->n_line] = beam->n_run;
  PetscCall(PetscMalloc1((size_t)beam->n_run * (size_t)fb->nu, &fb->phase_u));
  PetscCall(PetscCalloc1((size_t)fb->n_line * (size_t)fb->row, &fb->phase_v));
  for (PetscInt r = 0; r < beam->n_run; r++)
    for (PetscInt m = 0; m < fb->nu; m++) {
      double q = fb->dq_u * (double)(2 * m < fb->nu ? m : m - fb->nu);
      fb->phase_u[(size_t)r * (size_t)fb->nu + (size_t)m] = cexp(-I * q * (beam->run[r].x_mm - fb->u0_mm));
    }
  for (PetscInt k = 0; k < fb->n_line; k++)
    for (PetscInt n = 0; n < fb->n_mode_v; n++) {
      double y = beam->run[fb->line_start[k]].y_mm - fb->v0_mm;
      fb->phase_v[(size_t)k * (size_t)fb->row + (size_t)n] = cexp(-I * fb->dq_v * (double)n * y);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredBeamCreate(struct Factored_s *f, const FactoredVoxels *voxels, PetscInt b)
{
  PetscFunctionBegin;
  FactoredBeam *fb = &f->beam[b];
  if (!f->model->beams->beam[b].n_spot || !voxels->n) PetscFunctionReturn(0);
  PetscCall(CreatePlanes(f->model, b, fb));
  PetscCall(FactoredCreateParts(f->model, b, fb));
  PetscCall(CreateModes(f, voxels, b, fb));
  PetscCall(CreatePhases(&f->model->beams->beam[b], fb));
  fb->plane = (size_t)fb->nu * (size_t)fb->nv;
  fb->volume = fb->plane * (size_t)fb->nz;
  PetscCall(PetscMalloc1(fb->nz, &fb->box));
  for (PetscInt i = 0; i < fb->nz; i++) fb->box[i] = (PlaneBox){.u_end = (int32_t)fb->nu, .v_end = (int32_t)fb->nv};
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredBeamDestroy(FactoredBeam *fb)
{
  PetscFunctionBegin;
  for (int k = 0; k < DEPTH_LEVELS; k++) PetscCall(DepthSplineDestroy(&fb->depth[k]));
  PetscCall(PetscFree2(fb->coarse, fb->refine));
  PetscCall(PetscFree(fb->box));
  PetscCall(PetscFree(fb->part_start));
  PetscCall(PetscFree(fb->part));
  PetscCall(PetscFree(fb->amplitude));
  PetscCall(PetscFree3(fb->n_mode, fb->filter_u, fb->filter_v));
  PetscCall(PetscFree(fb->line_start));
  PetscCall(PetscFree(fb->phase_u));
  PetscCall(PetscFree(fb->phase_v));
  PetscFunctionReturn(0);
}
