#include "robion/robust.h"

static const RobustCombine combine[] = {[ROBUST_NONE] = RobustCombine_None,
                                        [ROBUST_EXPECTED] = RobustCombine_Expected,
                                        [ROBUST_COMPOSITE] = RobustCombine_Composite,
                                        [ROBUST_VOXELWISE] = RobustCombine_Voxelwise};

RobustCombine RobustCombineOf(RobustMode mode)
{
  return combine[mode];
}

PetscInt RobustSlots(const RobustSpec *spec, const ScenarioSet *set)
{
  return spec->mode == ROBUST_VOXELWISE ? 2 : set->n;
}
