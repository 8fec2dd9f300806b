/**
 * What can be looked at in a voxel: one row per quantity. Doses, metrics, DVHs, datasets, tables, goals and gamma go through these
 * rows, and objectives ask them for what is computed. A new quantity is a row of quantity.c and the function that computes it; a key
 * of its own for the goals of objectives is a line of the study's schema besides. Part of step 4.
 */
#pragma once
#include "robion/biology.h"

/** Sums over spots in a voxel, of which quantities are made: weights are particles times dose of one particle. */
enum { CHANNEL_DOSE, CHANNEL_ALPHA, CHANNEL_SQRT_BETA, CHANNEL_LET, N_CHANNELS };

/** Scale a voxel's channels as its response in a scenario does, or derivatives with respect to those into ones to the channels before. */
static inline void ResponseScale(const VoxelResponse *response, double channels[N_CHANNELS])
{
  if (!response->factor) return;
  const double root = response->factor[1];
  channels[CHANNEL_ALPHA] *= response->factor[0];
  channels[CHANNEL_SQRT_BETA] *= response->spec->averaging == AVERAGE_BETA ? root * root : root;
}

/** A channel per particle, as files name it. */
typedef struct Channel {
  const char *name, *unit, *meaning;
} Channel;

/** A channel of a field whose beta is averaged as the biology says: CHANNEL_SQRT_BETA holds beta itself with AVERAGE_BETA. */
Channel ChannelOf(BetaAveraging averaging, int channel);

/** A row of quantities[]. The code names these; there may be more. */
typedef int Quantity;
enum {
  QUANTITY_RBE_WEIGHTED,
  QUANTITY_PHYSICAL,
  QUANTITY_EFFECT,
  QUANTITY_LETD,
  QUANTITY_RBE,
  QUANTITY_SURVIVAL,
  QUANTITY_COURSE,
  QUANTITY_COURSE_EQD2,
  QUANTITY_TCP,
  QUANTITY_PHYSICAL_COURSE,
  QUANTITY_OUTCOME,
  QUANTITY_HIGH_LET
};
enum { QUANTITIES_MOST = 24 };

/** Which plans have a quantity in their results. */
typedef enum {
  KEPT_ALWAYS,
  KEPT_OF_COURSE,    /* plans in stages, one such quantity each: CourseDose of course.h */
  KEPT_OF_HIGH_LET,  /* plans that ask for it by their LET threshold: in the channels of its own look-up (doses.h) */
  KEPT_OF_CLONOGENS, /* plans whose tumour control is judged: of voxels that have clonogens (evaluate.h) */
  KEPT_NEVER         /* none has it voxel by voxel */
} QuantityKept;

/** How the stages of a course make up what its mean fraction has of a quantity (course.h). */
typedef enum {
  STAGES_APART,      /* they do not: it follows from other quantities of the mean fraction */
  STAGES_ADD,        /* mean over the fractions */
  STAGES_ACCUMULATE, /* as the course says: mean, or dose of the same EQD2 */
  STAGES_RATIO       /* as one field, since it is a ratio of channels: the same in every fraction */
} QuantityStages;

/** What a metric tells of a quantity in a structure; from METRIC_COVERAGE on in percent, else in the quantity's unit. */
typedef enum {
  METRIC_AT_VOLUME,       /* what the hottest `number` percent of the volume get at least */
  METRIC_AT_SMALL_VOLUME, /* what the hottest `number` cm3 get at least */
  METRIC_MAX,             /* the highest value */
  METRIC_MEAN,            /* mean over the volume */
  METRIC_MEAN_RBE,        /* RBE-weighted over physical mean dose, whatever the voxel's dose */
  METRIC_COVERAGE,        /* the volume that gets at least `number` times the prescription */
  METRIC_SHARE_MEAN,      /* mean over the volume */
  METRIC_SHARE_MAX        /* the highest value */
} MetricRule;

/** The small volume of D0.03cc, the near-maximum dose of constraint tables for serial organs. */
#define NEAR_MAXIMUM_cm3 0.03

/** A metric of a quantity. */
typedef struct QuantityMetric {
  const char *name;
  MetricRule rule;
  double number;
} QuantityMetric;

/** The axis of a quantity's DVH: n values from 0 to `top`, in its unit or times the prescription. */
typedef struct QuantityAxis {
  PetscInt n; /* 0: no DVH */
  double top;
  PetscBool of_prescription;
} QuantityAxis;

typedef struct QuantityRow {
  const char *name;    /* in tables, files and studies */
  const char *unit;    /* "1": none */
  const char *meaning; /* for people: title of datasets and axes; says whether of a fraction or the course */
  QuantityKept kept;
  /*
   * From channel sums [N_CHANNELS] of a fraction and, unless NULL, its derivatives with respect to them. NULL: it is not computed
   * from the spots.
   */
  double (*of_channels)(const BiologySpec *biology, const double *channels, double *derivative);
  /* From the quantities of rows above it, value[Quantity], of the same fraction; NULL: it does not follow from them. */
  double (*of_quantities)(const BiologySpec *biology, const double *value);
  QuantityStages stages;
  PetscBool linear; /* in the particles of spots */
  QuantityAxis dvh;
  PetscInt n_metric;
  const QuantityMetric *metric;
  PetscBool
      where_dosed; /* but for METRIC_MEAN_RBE metrics are over voxels with at least 1 % of the prescription; 0 without any */
  PetscBool judged; /* clinical goals may look at its metrics */
  const char *
      goal_key; /* under which an objective's goal is given (and `quantity` may name it); NULL: no objective looks at it */
  const char *goal_note; /* said beside that key in messages, or NULL */
} QuantityRow;

extern const QuantityRow quantities[];
extern const Quantity n_quantities; /* at most QUANTITIES_MOST */

/** The quantity of this name, or -1. */
Quantity QuantityFind(const char *name);
/** A metric of a quantity by its name, or NULL. */
const QuantityMetric *QuantityFindMetric(Quantity quantity, const char *metric);
/** The unit of a metric. */
const char *QuantityMetricUnit(Quantity quantity, const QuantityMetric *metric);
/** Names for the schema, the i-th, NULL behind the last: what `quantity` of an objective and of a clinical goal may be. */
const char *QuantityOfObjective(PetscInt i);
const char *QuantityOfGoal(PetscInt i);
/** What a goal with this metric looks at: the quantity it names, or if that has no such metric the first that has; -1: none. */
Quantity QuantityJudged(Quantity named, const char *metric);

/** Whether fractions add up to more of it: its goals may be given for the course. */
static inline PetscBool QuantityAddsUp(Quantity quantity)
{
  return quantities[quantity].stages == STAGES_ADD || quantities[quantity].stages == STAGES_ACCUMULATE ? PETSC_TRUE
                                                                                                       : PETSC_FALSE;
}

/** Whether it is a dose of a fraction that every plan has. */
static inline PetscBool QuantityIsDose(Quantity quantity)
{
  return quantities[quantity].kept == KEPT_ALWAYS && QuantityAddsUp(quantity) ? PETSC_TRUE : PETSC_FALSE;
}

/** Whether every plan has it, computed from the spots. */
static inline PetscBool QuantityIsComputed(Quantity quantity)
{
  return quantities[quantity].kept == KEPT_ALWAYS && quantities[quantity].of_channels ? PETSC_TRUE : PETSC_FALSE;
}
