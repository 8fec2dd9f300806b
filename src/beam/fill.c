/* Beams of given spots: layers are the energies in use; every change of place, or gap between layers, starts a new run. */
#include "beam_private.h"

PetscErrorCode BeamFill(const Machine *machine, PetscInt n, const PlacedSpot *spot, PetscInt first_spot, Beam *beam,
                        PetscInt *spot_of)
{
  PetscFunctionBegin;
  PetscInt *layer_of;
  PetscCall(PetscCalloc1(machine->n_energy, &layer_of));
  for (PetscInt i = 0; i < n; i++) layer_of[spot[i].energy] = 1;
  PetscCall(PetscMalloc1(machine->n_energy, &beam->energy));
  for (PetscInt e = 0; e < machine->n_energy; e++) {
    if (!layer_of[e]) continue;
    layer_of[e] = beam->n_layer;
    beam->energy[beam->n_layer++] = e;
  }
  PetscCall(PetscCalloc1(n, &beam->run));
  beam->first_spot = first_spot;
  beam->n_spot = n;
  for (PetscInt i = 0; i < n; i++) {
    PetscInt layer = layer_of[spot[i].energy];
    SpotRun *run = beam->run + PetscMax(0, beam->n_run - 1);
    PetscBool follows = i > 0 && spot[i].x_mm == spot[i - 1].x_mm && spot[i].y_mm == spot[i - 1].y_mm &&
                                layer == run->first_layer + run->n
                            ? PETSC_TRUE
                            : PETSC_FALSE;
    spot_of[spot[i].entry] = first_spot + i;
    if (follows)
      run->n++;
    else
      beam->run[beam->n_run++] = (SpotRun){spot[i].x_mm, spot[i].y_mm, first_spot + i, layer, 1};
  }
  PetscCall(PetscFree(layer_of));
  PetscFunctionReturn(0);
}

/* The spots of a beam that have particles, in their order. */
static PetscErrorCode SelectFilled(const Beam *beam, const double *weight, PetscInt *n, PlacedSpot **out)
{
  PetscFunctionBegin;
  *n = 0;
  PetscCall(PetscMalloc1(beam->n_spot, out));
  for (PetscInt r = 0; r < beam->n_run; r++) {
    const SpotRun *run = &beam->run[r];
    for (PetscInt i = 0; i < run->n; i++)
      if (weight[run->first_spot + i] > 0)
        (*out)[(*n)++] = (PlacedSpot){run->first_spot + i, beam->energy[run->first_layer + i], run->x_mm, run->y_mm};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetKeepFilled(const BeamSet *beams, const Machine *machine, const double *weight, BeamSet **out,
                                 double **kept)
{
  PetscFunctionBegin;
  PetscInt *spot_of;
  BeamSet *set;
  PetscCall(PetscNew(&set));
  *set = *beams;
  set->n_spot = 0;
  PetscCall(PetscMalloc1(beams->n_beam, &set->beam));
  PetscCall(PetscMalloc1(beams->n_spot, &spot_of));
  PetscCall(PetscCalloc1(beams->n_spot, kept));
  for (PetscInt b = 0; b < beams->n_beam; b++) {
    PlacedSpot *spot;
    PetscInt n;
    set->beam[b] = beams->beam[b];
    set->beam[b].n_layer = set->beam[b].n_run = 0;
    PetscCall(SelectFilled(&beams->beam[b], weight, &n, &spot));
    PetscCall(BeamFill(machine, n, spot, set->n_spot, &set->beam[b], spot_of));
    for (PetscInt i = 0; i < n; i++) (*kept)[spot_of[spot[i].entry]] = weight[spot[i].entry];
    set->n_spot += n;
    PetscCall(PetscFree(spot));
  }
  PetscCall(PetscFree(spot_of));
  *out = set;
  PetscFunctionReturn(0);
}
