/**
 * Small HDF5 helpers for files that one rank reads or writes whole. Reading functions never abort on a bad file: they add
 * one line to `mistakes` ("FILE: /path: what was found, what was expected", ROBION_INPUT) and set *out to NULL.
 * Not collective. HDF5's own error printing is switched off inside.
 */
#pragma once
#include "robion/error.h"
#include <hdf5.h>

/** A file being read: name and handle, for messages. */
typedef struct H5Source {
  const char *name;
  hid_t id; /* < 0 when it could not be opened */
} H5Source;

/** Open read-only. Distinguishes missing, unreadable, not HDF5, truncated. Returns false after adding a mistake. */
PetscBool H5SourceOpen(const char *file, Mistakes *mistakes, H5Source *source);
void H5SourceClose(H5Source *source);

/** True if the link path exists (every intermediate group too). */
PetscBool H5SourceHas(const H5Source *source, const char *path);

/**
 * Read a numeric dataset converted to the memory type `type` (H5T_NATIVE_DOUBLE, _FLOAT, _INT, _SHORT, _UCHAR), of rank
 * `rank` (dims returned in dims[rank]; a dims entry that is > 0 on entry is required). *out is PetscMalloc'ed.
 */
PetscBool H5ReadArray(const H5Source *source, const char *path, hid_t type, int rank, hsize_t *dims, void *out,
                      Mistakes *mistakes);

/** Read a numeric attribute with exactly n elements as double. `path` is the object, e.g. "/ct/hu". */
PetscBool H5ReadAttribute(const H5Source *source, const char *path, const char *attribute, int n, double *value,
                          Mistakes *mistakes);

/** Read a string attribute (fixed or variable length), PetscMalloc'ed; NULL and no mistake if optional and absent. */
PetscBool H5ReadString(const H5Source *source, const char *path, const char *attribute, PetscBool optional, char **out,
                       Mistakes *mistakes);

/** A file being written by one rank: FILE.tmp.<pid> until H5SinkClose renames it. */
typedef struct H5Sink {
  char *name, *temporary;
  hid_t id;
  PetscBool failed; /* a write failed: H5SinkClose removes the temporary and adds one ROBION_RESOURCES mistake */
} H5Sink;

PetscBool H5SinkOpen(const char *file, Mistakes *mistakes, H5Sink *sink);
/** The same on a copy of `from` (which may be `file`), to add to what it holds; the file's permissions are those of `from`. */
PetscBool H5SinkExtend(const char *from, const char *file, Mistakes *mistakes, H5Sink *sink);
/** Take a dataset or group away, if it is there. */
void H5Remove(H5Sink *sink, const char *path);
/** Write a dataset, shuffled and gzip-compressed when larger than 1 kB; groups on the way are made; unit, long_name may be NULL. */
void H5WriteArray(H5Sink *sink, const char *path, hid_t type, int rank, const hsize_t *dims, const void *data,
                  const char *unit, const char *long_name);
/** Attributes of an existing object; H5WriteGroup makes the group first. */
void H5WriteGroup(H5Sink *sink, const char *path);
void H5WriteString(H5Sink *sink, const char *path, const char *attribute, const char *text);
void H5WriteDoubles(H5Sink *sink, const char *path, const char *attribute, int n, const double *value);
/** Flush, fsync, rename to the final name. False (and a mistake) if anything failed; nothing is left behind then. */
PetscBool H5SinkClose(H5Sink *sink, Mistakes *mistakes);
