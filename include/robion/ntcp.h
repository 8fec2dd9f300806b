/**
 * Normal tissue complication probability after Lyman, Kutcher and Burman (LKB). Part of step 5.
 *
 *     gEUD = (sum_i v_i D_i^a)^(1/a), a = 1/n;   t = (gEUD - TD50) / (m TD50);   NTCP = erfc(-t / sqrt 2) / 2
 *
 * D_i is the EQD2 (eqd2.h) of the course in a voxel, v_i its part of the organ's volume. Sets with m > 0.5 have a
 * large NTCP without any dose.
 */
#pragma once
#include <petscsys.h>

typedef struct NTCPSpec {
  const char *name, *organ, *endpoint;
  double a; /* 1/n */
  double m, td50_Gy;
} NTCPSpec;

/** The sets of Sokol et al. (11C against 12C), Table II, by name: "mayo", "burman", "dawson", "el-naqa-1", ... */
extern const NTCPSpec ntcp_sets[];
extern const PetscInt n_ntcp_sets;

/** The set of that name, or NULL. */
const NTCPSpec *NTCPFind(const char *name);

/** Generalised equivalent uniform dose of n voxels, Gy; share sums to 1, doses >= 0. Added in their order. Not collective. */
double GEUD_Gy(double a, PetscInt n, const double *share, const double *dose_Gy);

/** NTCP, 0 to 1, of an EUD, and unless NULL its derivative to it, per Gy. Not collective. */
double NTCP(const NTCPSpec *spec, double geud_Gy, double *slope);
