/* RT Dose as a map of a case: linear between its voxels, 0 beyond them. */
#include "dicom_private.h"
#include "robion/map.h"
#include <math.h>
#include <string.h>

/* The index of a place on a grid axis, between two voxels; false beyond. */
static PetscBool Between(const Grid *grid, int axis, double mm, PetscInt *low, double *part)
{
  const double x = (mm - grid->origin_mm[axis]) / grid->spacing_mm[axis];
  if (!(x >= 0 && x <= grid->n[axis] - 1)) return PETSC_FALSE;
  *low = PetscMin((PetscInt)x, PetscMax(0, grid->n[axis] - 2));
  *part = x - *low;
  return PETSC_TRUE;
}

static float ValueAt(const Grid *grid, const float *value, const double place_mm[3])
{
  PetscInt low[3];
  double part[3], sum = 0;
  for (int a = 0; a < 3; a++)
    if (!Between(grid, a, place_mm[a], &low[a], &part[a])) return 0;
  for (int c = 0; c < 8; c++) {
    double weight = 1;
    for (int a = 0; a < 3; a++) weight *= c >> a & 1 ? part[a] : 1 - part[a];
    if (weight > 0)
      sum += weight * (double)value[GridIndex(grid, low[0] + (c & 1), low[1] + (c >> 1 & 1), low[2] + (c >> 2 & 1))];
  }
  return (float)sum;
}

/* What the map is called and its unit. */
static PetscBool Name(const DicomFound *file, const Case *patient, char name[64], const char **unit, Mistakes *mistakes)
{
  const char *type = file->head.dose_type;
  const PetscBool effective = !strcmp(type, "EFFECTIVE") ? PETSC_TRUE : PETSC_FALSE;
  const PetscBool gray = !strcmp(file->head.dose_unit, "GY") ? PETSC_TRUE : PETSC_FALSE;
  if ((!gray && strcmp(file->head.dose_unit, "RELATIVE")) || (!effective && strcmp(type, "PHYSICAL"))) {
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: is a dose of type %s in %s, expected EFFECTIVE or PHYSICAL in GY or RELATIVE", file->path,
                      type, file->head.dose_unit);
    return PETSC_FALSE;
  }
  const char *const base = effective ? "dicom_rbe_weighted_dose" : "dicom_physical_dose";
  *unit = !gray ? "1" : effective ? "Gy(RBE)" : "Gy";
  snprintf(name, 64, "%s", base);
  for (int count = 2; CaseFindMap(patient, name) >= 0; count++) snprintf(name, 64, "%s_%d", base, count);
  return PETSC_TRUE;
}

/* Its frames as a series; false after a mistake. */
static PetscBool FindFrames(const DicomSurvey *survey, PetscInt file, const Case *patient, DicomSeries *series,
                            Mistakes *mistakes)
{
  const char *frame = survey->file[file].head.frame_of_reference_uid, *ct = patient->dicom->frame_of_reference_uid;
  *series = (DicomSeries){.head = &survey->file[file].head};
  if (*frame && *ct && strcmp(frame, ct)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: the dose is of another frame of reference than the CT",
                      survey->file[file].path);
    return PETSC_FALSE;
  }
  if (PetscMalloc1(survey->n_images, &series->image)) return PETSC_FALSE;
  for (PetscInt i = 0; i < survey->n_images; i++)
    if (survey->image[i].file == file) series->image[series->n++] = i;
  if (series->n) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: the dose does not say where it is, or by what it is scaled: %s",
                    survey->file[file].path, series->head->lacks);
  return PETSC_FALSE;
}

static PetscErrorCode AddMap(const Grid *grid, const float *dose, const char *name, const char *unit, Case *patient)
{
  PetscFunctionBegin;
  float *map;
  PetscCall(PetscMalloc1(GridSize(&patient->ct), &map));
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double place[3];
    GridCentre(&patient->ct, v, place);
    map[v] = ValueAt(grid, dose, place);
  }
  PetscCall(CaseAddMap(patient, name, unit, map));
  PetscFunctionReturn(0);
}

PetscBool DicomDoseTake(const DicomImportSpec *spec, const DicomSurvey *survey, PetscInt file, Case *patient,
                        Text *table, Mistakes *mistakes)
{
  Grid grid;
  DicomSeries series;
  float *dose = NULL;
  char name[64];
  const char *unit;
  float most = 0;
  PetscBool good = FindFrames(survey, file, patient, &series, mistakes) &&
                           Name(&survey->file[file], patient, name, &unit, mistakes) &&
                           DicomVolumeRead(survey, &series, spec->resample, 0, mistakes, &grid, &dose)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  for (size_t v = 0; good && v < GridSize(&grid); v++) most = fmaxf(most, dose[v]);
  if (good && AddMap(&grid, dose, name, unit, patient)) good = PETSC_FALSE;
  if (good)
    (void)TextAdd(table, "    map %-20s %s, %s, up to %.5g %s\n", name, survey->file[file].head.dose_type,
                  survey->file[file].head.dose_summation, (double)most, unit);
  (void)PetscFree(dose);
  (void)PetscFree(series.image);
  return good;
}
