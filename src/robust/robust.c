/* The table of robust modes, and how a table of values becomes one number with its gradient. */
#include "robion/robust.h"
#include "robust_private.h"

static const RobustModeType *const mode_type[] = {[ROBUST_NONE] = &robust_none,
                                                  [ROBUST_EXPECTED] = &robust_expected,
                                                  [ROBUST_COMPOSITE] = &robust_composite,
                                                  [ROBUST_VOXELWISE] = &robust_voxelwise,
                                                  [ROBUST_CVAR] = &robust_cvar,
                                                  [ROBUST_OBJECTIVEWISE] = &robust_objectivewise,
                                                  [ROBUST_PROBABILISTIC] = &robust_probabilistic,
                                                  [ROBUST_PERCENTILE] = &robust_percentile};

const RobustModeType *RobustModeFind(RobustMode mode)
{
  return mode_type[mode];
}

const ObjectiveType *RobustSlotType(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  /* Yagi's Eq. 15 has the squared deviation of both extremes, no step functions. */
  const PetscBool both = spec->on_effect && term->type == &objective_uniform ? PETSC_TRUE : PETSC_FALSE;
  switch (slot - set->n) {
  case EXTRA_LOW:
    return both ? term->type : term->type->worst_low;
  case EXTRA_HIGH:
    return both ? term->type : term->type->worst_high;
  case EXTRA_VARIANCE:
    return &objective_mean_linear; /* the mean of the variance over the structure */
  default:
    return term->type;
  }
}

/* What a slot counts with in a mode of fixed weights. */
static double SlotWeight(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  if (!RobustSlotType(spec, term, set, slot)) return 0;
  return (*RobustModeFind(term->mode)->slot_weight)(spec, term, set, slot);
}

PetscBool RobustUsesSlot(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot)
{
  const RobustModeType *type = RobustModeFind(term->mode);
  const PetscBool row = slot < set->n ? PETSC_TRUE : PETSC_FALSE;
  if (!type->slot_weight)
    return row && (*type->cap)(spec->worst_fraction, &set->scenario[slot]) > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (SlotWeight(spec, term, set, slot) != 0) return PETSC_TRUE;
  if (!row) return PETSC_FALSE;
  if (SlotWeight(spec, term, set, set->n + EXTRA_LOW) != 0 || SlotWeight(spec, term, set, set->n + EXTRA_HIGH) != 0)
    return PETSC_TRUE;
  const PetscBool mean = SlotWeight(spec, term, set, set->n + EXTRA_EXPECTED) != 0 ? PETSC_TRUE : PETSC_FALSE;
  return mean && set->scenario[slot].weight > 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* One group: the weights of its rows, and the smooth maximum of its totals. */
static PetscErrorCode CombineGroup(const RobustTable *table, PetscInt g, const double *total, double *lambda,
                                   double *value)
{
  PetscFunctionBegin;
  const PetscInt n = table->set->n;
  double *cap;
  PetscCall(PetscMalloc1(n, &cap));
  RobustCaps(table, g, cap);
  *value = RobustSmoothMax(n, total, cap, table->smooth->mu[g], table->smooth->multiplier + g * n, lambda);
  PetscCall(PetscFree(cap));
  PetscFunctionReturn(0);
}

void RobustCaps(const RobustTable *table, PetscInt g, double *cap)
{
  const RobustModeType *type = RobustModeFind(table->groups->mode[g]);
  const double own = table->groups->fraction[g], fraction = own > 0 ? own : table->spec->worst_fraction;
  for (PetscInt s = 0; s < table->set->n; s++) cap[s] = (*type->cap)(fraction, &table->set->scenario[s]);
}

/* Sum of all terms with fixed weights. */
static double FixedPart(const RobustTable *table, double *count)
{
  const PetscInt n_slot = RobustSlots(table->set);
  double sum = 0;
  for (PetscInt t = 0; t < table->n_term; t++)
    for (PetscInt k = 0; k < n_slot; k++) {
      double weight = table->groups->of_term[t] < 0 ? SlotWeight(table->spec, &table->term[t], table->set, k) : 0;
      if (weight != 0) sum += weight * table->value[t * n_slot + k];
      if (count) count[t * n_slot + k] = weight;
    }
  return sum;
}

PetscErrorCode RobustCombine(const RobustTable *table, double *objective, double *count, double *lambda)
{
  PetscFunctionBegin;
  const PetscInt n = table->set->n, n_slot = RobustSlots(table->set);
  double *total;
  *objective = FixedPart(table, count);
  PetscCall(PetscMalloc1(table->groups->n * n, &total));
  PetscCall(RobustTotals(table, total));
  for (PetscInt g = 0; g < table->groups->n; g++) {
    double value;
    PetscCall(CombineGroup(table, g, total + g * n, lambda + g * n, &value));
    *objective += value;
  }
  for (PetscInt t = 0; t < table->n_term; t++)
    for (PetscInt s = 0; s < n && table->groups->of_term[t] >= 0; s++)
      count[t * n_slot + s] = lambda[table->groups->of_term[t] * n + s];
  PetscCall(PetscFree(total));
  PetscFunctionReturn(0);
}

PetscErrorCode RobustTrueObjective(const RobustTable *table, double *objective, PetscInt *worst)
{
  PetscFunctionBegin;
  const PetscInt n = table->set->n;
  double *total, *cap;
  *objective = FixedPart(table, NULL);
  *worst = -1;
  PetscCall(PetscMalloc2(table->groups->n * n, &total, n, &cap));
  PetscCall(RobustTotals(table, total));
  for (PetscInt g = 0; g < table->groups->n; g++) {
    double value;
    RobustCaps(table, g, cap);
    PetscCall(RobustHardMax(n, total + g * n, cap, &value));
    *objective += value;
    for (PetscInt s = 0; s < n && g == 0; s++)
      if (cap[s] > 0 && (*worst < 0 || total[s] > total[*worst])) *worst = s;
  }
  PetscCall(PetscFree2(total, cap));
  PetscFunctionReturn(0);
}
