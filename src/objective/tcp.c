/* Surviving clonogens of the course, whose mean over the structure is minus the logarithm of its TCP, by the model of outcome.h. */
#include "objective_private.h"

/* The voxel's goal is its clonogens. */
static double Survival(const KernelPoint *at, double value, double *derivative)
{
  const OutcomePoint point = {.clonogens = at->goal};
  return (*outcome_control.voxel)(&at->parameters->outcome, &point, value, derivative);
}

const ObjectiveType objective_tcp = {
    .name = "tcp", .keys = KEY_TCP, .voxel = Survival, .worst_low = &objective_tcp, .wants_dose = PETSC_TRUE};
