/* Objectives of the expected quantity of every voxel, and its variance. */
#include "robion/robust.h"

/*
 * The value at the expectation of every voxel's quantity plus importance times the volume mean of the quantity's variance. For
 * `uniform` with importance 1 the same as `expected`: E (q - goal)^2 = (E q - goal)^2 + Var q. Value and variance
 * apart as in matRad; the quadratic variance term is that of Bangert et al., PMB 58:5401, 2013.
 */
static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  if (slot == set->n + EXTRA_EXPECTED) return 1;
  return slot == set->n + EXTRA_VARIANCE ? spec->importance : 0;
}

const RobustModeType robust_probabilistic = {.slot_weight = SlotWeight};
