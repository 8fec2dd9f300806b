/* All files below some folders, in the order of their names: what they are, or why they are ignored. */
#include "dicom_private.h"
#include "head.h"
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_FILES = 50000 };

static PetscErrorCode KeepImages(DicomSurvey *survey, const DicomHeadErrand *errand)
{
  PetscFunctionBegin;
  const PetscInt n = errand->head.n_images;
  if (survey->n_images + n > survey->room_images) {
    survey->room_images = 2 * survey->room_images + n;
    PetscCall(PetscRealloc((size_t)survey->room_images * sizeof *survey->image, &survey->image));
  }
  for (PetscInt i = 0; i < n; i++) {
    survey->image[survey->n_images] = errand->image[i];
    survey->image[survey->n_images++].file = survey->n_files;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode LookAt(const char *path, DicomSurvey *survey)
{
  PetscFunctionBegin;
  DicomHeadErrand found = {.image = NULL};
  if (DicomRun(survey->reader, path, &dicom_head_errand, NULL, &found, &survey->ignored)) {
    if (survey->n_files == survey->room_files) {
      survey->room_files = 2 * survey->room_files + 64;
      PetscCall(PetscRealloc((size_t)survey->room_files * sizeof *survey->file, &survey->file));
    }
    PetscCall(KeepImages(survey, &found));
    survey->file[survey->n_files].head = found.head;
    PetscCall(PetscStrallocpy(path, &survey->file[survey->n_files].path));
    survey->n_files++;
  }
  PetscCall(PetscFree(found.image));
  PetscFunctionReturn(0);
}

static int ByName(const FTSENT **a, const FTSENT **b)
{
  return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Links to files count as files; those to folders are left. */
static PetscBool IsFile(const FTSENT *entry)
{
  struct stat facts;
  if (entry->fts_info == FTS_F) return PETSC_TRUE;
  return entry->fts_info == FTS_SL && !stat(entry->fts_accpath, &facts) && S_ISREG(facts.st_mode) ? PETSC_TRUE
                                                                                                  : PETSC_FALSE;
}

static PetscErrorCode LookThrough(const char *path, DicomSurvey *survey, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char *const paths[] = {(char *)path, NULL};
  struct stat facts;
  if (stat(path, &facts)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be opened: %s", path, strerror(errno)));
    PetscFunctionReturn(0);
  }
  FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, ByName);
  if (!tree) PetscFunctionReturn(PETSC_ERR_MEM);
  for (FTSENT *entry; (entry = fts_read(tree));) {
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
      PetscCall(
          MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read: %s", entry->fts_path, strerror(entry->fts_errno)));
    if (!IsFile(entry)) continue;
    if (survey->n_files + survey->ignored.n >= MOST_FILES) {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: more than %d files, expected a patient's", path, MOST_FILES));
      break;
    }
    PetscCall(LookAt(entry->fts_path, survey));
  }
  (void)fts_close(tree);
  PetscFunctionReturn(0);
}

PetscErrorCode DicomSurveyMake(PetscInt n, const char *const *path, DicomSurvey *survey, Mistakes *mistakes)
{
  PetscFunctionBegin;
  *survey = (DicomSurvey){0};
  if (DicomLacks()) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s", path[0], DicomLacks()));
    PetscFunctionReturn(0);
  }
  PetscCall(DicomReaderCreate(&survey->reader));
  for (PetscInt i = 0; i < n; i++) PetscCall(LookThrough(path[i], survey, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode DicomSurveyDestroy(DicomSurvey *survey)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < survey->n_files; i++) PetscCall(PetscFree(survey->file[i].path));
  PetscCall(PetscFree(survey->file));
  PetscCall(PetscFree(survey->image));
  PetscCall(MistakesClear(&survey->ignored));
  PetscCall(DicomReaderDestroy(&survey->reader));
  PetscFunctionReturn(0);
}

PetscInt DicomOnly(const char *path, const DicomSurvey *survey, const char *modality, const char *plural,
                   Mistakes *mistakes)
{
  PetscInt n = 0, file = -1;
  for (PetscInt f = 0; f < survey->n_files; f++) {
    if (strcmp(survey->file[f].head.modality, modality)) continue;
    n++;
    file = f;
  }
  if (n == 1) return file;
  if (!survey->n_files && survey->ignored.n == 1)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s", survey->ignored.item[0].text);
  else
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %d %s found, expected one: give its file", path, (int)n, plural);
  return -1;
}

PetscBool DicomIsSlice(const DicomHead *head, const char *modality)
{
  static const char secondary_capture[] = "1.2.840.10008.5.1.4.1.1.7";
  return !strcmp(head->modality, modality) && head->n_images > 0 && !strstr(head->image_type, "LOCALIZER") &&
                 strncmp(head->sop_class_uid, secondary_capture, sizeof secondary_capture - 1)
             ? PETSC_TRUE
             : PETSC_FALSE;
}
