#include "robion/robust.h"
#include <math.h>

PetscErrorCode RobustScenarioTotals(const RobustTable *table, double *total)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < table->n_slot; s++) {
    total[s] = 0;
    for (PetscInt t = 0; t < table->n_term; t++)
      if (table->term[t].robust) total[s] += table->value[t * table->n_slot + s];
  }
  PetscFunctionReturn(0);
}

/*
 * Smooth maximum over scenarios of the total of the robust terms, by exponential multipliers:
 * mu log sum_s lambda_s exp(F_s / mu), whose gradient is sum_s w_s grad F_s with the softmax weights w_s.
 */
PetscErrorCode RobustCombine_Composite(const RobustTable *table, double *objective, double *count)
{
  PetscFunctionBegin;
  const SmoothMax *smooth = table->smooth;
  const PetscInt n = table->n_slot;
  double *total, highest = -INFINITY, sum = 0;
  PetscCall(PetscMalloc1(n, &total));
  PetscCall(RobustScenarioTotals(table, total));
  for (PetscInt s = 0; s < n; s++)
    if (smooth->multiplier[s] > 0) highest = PetscMax(highest, total[s]);
  for (PetscInt s = 0; s < n; s++) {
    total[s] = smooth->multiplier[s] > 0 ? smooth->multiplier[s] * exp((total[s] - highest) / smooth->mu) : 0;
    sum += total[s];
  }
  *objective = highest + smooth->mu * log(sum);
  for (PetscInt t = 0; t < table->n_term; t++) {
    if (!table->term[t].robust) *objective += table->value[t * n + SLOT_NOMINAL];
    for (PetscInt s = 0; s < n; s++) count[t * n + s] = table->term[t].robust ? total[s] / sum : (s == SLOT_NOMINAL);
  }
  PetscCall(PetscFree(total));
  PetscFunctionReturn(0);
}
