/* The door to DICOM files: what is written is read back, and everything that is asked of nothing is not there. */
#include "../../src/exchange/dicom/shim.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define BIG_ENDIAN_EXPLICIT "1.2.840.10008.1.2.2"
#define IMPLICIT "1.2.840.10008.1.2"
#define DEFLATED "1.2.840.10008.1.2.1.99"

static char folder[] = "/tmp/robion-dicom-XXXXXX", path[64];

static void SkipWithout(void)
{
  DicomFile file = DicomCreate("1.2.840.10008.5.1.4.1.1.2", "2.25.1");
  if (!file) skip();
  DicomClose(&file);
}

/* A slice of 3 x 2 pixels with all types of values. */
static DicomFile Make(int bits_stored, bool is_signed)
{
  static const uint16_t pixel[6] = {0, 1, 0x7ff, 0x800, 0xfff, 0xf123};
  DicomFile file = DicomCreate("1.2.840.10008.5.1.4.1.1.2", "2.25.1");
  DicomItem set = DicomSet(file);
  DicomPutString(set, DICOM(0x0010, 0x0010), "Müller^Jörg 山");
  DicomPutDoubles(set, DICOM(0x0020, 0x0032), 3, (const double[]){-1.0 / 3, 1e-7, 12345.678901234567});
  DicomPutDoubles(set, DICOM(0x300a, 0x0394), 4, (const double[]){0.5, -1.25, 1e-3, 7});
  DicomPutDouble(set, DICOM(0x0018, 0x9310), -0.1);
  DicomPutInteger(set, DICOM(0x0028, 0x0002), 1);
  DicomPutInteger(set, DICOM(0x0028, 0x0010), 2);
  DicomPutInteger(set, DICOM(0x0028, 0x0011), 3);
  DicomPutInteger(set, DICOM(0x0028, 0x0100), 16);
  DicomPutInteger(set, DICOM(0x0028, 0x0101), bits_stored);
  DicomPutInteger(set, DICOM(0x0028, 0x0102), bits_stored - 1);
  DicomPutInteger(set, DICOM(0x0028, 0x0103), is_signed);
  DicomPutString(set, DICOM(0x0028, 0x0004), "MONOCHROME2");
  DicomPutTag(set, DICOM(0x0028, 0x0009), DICOM(0x3004, 0x000c));
  DicomPutPixels16(set, 6, pixel);
  for (int i = 0; i < 3; i++) {
    DicomItem item = DicomAppendItem(set, DICOM(0x3006, 0x0039));
    DicomPutInteger(item, DICOM(0x3006, 0x0084), 7 - i);
    DicomPutDoubles(DicomAppendItem(item, DICOM(0x3006, 0x0040)), DICOM(0x3006, 0x0050), 6,
                    (const double[]){1, 2, 3, 4, 5, 6.5});
  }
  return file;
}

static DicomFile WriteAndOpen(DicomFile file, const char *syntax)
{
  char message[DICOM_MESSAGE];
  if (!DicomWrite(file, syntax, path, message)) fail_msg("%s", message);
  DicomClose(&file);
  if (!DicomOpen(path, &file, message)) fail_msg("%s", message);
  return file;
}

static void CheckValues(DicomItem set)
{
  char text[64], syntax[64];
  double value[8], x = 5;
  long n = 9;
  assert_true(DicomString(set, DICOM(0x0010, 0x0010), 0, text, sizeof text));
  assert_string_equal(text, "Müller^Jörg 山");
  assert_int_equal(DicomDoubles(set, DICOM(0x0020, 0x0032), 3, value), 3);
  assert_true(fabs(value[0] + 1.0 / 3) < 1e-13 && value[1] == 1e-7 && fabs(value[2] - 12345.678901234567) < 1e-9);
  assert_int_equal(DicomDoubles(set, DICOM(0x300a, 0x0394), 8, value), 4);
  assert_true(value[1] == -1.25 && value[2] == (double)1e-3f);
  assert_true(DicomDouble(set, DICOM(0x0018, 0x9310), 0, &x) && x == -0.1);
  assert_true(DicomInteger(set, DICOM(0x0028, 0x0011), 0, &n) && n == 3);
  assert_int_equal(DicomCount(set, DICOM(0x3006, 0x0039)), 3);
  for (int i = 0; i < 3; i++) {
    DicomItem item = DicomItemAt(set, DICOM(0x3006, 0x0039), i);
    assert_true(DicomInteger(item, DICOM(0x3006, 0x0084), 0, &n) && n == 7 - i);
    assert_int_equal(DicomDoubles(DicomItemAt(item, DICOM(0x3006, 0x0040), 0), DICOM(0x3006, 0x0050), 8, value), 6);
    assert_true(value[5] == 6.5);
  }
  assert_true(DicomString(DicomHeader(set.file), DICOM(0x0002, 0x0010), 0, syntax, sizeof syntax));
}

static void CheckPixels(DicomItem set, const double *expected)
{
  char message[DICOM_MESSAGE];
  DicomPixels pixels;
  double value[6];
  if (!DicomPixelsDescribe(set, &pixels, message)) fail_msg("%s", message);
  assert_true(pixels.frames == 1 && pixels.rows == 2 && pixels.columns == 3);
  if (!DicomPixelsFrame(set, &pixels, 0, value, message)) fail_msg("%s", message);
  for (int i = 0; i < 6; i++) assert_true(value[i] == expected[i]);
}

static void TestRoundTrip(void **state)
{
  SkipWithout();
  static const double twelve[2][6] = {{0, 1, 2047, 2048, 4095, 0x123}, {0, 1, 2047, -2048, -1, 0x123}};
  static const double sixteen[2][6] = {{0, 1, 2047, 2048, 4095, 0xf123}, {0, 1, 2047, 2048, 4095, 0xf123 - 65536}};
  static const char *const syntaxes[] = {NULL, IMPLICIT, BIG_ENDIAN_EXPLICIT, DEFLATED};
  for (int s = 0; s < 4; s++)
    for (int is_signed = 0; is_signed < 2; is_signed++)
      for (int bits = 12; bits <= 16; bits += 4) {
        DicomFile file = WriteAndOpen(Make(bits, is_signed), syntaxes[s]);
        CheckValues(DicomSet(file));
        CheckPixels(DicomSet(file), bits == 12 ? twelve[is_signed] : sixteen[is_signed]);
        DicomClose(&file);
        assert_null(file);
      }
}

/* What is absent, of another type or beyond the end is not there, and leaves what it would have set. */
static void TestAbsent(void **state)
{
  SkipWithout();
  DicomFile file = WriteAndOpen(Make(16, false), NULL);
  DicomItem set = DicomSet(file), none = DicomItemAt(set, DICOM(0x3006, 0x0039), 3);
  double x = 5;
  long n = 9;
  char text[8] = "kept";
  assert_null(none.at);
  assert_null(DicomItemAt(set, DICOM(0x0028, 0x0010), 0).at);
  assert_int_equal(DicomCount(set, DICOM(0x0028, 0x1053)), -1);
  assert_int_equal(DicomCount(none, DICOM(0x0028, 0x0010)), -1);
  assert_false(DicomDouble(set, DICOM(0x0028, 0x1053), 0, &x) || DicomDouble(set, DICOM(0x0020, 0x0032), 3, &x) ||
               DicomDouble(set, DICOM(0x0010, 0x0010), 0, &x) || DicomDouble(none, DICOM(0x0020, 0x0032), 0, &x));
  assert_false(DicomInteger(set, DICOM(0x0020, 0x0032), 0, &n)); /* -1/3 */
  assert_true(x == 5 && n == 9);
  assert_false(DicomString(none, DICOM(0x0010, 0x0010), 0, text, sizeof text));
  assert_string_equal(text, "");
  assert_true(DicomString(set, DICOM(0x0010, 0x0010), 0, text, 3)); /* "Mü" would not fit whole */
  assert_string_equal(text, "M");
  DicomClose(&file);
}

static void TestNoDicom(void **state)
{
  char message[DICOM_MESSAGE];
  DicomFile file = (DicomFile)1;
  FILE *out = fopen(path, "w");
  for (int i = 0; i < 100; i++) fprintf(out, "a line of text %d\n", i);
  fclose(out);
  assert_false(DicomOpen(path, &file, message));
  assert_null(file);
  assert_true(*message);
  assert_false(DicomOpen("/nowhere/at/all", &file, message));
}

/* What cannot be put is said when the file is to be written. */
static void TestFailedPut(void **state)
{
  SkipWithout();
  char message[DICOM_MESSAGE];
  DicomFile file = Make(16, false);
  DicomPutDouble(DicomSet(file), DICOM(0x0010, 0x0010), 1);
  assert_false(DicomWrite(file, NULL, path, message));
  assert_non_null(strstr(message, "(0010,0010)"));
  DicomClose(&file);
}

static int Begin(void **state)
{
  return !mkdtemp(folder) || snprintf(path, sizeof path, "%s/one.dcm", folder) < 0;
}

static int End(void **state)
{
  (void)unlink(path);
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestRoundTrip), cmocka_unit_test(TestAbsent),
                                     cmocka_unit_test(TestNoDicom), cmocka_unit_test(TestFailedPut)};
  return cmocka_run_group_tests(tests, Begin, End);
}
