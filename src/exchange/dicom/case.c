/* A case from the files of a clinic: survey, choice, lattice, values, structures. */
#include "dicom_private.h"
#include "robion/structure.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AIR_HU = -1000, LOWEST_HU = -1024 };

/* All of an import. */
typedef struct Import {
  const DicomImportSpec *spec;
  DicomSurvey survey;
  DicomSeriesList ct;
  DicomRows rows;
  DicomRow *series, *set;
  DicomLattice lattice;
  DicomPlacing placing;
  Text *table;
  Mistakes *mistakes;
} Import;

static const DicomHead *Head(const Import *import)
{
  return import->series->series->head;
}

/* What the message of a mistake about the CT begins with. */
static const char *Where(const Import *import)
{
  return import->survey.file[import->series->file].path;
}

/* Where the slices are, and the grid they make; false after a mistake. */
static PetscBool FindGrid(Import *import)
{
  static const char *const told[] = {
      [PLACING_DIRECT] = NULL,
      [PLACING_TURNED] = "slices are not transversal: axes brought to the patient's order",
      [PLACING_SHEARED] = "slices lean (gantry tilt): each voxel of a straight grid takes the nearest value",
      [PLACING_OBLIQUE] = "slices lie askew: interpolated onto the patient's axes"};
  const DicomSeries *series = import->series->series;
  DicomPlacing *placing = &import->placing;
  char gaps[512];
  if (!DicomLatticeFind(&import->survey, series, Where(import), import->mistakes, &import->lattice)) return PETSC_FALSE;
  if (!import->lattice.even) {
    DicomLatticeGaps(&import->survey, &import->lattice, gaps, sizeof gaps);
    if (!import->spec->resample) {
      (void)MistakesAdd(import->mistakes, ROBION_INPUT,
                        "%s: %s: a slice is missing, or option --resample, which interpolates", Where(import), gaps);
      return PETSC_FALSE;
    }
    (void)TextAdd(import->table, "    %s: interpolated\n", gaps);
  }
  DicomPlacingMake(&import->lattice, placing);
  if (placing->kind == PLACING_OBLIQUE && !import->spec->resample) {
    const DicomImage *image = &import->survey.image[series->image[0]];
    const double *d = image->direction[0];
    (void)MistakesAdd(import->mistakes, ROBION_INPUT,
                      "%s: rows run along (%.3f, %.3f, %.3f), columns along (%.3f, %.3f, %.3f), expected the patient's "
                      "axes; option --resample interpolates",
                      Where(import), d[0], d[1], d[2], d[3], d[4], d[5]);
    return PETSC_FALSE;
  }
  if (told[placing->kind]) (void)TextAdd(import->table, "    %s\n", told[placing->kind]);
  return GridCheck(&placing->to, Where(import), import->mistakes) &&
                 GridFits(&placing->to, 12, Where(import), import->mistakes)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* Values become whole HU. */
static PetscErrorCode TakeHU(const Import *import, const float *value, Case *patient)
{
  PetscFunctionBegin;
  const size_t n = GridSize(&patient->ct);
  size_t low = 0, high = 0;
  short least = SHRT_MAX, most = SHRT_MIN;
  PetscCall(PetscMalloc1(n, &patient->hu));
  for (size_t v = 0; v < n; v++) {
    low += value[v] < LOWEST_HU;
    high += value[v] > SHRT_MAX;
    patient->hu[v] = (short)lroundf(fminf(SHRT_MAX, value[v] < LOWEST_HU ? AIR_HU : value[v]));
    least = PetscMin(least, patient->hu[v]);
    most = PetscMax(most, patient->hu[v]);
  }
  const Grid *g = &patient->ct;
  PetscCall(TextAdd(import->table,
                    "    %d x %d x %d voxels of %.6g x %.6g x %.6g mm from (%.6g, %.6g, %.6g) mm, %d to %d HU\n",
                    (int)g->n[0], (int)g->n[1], (int)g->n[2], g->spacing_mm[0], g->spacing_mm[1], g->spacing_mm[2],
                    g->origin_mm[0], g->origin_mm[1], g->origin_mm[2], least, most));
  if (low) PetscCall(TextAdd(import->table, "    %zu voxels below %d HU: made air, %d HU\n", low, LOWEST_HU, AIR_HU));
  if (high) PetscCall(TextAdd(import->table, "    %zu voxels above %d HU: cut off\n", high, SHRT_MAX));
  PetscFunctionReturn(0);
}

static PetscBool TakeCT(const Import *import, Case *patient)
{
  size_t n_padded = 0;
  float *value = NULL;
  patient->ct = import->placing.to;
  const PetscBool good = DicomSlicesRead(&import->survey, &import->lattice, &import->placing.from, AIR_HU, &n_padded,
                                         import->mistakes, &value) &&
                                 !DicomPlacingValues(&import->placing, AIR_HU, &value) &&
                                 !TakeHU(import, value, patient)
                             ? PETSC_TRUE
                             : PETSC_FALSE;
  if (import->lattice.n_twice)
    (void)TextAdd(import->table, "    %d slices are there twice, with the same pixels: left out\n",
                  (int)import->lattice.n_twice);
  if (n_padded) (void)TextAdd(import->table, "    %zu pixels of padding: made air, %d HU\n", n_padded, AIR_HU);
  (void)PetscFree(value);
  return good;
}

/* How the patient lies; robion knows nobody who sits, or lies across. */
static PetscBool TakePosition(const Import *import, Case *patient)
{
  const char *position = Head(import)->position;
  if (!*position) {
    (void)TextAdd(import->table, "    warning: no PatientPosition: taken as HFS, head first supine\n");
    return PETSC_TRUE;
  }
  patient->position = PatientPositionFind(position);
  if (patient->position < N_PATIENT_POSITIONS) return PETSC_TRUE;
  (void)MistakesAdd(import->mistakes, ROBION_INPUT, "%s: PatientPosition is %s, expected " PATIENT_POSITIONS,
                    Where(import), position);
  return PETSC_FALSE;
}

typedef struct SliceUID {
  double z_mm;
  const char *uid;
} SliceUID;

static int CompareUIDs(const void *a, const void *b)
{
  const SliceUID *s = a, *t = b;
  return (s->z_mm > t->z_mm) - (s->z_mm < t->z_mm);
}

/* What plans are written back with. */
static PetscErrorCode TakeOrigin(const Import *import, Case *patient)
{
  PetscFunctionBegin;
  const DicomHead *head = Head(import);
  const PetscInt n = import->lattice.n[2];
  DicomOrigin *o;
  SliceUID *slice;
  PetscCall(PetscCalloc1(1, &o));
  patient->dicom = o;
  memcpy(o->study_uid, head->study_uid, DICOM_TEXT);
  memcpy(o->frame_of_reference_uid, head->frame_of_reference_uid, DICOM_TEXT);
  memcpy(o->series_uid, head->series_uid, DICOM_TEXT);
  memcpy(o->sop_class_uid, head->sop_class_uid, DICOM_TEXT);
  memcpy(o->manufacturer, head->manufacturer, DICOM_TEXT);
  memcpy(o->model, head->model, DICOM_TEXT);
  memcpy(o->kernel, head->kernel, DICOM_TEXT);
  if (import->spec->keep_patient_id) memcpy(o->patient_id, head->patient_id, DICOM_TEXT);
  if (import->set)
    memcpy(o->structure_set_uid, import->survey.file[import->set->file].head.sop_instance_uid, DICOM_TEXT);
  o->kvp = head->kvp;
  PetscCall(PetscMalloc1(n, &slice));
  for (PetscInt s = 0; s < n; s++) {
    const DicomImage *image = &import->survey.image[import->lattice.image[s]];
    slice[s] = (SliceUID){image->position_mm[2], import->survey.file[image->file].head.sop_instance_uid};
  }
  qsort(slice, (size_t)n, sizeof *slice, CompareUIDs);
  PetscCall(PetscCalloc1(n, &o->sop_instance_uid));
  PetscCall(PetscMalloc1(n, &o->slice_z_mm));
  for (o->n_slices = 0; o->n_slices < n; o->n_slices++) {
    memcpy(o->sop_instance_uid[o->n_slices], slice[o->n_slices].uid, DICOM_TEXT);
    o->slice_z_mm[o->n_slices] = slice[o->n_slices].z_mm;
  }
  PetscCall(PetscFree(slice));
  PetscFunctionReturn(0);
}

/* Structures, and an outline where they have none. */
static PetscBool TakeStructures(const Import *import, Case *patient)
{
  const char *const outline = DERIVED_EXTERNAL;
  if (import->set && !DicomStructuresTake(import->spec, &import->survey, import->set->file, &import->placing, patient,
                                          import->table, import->mistakes))
    return PETSC_FALSE;
  if (CaseFindExternal(patient) < 0) {
    if (CaseDeriveExternal(patient)) return PETSC_FALSE;
    const PetscInt s = CaseFindStructure(patient, outline);
    if (s >= 0)
      (void)TextAdd(import->table, "    %-24s external %10.4g cm3, made from the CT: the largest piece above %d HU\n",
                    outline, StructureVolume_cm3(patient, s), EXTERNAL_THRESHOLD_HU);
  }
  if (!patient->n_structures)
    (void)MistakesAdd(import->mistakes, ROBION_INPUT, "%s: no structures found, and nothing in it is above %d HU",
                      Where(import), EXTERNAL_THRESHOLD_HU);
  for (PetscInt s = 0; s < patient->n_structures; s++)
    if (patient->structures[s].role == ROLE_TARGET) return PETSC_TRUE;
  (void)TextAdd(import->table, "    warning: no structure is a target: see --target NAME\n");
  return MistakesAny(import->mistakes) ? PETSC_FALSE : PETSC_TRUE;
}

/* The doses that were asked for. */
static PetscBool TakeDoses(const Import *import, Case *patient)
{
  for (PetscInt d = 0; d < import->spec->n_dose; d++) {
    const DicomRow *row = DicomRowsFind(&import->rows, ROW_DOSE, "--dose", import->spec->dose[d], import->mistakes);
    if (!row || !DicomDoseTake(import->spec, &import->survey, row->file, patient, import->table, import->mistakes))
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The doses asked for are marked before the table is printed. */
static void MarkDoses(const Import *import)
{
  Mistakes none = {0};
  for (PetscInt d = 0; d < import->spec->n_dose; d++) {
    DicomRow *row = DicomRowsFind(&import->rows, ROW_DOSE, "--dose", import->spec->dose[d], &none);
    if (row) row->taken = PETSC_TRUE;
  }
  (void)MistakesClear(&none);
}

static PetscErrorCode MakeCase(Import *import, Case **out)
{
  PetscFunctionBegin;
  Case *patient;
  char source[128];
  PetscCall(PetscCalloc1(1, &patient));
  PetscCall(PetscStrallocpy("dicom", &patient->name));
  snprintf(source, sizeof source, "DICOM series %s", Head(import)->series_uid); /* folders may be called by names */
  PetscCall(PetscStrallocpy(source, &patient->source));
  PetscBool good =
      TakePosition(import, patient) && FindGrid(import) && TakeCT(import, patient) ? PETSC_TRUE : PETSC_FALSE;
  if (good) PetscCall(TakeOrigin(import, patient));
  if (good && import->spec->hlut)
    good = DicomHLUTTake(import->spec->hlut, Head(import), patient, import->table, import->mistakes);
  if (good) good = TakeStructures(import, patient) && TakeDoses(import, patient) ? PETSC_TRUE : PETSC_FALSE;
  if (good && !MistakesAny(import->mistakes))
    *out = patient;
  else
    PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseImportDicom(const DicomImportSpec *spec, Text *table, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  Import import = {.spec = spec, .table = table, .mistakes = mistakes};
  *out = NULL;
  PetscCall(DicomSurveyMake(spec->n_path, spec->path, &import.survey, mistakes));
  PetscCall(DicomSeriesFind(&import.survey, "CT", &import.ct));
  PetscCall(DicomRowsMake(&import.survey, &import.ct, &import.rows));
  const PetscBool chosen =
      !MistakesAny(mistakes) && DicomRowsChoose(&import.rows, spec, mistakes, &import.series, &import.set)
          ? PETSC_TRUE
          : PETSC_FALSE;
  MarkDoses(&import);
  if (import.rows.n || import.survey.ignored.n) PetscCall(DicomRowsPrint(&import.rows, table));
  if (chosen) PetscCall(MakeCase(&import, out));
  PetscCall(DicomLatticeDestroy(&import.lattice));
  PetscCall(DicomRowsDestroy(&import.rows));
  PetscCall(DicomSeriesDestroy(&import.ct));
  PetscCall(DicomSurveyDestroy(&import.survey));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseReadDicom(const char *folder, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  const DicomImportSpec spec = {.n_path = 1, .path = &folder};
  Text table = {0};
  PetscCall(CaseImportDicom(&spec, &table, mistakes, out));
  PetscCall(TextDestroy(&table));
  PetscFunctionReturn(0);
}
