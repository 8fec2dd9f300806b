/**
 * Biological maps of a case, and how they come onto other grids. Part of step 2.
 *
 * A map is either a count per voxel (clonogens: what a voxel holds is spread evenly over it, and the sum stays the same on any
 * grid) or a local value (a diffusion coefficient: the mean over the volume).
 */
#pragma once
#include "robion/adc.h"
#include "robion/case.h"

/** Names and units of the maps robion makes itself. */
#define MAP_CLONOGENS "clonogens"      /* number per voxel */
#define MAP_CLONOGENS_UNIT "per voxel" /* every map with this unit is a count */
#define MAP_RMSE "adc_rmse"            /* misfit of the measured diffusion, um2/ms */
#define MAP_RMSE_UNIT "um2/ms"

/** Index of a map by exact name, or -1. */
PetscInt CaseFindMap(const Case *patient, const char *name);

/** Add a map, or replace the one of that name. `value` (CT grid, PetscMalloc'ed) is owned by the case from now on. */
PetscErrorCode CaseAddMap(Case *patient, const char *name, const char *unit, float *value);

/**
 * Counts per voxel of one grid as counts per voxel of another, by the exact overlap of the voxels: the sum stays but for what
 * lies outside `to`. count: [voxels of from], out: [voxels of to], PetscMalloc'ed. Not collective.
 */
PetscErrorCode GridResampleCounts(const Grid *from, const double *count, const Grid *to, double **out);

/**
 * Volume means, over those voxels of `from` that have mask 1 (NULL: all); 0 where `to` has none of them. Not collective.
 */
PetscErrorCode GridResampleMeans(const Grid *from, const double *value, const unsigned char *mask, const Grid *to,
                                 double **out);

extern const char *const cell_case_names[N_CELL_CASES]; /* "nominal", "best", "worst" */

/**
 * A map of counts as clonogens per mm3 of the volume that has any, on another grid; 0 where there are none. How many count follows
 * from the misfit of the diffusion (MAP_RMSE; without that map: all), sigma being its standard deviation over the voxels with
 * clonogens. PetscMalloc'ed. Not collective.
 */
PetscErrorCode CaseClonogens(const Case *patient, PetscInt map, CellCase which, const Grid *grid, double **per_mm3);

/** A map of the case on another grid, as its unit says: counts, or means over what is not exactly 0. */
PetscErrorCode CaseMapToGrid(const Case *patient, PetscInt map, const Grid *grid, double **out);

/**
 * HU of the case on another grid, for pictures: the mean over eight places of each voxel, of the CT's nearest voxel there; -1000 beyond the
 * CT. PetscMalloc'ed. Not collective.
 */
PetscErrorCode CaseHUToGrid(const Case *patient, const Grid *grid, short **hu);
