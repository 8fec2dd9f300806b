/* Energy layers of a beam: energies that the machine has, a step apart in depth or in energy. */
#include "beam_private.h"
#include <math.h>

/*
 * Spans of layers: half a step to both sides. Where layers are a step apart in energy, the step in depth is that to the neighbour,
 * at the ends that to the only one.
 */
static PetscErrorCode MakeSpans(const Machine *machine, const SpotSpec *spots, const Beam *beam, LayerSpan **out)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(beam->n_layer, out));
  for (PetscInt l = 0; l < beam->n_layer; l++) {
    const double here = machine->r80_mm[beam->energy[l]];
    double before = 0.5 * spots->layer_mm, behind = before;
    if (spots->layer_MeV_u > 0) {
      const double below = l > 0 ? here - machine->r80_mm[beam->energy[l - 1]] : 0;
      const double above = l + 1 < beam->n_layer ? machine->r80_mm[beam->energy[l + 1]] - here : below;
      before = 0.5 * (l > 0 ? below : above);
      behind = 0.5 * above;
    }
    (*out)[l] = (LayerSpan){here - before, here + behind};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LayersChoose(const Machine *machine, const SpotSpec *spots, double shallow_mm, double deep_mm,
                            Beam *beam, LayerSpan **span)
{
  PetscFunctionBegin;
  const PetscBool by_energy = spots->layer_MeV_u > 0 ? PETSC_TRUE : PETSC_FALSE;
  const double *place = by_energy ? machine->energy_MeV_u : machine->r80_mm;
  const double step = by_energy ? spots->layer_MeV_u : spots->layer_mm;
  const double first_mm = shallow_mm - spots->proximal_margin_mm - (by_energy ? 0 : 0.5 * step);
  PetscInt last = machine->n_energy - 1, n = 0, *energy;
  while (last > 0 && machine->r80_mm[last - 1] >= deep_mm + spots->distal_margin_mm) last--;
  PetscCall(PetscMalloc1(machine->n_energy, &energy)); /* descending */
  energy[n++] = last;
  for (PetscInt e = last - 1; e >= 0 && machine->r80_mm[energy[n - 1]] > first_mm; e--) {
    const double wanted = place[last] - n * step;
    PetscBool nearest = e == 0 || fabs(place[e] - wanted) <= fabs(place[e - 1] - wanted) ? PETSC_TRUE : PETSC_FALSE;
    if (nearest && place[e] <= wanted + 0.5 * step) energy[n++] = e;
  }
  beam->n_layer = n;
  PetscCall(PetscMalloc1(n, &beam->energy));
  for (PetscInt l = 0; l < n; l++) beam->energy[l] = energy[n - 1 - l];
  PetscCall(PetscFree(energy));
  PetscCall(MakeSpans(machine, spots, beam, span));
  PetscFunctionReturn(0);
}
