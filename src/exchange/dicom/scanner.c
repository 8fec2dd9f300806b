/*
 * The stopping powers of a scanner: of a folder of tables, files MAKER_MODEL_KVP_KERNEL.csv, the one that names most of what the
 * images say. Parts are compared by their letters and digits, in capitals or not; `any` stands for all.
 */
#include "dicom_private.h"
#include "robion/csv.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum { N_PARTS = 4 };

/* Letters and digits alone, small. */
static void Reduce(const char *text, size_t length, char out[DICOM_TEXT])
{
  size_t n = 0;
  for (size_t i = 0; i < length && n + 1 < DICOM_TEXT; i++)
    if (isalnum((unsigned char)text[i])) out[n++] = (char)tolower((unsigned char)text[i]);
  out[n] = 0;
}

/* How many parts of a file's name are those of the scanner; -1: it is another's, or no table. */
static int Match(const char *file, char part[N_PARTS][DICOM_TEXT])
{
  int matches = 0;
  if (!TextHasEnding(file, ".csv")) return -1;
  const char *at = file, *end = file + strlen(file) - strlen(".csv");
  for (int p = 0; p < N_PARTS; p++) {
    const char *stop = p + 1 < N_PARTS ? memchr(at, '_', (size_t)(end - at)) : end;
    char said[DICOM_TEXT];
    if (!stop) return -1;
    Reduce(at, (size_t)(stop - at), said);
    if (!strcmp(said, part[p]))
      matches++;
    else if (strcmp(said, "any"))
      return -1;
    at = stop < end ? stop + 1 : end;
  }
  return matches;
}

/* The file of most matches, the first by name of equals; "" if there is none. */
static PetscBool Choose(const char *folder, char part[N_PARTS][DICOM_TEXT], char best[256], Mistakes *mistakes)
{
  int most = -1;
  *best = 0;
  DIR *entries = opendir(folder);
  if (!entries) {
    (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --hlut: folder %s cannot be opened: %s", folder,
                      strerror(errno));
    return PETSC_FALSE;
  }
  for (struct dirent *entry; (entry = readdir(entries));) {
    const int matches = Match(entry->d_name, part);
    if (matches < most || matches < 0 || (matches == most && strcmp(entry->d_name, best) > 0)) continue;
    most = matches;
    snprintf(best, 256, "%s", entry->d_name);
  }
  (void)closedir(entries);
  return PETSC_TRUE;
}

/* Rows of a table, ascending. */
static PetscBool TakeRows(const char *file, const Table *table, Mistakes *mistakes, HLUT *hlut)
{
  if (PetscMalloc1(table->n_rows, &hlut->point)) return PETSC_FALSE;
  for (hlut->n = 0; hlut->n < table->n_rows; hlut->n++) {
    char *const *field = &table->field[2 * hlut->n];
    double *point = hlut->point[hlut->n];
    if (!TextParseNumber(field[0], &point[0]) || !TextParseNumber(field[1], &point[1]) || point[1] < 0 ||
        (hlut->n && point[0] <= point[-2])) {
      (void)MistakesAdd(mistakes, ROBION_INPUT,
                        "%s: row %d is %.20s,%.20s, expected ascending HU and stopping powers from 0", file,
                        (int)hlut->n + 1, field[0], field[1]);
      return PETSC_FALSE;
    }
  }
  if (hlut->n > 1) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has %d rows, expected two and more", file, (int)hlut->n);
  return PETSC_FALSE;
}

PetscBool DicomHLUTTake(const char *folder, const DicomHead *head, Case *patient, Text *told, Mistakes *mistakes)
{
  char part[N_PARTS][DICOM_TEXT], kvp[32], best[256], path[PETSC_MAX_PATH_LEN];
  Table table = {.n_rows = 0};
  snprintf(kvp, sizeof kvp, "%.0f", head->kvp);
  const char *const said[N_PARTS] = {head->manufacturer, head->model, kvp, head->kernel};
  for (int p = 0; p < N_PARTS; p++) Reduce(said[p], strlen(said[p]), part[p]);
  if (!Choose(folder, part, best, mistakes)) return PETSC_FALSE;
  if (!*best) {
    (void)TextAdd(
        told, "    warning: no table of stopping powers for %s_%s_%s_%s.csv in the folder: the study's will be used\n",
        part[0], part[1], part[2], part[3]);
    return PETSC_TRUE;
  }
  snprintf(path, sizeof path, "%s/%s", folder, best);
  const PetscBool good = TableRead(path, "HU,RSP", mistakes, &table) && TakeRows(path, &table, mistakes, &patient->hlut)
                             ? PETSC_TRUE
                             : PETSC_FALSE;
  if (good) (void)TextAdd(told, "    stopping powers by %s\n", best);
  (void)TableDestroy(&table);
  return good;
}
