/* The patient of a plan, for formats that want it with the plan. */
#pragma once
#include "robion/cli.h"
#include "robion/format.h"

/* What plan.h5 lacks; patient NULL after mistakes. */
typedef struct PlanCase {
  Study *study; /* of this one plan: its settings, as plan.h5 has them */
  Case *patient;
  DicomOrigin *origin;
  double sad_mm;
} PlanCase;

/* Case file (NULL: where the plan had it) or phantom, which must be what the plan was made of. */
PetscErrorCode PlanCaseRead(const PlanReader *plan, const char *case_file, Mistakes *mistakes, PlanCase *out);
PetscErrorCode PlanCaseDestroy(PlanCase *plan);
