/* Doses of a slice of the scenarios at the voxels dealt to the ranks, and their way to the ranks that analyse them. */
#pragma once
#include "robion/doses.h"
#include "robion/optimize.h"

/* How voxels of a list are dealt to ranks: block after block. */
static inline PetscInt VoxelBlock(PetscInt n, PetscInt at)
{
  return PetscMin(BLOCK_VOXELS, n - at);
}
/* Value at the voxels of all ranks, of which each has one owner, 0 elsewhere on the grid of that size, on every rank. Collective. */
PetscErrorCode VoxelsGather(MPI_Comm comm, PetscInt n, const PetscInt *voxel, const float *value, size_t size,
                            float *cube);

/* Of the time that a scenario takes with its metrics: computing its doses. About, for telling how much is left. */
#define COMPUTING_SHARE 0.7

/* The operators that the doses of all voxels are computed with. */
typedef struct DoseSource {
  PetscInt n_stage;
  DoseModel model[STAGES_MOST];
  Factored factored[STAGES_MOST]; /* NULL for a model of sub-beams */
  Factored high_let
      [STAGES_MOST]; /* with the tables of the LET threshold, apart so that these change no other dose; NULL: without */
  double floor_Gy[STAGES_MOST]; /* less is noise */
} DoseSource;

typedef struct LocalDoses {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  const DoseSpec *spec; /* with the voxels of all ranks */
  DoseSource source;
  PetscInt n;      /* this rank's voxels */
  PetscInt *voxel; /* grid index of each, block after block */
  PetscInt n_depths;
  Depths *depths;             /* [block][stage] */
  PetscInt most;              /* scenarios of a slice: memory does not grow with their number */
  PetscInt first, n_scenario; /* the slice that `value` holds */
  PetscInt n_computed;
  Quantity computed[QUANTITIES_MOST];
  float *value;    /* [((scenario - first) * n_computed + k) * n + local voxel], k of the quantity computed[k] */
  float *received; /* [n_computed * spec->n] room for one scenario of all ranks */
} LocalDoses;

/* Deal the voxels to the ranks and make the operators of their doses; the spec must outlive it. Collective. */
PetscErrorCode LocalDosesCreate(MPI_Comm comm, const DoseSpec *spec, LocalDoses *local);
PetscErrorCode LocalDosesDestroy(LocalDoses *local);

/* The operators take the weights of the spec anew, which have changed since. Collective. */
PetscErrorCode LocalDosesWeigh(LocalDoses *local);

/* Compute this rank's share of the scenarios from `first` on, as many as a slice has. Collective. */
PetscErrorCode LocalDosesCompute(LocalDoses *local, PetscInt first);

/* A scenario's values of a computed quantity at this rank's voxels; the scenario is one of the slice. */
static inline const float *LocalDosesOf(const LocalDoses *local, PetscInt scenario, Quantity quantity)
{
  size_t k = 0;
  while (local->computed[k] != quantity) k++;
  return local->value + ((size_t)((scenario - local->first) * local->n_computed) + k) * (size_t)local->n;
}

/*
 * Deliver the scenarios first, first + 1 ... one to each rank, as far as the slice has any: rank r gets what is computed of
 * scenario first + r at all voxels of all ranks. Other voxels of dose[Quantity] are left as they are. Collective.
 */
PetscErrorCode LocalDosesDeliver(const LocalDoses *local, PetscInt first, float *const dose[QUANTITIES_MOST]);

/* Value at the voxels of all ranks, 0 elsewhere on the grid of that size, on every rank. Collective. */
PetscErrorCode LocalDosesGather(const LocalDoses *local, const float *value, size_t size, float *cube);
