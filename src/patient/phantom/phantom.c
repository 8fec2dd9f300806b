/* Built-in phantoms, computed from shapes. All are centred at the origin. */
#include "phantom_private.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const phantom_names[] = {"water-box", "rtog", "donut", "chordoma"};
const PetscInt n_phantom_names = sizeof phantom_names / sizeof *phantom_names;

enum { N_MASKS = 8 };
static const double smallest_spacing_mm = 0.25, largest_spacing_mm = 10;

/* What one kind of phantom is made of. Coordinates are relative to the centre. */
typedef struct Shapes {
  const char *kind;
  double ct_spacing_mm; /* default */
  PetscInt n;
  const char *name[N_MASKS];
  Role role[N_MASKS];
  PetscBool (*inside)(const PhantomSpec *spec, PetscInt shape, const double x_mm[3]);
  double (*rsp)(const PhantomSpec *spec, const double x_mm[3]); /* inside BODY, the first of the shapes */
  double size_mm[3];                                            /* of BODY; 0: as the specification says */
  PetscBool centred[3]; /* the origin is a voxel centre along this axis, else a wall */
  double air_mm;        /* around it, at least */
  PetscErrorCode (*build)(const PhantomSpec *spec, Mistakes *mistakes,
                          Case *patient); /* in place of all but the spacing */
} Shapes;

enum { BODY, TARGET, ORGAN }; /* the first shapes, as far as a phantom has them */

/* Voxel centres on a face count as inside on every side, whatever the rounding of their coordinates. */
static const double rounding_mm = 1e-6;

static PetscBool InBox(const double size_mm[3], const double x_mm[3])
{
  for (int k = 0; k < 3; k++)
    if (fabs(x_mm[k]) > 0.5 * size_mm[k] + rounding_mm) return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscBool InWaterBox(const PhantomSpec *spec, PetscInt shape, const double x_mm[3])
{
  return InBox(shape == BODY ? spec->size_mm : spec->target_mm, x_mm);
}

static double Water(const PhantomSpec *spec, const double x_mm[3])
{
  return 1;
}

/* RTOG benchmark geometry (case.h gives its source and what is our choice), mm. */
static const double body_radius_mm = 116, body_length_mm = 80;
static const double target_inner_mm = 18, target_outer_mm = 40, organ_radius_mm = 15, target_length_mm = 40;
static const double insert_radius_mm = 10, insert_length_mm = 60, insert_axis_mm = 55;
static const double bone_rsp = 1.53;

/* Upright along z, its axis through (x, y). */
static PetscBool InCylinder(double axis_x_mm, double axis_y_mm, double radius_mm, double length_mm,
                            const double x_mm[3])
{
  double x = x_mm[0] - axis_x_mm, y = x_mm[1] - axis_y_mm, radius = radius_mm + rounding_mm;
  return x * x + y * y <= radius * radius && fabs(x_mm[2]) <= 0.5 * length_mm + rounding_mm;
}

static PetscBool InRing(double inner_mm, double outer_mm, double length_mm, const double x_mm[3])
{
  return InCylinder(0, 0, outer_mm, length_mm, x_mm) && !InCylinder(0, 0, inner_mm, length_mm, x_mm);
}

static PetscBool InRTOG(const PhantomSpec *spec, PetscInt shape, const double x_mm[3])
{
  PetscBool opening = x_mm[1] > fabs(x_mm[0]) + rounding_mm; /* the quarter around +y, posterior */
  if (shape == BODY) return InCylinder(0, 0, body_radius_mm, body_length_mm, x_mm);
  if (shape == ORGAN) return InCylinder(0, 0, organ_radius_mm, target_length_mm, x_mm);
  return !opening && InRing(target_inner_mm, target_outer_mm, target_length_mm, x_mm);
}

static double RTOGMaterial(const PhantomSpec *spec, const double x_mm[3])
{
  if (spec->heterogeneous && InCylinder(-insert_axis_mm, 0, insert_radius_mm, insert_length_mm, x_mm)) return RSP_AIR;
  if (spec->heterogeneous && InCylinder(insert_axis_mm, 0, insert_radius_mm, insert_length_mm, x_mm)) return bone_rsp;
  return 1;
}

/* Donut for cell flasks (case.h gives its source and what is our choice), mm. */
static const double donut_body_radius_mm = 100, donut_body_length_mm = 160, donut_length_mm = 100;
static const double donut_inner_mm = 12.5, donut_outer_mm = 50;
static const double flask_radius_mm = 8, flask_length_mm = 40;
static const double flask_axis_mm[][2] = {{0, -31}, {31, 0}, {0, 31}, {-31, 0}, {0, 0}};

static PetscBool InDonut(const PhantomSpec *spec, PetscInt shape, const double x_mm[3])
{
  if (shape == BODY) return InCylinder(0, 0, donut_body_radius_mm, donut_body_length_mm, x_mm);
  if (shape == TARGET) return InRing(donut_inner_mm, donut_outer_mm, donut_length_mm, x_mm);
  if (shape == ORGAN) return InCylinder(0, 0, donut_inner_mm - 2 * rounding_mm, donut_length_mm, x_mm);
  const double *axis = flask_axis_mm[shape - ORGAN - 1];
  return InCylinder(axis[0], axis[1], flask_radius_mm, flask_length_mm, x_mm);
}

static const Shapes phantoms[] = {
    {.kind = "water-box",
     .ct_spacing_mm = 2,
     .n = 2,
     .name = {"BODY", "CTV"},
     .role = {ROLE_EXTERNAL, ROLE_TARGET},
     .inside = InWaterBox,
     .rsp = Water,
     .air_mm = 10},
    {.kind = "rtog",
     .ct_spacing_mm = 1,
     .n = 3,
     .name = {"BODY", "CTV", "OAR"},
     .role = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR},
     .inside = InRTOG,
     .rsp = RTOGMaterial,
     .size_mm = {232, 232, 80},
     .centred = {PETSC_TRUE, PETSC_TRUE,
                 PETSC_FALSE}, /* round and flat faces both come out best: volumes within 0.8 % */
     .air_mm = 8},
    {.kind = "donut",
     .ct_spacing_mm = 1,
     .n = 8,
     .name = {"BODY", "CTV", "Hole", "Flask1", "Flask2", "Flask3", "Flask4", "Flask5"},
     .role = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR},
     .inside = InDonut,
     .rsp = Water,
     .size_mm = {200, 200, 160},
     .centred = {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE},
     .air_mm = 8},
    {.kind = "chordoma", .ct_spacing_mm = 3, .build = ChordomaBuild},
};

/* The phantom of that kind, or NULL. */
static const Shapes *FindPhantom(const char *kind)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(phantoms); i++)
    if (!strcmp(kind, phantoms[i].kind)) return &phantoms[i];
  return NULL;
}

/* Fill in defaults and refuse what cannot be built. */
static PetscErrorCode CheckSpec(PhantomSpec *spec, const char *name, Mistakes *mistakes, Shapes *shapes,
                                PetscBool *good)
{
  PetscFunctionBegin;
  *good = PETSC_FALSE;
  const Shapes *found = FindPhantom(spec->kind);
  if (!found) {
    const char *nearest = NearestName(spec->kind, n_phantom_names, phantom_names);
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: unknown phantom \"%s\", expected water-box, rtog, donut or chordoma%s%s%s", name,
                          spec->kind, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : ""));
    PetscFunctionReturn(0);
  }
  *shapes = *found;
  if (spec->ct_spacing_mm == 0) spec->ct_spacing_mm = shapes->ct_spacing_mm;
  if (spec->seed == 0) spec->seed = 1;
  if (!(spec->ct_spacing_mm >= smallest_spacing_mm && spec->ct_spacing_mm <= largest_spacing_mm)) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: CT spacing of the phantom is %g mm, expected %g to %g mm", name,
                          spec->ct_spacing_mm, smallest_spacing_mm, largest_spacing_mm));
    PetscFunctionReturn(0);
  }
  *good = PETSC_TRUE;
  for (int k = 0; !found->build && found->size_mm[0] == 0 && k < 3; k++) {
    if (spec->size_mm[k] == 0) spec->size_mm[k] = 200;
    if (spec->target_mm[k] == 0) spec->target_mm[k] = 50;
    shapes->size_mm[k] = spec->size_mm[k];
    if (spec->target_mm[k] >= spec->ct_spacing_mm && spec->target_mm[k] <= spec->size_mm[k] &&
        isfinite(spec->size_mm[k]))
      continue;
    *good = PETSC_FALSE;
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "%s: along %c the target is %g mm in a box of %g mm, expected at least one CT voxel (%g mm) "
                          "and at most the box",
                          name, "xyz"[k], spec -> target_mm[k], spec -> size_mm[k], spec -> ct_spacing_mm));
  }
  PetscFunctionReturn(0);
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

static PetscErrorCode FillVoxels(const Shapes *shapes, const PhantomSpec *spec, Case *patient)
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
    for (PetscInt s = 0; s < shapes->n; s++) patient->structures[s].mask[v] = shapes->inside(spec, s, x_mm);
    if (patient->structures[0].mask[v]) rsp = shapes->rsp(spec, x_mm);
    patient->rsp[v] = (float)rsp;
    patient->hu[v] = (short)lround(HLUTInvert(&hlut, rsp));
  }
  PetscCall(PetscFree(hlut.point));
  PetscFunctionReturn(0);
}

/* Shapes on a CT. */
static PetscErrorCode BuildShapes(const Shapes *shapes, const PhantomSpec *spec, Case *patient)
{
  PetscFunctionBegin;
  char text[256];
  snprintf(text, sizeof text, "phantom %s%s, %g x %g x %g mm, CT voxels of %g mm", spec->kind,
           spec->heterogeneous ? " with inserts" : "", shapes->size_mm[0], shapes->size_mm[1], shapes->size_mm[2],
           spec->ct_spacing_mm);
  PetscCall(PetscStrallocpy(text, &patient->source));
  PetscCall(PetscCalloc1((size_t)shapes->n, &patient->structures));
  patient->n_structures = shapes->n;
  for (PetscInt s = 0; s < shapes->n; s++) {
    PetscCall(PetscStrallocpy(shapes->name[s], &patient->structures[s].name));
    patient->structures[s].role = shapes->role[s];
  }
  PetscCall(FillVoxels(shapes, spec, patient));
  PetscFunctionReturn(0);
}

/* A digital patient. */
static PetscErrorCode BuildPatient(const Shapes *shapes, const PhantomSpec *spec, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  char text[256];
  snprintf(text, sizeof text, "phantom %s, seed %d, CT voxels of %g mm", spec->kind, (int)spec->seed,
           spec->ct_spacing_mm);
  PetscCall(PetscStrallocpy(text, &patient->source));
  PetscCall((*shapes->build)(spec, mistakes, patient));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseBuildPhantom(const PhantomSpec *spec, const char *name, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  PhantomSpec full = *spec;
  Shapes shapes;
  Grid ct = {{0}, {0}, {0}};
  PetscBool good;
  Case *patient;
  *out = NULL;
  PetscCall(CheckSpec(&full, name, mistakes, &shapes, &good));
  if (good && !shapes.build) PetscCall(LayOutCT(&shapes, full.ct_spacing_mm, name, mistakes, &ct, &good));
  if (!good) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(1, &patient));
  patient->ct = ct;
  PetscCall(PetscStrallocpy(name, &patient->name));
  if (shapes.build)
    PetscCall(BuildPatient(&shapes, &full, mistakes, patient));
  else
    PetscCall(BuildShapes(&shapes, &full, patient));
  *out = patient;
  PetscFunctionReturn(0);
}
