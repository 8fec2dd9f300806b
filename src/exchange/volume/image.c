/* Images on grids of their own, from NIfTI and HDF5. */
#include "robion/exchange.h"
#include "robion/hdf5.h"
#include <limits.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#ifdef ROBION_NIFTI
#include <nifti2_io.h>
#endif

static PetscBool EndsWith(const char *file, const char *ending)
{
  size_t n = strlen(file), k = strlen(ending);
  return n > k && !strcasecmp(file + n - k, ending) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool AllFinite(const char *file, const Image *image, Mistakes *mistakes)
{
  size_t bad = 0, n = GridSize(&image->grid) * (size_t)image->n_volume;
  for (size_t v = 0; v < n; v++) bad += !isfinite(image->value[v]);
  if (bad)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %zu of %zu values are not finite, expected numbers", file, bad, n);
  return bad ? PETSC_FALSE : PETSC_TRUE;
}

#ifdef ROBION_NIFTI

/* Which axis of the patient each axis of the image runs along, and which way. */
typedef struct Axes {
  int of[3]; /* of image axis i: patient axis */
  PetscBool reversed[3];
} Axes;

/* Voxel axes of the image as patient axes, and the grid they make; false after a mistake. */
static PetscBool FindAxes(const char *file, const nifti_image *nim, Mistakes *mistakes, Axes *axes, Grid *grid)
{
  const double parallel = 1e-3;
  double m[3][4];
  PetscBool used[3] = {PETSC_FALSE, PETSC_FALSE, PETSC_FALSE};
  const int64_t n[3] = {nim->nx, nim->ny, PetscMax(1, nim->nz)};
  for (int r = 0; r < 3; r++)
    for (int c = 0; c < 4; c++)
      m[r][c] = (r < 2 ? -1 : 1) * (double)(nim->sform_code > 0 ? nim->sto_xyz.m[r][c] : nim->qto_xyz.m[r][c]);
  for (int i = 0; i < 3; i++) {
    double length = sqrt(m[0][i] * m[0][i] + m[1][i] * m[1][i] + m[2][i] * m[2][i]);
    int along = 0;
    for (int r = 1; r < 3; r++)
      if (fabs(m[r][i]) > fabs(m[along][i])) along = r;
    if (!(length > 0) || !isfinite(length) || used[along] || fabs(m[along][i]) < length * (1 - parallel * parallel)) {
      (void)MistakesAdd(
          mistakes, ROBION_INPUT,
          "%s: image axis %d runs along (%g, %g, %g) mm in LPS, expected the patient's axes: resample the "
          "image to them first",
          file, i + 1, m[0][i], m[1][i], m[2][i]);
      return PETSC_FALSE;
    }
    used[along] = PETSC_TRUE;
    axes->of[i] = along;
    axes->reversed[i] = m[along][i] < 0 ? PETSC_TRUE : PETSC_FALSE;
    grid->n[along] = (PetscInt)n[i];
    grid->spacing_mm[along] = fabs(m[along][i]);
    grid->origin_mm[along] = m[along][3] + (m[along][i] < 0 ? m[along][i] * (double)(n[i] - 1) : 0);
  }
  return PETSC_TRUE;
}

/* A stored number of any of NIfTI's scalar types; NAN for others. */
static double Stored(const nifti_image *nim, size_t v)
{
  switch (nim->datatype) {
  case NIFTI_TYPE_UINT8:
    return ((const uint8_t *)nim->data)[v];
  case NIFTI_TYPE_INT8:
    return ((const int8_t *)nim->data)[v];
  case NIFTI_TYPE_INT16:
    return ((const int16_t *)nim->data)[v];
  case NIFTI_TYPE_UINT16:
    return ((const uint16_t *)nim->data)[v];
  case NIFTI_TYPE_INT32:
    return ((const int32_t *)nim->data)[v];
  case NIFTI_TYPE_UINT32:
    return ((const uint32_t *)nim->data)[v];
  case NIFTI_TYPE_FLOAT32:
    return (double)((const float *)nim->data)[v];
  case NIFTI_TYPE_FLOAT64:
    return ((const double *)nim->data)[v];
  default:
    return NAN;
  }
}

/* Values in the order of the grid, scaled as the header says. */
static void TakeValues(const nifti_image *nim, const Axes *axes, Image *image)
{
  const double slope = nim->scl_slope != 0 ? nim->scl_slope : 1, offset = nim->scl_slope != 0 ? nim->scl_inter : 0;
  size_t v = 0, size = GridSize(&image->grid);
  for (PetscInt volume = 0; volume < image->n_volume; volume++)
    for (int64_t k = 0; k < PetscMax(1, nim->nz); k++)
      for (int64_t j = 0; j < nim->ny; j++)
        for (int64_t i = 0; i < nim->nx; i++, v++) {
          const int64_t at[3] = {i, j, k};
          PetscInt to[3] = {0, 0, 0};
          for (int a = 0; a < 3; a++) {
            const PetscInt n = image->grid.n[axes->of[a]];
            to[axes->of[a]] = axes->reversed[a] ? n - 1 - (PetscInt)at[a] : (PetscInt)at[a];
          }
          image->value[(size_t)volume * size + GridIndex(&image->grid, to[0], to[1], to[2])] =
              (float)(offset + slope * Stored(nim, v));
        }
}

/* Metres and micrometres are said in the header. */
static double MillimetresPerUnit(const nifti_image *nim)
{
  return nim->xyz_units == NIFTI_UNITS_METER ? 1e3 : nim->xyz_units == NIFTI_UNITS_MICRON ? 1e-3 : 1;
}

static PetscBool ReadNIfTI(const char *file, Mistakes *mistakes, Image *image)
{
  Axes axes;
  nifti_set_debug_level(0);
  nifti_image *nim = nifti_image_read(file, 1);
  if (!nim || !nim->data || nim->nvox < 1 || nim->nvox > INT_MAX || nim->nx < 1 || nim->ny < 1) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read as NIfTI, or has no voxels", file);
    if (nim) nifti_image_free(nim);
    return PETSC_FALSE;
  }
  PetscBool good = FindAxes(file, nim, mistakes, &axes, &image->grid);
  if (good && (nim->sform_code <= 0 && nim->qform_code <= 0)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: neither sform nor qform says where the image lies, expected one",
                      file);
    good = PETSC_FALSE;
  }
  for (int k = 0; good && k < 3; k++) {
    image->grid.spacing_mm[k] *= MillimetresPerUnit(nim);
    image->grid.origin_mm[k] *= MillimetresPerUnit(nim);
  }
  if (good) {
    image->n_volume = (PetscInt)((size_t)nim->nvox / GridSize(&image->grid));
    good = PetscMalloc1((size_t)nim->nvox, &image->value) ? PETSC_FALSE : PETSC_TRUE;
  }
  if (good) TakeValues(nim, &axes, image);
  nifti_image_free(nim);
  return good;
}

#else

static PetscBool ReadNIfTI(const char *file, Mistakes *mistakes, Image *image)
{
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: this robion was built without the NIfTI library (Debian: libnifti2-dev)", file);
  return PETSC_FALSE;
}

#endif

/* True if the dataset /image has four dimensions. */
static PetscBool HasVolumes(const H5Source *source)
{
  int rank = 0;
  H5E_BEGIN_TRY
  {
    hid_t data = H5Dopen2(source->id, "/image", H5P_DEFAULT);
    if (data >= 0) {
      hid_t space = H5Dget_space(data);
      rank = H5Sget_simple_extent_ndims(space);
      H5Sclose(space);
      H5Dclose(data);
    }
  }
  H5E_END_TRY
  return rank == 4 ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool ReadHDF5(const char *file, Mistakes *mistakes, Image *image)
{
  H5Source source;
  hsize_t dims[4] = {0};
  Grid *grid = &image->grid;
  if (!H5SourceOpen(file, mistakes, &source)) return PETSC_FALSE;
  const PetscInt rank = HasVolumes(&source) ? 4 : 3;
  PetscBool good = H5ReadArray(&source, "/image", H5T_NATIVE_FLOAT, (int)rank, dims, &image->value, mistakes);
  if (good) good = H5ReadAttribute(&source, "/image", "spacing_mm", 3, grid->spacing_mm, mistakes);
  if (good) good = H5ReadAttribute(&source, "/image", "origin_mm", 3, grid->origin_mm, mistakes);
  H5SourceClose(&source);
  for (int k = 0; good && k < 3; k++) {
    grid->n[k] = (PetscInt)dims[rank - 1 - k];
    if (isfinite(grid->spacing_mm[k]) && grid->spacing_mm[k] > 0 && isfinite(grid->origin_mm[k])) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: /image: spacing_mm is %g and origin_mm %g along %c, expected numbers, the first above 0",
                      file, grid->spacing_mm[k], grid->origin_mm[k], "xyz"[k]);
    good = PETSC_FALSE;
  }
  image->n_volume = rank == 4 ? (PetscInt)dims[0] : 1;
  return good;
}

PetscBool ImageRead(const char *file, Mistakes *mistakes, Image *image)
{
  *image = (Image){.value = NULL};
  const PetscBool nifti = EndsWith(file, ".nii") || EndsWith(file, ".nii.gz") || EndsWith(file, ".hdr");
  PetscBool good = nifti ? ReadNIfTI(file, mistakes, image) : ReadHDF5(file, mistakes, image);
  return good && AllFinite(file, image, mistakes) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode ImageDestroy(Image *image)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(image->value));
  PetscFunctionReturn(0);
}
