/* What an objective looks at in a voxel, from the voxel's channel sums. */
#include "robion/objective.h"

const char *const quantity_names[] = {"rbe_weighted", "physical", "effect", "letd"};
const PetscInt n_quantity_names = PETSC_STATIC_ARRAY_LENGTH(quantity_names);

static double Physical(const double *channels, double *derivative)
{
  if (derivative) derivative[0] = 1, derivative[1] = derivative[2] = derivative[3] = 0;
  return channels[0];
}

static double LETd(const double *channels, double *derivative)
{
  const double dose = channels[0], let = dose > 0 ? channels[3] / dose : 0;
  if (derivative) {
    derivative[0] = dose > 0 ? -let / dose : 0;
    derivative[1] = derivative[2] = 0;
    derivative[3] = dose > 0 ? 1 / dose : 0;
  }
  return let;
}

double QuantityValue(const BiologySpec *biology, Quantity quantity, const double *channels, double *derivative)
{
  if (quantity == QUANTITY_PHYSICAL) return Physical(channels, derivative);
  if (quantity == QUANTITY_LETD) return LETd(channels, derivative);
  FieldDose gradient, field = {channels[0], channels[1], channels[2], channels[3]};
  double slope = 1, value = FieldEffect(biology, field, derivative ? &gradient : NULL);
  if (quantity == QUANTITY_RBE_WEIGHTED) value = RBEWeightedDose(biology, value, derivative ? &slope : NULL);
  if (derivative) {
    derivative[0] = slope * gradient.dose_Gy;
    derivative[1] = slope * gradient.alpha_dose;
    derivative[2] = slope * gradient.sqrt_beta_dose;
    derivative[3] = slope * gradient.let_dose;
  }
  return value;
}
