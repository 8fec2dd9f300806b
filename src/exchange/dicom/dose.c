/* RT Dose: as a map of a case, linear between its voxels and 0 beyond them; as a dose to compare with. */
#include "dicom_private.h"
#include "robion/exchange.h"
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

/* What DICOM calls doses. */
typedef struct DoseKind {
  const char *type, *units; /* in DICOM */
  const char *map, *unit;
  PetscBool absolute;
  Quantity quantity;
} DoseKind;
static const DoseKind dose_kinds[] = {
    {"EFFECTIVE", "GY", "dicom_rbe_weighted_dose", "Gy(RBE)", PETSC_TRUE, QUANTITY_RBE_WEIGHTED},
    {"PHYSICAL", "GY", "dicom_physical_dose", "Gy", PETSC_TRUE, QUANTITY_PHYSICAL},
    {"EFFECTIVE", "RELATIVE", "dicom_rbe_weighted_dose", "1", PETSC_FALSE, QUANTITY_RBE_WEIGHTED},
    {"PHYSICAL", "RELATIVE", "dicom_physical_dose", "1", PETSC_FALSE, QUANTITY_PHYSICAL}};

/* And what they are sums of. */
static const struct {
  const char *summation, *meaning;
  PetscBool of_all_fractions, of_one_plan, usable;
} dose_sums[] = {{"PLAN", "of all fractions", PETSC_TRUE, PETSC_TRUE, PETSC_TRUE},
                 {"MULTI_PLAN", "of all fractions of several plans", PETSC_TRUE, PETSC_FALSE, PETSC_TRUE},
                 {"FRACTION", "of one fraction", PETSC_FALSE, PETSC_FALSE, PETSC_TRUE},
                 {"FRACTION_SESSION", "of one fraction", PETSC_FALSE, PETSC_FALSE, PETSC_TRUE},
                 {"BEAM", "of one beam", PETSC_TRUE, PETSC_FALSE, PETSC_FALSE}};

/* The kind of a dose; NULL after a mistake. */
static const DoseKind *FindKind(const DicomFound *file, Mistakes *mistakes)
{
  const DicomHead *head = &file->head;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(dose_kinds); k++)
    if (!strcmp(head->dose_type, dose_kinds[k].type) && !strcmp(head->dose_unit, dose_kinds[k].units))
      return &dose_kinds[k];
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: is a dose of type %s in %s, expected EFFECTIVE or PHYSICAL in GY or RELATIVE", file->path,
                    *head->dose_type ? head->dose_type : "unknown", *head->dose_unit ? head->dose_unit : "no unit");
  return NULL;
}

/* Its frames as a series of the frame of reference ("": any); false after a mistake. */
static PetscBool FindFrames(const DicomSurvey *survey, PetscInt file, const char *frame_uid, DicomSeries *series,
                            Mistakes *mistakes)
{
  const char *frame = survey->file[file].head.frame_of_reference_uid;
  *series = (DicomSeries){.head = &survey->file[file].head};
  if (*frame && *frame_uid && strcmp(frame, frame_uid)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: the dose is of another frame of reference than the CT",
                      survey->file[file].path);
    return PETSC_FALSE;
  }
  if (PetscMalloc1(survey->n_images, &series->image)) return PETSC_FALSE;
  for (PetscInt i = 0; i < survey->n_images; i++)
    if (survey->image[i].file == file) series->image[series->n++] = i;
  if (series->n) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: the dose does not say where it is, or by what it is scaled%s%s",
                    survey->file[file].path, *series->head->lacks ? ": " : "", series->head->lacks);
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

/* What a dose is a sum of, as people say it; "" if it is not known. */
static const char *Meaning(const DicomHead *head)
{
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(dose_sums); k++)
    if (!strcmp(head->dose_summation, dose_sums[k].summation)) return dose_sums[k].meaning;
  return "";
}

PetscBool DicomDoseTake(const DicomImportSpec *spec, const DicomSurvey *survey, PetscInt file, Case *patient,
                        Text *table, Mistakes *mistakes)
{
  Grid grid;
  DicomSeries series = {.image = NULL};
  float *dose = NULL;
  char name[64];
  float most = 0;
  const DicomHead *head = &survey->file[file].head;
  const DoseKind *kind = FindKind(&survey->file[file], mistakes);
  PetscBool good = kind && FindFrames(survey, file, patient->dicom->frame_of_reference_uid, &series, mistakes) &&
                           DicomVolumeRead(survey, &series, spec->resample, 0, mistakes, &grid, &dose)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  for (size_t v = 0; good && v < GridSize(&grid); v++) most = fmaxf(most, dose[v]);
  if (good) {
    snprintf(name, sizeof name, "%s", kind->map);
    for (int n = 2; CaseFindMap(patient, name) >= 0; n++) snprintf(name, sizeof name, "%s_%d", kind->map, n);
    good = AddMap(&grid, dose, name, kind->unit, patient) ? PETSC_FALSE : PETSC_TRUE;
  }
  if (good) {
    const char *meaning = Meaning(head);
    (void)TextAdd(table, "    map %-20s %s, %s%s%s%s, up to %.5g %s\n", name, head->dose_type, head->dose_summation,
                  *meaning ? " (" : "", meaning, *meaning ? ")" : "", (double)most, kind->unit);
  }
  (void)PetscFree(dose);
  (void)PetscFree(series.image);
  return good;
}

/* What fractions and beams it is a sum of; false after a mistake. */
static PetscBool TakeSum(const DicomFound *file, ForeignDose *dose, Mistakes *mistakes)
{
  const DicomHead *head = &file->head;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(dose_sums); k++) {
    if (!dose_sums[k].usable || strcmp(head->dose_summation, dose_sums[k].summation)) continue;
    dose->of_all_fractions = dose_sums[k].of_all_fractions;
    dose->of_one_plan = dose_sums[k].of_one_plan;
    snprintf(dose->told, sizeof dose->told, "%s, %s, %s: %s", head->dose_type, head->dose_unit, head->dose_summation,
             dose_sums[k].meaning);
    return PETSC_TRUE;
  }
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: DoseSummationType is %s, expected PLAN, MULTI_PLAN or FRACTION: the dose of all beams",
                    file->path, *head->dose_summation ? head->dose_summation : "missing");
  return PETSC_FALSE;
}

static PetscBool ReadForeign(const DicomSurvey *survey, PetscInt f, ForeignDose *dose, Mistakes *mistakes)
{
  const DicomFound *file = &survey->file[f];
  const DoseKind *kind = FindKind(file, mistakes);
  DicomSeries series = {.image = NULL};
  if (!kind || !TakeSum(file, dose, mistakes)) return PETSC_FALSE;
  if (!kind->absolute) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: DoseUnits is %s, expected GY", file->path, kind->units);
    return PETSC_FALSE;
  }
  dose->quantity = kind->quantity;
  memcpy(dose->frame_of_reference_uid, file->head.frame_of_reference_uid, DICOM_TEXT);
  const PetscBool good = FindFrames(survey, f, "", &series, mistakes) &&
                                 DicomVolumeRead(survey, &series, PETSC_FALSE, 0, mistakes, &dose->grid, &dose->value)
                             ? PETSC_TRUE
                             : PETSC_FALSE;
  (void)PetscFree(series.image);
  return good;
}

PetscBool ForeignDoseReadDicom(const char *path, Mistakes *mistakes, ForeignDose *dose)
{
  DicomSurvey survey;
  const PetscInt before = mistakes->n;
  *dose = (ForeignDose){.value = NULL};
  if (DicomSurveyMake(1, &path, &survey, mistakes)) return PETSC_FALSE;
  const PetscInt file = mistakes->n > before ? -1 : DicomOnly(path, &survey, "RTDOSE", "RT Doses", mistakes);
  const PetscBool good = file >= 0 ? ReadForeign(&survey, file, dose, mistakes) : PETSC_FALSE;
  (void)DicomSurveyDestroy(&survey);
  return good;
}

PetscErrorCode ForeignDoseDestroy(ForeignDose *dose)
{
  return PetscFree(dose->value);
}
