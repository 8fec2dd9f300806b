/* A plan on its way out as a set of DICOM files of one study: what its files have in common. */
#pragma once
#include "robion/dicom_origin.h"
#include "robion/exchange.h"
#include "tags.h"

enum { DICOM_FILE = 96 };

/* A file of the set. */
typedef struct DicomName {
  char file[DICOM_FILE], uid[DICOM_TEXT];
} DicomName;

/* The plan of a stage, or of a course without stages. */
typedef struct StagePlan {
  const char *name;    /* NULL: no stages */
  PetscInt first, end; /* of the beams */
  double fractions;
  DicomName plan;
} StagePlan;

typedef struct DicomExport {
  const PlanReader *plan;
  const PlanExtras *extras;
  const Case *patient;
  const DicomOrigin *origin; /* NULL: the case is not from DICOM */
  const char *folder;
  char *text[N_PLAN_TEXTS];
  double fractions, prescription_Gy_RBE; /* of the whole course; per fraction */
  char date[9], time[7];                 /* when the plan was made; "" if that is not known */
  char study_uid[DICOM_TEXT], frame_uid[DICOM_TEXT], ct_series_uid[DICOM_TEXT], ct_class_uid[DICOM_TEXT];
  PetscInt n_slices; /* of the CT */
  char (*slice_uid)[DICOM_TEXT];
  double *slice_z_mm;
  DicomName structures;
  PetscInt n_beams, n_stages;
  BeamOnFile *beam;
  StagePlan *stage;
  PetscInt *roi_number; /* of the case's structures */
} DicomExport;

/* A UID that grows from content: 2.25 and 128 bits. */
typedef struct UidHash {
  uint64_t half[2];
} UidHash;

/* The beginning: what kind of thing it is, and the UID or text of what it belongs to. */
UidHash UidBegin(const char *kind, const char *of);
void UidAdd(UidHash *hash, const void *bytes, size_t n);
void UidText(const UidHash *hash, char uid[DICOM_TEXT]);

/* Text of at most `most` characters of the standard: backslashes and control characters become blanks. */
void DicomPutText(DicomItem item, DicomTag tag, size_t most, const char *utf8);

/* A text, and the attribute that has it in every file of a kind. */
typedef struct FixedText {
  DicomTag tag;
  const char *text;
} FixedText;
void DicomPutFixed(DicomItem item, size_t n, const FixedText *fixed);

/* A file with what every file has: patient, study, series of this description, frame of reference, equipment. NULL after a mistake. */
DicomFile DicomBegin(const DicomExport *x, const char *sop_class, const char *uid, const char *modality, int series,
                     const char *description, Mistakes *mistakes);
/* Write it into the folder and close it. */
void DicomEnd(const DicomExport *x, DicomFile *file, const char *name, Mistakes *mistakes);
/* "RN.dcm", "RN_STAGE.dcm", "RD_STAGE_beam_2.dcm": stage NULL: none; beam 0: none. */
void DicomFileName(char file[DICOM_FILE], const char *kind, const char *stage, int beam);
/* What the plan of a stage calls one of the beams. */
static inline PetscInt DicomBeamNumber(const StagePlan *stage, PetscInt beam)
{
  return beam - stage->first + 1;
}
/* Name class and instance of what is referred to in an item. */
void DicomRefer(DicomItem item, const char *sop_class, const char *uid);

PetscErrorCode DicomExportCT(const DicomExport *x, Mistakes *mistakes);
/* Names the structure set and the numbers of its ROIs, then writes it. */
PetscErrorCode DicomExportStructures(DicomExport *x, Mistakes *mistakes);
/* Names the plans, then writes them. */
PetscErrorCode DicomExportPlans(DicomExport *x, Mistakes *mistakes);
PetscErrorCode DicomExportDoses(const DicomExport *x, Mistakes *mistakes);
