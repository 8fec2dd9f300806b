/* Growing text, numbers read strictly, files read and replaced as a whole (temporary name, fsync, rename). */
#include "robion/text.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* The "C" numeric locale for the calling thread; the caller gives the result back to uselocale. */
static locale_t UseDotDecimals(void)
{
  static locale_t dot;
  if (!dot) dot = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return dot ? uselocale(dot) : uselocale((locale_t)0);
}

int TextPrintV(char *buffer, size_t size, const char *format, va_list arguments)
{
  locale_t before = UseDotDecimals();
  int length = vsnprintf(buffer, size, format, arguments);
  uselocale(before);
  return length;
}

PetscBool TextParseNumber(const char *string, double *number)
{
  char *end;
  locale_t before = UseDotDecimals();
  *number = strtod(string, &end);
  uselocale(before);
  return end != string && !*end && isfinite(*number) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode Reserve(Text *text, size_t more)
{
  PetscFunctionBegin;
  if (text->length + more + 1 > text->capacity) {
    text->capacity = 2 * text->capacity + more + 256;
    PetscCall(PetscRealloc(text->capacity, &text->data));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode TextAdd(Text *text, const char *format, ...)
{
  PetscFunctionBegin;
  va_list arguments;
  va_start(arguments, format);
  int length = TextPrintV(NULL, 0, format, arguments);
  va_end(arguments);
  PetscCheck(length >= 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "format \"%s\" cannot be printed", format);
  PetscCall(Reserve(text, (size_t)length));
  va_start(arguments, format);
  TextPrintV(text->data + text->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
  PetscFunctionReturn(0);
}

PetscErrorCode TextAddJSON(Text *text, const char *string)
{
  PetscFunctionBegin;
  if (!string) {
    PetscCall(TextAdd(text, "null"));
    PetscFunctionReturn(0);
  }
  PetscCall(Reserve(text, 6 * strlen(string) + 2)); /* the longest escape is six characters */
  char *out = text->data + text->length;
  *out++ = '"';
  for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
    if (*c == '"' || *c == '\\') *out++ = '\\';
    if (*c < 0x20 || *c == 0x7f)
      out += sprintf(out, "\\u%04x", *c);
    else
      *out++ = (char)*c;
  }
  *out++ = '"';
  *out = 0;
  text->length = (size_t)(out - text->data);
  PetscFunctionReturn(0);
}

PetscErrorCode TextAddJSONNumber(Text *text, double number)
{
  PetscFunctionBegin;
  if (isfinite(number))
    PetscCall(TextAdd(text, "%.10g", number));
  else
    PetscCall(TextAdd(text, "null"));
  PetscFunctionReturn(0);
}

PetscBool TextIsFormula(const char *field)
{
  double number;
  field += strspn(field, "'");
  if (!*field || !strchr("=+-@\t\r", *field)) return PETSC_FALSE;
  return TextParseNumber(field, &number) ? PETSC_FALSE : PETSC_TRUE;
}

PetscErrorCode TextAddCSV(Text *text, const char *field)
{
  PetscFunctionBegin;
  const char *const mark = TextIsFormula(field) ? "'" : "";
  if (!strpbrk(field, ",\"\r\n")) {
    PetscCall(TextAdd(text, "%s%s", mark, field));
    PetscFunctionReturn(0);
  }
  PetscCall(Reserve(text, 2 * strlen(field) + 3));
  char *out = text->data + text->length;
  *out++ = '"';
  if (*mark) *out++ = *mark;
  for (const char *c = field; *c; c++) {
    if (*c == '"') *out++ = '"';
    *out++ = *c;
  }
  *out++ = '"';
  *out = 0;
  text->length = (size_t)(out - text->data);
  PetscFunctionReturn(0);
}

PetscErrorCode TextDestroy(Text *text)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(text->data));
  text->length = text->capacity = 0;
  PetscFunctionReturn(0);
}

char *TextTrim(char *string)
{
  static const char blank[] = " \t\r";
  string += strspn(string, blank);
  size_t n = strlen(string);
  while (n && strchr(blank, string[n - 1])) string[--n] = 0;
  return string;
}

PetscBool TextHasEnding(const char *name, const char *ending)
{
  const size_t n = strlen(name), k = strlen(ending);
  return n > k && !strcasecmp(name + n - k, ending) ? PETSC_TRUE : PETSC_FALSE;
}

size_t TextUnify(char *text, size_t length)
{
  size_t from = length >= 3 && !memcmp(text, "\357\273\277", 3) ? 3 : 0, to = 0;
  for (; from < length; from++) {
    const PetscBool returns = text[from] == '\r' ? PETSC_TRUE : PETSC_FALSE;
    if (returns && from + 1 < length && text[from + 1] == '\n') continue; /* the \n that follows ends the line */
    text[to++] = returns ? '\n' : text[from];
  }
  text[to] = 0;
  return to;
}

void TextRemoveControls(char *string)
{
  for (unsigned char *c = (unsigned char *)string; *c; c++)
    if (*c < 0x20 || *c == 0x7f) *c = ' ';
}

static PetscBool WriteAll(int descriptor, const char *content, size_t length)
{
  while (length) {
    ssize_t written = write(descriptor, content, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return PETSC_FALSE;
    content += written;
    length -= (size_t)written;
  }
  return PETSC_TRUE;
}

int FileCreate(const char *file)
{
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
  int descriptor = open(file, flags, 0666);
  if (descriptor < 0 && errno == EEXIST && !unlink(file)) descriptor = open(file, flags, 0666);
  return descriptor;
}

int FilePut(const char *temporary, const char *file)
{
  struct stat facts;
  if (!lstat(file, &facts) && !S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
    errno = EEXIST;
    return -1;
  }
  return rename(temporary, file);
}

PetscBool FileReplace(const char *file, const char *content, size_t length, Mistakes *mistakes)
{
  char temporary[PETSC_MAX_PATH_LEN];
  snprintf(temporary, sizeof temporary, "%s.tmp.%ld", file, (long)getpid());
  errno = 0;
  int descriptor = FileCreate(temporary);
  PetscBool good = descriptor >= 0 ? PETSC_TRUE : PETSC_FALSE;
  int reason = errno;
  if (good) {
    good = WriteAll(descriptor, content, length) && !fsync(descriptor) ? PETSC_TRUE : PETSC_FALSE;
    reason = errno;
    if (close(descriptor) && good) {
      good = PETSC_FALSE;
      reason = errno;
    }
    if (good && FilePut(temporary, file)) {
      good = PETSC_FALSE;
      reason = errno;
    }
    if (!good) unlink(temporary);
  }
  if (!good) (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file, strerror(reason));
  return good;
}

PetscBool FileRead(const char *file, char **content, size_t *length, Mistakes *mistakes)
{
  struct stat facts;
  *content = NULL;
  *length = 0;
  errno = 0;
  FILE *f = fopen(file, "rb");
  if (!f || fstat(fileno(f), &facts) || !S_ISREG(facts.st_mode) || facts.st_size < 0) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read: %s", file,
                      errno ? strerror(errno) : "not a regular file");
    if (f) fclose(f);
    return PETSC_FALSE;
  }
  size_t size = (size_t)facts.st_size, got = 0;
  PetscBool good = PetscMalloc1(size + 1, content) ? PETSC_FALSE : PETSC_TRUE;
  if (good) {
    got = fread(*content, 1, size, f);
    (*content)[got] = 0;
    good = got == size ? PETSC_TRUE : PETSC_FALSE;
  }
  fclose(f);
  *length = got;
  if (good) return PETSC_TRUE;
  (void)PetscFree(*content);
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read to its end", file);
  return PETSC_FALSE;
}

PetscBool FileIsRegular(const char *file, Mistakes *mistakes)
{
  struct stat facts;
  int reason = stat(file, &facts) ? errno : 0;
  const PetscBool regular = !reason && S_ISREG(facts.st_mode) ? PETSC_TRUE : PETSC_FALSE;
  if (regular && access(file, R_OK)) reason = errno;
  if (regular && !reason) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be opened: %s", file,
                    reason ? strerror(reason) : "not a regular file");
  return PETSC_FALSE;
}

PetscBool FolderMake(const char *folder, Mistakes *mistakes)
{
  char part[PETSC_MAX_PATH_LEN];
  struct stat facts;
  size_t length = strlen(folder);
  if (length >= sizeof part) {
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "folder name of %zu characters is longer than the %zu allowed",
                      length, sizeof part - 1);
    return PETSC_FALSE;
  }
  for (size_t i = 1; i <= length; i++) {
    if (folder[i] != '/' && folder[i]) continue;
    memcpy(part, folder, i);
    part[i] = 0;
    if (mkdir(part, 0777) && errno != EEXIST) {
      (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: folder cannot be made: %s", part, strerror(errno));
      return PETSC_FALSE;
    }
  }
  if (!stat(folder, &facts) && S_ISDIR(facts.st_mode)) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: exists but is not a folder", folder);
  return PETSC_FALSE;
}
