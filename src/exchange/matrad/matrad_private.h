/* Reading MATLAB level-5 files (matio) without trusting them. */
#pragma once
#include "robion/case.h"
#include <matio.h>
#include <stdint.h>
#include <stdio.h>

/**
 * Open for reading. NULL after one mistake (ROBION_INPUT): missing, not a level-5 file, MATLAB 7.3 (HDF5), or one that is truncated
 * or damaged, which matio itself would only find by reading on, or not survive. names: the n variables that will be read.
 * Close with Mat_Close.
 */
mat_t *MatlabOpen(const char *file, int n, const char *const *names, Mistakes *mistakes);

/** Walk over the file's data elements, unpacking compressed ones; false after a mistake that names the byte. */
PetscBool MatlabCheckElements(const char *file, FILE *f, uint64_t size, Mistakes *mistakes);

/** Read these variables in another process; false after a mistake if that process does not survive. */
PetscBool MatlabRehearse(const char *file, int n, const char *const *names, Mistakes *mistakes);

/** Number of elements of a real numeric variable, 0 if it is anything else (NULL too). */
size_t MatlabCount(const matvar_t *variable);

/** Element i (column-major) as double; i below MatlabCount. */
double MatlabElement(const matvar_t *variable, size_t i);

/** Field of element e of a struct array, NULL if there is none. */
matvar_t *MatlabField(matvar_t *parent, const char *name, size_t e);

/** Cell i (column-major) of a cell array, NULL if there is none. */
matvar_t *MatlabCell(matvar_t *parent, size_t i);

/** A field that may hold its array directly or, as matRad writes it, one per CT scenario in cells: the first. */
const matvar_t *MatlabFirst(matvar_t *field);

/**
 * A row of characters in UTF-8, cut between characters to fit, control characters made blanks, without blanks at its end; false (and
 * "") if it is anything else or empty.
 */
PetscBool MatlabText(const matvar_t *variable, size_t size, char *out);

/* A patient being taken apart. */
typedef struct MatRadPatient {
  const char *file;
  matvar_t *ct, *cst;
  Mistakes *mistakes;
} MatRadPatient;

enum { MATRAD_NAME = 256 }; /* bytes of a structure's name, with the end */

/** Counts, sizes and origin of the cube's voxels; false after a mistake. */
PetscBool MatRadTakeGrid(const MatRadPatient *patient, const matvar_t *cube, Grid *ct);

/** Warn of everything that the case file has no place for. */
PetscErrorCode MatRadTellLeft(const MatRadPatient *patient, const char *name);
