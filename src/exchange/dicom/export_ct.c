/* The CT of a case that is not from DICOM, so that plan, doses and structures have the images they refer to. */
#include "export_private.h"
#include "robion/text.h"
#include <string.h>

static void PutSlice(const DicomExport *x, DicomItem set, PetscInt k)
{
  static const FixedText fixed[] = {{IMAGE_TYPE, "ORIGINAL\\PRIMARY\\AXIAL"},
                                    {KVP, ""},
                                    {LATERALITY, ""},
                                    {ACQUISITION_NUMBER, ""},
                                    {PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"},
                                    {RESCALE_TYPE, "HU"},
                                    {IMAGE_ORIENTATION_PATIENT, "1\\0\\0\\0\\1\\0"}};
  const Grid *ct = &x->patient->ct;
  const struct {
    DicomTag tag;
    PetscInt value;
  } number[] = {{SAMPLES_PER_PIXEL, 1},    {ROWS, ct->n[1]},        {COLUMNS, ct->n[0]}, {BITS_ALLOCATED, 16},
                {BITS_STORED, 16},         {HIGH_BIT, 15},          {RESCALE_SLOPE, 1},  {RESCALE_INTERCEPT, 0},
                {PIXEL_REPRESENTATION, 1}, {INSTANCE_NUMBER, k + 1}};
  const double place[] = {ct->origin_mm[0], ct->origin_mm[1], x->slice_z_mm[k]};
  const double spacing[] = {ct->spacing_mm[1], ct->spacing_mm[0]}; /* of rows, then of columns */
  DicomPutFixed(set, PETSC_STATIC_ARRAY_LENGTH(fixed), fixed);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++)
    DicomPutInteger(set, number[i].tag, (long)number[i].value);
  DicomPutString(set, PATIENT_POSITION, x->text[PLAN_POSITION]);
  DicomPutDoubles(set, IMAGE_POSITION_PATIENT, 3, place);
  DicomPutDoubles(set, PIXEL_SPACING, 2, spacing);
  DicomPutDouble(set, SLICE_THICKNESS, ct->spacing_mm[2]);
}

PetscErrorCode DicomExportCT(const DicomExport *x, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const size_t size = (size_t)x->patient->ct.n[0] * (size_t)x->patient->ct.n[1];
  for (PetscInt k = 0; k < x->n_slices && !MistakesAny(mistakes); k++) {
    char name[32];
    DicomFile file = DicomBegin(x, CT_IMAGE_STORAGE, x->slice_uid[k], "CT", 1, "CT of robion", mistakes);
    if (!file) break;
    PutSlice(x, DicomSet(file), k);
    DicomPutPixels16(DicomSet(file), size, (const uint16_t *)x->patient->hu + (size_t)k * size);
    snprintf(name, sizeof name, "CT_%04d.dcm", (int)k + 1);
    DicomEnd(x, &file, name, mistakes);
  }
  PetscFunctionReturn(0);
}
