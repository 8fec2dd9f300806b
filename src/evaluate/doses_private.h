/* Doses of all scenarios at the voxels dealt to the ranks, and their way to the ranks that analyse them. */
#pragma once
#include "robion/doses.h"

typedef struct LocalDoses {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  PetscInt n_scenario;
  PetscInt n_all; /* voxels of all ranks */
  const PetscInt *all;
  PetscInt n;      /* this rank's */
  PetscInt *voxel; /* grid index of each */
  float *value;    /* [(scenario * N_COMPUTED_KINDS + kind) * n + local voxel] */
  float *received; /* [N_COMPUTED_KINDS * n_all] room for one scenario of all ranks */
} LocalDoses;

/* Compute this rank's share of the n voxels. Collective. */
PetscErrorCode LocalDosesCreate(MPI_Comm comm, DoseModel model, const Course *course, const Tissues *tissues,
                                const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                                const double *weight, LocalDoses *local);
PetscErrorCode LocalDosesDestroy(LocalDoses *local);

/* One scenario's value of a kind at this rank's voxels. */
static inline const float *LocalDosesOf(const LocalDoses *local, PetscInt scenario, DoseKind kind)
{
  return local->value + ((size_t)scenario * N_COMPUTED_KINDS + (size_t)kind) * (size_t)local->n;
}

/*
 * Deliver the scenarios first, first + 1 ... one to each rank, as far as there are any: rank r gets the computed kinds of
 * scenario first + r at all voxels of all ranks. Other voxels of dose[kind] are left as they are. Collective.
 */
PetscErrorCode LocalDosesDeliver(const LocalDoses *local, PetscInt first, float *const dose[N_DOSE_KINDS]);

/* Value at the voxels of all ranks, 0 elsewhere on the grid of that size, on every rank. Collective. */
PetscErrorCode LocalDosesGather(const LocalDoses *local, const float *value, size_t size, float *cube);
