/* Voxels of a block look the planes of the factored operator up, and scatter into them. */
#include "factored.h"
#include <math.h>
#include <string.h>

typedef long long FourInts __attribute__((vector_size(32), aligned(8)));

/* The 64 coefficients around a place, and the factor of what they sum to. */
typedef struct Place {
  PetscInt plane;  /* of the lowest */
  size_t in_plane; /* and where it is there, in Fours */
  size_t first;    /* and in all volumes */
  double u[4], v[4];
  Four z;
} Place;

/* Weights of the four cubic B-splines that cover a place t of the way from the second to the third. */
static inline void SplineWeights(double t, double w[4])
{
  const double s = 1 - t;
  w[0] = s * s * s / 6;
  w[1] = (4 - 3 * t * t * (2 - t)) / 6;
  w[2] = (4 - 3 * s * s * (2 - s)) / 6;
  w[3] = t * t * t / 6;
}

/* Whether a place's taps lie in a line of n coefficients. */
static inline PetscBool TapsInside(double t, PetscInt n)
{
  return t >= 1 && t < (double)(n - 2) ? PETSC_TRUE : PETSC_FALSE;
}

/* Where voxel v looks beam b up in sums; false if no dose reaches it. */
static inline PetscBool Find(Influence influence, PetscInt sums, PetscInt b, PetscInt v, Place *place)
{
  const FactoredBeam *fb = &influence->factored->beam[b];
  const size_t at = SightIndex(influence, influence->set->of_phase[sums].view, b) + (size_t)v;
  const double u = influence->bev_mm[3 * at], w = influence->bev_mm[3 * at + 1],
               shrink2 = influence->bev_mm[3 * at + 2];
  const double z_mm = PetscMax(0.0, SumsDepth_mm(influence, sums, b, v));
  if (!TapsInside(u, fb->nu) || !TapsInside(w, fb->nv) || !(z_mm <= fb->last_mm)) return PETSC_FALSE;
  const PetscInt iz = DepthSplineWeights(&fb->depth[0], z_mm, &place->z);
  const PetscInt iu = (PetscInt)u, iv = (PetscInt)w;
  SplineWeights(u - (double)iu, place->u);
  SplineWeights(w - (double)iv, place->v);
  place->z *= shrink2;
  place->plane = iz;
  place->in_plane = (size_t)(iu - 1) * (size_t)fb->nv + (size_t)(iv - 1);
  place->first =
      fb->at + (size_t)SumsTissue(influence, sums, v) * fb->volume + (size_t)iz * fb->plane + place->in_plane;
  return PETSC_TRUE;
}

/* Whether any voxel of the block lies in the box of beam b. */
static inline PetscBool Seen(Influence influence, PetscInt sums, PetscInt b)
{
  const unsigned char *seen = influence->data;
  return seen[influence->set->of_phase[sums].view * influence->model->beams->n_beam + b] ? PETSC_TRUE : PETSC_FALSE;
}

static inline Four Gather(const FactoredBeam *fb, const Four *volume, const Place *place)
{
  Four sum = {0};
  for (int z = 0; z < 4; z++)
    for (int u = 0; u < 4; u++) {
      const Four *tap = volume + place->first + (size_t)z * fb->plane + (size_t)u * (size_t)fb->nv;
      Four line = place->v[0] * tap[0] + place->v[1] * tap[1] + place->v[2] * tap[2] + place->v[3] * tap[3];
      sum += place->z[z] * place->u[u] * line;
    }
  return sum;
}

/* Round to integers by adding 1.5 * 2^52: the low bits of the sum are the integer. */
static inline FourInts Rounded(Four value)
{
  const double magic = 6755399441055744.0;
  const Four shifted = value + magic;
  const FourInts bits = (FourInts)shifted, zero = (FourInts)((Four){0} + magic);
  return bits - zero;
}

/* Add to those of a voxel's planes that lie in the slab; `scattered` is the voxel's tissue's part of it. */
static inline void Scatter(const FactoredBeam *fb, const Slab *slab, int64_t *scattered, const Place *place, Four value)
{
  const int begin = (int)PetscMax(0, slab->first - place->plane), end = (int)PetscMin(4, slab->end - place->plane);
  for (int z = begin; z < end; z++)
    for (int u = 0; u < 4; u++) {
      const Four part = place->z[z] * place->u[u] * value;
      const size_t at = (size_t)(place->plane + z - slab->first) * fb->plane + place->in_plane;
      FourInts *tap = (FourInts *)(void *)(scattered + N_CHANNELS * (at + (size_t)u * (size_t)fb->nv));
      for (int v = 0; v < 4; v++) tap[v] += Rounded(part * place->v[v]);
    }
}

void InfluenceGrowBoxes(Influence influence, PetscInt b, PlaneBox *box)
{
  for (PetscInt s = 0; s < influence->set->n_of_phase; s++)
    for (PetscInt v = 0; v < influence->n && Seen(influence, s, b); v++) {
      const FactoredBeam *fb = &influence->factored->beam[b];
      Place place;
      if (!Find(influence, s, b, v, &place)) continue;
      const int32_t u = (int32_t)(place.in_plane / (size_t)fb->nv), w = (int32_t)(place.in_plane % (size_t)fb->nv);
      for (PlaneBox *of = box + place.plane; of < box + place.plane + 4; of++) {
        of->u_low = PetscMin(of->u_low, u);
        of->u_end = PetscMax(of->u_end, u + 4);
        of->v_low = PetscMin(of->v_low, w);
        of->v_end = PetscMax(of->v_end, w + 4);
      }
    }
}

/* What beam b gives to a voxel in sums. */
static inline void AddBeam(Influence influence, PetscInt sums, PetscInt b, PetscInt v, double *channels)
{
  const struct Factored_s *f = influence->factored;
  Place place;
  if (Find(influence, sums, b, v, &place)) *(Four *)channels += Gather(&f->beam[b], f->volume, &place);
}

static PetscErrorCode Apply_Factored(Influence influence, PetscInt sums, const double *weight, double *channels)
{
  PetscFunctionBegin;
  memset(channels, 0, (size_t)influence->n * sizeof(Four));
  for (PetscInt b = 0; b < influence->model->beams->n_beam; b++)
    for (PetscInt v = 0; v < influence->n && Seen(influence, sums, b); v++)
      AddBeam(influence, sums, b, v, channels + v * N_CHANNELS);
  PetscFunctionReturn(0);
}

/* Beam by beam and voxel by voxel: what some sums have fetched of a volume, the next ones find in the cache. */
static PetscErrorCode ApplyAll_Factored(Influence influence, const PetscBool *used, const double *weight,
                                        double *channels)
{
  PetscFunctionBegin;
  const size_t size = (size_t)influence->n * N_CHANNELS;
  memset(channels, 0, (size_t)influence->set->n_of_phase * size * sizeof *channels);
  for (PetscInt b = 0; b < influence->model->beams->n_beam; b++)
    for (PetscInt v = 0; v < influence->n; v++)
      for (PetscInt s = 0; s < influence->set->n_of_phase; s++)
        if ((!used || used[influence->set->of_phase[s].sums]) && Seen(influence, s, b))
          AddBeam(influence, s, b, v, channels + (size_t)s * size + (size_t)v * N_CHANNELS);
  PetscFunctionReturn(0);
}

/* --- means over voxels, for emitters --- */

#define SAMPLE_MM 0.5       /* of depth, between the places in a voxel that are looked up */
enum { MOST_PLANES = 512 }; /* that a voxel lies in; those of a study are not so large */

/* A voxel's planes in a beam from the first on, and their weights. */
typedef struct Column {
  PetscInt first, n;
  double weight[MOST_PLANES];
} Column;

/*
 * The way of a beam through the middle of a voxel, mm. Means over as much depth add up to what there is: of a field that varies
 * little over a voxel sideways, nothing is counted twice between rows of voxels that follow each other across the beam.
 */
static double Chord_mm(const Grid *grid, const Beam *beam)
{
  double chord_mm = INFINITY;
  for (int k = 0; k < 3; k++) chord_mm = PetscMin(chord_mm, grid->spacing_mm[k] / fabs(beam->w[k]));
  return chord_mm;
}

/* Mean of the spline's weights over depths from z - extent / 2 to z + extent / 2, as far as the table goes. */
static void MeanWeights(const FactoredBeam *fb, double z_mm, double extent_mm, Column *column)
{
  const PetscInt n = PetscMax(1, (PetscInt)ceil(extent_mm / SAMPLE_MM));
  column->n = 0;
  for (PetscInt i = 0; i < n; i++) {
    const double at_mm = PetscMax(0.0, z_mm + extent_mm * (((double)i + 0.5) / (double)n - 0.5));
    Four weight;
    if (at_mm > fb->last_mm) break;
    const PetscInt plane = DepthSplineWeights(&fb->depth[0], at_mm, &weight);
    if (!column->n) column->first = plane;
    const PetscInt from = plane - column->first;
    if (from + 4 > MOST_PLANES) break;
    while (column->n < from + 4) column->weight[column->n++] = 0;
    for (int k = 0; k < 4; k++) column->weight[from + k] += weight[k] / (double)n;
  }
}

/* Sum of an emitter's volume over a column of planes and the taps of a place, whose own depth does not count. */
static inline Four GatherColumn(const FactoredBeam *fb, const Four *volume, const Place *place, const Column *column)
{
  Four sum = {0};
  for (PetscInt z = 0; z < column->n; z++)
    for (int u = 0; u < 4; u++) {
      const Four *tap = volume + place->first + (size_t)z * fb->plane + (size_t)u * (size_t)fb->nv;
      const Four line = place->v[0] * tap[0] + place->v[1] * tap[1] + place->v[2] * tap[2] + place->v[3] * tap[3];
      sum += column->weight[z] * place->u[u] * line;
    }
  return sum;
}

/* Add what beam b leaves of all emitters in voxel v: [emitter][voxel]. */
static void AddEmitters(Influence influence, PetscInt sums, PetscInt b, PetscInt v, double extent_mm, Four *emitters)
{
  const struct Factored_s *f = influence->factored;
  const FactoredBeam *fb = &f->beam[b];
  const size_t at = SightIndex(influence, influence->set->of_phase[sums].view, b) + (size_t)v;
  const double *bev = influence->bev_mm + 3 * at; /* places in planes, and the dose's factor */
  const PetscInt iu = (PetscInt)bev[0], iv = (PetscInt)bev[1];
  Place place;
  Column column;
  if (!TapsInside(bev[0], fb->nu) || !TapsInside(bev[1], fb->nv)) return;
  MeanWeights(fb, SumsDepth_mm(influence, sums, b, v), extent_mm, &column);
  if (!column.n) return;
  SplineWeights(bev[0] - (double)iu, place.u);
  SplineWeights(bev[1] - (double)iv, place.v);
  for (PetscInt m = 0; m < influence->model->n_group; m++) {
    place.first = fb->at + (size_t)m * fb->volume + (size_t)column.first * fb->plane +
                  (size_t)(iu - 1) * (size_t)fb->nv + (size_t)(iv - 1);
    emitters[m * influence->n + v] += bev[2] * GatherColumn(fb, f->volume, &place, &column);
  }
}

PetscErrorCode InfluenceApplyEmitters(Influence influence, PetscInt sums, const double *rsp, double *channels)
{
  PetscFunctionBegin;
  const PetscInt n_emitter = influence->model->n_group;
  PetscCheck(influence->factored && !influence->model->tissues, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
             "expected a factored operator of emitters");
  memset(channels, 0, (size_t)(n_emitter * influence->n) * sizeof(Four));
  for (PetscInt b = 0; b < influence->model->beams->n_beam; b++) {
    const double factor = SumsFactor(influence, sums, b),
                 chord_mm = Chord_mm(influence->depths->grid, &influence->model->beams->beam[b]);
    for (PetscInt v = 0; v < influence->n && Seen(influence, sums, b); v++)
      AddEmitters(influence, sums, b, v, chord_mm * rsp[v] * factor, (Four *)channels);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyTranspose_Factored(Influence influence, PetscInt sums, const double *cotangent,
                                              double *gradient)
{
  PetscFunctionBegin;
  const struct Factored_s *f = influence->factored;
  const Slab *slab = &f->slab[f->slab_at];
  const PetscInt b = slab->beam;
  const size_t volume = SlabPlane(f, slab, 1, slab->first) * N_CHANNELS;
  Four scale;
  if (!Seen(influence, sums, b)) PetscFunctionReturn(0);
  for (int c = 0; c < N_CHANNELS; c++) scale[c] = 1 / f->unit[c];
  for (PetscInt v = 0; v < influence->n; v++) {
    const double z_mm = PetscMax(0.0, SumsDepth_mm(influence, sums, b, v));
    if (z_mm < slab->low_mm || z_mm > slab->high_mm) continue;
    const Four value = *(const Four *)(cotangent + v * N_CHANNELS) * scale;
    Place place;
    if (value[0] == 0 && value[1] == 0 && value[2] == 0 && value[3] == 0) continue;
    if (Find(influence, sums, b, v, &place))
      Scatter(&f->beam[b], slab, f->scattered[f->node_rank] + (size_t)SumsTissue(influence, sums, v) * volume, &place,
              value);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy_Factored(Influence influence)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(influence->data));
  PetscFunctionReturn(0);
}

/* Turn the BEV positions of one beam and view into places in its planes, and their third number into the dose's factor. */
static PetscBool PlaceVoxels(Influence influence, PetscInt view, PetscInt b)
{
  const struct Factored_s *f = influence->factored;
  const FactoredBeam *fb = &f->beam[b];
  const Beam *beam = &influence->model->beams->beam[b];
  double *bev = influence->bev_mm + 3 * SightIndex(influence, view, b);
  PetscBool seen = PETSC_FALSE;
  for (PetscInt v = 0; v < influence->n; v++, bev += 3) {
    const double shrink = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev[2]) : 1;
    bev[0] = (bev[0] * shrink - fb->u0_mm) / f->step_mm;
    bev[1] = (bev[1] * shrink - fb->v0_mm) / f->step_mm;
    bev[2] = shrink * shrink;
    if (TapsInside(bev[0], fb->nu) && TapsInside(bev[1], fb->nv)) seen = PETSC_TRUE;
  }
  return fb->nz ? seen : PETSC_FALSE;
}

PetscErrorCode InfluenceCreate_Factored(Influence influence)
{
  PetscFunctionBegin;
  const PetscInt n_beam = influence->model->beams->n_beam, n_view = influence->set->n_view;
  unsigned char *seen;
  PetscCall(PetscMalloc1(n_view * n_beam, &seen));
  for (PetscInt k = 0; k < n_view; k++)
    for (PetscInt b = 0; b < n_beam; b++) seen[k * n_beam + b] = PlaceVoxels(influence, k, b) ? 1 : 0;
  influence->data = seen;
  influence->apply = Apply_Factored;
  influence->apply_all = ApplyAll_Factored;
  influence->transpose = ApplyTranspose_Factored;
  influence->destroy = Destroy_Factored;
  PetscFunctionReturn(0);
}
