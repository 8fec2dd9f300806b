#include "robion/robust.h"

/* Weighted mean of the values over the scenarios of the set. */
static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  return slot < set->n ? set->scenario[slot].weight : 0;
}

const RobustModeType robust_expected = {.slot_weight = SlotWeight};
