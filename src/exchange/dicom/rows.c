/* What was found in the folders, and which of it is taken. */
#include "dicom_private.h"
#include <string.h>

enum { IGNORED_TOLD = 20 };

static const DicomHead *HeadOf(const DicomRows *rows, const DicomRow *row)
{
  return &rows->survey->file[row->file].head;
}

/* Why a file is no part of a case. */
static void WhyIgnored(const DicomHead *head, char why[DICOM_MESSAGE])
{
  if (strstr(head->image_type, "LOCALIZER"))
    snprintf(why, DICOM_MESSAGE, "localizer");
  else if (!strcmp(head->modality, "RTPLAN"))
    snprintf(why, DICOM_MESSAGE, "a plan: see robion evaluate");
  else if (!strcmp(head->modality, "MR"))
    snprintf(why, DICOM_MESSAGE, "magnetic resonance: see robion import adc");
  else if (strcmp(head->modality, "CT"))
    snprintf(why, DICOM_MESSAGE, "no part of a case");
  else if (!head->pixels.rows)
    snprintf(why, DICOM_MESSAGE, "%s", *head->lacks ? head->lacks : "no pixels");
  else if (!head->n_images)
    snprintf(why, DICOM_MESSAGE, "does not say where its pixels are%s%.200s", *head->lacks ? ": " : "", head->lacks);
  else
    snprintf(why, DICOM_MESSAGE, "secondary capture");
}

/* The row that a file is counted in, so far. */
static DicomRow *FindLike(const DicomRows *rows, const DicomRow *new)
{
  const DicomHead *head = HeadOf(rows, new);
  for (PetscInt r = rows->n - 1; new->kind == ROW_IGNORED &&r >= 0; r--) {
    const DicomHead *other = HeadOf(rows, &rows->row[r]);
    if (rows->row[r].kind == ROW_IGNORED && !strcmp(rows->row[r].why, new->why) &&
        !strcmp(other->series_uid, head->series_uid) && !strcmp(other->modality, head->modality))
      return &rows->row[r];
  }
  return NULL;
}

static PetscErrorCode Add(DicomRows *rows, DicomRow row)
{
  PetscFunctionBegin;
  DicomRow *like = FindLike(rows, &row);
  if (like)
    like->n++;
  else {
    PetscCall(PetscRealloc((size_t)(rows->n + 1) * sizeof *rows->row, &rows->row));
    rows->row[rows->n++] = row;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DicomRowsMake(const DicomSurvey *survey, const DicomSeriesList *ct, DicomRows *rows)
{
  PetscFunctionBegin;
  *rows = (DicomRows){.survey = survey};
  for (PetscInt s = 0; s < ct->n; s++) {
    const DicomSeries *series = &ct->series[s];
    PetscCall(Add(rows, (DicomRow){ROW_CT, survey->image[series->image[0]].file, series, series->n, "", PETSC_FALSE}));
  }
  for (PetscInt f = 0; f < survey->n_files; f++) {
    const DicomHead *head = &survey->file[f].head;
    DicomRow row = {.kind = ROW_IGNORED, .file = f, .n = 1};
    if (DicomIsSlice(head, "CT")) continue;
    if (!strcmp(head->modality, "RTSTRUCT"))
      row.kind = ROW_STRUCTURES;
    else if (!strcmp(head->modality, "RTDOSE"))
      row.kind = ROW_DOSE;
    else
      WhyIgnored(head, row.why);
    PetscCall(Add(rows, row));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode DicomRowsDestroy(DicomRows *rows)
{
  return PetscFree(rows->row);
}

static PetscErrorCode PrintRow(const DicomRows *rows, PetscInt r, Text *table)
{
  PetscFunctionBegin;
  const DicomRow *row = &rows->row[r];
  const DicomHead *head = HeadOf(rows, row);
  char size[128] = "", where[32];
  if (row->kind == ROW_CT) {
    const DicomImage *image = &rows->survey->image[row->series->image[0]];
    snprintf(size, sizeof size, "%d slices of %ld x %ld pixels of %.4g x %.4g mm", (int)row->n, head->pixels.columns,
             head->pixels.rows, image->spacing_mm[0], image->spacing_mm[1]);
  } else if (row->kind == ROW_DOSE)
    snprintf(size, sizeof size, "%ld x %ld x %ld voxels", head->pixels.columns, head->pixels.rows, head->pixels.frames);
  else
    snprintf(size, sizeof size, "%d file%s", (int)row->n, row->n > 1 ? "s" : "");
  snprintf(where, sizeof where, row->kind == ROW_IGNORED ? " -" : "%2d", (int)r + 1);
  PetscCall(TextAdd(table, "%s  %-8s %s", where, *head->modality ? head->modality : "?", size));
  if (*head->description) PetscCall(TextAdd(table, ", \"%s\"", head->description));
  if (row->kind == ROW_DOSE)
    PetscCall(TextAdd(table, ", %s %s %s", head->dose_type, head->dose_summation, head->dose_unit));
  if (row->kind == ROW_CT && *head->kernel) PetscCall(TextAdd(table, ", kernel %s", head->kernel));
  if (row->kind == ROW_IGNORED)
    PetscCall(TextAdd(table, ": ignored: %s", row->why));
  else
    PetscCall(TextAdd(table, ": %s%s%s", row->taken ? "taken" : "not taken", *row->why ? ": " : "", row->why));
  PetscCall(TextAdd(table, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode DicomRowsPrint(const DicomRows *rows, Text *table)
{
  PetscFunctionBegin;
  const Mistakes *ignored = &rows->survey->ignored;
  PetscCall(TextAdd(table, "found in %d files:\n", (int)(rows->survey->n_files + ignored->n)));
  for (PetscInt r = 0; r < rows->n; r++) PetscCall(PrintRow(rows, r, table));
  for (PetscInt i = 0; i < PetscMin(ignored->n, (PetscInt)IGNORED_TOLD); i++)
    PetscCall(TextAdd(table, " -  ignored: %s\n", ignored->item[i].text));
  if (ignored->n > IGNORED_TOLD)
    PetscCall(TextAdd(table, " -  ignored: %d more files\n", (int)ignored->n - IGNORED_TOLD));
  PetscFunctionReturn(0);
}

static const char *const kind_names[] = {
    [ROW_CT] = "CT series", [ROW_STRUCTURES] = "structure set", [ROW_DOSE] = "dose", [ROW_IGNORED] = "file"};

DicomRow *DicomRowsFind(const DicomRows *rows, DicomRowKind kind, const char *option, const char *said,
                        Mistakes *mistakes)
{
  double number;
  for (PetscInt r = 0; r < rows->n; r++) {
    const DicomHead *head = HeadOf(rows, &rows->row[r]);
    const char *uid = kind == ROW_CT ? head->series_uid : head->sop_instance_uid;
    if (rows->row[r].kind != kind) continue;
    if ((TextParseNumber(said, &number) && number == (double)(r + 1)) || !strcmp(said, uid)) return &rows->row[r];
  }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                    "option %s is %s, expected the number of a %s in the table, or its UID", option, said,
                    kind_names[kind]);
  return NULL;
}

/* "1, 2 or 5": the rows of a kind for which it may be said. */
static void ListRows(const DicomRows *rows, DicomRowKind kind, Text *list)
{
  for (PetscInt r = 0; r < rows->n; r++)
    if (rows->row[r].kind == kind) (void)TextAdd(list, "%s%d", list->length ? ", " : "", (int)r + 1);
}

static PetscBool Ask(const DicomRows *rows, DicomRowKind kind, const char *option, Mistakes *mistakes)
{
  Text list = {0};
  ListRows(rows, kind, &list);
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                    "more than one %s fits, expected option %s with a number of the table: %s", kind_names[kind],
                    option, list.data);
  (void)TextDestroy(&list);
  return PETSC_FALSE;
}

/* Whether a structure set was drawn on a CT: it says so (2), it has its frame of reference, or says neither (1). */
static int Refers(const DicomRows *rows, const DicomRow *structures, const DicomRow *ct)
{
  const DicomHead *set = HeadOf(rows, structures), *head = HeadOf(rows, ct);
  if (*set->referenced_series_uid && !strcmp(set->referenced_series_uid, head->series_uid)) return 2;
  return !*set->frame_of_reference_uid || !*head->frame_of_reference_uid ||
         !strcmp(set->frame_of_reference_uid, head->frame_of_reference_uid);
}

/* The rows of a kind that go best with another (NULL: with any of the other kind); n: how many do so equally well. */
static DicomRow *Best(const DicomRows *rows, DicomRowKind kind, DicomRow *with, PetscInt *n)
{
  DicomRow *best = NULL;
  int most = with ? 1 : 0;
  *n = 0;
  for (PetscInt r = 0; r < rows->n; r++) {
    DicomRow *row = &rows->row[r];
    int score = 0;
    if (row->kind != kind) continue;
    for (PetscInt o = 0; o < rows->n; o++) {
      DicomRow *other = &rows->row[o];
      if (other->kind > ROW_STRUCTURES || other->kind == kind || (with && other != with)) continue;
      const int refers = kind == ROW_CT ? Refers(rows, other, row) : Refers(rows, row, other);
      score = PetscMax(score, refers);
    }
    if (score < most) continue;
    if (score > most || !best) *n = 0;
    most = score;
    best = row;
    ++*n;
  }
  return best;
}

/* Why the first CT that there is cannot be taken; "": there is none. */
static const char *WhyNoCT(const DicomRows *rows)
{
  for (PetscInt r = 0; r < rows->n; r++)
    if (rows->row[r].kind == ROW_IGNORED && !strcmp(HeadOf(rows, &rows->row[r])->modality, "CT"))
      return rows->row[r].why;
  return "";
}

static PetscBool OfOnePatient(const DicomHead *a, const DicomHead *b)
{
  return !*a->patient_id || !*b->patient_id || !strcmp(a->patient_id, b->patient_id) ? PETSC_TRUE : PETSC_FALSE;
}

/* That the slices are of one patient; what there is to say of structure sets. IDs may have been taken out of some files alone. */
static PetscBool CheckPatients(const DicomRows *rows, const DicomRow *ct, DicomRow *structures, Mistakes *mistakes)
{
  const DicomHead *head = HeadOf(rows, ct);
  for (PetscInt i = 0; i < ct->series->n; i++) {
    const DicomFound *file = &rows->survey->file[rows->survey->image[ct->series->image[i]].file];
    if (OfOnePatient(head, &file->head)) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has another PatientID than other slices of its series", file->path);
    return PETSC_FALSE;
  }
  for (PetscInt r = 0; r < rows->n; r++)
    if (rows->row[r].kind == ROW_STRUCTURES && !Refers(rows, &rows->row[r], ct))
      snprintf(rows->row[r].why, DICOM_MESSAGE, "of another frame of reference than the CT");
  if (!structures) return PETSC_TRUE;
  const int refers = Refers(rows, structures, ct);
  if (refers == 1 && *HeadOf(rows, structures)->referenced_series_uid)
    snprintf(structures->why, DICOM_MESSAGE, "drawn on another series than the CT, placed by its frame of reference");
  if (!OfOnePatient(head, HeadOf(rows, structures)))
    snprintf(structures->why, DICOM_MESSAGE, "warning: of another PatientID than the CT");
  return PETSC_TRUE;
}

/* Why other series of CT are not taken. */
static void TellOtherCTs(const DicomRows *rows, const DicomRow *structures, PetscBool asked)
{
  for (PetscInt r = 0; r < rows->n; r++) {
    DicomRow *row = &rows->row[r];
    if (row->kind != ROW_CT || row->taken || *row->why) continue;
    snprintf(row->why, DICOM_MESSAGE, "%s",
             asked                                          ? "another one is asked for (--series)"
             : structures && !Refers(rows, structures, row) ? "of another frame of reference than the structure set"
                                                            : "the structure set was drawn on another one");
  }
}

PetscBool DicomRowsChoose(const DicomRows *rows, const DicomImportSpec *spec, Mistakes *mistakes, DicomRow **ct,
                          DicomRow **structures)
{
  PetscInt n = 0;
  *ct = *structures = NULL;
  if (spec->structures) {
    *structures = DicomRowsFind(rows, ROW_STRUCTURES, "--structures", spec->structures, mistakes);
    if (!*structures) return PETSC_FALSE;
  }
  *ct = spec->series ? DicomRowsFind(rows, ROW_CT, "--series", spec->series, mistakes)
                     : Best(rows, ROW_CT, *structures, &n);
  if (!*ct && !MistakesAny(mistakes))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: no CT%s found%s%s", spec->path[0],
                      *structures ? " of the frame of reference of the structure set" : "",
                      *WhyNoCT(rows) ? " that can be taken: " : "", WhyNoCT(rows));
  if (!*ct) return PETSC_FALSE;
  if (!spec->series && n > 1) return Ask(rows, ROW_CT, "--series", mistakes);
  if (!*structures) *structures = Best(rows, ROW_STRUCTURES, *ct, &n);
  if (!spec->structures && n > 1 && *structures) return Ask(rows, ROW_STRUCTURES, "--structures", mistakes);
  (*ct)->taken = PETSC_TRUE;
  TellOtherCTs(rows, *structures, spec->series ? PETSC_TRUE : PETSC_FALSE);
  if (*structures) (*structures)->taken = PETSC_TRUE;
  return CheckPatients(rows, *ct, *structures, mistakes);
}
