/* Worst scenario of the total: max_s F_s, every scenario may have all the weight. */
#include "robion/robust.h"

static double Cap(double fraction, const Scenario *scenario)
{
  return 1;
}

const RobustModeType robust_composite = {.cap = Cap};
