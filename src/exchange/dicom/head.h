/* The errand of survey.c: what a file is. */
#pragma once
#include "dicom_private.h"

typedef struct DicomHeadErrand {
  DicomHead head;
  DicomImage *image; /* head.n_images of them, PetscMalloc'ed */
} DicomHeadErrand;

bool DicomHeadLook(DicomItem set, const DicomWish *all, void *found, char message[DICOM_MESSAGE]);
extern const DicomErrand dicom_head_errand; /* DicomHeadErrand */
