/*
 * donut: the target of Yagi et al.'s cell survival experiment (PLOS ONE 18(7):e0288545, 2023): a ring of 25 mm inner and 100 mm
 * outer diameter, 100 mm long (CTV) around its Hole, four flasks of cells in the ring and one in the hole. Ours: the body, a
 * water cylinder of 200 mm diameter and 160 mm length along z; the flasks, cylinders of 8 mm radius and 40 mm length, axes 31 mm
 * anterior (Flask1), left (Flask2), posterior (Flask3) and right (Flask4) of the centre, and through it (Flask5, in the hole).
 */
#include "phantom_private.h"

static const double body_radius_mm = 100, body_length_mm = 160, ring_length_mm = 100;
static const double inner_mm = 12.5, outer_mm = 50;
static const double flask_radius_mm = 8, flask_length_mm = 40;
static const double flask_axis_mm[][2] = {{0, -31}, {31, 0}, {0, 31}, {-31, 0}, {0, 0}};

typedef struct Donut {
  double ct_spacing_mm;
} Donut;

static const SchemaKey keys[] = {CT_SPACING(Donut, "1", 10)};

static PetscBool Inside(const void *of, PetscInt shape, const double x_mm[3])
{
  if (shape == BODY) return InCylinder(0, 0, body_radius_mm, body_length_mm, x_mm);
  if (shape == TARGET) return InRing(inner_mm, outer_mm, ring_length_mm, x_mm);
  if (shape == ORGAN) return InCylinder(0, 0, inner_mm - 2 * ROUNDING_MM, ring_length_mm, x_mm);
  const double *axis = flask_axis_mm[shape - ORGAN - 1];
  return InCylinder(axis[0], axis[1], flask_radius_mm, flask_length_mm, x_mm);
}

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  static const Shapes shapes = {
      .n = 8,
      .name = {"BODY", "CTV", "Hole", "Flask1", "Flask2", "Flask3", "Flask4", "Flask5"},
      .role = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR},
      .inside = Inside,
      .size_mm = {200, 200, 160},
      .centred = {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE},
      .air_mm = 8};
  const Donut *donut = of;
  PetscCall(ShapesBuild(&shapes, "donut", donut->ct_spacing_mm, donut, mistakes, patient));
  PetscFunctionReturn(0);
}

const Phantom phantom_donut = {.keys = {"donut", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(Donut),
                                        .doc = "a ring of water as CTV, flasks of cells in it"},
                               .build = Build};
