/* Pages of HTML: text that stays text, bytes that come back, pictures that are PNG files. */
#include "robion/html.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

static void NothingIsMarkup(void **state)
{
  const struct {
    const char *text, *expected;
  } of[] = {{"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
            {"' onload='x", "&#39; onload=&#39;x"},
            {"\" onload=\"x", "&quot; onload=&quot;x"},
            {"a & b &amp; c", "a &amp; b &amp;amp; c"},
            {"=1+1", "=1+1"},
            {"Größe µ 肺", "Größe µ 肺"},
            {"tab\tline\nbell\a", "tab line bell "},
            {"%s %n 100 %", "%s %n 100 %"},
            {"", ""}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    Text page = {0};
    assert_int_equal(TextAdd(&page, "%s", ""), 0);
    assert_int_equal(HTMLText(&page, of[i].text), 0);
    assert_string_equal(page.data, of[i].expected);
    assert_int_equal(TextDestroy(&page), 0);
  }
}

/* Every function that takes a name: what could be markup is nowhere in what it gives. */
static void NamesAreTextEverywhere(void **state)
{
  static const char evil[] = "</title></script><img src=x onerror='a'>\"";
  const double x[] = {0, 1, 2}, y[] = {100, 50, 0};
  const unsigned char rgb[12] = {0};
  const char *name = evil;
  double value[] = {1, 2};
  PetscInt of[] = {0, 1}, n = 2;
  const ChartSeries series = {evil, ReportColour(0), 3, x, y, y, y};
  Text page = {0};
  size_t length;
  assert_int_equal(HTMLBegin(&page, evil, evil), 0);
  assert_int_equal(
      HTMLElement(&page, "td", NULL, evil) || HTMLSection(&page, "id", evil) || HTMLTable(&page, evil, 1, &name), 0);
  assert_int_equal(HTMLData(&page, "data", "{\"name\": \"</script><img src=x onerror='a'>\"}"), 0);
  assert_int_equal(HTMLPicture(&page, 2, 2, rgb, evil) || HTMLDownload(&page, evil, evil, evil, sizeof evil, &length),
                   0);
  assert_int_equal(HTMLChart(&page, &(Chart){evil, evil, evil, .x_most = 2, .y_most = 100, .n_x = 1, .x_name = &name,
                                             .n = 1, .series = &series}),
                   0);
  assert_int_equal(HTMLPairsPlot(&page, &(HTMLPairs){evil, 1, 2, &name, &n, value, of}), 0);
  assert_null(strstr(page.data, "<img src=x"));
  assert_null(strstr(page.data, "</title></script>"));
  assert_int_equal(TextDestroy(&page), 0);
}

static size_t Decode(const char *text, unsigned char *out)
{
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = 0;
  unsigned word = 0, bits = 0;
  for (const char *found; *text && (found = strchr(digit, *text)); text++) {
    word = word << 6 | (unsigned)(found - digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[n++] = (unsigned char)(word >> bits);
  }
  return n;
}

static void BytesComeBack(void **state)
{
  for (size_t n = 1; n < 70000; n = 3 * n + 1) {
    unsigned char *bytes = malloc(n), *packed, *back = malloc(n + 1);
    Text page = {0};
    size_t length;
    for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(i * i >> 3);
    assert_int_equal(HTMLBytes(&page, "v", bytes, n, &length), 0);
    assert_int_equal(length, page.length);
    packed = malloc(page.length);
    z_stream stream = {.next_in = packed, .next_out = back, .avail_out = (uInt)n + 1};
    stream.avail_in = (uInt)Decode(strchr(page.data, '>') + 1, packed);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, n);
    assert_memory_equal(back, bytes, n);
    inflateEnd(&stream);
    free(bytes), free(packed), free(back);
    assert_int_equal(TextDestroy(&page), 0);
  }
}

static void PicturesArePNG(void **state)
{
  unsigned char rgb[3 * 7 * 5], file[4096], row[22 * 5 + 1];
  Text page = {0};
  for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (unsigned char)(7 * i);
  assert_int_equal(HTMLPicture(&page, 7, 5, rgb, "seven by five"), 0);
  const size_t n = Decode(strstr(page.data, "base64,") + 7, file);
  assert_memory_equal(file, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\7\0\0\0\5\10\2\0\0\0", 29);
  assert_memory_equal(file + n - 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
  const size_t data = (size_t)file[33] << 24 | (size_t)file[34] << 16 | (size_t)file[35] << 8 | file[36];
  uLongf length = sizeof row;
  assert_int_equal(uncompress(row, &length, file + 41, (uLong)data), Z_OK);
  assert_int_equal(length, 22 * 5);
  for (int y = 0; y < 5; y++) assert_memory_equal(row + 22 * y + 1, rgb + 21 * y, 21);
  assert_int_equal(TextDestroy(&page), 0);
}

/* A patient has more structures than a chart of a paper: none looks like another. */
static void ColoursDiffer(void **state)
{
  unsigned rgb[REPORT_COLOURS][3];
  (void)state;
  for (int i = 0; i < REPORT_COLOURS; i++) {
    assert_int_equal(sscanf(ReportColour(i), "#%2x%2x%2x", &rgb[i][0], &rgb[i][1], &rgb[i][2]), 3);
    for (int k = 0; k < i; k++) {
      int distance = 0;
      for (int c = 0; c < 3; c++) distance += abs((int)rgb[i][c] - (int)rgb[k][c]);
      if (distance < 40) fail_msg("%s and %s", ReportColour(i), ReportColour(k));
    }
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(NothingIsMarkup), cmocka_unit_test(NamesAreTextEverywhere),
                                     cmocka_unit_test(BytesComeBack), cmocka_unit_test(PicturesArePNG),
                                     cmocka_unit_test(ColoursDiffer)};
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
