/**
 * How scenario values of the objective terms become one number, and how much each of them counts in its gradient. Step 9.
 *
 * The problem hands every mode a table value[t * n_slot + k] of the weighted terms. Slots are the scenario rows of the set,
 * except for voxel-wise modes, which have two: SLOT_NOMINAL and SLOT_WORST. The worst case is taken over all rows, so a plan is
 * always robust to the nominal scenario too; `expected` weighs only the rows of the set.
 */
#pragma once
#include "robion/objective.h"

enum { SLOT_NOMINAL = 0, SLOT_WORST = 1 };

/** What the minimax solver steers: smooth max over scenarios mu * log(sum_s multiplier_s exp(F_s / mu)). */
typedef struct SmoothMax {
  double mu;          /* in units of the objective */
  double *multiplier; /* [n scenario rows], sums to 1 */
} SmoothMax;

typedef struct RobustTable {
  const RobustSpec *spec;
  const ScenarioSet *set;
  const SmoothMax *smooth; /* composite only */
  PetscInt n_term, n_slot;
  const Term *term;
  const double *value; /* [n_term][n_slot] */
} RobustTable;

/** Objective of the table and count[t * n_slot + k] = d objective / d value. All entries of count are set. Not collective. */
typedef PetscErrorCode (*RobustCombine)(const RobustTable *table, double *objective, double *count);

PetscErrorCode RobustCombine_None(const RobustTable *table, double *objective, double *count);
PetscErrorCode RobustCombine_Expected(const RobustTable *table, double *objective, double *count);
PetscErrorCode RobustCombine_Composite(const RobustTable *table, double *objective, double *count);
PetscErrorCode RobustCombine_Voxelwise(const RobustTable *table, double *objective, double *count);

/** The combination of a mode, and the number of slots it works on. */
RobustCombine RobustCombineOf(RobustMode mode);
PetscInt RobustSlots(const RobustSpec *spec, const ScenarioSet *set);

/** Total of the robust terms in each scenario row (not for voxel-wise modes). */
PetscErrorCode RobustScenarioTotals(const RobustTable *table, double *total);

/** Lowest and highest of n scenario values; ties to the earlier row. */
void RobustExtremes(PetscInt n, const double *value, PetscInt *lowest, PetscInt *highest);

/**
 * Voxel-wise worst case of one voxel: contribution to a term's volume mean from its lowest and highest value, with the
 * derivatives to both. On effect (Yagi et al. 2023, Eqs 15 and 16): squared deviation of both extremes for `uniform`, squared
 * excess of the highest otherwise; on dose: excess of the highest plus lack of the lowest (Pflugfelder et al. 2008).
 */
double RobustVoxelWorst(const RobustSpec *spec, const Term *term, double low, double high, double *slope_low,
                        double *slope_high);
