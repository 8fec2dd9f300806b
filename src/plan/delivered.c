/*
 * What is delivered of a plan. The dose operator lays its planes and boxes out to the spots that there are, so that a plan's doses
 * are those of its filled spots alone: whoever reads these back from a file gets the same doses.
 */
#include "plan_private.h"

/* The stages of a course with other spots, each with a model of its own. */
static PetscErrorCode KeepStages(const PlanInputs *in, PlanInputs *out)
{
  PetscFunctionBegin;
  out->course = CourseUpTo(&in->course, 0);
  for (PetscInt k = 0; k < in->course.n; k++) {
    const CourseStage *from = &in->course.stage[k];
    CourseStage *to =
        CourseAddStage(&out->course, from->name, from->fractions, out->beams, from->first_beam, from->n_beam);
    PetscCall(DoseModelCreate(in->patient, in->machine, &out->tissues, &to->beams, in->settings->dropped_dose_fraction,
                              &to->model));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PlanDeliveredCreate(const WeightedPlan *plan, Delivered *out)
{
  PetscFunctionBegin;
  const PlanInputs *in = plan->inputs;
  out->inputs = *in;
  PetscCall(BeamSetKeepFilled(in->beams, in->machine, plan->weight, &out->inputs.beams, &out->weight));
  if (in->course.n)
    PetscCall(KeepStages(in, &out->inputs));
  else
    PetscCall(DoseModelCreate(in->patient, in->machine, &out->inputs.tissues, out->inputs.beams,
                              in->settings->dropped_dose_fraction, &out->inputs.model));
  out->plan = *plan;
  out->plan.inputs = &out->inputs;
  out->plan.weight = out->weight;
  PetscFunctionReturn(0);
}

PetscErrorCode PlanDeliveredDestroy(Delivered *delivered)
{
  PetscFunctionBegin;
  if (delivered->inputs.course.n)
    PetscCall(CourseDestroy(&delivered->inputs.course));
  else
    PetscCall(DoseModelDestroy(&delivered->inputs.model));
  PetscCall(BeamSetDestroy(&delivered->inputs.beams));
  PetscCall(PetscFree(delivered->weight));
  PetscFunctionReturn(0);
}
