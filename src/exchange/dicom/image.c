/*
 * Magnetic resonance as an image: an ADC map, or diffusion-weighted volumes by their b-values. Slices may lie askew, as those of a
 * prostate do: values are then interpolated onto the patient's axes.
 */
#include "dicom_private.h"
#include "robion/exchange.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_B = 256 };

/* The b-values of a series, ascending; none: an image that is not said to be diffusion-weighted. */
typedef struct BValues {
  PetscInt n;
  double b[MOST_B];
} BValues;

/* A map made of several b-values may carry one of them. */
static PetscBool IsMap(const DicomHead *head)
{
  return strstr(head->image_type, "ADC") ? PETSC_TRUE : PETSC_FALSE;
}

static void FindBValues(const DicomSurvey *survey, const DicomSeries *series, BValues *values)
{
  values->n = 0;
  for (PetscInt i = 0; !IsMap(series->head) && i < series->n; i++) {
    const double b = survey->image[series->image[i]].b_s_mm2;
    PetscInt at = 0;
    while (at < values->n && values->b[at] < b) at++;
    if (!isfinite(b) || (at < values->n && values->b[at] == b) || values->n == MOST_B) continue;
    memmove(&values->b[at + 1], &values->b[at], (size_t)(values->n - at) * sizeof *values->b);
    values->b[at] = b;
    values->n++;
  }
}

/* The slices of one b-value; NAN: all. */
static PetscErrorCode Select(const DicomSurvey *survey, const DicomSeries *all, double b, DicomSeries *one)
{
  PetscFunctionBegin;
  *one = (DicomSeries){.head = all->head};
  PetscCall(PetscMalloc1(all->n, &one->image));
  for (PetscInt i = 0; i < all->n; i++)
    if (isnan(b) || survey->image[all->image[i]].b_s_mm2 == b) one->image[one->n++] = all->image[i];
  PetscFunctionReturn(0);
}

/* Add a volume to the image; false after mistakes. */
static PetscBool AddVolume(const DicomSurvey *survey, const DicomSeries *all, double b, Mistakes *mistakes,
                           Image *image)
{
  DicomSeries one;
  Grid grid;
  float *value = NULL;
  if (Select(survey, all, b, &one)) return PETSC_FALSE;
  PetscBool good = DicomVolumeRead(survey, &one, PETSC_FALSE, NAN, mistakes, &grid, &value);
  if (good && image->n_volume && memcmp(&grid, &image->grid, sizeof grid)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: its volume of b = %g s/mm2 lies on other places than the others",
                      survey->file[survey->image[one.image[0]].file].path, b);
    good = PETSC_FALSE;
  }
  const size_t n = good ? GridSize(&grid) : 0, have = (size_t)image->n_volume * n;
  if (good && PetscRealloc((have + n) * sizeof *value, &image->value)) good = PETSC_FALSE;
  if (good) {
    memcpy(image->value + have, value, n * sizeof *value);
    image->grid = grid;
    image->n_volume++;
  }
  (void)PetscFree(value);
  (void)PetscFree(one.image);
  return good;
}

static PetscBool ReadSeries(const DicomSurvey *survey, const DicomSeries *series, Mistakes *mistakes, Image *image)
{
  BValues values;
  FindBValues(survey, series, &values);
  if (!values.n) return AddVolume(survey, series, NAN, mistakes, image);
  for (PetscInt i = 0; i < values.n; i++)
    if (!AddVolume(survey, series, values.b[i], mistakes, image)) return PETSC_FALSE;
  if (PetscMalloc1(values.n, &image->b_s_mm2)) return PETSC_FALSE;
  memcpy(image->b_s_mm2, values.b, (size_t)values.n * sizeof *values.b);
  return PETSC_TRUE;
}

/* The only series, or a mistake that lists them all. */
static const DicomSeries *Only(const char *path, const DicomSurvey *survey, const DicomSeriesList *list,
                               Mistakes *mistakes)
{
  Text names = {0};
  if (list->n == 1) return &list->series[0];
  for (PetscInt s = 0; s < list->n; s++)
    (void)TextAdd(&names, "%s\"%s\" (%s)", s ? ", " : ": ", list->series[s].head->description,
                  survey->file[survey->image[list->series[s].image[0]].file].path);
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: %d series of magnetic resonance found%s, expected one: give its folder", path, (int)list->n,
                    names.data ? names.data : "");
  (void)TextDestroy(&names);
  return NULL;
}

PetscBool ImageReadDicom(const char *path, Mistakes *mistakes, Image *image)
{
  DicomSurvey survey;
  DicomSeriesList list = {0};
  const PetscInt before = mistakes->n;
  *image = (Image){.value = NULL};
  if (DicomSurveyMake(1, &path, &survey, mistakes) || DicomSeriesFind(&survey, "MR", &list)) return PETSC_FALSE;
  const DicomSeries *series = mistakes->n > before ? NULL : Only(path, &survey, &list, mistakes);
  if (series) (void)ReadSeries(&survey, series, mistakes, image);
  (void)DicomSeriesDestroy(&list);
  (void)DicomSurveyDestroy(&survey);
  return mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
}
