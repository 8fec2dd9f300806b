/**
 * Dose-volume statistics: DVHs, metrics, robustness indices. Step 11 of the data's way. Not collective: works on doses
 * that are already complete on the calling rank.
 *
 * What belongs to a structure is the same for every metric of every quantity: all voxels that it touches (by at least 1e-3 of
 * their volume, see StructureToGrid), each with the fraction of its volume that lies inside. So Dmax >= D0.03cc and Dmax >= D1 >=
 * D2 >= D50 >= D95 >= D98, and Dmax >= Dmean >= D100.
 */
#pragma once
#include "robion/map.h"
#include "robion/quantity.h"
#include "robion/structure.h"
#include "robion/outcome.h"

/** One number of a plan. value is finite. */
typedef struct Metric {
  char structure[64], name[40], unit[12];
  Quantity quantity;
  double value;
} Metric;

typedef struct MetricList {
  PetscInt n, capacity;
  Metric *item;
} MetricList;

/** A structure's sorted voxel values with volume weights; reusable for any number of queries. */
typedef struct DVH {
  PetscInt n;
  PetscInt *order;    /* position of value[i] among the region's voxels; of equal ones in ascending order */
  double *value;      /* descending */
  double *cumulative; /* volume fraction at or above value[i], ascending, last is 1 */
  double mean, max;   /* max: the highest value of any voxel of the region, value[0] */
  double volume_cm3;
} DVH;

/** Sort the region's values (indexed by grid voxel) with its fractions as weights. */
PetscErrorCode DVHCreate(const Region *region, const Grid *grid, const float *value, DVH *dvh);
/** The DVH of those voxels of `whole` whose `dose` (on the grid) is at least this, to the last bit; all 0 if there are none. */
PetscErrorCode DVHCreatePart(const DVH *whole, const Region *region, const Grid *grid, const float *dose, double least,
                             DVH *dvh);
PetscErrorCode DVHDestroy(DVH *dvh);
/** Dose that the hottest `percent` of the volume receive at least (D95: 95), linear between voxels. */
double DVHDoseAtVolume(const DVH *dvh, double percent);
/** The same for an absolute volume in cm3 (D0.03cc); the maximum if the structure is smaller, which has no such volume. */
double DVHDoseAtVolume_cm3(const DVH *dvh, double volume_cm3);
/** Percent of the volume with at least this dose (V95: 0.95 x prescription). */
double DVHVolumeAtDose(const DVH *dvh, double dose);

/**
 * All metrics of one structure in one scenario, quantity by quantity as quantities[] says (quantity.h), of those that there are
 * doses of: dose[Quantity] are arrays on the grid, NULL: none; that of QUANTITY_RBE_WEIGHTED is needed. Smean, % of all cells of the
 * structure that survive if they are spread evenly, is what survives of a flask (Yagi et al., PLoS One 18:e0288545, 2023). Appends
 * to list.
 */
PetscErrorCode MetricsOfStructure(const Region *region, const Grid *grid, const float *const dose[QUANTITIES_MOST],
                                  double prescription_Gy_RBE, MetricList *list);
/** The same, and the DVHs of all voxels that it takes, for the caller (DVHDestroy): of quantities with a DVH, else all 0. */
PetscErrorCode MetricsAndDVHsOfStructure(const Region *region, const Grid *grid,
                                         const float *const dose[QUANTITIES_MOST], double prescription_Gy_RBE,
                                         MetricList *list, DVH dvh[QUANTITIES_MOST]);
/** The first row with these entries, or NULL. */
const Metric *MetricListFind(const MetricList *list, const char *structure, Quantity quantity, const char *name);
PetscErrorCode MetricListDestroy(MetricList *list);

/**
 * Rows on the hottest place of `outside`, the patient's voxels that no target touches, for each dose of a fraction: its D0.03cc, the
 * centre of its hottest voxel (hot_spot_x, _y, _z, mm), and of every region but the external one hot_spot, the distance
 * from there to its nearest voxel, mm, 0 inside. Appends to list.
 */
PetscErrorCode MetricsOfHotSpot(const Region *outside, PetscInt n_region, const Region *region, const Grid *grid,
                                const float *const dose[QUANTITIES_MOST], MetricList *list);
/** Name of the region `outside` of all targets, and of its rows. */
#define OUTSIDE_TARGETS "outside-targets"
#define HOT_SPOT_DISTANCE "hot_spot"
extern const char *const hot_spot_place_names[3];

/**
 * Rows of an outcome for the doses of the mean fraction (on the grid): NTCP-<name>, % and gEUD-<name>, Gy(RBE) of 2 Gy fractions, of
 * quantity outcome; TCP-<name>, TCP_best-<name> and TCP_worst-<name>, %, for the matched, the best and the worst cell counts. Those
 * of an outcome without name are of quantity tcp and have none behind. Appends to list.
 */
PetscErrorCode MetricsOfOutcome(const Outcome *outcome, const float *rbe_weighted, MetricList *list);

/**
 * Over an evaluation set: lists[s] are the metrics of its n scenarios, all with the same rows in the same order. Rows of
 * the result per input row: min, max, median, index (= max - min), 5th and 95th percentile (of the scenarios, all alike; linear between
 * them in the order of their values). out[] in that order, each with the same rows.
 */
enum { SCENARIO_STATISTICS = 6 };
PetscErrorCode MetricsOverScenarios(PetscInt n, const MetricList *lists, MetricList out[SCENARIO_STATISTICS]);
extern const char
    *const scenario_statistic_names[SCENARIO_STATISTICS]; /* "min", "max", "median", "index", "p5", "p95" */

/** DVH curve on a common axis: percent of volume at least axis[i], for i < n. */
PetscErrorCode DVHCurve(const DVH *dvh, PetscInt n, const double *axis, double *percent);

/**
 * The DVH of the nominal scenario, the envelope of the evaluation set and the DVHs of the scenarios, on a common axis. Ranks that
 * hold different scenarios combine theirs with MPI_MAX on nominal and max, MPI_MIN on min and MPI_SUM on scenario.
 */
typedef struct DVHBand {
  char structure[64];
  Quantity quantity;
  PetscInt n;
  double *axis;                /* ascending from 0, unit of the quantity (per fraction) */
  double *nominal, *min, *max; /* percent of the volume at or above axis */
  PetscInt n_scenario;
  float *scenario; /* [n_scenario][n] the same in every scenario */
} DVHBand;

/** An empty band with n axis values from 0 to `top` for so many scenarios: nominal, max and scenario 0, min 100. */
PetscErrorCode DVHBandCreate(const char *structure, Quantity quantity, PetscInt n, double top, PetscInt n_scenario,
                             DVHBand *band);
/** Take in the DVH of a scenario, of which the first is the nominal one: as its curve and, if in_set, into the envelope. */
PetscErrorCode DVHBandAdd(DVHBand *band, const DVH *dvh, PetscInt scenario, PetscBool in_set);
PetscErrorCode DVHBandDestroy(DVHBand *band);
