#include "robion/robust.h"

/* The worst scenario of the total. */
static double Cap(const RobustSpec *spec, const Scenario *scenario)
{
  return 1;
}

const RobustModeType robust_composite = {.cap = Cap};
