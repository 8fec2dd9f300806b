/* What the files of the verb basedata share. */
#pragma once
#include "robion/cli.h"

enum { N_SHOW_OPTIONS = 6, N_EXPORT_OPTIONS = 1 };
extern const Option basedata_show_options[N_SHOW_OPTIONS], basedata_export_options[N_EXPORT_OPTIONS];
PetscErrorCode BaseDataShow(const Arguments *arguments, const Command *command, Mistakes *mistakes);
PetscErrorCode BaseDataExport(const Arguments *arguments, const Command *command, Mistakes *mistakes);

/* Preset of a model (NULL: lem1) and a cell line (NULL: the model's own) named on the command line. */
PetscErrorCode BaseDataBiologySpec(const char *model, const char *cell_line, Mistakes *mistakes, BiologySpec *spec);
