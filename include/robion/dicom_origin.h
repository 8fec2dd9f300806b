/**
 * Where a case came from that was read from DICOM: what is needed to write plans, doses and structures back that a clinic's
 * system takes for the same patient's. It is kept in the group /dicom of the case file; no name and no birth date is there, and the
 * patient's ID only if the import was told to keep it.
 *
 *     /dicom                        attributes: the texts below, kvp
 *     /dicom/sop_instance_uid       [slice][65] bytes, text ended by 0; attribute-less, in ascending z
 *     /dicom/slice_z_mm             [slice] along the normal of the slices
 *     /dicom/contours/<structure>   points_mm [point][3] (LPS), rings [ring] (points of each ring); attributes roi_number,
 *                                   roi_name, interpreted_type
 */
#pragma once
#include "robion/contours.h"
#include "robion/hdf5.h"

enum { DICOM_TEXT = 65 }; /* UIDs and long strings have 64 characters; in UTF-8 they may be cut */

/** The original contours of a structure. */
typedef struct DicomContours {
  char *structure; /* as the case names it */
  char roi_name[DICOM_TEXT], interpreted_type[DICOM_TEXT];
  PetscInt roi_number;
  Contours contours;
} DicomContours;

typedef struct DicomOrigin {
  /* "": not known */
  char study_uid[DICOM_TEXT], frame_of_reference_uid[DICOM_TEXT], series_uid[DICOM_TEXT], sop_class_uid[DICOM_TEXT];
  char structure_set_uid[DICOM_TEXT], patient_id[DICOM_TEXT];
  char manufacturer[DICOM_TEXT], model[DICOM_TEXT], kernel[DICOM_TEXT];
  double kvp; /* 0: not known */
  PetscInt n_slices;
  char (*sop_instance_uid)[DICOM_TEXT];
  double *slice_z_mm; /* the slices of the series; those of the case are others if they were resampled */
  PetscInt n_structures;
  DicomContours *structure;
} DicomOrigin;

/** Write /dicom into a case file that is being written. */
void DicomOriginWrite(const DicomOrigin *origin, H5Sink *sink);

/**
 * Read it from a case file; *out is NULL if the case has none. Whatever is wrong is a mistake (ROBION_INPUT), and then *out is NULL
 * too. Not collective.
 */
PetscErrorCode DicomOriginRead(const char *case_file, Mistakes *mistakes, DicomOrigin **out);

/** The contours of a structure of the case; NULL if it has none. */
const DicomContours *DicomOriginFind(const DicomOrigin *origin, const char *structure);

PetscErrorCode DicomOriginDestroy(DicomOrigin **origin);
