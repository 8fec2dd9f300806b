/* DICOM files for tests: series of slices that hold x + 20 y + 300 z HU (mm), and structure sets. */
#pragma once
#include "../../src/exchange/dicom/shim.h"
#include "robion/dicom.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define CT_CLASS "1.2.840.10008.5.1.4.1.1.2"
#define SET_CLASS "1.2.840.10008.5.1.4.1.1.481.3"
#define DOSE_CLASS "1.2.840.10008.5.1.4.1.1.481.2"

enum { COLUMNS = 6, ROWS = 5 };

/* A series; 0 and NULL: as usual. */
typedef struct TestSeries {
  int n;               /* slices */
  double origin[3];    /* of the first */
  double direction[6]; /* all 0: 1, 0, 0, 0, 1, 0 */
  double step[3];      /* from slice to slice; all 0: 0, 0, 2 */
  double spacing[2];   /* of columns, rows; 1.5, 2.5 */
  int first_number;    /* in the files' names */
  const char *series, *frame, *position, *image_type, *modality, *syntax;
  double intercept;       /* of the first slice; 10 more in each that follows */
  bool is_signed, padded; /* the first pixel of each slice is padding */
  double extra;           /* HU added to all pixels */
} TestSeries;

static char test_folder[] = "/tmp/robion-import-XXXXXX";

static inline double TestHU(const double x[3])
{
  return x[0] + 20 * x[1] + 300 * x[2];
}

static inline const char *TestPath(const char *name)
{
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", test_folder, name);
  return path;
}

/* False where there is no DCMTK. */
static inline bool TestHasDicom(void)
{
  DicomFile file = DicomCreate(CT_CLASS, "2.25.1");
  const bool has = file != NULL;
  if (has) DicomClose(&file);
  return has;
}

static inline void TestWrite(DicomFile file, const char *syntax, const char *name)
{
  char message[DICOM_MESSAGE];
  if (!DicomWrite(file, syntax, TestPath(name), message)) fail_msg("%s: %s", name, message);
  DicomClose(&file);
}

static inline TestSeries TestComplete(TestSeries s)
{
  if (s.direction[0] == 0 && s.direction[1] == 0 && s.direction[2] == 0) s.direction[0] = s.direction[4] = 1;
  if (s.step[0] == 0 && s.step[1] == 0 && s.step[2] == 0) s.step[2] = 2;
  if (s.spacing[0] == 0) s.spacing[0] = 1.5;
  if (s.spacing[1] == 0) s.spacing[1] = 2.5;
  return s;
}

/* The place of a pixel. */
static inline void TestPlace(const TestSeries *s, int i, int j, double k, double x[3])
{
  for (int a = 0; a < 3; a++)
    x[a] =
        s->origin[a] + i * s->spacing[0] * s->direction[a] + j * s->spacing[1] * s->direction[3 + a] + k * s->step[a];
}

static inline void TestPutPixels(DicomItem set, const TestSeries *s, int k)
{
  uint16_t pixel[ROWS * COLUMNS];
  const double intercept = s->intercept + 10 * k, padding = s->is_signed ? -2000 : 63000;
  for (int v = 0; v < ROWS * COLUMNS; v++) {
    double x[3];
    TestPlace(s, v % COLUMNS, v / COLUMNS, k, x);
    const double stored = (TestHU(x) + s->extra - intercept) / 0.5;
    pixel[v] = (uint16_t)(int)lround(s->padded && v == 0 ? padding : stored);
  }
  DicomPutDouble(set, DICOM(0x0028, 0x1053), 0.5);
  DicomPutDouble(set, DICOM(0x0028, 0x1052), intercept);
  DicomPutInteger(set, DICOM(0x0028, 0x0002), 1);
  DicomPutInteger(set, DICOM(0x0028, 0x0010), ROWS);
  DicomPutInteger(set, DICOM(0x0028, 0x0011), COLUMNS);
  DicomPutInteger(set, DICOM(0x0028, 0x0100), 16);
  DicomPutInteger(set, DICOM(0x0028, 0x0101), 16);
  DicomPutInteger(set, DICOM(0x0028, 0x0102), 15);
  DicomPutInteger(set, DICOM(0x0028, 0x0103), s->is_signed);
  DicomPutString(set, DICOM(0x0028, 0x0004), "MONOCHROME2");
  if (s->padded) DicomPutDouble(set, DICOM(0x0028, 0x0120), (uint16_t)(int)padding);
  DicomPutPixels16(set, ROWS * COLUMNS, pixel);
}

static inline DicomFile TestSlice(const TestSeries *s, int k)
{
  char uid[64];
  double x[3];
  const char *series = s->series ? s->series : "2.25.100";
  snprintf(uid, sizeof uid, "%s.%d", series, s->first_number + k);
  DicomFile file = DicomCreate(CT_CLASS, uid);
  DicomItem set = DicomSet(file);
  TestPlace(s, 0, 0, k, x);
  DicomPutString(set, DICOM(0x0008, 0x0060), s->modality ? s->modality : "CT");
  DicomPutString(set, DICOM(0x0008, 0x0008), s->image_type ? s->image_type : "ORIGINAL\\PRIMARY\\AXIAL");
  DicomPutString(set, DICOM(0x0010, 0x0010), "Secret^Name");
  DicomPutString(set, DICOM(0x0010, 0x0020), "SECRET-ID");
  DicomPutString(set, DICOM(0x0010, 0x0030), "19700101");
  DicomPutString(set, DICOM(0x0020, 0x000d), "2.25.5");
  DicomPutString(set, DICOM(0x0020, 0x000e), series);
  DicomPutString(set, DICOM(0x0020, 0x0052), s->frame ? s->frame : "2.25.6");
  DicomPutString(set, DICOM(0x0018, 0x5100), s->position ? s->position : "HFS");
  DicomPutDoubles(set, DICOM(0x0020, 0x0032), 3, x);
  DicomPutDoubles(set, DICOM(0x0020, 0x0037), 6, s->direction);
  DicomPutDoubles(set, DICOM(0x0028, 0x0030), 2, (const double[]){s->spacing[1], s->spacing[0]});
  DicomPutString(set, DICOM(0x0008, 0x0070), "ACME");
  DicomPutString(set, DICOM(0x0008, 0x1090), "CT-9000");
  DicomPutString(set, DICOM(0x0018, 0x0060), "120");
  DicomPutString(set, DICOM(0x0018, 0x1210), "Br40");
  DicomPutString(set, DICOM(0x0018, 0x0050), "99"); /* a slice thickness that is none */
  TestPutPixels(set, s, k);
  return file;
}

static inline TestSeries TestWriteSeries(TestSeries given)
{
  const TestSeries s = TestComplete(given);
  for (int k = 0; k < s.n; k++) {
    char name[64];
    snprintf(name, sizeof name, "%d.dcm", (s.first_number + k) * 7919 % 997); /* in no order */
    TestWrite(TestSlice(&s, k), s.syntax, name);
  }
  return s;
}

/* A structure: one rectangle, from low to high in x and y, in each of some planes. */
typedef struct TestROI {
  const char *name, *type, *kind; /* kind NULL: CLOSED_PLANAR */
  int number, n_planes;
  double low[2], high[2], z[4];
  const char *frame;
} TestROI;

static inline void TestWriteSet(const char *name, const char *frame, const char *series, int n, const TestROI *roi)
{
  DicomFile file = DicomCreate(SET_CLASS, "2.25.77");
  DicomItem set = DicomSet(file);
  DicomPutString(set, DICOM(0x0008, 0x0060), "RTSTRUCT");
  DicomItem reference = DicomAppendItem(set, DICOM(0x3006, 0x0010));
  DicomPutString(reference, DICOM(0x0020, 0x0052), frame);
  DicomItem study = DicomAppendItem(reference, DICOM(0x3006, 0x0012));
  if (series) DicomPutString(DicomAppendItem(study, DICOM(0x3006, 0x0014)), DICOM(0x0020, 0x000e), series);
  for (int r = 0; r < n; r++) { /* the other sequences run backwards */
    const TestROI *drawn = &roi[n - 1 - r];
    DicomItem item = DicomAppendItem(set, DICOM(0x3006, 0x0020));
    DicomPutInteger(item, DICOM(0x3006, 0x0022), roi[r].number);
    DicomPutString(item, DICOM(0x3006, 0x0024), roi[r].frame ? roi[r].frame : frame);
    DicomPutString(item, DICOM(0x3006, 0x0026), roi[r].name);
    item = DicomAppendItem(set, DICOM(0x3006, 0x0080));
    DicomPutInteger(item, DICOM(0x3006, 0x0084), drawn->number);
    DicomPutString(item, DICOM(0x3006, 0x00a4), drawn->type ? drawn->type : "");
    item = DicomAppendItem(set, DICOM(0x3006, 0x0039));
    DicomPutInteger(item, DICOM(0x3006, 0x0084), drawn->number);
    for (int k = 0; k < drawn->n_planes; k++) {
      const double *l = drawn->low, *h = drawn->high, z = drawn->z[k];
      DicomItem contour = DicomAppendItem(item, DICOM(0x3006, 0x0040));
      DicomPutString(contour, DICOM(0x3006, 0x0042), drawn->kind ? drawn->kind : "CLOSED_PLANAR");
      DicomPutDoubles(contour, DICOM(0x3006, 0x0050), 12,
                      (const double[]){l[0], l[1], z, h[0], l[1], z, h[0], h[1], z, l[0], h[1], z});
    }
  }
  TestWrite(file, NULL, name);
}

static inline void TestClear(void)
{
  char command[128];
  snprintf(command, sizeof command, "rm -f %s/*", test_folder);
  assert_int_equal(system(command), 0);
}
