/* water-box: a box of water (BODY) in about 10 mm of air, with a centred box as CTV. */
#include "phantom_private.h"
#include "robion/log.h"
#include <math.h>

typedef struct WaterBox {
  double ct_spacing_mm, size_mm[3], target_mm[3];
} WaterBox;

static const SchemaKey edge = {"edge", TYPE_NUMBER, .unit = "mm", ABOVE(0, 2000), .doc = "edge length"};
static const SchemaKey keys[] = {
    CT_SPACING(WaterBox, "2", 10),
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
  for (int k = 0; k < 3; k++) {
    const double target_mm = box->target_mm[k], size_mm = box->size_mm[k];
    if (target_mm >= box->ct_spacing_mm && target_mm <= size_mm) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: along %c the target is %g mm in a box of %g mm, expected at least one CT voxel (%g mm) "
                          "and at most the box",
                          name, "xyz"[k], target_mm, size_mm, box -> ct_spacing_mm));
  }
  PetscFunctionReturn(0);
}

/* A wall of voxels lies at the centre, so that a box is an even number of voxels wide: 50 mm are 52 in voxels of 2 mm. */
static void TellSize(const char *name, const char *structure, double spacing_mm, const double asked_mm[3])
{
  double wide_mm[3];
  PetscBool other = PETSC_FALSE;
  for (int k = 0; k < 3; k++) {
    wide_mm[k] = 2 * spacing_mm * floor((0.5 * asked_mm[k] + ROUNDING_MM) / spacing_mm + 0.5);
    if (fabs(wide_mm[k] - asked_mm[k]) > 1e-3) other = PETSC_TRUE;
  }
  if (other)
    LogLine(LOG_INFO, "case", name, "%s is %g x %g x %g mm in CT voxels of %g mm, %g x %g x %g mm are asked for",
            structure, wide_mm[0], wide_mm[1], wide_mm[2], spacing_mm, asked_mm[0], asked_mm[1], asked_mm[2]);
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
  if (mistakes->n > before) PetscFunctionReturn(0);
  PetscCall(ShapesBuild(&shapes, "water-box", box->ct_spacing_mm, box, mistakes, patient));
  TellSize(patient->name, shapes.name[BODY], box->ct_spacing_mm, box->size_mm);
  TellSize(patient->name, shapes.name[TARGET], box->ct_spacing_mm, box->target_mm);
  PetscFunctionReturn(0);
}

const Phantom phantom_water_box = {.keys = {"water-box", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(WaterBox),
                                            .doc = "a box of water with a box as CTV"},
                                   .build = Build};
