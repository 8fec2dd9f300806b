/* The files that a plan is made from. */
#include "robion/plan.h"
#include <string.h>

enum { MOST_FILES = N_INPUT_KINDS + TISSUES_MOST + 1 };

/* One more, unless it is there. */
static void Add(InputKind kind, const char *path, PetscInt *n, InputFile *input)
{
  if (!path) return;
  for (PetscInt i = 0; i < *n; i++)
    if (!strcmp(input[i].path, path)) return;
  snprintf(input[*n].kind, sizeof input[*n].kind, "%s", input_kind_names[kind]);
  snprintf(input[(*n)++].path, sizeof input->path, "%s", path);
}

PetscErrorCode PlanInputFiles(const Study *study, const Settings *settings, PetscInt *n, InputFile **input)
{
  PetscFunctionBegin;
  *n = 0;
  PetscCall(PetscCalloc1(MOST_FILES, input));
  Add(INPUT_STUDY, study->file, n, *input);
  Add(INPUT_CASE, settings->patient.file, n, *input);
  Add(INPUT_BASE_DATA, settings->base_data, n, *input);
  Add(INPUT_FRAGMENTATION, settings->machine.fragmentation, n, *input);
  Add(INPUT_RBE_TABLE, settings->biology.table, n, *input);
  for (PetscInt t = 0; t < settings->n_tissues; t++)
    Add(INPUT_RBE_TABLE, settings->tissues[t].biology.table, n, *input);
  if (settings->other_biology) Add(INPUT_RBE_TABLE, settings->judging_biology.table, n, *input);
  PetscFunctionReturn(0);
}
