/* What the process that reads an HDF5 file is asked, and answers. */
#pragma once
#include "robion/hdf5.h"

typedef enum H5Question { H5_HAS, H5_SHAPE, H5_NAMES, H5_ARRAY, H5_NUMBERS, H5_STRING } H5Question;

enum { H5_LONGEST_PATH = 1024, H5_LONGEST_NAME = 256, H5_MOST_DIMS = 8 };

typedef struct H5Request {
  H5Question question;
  char path[H5_LONGEST_PATH], attribute[H5_LONGEST_NAME]; /* "": of the object itself */
  hid_t type; /* of memory; the predefined types have the same numbers after a fork */
  int n;      /* array: dimensions; numbers: how many */
  PetscBool optional;
  hsize_t dims[H5_MOST_DIMS]; /* array: those above 0 are required */
} H5Request;

/* After it come mistakes, then `bytes` of data. */
typedef struct H5Reply {
  PetscBool good;
  H5Shape shape; /* the dims of an array, too */
  size_t bytes;
} H5Reply;

/* Numbers of an array of these dimensions, 0 where that is more than any memory holds. */
size_t H5Elements(int n, const hsize_t *dims);

/* True if the link path exists below an open file (every intermediate group too). */
PetscBool H5PathExists(hid_t file, const char *path);

/* Seal a file that is closed; false with errno where that fails. */
PetscBool H5Seal(const char *file);

/* In the child: open the file, say whether that worked, then answer until the other side hangs up. context: the file's name. */
void H5Answer(const Child *self, void *context);
