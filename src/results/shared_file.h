/**
 * An HDF5 file written by all ranks of a communicator together. Used twice with the same calls: the first pass checks
 * that every number is finite and measures how much space the file needs, the second writes.
 */
#pragma once
#include "robion/hdf5.h"

typedef enum { PASS_MEASURE, PASS_WRITE, PASS_VERIFY } SharedFilePass;

typedef struct SharedFile {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  SharedFilePass pass;
  size_t bytes; /* upper bound of the file's size, from the first pass */
  H5Sink sink;  /* name, temporary name, handle, failed (the same on every rank) */
} SharedFile;

/** Start the measuring pass. */
PetscErrorCode SharedFileMeasure(MPI_Comm comm, SharedFile *file);

/**
 * Reserve the measured space under a temporary name and open it for the second pass. All ranks agree on the result: on
 * failure one ROBION_RESOURCES mistake on each, nothing on disk, and file->sink.name is NULL.
 */
PetscErrorCode SharedFileOpen(SharedFile *file, const char *name, Mistakes *mistakes);

/** Write an array that every rank holds whole; the ranks write disjoint parts. unit and long_name are attributes. */
PetscErrorCode SharedFileArray(SharedFile *file, const char *path, hid_t type, int rank, const hsize_t *dims,
                               const void *data, const char *unit, const char *long_name);
/** n numbers as the array folder/name. */
PetscErrorCode SharedFileColumn(SharedFile *file, const char *folder, const char *name, PetscInt n, const double *data,
                                const char *unit, const char *long_name);
/** A column of strings, as fixed-length UTF-8. */
PetscErrorCode SharedFileStrings(SharedFile *file, const char *path, PetscInt n, const char *const *strings,
                                 const char *long_name);
PetscErrorCode SharedFileGroup(SharedFile *file, const char *path);
PetscErrorCode SharedFileString(SharedFile *file, const char *path, const char *attribute, const char *text);
PetscErrorCode SharedFileDoubles(SharedFile *file, const char *path, const char *attribute, int n, const double *value);
PetscErrorCode SharedFileNumber(SharedFile *file, const char *path, const char *attribute, double value);

/** End of the second pass: close for writing; rank 0 opens the file again for the third. Failures show in sink.failed. */
PetscErrorCode SharedFileReopen(SharedFile *file);

/** End of the third pass: fsync, final name. On failure one ROBION_RESOURCES mistake on every rank, nothing left on disk. */
PetscErrorCode SharedFileClose(SharedFile *file, Mistakes *mistakes);
