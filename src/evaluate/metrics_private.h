/* Shared by the files that make metrics. */
#pragma once
#include "robion/evaluate.h"

/* One more row; a value that is not finite is an error. */
PetscErrorCode MetricAppend(MetricList *list, const char *structure, Quantity quantity, const char *name,
                            const char *unit, double value);
