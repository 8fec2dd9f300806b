/* Doses of a slice of the scenarios at the voxels dealt to the ranks, and their way to the ranks that analyse them. */
#pragma once
#include "robion/doses.h"

/* What the doses of all voxels are computed from. */
typedef struct DoseSource {
  PetscInt n_stage;
  DoseModel model[STAGES_MOST];
  Factored factored[STAGES_MOST]; /* NULL for a model of sub-beams */
  const double *weight;
  double floor_Gy[STAGES_MOST]; /* less is noise */
  const Course *course;         /* NULL: a single stage */
  const Tissues *tissues;
  const ScenarioSet *set;
  const Grid *grid;
} DoseSource;

typedef struct LocalDoses {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  DoseSource source;
  PetscInt n_all; /* voxels of all ranks */
  const PetscInt *all;
  PetscInt n;      /* this rank's */
  PetscInt *voxel; /* grid index of each, block after block */
  PetscInt n_depths;
  Depths *depths;             /* [block][stage] */
  PetscInt most;              /* scenarios of a slice: memory does not grow with their number */
  PetscInt first, n_scenario; /* the slice that `value` holds */
  float *value;               /* [((scenario - first) * N_COMPUTED_KINDS + kind) * n + local voxel] */
  float *received;            /* [N_COMPUTED_KINDS * n_all] room for one scenario of all ranks */
} LocalDoses;

/* Deal the n voxels to the ranks and make the operators of their doses. Collective. */
PetscErrorCode LocalDosesCreate(MPI_Comm comm, DoseModel model, const Course *course, const Tissues *tissues,
                                const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                                const double *weight, LocalDoses *local);
PetscErrorCode LocalDosesDestroy(LocalDoses *local);

/* Compute this rank's share of the scenarios from `first` on, as many as a slice has. Collective. */
PetscErrorCode LocalDosesCompute(LocalDoses *local, PetscInt first);

/* A scenario's value of a kind at this rank's voxels; the scenario is one of the slice. */
static inline const float *LocalDosesOf(const LocalDoses *local, PetscInt scenario, DoseKind kind)
{
  return local->value + ((size_t)(scenario - local->first) * N_COMPUTED_KINDS + (size_t)kind) * (size_t)local->n;
}

/*
 * Deliver the scenarios first, first + 1 ... one to each rank, as far as the slice has any: rank r gets the computed kinds of
 * scenario first + r at all voxels of all ranks. Other voxels of dose[kind] are left as they are. Collective.
 */
PetscErrorCode LocalDosesDeliver(const LocalDoses *local, PetscInt first, float *const dose[N_DOSE_KINDS]);

/* Value at the voxels of all ranks, 0 elsewhere on the grid of that size, on every rank. Collective. */
PetscErrorCode LocalDosesGather(const LocalDoses *local, const float *value, size_t size, float *cube);
