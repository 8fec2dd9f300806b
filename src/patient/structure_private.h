/* Shared by the files of derived structures. */
#pragma once
#include "robion/structure.h"

typedef enum { EXPAND, CONTRACT, SUBTRACT, INTERSECT, UNITE, RING } Operation;

/** One parsed expression. Names point into `text`. */
typedef struct Expression {
  Operation operation;
  char *text;
  const char *a, *b; /* structures; b only for SUBTRACT, INTERSECT, UNITE */
  double from_mm;    /* RING */
  double to_mm;      /* RING; distance of EXPAND, CONTRACT */
} Expression;

/** Parse; *good is false after adding one mistake (ROBION_STUDY). ExpressionDestroy in either case. */
PetscErrorCode ExpressionParse(const char *text, const char *where, Mistakes *mistakes, Expression *out,
                               PetscBool *good);
PetscErrorCode ExpressionDestroy(Expression *expression);

/** Add a structure; the case takes the mask. */
PetscErrorCode StructureAdd(Case *patient, const char *name, Role role, unsigned char *mask);

/**
 * Distance (mm) of every voxel centre outside the mask from the surface of what the mask stands for; 0 inside, infinite if
 * the mask is empty. From the nearest mask voxel, (i, j, k) steps between face neighbours away, the centre distance is
 * shortened by half a step, the factor 1 - 1 / (2 (|i| + |j| + |k|)): half a voxel along the axes and less across them, as
 * the mask's outermost centres are there nearer to the surface. Flat faces along the axes move exactly; the radius of a
 * sphere by the margin within 0.3 voxel.
 */
PetscErrorCode DistanceToSurface(const Grid *grid, const unsigned char *mask, float *distance_mm);
