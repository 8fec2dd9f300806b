/* No robustness: the nominal scenario. */
#include "robion/robust.h"

static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  return slot == SLOT_NOMINAL;
}

const RobustModeType robust_none = {.slot_weight = SlotWeight};
