/* Objectives of the lowest and the highest quantity of every voxel over the scenarios. */
#include "robion/robust.h"

/*
 * Voxel-wise worst case. On dose: the worst values alone (Pflugfelder et al. 2008). On effect: nominal plan plus
 * importance times the worst values (Yagi et al. 2023, Eq. 13). Constraints are always on the worst values alone.
 */
static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  const PetscBool effect = spec->on_effect && !term->hard ? PETSC_TRUE : PETSC_FALSE;
  if (slot == SLOT_NOMINAL) return effect;
  return slot == set->n + EXTRA_LOW || slot == set->n + EXTRA_HIGH ? effect ? spec->importance : 1 : 0;
}

const RobustModeType robust_voxelwise = {.slot_weight = SlotWeight};
