#include "robion/robust.h"

/* Nominal scenario only. */
PetscErrorCode RobustCombine_None(const RobustTable *table, double *objective, double *count)
{
  PetscFunctionBegin;
  *objective = 0;
  PetscCall(PetscArrayzero(count, table->n_term * table->n_slot));
  for (PetscInt t = 0; t < table->n_term; t++) {
    *objective += table->value[t * table->n_slot + SLOT_NOMINAL];
    count[t * table->n_slot + SLOT_NOMINAL] = 1;
  }
  PetscFunctionReturn(0);
}
