/* /dicom of case files. */
#include "robion/dicom_origin.h"
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *attribute;
  size_t offset;
} texts[] = {{"study_instance_uid", offsetof(DicomOrigin, study_uid)},
             {"frame_of_reference_uid", offsetof(DicomOrigin, frame_of_reference_uid)},
             {"series_instance_uid", offsetof(DicomOrigin, series_uid)},
             {"sop_class_uid", offsetof(DicomOrigin, sop_class_uid)},
             {"structure_set_sop_instance_uid", offsetof(DicomOrigin, structure_set_uid)},
             {"patient_id", offsetof(DicomOrigin, patient_id)},
             {"manufacturer", offsetof(DicomOrigin, manufacturer)},
             {"model", offsetof(DicomOrigin, model)},
             {"kernel", offsetof(DicomOrigin, kernel)}};

static void WriteContours(const DicomContours *s, H5Sink *sink)
{
  char path[1024];
  const hsize_t points[2] = {(hsize_t)s->contours.n_points, 3}, rings = (hsize_t)s->contours.n_rings;
  const double number = (double)s->roi_number;
  snprintf(path, sizeof path, "/dicom/contours/%s/points_mm", s->structure);
  H5WriteArray(sink, path, H5T_NATIVE_DOUBLE, 2, points, s->contours.point_mm, "mm", NULL);
  snprintf(path, sizeof path, "/dicom/contours/%s/rings", s->structure);
  H5WriteArray(sink, path, H5T_NATIVE_INT, 1, &rings, s->contours.ring_points, NULL, NULL);
  snprintf(path, sizeof path, "/dicom/contours/%s", s->structure);
  H5WriteDoubles(sink, path, "roi_number", 1, &number);
  H5WriteString(sink, path, "roi_name", s->roi_name);
  H5WriteString(sink, path, "interpreted_type", s->interpreted_type);
}

void DicomOriginWrite(const DicomOrigin *origin, H5Sink *sink)
{
  const hsize_t dims[2] = {(hsize_t)origin->n_slices, DICOM_TEXT};
  H5WriteGroup(sink, "/dicom");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(texts); i++) {
    const char *text = (const char *)origin + texts[i].offset;
    if (*text) H5WriteString(sink, "/dicom", texts[i].attribute, text);
  }
  H5WriteDoubles(sink, "/dicom", "kvp", 1, &origin->kvp);
  H5WriteArray(sink, "/dicom/sop_instance_uid", H5T_NATIVE_UCHAR, 2, dims, origin->sop_instance_uid, NULL, NULL);
  H5WriteArray(sink, "/dicom/slice_z_mm", H5T_NATIVE_DOUBLE, 1, dims, origin->slice_z_mm, "mm", NULL);
  for (PetscInt s = 0; s < origin->n_structures; s++)
    if (origin->structure[s].contours.n_rings) WriteContours(&origin->structure[s], sink);
}

/* An attribute of text, "" if there is none, cut to its place. */
static PetscBool ReadText(const H5Source *source, const char *path, const char *attribute, char text[DICOM_TEXT],
                          Mistakes *mistakes)
{
  char *found;
  if (!H5ReadString(source, path, attribute, PETSC_TRUE, &found, mistakes)) return PETSC_FALSE;
  snprintf(text, DICOM_TEXT, "%s", found ? found : "");
  (void)PetscFree(found);
  return PETSC_TRUE;
}

static PetscBool ReadSlices(const H5Source *source, DicomOrigin *origin, Mistakes *mistakes)
{
  hsize_t dims[2] = {0, DICOM_TEXT};
  if (!H5ReadArray(source, "/dicom/sop_instance_uid", H5T_NATIVE_UCHAR, 2, dims, &origin->sop_instance_uid, mistakes) ||
      !H5ReadArray(source, "/dicom/slice_z_mm", H5T_NATIVE_DOUBLE, 1, dims, &origin->slice_z_mm, mistakes))
    return PETSC_FALSE;
  origin->n_slices = (PetscInt)dims[0];
  for (PetscInt i = 0; i < origin->n_slices; i++) origin->sop_instance_uid[i][DICOM_TEXT - 1] = 0;
  return PETSC_TRUE;
}

/* Whether the rings are those of the points. */
static PetscBool CheckRings(const H5Source *source, const char *path, const Contours *c, Mistakes *mistakes)
{
  long long sum = 0;
  for (PetscInt r = 0; r < c->n_rings; r++) sum += c->ring_points[r] < 0 ? LLONG_MIN / INT_MAX : c->ring_points[r];
  if (sum == c->n_points) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: its rings have %lld points, expected the %d of points_mm",
                    source->name, path, sum, (int)c->n_points);
  return PETSC_FALSE;
}

static PetscBool ReadContours(const H5Source *source, const char *name, DicomContours *s, Mistakes *mistakes)
{
  char path[1024], part[1100];
  double number;
  hsize_t points[2] = {0, 3}, rings[1] = {0};
  Contours *c = &s->contours;
  snprintf(path, sizeof path, "/dicom/contours/%s", name);
  if (PetscStrallocpy(name, &s->structure) || !ReadText(source, path, "roi_name", s->roi_name, mistakes) ||
      !ReadText(source, path, "interpreted_type", s->interpreted_type, mistakes) ||
      !H5ReadAttribute(source, path, "roi_number", 1, &number, mistakes))
    return PETSC_FALSE;
  s->roi_number = number >= 0 && number < INT_MAX ? (PetscInt)number : 0;
  snprintf(part, sizeof part, "%s/points_mm", path);
  if (!H5ReadArray(source, part, H5T_NATIVE_DOUBLE, 2, points, &c->point_mm, mistakes)) return PETSC_FALSE;
  snprintf(part, sizeof part, "%s/rings", path);
  if (!H5ReadArray(source, part, H5T_NATIVE_INT, 1, rings, &c->ring_points, mistakes)) return PETSC_FALSE;
  c->n_points = c->room_points = (PetscInt)points[0];
  c->n_rings = c->room_rings = (PetscInt)rings[0];
  return CheckRings(source, path, c, mistakes);
}

static PetscBool ReadStructures(const H5Source *source, DicomOrigin *origin, Mistakes *mistakes)
{
  H5Names names = {0};
  PetscBool good = PETSC_TRUE;
  if (!H5SourceHas(source, "/dicom/contours")) return PETSC_TRUE;
  if (!H5ReadNames(source, "/dicom/contours", &names, mistakes)) return PETSC_FALSE;
  if (PetscCalloc1((size_t)names.n, &origin->structure)) good = PETSC_FALSE;
  while (good && origin->n_structures < names.n) {
    good = ReadContours(source, names.name[origin->n_structures], &origin->structure[origin->n_structures], mistakes);
    origin->n_structures++;
  }
  (void)H5NamesDestroy(&names);
  return good;
}

PetscErrorCode DicomOriginRead(const char *case_file, Mistakes *mistakes, DicomOrigin **out)
{
  PetscFunctionBegin;
  H5Source source;
  DicomOrigin *origin = NULL;
  *out = NULL;
  if (!H5SourceOpen(case_file, mistakes, &source)) PetscFunctionReturn(0);
  const PetscBool there = H5SourceHas(&source, "/dicom");
  PetscBool good = there;
  PetscCall(PetscCalloc1(1, &origin));
  for (size_t i = 0; good && i < PETSC_STATIC_ARRAY_LENGTH(texts); i++)
    good = ReadText(&source, "/dicom", texts[i].attribute, (char *)origin + texts[i].offset, mistakes);
  if (good) good = H5ReadAttribute(&source, "/dicom", "kvp", 1, &origin->kvp, mistakes);
  if (good) good = ReadSlices(&source, origin, mistakes);
  if (good) good = ReadStructures(&source, origin, mistakes);
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  if (good)
    *out = origin;
  else
    PetscCall(DicomOriginDestroy(&origin));
  PetscFunctionReturn(0);
}

const DicomContours *DicomOriginFind(const DicomOrigin *origin, const char *structure)
{
  for (PetscInt s = 0; s < origin->n_structures; s++)
    if (!strcmp(origin->structure[s].structure, structure)) return &origin->structure[s];
  return NULL;
}

PetscErrorCode DicomOriginDestroy(DicomOrigin **origin)
{
  PetscFunctionBegin;
  DicomOrigin *o = *origin;
  if (!o) PetscFunctionReturn(0);
  for (PetscInt s = 0; s < o->n_structures; s++) {
    PetscCall(PetscFree(o->structure[s].structure));
    PetscCall(ContoursDestroy(&o->structure[s].contours));
  }
  PetscCall(PetscFree(o->structure));
  PetscCall(PetscFree(o->sop_instance_uid));
  PetscCall(PetscFree(o->slice_z_mm));
  PetscCall(PetscFree(*origin));
  PetscFunctionReturn(0);
}
