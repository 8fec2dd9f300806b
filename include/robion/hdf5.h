/**
 * Small HDF5 helpers for files that one rank reads or writes whole. Files are read by a process of their own (robion/child.h):
 * none can crash or stop this one. Reading functions never abort on a bad file: they add one line to `mistakes` ("FILE: /path:
 * what was found, what was expected", ROBION_INPUT; ROBION_RESOURCES without memory) and set *out to NULL. If the file ends the
 * process that reads it, they answer no without a word, and H5SourceClose says so once. Not collective. HDF5's own error
 * printing is switched off inside.
 */
#pragma once
#include "robion/child.h"
#include "robion/error.h"
#include <hdf5.h>

/** A file being read: its name, for messages, and the process that reads it. */
typedef struct H5Source {
  const char *name;
  Child child;
  PetscInt n_before; /* mistakes before it was opened */
} H5Source;

/** Open read-only. Distinguishes missing, unreadable, not HDF5, truncated. Returns false after adding a mistake. */
PetscBool H5SourceOpen(const char *file, Mistakes *mistakes, H5Source *source);
/**
 * False if the file has ended the process that read it: one mistake then stands for all that were told of it since it was opened,
 * in the same list.
 */
PetscBool H5SourceClose(H5Source *source, Mistakes *mistakes);

/** True if the link path exists (every intermediate group too). */
PetscBool H5SourceHas(const H5Source *source, const char *path);

/** What a dataset or attribute holds. */
typedef struct H5Shape {
  PetscBool there, integers, booleans; /* booleans: as h5py writes them, an enumeration FALSE = 0, TRUE = 1 */
  PetscBool numbers;                   /* any of these, or floating-point numbers */
  char other[64];                      /* what it holds if no numbers, for messages */
  int n;                               /* dimensions; -1: more than 8, or none known */
  hsize_t dims[8];
  long long count; /* of elements */
} H5Shape;

/** The shape of a dataset or, if `attribute` is not NULL, of its attribute; false if there is none. */
PetscBool H5SourceShape(const H5Source *source, const char *path, const char *attribute, H5Shape *shape);

/** Names of a group's links, ascending. */
typedef struct H5Names {
  PetscInt n;
  char **name;
} H5Names;

PetscBool H5ReadNames(const H5Source *source, const char *path, H5Names *names, Mistakes *mistakes);
PetscErrorCode H5NamesDestroy(H5Names *names);

/**
 * Read a dataset of numbers or h5py's booleans converted to the memory type `type` (H5T_NATIVE_DOUBLE, _FLOAT, _INT, _SHORT,
 * _UCHAR), of rank `rank` (dims returned in dims[rank]; a dims entry that is > 0 on entry is required). *out is PetscMalloc'ed.
 */
PetscBool H5ReadArray(const H5Source *source, const char *path, hid_t type, int rank, hsize_t *dims, void *out,
                      Mistakes *mistakes);

/** Read a numeric attribute with exactly n elements as double. `path` is the object, e.g. "/ct/hu". */
PetscBool H5ReadAttribute(const H5Source *source, const char *path, const char *attribute, int n, double *value,
                          Mistakes *mistakes);

/**
 * Read a string attribute, or with `attribute` NULL a dataset of one string (fixed or variable length), PetscMalloc'ed; NULL and no
 * mistake if optional and absent.
 */
PetscBool H5ReadString(const H5Source *source, const char *path, const char *attribute, PetscBool optional, char **out,
                       Mistakes *mistakes);

/** A file being written by one rank: FILE.tmp.<pid> until H5SinkClose renames it. */
typedef struct H5Sink {
  char *name, *temporary;
  hid_t id;
  PetscBool sealed; /* set after H5SinkOpen: the file is robion's own, H5SealHolds will tell any change */
  PetscBool failed; /* a write failed: H5SinkClose removes the temporary and adds one ROBION_RESOURCES mistake */
} H5Sink;

PetscBool H5SinkOpen(const char *file, Mistakes *mistakes, H5Sink *sink);
/** The same on a copy of `from` (which may be `file`), to add to what it holds; the file's permissions are those of `from`. */
PetscBool H5SinkExtend(const char *from, const char *file, Mistakes *mistakes, H5Sink *sink);
/**
 * Whether a file that was written sealed is what robion wrote, byte for byte: judged before HDF5 sees it. False and a mistake
 * (ROBION_INPUT) if not.
 */
PetscBool H5SealHolds(const char *file, Mistakes *mistakes);
/** Remove what a process that crashed has left of a sink. */
void H5SinkForget(const char *file, pid_t process);
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
