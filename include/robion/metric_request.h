/**
 * Metrics by request: dose at a volume and volume at a dose, under the names that plans are discussed by. Part of step 11. Not
 * collective.
 *
 *     D95       what the hottest 95 % of the volume get at least      D0.5cc    ... the hottest 0.5 cm3; of a smaller structure Dmax
 *     DC30      the highest dose in the coolest 30 % of the volume    DC700cc   ... in the coolest 700 cm3; of a smaller structure Dmax
 *     V95       % of the volume with at least 95 % of the prescription
 *     V20Gy     % of the volume with at least 20 Gy or Gy(RBE)        V20Gy_cc  (and V95_cc) the same in cm3
 *     Dmean, Dmax
 *
 * DC is the form of critical-volume limits: "DC700cc of the liver at most 21 Gy" keeps 700 cm3 of it below 21 Gy (TG-101, TG-263).
 * All are linear between voxels as DVHDoseAtVolume is, the coolest parts as its mirror image.
 */
#pragma once
#include "robion/course.h"
#include "robion/evaluate.h"

typedef enum { ASK_MEAN, ASK_MAX, ASK_HOTTEST, ASK_COOLEST, ASK_VOLUME } MetricQuestion;

/** What a name asks for. */
typedef struct MetricForm {
  MetricQuestion question;
  double number;      /* of HOTTEST, COOLEST: the volume; of VOLUME: the dose */
  PetscBool absolute; /* the number is in cm3 or Gy, else in percent */
  PetscBool cm3;      /* of VOLUME: the answer is in cm3, else in percent */
} MetricForm;

/** Read a name; false if it is none of those above. */
PetscBool MetricFormRead(const char *name, MetricForm *form);
/** All forms in a line, for messages. */
#define METRIC_FORMS                                                                                                   \
  "Dmean, Dmax, D95 (%), D0.5cc, DC30 or DC700cc (coolest), V95 (% of the prescription), V20Gy, V20Gy_cc"

/** A metric that a study names. */
typedef struct MetricSpec {
  char *structure, *where;
  char *name;
  Quantity quantity;  /* of whose doses */
  PetscBool course;   /* dose added up over the course, else per fraction */
  PetscBool optional; /* left out where the case lacks the structure */
} MetricSpec;

/** A metric that every scenario is asked for. */
typedef struct MetricRequest {
  const MetricSpec *spec;
  MetricForm form;
  Quantity of, row; /* whose doses are looked at, and the quantity of the row */
  double factor;    /* from these doses to the row's */
} MetricRequest;

typedef struct MetricRequestList {
  PetscInt n;
  MetricRequest *item;
} MetricRequestList;

/** The quantity of the rows of a dose per fraction, or added up over the course; `course` NULL: without stages. */
Quantity MetricRowQuantity(Quantity quantity, PetscBool of_course, const Course *course);
/** Add a request, unless its name is none of the forms or every plan has the metric, or it has been asked for. The spec must outlive it. */
PetscErrorCode MetricRequestAdd(const MetricSpec *spec, double fractions, const Course *course,
                                MetricRequestList *list);

/** The highest dose in the coolest `percent` of the volume, linear between voxels. */
double DVHDoseOfCoolest(const DVH *dvh, double percent);
/** The answer from the DVH of what the form looks at; doses of answer and form are the DVH's times `factor`. */
double MetricAnswer(const MetricForm *form, const DVH *dvh, double factor, double prescription);

/** Append a row for each request of the region's structure; `dvh`: those that are known, else all 0. */
PetscErrorCode MetricsByRequest(const MetricRequestList *list, const Region *region, const Grid *grid,
                                const float *const dose[QUANTITIES_MOST], const DVH dvh[QUANTITIES_MOST],
                                double prescription_Gy_RBE, MetricList *out);
