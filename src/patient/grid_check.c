#include "robion/grid.h"
#include <limits.h>

/* Voxels from a hundredth of a millimetre to a metre, within a kilometre of the origin: numbers beyond are damage or another unit. */
static const double LEAST_SPACING_MM = 0.01, MOST_SPACING_MM = 1e3, FARTHEST_MM = 1e6;

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
  if (!(voxels >= 1 && voxels <= INT_MAX))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: has %d x %d x %d voxels, expected 1 to %d in all", where,
                      (int)grid->n[0], (int)grid->n[1], (int)grid->n[2], INT_MAX);
  return mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
}
