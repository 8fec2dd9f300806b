/*
 * HTML as text. A page says in its head that it may load nothing: what is shown stands in it. Bytes for scripts are compressed with gzip
 * and written in base64; browsers take them apart themselves (DecompressionStream).
 */
#include "robion/html.h"
#include <string.h>
#include <zlib.h>

PetscErrorCode HTMLText(Text *page, const char *text)
{
  PetscFunctionBegin;
  static const struct {
    char character;
    const char *entity;
  } entity[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  for (const char *c = text; *c; c++) {
    size_t k = 0;
    while (k < PETSC_STATIC_ARRAY_LENGTH(entity) && entity[k].character != *c) k++;
    if (k < PETSC_STATIC_ARRAY_LENGTH(entity))
      PetscCall(TextAdd(page, "%s", entity[k].entity));
    else
      PetscCall(TextAdd(page, "%c", (unsigned char)*c < 32 || *c == 127 ? ' ' : *c));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLElement(Text *page, const char *tag, const char *attributes, const char *text)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<%s%s%s>", tag, attributes ? " " : "", attributes ? attributes : ""));
  PetscCall(HTMLText(page, text));
  PetscCall(TextAdd(page, "</%s>", tag));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLBegin(Text *page, const char *title, const char *home)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
                          "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; img-src data:; "
                          "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                          "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"));
  PetscCall(HTMLElement(page, "title", NULL, title));
  PetscCall(TextAdd(page, "\n<style>%s\n%s</style>\n</head>\n<body>\n<header>\n", uPlot_min_css, report_css));
  PetscCall(TextAdd(page, "<p class='banner' role='note'>For research only. Not for clinical use.</p>\n"));
  if (home) {
    PetscCall(TextAdd(page, "<p><a href='"));
    PetscCall(HTMLText(page, home));
    PetscCall(TextAdd(page, "'>All plans of the study</a></p>\n"));
  }
  PetscCall(HTMLElement(page, "h1", NULL, title));
  PetscCall(TextAdd(page, "\n</header>\n<main>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLEnd(Text *page, PetscInt n_script, const char *const *script)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "</main>\n"));
  for (PetscInt i = 0; i < n_script; i++) PetscCall(TextAdd(page, "<script>%s</script>\n", script[i]));
  PetscCall(TextAdd(page, "</body>\n</html>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLLines(Text *page, char *text)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<pre tabindex='0'>"));
  for (char *line = text, *end; line && *line; line = end ? end + 1 : NULL) {
    end = strchr(line, '\n');
    if (end) *end = 0;
    PetscCall(HTMLText(page, line));
    PetscCall(TextAdd(page, "\n"));
  }
  PetscCall(TextAdd(page, "</pre>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLSection(Text *page, const char *id, const char *title)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<section id='%s' aria-labelledby='%s-title'>\n<h2 id='%s-title'>", id, id, id));
  PetscCall(HTMLText(page, title));
  PetscCall(TextAdd(page, "</h2>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLSectionEnd(Text *page)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "</section>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLTable(Text *page, const char *caption, PetscInt n, const char *const *column)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<div class='wide' tabindex='0' role='region' aria-label='"));
  PetscCall(HTMLText(page, caption));
  PetscCall(TextAdd(page, "'><table>\n"));
  PetscCall(HTMLElement(page, "caption", NULL, caption));
  PetscCall(TextAdd(page, "\n<thead><tr>"));
  for (PetscInt i = 0; i < n; i++) PetscCall(HTMLElement(page, "th", "scope='col'", column[i]));
  PetscCall(TextAdd(page, "</tr></thead>\n<tbody>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLTableEnd(Text *page)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "</tbody></table></div>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLData(Text *page, const char *id, const char *json)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<script type='application/json' id='%s'>", id));
  for (const char *c = json; *c;) { /* within a script "<" could begin its end */
    const size_t length = strcspn(c, "<");
    PetscCall(TextAdd(page, "%.*s%s", (int)length, c, c[length] ? "\\u003c" : ""));
    c += length + (c[length] != 0);
  }
  PetscCall(TextAdd(page, "</script>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddBase64(Text *page, const unsigned char *bytes, size_t n)
{
  PetscFunctionBegin;
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *out, *at;
  PetscCall(PetscMalloc1(4 * ((n + 2) / 3) + 1, &out));
  at = out;
  for (size_t i = 0; i < n; i += 3) {
    const unsigned last = (unsigned)PetscMin(n - i, 3);
    const unsigned word =
        (unsigned)bytes[i] << 16 | (last > 1 ? (unsigned)bytes[i + 1] << 8 : 0) | (last > 2 ? bytes[i + 2] : 0);
    for (unsigned k = 0; k < 4; k++) *at++ = k <= last ? digit[word >> (18 - 6 * k) & 63] : '=';
  }
  *at = 0;
  PetscCall(TextAdd(page, "%s", out));
  PetscCall(PetscFree(out));
  PetscFunctionReturn(0);
}

/* window: 15 + 16 for gzip, 15 for zlib's own wrapping. */
static PetscErrorCode Deflate(const unsigned char *bytes, size_t n, int window, unsigned char **out, size_t *length)
{
  PetscFunctionBegin;
  z_stream stream = {0};
  PetscCheck(deflateInit2(&stream, 6, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK, PETSC_COMM_SELF,
             PETSC_ERR_MEM, "zlib cannot begin");
  const size_t most = deflateBound(&stream, (uLong)n);
  PetscCall(PetscMalloc1(most, out));
  stream.next_in = (Bytef *)(uintptr_t)bytes;
  stream.avail_in = (uInt)n;
  stream.next_out = *out;
  stream.avail_out = (uInt)most;
  const int state = deflate(&stream, Z_FINISH);
  *length = stream.total_out;
  deflateEnd(&stream);
  PetscCheck(state == Z_STREAM_END, PETSC_COMM_SELF, PETSC_ERR_LIB, "zlib: state %d", state);
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLBytes(Text *page, const char *id, const unsigned char *bytes, size_t n, size_t *length)
{
  PetscFunctionBegin;
  unsigned char *packed;
  size_t size;
  const size_t before = page->length;
  PetscCall(Deflate(bytes, n, 15 + 16, &packed, &size));
  PetscCall(TextAdd(page, "<script type='text/plain' id='%s'>", id));
  PetscCall(AddBase64(page, packed, size));
  PetscCall(TextAdd(page, "</script>\n"));
  PetscCall(PetscFree(packed));
  *length = page->length - before;
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLDownload(Text *page, const char *name, const char *label, const char *content, size_t n,
                            size_t *length)
{
  PetscFunctionBegin;
  unsigned char *packed;
  size_t size;
  const size_t before = page->length;
  PetscCall(Deflate((const unsigned char *)content, n, 15 + 16, &packed, &size));
  PetscCall(TextAdd(page, "<a class='packed' download='"));
  PetscCall(HTMLText(page, name));
  PetscCall(TextAdd(page, ".gz' href='data:application/gzip;base64,"));
  PetscCall(AddBase64(page, packed, size));
  PetscCall(TextAdd(page, "'>"));
  PetscCall(HTMLText(page, label));
  PetscCall(TextAdd(page, "</a>"));
  PetscCall(PetscFree(packed));
  *length = page->length - before;
  PetscFunctionReturn(0);
}

/* A piece of a PNG file: length, name, content, checksum (ISO/IEC 15948). */
static unsigned char *PutChunk(unsigned char *at, const char name[5], const unsigned char *content, size_t n)
{
  unsigned char *start = at + 4;
  for (int k = 0; k < 4; k++) at[k] = (unsigned char)(n >> (24 - 8 * k));
  memcpy(start, name, 4);
  if (n) memcpy(start + 4, content, n);
  const uLong check = crc32(0, start, (uInt)(n + 4));
  at = start + 4 + n;
  for (int k = 0; k < 4; k++) at[k] = (unsigned char)(check >> (24 - 8 * k));
  return at + 4;
}

static PetscErrorCode MakePNG(PetscInt width, PetscInt height, const unsigned char *rgb, unsigned char **png, size_t *n)
{
  PetscFunctionBegin;
  static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const size_t row = 3 * (size_t)width, size = (row + 1) * (size_t)height;
  unsigned char *raw, *packed, head[13] = {0}, *at;
  size_t length;
  PetscCall(PetscMalloc1(size, &raw));
  for (PetscInt y = 0; y < height; y++) {
    raw[(size_t)y * (row + 1)] = 0; /* no filter */
    memcpy(raw + (size_t)y * (row + 1) + 1, rgb + (size_t)y * row, row);
  }
  PetscCall(Deflate(raw, size, 15, &packed, &length));
  for (int k = 0; k < 4; k++) {
    head[k] = (unsigned char)(width >> (24 - 8 * k));
    head[4 + k] = (unsigned char)(height >> (24 - 8 * k));
  }
  head[8] = 8; /* bits of each of */
  head[9] = 2; /* red, green, blue */
  PetscCall(PetscMalloc1(length + 8 + 12 + 13 + 12 + 12, png));
  memcpy(*png, signature, 8);
  at = PutChunk(*png + 8, "IHDR", head, 13);
  at = PutChunk(at, "IDAT", packed, length);
  at = PutChunk(at, "IEND", NULL, 0);
  *n = (size_t)(at - *png);
  PetscCall(PetscFree(raw));
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLPicture(Text *page, PetscInt width, PetscInt height, const unsigned char *rgb,
                           const char *alternative)
{
  PetscFunctionBegin;
  unsigned char *png;
  size_t n;
  PetscCall(MakePNG(width, height, rgb, &png, &n));
  PetscCall(TextAdd(page, "<img width='%d' height='%d' alt='", (int)width, (int)height));
  PetscCall(HTMLText(page, alternative));
  PetscCall(TextAdd(page, "' src='data:image/png;base64,"));
  PetscCall(AddBase64(page, png, n));
  PetscCall(TextAdd(page, "'>"));
  PetscCall(PetscFree(png));
  PetscFunctionReturn(0);
}
