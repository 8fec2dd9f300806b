/* What the files of the verb basedata share. */
#pragma once
#include "robion/cli.h"

PetscErrorCode BaseDataShow(const Arguments *arguments, const char *usage, Mistakes *mistakes);
PetscErrorCode BaseDataExport(const Arguments *arguments, const char *usage, Mistakes *mistakes);

/* Preset of a model (NULL: lem1) and a cell line (NULL: the model's own) named on the command line. */
PetscErrorCode BaseDataBiologySpec(const char *model, const char *cell_line, Mistakes *mistakes, BiologySpec *spec);
