/*
 * rtog: the RTOG benchmark geometry as used by Yagi et al. (PLOS ONE 18(7):e0288545, 2023) for fields at gantry 0, 90, 270.
 * BODY: water cylinder, 232 mm in diameter and 80 mm long, axis along z, in about 8 mm of air. CTV: annulus of radii 18 to
 * 40 mm, 40 mm long, over 270 degrees, open towards posterior, so that each field meets it before the OAR. OAR: cylinder of
 * radius 15 mm, 40 mm long, on the axis. (The publication's 18, 40 mm as diameters would not hold its 30 mm OAR.)
 * heterogeneous: the publication has air (RSP 0.001) and bone (RSP 1.53) beside the CTV at places shown only in a figure.
 * Ours are cylinders of 20 mm diameter along z, 60 mm long, with axes at x = -55 mm, y = 0 (air, patient's right, in the
 * 270 degree field) and x = +55 mm, y = 0 (bone, patient's left, in the 90 degree field): 5 mm from the CTV.
 */
#include "phantom_private.h"
#include <math.h>

static const double body_radius_mm = 116, body_length_mm = 80;
static const double target_inner_mm = 18, target_outer_mm = 40, organ_radius_mm = 15, target_length_mm = 40;
static const double insert_radius_mm = 10, insert_length_mm = 60, insert_axis_mm = 55;
static const double bone_rsp = 1.53;

typedef struct RTOG {
  double ct_spacing_mm;
  PetscBool heterogeneous;
} RTOG;

static const SchemaKey keys[] = {
    CT_SPACING(RTOG, "1", 10),
    {"heterogeneous", TYPE_FLAG, AT(RTOG, heterogeneous), .fallback = "false",
     .doc = "air and bone inserts beside the CTV"},
};

static PetscBool Inside(const void *of, PetscInt shape, const double x_mm[3])
{
  PetscBool opening = x_mm[1] > fabs(x_mm[0]) + ROUNDING_MM; /* the quarter around +y, posterior */
  if (shape == BODY) return InCylinder(0, 0, body_radius_mm, body_length_mm, x_mm);
  if (shape == ORGAN) return InCylinder(0, 0, organ_radius_mm, target_length_mm, x_mm);
  return !opening && InRing(target_inner_mm, target_outer_mm, target_length_mm, x_mm);
}

static double Material(const void *of, const double x_mm[3])
{
  const RTOG *rtog = of;
  if (rtog->heterogeneous && InCylinder(-insert_axis_mm, 0, insert_radius_mm, insert_length_mm, x_mm)) return RSP_AIR;
  if (rtog->heterogeneous && InCylinder(insert_axis_mm, 0, insert_radius_mm, insert_length_mm, x_mm)) return bone_rsp;
  return 1;
}

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  static const Shapes shapes = {.n = 3,
                                .name = {"BODY", "CTV", "OAR"},
                                .role = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR},
                                .inside = Inside,
                                .rsp = Material,
                                .size_mm = {232, 232, 80},
                                /* round and flat faces both come out best: volumes within 0.8 % */
                                .centred = {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE},
                                .air_mm = 8};
  const RTOG *rtog = of;
  PetscCall(ShapesBuild(&shapes, rtog->heterogeneous ? "rtog with inserts" : "rtog", rtog->ct_spacing_mm, rtog,
                        mistakes, patient));
  PetscFunctionReturn(0);
}

const Phantom phantom_rtog = {.keys = {"rtog", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(RTOG),
                                       .doc = "the RTOG benchmark: a C-shaped CTV around an OAR"},
                              .build = Build};
