/*
 * DICOM files as plain C sees them: what robion needs of DCMTK and OpenJPEG. No type and no exception of theirs comes through here.
 *
 * Reading is for the process of its own that meets a file of others (robion/child.h): a damaged file may crash it, hang it, or
 * take memory up to the limit that DicomLimitMemory sets. Text comes as UTF-8 whatever the file's character set; what
 * cannot be converted shows its bytes as \xNN. Numbers have a dot as decimal sign whatever the locale. Not thread-safe.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* A tag as the standard prints it: DICOM(0x0020, 0x0032). */
typedef uint32_t DicomTag;
#define DICOM(group, element) ((DicomTag)(group) << 16 | (DicomTag)(element))

typedef struct DicomFile_private *DicomFile;

/* A data set or an item of a sequence, owned by its file; `at` NULL: there is none, and whatever is asked of it is not there. */
typedef struct DicomItem {
  void *at;
  DicomFile file;
} DicomItem;

/* Load the dictionary and the decoders; again it does nothing. Before forking, so that no child has to. */
void DicomStart(void);
/* Let this process have so many bytes more at most than it has now; what needs more fails as a file that is damaged. */
void DicomLimitMemory(size_t more_bytes);

/* --- Read ------------------------------------------------------------------------------------------------------------ */

enum { DICOM_MESSAGE = 256 };

/* Read a file, its large values later. False, NULL and a message (without the file's name) if it is none, or is damaged. */
bool DicomOpen(const char *path, DicomFile *file, char message[DICOM_MESSAGE]);
void DicomClose(DicomFile *file);
/* The data set of a file, and the header that says its transfer syntax. */
DicomItem DicomSet(DicomFile file);
DicomItem DicomHeader(DicomFile file);

/* How many values, or items of a sequence, a tag has; 0: empty; -1: it is not there. */
long DicomCount(DicomItem item, DicomTag tag);
/* Item i of a sequence. */
DicomItem DicomItemAt(DicomItem item, DicomTag tag, long i);
/* Value i as text without blanks around it and without control characters, cut to the size. False and "" if it is not there. */
bool DicomString(DicomItem item, DicomTag tag, long i, char *text, size_t size);
/* Value i of any type as a number; false, and *value as it was, if there is none or it is no finite number. */
bool DicomDouble(DicomItem item, DicomTag tag, long i, double *value);
bool DicomInteger(DicomItem item, DicomTag tag, long i, long *value);
/* Up to n values at once; returns how many are numbers up to the first that is none. */
size_t DicomDoubles(DicomItem item, DicomTag tag, size_t n, double *value);
/* The first n bytes of a value of bytes (private tags of unknown type); returns how many there are. */
size_t DicomBytes(DicomItem item, DicomTag tag, size_t n, unsigned char *bytes);

/* The pixels of a data set. */
typedef struct DicomPixels {
  long frames, rows, columns;
  int bits_allocated, bits_stored, high_bit;
  bool is_signed, is_float;
} DicomPixels;

/* What there is; false and a message if these are no grey values of 8, 16 or 32 bits that robion reads. */
bool DicomPixelsDescribe(DicomItem set, DicomPixels *pixels, char message[DICOM_MESSAGE]);
/* One frame of rows x columns values as they are stored: unpacked, unused bits away, signed where they are. False and a message. */
bool DicomPixelsFrame(DicomItem set, const DicomPixels *pixels, long frame, double *value, char message[DICOM_MESSAGE]);

/* --- Write ----------------------------------------------------------------------------------------------------------- */

/* A new file of a SOP class, in UTF-8. NULL: no memory. */
DicomFile DicomCreate(const char *sop_class_uid, const char *sop_instance_uid);
/*
 * Put values; the type is that of the dictionary. Text has a backslash between its values. Numbers that are stored as text get as many
 * digits as 16 characters hold. n = 0 or "" leaves an empty value. What fails is remembered, and DicomWrite tells the first of it.
 */
void DicomPutString(DicomItem item, DicomTag tag, const char *utf8);
void DicomPutInteger(DicomItem item, DicomTag tag, long value);
void DicomPutDouble(DicomItem item, DicomTag tag, double value);
void DicomPutDoubles(DicomItem item, DicomTag tag, size_t n, const double *value);
void DicomPutTag(DicomItem item, DicomTag tag, DicomTag value);
/* A value of a private or otherwise unknown tag, as bytes (OB); the caller also puts its private creator. */
void DicomPutBytes(DicomItem item, DicomTag tag, size_t n, const unsigned char *bytes);
/* Append an item to a sequence, which is made if it is not there. */
DicomItem DicomAppendItem(DicomItem item, DicomTag tag);
/* Pixel data of 16 bits. Their description (rows, bits, ...) is the caller's. */
void DicomPutPixels16(DicomItem set, size_t n, const uint16_t *value);
/* Write in explicit little endian, or another transfer syntax by its UID (not compressed). False and a message. */
bool DicomWrite(DicomFile file, const char *transfer_syntax_uid, const char *path, char message[DICOM_MESSAGE]);

#ifdef __cplusplus
}
#endif
