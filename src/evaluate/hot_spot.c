/* The hottest place outside of all targets: how hot, where, and how far from each structure. */
#include "metrics_private.h"
#include <math.h>

const char *const hot_spot_place_names[3] = {"hot_spot_x", "hot_spot_y", "hot_spot_z"};

static PetscInt HottestVoxel(const Region *region, const float *dose)
{
  PetscInt hottest = region->voxel[0];
  for (PetscInt i = 1; i < region->n; i++)
    if (dose[region->voxel[i]] > dose[hottest]) hottest = region->voxel[i];
  return hottest;
}

/* From a point to the nearest voxel, to its walls: 0 inside of one. */
static double Distance_mm(const Region *region, const Grid *grid, const double point_mm[3])
{
  double nearest2 = INFINITY;
  for (PetscInt i = 0; i < region->n; i++) {
    double centre_mm[3], sum = 0;
    GridCentre(grid, (size_t)region->voxel[i], centre_mm);
    for (int k = 0; k < 3; k++) {
      const double beyond = PetscMax(0, fabs(point_mm[k] - centre_mm[k]) - 0.5 * grid->spacing_mm[k]);
      sum += beyond * beyond;
    }
    nearest2 = PetscMin(nearest2, sum);
  }
  return sqrt(nearest2);
}

PetscErrorCode MetricsOfHotSpot(const Region *outside, PetscInt n_region, const Region *region, const Grid *grid,
                                const float *const dose[QUANTITIES_MOST], MetricList *list)
{
  PetscFunctionBegin;
  for (Quantity q = 0; q < n_quantities; q++) {
    double place_mm[3];
    DVH dvh;
    if (!QuantityIsDose(q) || !dose[q]) continue;
    PetscCall(DVHCreate(outside, grid, dose[q], &dvh));
    PetscCall(MetricAppend(list, outside->name, q, "D0.03cc", quantities[q].unit,
                           DVHDoseAtVolume_cm3(&dvh, NEAR_MAXIMUM_cm3)));
    PetscCall(DVHDestroy(&dvh));
    GridCentre(grid, (size_t)HottestVoxel(outside, dose[q]), place_mm);
    for (int k = 0; k < 3; k++)
      PetscCall(MetricAppend(list, outside->name, q, hot_spot_place_names[k], "mm", place_mm[k]));
    for (PetscInt r = 0; r < n_region; r++)
      if (region[r].role != ROLE_EXTERNAL)
        PetscCall(
            MetricAppend(list, region[r].name, q, HOT_SPOT_DISTANCE, "mm", Distance_mm(&region[r], grid, place_mm)));
  }
  PetscFunctionReturn(0);
}
