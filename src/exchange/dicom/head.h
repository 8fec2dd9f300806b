/* The errand of survey.c: what a file is. */
#pragma once
#include "dicom_private.h"

typedef struct DicomHeadErrand {
  DicomHead head;
  DicomImage *image; /* head.n_images of them, PetscMalloc'ed */
} DicomHeadErrand;

bool DicomHeadLook(DicomItem set, void *context, char message[DICOM_MESSAGE]);
PetscBool DicomHeadSend(const Child *child, void *context);
PetscBool DicomHeadReceive(const Child *child, void *context);
