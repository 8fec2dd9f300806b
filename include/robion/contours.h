/**
 * Contours as DICOM structure sets hold them, to masks on a grid and back. No file is read here. Nothing is collective.
 */
#pragma once
#include "robion/grid.h"

/** Closed planar rings of one structure: points in patient coordinates (LPS, mm), ring after ring; the last point joins the first. */
typedef struct Contours {
  PetscInt n_rings, n_points;
  PetscInt *ring_points; /* points of each ring */
  double (*point_mm)[3]; /* points of all rings */
  PetscInt room_rings, room_points;
} Contours;

/** What ContoursToMask met. Rings, planes and slices are counted once each. */
typedef struct ContourCounts {
  PetscInt rings;         /* all */
  PetscInt few_points;    /* rings skipped: fewer than 3 points */
  PetscInt unplaceable;   /* rings skipped: a coordinate is not a number, or beyond CONTOUR_FAR_MM */
  PetscInt oblique;       /* rings skipped: not parallel to the slices within CONTOUR_FLAT_MM */
  PetscInt outside;       /* rings skipped: no slice is near their plane */
  PetscInt cut;           /* rings that reach beyond the sides of the grid, where they are cut off */
  PetscInt planes;        /* planes of the rings that were taken */
  PetscInt crossed;       /* planes where rings cross: joined instead of cut out of each other */
  PetscInt merged_slices; /* slices in which several planes were joined */
  PetscInt between;       /* slices that had no plane of their own and took that of a neighbour */
  PetscBool tiny;         /* no voxel's centre was inside: the voxels that hold the rings' centres were taken */
  size_t voxels;          /* of the mask */
} ContourCounts;

/** Coordinates beyond this, either way, are no place of a patient. */
#define CONTOUR_FAR_MM 1e6
/** How much a ring's points may differ along z. */
#define CONTOUR_FLAT_MM 0.1
/** Structures contoured on every few slices are filled between planes up to this far apart. */
#define CONTOUR_BETWEEN_MM 10.0

/** Add a ring of n points, x,y,z each. */
PetscErrorCode ContoursAddRing(Contours *contours, PetscInt n, const double (*point_mm)[3]);

/**
 * The voxels whose centres are inside of the contours; mask (0 or 1, of the grid) is overwritten.
 *
 * In a plane inside is what an odd number of rings surrounds, so inner rings are holes, islands in them are inside again, and
 * doubled edges (keyholes, XOR contours) cancel exactly. Rings that cross each other by more than 0.01 mm are drawn over each
 * other: they are joined before. A plane belongs to the slice at most half a gap away. Where a structure has three planes or more
 * that are all farther apart than the slices, none of their smallest distance above CONTOUR_BETWEEN_MM, it was contoured on
 * every few slices: a plane then fills all slices within half of that distance. Several planes in a slice are joined.
 */
PetscErrorCode ContoursToMask(const Grid *grid, const Contours *contours, unsigned char *mask, ContourCounts *counts);

/**
 * The outlines of a mask on the edges of its voxels, slice by slice from the first, holes as keyholes (one ring that runs
 * into the hole and back). ContoursToMask makes the same mask of them, unless it has three slices or more of which no two are
 * neighbours: these look like contours of every few slices. Pieces that touch at a corner are rings of their own.
 */
PetscErrorCode ContoursOfMask(const Grid *grid, const unsigned char *mask, Contours *contours);

PetscErrorCode ContoursDestroy(Contours *contours);
