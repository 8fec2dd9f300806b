/* Lists of spots, and their CSV files. */
#include "robion/spot_list.h"
#include "robion/text.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEADER "beam,x_mm,y_mm,energy_MeV_u,particles"
enum { MOST_BAD_LINES = 100 };

const SpotColumn spot_columns[N_SPOT_COLUMNS] = {
    [SPOT_BEAM] = {"beam", NULL, "counted from 0"},
    [SPOT_X] = {"x_mm", "mm", "spot position, IEC gantry x in the isocentre plane"},
    [SPOT_Y] = {"y_mm", "mm", "spot position, IEC gantry y in the isocentre plane"},
    [SPOT_ENERGY] = {"energy_MeV_u", "MeV/u", "kinetic energy at the nozzle"},
    [SPOT_PARTICLES] = {"particles", "1", "ions per spot and fraction"}};

PetscErrorCode SpotListResize(SpotList *spots, PetscInt n)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc((size_t)n * sizeof *spots->beam, &spots->beam));
  PetscCall(PetscRealloc((size_t)n * sizeof *spots->x_mm, &spots->x_mm));
  PetscCall(PetscRealloc((size_t)n * sizeof *spots->y_mm, &spots->y_mm));
  PetscCall(PetscRealloc((size_t)n * sizeof *spots->energy_MeV_u, &spots->energy_MeV_u));
  PetscCall(PetscRealloc((size_t)n * sizeof *spots->particles, &spots->particles));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListDestroy(SpotList *spots)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(spots->beam));
  PetscCall(PetscFree(spots->x_mm));
  PetscCall(PetscFree(spots->y_mm));
  PetscCall(PetscFree(spots->energy_MeV_u));
  PetscCall(PetscFree(spots->particles));
  PetscCall(PetscFree(spots->spot_fwhm_mm));
  PetscCall(PetscFree(spots->file));
  PetscCall(PetscFree(spots->line));
  spots->n = 0;
  PetscFunctionReturn(0);
}

const char *SpotColumnProblem(int column, double value)
{
  if (!isfinite(value)) return "expected a finite number";
  if (column == SPOT_BEAM && !(value >= 0 && value < INT_MAX && value == floor(value)))
    return "expected a whole number from 0";
  if (column == SPOT_ENERGY && value <= 0) return "expected a number above 0";
  if (column == SPOT_PARTICLES && value < 0) return "expected a number of at least 0";
  return NULL;
}

/* Cut blanks and a carriage return off both ends, in place. */
static char *Trim(char *text)
{
  text += strspn(text, " \t");
  size_t n = strlen(text);
  while (n && strchr(" \t\r", text[n - 1])) text[--n] = 0;
  return text;
}

/* One line of a spot CSV; false after one mistake. The line is taken apart in place. */
static PetscBool ReadLine(const char *file, PetscInt number, char *line, double value[N_SPOT_COLUMNS],
                          Mistakes *mistakes)
{
  int n = 0;
  for (char *field = line, *next; field; field = next, n++) {
    next = strchr(field, ',');
    if (next) *next++ = 0;
    if (n >= N_SPOT_COLUMNS) continue;
    field = Trim(field);
    const char *problem =
        TextParseNumber(field, &value[n]) ? SpotColumnProblem(n, value[n]) : "expected a finite number";
    if (problem) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: %s is \"%s\", %s", file, (int)number, spot_columns[n].name,
                        field, problem);
      return PETSC_FALSE;
    }
  }
  if (n == N_SPOT_COLUMNS) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: %d fields found, expected %d (" HEADER ")", file, (int)number, n,
                    N_SPOT_COLUMNS);
  return PETSC_FALSE;
}

/* Cut off the next line; NULL at the end. */
static char *NextLine(char **rest)
{
  char *line = *rest;
  if (!line || !*line) return NULL;
  char *end = strchr(line, '\n');
  if (end) *end++ = 0;
  *rest = end;
  return Trim(line);
}

static PetscBool ReadHeader(const char *file, char **rest, Mistakes *mistakes)
{
  if (!strncmp(*rest, "\357\273\277", 3)) *rest += 3; /* byte order mark */
  const char *header = NextLine(rest);
  if (header && !strcmp(header, HEADER)) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:1: header is \"%.80s\", expected \"" HEADER "\"", file,
                    header ? header : "");
  return PETSC_FALSE;
}

static PetscErrorCode ReadLines(const char *file, char *rest, Mistakes *mistakes, SpotList *spots, PetscBool *good)
{
  PetscFunctionBegin;
  PetscInt number = 1, capacity = 0, bad = 0;
  *good = ReadHeader(file, &rest, mistakes);
  for (char *line; *good && bad < MOST_BAD_LINES && (line = NextLine(&rest));) {
    double value[N_SPOT_COLUMNS];
    number++;
    if (!*line) continue;
    if (!ReadLine(file, number, line, value, mistakes)) {
      bad++;
      continue;
    }
    if (spots->n == capacity) {
      PetscCall(SpotListResize(spots, capacity = 2 * capacity + 1024));
      PetscCall(PetscRealloc((size_t)capacity * sizeof *spots->line, &spots->line));
    }
    spots->line[spots->n] = number;
    spots->beam[spots->n] = (PetscInt)value[0];
    spots->x_mm[spots->n] = value[1];
    spots->y_mm[spots->n] = value[2];
    spots->energy_MeV_u[spots->n] = value[3];
    spots->particles[spots->n++] = value[4];
  }
  if (bad == MOST_BAD_LINES)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: stopped reading after %d wrong lines", file, (int)number,
                          MOST_BAD_LINES));
  if (*good && !bad && !spots->n) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no spots after the header, expected at least one", file));
    *good = PETSC_FALSE;
  }
  if (bad) *good = PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListReadCSV(const char *file, Mistakes *mistakes, SpotList *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  PetscBool good = PETSC_FALSE;
  PetscCall(PetscMemzero(out, sizeof *out));
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  if (memchr(content, 0, length))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: not a text file, expected \"" HEADER "\"", file));
  else
    PetscCall(ReadLines(file, content, mistakes, out, &good));
  PetscCall(PetscStrallocpy(file, &out->file));
  PetscCall(PetscFree(content));
  out->any_energy = PETSC_TRUE;
  if (!good) PetscCall(SpotListDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListOfBeams(const SpotList *spots, PetscInt first, PetscInt n_beam, SpotList *part, PetscInt **entry)
{
  PetscFunctionBegin;
  *part = (SpotList){.any_energy = spots->any_energy,
                     .ion = spots->ion,
                     .has_angles = first ? PETSC_FALSE : spots->has_angles, /* they are of beam 0 */
                     .gantry_deg = spots->gantry_deg,
                     .couch_deg = spots->couch_deg};
  PetscCall(SpotListResize(part, spots->n));
  PetscCall(PetscMalloc1(spots->n, entry));
  if (spots->spot_fwhm_mm) PetscCall(PetscMalloc1(spots->n, &part->spot_fwhm_mm));
  if (spots->line) PetscCall(PetscMalloc1(spots->n, &part->line));
  if (spots->file) PetscCall(PetscStrallocpy(spots->file, &part->file));
  for (PetscInt i = 0; i < spots->n; i++) {
    const PetscInt to = part->n;
    if (spots->beam[i] < first || spots->beam[i] >= first + n_beam) continue;
    part->beam[to] = spots->beam[i] - first;
    part->x_mm[to] = spots->x_mm[i];
    part->y_mm[to] = spots->y_mm[i];
    part->energy_MeV_u[to] = spots->energy_MeV_u[i];
    part->particles[to] = spots->particles[i];
    if (part->spot_fwhm_mm) part->spot_fwhm_mm[to] = spots->spot_fwhm_mm[i];
    if (part->line) part->line[to] = spots->line[i];
    (*entry)[part->n++] = i;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListEnergies(const SpotList *spots, PetscInt *n, double **energy_MeV_u)
{
  PetscFunctionBegin;
  PetscInt kept = 0;
  PetscCall(PetscMalloc1(spots->n, energy_MeV_u));
  double *energy = *energy_MeV_u;
  PetscCall(PetscArraycpy(energy, spots->energy_MeV_u, spots->n));
  PetscCall(PetscSortReal(spots->n, energy));
  for (PetscInt i = 0; i < spots->n; i++)
    if (!kept || energy[i] > energy[kept - 1]) energy[kept++] = energy[i];
  *n = kept;
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListBroadcast(MPI_Comm comm, PetscMPIInt root, SpotList *spots)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  SpotList head = *spots;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Bcast(&head, (PetscMPIInt)sizeof head, MPI_BYTE, root, comm));
  if (rank != root) {
    PetscCall(SpotListResize(spots, head.n));
    if (head.spot_fwhm_mm) PetscCall(PetscMalloc1(head.n, &spots->spot_fwhm_mm));
    spots->n = head.n;
    spots->any_energy = head.any_energy;
    spots->ion = head.ion;
    spots->has_angles = head.has_angles;
    spots->gantry_deg = head.gantry_deg;
    spots->couch_deg = head.couch_deg;
  }
  double *column[] = {spots->x_mm, spots->y_mm, spots->energy_MeV_u, spots->particles, spots->spot_fwhm_mm};
  PetscCallMPI(MPI_Bcast(spots->beam, (PetscMPIInt)head.n, MPIU_INT, root, comm));
  for (size_t c = 0; c < PETSC_STATIC_ARRAY_LENGTH(column); c++)
    if (column[c]) PetscCallMPI(MPI_Bcast(column[c], (PetscMPIInt)head.n, MPI_DOUBLE, root, comm));
  PetscFunctionReturn(0);
}
