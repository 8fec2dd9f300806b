/* Depth doses of TRiP98 (.ddd): header lines "!keyword value", then "!ddd" and a row per depth. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif
#include "trip_private.h"
#include <string.h>
#include <strings.h>

enum { SHORT_ROW = 2, SINGLE_ROW = 3, LONG_ROW = 5 }; /* no lateral columns, one Gaussian, two */

PetscErrorCode TripDepthDoseDestroy(TripDepthDose *table)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(table->depth));
  *table = (TripDepthDose){0};
  PetscFunctionReturn(0);
}

/* One "!keyword value" line before the table; keywords that mean nothing here are passed over. */
static PetscBool ReadKeyword(const TripLines *lines, char *line, TripDepthDose *out)
{
  const char *keyword = TripWord(&line);
  if (!strcasecmp(keyword, "!filetype") && strcasecmp(line, "ddd"))
    return TripComplain(lines, "file type is \"%.40s\", expected ddd", line);
  if (!strcasecmp(keyword, "!projectile")) {
    TripNameSet(out->projectile, line);
    if (!TripNuclide(out->projectile, &out->species))
      return TripComplain(lines, "projectile is \"%.40s\", expected a nuclide such as 12C", line);
  }
  if (!strcasecmp(keyword, "!material")) TripNameSet(out->material, line);
  if (!strcasecmp(keyword, "!density")) return TripNumber(lines, "density", line, 1e-6, 100, &out->density_g_cm3);
  if (!strcasecmp(keyword, "!energy")) return TripNumber(lines, "energy", line, 1e-3, 1e4, &out->energy_MeV_u);
  return *keyword == '!' ? PETSC_TRUE
                         : TripComplain(lines, "\"%.40s\" found, expected a keyword such as !ddd", keyword);
}

/* Units of depth and widths, as the line says that names the columns. */
typedef struct Units {
  TripUnit depth, width;
} Units;

/* Whether a line names the columns: the last such line counts, comment or not. */
static PetscBool NamesColumns(const char *line)
{
  const char *first = line + strspn(line, "# \t");
  return *first != '!' && (strcasestr(first, "FWHM") || strcasestr(first, "dE/dz") || !strncasecmp(first, "z[", 2) ||
                           !strncasecmp(first, "depth", 5))
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* The unit in brackets behind a column's name, in any spelling; false after a mistake. */
static PetscBool TakeUnit(const TripLines *lines, const char *line, const char *column, TripUnit *unit)
{
  char text[16];
  size_t n = 0;
  const char *at = strcasestr(line, column);
  if (!at) return PETSC_TRUE;
  at += strlen(column);
  at += strspn(at, " \t");
  if (!*at || !strchr("[(", *at)) return PETSC_TRUE;
  for (at++; *at && !strchr("])", *at) && n + 1 < sizeof text; at++)
    if (!strchr(" \t*^", *at)) text[n++] = *at;
  text[n] = 0;
  if (!strcasecmp(text, "mm"))
    *unit = TRIP_MM;
  else if (!strcasecmp(text, "g/cm2") || !strcasecmp(text, "cm")) /* the same in water */
    *unit = TRIP_G_CM2;
  else
    return TripComplain(lines, "%s is in \"%s\", expected mm, cm or g/cm**2", column, text);
  return PETSC_TRUE;
}

/* The next line that does not name columns; NULL at the end, or after a mistake (*good). */
static char *NextLine(TripLines *lines, Units *units, PetscBool *good)
{
  char *line;
  while (*good && (line = TripLinesNext(lines, 0))) {
    if (NamesColumns(line)) {
      const char *first = line + strspn(line, "# \t");
      const char *depth = !strncasecmp(first, "depth", 5) ? "depth" : "z";
      *good = strncasecmp(first, depth, strlen(depth)) || TakeUnit(lines, first, depth, &units->depth) ? PETSC_TRUE
                                                                                                       : PETSC_FALSE;
      if (*good) *good = TakeUnit(lines, line, "FWHM1", &units->width);
    } else if (*line != '#')
      return line;
  }
  return NULL;
}

/* Up to and including the line !ddd. */
static PetscBool ReadHeader(TripLines *lines, Units *units, TripDepthDose *out)
{
  char *line;
  PetscBool good = PETSC_TRUE;
  while ((line = NextLine(lines, units, &good)) && strcasecmp(line, "!ddd"))
    if (!ReadKeyword(lines, line, out)) return PETSC_FALSE;
  if (!good) return PETSC_FALSE;
  if (!line) return TripComplain(lines, "the file ends without the line !ddd before the depths");
  if (!(out->energy_MeV_u > 0)) return TripComplain(lines, "!energy is missing above the depths");
  return out->species.Z ? PETSC_TRUE : TripComplain(lines, "!projectile is missing above the depths");
}

/* One depth. *columns is set by the first row. */
static PetscBool ReadRow(const TripLines *lines, char *line, const Units *units, int *columns, TripDepthDose *out,
                         TripDepth *row)
{
  const double depth_scale = units->depth == TRIP_MM ? 1 / MM_PER_G_CM2 : 1,
               width_scale = units->width == TRIP_MM ? 1 / MM_PER_G_CM2 : 1;
  static const char *const column[LONG_ROW] = {"depth", "dose", "FWHM1", "factor", "FWHM2"};
  static const double highest[LONG_ROW] = {1e4, 1e9, 1e4, 1, 1e4};
  double value[LONG_ROW] = {0};
  int n = 0;
  for (; n < LONG_ROW && *line; n++)
    if (!TripNumber(lines, column[n], TripWord(&line), 0, highest[n], &value[n])) return PETSC_FALSE;
  if (!TripLineEnd(lines, line)) return PETSC_FALSE;
  if (out->n == 0) {
    if (n != SHORT_ROW && n != SINGLE_ROW && n != LONG_ROW)
      return TripComplain(lines, "%d numbers found, expected 2, 3 or 5", n);
    *columns = n;
    out->lateral = n > SHORT_ROW ? PETSC_TRUE : PETSC_FALSE;
  }
  if (n != *columns) return TripComplain(lines, "%d numbers found, expected %d as in the first row", n, *columns);
  value[0] *= depth_scale;
  if (out->n && !(value[0] > out->depth[out->n - 1].z_g_cm2))
    return TripComplain(lines, "depth %g follows %g, expected ascending depths", value[0],
                        out->depth[out->n - 1].z_g_cm2);
  *row = (TripDepth){value[0], value[1], value[2] * width_scale, value[3], value[4] * width_scale};
  return PETSC_TRUE;
}

PetscErrorCode TripDepthDoseParse(const char *file, char *content, size_t length, Mistakes *mistakes,
                                  TripDepthDose *out)
{
  PetscFunctionBegin;
  TripLines lines;
  Units units = {TRIP_UNSAID, TRIP_UNSAID};
  int columns = 0;
  *out = (TripDepthDose){.density_g_cm3 = 1};
  PetscBool good = TripLinesStart(file, content, length, mistakes, &lines) && ReadHeader(&lines, &units, out)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  for (char *line; good && (line = NextLine(&lines, &units, &good));) {
    TripDepth row;
    good = ReadRow(&lines, line, &units, &columns, out, &row);
    if (!good) break;
    PetscCall(TripGrow(out->n, sizeof row, &out->depth));
    out->depth[out->n++] = row;
  }
  out->width_unit = units.width;
  if (good && out->n < 2) good = TripComplain(&lines, "%d depths found, expected at least 2", (int)out->n);
  if (!good) PetscCall(TripDepthDoseDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode TripDepthDoseRead(const char *file, Mistakes *mistakes, TripDepthDose *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  *out = (TripDepthDose){0};
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  PetscCall(TripDepthDoseParse(file, content, length, mistakes, out));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

PetscErrorCode TripDepthDoseWrite(const TripDepthDose *table, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "!filetype    ddd\n!fileversion 19980520\n!projectile  %s\n!material    %s\n",
                    table->projectile, *table->material ? table->material : "H2O"));
  PetscCall(TripAddLine(&text, "!density    ", 1, &table->density_g_cm3));
  PetscCall(TripAddLine(&text, "!energy     ", 1, &table->energy_MeV_u));
  PetscCall(TextAdd(&text, "# z[g/cm**2] dE/dz[MeV/(g/cm**2)]%s\n!ddd\n",
                    table->lateral ? " FWHM1[g/cm**2] factor FWHM2[g/cm**2]" : ""));
  for (PetscInt i = 0; i < table->n; i++) {
    const TripDepth *d = &table->depth[i];
    const double value[LONG_ROW] = {d->z_g_cm2, d->dose_MeV_cm2_g, d->fwhm1_g_cm2, d->factor, d->fwhm2_g_cm2};
    PetscCall(TripAddLine(&text, "", table->lateral ? LONG_ROW : SHORT_ROW, value));
  }
  PetscCall(TripTextWrite(&text, file, mistakes));
  PetscFunctionReturn(0);
}
