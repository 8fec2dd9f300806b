/* DICOM in a build without DCMTK or OpenJPEG: no file can be opened or made, so nothing else is ever asked. */
#include "shim.h"
#include <stdio.h>

#ifndef ROBION_DICOM
const char *DicomLacks(void)
{
  return "this robion was built without DCMTK and OpenJPEG (Debian: libdcmtk-dev, libopenjp2-7-dev; then make)";
}

void DicomStart(void) {}

void DicomLimitMemory(size_t more_bytes) {}

bool DicomOpen(const char *path, DicomFile *file, char message[DICOM_MESSAGE])
{
  *file = NULL;
  snprintf(message, DICOM_MESSAGE, "%s", DicomLacks());
  return false;
}

void DicomClose(DicomFile *file) {}

DicomItem DicomSet(DicomFile file)
{
  return (DicomItem){NULL, NULL};
}

DicomItem DicomHeader(DicomFile file)
{
  return (DicomItem){NULL, NULL};
}

long DicomCount(DicomItem item, DicomTag tag)
{
  return -1;
}

DicomItem DicomItemAt(DicomItem item, DicomTag tag, long i)
{
  return item;
}

bool DicomString(DicomItem item, DicomTag tag, long i, char *text, size_t size)
{
  *text = 0;
  return false;
}

bool DicomDouble(DicomItem item, DicomTag tag, long i, double *value)
{
  return false;
}

bool DicomInteger(DicomItem item, DicomTag tag, long i, long *value)
{
  return false;
}

size_t DicomDoubles(DicomItem item, DicomTag tag, size_t n, double *value)
{
  return 0;
}

size_t DicomBytes(DicomItem item, DicomTag tag, size_t n, unsigned char *bytes)
{
  return 0;
}

bool DicomPixelsDescribe(DicomItem set, DicomPixels *pixels, char message[DICOM_MESSAGE])
{
  return false;
}

bool DicomPixelsFrame(DicomItem set, const DicomPixels *pixels, long frame, double *value, char message[DICOM_MESSAGE])
{
  return false;
}

DicomFile DicomCreate(const char *sop_class_uid, const char *sop_instance_uid)
{
  return NULL;
}

void DicomPutString(DicomItem item, DicomTag tag, const char *utf8) {}

void DicomPutInteger(DicomItem item, DicomTag tag, long value) {}

void DicomPutDouble(DicomItem item, DicomTag tag, double value) {}

void DicomPutDoubles(DicomItem item, DicomTag tag, size_t n, const double *value) {}

void DicomPutTag(DicomItem item, DicomTag tag, DicomTag value) {}

void DicomPutBytes(DicomItem item, DicomTag tag, size_t n, const unsigned char *bytes) {}

DicomItem DicomAppendItem(DicomItem item, DicomTag tag)
{
  return item;
}

void DicomPutPixels16(DicomItem set, size_t n, const uint16_t *value) {}

bool DicomWrite(DicomFile file, const char *transfer_syntax_uid, const char *path, char message[DICOM_MESSAGE])
{
  return false;
}
#endif
