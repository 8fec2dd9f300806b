/*
 * Images on grids of their own, from NIfTI and HDF5. NIfTI's library believes what a header says, so it works in a process of its
 * own (robion/child.h), and the header is judged before anything is made for the voxels that it promises.
 */
#include "robion/exchange.h"
#include "robion/hdf5.h"
#include "robion/text.h"
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#ifdef ROBION_NIFTI
#include <nifti2_io.h>
#endif

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

/* A stored number of any of NIfTI's real types; NAN for others. */
static double Stored(int type, const void *data, size_t v)
{
  switch (type) {
  case NIFTI_TYPE_UINT8:
    return ((const uint8_t *)data)[v];
  case NIFTI_TYPE_INT8:
    return ((const int8_t *)data)[v];
  case NIFTI_TYPE_INT16:
    return ((const int16_t *)data)[v];
  case NIFTI_TYPE_UINT16:
    return ((const uint16_t *)data)[v];
  case NIFTI_TYPE_INT32:
    return ((const int32_t *)data)[v];
  case NIFTI_TYPE_UINT32:
    return ((const uint32_t *)data)[v];
  case NIFTI_TYPE_INT64:
    return (double)((const int64_t *)data)[v];
  case NIFTI_TYPE_UINT64:
    return (double)((const uint64_t *)data)[v];
  case NIFTI_TYPE_FLOAT32:
    return (double)((const float *)data)[v];
  case NIFTI_TYPE_FLOAT64:
    return ((const double *)data)[v];
  default:
    return NAN;
  }
}

/* Whether all integers are numbers that a double holds to the last digit; a mistake if not. */
static PetscBool CheckIntegers(const char *file, const nifti_image *nim, Mistakes *mistakes)
{
  const double most = 9007199254740992; /* 2^53: beyond, not every integer is a double */
  for (size_t v = 0; nifti_is_inttype(nim->datatype) && v < (size_t)nim->nvox; v++) {
    const double value = Stored(nim->datatype, nim->data, v);
    if (fabs(value) < most) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: value %zu is %.17g, expected integers between -2^53 and 2^53", file,
                      v + 1, value);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
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
              (float)(offset + slope * Stored(nim->datatype, nim->data, v));
        }
}

/* Metres and micrometres are said in the header. */
static double MillimetresPerUnit(const nifti_image *nim)
{
  return nim->xyz_units == NIFTI_UNITS_METER ? 1e3 : nim->xyz_units == NIFTI_UNITS_MICRON ? 1e-3 : 1;
}

/* What the header promises can be read: numbers of a known type, as many as the file has if it is not compressed. */
static PetscBool CheckHeader(const char *file, const nifti_image *nim, Mistakes *mistakes)
{
  static const double zero = 0;
  struct stat facts;
  const double bytes = (double)nim->nvox * nim->nbyper;
  const PetscBool apart = nim->iname && !TextHasEnding(nim->iname, ".gz") && !stat(nim->iname, &facts);
  if (nim->nx < 1 || nim->ny < 1 || nim->nz < 0 || nim->nvox < 1 || nim->nvox > INT_MAX ||
      (double)nim->nx * (double)nim->ny * (double)PetscMax(1, nim->nz) > (double)nim->nvox)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has %lld x %lld x %lld voxels, %lld in all, expected 1 to %d", file,
                      (long long)nim->nx, (long long)nim->ny, (long long)nim->nz, (long long)nim->nvox, INT_MAX);
  else if (isnan(Stored(nim->datatype, &zero, 0)))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: holds voxels of type %s, expected real numbers of up to 64 bits",
                      file, nifti_datatype_string(nim->datatype));
  else if (!(isfinite(nim->scl_slope) && isfinite(nim->scl_inter)))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: values are scaled by %g and %g, expected numbers", file,
                      (double)nim->scl_slope, (double)nim->scl_inter);
  else if (apart && (double)nim->iname_offset + bytes > (double)facts.st_size)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: truncated or damaged: its header promises %.0f bytes of voxels",
                      file, bytes);
  else if (nim->sform_code <= 0 && nim->qform_code <= 0)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: neither sform nor qform says where the image lies, expected one",
                      file);
  else
    return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool ReadGrid(const char *file, const nifti_image *nim, Mistakes *mistakes, Axes *axes, Image *image)
{
  Grid *grid = &image->grid;
  if (!CheckHeader(file, nim, mistakes) || !FindAxes(file, nim, mistakes, axes, grid)) return PETSC_FALSE;
  for (int k = 0; k < 3; k++) {
    grid->spacing_mm[k] *= MillimetresPerUnit(nim);
    grid->origin_mm[k] *= MillimetresPerUnit(nim);
  }
  image->n_volume = (PetscInt)((size_t)nim->nvox / GridSize(grid)); /* what is beyond whole volumes is left */
  return GridCheck(grid, file, mistakes);
}

/* In the other process. */
static PetscBool ReadApart(const char *file, Mistakes *mistakes, Image *image)
{
  Axes axes;
  nifti_set_debug_level(0);
  nifti_image *nim = nifti_image_read(file, 0);
  if (!nim) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read as NIfTI", file);
    return PETSC_FALSE;
  }
  if (!ReadGrid(file, nim, mistakes, &axes, image)) return PETSC_FALSE;
  const size_t size = (size_t)image->n_volume * GridSize(&image->grid);
  if (!MistakesMalloc(size * sizeof *image->value, mistakes, &image->value, "%s", file)) return PETSC_FALSE;
  if (nifti_image_load(nim) || !nim->data) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: truncated or damaged: its voxels cannot be read", file);
    return PETSC_FALSE;
  }
  if (!CheckIntegers(file, nim, mistakes)) return PETSC_FALSE;
  TakeValues(nim, &axes, image);
  return PETSC_TRUE;
}

/* Sends whether it is good, mistakes, the image without its values, and these. */
static void SendNIfTI(const Child *self, void *context)
{
  const char *file = context;
  Mistakes mistakes = {0};
  Image image = {.value = NULL};
  const PetscBool good = ReadApart(file, &mistakes, &image);
  const size_t size = (size_t)image.n_volume * GridSize(&image.grid);
  (void)(ChildSend(self, &good, sizeof good) && ChildSendMistakes(self, &mistakes) && good &&
         ChildSend(self, &image, sizeof image) && ChildSend(self, image.value, size * sizeof *image.value));
}

static PetscBool ReceiveNIfTI(const Child *child, const char *file, Mistakes *mistakes, Image *image)
{
  Image sent;
  PetscBool good;
  if (!ChildReceive(child, &good, sizeof good) || !ChildReceiveMistakes(child, mistakes) || !good ||
      !ChildReceive(child, &sent, sizeof sent) || sent.n_volume < 1 || !GridCheck(&sent.grid, file, mistakes))
    return PETSC_FALSE;
  const size_t bytes = (size_t)sent.n_volume * GridSize(&sent.grid) * sizeof *image->value;
  image->grid = sent.grid;
  image->n_volume = sent.n_volume;
  return MistakesMalloc(bytes, mistakes, &image->value, "%s", file) && ChildReceive(child, image->value, bytes)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscBool ImageReadNIfTI(const char *file, Mistakes *mistakes, Image *image)
{
  *image = (Image){.value = NULL};
  Child child;
  if (!FileIsRegular(file, mistakes) || !ChildBegin(file, SendNIfTI, (void *)file, mistakes, &child))
    return PETSC_FALSE;
  const PetscBool good = ReceiveNIfTI(&child, file, mistakes, image);
  return ChildEnd(&child, file, mistakes) && good ? PETSC_TRUE : PETSC_FALSE;
}

#else

PetscBool ImageReadNIfTI(const char *file, Mistakes *mistakes, Image *image)
{
  *image = (Image){.value = NULL};
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: this robion was built without the NIfTI library (Debian: libnifti2-dev)", file);
  return PETSC_FALSE;
}

#endif

PetscBool ImageReadHDF5(const char *file, Mistakes *mistakes, Image *image)
{
  *image = (Image){.value = NULL};
  H5Source source;
  H5Shape shape;
  char where[PETSC_MAX_PATH_LEN];
  hsize_t dims[4] = {0};
  Grid *grid = &image->grid;
  if (!H5SourceOpen(file, mistakes, &source)) return PETSC_FALSE;
  (void)H5SourceShape(&source, "/image", NULL, &shape);
  const PetscInt rank = shape.n == 4 ? 4 : 3;
  PetscBool good = shape.count <= INT_MAX ? PETSC_TRUE : PETSC_FALSE;
  snprintf(where, sizeof where, "%s: /image", file);
  if (!good)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has %lld values, expected at most %d", where, shape.count, INT_MAX);
  if (good) good = H5ReadArray(&source, "/image", H5T_NATIVE_FLOAT, (int)rank, dims, &image->value, mistakes);
  if (good) good = H5ReadAttribute(&source, "/image", "spacing_mm", 3, grid->spacing_mm, mistakes);
  if (good) good = H5ReadAttribute(&source, "/image", "origin_mm", 3, grid->origin_mm, mistakes);
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  for (int k = 0; good && k < 3; k++) grid->n[k] = (PetscInt)dims[rank - 1 - k];
  image->n_volume = rank == 4 ? (PetscInt)dims[0] : 1;
  return good && GridCheck(grid, where, mistakes) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode ImageDestroy(Image *image)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(image->value));
  PetscCall(PetscFree(image->b_s_mm2));
  PetscFunctionReturn(0);
}
