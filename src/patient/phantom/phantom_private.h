/* Built-in phantoms: a row here and a file each. */
#pragma once
#include "robion/phantom.h"

#define PHANTOMS(ROW)                                                                                                  \
  ROW("water-box", phantom_water_box)                                                                                  \
  ROW("rtog", phantom_rtog)                                                                                            \
  ROW("donut", phantom_donut)                                                                                          \
  ROW("chordoma", phantom_chordoma)

#define DECLARE_PHANTOM(name, object) extern const Phantom object;
PHANTOMS(DECLARE_PHANTOM)

/* The key that all phantoms have, of the struct S; `most`: the coarsest CT that still shows the phantom. */
#define CT_SPACING(S, usual, most)                                                                                     \
  {                                                                                                                    \
    .name = "ct_spacing_mm", .type = TYPE_NUMBER, AT(S, ct_spacing_mm), .unit = "mm", FROM(0.25, most),                \
    .fallback = usual, .doc = "CT voxel of the phantom"                                                                \
  }

/* --- phantoms that are a few shapes about the origin (shapes.c) --- */

enum { MOST_SHAPES = 8 };
enum { BODY, TARGET, ORGAN }; /* the first shapes, as far as a phantom has them */

/* Voxel centres on a face count as inside on every side, whatever the rounding of their coordinates. */
#define ROUNDING_MM 1e-6

/* Coordinates are relative to the centre. */
typedef struct Shapes {
  PetscInt n;
  const char *name[MOST_SHAPES];
  Role role[MOST_SHAPES];
  PetscBool (*inside)(const void *keys, PetscInt shape, const double x_mm[3]);
  double (*rsp)(const void *keys, const double x_mm[3]); /* inside BODY; NULL: water */
  double size_mm[3];                                     /* of BODY */
  PetscBool centred[3];                                  /* the origin is a voxel centre along this axis, else a wall */
  double air_mm;                                         /* around it, at least */
} Shapes;

/* Fill the case; `what`: "rtog with inserts", for its source. */
PetscErrorCode ShapesBuild(const Shapes *shapes, const char *what, double ct_spacing_mm, const void *keys,
                           Mistakes *mistakes, Case *patient);

/* Upright along z, its axis through (x, y); and a ring around the origin. */
PetscBool InCylinder(double axis_x_mm, double axis_y_mm, double radius_mm, double length_mm, const double x_mm[3]);
PetscBool InRing(double inner_mm, double outer_mm, double length_mm, const double x_mm[3]);
