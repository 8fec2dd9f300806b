/* RT Structure Set: the contours a structure came with, or the edges of its voxels. */
#include "export_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of ROIs: those of the clinic's structure set, further ones above them. */
static PetscErrorCode NumberROIs(DicomExport *x)
{
  PetscFunctionBegin;
  PetscInt next = 1;
  PetscCall(PetscMalloc1(x->patient->n_structures + 1, &x->roi_number));
  for (PetscInt i = 0; x->origin && i < x->origin->n_structures; i++)
    next = PetscMax(next, x->origin->structure[i].roi_number + 1);
  for (PetscInt s = 0; s < x->patient->n_structures; s++) {
    const DicomContours *known = x->origin ? DicomOriginFind(x->origin, x->patient->structures[s].name) : NULL;
    x->roi_number[s] = known ? known->roi_number : next++;
  }
  PetscFunctionReturn(0);
}

/* What a structure is to others (PS3.3 C.8.8.8): as it came, else by its role and name. */
static const char *InterpretedType(const Structure *structure, const DicomContours *known)
{
  static const char *const targets[] = {"GTV", "PTV", "CTV"};
  if (known) return known->interpreted_type;
  if (structure->role == ROLE_EXTERNAL) return "EXTERNAL";
  if (structure->role == ROLE_OAR) return "ORGAN";
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(targets); i++)
    if (strstr(structure->name, targets[i])) return targets[i];
  return "CTV";
}

/* The slice that a contour at z lies on; -1: none within half a gap. */
static PetscInt SliceOf(const DicomExport *x, double z)
{
  PetscInt low = 0, high = x->n_slices - 1;
  if (!x->n_slices) return -1;
  while (low < high) {
    const PetscInt middle = (low + high) / 2;
    if (x->slice_z_mm[middle + 1] - z < z - x->slice_z_mm[middle])
      low = middle + 1;
    else
      high = middle;
  }
  const double gap = x->n_slices > 1 ? fabs(x->slice_z_mm[1] - x->slice_z_mm[0]) : INFINITY;
  return fabs(x->slice_z_mm[low] - z) <= 0.501 * gap ? low : -1;
}

static void PutContours(const DicomExport *x, DicomItem roi, const Contours *contours)
{
  const double(*point)[3] = (const double(*)[3])contours->point_mm;
  for (PetscInt r = 0; r < contours->n_rings; point += contours->ring_points[r++]) {
    const PetscInt n = contours->ring_points[r], slice = n ? SliceOf(x, point[0][2]) : -1;
    if (!n) continue;
    const DicomItem contour = DicomAppendItem(roi, CONTOUR_SEQUENCE);
    if (slice >= 0) DicomRefer(DicomAppendItem(contour, CONTOUR_IMAGE_SEQUENCE), x->ct_class_uid, x->slice_uid[slice]);
    DicomPutString(contour, CONTOUR_GEOMETRIC_TYPE, n == 1 ? "POINT" : "CLOSED_PLANAR");
    DicomPutInteger(contour, NUMBER_OF_CONTOUR_POINTS, (long)n);
    DicomPutDoubles(contour, CONTOUR_DATA, 3 * (size_t)n, point[0]);
  }
}

static const char *RoiName(const Structure *structure, const DicomContours *known)
{
  return known && *known->roi_name ? known->roi_name : structure->name;
}

/* A UID of all that the structure set says. */
static void NameContent(DicomExport *x)
{
  UidHash hash = UidBegin("RTSTRUCT", x->ct_series_uid);
  UidAdd(&hash, x->text[PLAN_CASE], strlen(x->text[PLAN_CASE]) + 1);
  for (PetscInt s = 0; s < x->patient->n_structures; s++) {
    const Structure *structure = &x->patient->structures[s];
    const DicomContours *known = x->origin ? DicomOriginFind(x->origin, structure->name) : NULL;
    const char *const text[] = {RoiName(structure, known), InterpretedType(structure, known)};
    for (int k = 0; k < 2; k++) UidAdd(&hash, text[k], strlen(text[k]) + 1);
    UidAdd(&hash, &x->roi_number[s], sizeof x->roi_number[s]);
    if (known)
      UidAdd(&hash, known->contours.point_mm, (size_t)known->contours.n_points * sizeof *known->contours.point_mm);
    else
      UidAdd(&hash, structure->mask, GridSize(&x->patient->ct));
  }
  UidText(&hash, x->structures.uid);
}

/* A structure in the three sequences that make it up. */
static PetscErrorCode PutStructure(const DicomExport *x, DicomItem set, PetscInt s)
{
  PetscFunctionBegin;
  static const int color[][3] = {{230, 25, 75},  {60, 180, 75},  {0, 130, 200},  {245, 130, 48},
                                 {145, 30, 180}, {70, 240, 240}, {240, 50, 230}, {128, 128, 0}};
  const Structure *structure = &x->patient->structures[s];
  const DicomContours *known = x->origin ? DicomOriginFind(x->origin, structure->name) : NULL;
  const int *rgb = color[(size_t)s % PETSC_STATIC_ARRAY_LENGTH(color)];
  const double display[] = {rgb[0], rgb[1], rgb[2]};
  const long number = (long)x->roi_number[s];
  Contours traced = {0};
  if (!known) PetscCall(ContoursOfMask(&x->patient->ct, structure->mask, &traced));
  const Contours *contours = known ? &known->contours : &traced;
  DicomItem item = DicomAppendItem(set, STRUCTURE_SET_ROI_SEQUENCE);
  DicomPutInteger(item, ROI_NUMBER, number);
  DicomPutString(item, REFERENCED_FRAME_OF_REFERENCE_UID, x->frame_uid);
  DicomPutText(item, ROI_NAME, 64, RoiName(structure, known));
  DicomPutString(item, ROI_GENERATION_ALGORITHM, known ? "" : "AUTOMATIC");
  item = DicomAppendItem(set, ROI_CONTOUR_SEQUENCE);
  DicomPutDoubles(item, ROI_DISPLAY_COLOR, 3, display);
  PutContours(x, item, contours);
  DicomPutInteger(item, REFERENCED_ROI_NUMBER, number);
  item = DicomAppendItem(set, RT_ROI_OBSERVATIONS_SEQUENCE);
  DicomPutInteger(item, OBSERVATION_NUMBER, number);
  DicomPutInteger(item, REFERENCED_ROI_NUMBER, number);
  DicomPutString(item, RT_ROI_INTERPRETED_TYPE, InterpretedType(structure, known));
  DicomPutString(item, ROI_INTERPRETER, "");
  PetscCall(ContoursDestroy(&traced));
  PetscFunctionReturn(0);
}

/* The frame of reference, and the series of images in it. */
static void PutImages(const DicomExport *x, DicomItem set)
{
  const DicomItem frame = DicomAppendItem(set, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE);
  DicomPutString(frame, FRAME_OF_REFERENCE_UID, x->frame_uid);
  if (!x->n_slices) return;
  const DicomItem study = DicomAppendItem(frame, RT_REFERENCED_STUDY_SEQUENCE);
  DicomRefer(study, DETACHED_STUDY_MANAGEMENT, x->study_uid);
  const DicomItem series = DicomAppendItem(study, RT_REFERENCED_SERIES_SEQUENCE);
  DicomPutString(series, SERIES_INSTANCE_UID, x->ct_series_uid);
  for (PetscInt k = 0; k < x->n_slices; k++)
    DicomRefer(DicomAppendItem(series, CONTOUR_IMAGE_SEQUENCE), x->ct_class_uid, x->slice_uid[k]);
}

PetscErrorCode DicomExportStructures(DicomExport *x, Mistakes *mistakes)
{
  PetscFunctionBegin;
  snprintf(x->structures.file, sizeof x->structures.file, "RS.dcm");
  PetscCall(NumberROIs(x));
  NameContent(x);
  DicomFile file =
      DicomBegin(x, RT_STRUCTURE_SET_STORAGE, x->structures.uid, "RTSTRUCT", 2, "structures of robion", mistakes);
  if (!file) PetscFunctionReturn(0);
  const DicomItem set = DicomSet(file);
  DicomPutString(set, OPERATORS_NAME, "");
  DicomPutString(set, STRUCTURE_SET_LABEL, "robion");
  DicomPutString(set, STRUCTURE_SET_DATE, x->date);
  DicomPutString(set, STRUCTURE_SET_TIME, x->time);
  DicomPutString(set, APPROVAL_STATUS, "UNAPPROVED");
  PutImages(x, set);
  for (PetscInt s = 0; s < x->patient->n_structures; s++) PetscCall(PutStructure(x, set, s));
  DicomEnd(x, &file, x->structures.file, mistakes);
  PetscFunctionReturn(0);
}
