/* `robion evaluate --gamma`: the doses just computed against those of another file. */
#pragma once
#include "robion/exchange.h"
#include "robion/gamma.h"
#include "robion/study.h"

typedef struct GammaCheck {
  const char *file;   /* --gamma: the reference; NULL: no comparison */
  PetscBool criteria; /* any of the following is given */
  GammaSpec spec;     /* with its defaults, but for `local` */
  PetscBool local, global;
  /* from GammaCheckPrepare */
  Grid grid;
  float *reference[QUANTITIES_MOST]; /* of each dose; NULL: not in the file */
  ForeignDose foreign;               /* what a file of others says of it; its value is not kept */
  double fractions;                  /* that they were divided by: from GammaCheckPlan */
} GammaCheck;

/* Judge the options and read the reference, before anything long begins. Collective on PETSC_COMM_WORLD. */
PetscErrorCode GammaCheckPrepare(GammaCheck *check, Mistakes *mistakes);

/* Bring the reference to a fraction of the plan, if it is of the plan's case. Collective on PETSC_COMM_WORLD. */
PetscErrorCode GammaCheckPlan(GammaCheck *check, const Settings *settings, Mistakes *mistakes);

/* Compare the doses of the result file, print the pass rates and add /gamma to the file. Collective on PETSC_COMM_WORLD. */
PetscErrorCode GammaCheckRun(const GammaCheck *check, const char *result, Mistakes *mistakes);

PetscErrorCode GammaCheckDestroy(GammaCheck *check);
