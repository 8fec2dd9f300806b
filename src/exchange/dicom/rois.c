/*
 * The structures of an RT Structure Set. Its sequences are joined by ROI number, as they may be in any order and lack some: the
 * name is that of StructureSetROISequence, the role that of RTROIObservationsSequence.
 */
#include "dicom_private.h"
#include "tags.h"
#include <limits.h>
#include <string.h>

enum { MOST_ROIS = 10000, MOST_RINGS = 1000000, MOST_POINTS = 100000000 };

static PetscInt Number(DicomItem item, DicomTag tag)
{
  long number;
  return DicomInteger(item, tag, 0, &number) && number >= 0 && number < INT_MAX ? (PetscInt)number : -1;
}

/* The item of a sequence that refers to an ROI; none without one. */
static DicomItem Referring(DicomItem set, DicomTag sequence, PetscInt roi)
{
  const long n = DicomCount(set, sequence);
  for (long i = 0; i < n; i++) {
    DicomItem item = DicomItemAt(set, sequence, i);
    if (Number(item, REFERENCED_ROI_NUMBER) == roi) return item;
  }
  return (DicomItem){NULL, set.file};
}

/* A closed ring; others are counted. */
static PetscErrorCode TakeContour(DicomItem contour, DicomROI *roi)
{
  PetscFunctionBegin;
  char kind[DICOM_TEXT];
  const long count = DicomCount(contour, CONTOUR_DATA), n = count / 3;
  double(*point)[3];
  const PetscBool said = DicomString(contour, CONTOUR_GEOMETRIC_TYPE, 0, kind, sizeof kind);
  if (count <= 0) PetscFunctionReturn(0);
  if ((said && strcmp(kind, "CLOSED_PLANAR") && strcmp(kind, "CLOSEDPLANAR_XOR")) || n > MOST_POINTS) {
    roi->n_other++;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(n, &point));
  if (count % 3 || DicomDoubles(contour, CONTOUR_DATA, 3 * (size_t)n, point[0]) != 3 * (size_t)n)
    roi->n_torn++;
  else
    PetscCall(ContoursAddRing(&roi->contours, (PetscInt)n, (const double(*)[3])point));
  PetscCall(PetscFree(point));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeROI(DicomItem set, DicomItem item, DicomROI *roi)
{
  PetscFunctionBegin;
  roi->number = Number(item, ROI_NUMBER);
  (void)DicomString(item, ROI_NAME, 0, roi->name, sizeof roi->name);
  (void)DicomString(item, REFERENCED_FRAME_OF_REFERENCE_UID, 0, roi->frame_of_reference_uid, DICOM_TEXT);
  (void)DicomString(Referring(set, RT_ROI_OBSERVATIONS_SEQUENCE, roi->number), RT_ROI_INTERPRETED_TYPE, 0,
                    roi->interpreted_type, DICOM_TEXT);
  DicomItem drawn = Referring(set, ROI_CONTOUR_SEQUENCE, roi->number);
  const long n = DicomCount(drawn, CONTOUR_SEQUENCE);
  for (long i = 0; i < n && i < MOST_RINGS; i++) PetscCall(TakeContour(DicomItemAt(drawn, CONTOUR_SEQUENCE, i), roi));
  PetscFunctionReturn(0);
}

bool DicomROIsLook(DicomItem set, const DicomWish *all, void *found, char message[DICOM_MESSAGE])
{
  DicomROIs *rois = found;
  const long n = DicomCount(set, STRUCTURE_SET_ROI_SEQUENCE);
  if (n < 1 || n > MOST_ROIS) {
    snprintf(message, DICOM_MESSAGE, "has %ld structures, expected 1 to %d", n < 0 ? 0 : n, (int)MOST_ROIS);
    return false;
  }
  if (PetscCalloc1(n, &rois->roi)) return false;
  while (rois->n < n) {
    if (TakeROI(set, DicomItemAt(set, STRUCTURE_SET_ROI_SEQUENCE, rois->n), &rois->roi[rois->n])) return false;
    rois->n++;
  }
  return true;
}

static PetscBool SendROIs(const Child *child, void *found)
{
  const DicomROIs *rois = found;
  if (!ChildSend(child, &rois->n, sizeof rois->n)) return PETSC_FALSE;
  for (PetscInt r = 0; r < rois->n; r++) {
    const Contours *c = &rois->roi[r].contours;
    if (!ChildSend(child, &rois->roi[r], sizeof rois->roi[r]) ||
        !ChildSend(child, c->ring_points, (size_t)c->n_rings * sizeof *c->ring_points) ||
        !ChildSend(child, c->point_mm, (size_t)c->n_points * sizeof *c->point_mm))
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The contours of which the numbers are known. */
static PetscBool ReceiveContours(const Child *child, Contours *c)
{
  long long sum = 0;
  const PetscInt rings = c->n_rings, points = c->n_points;
  *c = (Contours){0};
  if (rings < 0 || rings > MOST_RINGS || points < 0 || points > MOST_POINTS) return PETSC_FALSE;
  if (PetscMalloc1(rings, &c->ring_points) || PetscMalloc1(points, &c->point_mm) ||
      !ChildReceive(child, c->ring_points, (size_t)rings * sizeof *c->ring_points) ||
      !ChildReceive(child, c->point_mm, (size_t)points * sizeof *c->point_mm))
    return PETSC_FALSE;
  for (PetscInt i = 0; i < rings; i++) sum += c->ring_points[i] < 0 ? LLONG_MIN / INT_MAX : c->ring_points[i];
  c->n_rings = c->room_rings = rings;
  c->n_points = c->room_points = points;
  return sum == points ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool ReceiveROIs(const Child *child, void *context)
{
  DicomROIs *rois = context;
  PetscInt n;
  if (!ChildReceive(child, &n, sizeof n) || n < 1 || n > MOST_ROIS || PetscCalloc1(n, &rois->roi)) return PETSC_FALSE;
  while (rois->n < n) {
    DicomROI *roi = &rois->roi[rois->n], sent;
    if (!ChildReceive(child, &sent, sizeof sent)) return PETSC_FALSE;
    *roi = sent;
    rois->n++;
    if (!ReceiveContours(child, &roi->contours)) return PETSC_FALSE;
    roi->name[DICOM_TEXT - 1] = roi->interpreted_type[DICOM_TEXT - 1] = roi->frame_of_reference_uid[DICOM_TEXT - 1] = 0;
    TextRemoveControls(roi->name);
    TextRemoveControls(roi->interpreted_type);
  }
  return PETSC_TRUE;
}

PetscErrorCode DicomROIsDestroy(DicomROIs *rois)
{
  PetscFunctionBegin;
  for (PetscInt r = 0; r < rois->n; r++) PetscCall(ContoursDestroy(&rois->roi[r].contours));
  PetscCall(PetscFree(rois->roi));
  *rois = (DicomROIs){0};
  PetscFunctionReturn(0);
}

static PetscErrorCode ClearROIs(void *found)
{
  return DicomROIsDestroy(found);
}

PetscBool DicomROIsRead(DicomReader *reader, const char *path, Mistakes *mistakes, DicomROIs *rois)
{
  static const DicomErrand errand = {sizeof *rois, DicomROIsLook, SendROIs, ReceiveROIs, ClearROIs};
  *rois = (DicomROIs){0};
  return DicomRun(reader, path, &errand, NULL, rois, mistakes);
}
