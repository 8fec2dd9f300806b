/* The parts of a plan's page. */
#pragma once
#include "robion/html.h"
#include "robion/plan_page.h"
#include "robion/plan_read.h"
#include "robion/results.h"

/* Columns of the other tables that a page shows. */
enum { DVH_STRUCTURE = 4, DVH_QUANTITY, DVH_DOSE, DVH_UNIT, DVH_NOMINAL, DVH_LOWEST, DVH_HIGHEST };
enum {
  SCENARIO_SET,
  SCENARIO_ID,
  SCENARIO_X,
  SCENARIO_Y,
  SCENARIO_Z,
  SCENARIO_RANGE,
  SCENARIO_WEIGHT,
  SCENARIO_IN_SET,
  SCENARIO_PHASE = 15 /* "all": doses are accumulated over breathing phases */
};

/* A structure, and the part of each voxel that it has. */
typedef struct PageStructure {
  PlanStructure on_file;
  float *share;
  const char *colour;
} PageStructure;

typedef struct PlanPage {
  const PlanPageSpec *spec;
  PlanPageFacts *facts;
  Text text;
  PlanReader plan;
  Mistakes *mistakes;
  Table table[N_PLAN_FILES];
  char *word[N_PLAN_TEXTS];
  double number[N_PLAN_NUMBERS];
  Grid grid;
  PetscInt n_structure;
  PageStructure *structure;
  PetscInt n_metric; /* rows of metrics.csv for each scenario, the nominal first */
} PlanPage;

/* A field of a table. */
static inline const char *Cell(const Table *table, PetscInt row, PetscInt column)
{
  return table->field[row * table->n_columns + column];
}

/* The first row of metrics.csv of a scenario or statistic, or -1. */
PetscInt PageBlock(const PlanPage *page, const char *scenario);
/* A metric as a block of metrics.csv tells it, letter by letter; "" where it is not there. */
const char *PageMetric(const PlanPage *page, PetscInt block, const char *structure, const char *quantity,
                       const char *metric);
/* The metrics of a quantity that a block has values of, in the order of rows; and headers of a table's columns: "D98 / Gy(RBE)". */
enum { PAGE_METRICS_MOST = 32 };
typedef struct PageMetricColumns {
  PetscInt n;
  const char *metric[PAGE_METRICS_MOST];
  Text header[PAGE_METRICS_MOST];
} PageMetricColumns;
PetscErrorCode PageMetricColumnsCreate(const PlanPage *page, PetscInt block, const char *quantity,
                                       PageMetricColumns *columns);
PetscErrorCode PageMetricColumnsDestroy(PageMetricColumns *columns);
/* The next structure or region of metrics.csv that a block has values of in a quantity, NULL: none; *row: 0 at first. */
const char *PageMetricStructure(const PlanPage *page, PetscInt block, const char *quantity, PetscInt *row);
/* Whether the nominal scenario is none of those that the plan is judged in, and so may lie outside of their range. */
PetscBool PageNominalApart(const PlanPage *page);
/* The structure of a name, or NULL. */
const PageStructure *PageStructureFind(const PlanPage *page, const char *name);

/* A volume as bytes. */
typedef struct ByteVolume {
  const char *name, *unit;
  char label[180];      /* for people */
  const char *plan;     /* of another one: its name; NULL: of this */
  const char *scenario; /* a single one of the evaluation: its id; else NULL */
  double scale;         /* value of byte 1; HU: of a step */
  double full;          /* value that has the last colour of the wash */
  PetscBool spread;     /* no dose, but how much one varies */
  PetscBool spare;      /* may be left out to keep the page small */
  unsigned char *byte;
} ByteVolume;

enum { PAGE_VOLUMES_MOST = 100 };
typedef struct PageVolumes {
  PetscInt n;
  ByteVolume item[PAGE_VOLUMES_MOST];
  PetscInt middle[3];
  PetscInt stride; /* 1: every voxel, 2: every other along each axis */
} PageVolumes;

/* What the page shows of a plan and of others of its case: the CT first, then the nominal RBE-weighted dose. */
PetscErrorCode PageVolumesCreate(PlanPage *page, PageVolumes *volumes);
PetscErrorCode PageVolumesDestroy(PageVolumes *volumes);
/* Add them to the page, as many and as fine as it may have. */
PetscErrorCode PageVolumesAdd(PlanPage *page, PageVolumes *volumes);

PetscErrorCode PageVerdict(PlanPage *page);
PetscErrorCode PageHistograms(PlanPage *page);
PetscErrorCode PageSlices(PlanPage *page);
PetscErrorCode PageMetrics(PlanPage *page);
PetscErrorCode PageRobustness(PlanPage *page);
PetscErrorCode PageScenarios(PlanPage *page);
PetscErrorCode PageBeams(PlanPage *page);
PetscErrorCode PageSolution(PlanPage *page);
PetscErrorCode PageOrigin(PlanPage *page);
