/* robion basedata export: base data for other programs. */
#include "basedata.h"
#include "robion/format.h"
#include <string.h>

static struct {
  const char *cell_line;
} given;

const Option basedata_export_options[N_EXPORT_OPTIONS] = {
    {"--cell-line", "CELLS", "cells of the .rbe file, of TRiP98's folders", "LEM I's own", .value = &given.cell_line}};

PetscErrorCode BaseDataExport(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *m = NULL;
  const char *operand[2];
  PetscCall(ArgumentsParse(arguments, &verb_basedata, command, operand, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const FileFormat *format = FormatOfFile(operand[1], FORMAT_WRITE_MACHINE);
  BiologySpec rbe;
  if (given.cell_line && !strcmp(format->name, "matrad"))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--cell-line is for folders of TRiP98's files only"));
  PetscCall(BaseDataBiologySpec("lem1", given.cell_line, mistakes, &rbe)); /* before anything is written */
  if (!MistakesAny(mistakes)) PetscCall(MachineRead(operand[0], mistakes, &m));
  if (m) PetscCall((*format->write_machine)(m, &rbe, operand[1], mistakes));
  if (m && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%s: %s, %d energies, %g to %g MeV/u\n", operand[1], m->name,
                          (int)m->n_energy, m->energy_MeV_u[0], m->energy_MeV_u[m->n_energy - 1]));
  PetscCall(MachineDestroy(&m));
  PetscFunctionReturn(0);
}
