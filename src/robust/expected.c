/* Expectation: the mean of F_s over the set by probability. */
#include "robion/robust.h"

static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  return slot < set->n ? set->scenario[slot].weight : 0;
}

const RobustModeType robust_expected = {.slot_weight = SlotWeight};
