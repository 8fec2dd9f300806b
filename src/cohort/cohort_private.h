/* Shared by the files that put one plan's inputs together. */
#pragma once
#include "robion/cohort.h"
#include <string.h>

/* Fill in->tissues from the settings; needs patient, machine and grid. After a mistake some biologies are NULL. */
PetscErrorCode TissuesCreate(Mistakes *mistakes, PlanInputs *in);
PetscErrorCode TissuesDestroy(Tissues *tissues);

/*
 * Instead of an optimisation: the weights of the plan that has made the same one (plan->optimized_by), from its file. Not there
 * or not finished: ROBION_INPUT. Collective.
 */
PetscErrorCode PlanTakeWeights(RunContext *run, const PlanSpec *plan, PetscInt n_spot, Mistakes *mistakes,
                               Solution *solution);

/* The biology a structure's objectives on effect are measured by. */
const BiologySpec *TissueOfStructure(const Settings *settings, const char *structure);

/*
 * Bytes that the plan takes on all ranks together, beside its inputs: the more of optimisation and evaluation. `entries` of an
 * assembled operator. Collective.
 */
PetscErrorCode PlanMemory(RunContext *run, const PlanInputs *in, double entries, double *bytes);
/* A mistake (ROBION_RESOURCES) if that and what is in use are more than the team has. Collective. */
PetscErrorCode PlanCheckMemory(RunContext *run, const PlanSpec *plan, const PlanInputs *in, Mistakes *mistakes);
