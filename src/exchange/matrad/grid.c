/*
 * Where a matRad patient's voxels lie.
 *
 * ct.resolution.x, .y, .z in mm; ct.x, ct.y, ct.z are the world axes (DICOM LPS). Without them (one that is empty or missing will do)
 * matRad_getWorldAxes.m puts the first voxel at ct.dicomInfo.ImagePositionPatient, or else at -resolution * n / 2.
 */
#include "matrad_private.h"
#include <math.h>

static const char *const axes[3] = {"x", "y", "z"};

/* The numbers of an axis are n in equal ascending steps of mm; false after a mistake. what: the axis, in messages. */
static PetscBool CheckSteps(const MatRadPatient *s, const char *what, const matvar_t *axis, PetscInt n, double mm)
{
  const double tolerance = 0.01; /* of a step */
  const size_t found = MatlabCount(axis);
  const double first = MatlabElement(axis, 0);
  for (size_t i = 0; i < found; i++) {
    const double here = MatlabElement(axis, i);
    if (found == (size_t)n && fabs(first + (double)i * mm - here) < tolerance * mm) continue;
    (void)MistakesAdd(
        s->mistakes, ROBION_INPUT,
        "%s: ct.%s: %zu positions from %g to %g mm found (the %zu. is %g), expected %d in ascending steps "
        "of %g mm",
        s->file, what, found, first, MatlabElement(axis, found - 1), i + 1, here, (int)n, mm);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Voxel sizes; false after a mistake. */
static PetscBool TakeSpacing(const MatRadPatient *s, Grid *ct)
{
  matvar_t *resolution = MatlabField(s->ct, "resolution", 0);
  for (int k = 0; k < 3; k++) {
    const matvar_t *size = MatlabField(resolution, axes[k], 0);
    ct->spacing_mm[k] = MatlabCount(size) == 1 ? MatlabElement(size, 0) : NAN;
    if (ct->spacing_mm[k] > 0 && !isinf(ct->spacing_mm[k])) continue;
    (void)MistakesAdd(s->mistakes, ROBION_INPUT, "%s: ct.resolution.%s: %g found, expected a voxel size above 0 mm",
                      s->file, axes[k], ct->spacing_mm[k]);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The slices of the DICOM series, where there are as many as in the cube, lie at equal distances; false after a mistake. */
static PetscBool CheckSlices(const MatRadPatient *s, matvar_t *dicom, const Grid *ct)
{
  const matvar_t *slices = MatlabField(dicom, "SlicePositions", 0);
  return MatlabCount(slices) != (size_t)ct->n[2] ||
                 CheckSteps(s, "dicomInfo.SlicePositions", slices, ct->n[2], ct->spacing_mm[2])
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* The first voxel where no world axes say it; false after a mistake. */
static PetscBool TakeOrigin(const MatRadPatient *s, Grid *ct)
{
  matvar_t *dicom = MatlabField(s->ct, "dicomInfo", 0);
  const matvar_t *first = MatlabField(dicom, "ImagePositionPatient", 0);
  for (int k = 0; k < 3; k++) {
    ct->origin_mm[k] = -ct->spacing_mm[k] * ct->n[k] / 2;
    if (!first) continue;
    ct->origin_mm[k] = MatlabCount(first) == 3 ? MatlabElement(first, (size_t)k) : NAN;
    if (isfinite(ct->origin_mm[k])) continue;
    (void)MistakesAdd(s->mistakes, ROBION_INPUT,
                      "%s: ct.dicomInfo.ImagePositionPatient: %zu numbers found, expected 3, all finite", s->file,
                      MatlabCount(first));
    return PETSC_FALSE;
  }
  return CheckSlices(s, dicom, ct);
}

/* Rows and columns of the images run along the patient's axes: matRad has turned the others, but not what it says of them. */
static PetscBool CheckOrientation(const MatRadPatient *s)
{
  const matvar_t *cosines = MatlabField(MatlabField(s->ct, "dicomInfo", 0), "ImageOrientationPatient", 0);
  const double along[6] = {1, 0, 0, 0, 1, 0};
  if (MatlabCount(cosines) != 6) return PETSC_TRUE;
  for (size_t i = 0; i < 6; i++) {
    if (fabs(fabs(MatlabElement(cosines, i)) - along[i]) < 1e-3) continue;
    (void)MistakesAdd(
        s->mistakes, ROBION_INPUT,
        "%s: ct.dicomInfo.ImageOrientationPatient: %g found in place %zu, expected rows and columns along "
        "the patient's axes",
        s->file, MatlabElement(cosines, i), i + 1);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Counts, sizes and origin of the cube's voxels; false after a mistake. */
static PetscBool TakeGrid(const MatRadPatient *s, const matvar_t *cube, Grid *ct)
{
  const matvar_t *axis[3];
  PetscBool given = PETSC_TRUE;
  ct->n[0] = (PetscInt)cube->dims[1];
  ct->n[1] = (PetscInt)cube->dims[0];
  ct->n[2] = cube->rank == 3 ? (PetscInt)cube->dims[2] : 1;
  if (!TakeSpacing(s, ct) || !CheckOrientation(s)) return PETSC_FALSE;
  for (int k = 0; k < 3; k++) {
    axis[k] = MatlabField(s->ct, axes[k], 0);
    if (!MatlabCount(axis[k])) given = PETSC_FALSE;
  }
  if (!given) return TakeOrigin(s, ct);
  for (int k = 0; k < 3; k++) {
    if (!CheckSteps(s, axes[k], axis[k], ct->n[k], ct->spacing_mm[k])) return PETSC_FALSE;
    ct->origin_mm[k] = MatlabElement(axis[k], 0);
  }
  return PETSC_TRUE;
}

PetscBool MatRadTakeGrid(const MatRadPatient *s, const matvar_t *cube, Grid *ct)
{
  return TakeGrid(s, cube, ct) && GridCheck(ct, s->file, s->mistakes) ? PETSC_TRUE : PETSC_FALSE;
}
