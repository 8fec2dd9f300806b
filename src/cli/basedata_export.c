/* robion basedata export: base data for other programs. */
#include "basedata.h"
#include "robion/format.h"
#include <string.h>

PetscErrorCode BaseDataExport(const Arguments *arguments, const char *usage, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *m = NULL;
  const char *operand[2] = {NULL, NULL}, *cell_line = NULL;
  const Option option[] = {{.name = "--cell-line", .value = &cell_line}};
  PetscCall(ParseArguments(arguments, 1, option, 2, 2, usage, operand, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  const FileFormat *format = FormatOfFile(operand[1], FORMAT_WRITE_MACHINE);
  BiologySpec rbe;
  if (cell_line && !strcmp(format->name, "matrad"))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--cell-line is for folders of TRiP98's files only"));
  PetscCall(BaseDataBiologySpec("lem1", cell_line, mistakes, &rbe)); /* before anything is written */
  if (!MistakesAny(mistakes)) PetscCall(MachineRead(operand[0], mistakes, &m));
  if (m) PetscCall((*format->write_machine)(m, &rbe, operand[1], mistakes));
  if (m && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_SELF, "%s: %s, %d energies, %g to %g MeV/u\n", operand[1], m->name,
                          (int)m->n_energy, m->energy_MeV_u[0], m->energy_MeV_u[m->n_energy - 1]));
  PetscCall(MachineDestroy(&m));
  PetscFunctionReturn(0);
}
