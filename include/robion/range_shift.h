/**
 * How far a map of activity, or a dose, is shifted along a beam against another: what in-beam PET tells of the range. Part of step 11.
 */
#pragma once
#include "robion/beam.h"

/** A map on a grid in patient coordinates. */
typedef struct ShiftMap {
  const Grid *grid;
  const float *value;
  double per_count; /* value of one count, whose noise is Poisson's; 0: no noise */
} ShiftMap;

/** How maps are looked at: columns along the beam, square across it. */
typedef struct ShiftSpec {
  double column_mm;  /* width, at least 2.5 voxels; 0: as much and at least 5 mm */
  double threshold;  /* columns count whose maximum is at least that share of the highest */
  double largest_mm; /* shifts looked for, either way */
} ShiftSpec;

/** One column, and what it says. */
typedef struct ShiftColumn {
  double u_mm, v_mm;    /* its middle, in the beam's-eye view */
  double edge_mm;       /* distal 50 % of the reference along the beam, 0 at the isocentre */
  double shift_mm;      /* of the column by itself */
  double deviation_mm;  /* its standard deviation from the counts */
  double weight;        /* in the mean of all: slopes squared, so that they add up to 1 */
  double dose_shift_mm; /* of the dose where it falls through half of the reference's maximum; NaN without doses */
} ShiftColumn;

typedef struct RangeShift {
  double shift_mm, deviation_mm; /* of all columns together; positive: the other map reaches farther */
  double dose_shift_mm;          /* mean of the columns' with their weights; NaN without doses */
  PetscInt n;
  ShiftColumn *column; /* [n] */
} RangeShift;

void ShiftSpecDefault(ShiftSpec *spec);

/**
 * The shift that brings the falloff of the reference, from its distal 80 % of the column's maximum to 20 %, onto the other map: least
 * squares over all columns, splines in between. Its standard deviation follows from the noise of both. The maps must have the
 * same unit. dose: NULL, or doses in whose columns the shift of the distal half is told. n is 0 if no column has a falloff. Not collective.
 */
PetscErrorCode RangeShiftFind(const Beam *beam, const ShiftSpec *spec, const ShiftMap *reference, const ShiftMap *other,
                              const ShiftMap *dose, const ShiftMap *other_dose, RangeShift *shift);
PetscErrorCode RangeShiftDestroy(RangeShift *shift);
