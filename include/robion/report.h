/**
 * What a person looks at after a run.
 */
#pragma once
#include "robion/samples.h"
#include "robion/study.h"

/**
 * The table at the end of a run: per case, one line per arm and sweep point, doses relative to the prescription, of the targets of
 * all its plans (PlansTargets) and the organs that some objective keeps low: the same structures in every line. From the samples of
 * the study's plans and, for the effort, their files below `results`; plans that the samples lack have no results. Damaged files are
 * mistakes (ROBION_INPUT). Lines are at most 120 characters long. Not collective.
 */
PetscErrorCode SummaryPrint(FILE *out, const char *results, const Study *study, const Samples *samples,
                            Mistakes *mistakes);
