/**
 * The page of a study: what has become of each plan, arms beside each other, and a page for each finished plan. Not collective.
 */
#pragma once
#include "robion/study.h"
#include <stdio.h>

/**
 * Write <folder>/index.html and <folder>/<folder of the plan>.html of every finished plan, and say on `out` what was written. Plans
 * whose files are damaged are told as mistakes (ROBION_INPUT) and on the page; the others are written all the same.
 */
PetscErrorCode StudyPagesWrite(FILE *out, const char *results, const Study *study, const char *folder,
                               Mistakes *mistakes);
