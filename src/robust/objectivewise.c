/* Worst scenario of each objective by itself: sum_t max_s F_ts. */
#include "robion/robust.h"

/* The worst scenario of every objective by itself. */
static double Cap(double fraction, const Scenario *scenario)
{
  return 1;
}

const RobustModeType robust_objectivewise = {.cap = Cap, .own_group = PETSC_TRUE};
