/*
 * The solver behind every plan: limited-memory BFGS on the variables that are free, as a type of TAO's.
 *
 * TAO's own BLMVM builds its direction from all variables and cuts it off at the bounds; here the curvature pairs are
 * restricted to the variables that may move (Bertsekas' two-metric projection), and the step is searched along the
 * projected arc. Beside fewer evaluations, this makes the state accessible: a solve can be interrupted, written and taken
 * up again with the same bits. The variables live in slices on all ranks; bits do not depend on how many these are. Chosen by
 * -tao_type descent, the default; all other types of TAO's work in its place.
 */
#pragma once
#include "robion/slices.h"
#include <petsctao.h>

#define TAO_DESCENT "descent"

/* Curvature pairs that are kept. */
enum { DESCENT_PAIRS = 20 };

/* Curvature pairs, oldest first. */
typedef struct DescentHistory {
  const Slices *slices; /* of the variables */
  PetscInt n_pair;
  double *step, *change; /* [DESCENT_PAIRS][slices->n_own]: of the variables, of the gradient */
} DescentHistory;

/* The slices must outlive the history. Not collective. */
PetscErrorCode DescentHistoryCreate(const Slices *slices, DescentHistory *history);
PetscErrorCode DescentHistoryDestroy(DescentHistory *history);

/* Make the type known to TAO; repeated calls do no harm. Not collective. */
PetscErrorCode DescentRegister(void);
/* Where a solver of that type keeps its pairs, from solve to solve, in slices as its vectors are; without effect on other types. Not
   collective. */
PetscErrorCode DescentSetHistory(Tao tao, DescentHistory *history);
