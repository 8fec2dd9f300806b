/* Accelerator tables of TRiP98 (.sis): a line "energy E focus f1 f2 ... intensity i1 i2 ..." per energy, then their sums. */
#include "trip_private.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 64 };

/* The numbers of one line of the table. */
typedef struct Row {
  double energy, focus[MOST_COLUMNS], intensity[MOST_COLUMNS];
  PetscInt n_focus, n_intensity;
} Row;

PetscErrorCode TripBeamTableDestroy(TripBeamTable *table)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(table->energy_MeV_u));
  PetscCall(PetscFree(table->focus_fwhm_mm));
  PetscCall(PetscFree(table->intensity));
  *table = (TripBeamTable){0};
  PetscFunctionReturn(0);
}

/* `keyword` and the numbers up to the next word that begins with a letter. */
static PetscBool ReadGroup(const TripLines *lines, char **line, const char *keyword, PetscInt *n,
                           double value[MOST_COLUMNS])
{
  const char *word = TripWord(line);
  if (strcmp(word, keyword)) return TripComplain(lines, "\"%.40s\" found, expected %s", word, keyword);
  for (*n = 0; **line && !isalpha((unsigned char)**line); ++*n) {
    if (*n == MOST_COLUMNS) return TripComplain(lines, "more than %d numbers behind %s", MOST_COLUMNS, keyword);
    if (!TripNumber(lines, keyword, TripWord(line), 0, 1e18, &value[*n])) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The rest of a line that began with "energy" or "esum". The intensities are optional. */
static PetscBool ReadRow(const TripLines *lines, char *line, PetscBool sum, const TripBeamTable *table, Row *row)
{
  row->n_intensity = 0;
  if (!TripNumber(lines, sum ? "esum" : "energy", TripWord(&line), 0, sum ? 1e9 : 1e4, &row->energy) ||
      !ReadGroup(lines, &line, sum ? "fsum" : "focus", &row->n_focus, row->focus) ||
      (*line && !ReadGroup(lines, &line, sum ? "isum" : "intensity", &row->n_intensity, row->intensity)) ||
      !TripLineEnd(lines, line))
    return PETSC_FALSE;
  if (!row->n_focus) return TripComplain(lines, "no focus found, expected at least one");
  if (table->n && (row->n_focus != table->n_focus || row->n_intensity != table->n_intensity))
    return TripComplain(lines, "%d foci and %d intensities found, expected %d and %d as in the first line",
                        (int)row->n_focus, (int)row->n_intensity, (int)table->n_focus, (int)table->n_intensity);
  if (!sum && table->n && !(row->energy > table->energy_MeV_u[table->n - 1]))
    return TripComplain(lines, "energy %g follows %g, expected ascending energies", row->energy,
                        table->energy_MeV_u[table->n - 1]);
  return PETSC_TRUE;
}

static PetscErrorCode AppendRow(const Row *row, TripBeamTable *table)
{
  PetscFunctionBegin;
  PetscInt e = table->n++;
  table->n_focus = row->n_focus;
  table->n_intensity = row->n_intensity;
  PetscCall(TripGrow(e, sizeof(double), &table->energy_MeV_u));
  PetscCall(TripGrow(e, (size_t)table->n_focus * sizeof(double), &table->focus_fwhm_mm));
  if (row->n_intensity) PetscCall(TripGrow(e, (size_t)table->n_intensity * sizeof(double), &table->intensity));
  table->energy_MeV_u[e] = row->energy;
  PetscCall(PetscArraycpy(table->focus_fwhm_mm + e * table->n_focus, row->focus, row->n_focus));
  if (row->n_intensity)
    PetscCall(PetscArraycpy(table->intensity + e * table->n_intensity, row->intensity, row->n_intensity));
  PetscFunctionReturn(0);
}

/* Sums of all columns over the energies. */
static void SumRows(const TripBeamTable *table, Row *sum)
{
  *sum = (Row){.n_focus = table->n_focus, .n_intensity = table->n_intensity};
  for (PetscInt e = 0; e < table->n; e++) {
    sum->energy += table->energy_MeV_u[e];
    for (PetscInt i = 0; i < table->n_focus; i++) sum->focus[i] += table->focus_fwhm_mm[e * table->n_focus + i];
    for (PetscInt i = 0; i < table->n_intensity; i++) sum->intensity[i] += table->intensity[e * table->n_intensity + i];
  }
}

static PetscBool SumAgrees(const TripLines *lines, const char *what, double found, double sum, double precision)
{
  if (fabs(found - sum) <= precision + 1e-6 * sum) return PETSC_TRUE;
  return TripComplain(lines, "%s is %.10g, but the lines above sum to %.10g", what, found, sum);
}

/* The format's checksums hold to 0.01 MeV/u, 0.1 mm and 1 particle. */
static PetscBool CheckSums(const TripLines *lines, const Row *found, const TripBeamTable *table)
{
  Row sum;
  SumRows(table, &sum);
  PetscBool good = SumAgrees(lines, "esum", found->energy, sum.energy, 0.01);
  for (PetscInt i = 0; good && i < sum.n_focus; i++)
    good = SumAgrees(lines, "fsum", found->focus[i], sum.focus[i], 0.1);
  for (PetscInt i = 0; good && i < sum.n_intensity; i++)
    good = SumAgrees(lines, "isum", found->intensity[i], sum.intensity[i], 1);
  return good;
}

/* A line of the header; false after a mistake. */
static PetscBool ReadKeyword(const TripLines *lines, const char *keyword, const char *value, TripBeamTable *table)
{
  const struct {
    const char *name;
    double *number;
  } known[] = {{"sisfile", &table->file_version},
               {"sistable", &table->table_version},
               {"charge", &table->charge},
               {"mass", &table->mass}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(known); i++)
    if (!strcmp(keyword, known[i].name)) return TripNumber(lines, keyword, value, 0, 1e9, known[i].number);
  if (strcmp(keyword, "projectile"))
    return TripComplain(lines, "\"%.40s\" found, expected sisfile, sistable, projectile, charge, mass, energy or esum",
                        keyword);
  TripNameSet(table->projectile, value);
  return PETSC_TRUE;
}

PetscErrorCode TripBeamTableParse(const char *file, char *content, size_t length, Mistakes *mistakes,
                                  TripBeamTable *out)
{
  PetscFunctionBegin;
  TripLines lines;
  *out = (TripBeamTable){0};
  PetscBool good = TripLinesStart(file, content, length, mistakes, &lines), closed = PETSC_FALSE;
  for (char *line; good && (line = TripLinesNext(&lines, '*'));) {
    Row row;
    const char *keyword = TripWord(&line);
    if (closed) {
      good = TripComplain(&lines, "\"%.40s\" found behind the checksums, expected the end of the file", keyword);
    } else if (!strcmp(keyword, "energy")) {
      good = ReadRow(&lines, line, PETSC_FALSE, out, &row);
      if (good) PetscCall(AppendRow(&row, out));
    } else if (!strcmp(keyword, "esum")) {
      good = ReadRow(&lines, line, PETSC_TRUE, out, &row) && CheckSums(&lines, &row, out) ? PETSC_TRUE : PETSC_FALSE;
      closed = PETSC_TRUE;
    } else {
      good = ReadKeyword(&lines, keyword, line, out);
    }
  }
  if (good && !out->n) good = TripComplain(&lines, "no energy found, expected at least one");
  if (good && !closed && out->file_version >= 19970801)
    good = TripComplain(&lines, "the checksums (esum ...) are missing at the end of the file");
  if (!good) PetscCall(TripBeamTableDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode TripBeamTableRead(const char *file, Mistakes *mistakes, TripBeamTable *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  *out = (TripBeamTable){0};
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  PetscCall(TripBeamTableParse(file, content, length, mistakes, out));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

/* "<names[0]> E <names[1]> f... <names[2]> i..." */
static PetscErrorCode AddRow(Text *text, const char *const names[3], double energy, PetscInt n_focus,
                             const double *focus, PetscInt n_intensity, const double *intensity)
{
  PetscFunctionBegin;
  const double *group[] = {&energy, focus, intensity};
  const PetscInt n[] = {1, n_focus, n_intensity};
  for (int g = 0; g < 3; g++) {
    if (g == 2 && !n_intensity) break;
    PetscCall(TextAdd(text, "%s%s", g ? " " : "", names[g]));
    for (PetscInt i = 0; i < n[g]; i++) {
      PetscCall(TextAdd(text, " "));
      PetscCall(TripAddNumber(text, group[g][i]));
    }
  }
  PetscCall(TextAdd(text, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode TripBeamTableWrite(const TripBeamTable *table, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const char *const row_names[] = {"energy", "focus", "intensity"}, *const sum_names[] = {"esum", "fsum",
                                                                                                 "isum"};
  Text text = {0};
  Row sum;
  PetscCheck(table->n_focus <= MOST_COLUMNS && table->n_intensity <= MOST_COLUMNS, PETSC_COMM_SELF,
             PETSC_ERR_ARG_OUTOFRANGE, "%d foci and %d intensities, at most %d", (int)table->n_focus,
             (int)table->n_intensity, MOST_COLUMNS);
  if (table->file_version > 0) PetscCall(TripAddLine(&text, "sisfile", 1, &table->file_version));
  PetscCall(TripAddLine(&text, "sistable", 1, &table->table_version));
  if (*table->projectile) PetscCall(TextAdd(&text, "projectile %s\n", table->projectile));
  if (table->charge > 0) PetscCall(TripAddLine(&text, "charge", 1, &table->charge));
  if (table->mass > 0) PetscCall(TripAddLine(&text, "mass", 1, &table->mass));
  for (PetscInt e = 0; e < table->n; e++)
    PetscCall(AddRow(&text, row_names, table->energy_MeV_u[e], table->n_focus,
                     table->focus_fwhm_mm + e * table->n_focus, table->n_intensity,
                     table->n_intensity ? table->intensity + e * table->n_intensity : NULL));
  SumRows(table, &sum);
  PetscCall(AddRow(&text, sum_names, sum.energy, sum.n_focus, sum.focus, sum.n_intensity, sum.intensity));
  PetscCall(TripTextWrite(&text, file, mistakes));
  PetscFunctionReturn(0);
}
