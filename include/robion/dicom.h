/**
 * Patients from the DICOM files of a clinic: the CT, its structure set, and doses, out of folders as they were exported.
 */
#pragma once
#include "robion/case.h"
#include "robion/text.h"

/** What the command line says of an import; lists may be empty, texts NULL. */
typedef struct DicomImportSpec {
  PetscInt n_path;
  const char *const *path; /* folders and files */
  const char *series;      /* number in the table, or SeriesInstanceUID, of the CT */
  const char *structures;  /* number in the table, or SOPInstanceUID, of the structure set */
  const char *external;    /* structure that is the patient's outline */
  PetscInt n_target, n_role, n_dose;
  const char *const *target; /* structures that are targets */
  const char *const *role;   /* NAME=target|oar|external */
  const char *const *dose;   /* numbers in the table, or SOPInstanceUIDs, of doses to take as maps */
  const char *hlut;          /* folder of tables by scanner */
  PetscBool resample;        /* interpolate slices that are unevenly placed, and images that lie askew */
  PetscBool keep_patient_id;
} DicomImportSpec;

/**
 * Find the CT and its structures, put them on a grid along the patient's axes (LPS), and tell in `table` what was found and what was
 * ignored and why (also where the import fails). The source of the case names its series, no folder; no name, birth date or ID of
 * the patient is in the case but the ID in case->dicom if asked for. Mistakes: ROBION_INPUT, ROBION_COMMAND_LINE where the choice
 * is the user's; *out is NULL then. Not collective.
 */
PetscErrorCode CaseImportDicom(const DicomImportSpec *spec, Text *table, Mistakes *mistakes, Case **out);

/** The same of one folder without any choice or table. */
PetscErrorCode CaseReadDicom(const char *folder, Mistakes *mistakes, Case **out);
