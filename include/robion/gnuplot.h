/**
 * Pictures by gnuplot, a program of its own: robion runs without it where no picture is asked for.
 */
#pragma once
#include "robion/error.h"
#include <stdio.h>

/** A picture being made: a script to write to. */
typedef struct Gnuplot {
  FILE *script;
  const char *file;                 /* of the caller */
  char data[PETSC_MAX_PATH_LEN];    /* a file of data for the script, to be written by the caller; removed at the end */
  char picture[PETSC_MAX_PATH_LEN]; /* where the script's output goes until it is whole */
  char script_name[PETSC_MAX_PATH_LEN];
} Gnuplot;

/**
 * Begin a PNG or SVG picture, after the ending of `file`, of this size in pixels: terminal and output are set. False after a mistake
 * (ROBION_COMMAND_LINE: another ending; ROBION_RESOURCES: cannot be written). Not collective.
 */
PetscBool GnuplotOpen(const char *file, int width, int height, Mistakes *mistakes, Gnuplot *plot);

/** Run gnuplot and put the picture in place. Mistakes (ROBION_RESOURCES): no gnuplot, or it failed. Not collective. */
PetscErrorCode GnuplotClose(Gnuplot *plot, Mistakes *mistakes);
