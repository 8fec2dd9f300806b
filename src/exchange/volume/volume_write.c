/*
 * Volumes for viewers: a short header, then the values as they are in memory (x fastest), in one file. Headers after the formats'
 * own descriptions: NIfTI-1 (nifti.nimh.nih.gov, nifti1.h), NRRD (teem.sourceforge.net/nrrd/format.html), MetaImage (itk.org).
 */
#include "robion/exchange.h"
#include "robion/text.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint16_t byte_order = 1;

static PetscBool IsLittleEndian(void)
{
  return *(const uint8_t *)&byte_order == 1 ? PETSC_TRUE : PETSC_FALSE;
}

/* Header and values to a file, at once. */
static PetscErrorCode WriteFile(const void *header, size_t length, const Volume *volume, const char *file,
                                Mistakes *mistakes)
{
  PetscFunctionBegin;
  const size_t size = GridSize(&volume->grid) * sizeof(float);
  char *content;
  PetscCall(PetscMalloc1(length + size, &content));
  memcpy(content, header, length);
  memcpy(content + length, volume->value, size);
  (void)FileReplace(file, content, length + size, mistakes);
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

/* The header of NIfTI-1, byte for byte. */
typedef struct NIfTIHeader {
  int32_t sizeof_hdr;
  char data_type[10], db_name[18];
  int32_t extents;
  int16_t session_error;
  char regular, dim_info;
  int16_t dim[8];
  float intent_p[3];
  int16_t intent_code, datatype, bitpix, slice_start;
  float pixdim[8];
  float vox_offset, scl_slope, scl_inter;
  int16_t slice_end;
  char slice_code, xyzt_units;
  float cal_max, cal_min, slice_duration, toffset;
  int32_t glmax, glmin;
  char descrip[80], aux_file[24];
  int16_t qform_code, sform_code;
  float quatern[3], qoffset[3];
  float srow[3][4];
  char intent_name[16], magic[4];
  char extension[4];
} NIfTIHeader;
_Static_assert(sizeof(NIfTIHeader) == 352, "a NIfTI-1 header and its extension flag take 352 bytes");

enum { NIFTI_FLOAT32 = 16, NIFTI_MM = 2, NIFTI_SCANNER = 1, NIFTI_LONGEST = 32767 };

/* RAS is LPS turned by 180 degrees about z: the quaternion (0, 0, 0, 1). */
static void PlaceNIfTI(const Grid *grid, NIfTIHeader *h)
{
  h->qform_code = h->sform_code = NIFTI_SCANNER;
  h->pixdim[0] = h->quatern[2] = 1;
  for (int a = 0; a < 3; a++) {
    const float sign = a < 2 ? -1 : 1;
    h->dim[1 + a] = (int16_t)grid->n[a];
    h->pixdim[1 + a] = (float)grid->spacing_mm[a];
    h->qoffset[a] = h->srow[a][3] = sign * (float)grid->origin_mm[a];
    h->srow[a][a] = sign * (float)grid->spacing_mm[a];
  }
}

PetscErrorCode VolumeWriteNIfTI(const Volume *volume, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  NIfTIHeader h;
  const PetscInt *n = volume->grid.n;
  if (PetscMax(n[0], PetscMax(n[1], n[2])) > NIFTI_LONGEST) {
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "%s: more than %d voxels along an axis, which NIfTI-1 cannot say", file, NIFTI_LONGEST));
    PetscFunctionReturn(0);
  }
  memset(&h, 0, sizeof h);
  h.sizeof_hdr = 348;
  h.regular = 'r';
  h.dim[0] = 3;
  for (int i = 4; i < 8; i++) h.dim[i] = 1;
  h.datatype = NIFTI_FLOAT32;
  h.bitpix = 32;
  h.vox_offset = sizeof h;
  h.scl_slope = 1;
  h.xyzt_units = NIFTI_MM;
  snprintf(h.descrip, sizeof h.descrip, "%.50s, %.24s", volume->meaning, volume->unit);
  snprintf(h.intent_name, sizeof h.intent_name, "%.15s", volume->name);
  memcpy(h.magic, "n+1", 4);
  PlaceNIfTI(&volume->grid, &h);
  PetscCall(WriteFile(&h, sizeof h, volume, file, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode VolumeWriteNRRD(const Volume *volume, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Grid *g = &volume->grid;
  Text text = {0};
  PetscCall(TextAdd(&text, "NRRD0004\n# %s: %s\ntype: float\ndimension: 3\nspace: left-posterior-superior\n",
                    volume->name, volume->meaning));
  PetscCall(TextAdd(&text, "sizes: %d %d %d\nspace directions: (%.12g,0,0) (0,%.12g,0) (0,0,%.12g)\n", (int)g->n[0],
                    (int)g->n[1], (int)g->n[2], g->spacing_mm[0], g->spacing_mm[1], g->spacing_mm[2]));
  PetscCall(TextAdd(&text, "space units: \"mm\" \"mm\" \"mm\"\nspace origin: (%.12g,%.12g,%.12g)\n", g->origin_mm[0],
                    g->origin_mm[1], g->origin_mm[2]));
  PetscCall(TextAdd(&text, "kinds: domain domain domain\nendian: %s\nencoding: raw\nunit:=%s\n\n",
                    IsLittleEndian() ? "little" : "big", volume->unit));
  PetscCall(WriteFile(text.data, text.length, volume, file, mistakes));
  PetscCall(TextDestroy(&text));
  PetscFunctionReturn(0);
}

PetscErrorCode VolumeWriteMetaImage(const Volume *volume, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Grid *g = &volume->grid;
  Text text = {0};
  PetscCall(TextAdd(&text, "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = %s\n",
                    IsLittleEndian() ? "False" : "True"));
  PetscCall(
      TextAdd(&text, "CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nAnatomicalOrientation = RAI\n"));
  PetscCall(TextAdd(&text, "Comment = %s: %s, %s\n", volume->name, volume->meaning, volume->unit));
  PetscCall(TextAdd(&text, "Offset = %.12g %.12g %.12g\nElementSpacing = %.12g %.12g %.12g\nDimSize = %d %d %d\n",
                    g->origin_mm[0], g->origin_mm[1], g->origin_mm[2], g->spacing_mm[0], g->spacing_mm[1],
                    g->spacing_mm[2], (int)g->n[0], (int)g->n[1], (int)g->n[2]));
  PetscCall(TextAdd(&text, "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"));
  PetscCall(WriteFile(text.data, text.length, volume, file, mistakes));
  PetscCall(TextDestroy(&text));
  PetscFunctionReturn(0);
}
