/* Lists of spots, and their CSV files. */
#include "robion/spot_list.h"
#include "robion/csv.h"
#include <limits.h>
#include <math.h>
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
  PetscCall(PetscFree(spots->place));
  PetscCall(PetscFree(spots->angles));
  for (PetscInt b = 0; b < spots->n_beam_files; b++) PetscCall(PetscFree(spots->beam_file[b]));
  PetscCall(PetscFree(spots->beam_file));
  spots->n = spots->n_places = spots->n_angles = spots->n_beam_files = 0;
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

/* The numbers of a record; false after one mistake. */
static PetscBool ReadSpot(const CSVReader *reader, PetscInt n, char **field, double value[N_SPOT_COLUMNS],
                          Mistakes *mistakes)
{
  for (int c = 0; c < PetscMin(n, N_SPOT_COLUMNS); c++) {
    const char *found = TextTrim(field[c]);
    const char *problem =
        TextParseNumber(found, &value[c]) ? SpotColumnProblem(c, value[c]) : "expected a finite number";
    if (!problem) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: %s is \"%s\", %s", reader->file, (int)reader->line,
                      spot_columns[c].name, found, problem);
    return PETSC_FALSE;
  }
  if (n == N_SPOT_COLUMNS) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: %d fields found, expected %d (" HEADER ")", reader->file,
                    (int)reader->line, (int)n, N_SPOT_COLUMNS);
  return PETSC_FALSE;
}

static PetscErrorCode Append(PetscInt line, const double value[N_SPOT_COLUMNS], PetscInt *capacity, SpotList *spots)
{
  PetscFunctionBegin;
  if (spots->n == *capacity) {
    *capacity = 2 * *capacity + 1024;
    PetscCall(SpotListResize(spots, *capacity));
    PetscCall(PetscRealloc((size_t)*capacity * sizeof *spots->line, &spots->line));
  }
  spots->line[spots->n] = line;
  spots->beam[spots->n] = (PetscInt)value[SPOT_BEAM];
  spots->x_mm[spots->n] = value[SPOT_X];
  spots->y_mm[spots->n] = value[SPOT_Y];
  spots->energy_MeV_u[spots->n] = value[SPOT_ENERGY];
  spots->particles[spots->n++] = value[SPOT_PARTICLES];
  PetscFunctionReturn(0);
}

static PetscErrorCode SpotListRead(CSVReader *reader, Mistakes *mistakes, SpotList *spots)
{
  PetscFunctionBegin;
  PetscInt capacity = 0, bad = 0, n;
  char *field[N_SPOT_COLUMNS];
  while (bad < MOST_BAD_LINES && (n = CSVNext(reader, N_SPOT_COLUMNS, field))) {
    double value[N_SPOT_COLUMNS];
    if (n == 1 && !*TextTrim(field[0])) continue;
    if (ReadSpot(reader, n, field, value, mistakes))
      PetscCall(Append(reader->line, value, &capacity, spots));
    else
      bad++;
  }
  if (bad == MOST_BAD_LINES)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: stopped reading after %d wrong lines", reader->file,
                          (int)reader->line, MOST_BAD_LINES));
  if (reader->problem)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: the line %s", reader->file, (int)reader->line, reader->problem));
  else if (!bad && !spots->n)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s: no spots after the header, expected at least one", reader->file));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListReadCSV(const char *file, Mistakes *mistakes, SpotList *out)
{
  PetscFunctionBegin;
  CSVReader reader;
  const PetscInt before = mistakes->n;
  PetscCall(PetscArrayzero(out, 1));
  if (!CSVOpen(file, mistakes, &reader)) PetscFunctionReturn(0);
  const char *header = CSVHeader(&reader);
  if (strcmp(header, HEADER))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:1: header is \"%.80s\", expected \"" HEADER "\"", file, header));
  else
    PetscCall(SpotListRead(&reader, mistakes, out));
  PetscCall(PetscStrallocpy(file, &out->file));
  out->any_energy = PETSC_TRUE;
  CSVClose(&reader);
  if (mistakes->n > before) PetscCall(SpotListDestroy(out));
  PetscFunctionReturn(0);
}

/* A row of the table, below it the one before it; false after a mistake. */
static PetscBool ReadIonsPerMU(const char *file, const Table *table, PetscInt row, Mistakes *mistakes, double value[2])
{
  static const char *const name[] = {"energy_MeV_u", "ions_per_MU"};
  for (int c = 0; c < 2; c++) {
    const char *found = table->field[2 * row + c];
    if (TextParseNumber(found, &value[c]) && value[c] > 0) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: %s is \"%s\", expected a number above 0", file, (int)row + 2,
                      name[c], found);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Ions per monitor unit of an energy; 0 beyond the table. */
static double IonsPerMU(PetscInt n, const double (*row)[2], double energy)
{
  const double same = 1e-3; /* MeV/u: names of energies are rounded */
  for (PetscInt i = 0; i < n; i++)
    if (fabs(row[i][0] - energy) <= same) return row[i][1];
  for (PetscInt i = 1; i < n; i++)
    if (row[i - 1][0] < energy && energy < row[i][0])
      return row[i - 1][1] + (row[i][1] - row[i - 1][1]) * (energy - row[i - 1][0]) / (row[i][0] - row[i - 1][0]);
  return 0;
}

PetscErrorCode SpotListFromMonitorUnits(SpotList *spots, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Table table;
  double(*row)[2];
  const PetscInt before = mistakes->n;
  if (!TableRead(file, "energy_MeV_u,ions_per_MU", mistakes, &table)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(table.n_rows, &row));
  for (PetscInt i = 0; i < table.n_rows && mistakes->n == before; i++)
    if (ReadIonsPerMU(file, &table, i, mistakes, row[i]) && i && row[i][0] <= row[i - 1][0])
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: energy %g MeV/u follows %g, expected ascending energies",
                            file, (int)i + 2, row[i][0], row[i - 1][0]));
  for (PetscInt i = 0; i < spots->n && mistakes->n == before; i++) {
    const double ions = IonsPerMU(table.n_rows, (const double(*)[2])row, spots->energy_MeV_u[i]);
    if (!(ions > 0))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: has no ions per MU at %g MeV/u, which the plan has", file,
                            spots->energy_MeV_u[i]));
    spots->particles[i] *= ions;
  }
  spots->monitor_units = PETSC_FALSE;
  PetscCall(PetscFree(row));
  PetscCall(TableDestroy(&table));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListOfBeams(const SpotList *spots, PetscInt first, PetscInt n_beam, SpotList *part, PetscInt **entry)
{
  PetscFunctionBegin;
  *part = (SpotList){.any_energy = spots->any_energy,
                     .ion = spots->ion,
                     .n_angles = PetscMax(0, PetscMin(n_beam, spots->n_angles - first)),
                     .n_beam_files = PetscMax(0, PetscMin(n_beam, spots->n_beam_files - first)),
                     .n_places = PetscMax(0, PetscMin(n_beam, spots->n_places - first))};
  PetscCall(SpotListResize(part, spots->n));
  if (part->n_places) {
    PetscCall(PetscMalloc1(part->n_places, &part->place));
    PetscCall(PetscArraycpy(part->place, spots->place + first, part->n_places));
  }
  if (part->n_angles) {
    PetscCall(PetscMalloc1(part->n_angles, &part->angles));
    PetscCall(PetscArraycpy(part->angles, spots->angles + first, part->n_angles));
  }
  if (part->n_beam_files) PetscCall(PetscMalloc1(part->n_beam_files, &part->beam_file));
  for (PetscInt b = 0; b < part->n_beam_files; b++)
    PetscCall(PetscStrallocpy(spots->beam_file[first + b], &part->beam_file[b]));
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
    spots->n_angles = head.n_angles;
    if (head.n_angles) PetscCall(PetscMalloc1(head.n_angles, &spots->angles));
    spots->n_places = head.n_places;
    if (head.n_places) PetscCall(PetscMalloc1(head.n_places, &spots->place));
  }
  PetscCallMPI(
      MPI_Bcast(spots->place, (PetscMPIInt)(head.n_places * (PetscInt)sizeof *spots->place), MPI_BYTE, root, comm));
  PetscCallMPI(
      MPI_Bcast(spots->angles, (PetscMPIInt)(head.n_angles * (PetscInt)sizeof *spots->angles), MPI_BYTE, root, comm));
  double *column[] = {spots->x_mm, spots->y_mm, spots->energy_MeV_u, spots->particles, spots->spot_fwhm_mm};
  PetscCallMPI(MPI_Bcast(spots->beam, (PetscMPIInt)head.n, MPIU_INT, root, comm));
  for (size_t c = 0; c < PETSC_STATIC_ARRAY_LENGTH(column); c++)
    if (column[c]) PetscCallMPI(MPI_Bcast(column[c], (PetscMPIInt)head.n, MPI_DOUBLE, root, comm));
  PetscFunctionReturn(0);
}
