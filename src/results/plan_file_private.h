/* Parts of plan.h5 that have files of their own. */
#pragma once
#include "robion/results.h"
#include "shared_file.h"

/* The scenarios of a set, one row each, as datasets of a group. Collective. */
PetscErrorCode WriteScenarios(SharedFile *file, const char *group, const ScenarioSet *set);

/* The group /optimizer: history, certificate, constraints, delivery, scenarios. Collective. */
PetscErrorCode WriteOptimizer(SharedFile *file, const PlanResult *r);
