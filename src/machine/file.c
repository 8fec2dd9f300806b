/*
 * Base data files and the cache of built-in machines: of runs that want the same one at the same time, one makes it.
 */
#include "machine_private.h"
#include "robion/hdf5.h"
#include "robion/lock.h"
#include "robion/log.h"
#include "robion/text.h"
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_KIND "robion base data"
#define FILE_VERSION 2.0

static hid_t TableMemoryType(const MachineTable *table)
{
  return table->type == TABLE_DOUBLE  ? H5T_NATIVE_DOUBLE
         : table->type == TABLE_FLOAT ? H5T_NATIVE_FLOAT
                                      : H5T_NATIVE_INT;
}

PetscErrorCode MachineWrite(const Machine *m, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  H5Sink sink;
  if (!H5SinkOpen(file, mistakes, &sink)) PetscFunctionReturn(0);
  sink.sealed = PETSC_TRUE; /* for the cache */
  for (int i = 0; i < MACHINE_TABLES; i++) {
    const MachineTable *table = &machine_tables[i];
    if (!MachineTableSize(m, table)) continue;
    hsize_t dims[4];
    for (int k = 0; k < table->rank; k++) dims[k] = (hsize_t)MachineDim(m, table->dim[k]);
    H5WriteArray(&sink, table->path, TableMemoryType(table), table->rank, dims, *MachineTableData((Machine *)m, table),
                 table->unit, table->long_name);
  }
  const double nuclide[2] = {(double)m->Z, (double)m->A}, version = FILE_VERSION;
  H5WriteString(&sink, "/", "kind", FILE_KIND);
  H5WriteDoubles(&sink, "/", "version", 1, &version);
  H5WriteString(&sink, "/", "name", m->name ? m->name : "");
  H5WriteString(&sink, "/", "source", m->source ? m->source : "");
  H5WriteString(&sink, "/", "hash", m->hash ? m->hash : "");
  H5WriteDoubles(&sink, "/", "projectile_Z_A", 2, nuclide);
  H5WriteDoubles(&sink, "/", "sad_mm", 1, &m->sad_mm);
  H5WriteDoubles(&sink, "/", "offset_mm", 1, &m->offset_mm);
  H5WriteDoubles(&sink, "/", "bams_to_iso_mm", 1, &m->bams_to_iso_mm);
  (void)H5SinkClose(&sink, mistakes);
  PetscFunctionReturn(0);
}

/* A geometry attribute must be a finite length. */
static PetscBool ReadLength(const H5Source *source, const char *attribute, double *value, Mistakes *mistakes)
{
  if (!H5ReadAttribute(source, "/", attribute, 1, value, mistakes)) return PETSC_FALSE;
  if (*value >= -1e9 && *value <= 1e9) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: /: attribute %s is %g, expected a length in mm", source->name,
                    attribute, *value);
  return PETSC_FALSE;
}

static PetscBool ReadHeader(const H5Source *source, Machine *m, Mistakes *mistakes)
{
  char *kind = NULL;
  double version = 0, nuclide[2] = {0};
  PetscBool good = H5ReadString(source, "/", "kind", PETSC_TRUE, &kind, mistakes);
  if (!kind || strcmp(kind, FILE_KIND)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: not a base data file (attribute kind is %s, expected \"%s\")",
                      source->name, kind ? kind : "missing", FILE_KIND);
    good = PETSC_FALSE;
  }
  (void)PetscFree(kind);
  if (!good || !H5ReadAttribute(source, "/", "version", 1, &version, mistakes)) return PETSC_FALSE;
  if (version != FILE_VERSION) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: base data format version %g, expected %g", source->name, version,
                      FILE_VERSION);
    return PETSC_FALSE;
  }
  if (!H5ReadString(source, "/", "name", PETSC_FALSE, &m->name, mistakes) ||
      !H5ReadString(source, "/", "source", PETSC_FALSE, &m->source, mistakes) ||
      !H5ReadString(source, "/", "hash", PETSC_FALSE, &m->hash, mistakes) ||
      !H5ReadAttribute(source, "/", "projectile_Z_A", 2, nuclide, mistakes) ||
      !ReadLength(source, "sad_mm", &m->sad_mm, mistakes) ||
      !ReadLength(source, "offset_mm", &m->offset_mm, mistakes) ||
      !ReadLength(source, "bams_to_iso_mm", &m->bams_to_iso_mm, mistakes))
    return PETSC_FALSE;
  m->Z = (PetscInt)PetscClipInterval(nuclide[0], 0.0, 1000.0); /* MachineCheck judges it */
  m->A = (PetscInt)PetscClipInterval(nuclide[1], 0.0, 1000.0);
  return PETSC_TRUE;
}

/* Set a dimension that a table has shown. */
static void SetDim(Machine *m, Dim dim, hsize_t length)
{
  PetscInt n = (PetscInt)PetscMin(length, (hsize_t)1 << 30);
  if (dim == DIM_ENERGY) m->n_energy = n;
  if (dim == DIM_DEPTH) m->n_depth = n;
  if (dim == DIM_COMPONENT) m->n_component = n;
  if (dim == DIM_SPECIES) m->n_species = n;
  if (dim == DIM_EDGE) m->n_bin = n - 1;
  if (dim == DIM_TISSUE) m->n_tissue = n;
  if (dim == DIM_EMITTER) m->n_emitter = n;
}

/* Read one table; dimensions that earlier tables fixed are required. */
static PetscBool ReadTable(const H5Source *source, const MachineTable *table, Machine *m, Mistakes *mistakes)
{
  hsize_t dims[4] = {0};
  for (int k = 0; k < table->rank; k++) dims[k] = (hsize_t)MachineDim(m, table->dim[k]);
  if (!H5ReadArray(source, table->path, TableMemoryType(table), table->rank, dims, MachineTableData(m, table),
                   mistakes))
    return PETSC_FALSE;
  for (int k = 0; k < table->rank; k++) SetDim(m, table->dim[k], dims[k]);
  return PETSC_TRUE;
}

static PetscBool ReadTables(const H5Source *source, Machine *m, Mistakes *mistakes)
{
  static const char *const optional[] = {"/spectra", "/emitters", "/tissue"};
  for (int i = 0; i < MACHINE_TABLES; i++) {
    const MachineTable *table = &machine_tables[i];
    PetscBool absent = PETSC_FALSE;
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(optional); k++)
      if (!strncmp(table->path, optional[k], strlen(optional[k])) && !H5SourceHas(source, optional[k]))
        absent = PETSC_TRUE;
    if (absent) continue;
    if (!ReadTable(source, table, m, mistakes)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscErrorCode MachineRead(const char *file, Mistakes *mistakes, Machine **out)
{
  PetscFunctionBegin;
  *out = NULL;
  H5Source source;
  if (!H5SourceOpen(file, mistakes, &source)) PetscFunctionReturn(0);
  Machine *m;
  PetscCall(PetscNew(&m));
  PetscBool good = ReadHeader(&source, m, mistakes) && ReadTables(&source, m, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  if (good) {
    PetscInt before = mistakes->n;
    PetscCall(MachineCheck(m, file, mistakes));
    good = mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
  }
  if (!good) PetscCall(MachineDestroy(&m));
  *out = m;
  PetscFunctionReturn(0);
}

/* The cached machine, if the file is there, as it was written, sound, and of this very spec. */
static PetscErrorCode CacheRead(const char *file, const char *hash, Machine **out)
{
  PetscFunctionBegin;
  Mistakes unread = {0};
  *out = NULL;
  if (access(file, R_OK) == 0 && H5SealHolds(file, &unread)) PetscCall(MachineRead(file, &unread, out));
  if (MistakesAny(&unread))
    LogLine(LOG_WARNING, "machine", NULL, "cache ignored and built again: %s", MistakesFirst(&unread));
  if (*out && strcmp((*out)->hash, hash)) PetscCall(MachineDestroy(out));
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}

static PetscErrorCode CacheWrite(const char *folder, const char *file, const Machine *m)
{
  PetscFunctionBegin;
  Mistakes unwritten = {0};
  if (FolderMake(folder, &unwritten)) PetscCall(MachineWrite(m, file, &unwritten));
  if (MistakesAny(&unwritten))
    LogLine(LOG_WARNING, "machine", NULL, "base data not cached: %s", unwritten.item[0].text);
  PetscCall(MistakesClear(&unwritten));
  PetscFunctionReturn(0);
}

/* The cached machine; where there is none, the lock under which this run makes it, once others that make it are done. On one rank. */
static PetscErrorCode CacheReadOrLock(const char *folder, const char *file, const char *hash, int *lock, Machine **out)
{
  PetscFunctionBegin;
  char name[PETSC_MAX_PATH_LEN + 80];
  Mistakes unmade = {0};
  *lock = -1;
  PetscCall(CacheRead(file, hash, out));
  if (*out || !FolderMake(folder, &unmade)) {
    PetscCall(MistakesClear(&unmade));
    PetscFunctionReturn(0);
  }
  snprintf(name, sizeof name, "%s.lock", file);
  *lock = FileLockWait(name, 600, "makes the same base data");
  if (*lock >= 0) PetscCall(CacheRead(file, hash, out));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineBuiltin(MPI_Comm comm, const MachineSpec *spec, Machine **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  int lock = -1;
  char folder[PETSC_MAX_PATH_LEN], file[PETSC_MAX_PATH_LEN + 64], hash[17];
  PetscCall(CacheFolder(folder));
  PetscCall(MachineSpecHash(spec, hash));
  snprintf(file, sizeof file, "%s/%s-%s.h5", folder, spec->ion, hash);
  *out = NULL;
  if (rank == 0) PetscCall(CacheReadOrLock(folder, file, hash, &lock, out));
  PetscCall(MachineBroadcast(comm, 0, out));
  if (!*out) {
    PetscCall(MachineBuild(comm, spec, out));
    if (rank == 0) PetscCall(CacheWrite(folder, file, *out));
  }
  FileLockRelease(&lock);
  PetscFunctionReturn(0);
}
