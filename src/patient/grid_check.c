/* Whether numbers read from a file can be the grid of a patient: damage and wrong units are told before anything is allocated. */
#include "robion/grid.h"
#include "robion/memory.h"
#include <limits.h>

/* Voxels from a hundredth of a millimetre to a metre, within a kilometre of the origin: numbers beyond are damage or another unit. */
static const double LEAST_SPACING_MM = 0.01, MOST_SPACING_MM = 1e3, FARTHEST_MM = 1e6;
/* Along each axis from a millimetre to what no couch holds. */
static const double LEAST_EXTENT_MM = 1, MOST_EXTENT_MM = 4000;

PetscBool GridCheck(const Grid *grid, const char *where, Mistakes *mistakes)
{
  const PetscInt before = mistakes->n;
  double voxels = 1;
  for (int k = 0; k < 3; k++) {
    if (!(grid->spacing_mm[k] >= LEAST_SPACING_MM && grid->spacing_mm[k] <= MOST_SPACING_MM))
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: spacing_mm[%d] is %g, expected a number from %g to %g", where, k,
                        grid->spacing_mm[k], LEAST_SPACING_MM, MOST_SPACING_MM);
    if (!(grid->origin_mm[k] >= -FARTHEST_MM && grid->origin_mm[k] <= FARTHEST_MM))
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: origin_mm[%d] is %g, expected a number from %g to %g", where, k,
                        grid->origin_mm[k], -FARTHEST_MM, FARTHEST_MM);
    voxels *= grid->n[k];
  }
  for (int k = 0; mistakes->n == before && k < 3; k++) {
    const double extent_mm = grid->n[k] * grid->spacing_mm[k];
    if (!(extent_mm >= LEAST_EXTENT_MM && extent_mm <= MOST_EXTENT_MM))
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: is %g mm long along %c, expected %g to %g mm", where, extent_mm,
                        "xyz"[k], LEAST_EXTENT_MM, MOST_EXTENT_MM);
  }
  if (!(voxels >= 1 && voxels <= INT_MAX))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has %d x %d x %d voxels, expected 1 to %d in all", where,
                      (int)grid->n[0], (int)grid->n[1], (int)grid->n[2], INT_MAX);
  return mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool GridFits(const Grid *grid, double bytes_per_voxel, const char *where, Mistakes *mistakes)
{
  const double gib = 1073741824, bytes = bytes_per_voxel * (double)GridSize(grid), have = MemoryOfProcess();
  if (bytes <= have) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: %d x %d x %d voxels take %.3g GiB of memory, there are %.3g GiB",
                    where, (int)grid->n[0], (int)grid->n[1], (int)grid->n[2], bytes / gib, have / gib);
  return PETSC_FALSE;
}
