/**
 * Objective terms: what a plan should do to a structure. Step 8 of the data's way.
 *
 * A term is weight * outer(sum_v share_v * voxel(q_v)), where q_v is the voxel's quantity, share_v the voxel's part of the
 * structure's volume (sums to 1), and outer the identity except for `mean`. Each type is one small file, registered by name.
 */
#pragma once
#include "robion/biology.h"
#include "robion/structure.h"
#include "robion/study.h"

/** A function of one number and a goal, and its derivative with respect to the number. */
typedef double (*ObjectiveKernel)(double value, double goal, double *derivative);

typedef struct ObjectiveType {
  const char *name;
  ObjectiveKernel voxel;      /* of a voxel's quantity */
  ObjectiveKernel outer;      /* of the volume mean of `voxel`; NULL: identity */
  ObjectiveKernel worst_high; /* voxel-wise worst case: of the highest value over scenarios; NULL: does not count */
  ObjectiveKernel worst_low;  /* of the lowest value */
} ObjectiveType;

extern const ObjectiveType objective_uniform;   /* (q - goal)^2 */
extern const ObjectiveType objective_overdose;  /* max(0, q - goal)^2 */
extern const ObjectiveType objective_underdose; /* min(0, q - goal)^2 */
extern const ObjectiveType objective_mean;      /* max(0, mean(q) - goal)^2 */

/** The registered type of that name, or NULL. */
const ObjectiveType *ObjectiveTypeFind(const char *name);

/** What a term looks at in a voxel, per fraction. */
typedef enum { TERM_PHYSICAL, TERM_RBE_WEIGHTED, TERM_EFFECT } TermQuantity;

/** A term prepared for one plan: voxels are indices into the plan's list of optimised voxels, ascending. */
typedef struct Term {
  const ObjectiveType *type;
  TermQuantity quantity;
  double goal; /* Gy, Gy(RBE) or effect */
  double weight;
  PetscBool robust;
  PetscInt n;
  PetscInt *voxel;
  double *share;
} Term;

/**
 * A voxel's quantity from its channel sums (dose, alpha*dose, sqrt(beta)*dose, LET*dose) and, unless NULL, its derivatives
 * with respect to those four.
 */
double TermQuantityValue(const BiologySpec *biology, TermQuantity quantity, const double *channels, double *derivative);
