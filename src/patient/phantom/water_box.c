/* water-box: a box of water (BODY) in about 10 mm of air, with a centred box as CTV. */
#include "phantom_private.h"
#include <math.h>

typedef struct WaterBox {
  double ct_spacing_mm, size_mm[3], target_mm[3];
} WaterBox;

static const SchemaKey edge = {"edge", TYPE_NUMBER, .unit = "mm", ABOVE(0, 2000), .doc = "edge length"};
static const SchemaKey keys[] = {
    CT_SPACING(WaterBox, "2"),
    {"size_mm", TYPE_LIST, AT(WaterBox, size_mm), .min_length = 3, .max_length = 3, .element = &edge,
     .fallback = "[200, 200, 200]", .doc = "outer size along x, y, z"},
    {"target_mm", TYPE_LIST, AT(WaterBox, target_mm), .min_length = 3, .max_length = 3, .element = &edge,
     .fallback = "[50, 50, 50]", .doc = "size of the central target along x, y, z"},
};

static PetscBool Inside(const void *of, PetscInt shape, const double x_mm[3])
{
  const WaterBox *box = of;
  const double *size_mm = shape == BODY ? box->size_mm : box->target_mm;
  for (int k = 0; k < 3; k++)
    if (fabs(x_mm[k]) > 0.5 * size_mm[k] + ROUNDING_MM) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* A target that the CT shows, and that is in the box. */
static PetscErrorCode CheckTarget(const WaterBox *box, const char *name, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (int k = 0; k < 3; k++)
    if (box->target_mm[k] < box->ct_spacing_mm || box->target_mm[k] > box->size_mm[k])
      PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                            "%s: along %c the target is %g mm in a box of %g mm, expected at least one CT voxel (%g "
                            "mm) and at most the box",
                            name, "xyz"[k], box -> target_mm[k], box -> size_mm[k], box -> ct_spacing_mm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const WaterBox *box = of;
  const PetscInt before = mistakes->n;
  const Shapes shapes = {.n = 2,
                         .name = {"BODY", "CTV"},
                         .role = {ROLE_EXTERNAL, ROLE_TARGET},
                         .inside = Inside,
                         .size_mm = {box->size_mm[0], box->size_mm[1], box->size_mm[2]},
                         .air_mm = 10};
  PetscCall(CheckTarget(box, patient->name, mistakes));
  if (mistakes->n == before) PetscCall(ShapesBuild(&shapes, "water-box", box->ct_spacing_mm, box, mistakes, patient));
  PetscFunctionReturn(0);
}

const Phantom phantom_water_box = {.keys = {"water-box", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(WaterBox),
                                            .doc = "a box of water with a box as CTV"},
                                   .build = Build};
