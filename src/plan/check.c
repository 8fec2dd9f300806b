/* What a study and its case tell of a plan before there are base data: for whoever wants to know all mistakes at once. */
#include "plan_private.h"
#include "robion/ion.h"

/* Nothing of the beam is left behind a range shifter thicker than the highest energy's range; of base data in a file the plan tells. */
static PetscErrorCode CheckRangeShifters(const Settings *settings, const BeamSetSpec *beams, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const MachineSpec *machine = &settings->machine;
  Species ion;
  if (settings->base_data || beams->from_case || !SpeciesFind(machine->ion, &ion)) PetscFunctionReturn(0);
  const double range_mm = CSDARange_mm(ion.Z, ion.A, machine->energy_max_MeV_u);
  for (PetscInt b = 0; b < beams->n; b++)
    if (beams->beam[b].range_shifter.thickness_mm >= range_mm)
      PetscCall(
          MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: beam %d: range_shifter.thickness_mm is %g, expected less than %.1f, the range of %s at "
                      "%g MeV/u (machine.energy_max_MeV_u)",
                      beams->where, (int)b, beams->beam[b].range_shifter.thickness_mm, range_mm, machine->ion,
                      machine->energy_max_MeV_u));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCheckSettings(const Settings *settings, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n;
  Settings own = *settings;
  PetscCall(PlanSetAxes(patient, &own));
  PetscCall(PlanCheckScenarios(&own, mistakes));
  if (mistakes->n == before) PetscCall(PlanCheckActivitySettings(&own, mistakes));
  PetscCall(PlanDropAxes(&own));
  PetscCall(BeamSetCheckPlace(&settings->beams, patient, mistakes));
  PetscCall(CheckRangeShifters(settings, &settings->beams, mistakes));
  for (PetscInt k = 0; k < settings->course.n_stages; k++) {
    const StageSpec *stage = &settings->course.stages[k];
    const BeamSetSpec beams = {.n = stage->n_beams, .beam = stage->beams, .where = stage->where};
    PetscCall(BeamSetCheckPlace(&beams, patient, mistakes));
    PetscCall(CheckRangeShifters(settings, &beams, mistakes));
  }
  PetscFunctionReturn(0);
}
