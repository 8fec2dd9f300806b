/* JSON text: values found by key in flat objects, strings written with escapes. */
#include "robion/json.h"
#include "robion/text.h"
#include <stdlib.h>
#include <string.h>

static const char *SkipBlanks(const char *at)
{
  return at + strspn(at, " \t\r\n");
}

/* Four hexadecimal digits at `at`, or -1. */
static int Hexadecimal(const char *at)
{
  int value = 0;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef0123456789ABCDEF", *found = at[i] ? strchr(digits, at[i]) : NULL;
    if (!found) return -1;
    value = 16 * value + (int)(found - digits) % 16;
  }
  return value;
}

/* Read the string that begins at a quote into value (NULL: nowhere); what follows it, or NULL if it does not end. */
static const char *ReadString(const char *at, size_t size, char *value)
{
  size_t used = 0;
  for (at++; *at != '"'; at++) {
    char c = *at;
    if (!c) return NULL;
    if (c == '\\') {
      static const char escapes[] = "n\nt\tr\rb\bf\f";
      c = *++at;
      const char *found = c && c != 'u' ? strchr(escapes, c) : NULL;
      if (!c) return NULL;
      if (found && (found - escapes) % 2 == 0) c = found[1];
      if (c == 'u') { /* robion escapes control characters alone */
        const int code = Hexadecimal(at + 1);
        if (code < 0) return NULL;
        c = code < 0x80 ? (char)code : '?';
        at += 4;
      }
    }
    if (value && used + 1 < size) value[used++] = c;
  }
  if (value && size) value[used] = 0;
  return at + 1;
}

/* Where the value of a key begins, or NULL. */
static const char *FindValue(const char *object, const char *key)
{
  char found[64];
  const char *at = SkipBlanks(object);
  if (*at != '{') return NULL;
  do {
    at = SkipBlanks(at + 1);
    if (*at != '"' || !(at = ReadString(at, sizeof found, found))) return NULL;
    at = SkipBlanks(at);
    if (*at != ':') return NULL;
    at = SkipBlanks(at + 1);
    if (!strcmp(found, key)) return at;
    if (!(at = *at == '"' ? ReadString(at, 0, NULL) : at + strcspn(at, ",}"))) return NULL;
    at = SkipBlanks(at);
  } while (*at == ',');
  return NULL;
}

PetscBool JSONFindString(const char *object, const char *key, size_t size, char *value)
{
  const char *at = FindValue(object, key);
  value[0] = 0;
  if (at && *at == '"' && ReadString(at, size, value)) return PETSC_TRUE;
  value[0] = 0;
  return PETSC_FALSE;
}

PetscBool JSONFindNumber(const char *object, const char *key, double *value)
{
  char text[64];
  const char *at = FindValue(object, key);
  const size_t length = at ? strcspn(at, ",} \t\r\n") : 0;
  *value = 0;
  if (!length || length >= sizeof text) return PETSC_FALSE;
  memcpy(text, at, length);
  text[length] = 0;
  return TextParseNumber(text, value);
}
