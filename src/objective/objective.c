#include "robion/objective.h"
#include <string.h>

static const ObjectiveType *const registered[] = {&objective_uniform, &objective_overdose, &objective_underdose,
                                                  &objective_mean};

const ObjectiveType *ObjectiveTypeFind(const char *name)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(registered); i++)
    if (!strcmp(name, registered[i]->name)) return registered[i];
  return NULL;
}

double TermQuantityValue(const BiologySpec *biology, TermQuantity quantity, const double *channels, double *derivative)
{
  if (quantity == TERM_PHYSICAL) {
    if (derivative) derivative[0] = 1, derivative[1] = derivative[2] = derivative[3] = 0;
    return channels[0];
  }
  FieldDose gradient, field = {channels[0], channels[1], channels[2], channels[3]};
  double slope = 1, value = FieldEffect(biology, field, derivative ? &gradient : NULL);
  if (quantity == TERM_RBE_WEIGHTED) value = RBEWeightedDose(biology, value, derivative ? &slope : NULL);
  if (derivative) {
    derivative[0] = slope * gradient.dose_Gy;
    derivative[1] = slope * gradient.alpha_dose;
    derivative[2] = slope * gradient.sqrt_beta_dose;
    derivative[3] = slope * gradient.let_dose;
  }
  return value;
}
