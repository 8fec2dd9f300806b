/* What all DICOM files of a plan have in common, and their UIDs. */
#include "export_private.h"
#include "robion/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_HALF UINT64_C(0x9e3779b97f4a7c15) /* sets the second half of a UID's hash apart from the first */

UidHash UidBegin(const char *kind, const char *of)
{
  UidHash hash = {{HASH_START, HASH_START ^ SECOND_HALF}};
  UidAdd(&hash, kind, strlen(kind) + 1);
  UidAdd(&hash, of, strlen(of) + 1);
  return hash;
}

void UidAdd(UidHash *hash, const void *bytes, size_t n)
{
  for (int k = 0; k < 2; k++) hash->half[k] = HashBytes(hash->half[k], bytes, n);
}

void UidText(const UidHash *hash, char uid[DICOM_TEXT])
{
  unsigned __int128 number = (unsigned __int128)hash->half[0] << 64 | hash->half[1];
  char digits[40];
  int n = 0;
  do digits[n++] = (char)('0' + (int)(number % 10));
  while (number /= 10);
  char *at = uid + snprintf(uid, DICOM_TEXT, "2.25.");
  while (n) *at++ = digits[--n];
  *at = 0;
}

void DicomPutText(DicomItem item, DicomTag tag, size_t most, const char *utf8)
{
  char text[4 * DICOM_TEXT];
  size_t n = 0, characters = 0;
  for (const char *c = utf8; *c && n < sizeof text - 1; c++) {
    const PetscBool begins = ((unsigned char)*c & 0xc0) != 0x80 ? PETSC_TRUE : PETSC_FALSE; /* of a character */
    if (begins && characters++ == most) break;
    text[n++] = (char)(*c == '\\' || (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c);
  }
  text[n] = 0;
  DicomPutString(item, tag, TextTrim(text));
}

void DicomPutFixed(DicomItem item, size_t n, const FixedText *fixed)
{
  for (size_t i = 0; i < n; i++) DicomPutString(item, fixed[i].tag, fixed[i].text);
}

static void PutSeries(const DicomExport *x, DicomItem set, const char *uid, const char *modality, int series,
                      const char *description)
{
  char series_uid[DICOM_TEXT];
  if (!strcmp(modality, "CT"))
    snprintf(series_uid, sizeof series_uid, "%s", x->ct_series_uid);
  else {
    const UidHash hash = UidBegin("series", uid);
    UidText(&hash, series_uid);
  }
  DicomPutString(set, MODALITY, modality);
  DicomPutString(set, SERIES_INSTANCE_UID, series_uid);
  DicomPutInteger(set, SERIES_NUMBER, series);
  DicomPutText(set, SERIES_DESCRIPTION, 64, description);
}

DicomFile DicomBegin(const DicomExport *x, const char *sop_class, const char *uid, const char *modality, int series,
                     const char *description, Mistakes *mistakes)
{
  static const FixedText unknown[] = {{ACCESSION_NUMBER, ""},   {REFERRING_PHYSICIAN_NAME, ""},
                                      {PATIENT_BIRTH_DATE, ""}, {PATIENT_SEX, ""},
                                      {STUDY_ID, "robion"},     {POSITION_REFERENCE_INDICATOR, ""}};
  const char *patient = x->origin && *x->origin->patient_id ? x->origin->patient_id : x->text[PLAN_CASE];
  Provenance build;
  DicomFile file = DicomCreate(sop_class, uid);
  if (!file) {
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: no memory for a DICOM file", x->folder);
    return NULL;
  }
  ProvenanceBuild(&build);
  const DicomItem set = DicomSet(file);
  DicomPutFixed(set, PETSC_STATIC_ARRAY_LENGTH(unknown), unknown);
  DicomPutText(set, PATIENT_NAME, 64, x->text[PLAN_CASE]);
  DicomPutText(set, PATIENT_ID, 64, patient);
  DicomPutString(set, STUDY_INSTANCE_UID, x->study_uid);
  DicomPutString(set, STUDY_DATE, x->date);
  DicomPutString(set, STUDY_TIME, x->time);
  DicomPutString(set, FRAME_OF_REFERENCE_UID, x->frame_uid);
  DicomPutString(set, MANUFACTURER, "robion");
  DicomPutString(set, MANUFACTURER_MODEL_NAME, "robion (research, not for clinical use)");
  DicomPutText(set, SOFTWARE_VERSIONS, 64, build.version);
  DicomPutInteger(set, INSTANCE_NUMBER, 1);
  PutSeries(x, set, uid, modality, series, description);
  return file;
}

/* Into the file that this process has made, whatever others may put in the place of its name meanwhile; false and a message. */
static PetscBool WriteInto(DicomFile file, int descriptor, char message[DICOM_MESSAGE])
{
  char path[32];
  snprintf(path, sizeof path, "/dev/fd/%d", descriptor);
  PetscBool good = DicomWrite(file, NULL, path, message) ? PETSC_TRUE : PETSC_FALSE;
  if (good && fsync(descriptor)) {
    snprintf(message, DICOM_MESSAGE, "%s", strerror(errno));
    good = PETSC_FALSE;
  }
  (void)close(descriptor);
  return good;
}

void DicomEnd(const DicomExport *x, DicomFile *file, const char *name, Mistakes *mistakes)
{
  char path[PETSC_MAX_PATH_LEN], temporary[PETSC_MAX_PATH_LEN + 8], message[DICOM_MESSAGE] = "";
  if (!*file) return;
  snprintf(path, sizeof path, "%s/%s", x->folder, name);
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  const int descriptor = FileCreate(temporary);
  PetscBool good = descriptor >= 0 ? PETSC_TRUE : PETSC_FALSE;
  if (!good) snprintf(message, sizeof message, "%s", strerror(errno));
  if (good) good = WriteInto(*file, descriptor, message);
  if (good && FilePut(temporary, path)) {
    snprintf(message, sizeof message, "%s", strerror(errno));
    good = PETSC_FALSE;
  }
  if (!good) (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", path, message);
  if (!good && descriptor >= 0) (void)unlink(temporary);
  DicomClose(file);
}

void DicomFileName(char file[DICOM_FILE], const char *kind, const char *stage, int beam)
{
  char of_beam[24] = "";
  if (beam) snprintf(of_beam, sizeof of_beam, "_beam_%d", beam);
  snprintf(file, DICOM_FILE, "%s%s%.40s%s.dcm", kind, stage ? "_" : "", stage ? stage : "", of_beam);
  for (char *c = file; *c; c++)
    if (*c == '/' || *c == ' ') *c = '_';
}

void DicomRefer(DicomItem item, const char *sop_class, const char *uid)
{
  DicomPutString(item, REFERENCED_SOP_CLASS_UID, sop_class);
  DicomPutString(item, REFERENCED_SOP_INSTANCE_UID, uid);
}
