/* Formats of the verb import that are more than a file. */
#pragma once
#include "robion/cli.h"

/* import adc CASE.h5 IMAGE [options]: add maps of clonogens to a case file. */
PetscErrorCode ImportADC(const Arguments *arguments, const char *usage, Mistakes *mistakes);
