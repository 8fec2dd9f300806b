/*
 * Mean of the worst fraction of scenarios by probability, the conditional value at risk, in its dual form (Rockafellar and
 * Uryasev, J Risk 2:21, 2000).
 */
#include "robion/robust.h"

static double Cap(const RobustSpec *spec, const Scenario *scenario)
{
  return scenario->weight / spec->worst_fraction;
}

const RobustModeType robust_cvar = {.cap = Cap};
