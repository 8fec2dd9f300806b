/**
 * Structures derived from others, and structures on the dose grid. Part of step 2.
 */
#pragma once
#include "robion/case.h"

/** A structure that a study derives from others. */
typedef struct DerivedStructure {
  char *name, *expression, *where;
} DerivedStructure;

/** A structure on a dose grid: its voxels in ascending order and the fraction of each voxel's volume inside, (0, 1]. */
typedef struct Region {
  char *name;
  Role role;
  PetscInt n;
  PetscInt *voxel;
  float *fraction;
  double volume_cm3; /* sum of fraction * voxel volume */
} Region;

/**
 * Add a derived structure to the case. Grammar of `expression` (structure names with spaces in 'single quotes'):
 *   A plus 5 mm | A minus 2.5 mm     isotropic expansion, contraction: voxels whose centre is at most that far outside, or
 *                                    farther than that inside, the surface of A (half a voxel beyond its outermost
 *                                    centres; what is beyond the edge of the CT counts as no surface)
 *   A minus B | A and B | A or B     boolean
 *   ring 0-20 mm around A            outside A, farther than the first distance from its surface, at most the second
 * Expansion and rings stay inside the external structure if there is one (as RayStation and matRad users expect of a PTV
 * ring in the body), but an expansion holds all of A; the role is that of A, and oar for rings and if A is the external (a case has only one).
 * `where` ("study.yaml:12:8") starts the line of any mistake (ROBION_STUDY for grammar, ROBION_INPUT for a structure that
 * is not in the case or an empty result); a name already taken is a mistake.
 */
PetscErrorCode StructureDerive(Case *patient, const char *name, const char *expression, const char *where,
                               Mistakes *mistakes);

/** Check only the grammar of an expression (no case needed). */
PetscErrorCode StructureCheckExpression(const char *expression, const char *where, Mistakes *mistakes);

/** Exact Euclidean distance (mm) of every voxel centre to the nearest one in the mask: 0 inside, infinite if it is empty. */
PetscErrorCode DistanceToMask(const Grid *grid, const unsigned char *mask, float *distance_mm);

/**
 * Dose grid of given isotropic spacing that covers the external structure (whole CT if there is none) and n other structures,
 * wherever they lie; its cells start at the lower corner of the CT so that spacings that divide each other share cell walls.
 */
PetscErrorCode CaseDoseGrid(const Case *patient, double spacing_mm, PetscInt n, const PetscInt *structure, Grid *grid);

/** Volume of a structure on the CT, cm3, and the part of it that lies outside the external structure (0 if there is none). */
double StructureVolume_cm3(const Case *patient, PetscInt structure);
double StructureOutside_cm3(const Case *patient, PetscInt structure);

/** A CT voxel above this is taken for patient where no external structure says. */
#define EXTERNAL_THRESHOLD_HU (-500)
/** Name of the structure that CaseDeriveExternal adds. */
#define DERIVED_EXTERNAL "derived-external"
/**
 * Give a case without external structure one: the largest piece of voxels (face neighbours) above the threshold, with the holes
 * of its transversal slices filled. Nothing happens if the case has one, or no such voxel. Not collective.
 */
PetscErrorCode CaseDeriveExternal(Case *patient);

/** Exact volume overlap of the structure's CT voxels with each dose voxel. Voxels with a fraction below 1e-3 are left out. */
PetscErrorCode StructureToGrid(const Case *patient, PetscInt structure, const Grid *grid, Region *region);

/**
 * The same, for optimisation: volume that also belongs to a structure listed before it in `priority` (highest first) is
 * taken away. Structures that are not listed are not touched. region->n is 0 if nothing is left.
 */
PetscErrorCode StructureToGridWithPriority(const Case *patient, PetscInt structure, PetscInt n_priority,
                                           const char *const *priority, const Grid *grid, Region *region);

/**
 * Give the voxels of the grid that lie in a region by at least half of their volume this value, where the mask is still 0; returns
 * how many voxels lie so. Not collective.
 */
PetscInt RegionMark(const Region *region, unsigned char value, unsigned char *mask);

PetscErrorCode RegionDestroy(Region *region);

/**
 * Bring voxels of a grid, and their fractions if there are any (else NULL), into Morton's order (x, y, z bits interleaved): any
 * few hundred in a row lie in a compact block. Not collective.
 */
PetscErrorCode GridOrderCompact(const Grid *grid, PetscInt n, PetscInt *voxel, float *fraction);
