/* What the files of the verb basedata share. */
#pragma once
#include "cli.h"

PetscErrorCode BaseDataShow(const Arguments *arguments, const char *usage, Mistakes *mistakes);
PetscErrorCode BaseDataExport(const Arguments *arguments, const char *usage, Mistakes *mistakes);
