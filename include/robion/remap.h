/**
 * Histograms brought onto other bins. Part of step 3. Nothing is collective.
 */
#pragma once
#include <petscsys.h>

/** A conservative linear map between two histograms; rows are source bins. */
typedef struct Remap {
  PetscInt n_row;
  PetscInt *start; /* n_row + 1 */
  PetscInt *target;
  double *weight; /* sums to 1 over a row */
} Remap;

/**
 * Share every source bin over uniform target bins of width `step` by overlap. edge: n_row + 1, ascending, in the target's
 * coordinate; what lies beyond the last target bin goes into it.
 */
PetscErrorCode RemapOverlap(PetscInt n_row, const double *edge, PetscInt n_target, double step, Remap *map);
/**
 * Share the energy interval between successive edges over logarithmic energy bins. Interval pieces are split between the
 * two nearest bin centres so that ln(E) is kept on average: sums over bin centres are then second-order accurate.
 */
PetscErrorCode RemapSpectrum(PetscInt n_row, const double *edge_MeV_u, PetscInt n_bin, const double *bin_edge_MeV_u,
                             Remap *map);
PetscErrorCode RemapDestroy(Remap *map);
