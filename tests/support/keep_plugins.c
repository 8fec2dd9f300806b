/* Linked into the sanitizer build only, for tests/support/lsan.supp to tell MPI's leaks from ours by the library that an allocation
 * came from: MPI's plug-ins stay loaded, and texts that the C library would allocate are allocated here, with a frame pointer to
 * the caller. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int dlclose(void *handle);
int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments);
int __asprintf_chk(char **text, int flag, const char *format, ...);

int dlclose(void *handle)
{
  (void)handle;
  return 0;
}

int vasprintf(char **text, const char *format, va_list arguments)
{
  va_list again;
  va_copy(again, arguments);
  const int n = vsnprintf(NULL, 0, format, again);
  va_end(again);
  *text = n < 0 ? NULL : malloc((size_t)n + 1);
  return *text ? vsnprintf(*text, (size_t)n + 1, format, arguments) : -1;
}

/* As a library calls it that was compiled with _FORTIFY_SOURCE. */
int __asprintf_chk(char **text, int flag, const char *format, ...)
{
  va_list arguments;
  (void)flag;
  va_start(arguments, format);
  const int n = vasprintf(text, format, arguments);
  va_end(arguments);
  return n;
}

int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments)
{
  (void)flag;
  return vasprintf(text, format, arguments);
}

int asprintf(char **text, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  const int n = vasprintf(text, format, arguments);
  va_end(arguments);
  return n;
}
