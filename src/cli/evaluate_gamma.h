/* `robion evaluate --gamma`: the doses just computed against those of another file. */
#pragma once
#include "robion/gamma.h"
#include "robion/quantity.h"

typedef struct GammaCheck {
  const char *file;   /* --gamma: the reference; NULL: no comparison */
  PetscBool criteria; /* any of the following is given */
  GammaSpec spec;     /* with its defaults, but for `local` */
  PetscBool local, global;
  /* from GammaCheckPrepare */
  Grid grid;
  float *reference[QUANTITIES_MOST]; /* of each dose per fraction; NULL: not in the file */
} GammaCheck;

/* Judge the options and read the reference, before anything long begins. Collective on PETSC_COMM_WORLD. */
PetscErrorCode GammaCheckPrepare(GammaCheck *check, Mistakes *mistakes);

/* Compare the doses of the result file, print the pass rates and add /gamma to the file. Collective on PETSC_COMM_WORLD. */
PetscErrorCode GammaCheckRun(const GammaCheck *check, const char *result, Mistakes *mistakes);

PetscErrorCode GammaCheckDestroy(GammaCheck *check);
