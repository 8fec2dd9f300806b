/* Parts of plan.h5 that have files of their own. */
#pragma once
#include "robion/plan_read.h"
#include "robion/results.h"
#include "shared_file.h"

/* A number that the reader knows, of a group that is there. Collective. */
PetscErrorCode PlanNumberWrite(SharedFile *file, PlanNumber which, double number);

/* A text that the reader knows, of an object that is there. Collective. */
PetscErrorCode PlanTextWrite(SharedFile *file, PlanText which, const char *text);

/* SettingsHash of a plan's effective settings, as the file has it. */
void SettingsHash(const char *yaml, char hex[17]);

/* The scenarios of a set, one row each, as datasets of a group. Collective. */
PetscErrorCode WriteScenarios(SharedFile *file, const char *group, const ScenarioSet *set);

/* The group /activity, if there are positron emitters. Collective. */
PetscErrorCode WriteActivity(SharedFile *file, const PlanResult *r);

/* The group /optimizer: history, certificate, constraints, delivery, scenarios. Collective. */
PetscErrorCode WriteOptimizer(SharedFile *file, const PlanResult *r);
