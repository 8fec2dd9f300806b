/**
 * Gamma index: whether one dose distribution agrees with another within a dose difference or within a distance.
 *
 * For each voxel centre r of the reference, with dose D_ref(r), the evaluated dose D is searched for the point that is nearest
 * in space and dose (Low et al., Med Phys 25:656, 1998):
 *     gamma(r) = min over r' of sqrt(|r' - r|^2 / dd^2 + (D(r') - D_ref(r))^2 / dD^2),     passed where gamma <= 1
 * dD is a percentage of D_ref(r) (local) or of the highest reference dose (global). A measured or independently computed
 * dose is the reference, the dose to be judged is evaluated; exchanging them changes gamma.
 *
 * Between voxel centres D is linear in six tetrahedra per cell of the evaluated grid, and the minimum over each is exact: it is
 * the distance of a point from a simplex in space and dose (Ju et al., Med Phys 35:879, 2008). No step width enters.
 */
#pragma once
#include "robion/error.h"
#include "robion/grid.h"

/** In a gamma volume: this voxel was not compared. */
#define GAMMA_NONE (-1.0f)

typedef struct GammaSpec {
  double dose_percent;      /* dose difference, above 0 */
  double distance_mm;       /* distance to agreement, above 0 */
  double threshold_percent; /* reference doses below this percentage of the highest are left out; at least 0 */
  PetscBool local;          /* dose_percent of the voxel's own reference dose; else of the highest reference dose */
  double
      largest; /* points up to largest * distance_mm away are searched: gamma from here on is told as this; at least 1 */
} GammaSpec;

/** 3 % of the highest dose, 2 mm, threshold 10 % (AAPM TG-218: Miften et al., Med Phys 45:e53, 2018), searched up to gamma 2. */
void GammaSpecDefault(GammaSpec *spec);

typedef struct GammaResult {
  float *gamma;             /* [GridSize(reference grid)], GAMMA_NONE where not compared */
  double reference_maximum; /* highest reference dose, its unit */
  PetscInt n_compared, n_passed;
  PetscInt n_outside; /* above the threshold, but outside the voxel centres of the evaluated grid: not compared */
  double pass_percent, mean, highest; /* of the voxels compared; 0 if there are none */
} GammaResult;

/**
 * Gamma of every reference voxel with a dose above 0 that reaches the threshold. Both doses are arrays on grids of their own
 * (z, y, x order), in the same unit, finite, the same on every rank; the grids may differ in place, spacing and size. Voxels are
 * dealt to ranks, every rank gets the whole result, its bits do not depend on their number. Collective on comm.
 */
PetscErrorCode GammaAnalyse(MPI_Comm comm, const GammaSpec *spec, const Grid *reference_grid, const float *reference,
                            const Grid *evaluated_grid, const float *evaluated, GammaResult *out);
PetscErrorCode GammaResultDestroy(GammaResult *result);
