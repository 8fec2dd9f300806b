/*
 * Mean of the worst fraction of scenarios by probability, the conditional value at risk, in its dual form (Rockafellar and
 * Uryasev, J Risk 2:21, 2000): of the sum of all such objectives, or as `percentile` of each by itself at a level of its own. It is the lowest
 * convex bound of the quantile: an objective whose worst 5 % of scenarios cost no more than v on average costs no more than v in 95 %.
 */
#include "robion/robust.h"

static double Cap(double fraction, const Scenario *scenario)
{
  return scenario->weight / fraction;
}

const RobustModeType robust_cvar = {.cap = Cap};
const RobustModeType robust_percentile = {.cap = Cap, .own_group = PETSC_TRUE};
