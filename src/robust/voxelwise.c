#include "robion/robust.h"

/*
 * Voxel-wise worst case. On dose: the worst values alone (Pflugfelder et al. 2008). On effect: nominal plan plus
 * importance times the worst values (Yagi et al. 2023, Eq. 13).
 */
PetscErrorCode RobustCombine_Voxelwise(const RobustTable *table, double *objective, double *count)
{
  PetscFunctionBegin;
  *objective = 0;
  for (PetscInt t = 0; t < table->n_term; t++) {
    const double *value = table->value + t * table->n_slot;
    double *c = count + t * table->n_slot;
    c[SLOT_NOMINAL] = !table->term[t].robust || table->spec->on_effect;
    c[SLOT_WORST] = !table->term[t].robust ? 0 : table->spec->on_effect ? table->spec->importance : 1;
    *objective += c[SLOT_NOMINAL] * value[SLOT_NOMINAL] + c[SLOT_WORST] * value[SLOT_WORST];
  }
  PetscFunctionReturn(0);
}

void RobustExtremes(PetscInt n, const double *value, PetscInt *lowest, PetscInt *highest)
{
  *lowest = *highest = 0;
  for (PetscInt s = 1; s < n; s++) {
    if (value[s] < value[*lowest]) *lowest = s;
    if (value[s] > value[*highest]) *highest = s;
  }
}

double RobustVoxelWorst(const RobustSpec *spec, const Term *term, double low, double high, double *slope_low,
                        double *slope_high)
{
  const ObjectiveType *type = term->type;
  PetscBool both = spec->on_effect && type == &objective_uniform ? PETSC_TRUE : PETSC_FALSE;
  ObjectiveKernel high_kernel = both ? type->voxel : type->worst_high,
                  low_kernel = both ? type->voxel : type->worst_low;
  double value = 0;
  *slope_low = *slope_high = 0;
  if (high_kernel) value += high_kernel(high, term->goal, slope_high);
  if (low_kernel) value += low_kernel(low, term->goal, slope_low);
  return value;
}
