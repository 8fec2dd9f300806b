/* Doses of single beams: the plan's operators at the weights of one beam after the other. */
#include "doses_private.h"

const char *const beam_doses_names[] = {"none", "physical"};
const PetscInt n_beam_doses_names = PETSC_STATIC_ARRAY_LENGTH(beam_doses_names);

PetscErrorCode BeamDosesCreate(MPI_Comm comm, const DoseSpec *spec, const BeamSet *beams, float ***out)
{
  PetscFunctionBegin;
  const size_t size = GridSize(spec->grid);
  DoseSpec alone = *spec;
  LocalDoses local;
  double *weight;
  PetscCall(PetscCalloc1(beams->n_spot, &weight));
  PetscCall(PetscCalloc1(beams->n_beam, out));
  alone.weight = weight;
  PetscCall(LocalDosesCreate(comm, &alone, &local));
  local.most = 1;
  for (PetscInt b = 0; b < beams->n_beam; b++) {
    const Beam *beam = &beams->beam[b];
    PetscCall(PetscArrayzero(weight, beams->n_spot));
    PetscCall(PetscArraycpy(weight + beam->first_spot, spec->weight + beam->first_spot, beam->n_spot));
    PetscCall(LocalDosesWeigh(&local));
    PetscCall(LocalDosesCompute(&local, 0));
    PetscCall(PetscMalloc1(size, &(*out)[b]));
    PetscCall(LocalDosesGather(&local, LocalDosesOf(&local, 0, QUANTITY_PHYSICAL), size, (*out)[b]));
  }
  PetscCall(LocalDosesDestroy(&local));
  PetscCall(PetscFree(weight));
  PetscFunctionReturn(0);
}

PetscErrorCode BeamDosesDestroy(PetscInt n_beam, float ***doses)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; *doses && b < n_beam; b++) PetscCall(PetscFree((*doses)[b]));
  PetscCall(PetscFree(*doses));
  PetscFunctionReturn(0);
}
