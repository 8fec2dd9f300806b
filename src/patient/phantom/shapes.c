/* Phantoms made of a few shapes: their CT is symmetric about the origin, a voxel belongs to a shape if its centre does. */
#include "phantom_private.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>

PetscBool InCylinder(double axis_x_mm, double axis_y_mm, double radius_mm, double length_mm, const double x_mm[3])
{
  double x = x_mm[0] - axis_x_mm, y = x_mm[1] - axis_y_mm, radius = radius_mm + ROUNDING_MM;
  return x * x + y * y <= radius * radius && fabs(x_mm[2]) <= 0.5 * length_mm + ROUNDING_MM;
}

PetscBool InRing(double inner_mm, double outer_mm, double length_mm, const double x_mm[3])
{
  return InCylinder(0, 0, outer_mm, length_mm, x_mm) && !InCylinder(0, 0, inner_mm, length_mm, x_mm);
}

/* Voxels symmetric about the origin. */
static PetscErrorCode LayOutCT(const Shapes *shapes, double spacing_mm, const char *name, Mistakes *mistakes, Grid *ct,
                               PetscBool *good)
{
  PetscFunctionBegin;
  double total = 1;
  for (int k = 0; k < 3; k++) {
    double odd = shapes->centred[k] ? 1 : 0;
    double half = (0.5 * shapes->size_mm[k] + shapes->air_mm) / spacing_mm;
    double count = 2 * ceil(half - 0.5 * odd - 1e-9) + odd;
    total *= count;
    if (total > INT_MAX) break;
    ct->n[k] = (PetscInt)count;
    ct->spacing_mm[k] = spacing_mm;
    ct->origin_mm[k] = -0.5 * (count - 1) * spacing_mm;
  }
  *good = total <= INT_MAX ? PETSC_TRUE : PETSC_FALSE;
  if (!*good)
    PetscCall(
        MistakesAdd(mistakes, ROBION_STUDY,
                    "%s: a phantom of %g x %g x %g mm with CT voxels of %g mm has more than the %d voxels allowed",
                    name, shapes->size_mm[0], shapes->size_mm[1], shapes->size_mm[2], spacing_mm, INT_MAX));
  PetscFunctionReturn(0);
}

static PetscErrorCode FillVoxels(const Shapes *shapes, const void *keys, Case *patient)
{
  PetscFunctionBegin;
  HLUT hlut;
  size_t n = GridSize(&patient->ct);
  PetscCall(HLUTDefault(&hlut));
  PetscCall(PetscMalloc1(n, &patient->hu));
  PetscCall(PetscMalloc1(n, &patient->rsp));
  for (PetscInt s = 0; s < shapes->n; s++) PetscCall(PetscMalloc1(n, &patient->structures[s].mask));
  for (size_t v = 0; v < n; v++) {
    double x_mm[3], rsp = RSP_AIR;
    GridCentre(&patient->ct, v, x_mm);
    for (PetscInt s = 0; s < shapes->n; s++) patient->structures[s].mask[v] = shapes->inside(keys, s, x_mm);
    if (patient->structures[BODY].mask[v]) rsp = shapes->rsp ? shapes->rsp(keys, x_mm) : 1;
    patient->rsp[v] = (float)rsp;
    patient->hu[v] = (short)lround(HLUTInvert(&hlut, rsp));
  }
  PetscCall(PetscFree(hlut.point));
  PetscFunctionReturn(0);
}

PetscErrorCode ShapesBuild(const Shapes *shapes, const char *what, double ct_spacing_mm, const void *keys,
                           Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  char text[256];
  PetscBool good;
  PetscCall(LayOutCT(shapes, ct_spacing_mm, patient->name, mistakes, &patient->ct, &good));
  if (!good || !GridFits(&patient->ct, sizeof *patient->hu + sizeof *patient->rsp + shapes->n, patient->name, mistakes))
    PetscFunctionReturn(0);
  snprintf(text, sizeof text, "phantom %s, %g x %g x %g mm, CT voxels of %g mm", what, shapes->size_mm[0],
           shapes->size_mm[1], shapes->size_mm[2], ct_spacing_mm);
  PetscCall(PetscStrallocpy(text, &patient->source));
  PetscCall(PetscCalloc1((size_t)shapes->n, &patient->structures));
  patient->n_structures = shapes->n;
  for (PetscInt s = 0; s < shapes->n; s++) {
    PetscCall(PetscStrallocpy(shapes->name[s], &patient->structures[s].name));
    patient->structures[s].role = shapes->role[s];
  }
  PetscCall(FillVoxels(shapes, keys, patient));
  PetscFunctionReturn(0);
}
