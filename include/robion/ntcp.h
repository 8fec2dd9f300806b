/**
 * Normal tissue complication probability after Lyman, Kutcher and Burman (LKB). Part of step 5.
 *
 *     gEUD = (sum_i v_i D_i^a)^(1/a), a = 1/n;   t = (gEUD - TD50) / (m TD50);   NTCP = erfc(-t / sqrt 2) / 2
 *
 * D_i is the EQD2 (eqd2.h) of the course in a voxel, v_i its part of the organ's volume. A voxel without dose counts as 0 Gy: with
 * a well below 1 (pursley-i) the gEUD is nearly a geometric mean, and a hundredth of the organ at 0 Gy lowers it by a sixth. Sets
 * with m > 0.5 have a large NTCP without any dose.
 */
#pragma once
#include <petscsys.h>

typedef struct LKBSpec {
  double a; /* 1/n, above 0 */
  double m, td50_Gy;
} LKBSpec;

/**
 * (D / unit)^a, as the volume mean of a gEUD takes it, and its derivative to D. unit: any dose, the highest of all voxels best, so
 * that no power overflows. Not collective.
 */
double GEUDPower(const LKBSpec *spec, double dose_Gy, double unit_Gy, double *slope);

/** The gEUD, Gy, of that volume mean, and its derivative. Not collective. */
double GEUDOfMean_Gy(const LKBSpec *spec, double mean, double unit_Gy, double *slope);

/** NTCP, 0 to 1, of a gEUD, and unless NULL its derivative to it, per Gy. Not collective. */
double NTCP(const LKBSpec *spec, double geud_Gy, double *slope);
