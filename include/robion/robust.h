/**
 * How scenario values of the objective terms become one number, and how much each of them counts in its gradient. Step 9.
 *
 * The problem hands over a table value[t * n_slot + k] of the weighted terms. A term's slots are distributions of its quantity
 * over the structure: one for every scenario row of the set, then four that are made voxel by voxel from all rows (SLOT_...).
 * Every term has a mode of its own. A mode either weighs the slots with fixed numbers, or belongs to those that look for the
 * worst: these maximise sum_s lambda_s F_s over weights 0 <= lambda_s <= cap_s with sum 1 in a *group* of terms, F_s being the
 * sum of the group's values in row s. cap 1 makes the maximum over scenarios, cap p_s / f the mean of the worst fraction f
 * (conditional value at risk). All `composite` terms are one group, so are all `cvar` terms; each `objectivewise` and each
 * `percentile` term is one of its own. The maximum is taken over all rows, so such a plan is always robust to the nominal scenario too; modes that weigh by
 * probability (expected, cvar, percentile, probabilistic) know only the rows of the set.
 *
 * What is minimised is a smooth maximum, max_lambda sum_s lambda_s F_s - mu sum_s lambda_s ln(lambda_s / multiplier_s): for cap 1
 * mu ln sum_s multiplier_s exp(F_s / mu). Its gradient is sum_s lambda_s grad F_s. Taking lambda for the next multipliers makes
 * the method of exponential multipliers.
 */
#pragma once
#include "robion/objective.h"
#include "robion/scenario.h"

typedef struct RobustSpec {
  RobustMode mode;     /* of all objectives that have none of their own */
  PetscBool on_effect; /* voxelwise: Yagi's form on effect (true) or on dose (false, default) */
  double importance;   /* weight of the worst case beside the nominal (voxelwise on effect), of the variance beside the
                            expectation (probabilistic); default 1 */
  double worst_fraction; /* cvar, percentile: the share of scenarios, by probability, whose mean counts; default 0.1 */
} RobustSpec;

enum { SLOT_NOMINAL = 0 };
/* Slots behind the scenario rows, from set->n on. */
enum {
  EXTRA_LOW,      /* lowest value of each voxel over all rows */
  EXTRA_HIGH,     /* highest */
  EXTRA_EXPECTED, /* expectation of each voxel's value over the set */
  EXTRA_VARIANCE, /* its variance; the slot's value is weight * volume mean of it */
  N_EXTRA
};

static inline PetscInt RobustSlots(const ScenarioSet *set)
{
  return set->n + N_EXTRA;
}

/** A way to combine scenarios: one small file each. */
typedef struct RobustModeType {
  /* What a slot of the term counts with; NULL: a mode that looks for the worst. */
  double (*slot_weight)(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot);
  /* The largest weight that a scenario may get; fraction: of the worst scenarios that count. */
  double (*cap)(double fraction, const Scenario *scenario);
  PetscBool own_group; /* every term is a group */
} RobustModeType;

extern const RobustModeType robust_none, robust_expected, robust_composite, robust_voxelwise, robust_objectivewise,
    robust_cvar, robust_probabilistic, robust_percentile;

/** The way of a mode. */
const RobustModeType *RobustModeFind(RobustMode mode);

/** Groups of terms whose worst case is looked for. */
typedef struct RobustGroups {
  PetscInt n;
  PetscInt *of_term; /* [n_term] group, or -1 */
  RobustMode *mode;  /* [n] */
  double *fraction;  /* [n] of the worst scenarios that count; 0: that of the spec */
} RobustGroups;

PetscErrorCode RobustGroupsCreate(PetscInt n_term, const Term *term, RobustGroups *groups);
PetscErrorCode RobustGroupsDestroy(RobustGroups *groups);

/** What the minimax solver steers. */
typedef struct SmoothMax {
  double *mu;         /* [n group] in units of the objective; INFINITY: sum_s multiplier_s F_s itself */
  double *multiplier; /* [n group][n scenario rows], each group's sum to 1 */
} SmoothMax;

typedef struct RobustTable {
  const RobustSpec *spec;
  const ScenarioSet *set;
  const RobustGroups *groups;
  const SmoothMax *smooth;
  PetscInt n_term;
  const Term *term;
  const double *value; /* [n_term][RobustSlots] */
} RobustTable;

/** Whether the mode of a term looks at a slot; rows that only make up an extra slot count as looked at. */
PetscBool RobustUsesSlot(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot);

/** The type a slot's distribution of a term is judged by; NULL: by none. */
const ObjectiveType *RobustSlotType(const RobustSpec *spec, const Term *term, const ScenarioSet *set, PetscInt slot);

/**
 * Smooth objective of the table, count[t * n_slot + k] = d objective / d value (all entries set), and the scenarios' weights
 * lambda [n group][n rows]. Not collective.
 */
PetscErrorCode RobustCombine(const RobustTable *table, double *objective, double *count, double *lambda);

/** total[g * n + s]: sum of the group's values in each scenario row. */
PetscErrorCode RobustTotals(const RobustTable *table, double *total);

/** The objective without smoothing, and the row with the largest total of the first group (-1 without groups). */
PetscErrorCode RobustTrueObjective(const RobustTable *table, double *objective, PetscInt *worst);

/**
 * Weights of the smooth maximum of one group over n rows, and its value. Rows without multiplier get none, unless the caps leave
 * no other choice than too small a sum: then the sum is as large as the caps allow.
 */
double RobustSmoothMax(PetscInt n, const double *total, const double *cap, double mu, const double *multiplier,
                       double *lambda);
/** max over the weights of sum_s lambda_s total_s: fills the caps from the highest total down (ties: earlier rows first). */
PetscErrorCode RobustHardMax(PetscInt n, const double *total, const double *cap, double *value);
