/* Slices by series: those of one size, orientation, and frame of reference. */
#include "dicom_private.h"
#include <math.h>
#include <string.h>

/* Whether two slices may be of one volume. */
static PetscBool Match(const DicomSurvey *survey, const DicomImage *a, const DicomImage *b)
{
  const DicomHead *one = &survey->file[a->file].head, *other = &survey->file[b->file].head;
  if (strcmp(one->series_uid, other->series_uid) ||
      strcmp(one->frame_of_reference_uid, other->frame_of_reference_uid) || one->pixels.rows != other->pixels.rows ||
      one->pixels.columns != other->pixels.columns)
    return PETSC_FALSE;
  for (int axis = 0; axis < 2; axis++) {
    if (fabs(a->spacing_mm[axis] - b->spacing_mm[axis]) > 1e-4 * a->spacing_mm[axis]) return PETSC_FALSE;
    for (int k = 0; k < 3; k++)
      if (fabs(a->direction[axis][k] - b->direction[axis][k]) > 1e-4) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static PetscErrorCode Add(const DicomSurvey *survey, PetscInt image, DicomSeriesList *list)
{
  PetscFunctionBegin;
  PetscInt s = list->n; /* a slice is mostly of the series that came last */
  while (s > 0 && !Match(survey, &survey->image[list->series[s - 1].image[0]], &survey->image[image])) s--;
  if (!s) {
    PetscCall(PetscRealloc((size_t)(list->n + 1) * sizeof *list->series, &list->series));
    list->series[list->n++] = (DicomSeries){.head = &survey->file[survey->image[image].file].head};
    s = list->n;
  }
  DicomSeries *series = &list->series[s - 1];
  if (series->n == series->room) {
    series->room = 2 * series->room + 64;
    PetscCall(PetscRealloc((size_t)series->room * sizeof *series->image, &series->image));
  }
  series->image[series->n++] = image;
  PetscFunctionReturn(0);
}

PetscErrorCode DicomSeriesFind(const DicomSurvey *survey, const char *modality, DicomSeriesList *list)
{
  PetscFunctionBegin;
  *list = (DicomSeriesList){0};
  for (PetscInt i = 0; i < survey->n_images; i++)
    if (DicomIsSlice(&survey->file[survey->image[i].file].head, modality)) PetscCall(Add(survey, i, list));
  PetscFunctionReturn(0);
}

PetscErrorCode DicomSeriesDestroy(DicomSeriesList *list)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < list->n; s++) PetscCall(PetscFree(list->series[s].image));
  PetscCall(PetscFree(list->series));
  *list = (DicomSeriesList){0};
  PetscFunctionReturn(0);
}
