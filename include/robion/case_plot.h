/**
 * A picture of a case. Part of the report.
 */
#pragma once
#include "robion/case.h"

/**
 * Three slices through the middle of the first target with the outlines of all structures, and beneath them the same slices of
 * every map (at most two), as PNG or SVG. Mistakes as of GnuplotOpen and GnuplotClose. Not collective.
 */
PetscErrorCode CasePlot(const Case *patient, const char *file, Mistakes *mistakes);
