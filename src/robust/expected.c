#include "robion/robust.h"

/* Weighted mean over the scenarios of the set; terms that opt out count in the nominal scenario. */
PetscErrorCode RobustCombine_Expected(const RobustTable *table, double *objective, double *count)
{
  PetscFunctionBegin;
  *objective = 0;
  for (PetscInt t = 0; t < table->n_term; t++)
    for (PetscInt s = 0; s < table->n_slot; s++) {
      double weight = table->term[t].robust ? table->set->scenario[s].weight : (s == SLOT_NOMINAL);
      *objective += weight * table->value[t * table->n_slot + s];
      count[t * table->n_slot + s] = weight;
    }
  PetscFunctionReturn(0);
}
