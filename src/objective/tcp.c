/* Surviving clonogens of the course, whose mean over the structure is minus the logarithm of its TCP (tcp.h). */
#include "objective_private.h"

/* The dose of the course is that of its mean fraction in every fraction; the voxel's goal is its clonogens. */
static double Survival(const KernelPoint *at, double value, double *derivative)
{
  const TCPSpec *spec = &at->parameters->tcp;
  const double survival = TCPSurvival(spec, at->goal, spec->fractions * value, derivative);
  *derivative *= spec->fractions;
  return survival;
}

const ObjectiveType objective_tcp = {
    .name = "tcp", .keys = KEY_TCP, .voxel = Survival, .worst_low = &objective_tcp, .wants_dose = PETSC_TRUE};
