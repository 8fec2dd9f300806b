/* Voxels of a block look the planes of the factored operator up, and scatter into them. */
#include "factored.h"
#include <math.h>
#include <string.h>

typedef long long FourInts __attribute__((vector_size(32), aligned(8)));

/* The 64 coefficients around a place, and the factor of what they sum to. */
typedef struct Place {
  size_t first; /* of the lowest, in Fours */
  double u[4], v[4], z[4];
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

/* False where the coordinate's taps leave the box. */
static inline PetscBool PlaceLaterally(double x_mm, double x0_mm, double step_mm, PetscInt n, PetscInt *first,
                                       double w[4])
{
  const double t = (x_mm - x0_mm) / step_mm;
  if (!(t >= 1 && t < (double)(n - 2))) return PETSC_FALSE;
  const PetscInt i = (PetscInt)t;
  SplineWeights(t - (double)i, w);
  *first = i - 1;
  return PETSC_TRUE;
}

/* False behind the last plane. */
static inline PetscBool PlaceInDepth(const FactoredBeam *fb, double z, PetscInt *first, double w[4])
{
  if (!(z <= fb->z_mm[fb->nz - 1])) return PETSC_FALSE;
  PetscInt i = fb->bin[(PetscInt)(z / BIN_MM)];
  while (i + 2 < fb->nz && fb->z_mm[i + 1] <= z) i++;
  i = PetscClipInterval(i - 1, 0, fb->nz - 4);
  const double a = z - fb->z_mm[i], b = z - fb->z_mm[i + 1], c = z - fb->z_mm[i + 2], d = z - fb->z_mm[i + 3];
  const double *r = fb->reciprocal[i];
  w[0] = b * c * d * r[0];
  w[1] = a * c * d * r[1];
  w[2] = a * b * d * r[2];
  w[3] = a * b * c * r[3];
  *first = i;
  return PETSC_TRUE;
}

/* Where voxel v looks beam b up in a scenario; false if no dose reaches it. */
static inline PetscBool Find(Influence influence, PetscInt scenario, PetscInt b, PetscInt v, Place *place)
{
  const struct Factored_s *f = influence->factored;
  const FactoredBeam *fb = &f->beam[b];
  const Beam *beam = &influence->model->beams->beam[b];
  const size_t at = SightIndex(influence, influence->set->setup_of[scenario], b) + (size_t)v;
  const double *bev = influence->bev_mm + 3 * at;
  const double shrink = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev[2]) : 1;
  PetscInt iu, iv, iz;
  if (!fb->nz || !PlaceLaterally(bev[0] * shrink, fb->u0_mm, f->step_mm, fb->nu, &iu, place->u) ||
      !PlaceLaterally(bev[1] * shrink, fb->v0_mm, f->step_mm, fb->nv, &iv, place->v) ||
      !PlaceInDepth(fb, PetscMax(0.0, ScenarioDepth_mm(influence, scenario, at)), &iz, place->z))
    return PETSC_FALSE;
  for (int k = 0; k < 4; k++) place->z[k] *= shrink * shrink;
  place->first = fb->at + (size_t)influence->tissue[v] * fb->volume + (size_t)iz * fb->plane +
                 (size_t)iu * (size_t)fb->nv + (size_t)iv;
  return PETSC_TRUE;
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

static inline void Scatter(const FactoredBeam *fb, int64_t *scattered, const Place *place, Four value)
{
  for (int z = 0; z < 4; z++)
    for (int u = 0; u < 4; u++) {
      const Four part = place->z[z] * place->u[u] * value;
      FourInts *tap = (FourInts *)(void *)(scattered + N_CHANNELS * (place->first + (size_t)z * fb->plane +
                                                                     (size_t)u * (size_t)fb->nv));
      for (int v = 0; v < 4; v++) tap[v] += Rounded(part * place->v[v]);
    }
}

static PetscErrorCode Apply_Factored(Influence influence, PetscInt scenario, const double *weight, double *channels)
{
  PetscFunctionBegin;
  const struct Factored_s *f = influence->factored;
  for (PetscInt v = 0; v < influence->n; v++) {
    Four sum = {0};
    Place place;
    for (PetscInt b = 0; b < influence->model->beams->n_beam; b++)
      if (Find(influence, scenario, b, v, &place)) sum += Gather(&f->beam[b], f->volume, &place);
    *(Four *)(channels + v * N_CHANNELS) = sum;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyTranspose_Factored(Influence influence, PetscInt scenario, const double *cotangent,
                                              double *gradient)
{
  PetscFunctionBegin;
  const struct Factored_s *f = influence->factored;
  Four scale;
  for (int c = 0; c < N_CHANNELS; c++) scale[c] = 1 / f->unit[c];
  for (PetscInt v = 0; v < influence->n; v++) {
    const Four value = *(const Four *)(cotangent + v * N_CHANNELS) * scale;
    Place place;
    if (value[0] == 0 && value[1] == 0 && value[2] == 0 && value[3] == 0) continue;
    for (PetscInt b = 0; b < influence->model->beams->n_beam; b++)
      if (Find(influence, scenario, b, v, &place)) Scatter(&f->beam[b], f->scattered[f->node_rank], &place, value);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy_Factored(Influence influence)
{
  return 0;
}

PetscErrorCode InfluenceCreate_Factored(Influence influence)
{
  PetscFunctionBegin;
  influence->apply = Apply_Factored;
  influence->transpose = ApplyTranspose_Factored;
  influence->destroy = Destroy_Factored;
  PetscFunctionReturn(0);
}
