/* Where the factored operator has its planes and modes, and what every layer does at every plane. */
#include "factored.h"
#include <math.h>

#define FINEST_PLANE_MM 0.4   /* between planes where layers end */
#define COARSEST_PLANE_MM 4.0 /* far from there */
#define PLANE_GROWTH 0.1      /* distance gained per mm */
#define BEFORE_PEAK_MM 6.0    /* of the shallowest and behind the deepest layer's R80, planes are finest */
#define BEHIND_PEAK_MM 5.0
#define SNAP_MM 10.0
#define SMALLEST_PART 1e-7 /* of the layer's largest dose: left out */

/* The step away from the fine part at a distance from it. */
static double PlaneStep_mm(double away_mm)
{
  return PetscMin(COARSEST_PLANE_MM, FINEST_PLANE_MM + PLANE_GROWTH * away_mm);
}

/*
 * Planes from the surface to the deepest table's end, finest where layers end. The fine part begins and ends at multiples of
 * SNAP_MM, so that plans which differ by a few layers have the same planes. Fills z_mm if it is not NULL; returns their number.
 */
static PetscInt PlacePlanes(const struct DoseModel_s *model, const Beam *beam, double last_mm, double *z_mm)
{
  double low = INFINITY, high = 0;
  PetscInt before = 0, n = 0;
  for (PetscInt l = 0; l < beam->n_layer; l++) {
    double r80 = model->machine->r80_mm[beam->energy[l]];
    low = PetscMin(low, r80 - BEFORE_PEAK_MM);
    high = PetscMax(high, r80 + BEHIND_PEAK_MM);
  }
  low = PetscMax(0.0, SNAP_MM * floor(low / SNAP_MM));
  high = SNAP_MM * ceil(high / SNAP_MM);
  for (double z = low; z > 0; before++) z -= PlaneStep_mm(low - z);
  double z = low;
  for (PetscInt i = before; z_mm && i-- > 0;) z_mm[i] = z = PetscMax(0.0, z - PlaneStep_mm(low - z));
  n = before;
  for (PetscInt k = 0; low + k * FINEST_PLANE_MM < PetscMin(high, last_mm); k++, n++)
    if (z_mm) z_mm[n] = low + k * FINEST_PLANE_MM;
  for (z = high; z < last_mm; z += PlaneStep_mm(z - high), n++)
    if (z_mm) z_mm[n] = z;
  if (z_mm) z_mm[n] = last_mm;
  return n + 1;
}

static PetscErrorCode CreatePlanes(const struct DoseModel_s *model, PetscInt b, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &model->beams->beam[b];
  const Machine *m = model->machine;
  double last = 0;
  for (PetscInt l = 0; l < beam->n_layer; l++)
    last = PetscMax(last, m->depth_mm[(beam->energy[l] + 1) * m->n_depth - 1]);
  fb->nz = PetscMax(4, PlacePlanes(model, beam, last, NULL));
  PetscCall(PetscMalloc2(fb->nz, &fb->z_mm, fb->nz, &fb->reciprocal));
  PetscInt placed = PlacePlanes(model, beam, last, fb->z_mm);
  for (PetscInt i = placed; i < fb->nz; i++) fb->z_mm[i] = fb->z_mm[i - 1] + FINEST_PLANE_MM;
  for (PetscInt i = 0; i + 4 <= fb->nz; i++)
    for (int j = 0; j < 4; j++) {
      double product = 1;
      for (int k = 0; k < 4; k++)
        if (k != j) product *= fb->z_mm[i + j] - fb->z_mm[i + k];
      fb->reciprocal[i][j] = 1 / product;
    }
  fb->n_bin = (PetscInt)(fb->z_mm[fb->nz - 1] / BIN_MM) + 2;
  PetscCall(PetscMalloc1(fb->n_bin, &fb->bin));
  for (PetscInt bin = 0, i = 0; bin < fb->n_bin; bin++) {
    while (i + 2 < fb->nz && fb->z_mm[i + 1] <= bin * BIN_MM) i++;
    fb->bin[bin] = i;
  }
  PetscFunctionReturn(0);
}

/* Magnification, against the isocentre plane, where water of depth z would lie. */
static double WaterMagnification(const Beam *beam, double isocentre_depth_mm, double z)
{
  return beam->sad_mm > 0 ? PetscMax(0.1, (beam->sad_mm + z - isocentre_depth_mm) / beam->sad_mm) : 1;
}

static double IsocentreDepth_mm(const struct DoseModel_s *model, const Beam *beam)
{
  static const double no_shift[3] = {0};
  return BeamWEPL(beam, model->patient, beam->isocentre_mm, no_shift) +
         BeamPassed_mm(beam, model->machine, model->patient, beam->isocentre_mm, no_shift);
}

/* Component k of layer l at plane z; false if it has next to no dose there. */
static PetscBool FillPart(const struct DoseModel_s *model, const LayerTable *table, double z_mm, double magnification,
                          double smallest, FieldPart *part, double *amplitude)
{
  float record[NODE_TISSUE + 2 * TISSUES_MOST];
  if (!LayerRecord(table, model->node_size, (float)z_mm, record)) return PETSC_FALSE;
  double dose = (double)record[NODE_IDD] * (double)record[NODE_SHARE], water = (double)record[NODE_SIGMA];
  if (!(dose > smallest)) return PETSC_FALSE;
  part->sigma2_mm2 = (table->spot_sigma_mm * table->spot_sigma_mm + water * water) / (magnification * magnification);
  for (PetscInt t = 0; t < model->tissues->n; t++, amplitude += N_CHANNELS) {
    amplitude[CHANNEL_DOSE] = dose;
    amplitude[CHANNEL_ALPHA] = dose * (double)record[NODE_TISSUE + 2 * t];
    amplitude[CHANNEL_SQRT_BETA] = dose * (double)record[NODE_TISSUE + 2 * t + 1];
    amplitude[CHANNEL_LET] = dose * (double)record[NODE_LET];
  }
  return PETSC_TRUE;
}

static double LargestDose(const struct DoseModel_s *model, const LayerTable *table)
{
  double largest = 0;
  for (PetscInt d = 0; d < table->n_node; d++)
    largest = PetscMax(largest, (double)table->node[(size_t)d * (size_t)model->node_size + NODE_IDD]);
  return largest;
}

static PetscErrorCode CreateParts(const struct DoseModel_s *model, PetscInt b, FactoredBeam *fb)
{
  PetscFunctionBegin;
  const Beam *beam = &model->beams->beam[b];
  const double isocentre = IsocentreDepth_mm(model, beam);
  const size_t per_part = (size_t)model->tissues->n * N_CHANNELS;
  size_t most = (size_t)fb->nz * (size_t)(beam->n_layer * model->n_component);
  PetscInt n = 0;
  double *smallest;
  PetscCall(PetscMalloc1(beam->n_layer, &smallest));
  for (PetscInt l = 0; l < beam->n_layer; l++)
    smallest[l] = SMALLEST_PART * LargestDose(model, &model->beam[b].layer[l]);
  PetscCall(PetscMalloc1(fb->nz + 1, &fb->part_start));
  PetscCall(PetscMalloc1(most, &fb->part));
  PetscCall(PetscMalloc1(most * per_part, &fb->amplitude));
  for (PetscInt i = 0; i < fb->nz; i++) {
    const double magnification = WaterMagnification(beam, isocentre, fb->z_mm[i]);
    fb->part_start[i] = n;
    for (PetscInt l = 0; l < beam->n_layer; l++)
      for (PetscInt k = 0; k < model->n_component; k++) {
        const LayerTable *table = &model->beam[b].layer[k * beam->n_layer + l];
        fb->part[n].layer = l;
        if (FillPart(model, table, fb->z_mm[i], magnification, smallest[l], &fb->part[n],
                     fb->amplitude + (size_t)n * per_part))
          n++;
      }
  }
  fb->part_start[fb->nz] = n;
  PetscCall(PetscRealloc((size_t)n * sizeof *fb->part, &fb->part));
  PetscCall(PetscRealloc((size_t)n * per_part * sizeof *fb->amplitude, &fb->amplitude));
  PetscCall(PetscFree(smallest));
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

/* The distance from the spots where no layer has more than the dropped part of its largest dose left. */
static double Reach_mm(const struct DoseModel_s *model, PetscInt b, const FactoredBeam *fb)
{
  const double part = PetscMax(1e-6, model->dropped) / model->n_component;
  double reach2 = 0;
  for (PetscInt i = 0; i < fb->part_start[fb->nz]; i++) {
    double largest = LargestDose(model, &model->beam[b].layer[fb->part[i].layer]);
    double dose = fb->amplitude[(size_t)i * (size_t)model->tissues->n * N_CHANNELS + CHANNEL_DOSE];
    double ratio = dose / (part * largest);
    if (ratio > 1) reach2 = PetscMax(reach2, 2 * fb->part[i].sigma2_mm2 * log(ratio));
  }
  return sqrt(reach2);
}

/* Grow bounds by all places where voxels of a list are seen from a beam, in the isocentre plane. */
static void VoxelBounds(const FactoredVoxels *voxels, const Beam *beam, double low[2], double high[2])
{
  for (PetscInt s = 0; s < voxels->set->n_setup; s++)
    for (PetscInt i = 0; i < voxels->n; i++) {
      double point_mm[3], bev_mm[3];
      GridCentre(voxels->grid, (size_t)voxels->voxel[i], point_mm);
      BeamProject(beam, point_mm, voxels->set->setup_mm[s], bev_mm);
      const double shrink = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev_mm[2]) : 1;
      for (int k = 0; k < 2; k++) {
        low[k] = PetscMin(low[k], bev_mm[k] * shrink);
        high[k] = PetscMax(high[k], bev_mm[k] * shrink);
      }
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
  const double h = f->step_mm, reach = Reach_mm(f->model, b, fb);
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY}, narrowest2 = INFINITY;
  double spot_low[2] = {INFINITY, INFINITY}, spot_high[2] = {-INFINITY, -INFINITY};
  VoxelBounds(voxels, beam, low, high);
  SpotBounds(beam, spot_low, spot_high);
  for (PetscInt i = 0; i < fb->part_start[fb->nz]; i++) narrowest2 = PetscMin(narrowest2, fb->part[i].sigma2_mm2);
  PlaceAxis((double[]){spot_low[0], spot_high[0]}, low[0], high[0], reach, h, &fb->u0_mm, &fb->nu);
  PlaceAxis((double[]){spot_low[1], spot_high[1]}, low[1], high[1], reach, h, &fb->v0_mm, &fb->nv);
  fb->dq_u = 2 * M_PI / ((double)fb->nu * h);
  fb->dq_v = 2 * M_PI / ((double)fb->nv * h);
  const double cut = sqrt(LARGEST_MODE2 / narrowest2);
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
  PetscCall(CreateParts(f->model, b, fb));
  PetscCall(CreateModes(f, voxels, b, fb));
  PetscCall(CreatePhases(&f->model->beams->beam[b], fb));
  fb->plane = (size_t)fb->nu * (size_t)fb->nv;
  fb->volume = fb->plane * (size_t)fb->nz;
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredBeamDestroy(FactoredBeam *fb)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(fb->z_mm, fb->reciprocal));
  PetscCall(PetscFree(fb->bin));
  PetscCall(PetscFree(fb->part_start));
  PetscCall(PetscFree(fb->part));
  PetscCall(PetscFree(fb->amplitude));
  PetscCall(PetscFree3(fb->n_mode, fb->filter_u, fb->filter_v));
  PetscCall(PetscFree(fb->line_start));
  PetscCall(PetscFree(fb->phase_u));
  PetscCall(PetscFree(fb->phase_v));
  PetscFunctionReturn(0);
}
