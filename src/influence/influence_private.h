/* Shared by the implementations of the dose operator. */
#pragma once
#include "robion/influence.h"
#include <stdint.h>

/*
 * Per depth node of one lateral component: depth, idd, sigma, share, LET, then alpha and sqrt(beta) of each tissue. Of a model of
 * emitters: behind share the channels of each.
 */
enum { NODE_DEPTH, NODE_IDD, NODE_SIGMA, NODE_SHARE, NODE_LET, NODE_TISSUE, NODE_EMISSION = NODE_LET };
enum { NODE_LARGEST = NODE_TISSUE + 2 * TISSUES_MOST };

/* Width of the bins that find the nodes around a depth. */
#define BIN_MM 0.5

typedef struct LayerTable {
  PetscInt n_node, n_bin;
  float *node;  /* [n_node][node_size] */
  int32_t *bin; /* node at or before depth bin * BIN_MM */
  double spot_sigma_mm;
} LayerTable;

typedef struct BeamTable {
  LayerTable *layer; /* [component][layer] */
  /* Runs sorted into square cells of the isocentre plane, row by row. */
  double x0_mm, y0_mm, cell_mm;
  double longest_reach_mm[MACHINE_MOST_COMPONENTS]; /* of any layer at any depth */
  PetscInt nx, ny;
  PetscInt *cell_start;       /* [nx*ny + 1] */
  PetscInt *run;              /* run indices in cell order */
  float *run_x_mm, *run_y_mm; /* in cell order */
} BeamTable;

typedef struct Splitting_s *Splitting;

struct DoseModel_s {
  const Case *patient;
  const Machine *machine;
  const BeamSet *beams;
  const Tissues *tissues; /* NULL: a model of emitters */
  PetscInt n_group;       /* tissues, or emitters */
  double dropped;
  PetscInt n_component, node_size, max_layer, max_run_entries;
  BeamTable *beam;
  Splitting split; /* of spots that are split into sub-beams, else NULL (splitting.h) */
};

/* The same model of other beams whose spots in air are narrower by a factor. */
PetscErrorCode DoseModelCreateNarrowed(const struct DoseModel_s *like, const BeamSet *beams, double factor,
                                       DoseModel *model);

/* All entries of one voxel and lateral component of a beam: runs of spots over consecutive layers, and the layer factors
 * of the other channels. */
typedef struct Row {
  PetscInt first_layer, n_layer; /* layers that reach the voxel */
  PetscInt n_run;
  int32_t *first_spot;         /* [n_run] */
  uint16_t *run_layer, *run_n; /* [n_run] first layer, relative to first_layer; length */
  size_t n_value;
  float *value;              /* runs one after the other */
  float *factor;             /* [3][n_layer]: alpha, sqrt(beta), LET */
  float *norm, *rate, *cut2; /* scratch: [layer] amplitude, 1/(2 sigma^2), squared cut-off */
} Row;

/* Interpolate the base data of a layer: its node record at a depth (not its NODE_DEPTH); false beyond the table. */
PetscBool LayerRecord(const LayerTable *table, PetscInt node_size, float depth_mm, float *record);

PetscErrorCode RowCreate(const struct DoseModel_s *model, Row *row);
PetscErrorCode RowDestroy(Row *row);

/* Fill the row of a voxel at BEV (u, v, w) and water-equivalent depth; row->n_run 0 if no spot reaches it. */
void RowBuild(const struct DoseModel_s *model, PetscInt beam, PetscInt component, PetscInt tissue,
              const double bev_mm[3], double depth_mm, Row *row);

/* Fill a row with the entries of one run at a squared distance from its axis and a depth. */
void RowBuildOfRun(const struct DoseModel_s *model, PetscInt beam, PetscInt component, PetscInt tissue, PetscInt run,
                   double r2_mm2, double depth_mm, Row *row);

/* channel sums of a row: out[N_CHANNELS] += row * weight; layer_sum is scratch of max_layer doubles. */
void RowApply(const Row *row, const double *weight, double *layer_sum, double out[N_CHANNELS]);

/* gradient += row^T cotangent; layer_factor is scratch of max_layer doubles. */
void RowApplyTranspose(const Row *row, const double cotangent[N_CHANNELS], double *layer_factor, double *gradient);

struct Depths_s {
  DoseModel model;
  const Grid *grid;
  PetscInt n;
  const PetscInt *voxel;
  PetscInt n_trace;  /* traces; 1 serves all views, 0: every operator traces its own */
  PetscInt *trace;   /* [view] number of its trace; NULL: the only one */
  double *wepl_mm;   /* [trace][beam][n] in the patient, without range error */
  double *passed_mm; /* [trace][beam][n] before the patient */
  size_t bytes;
};

/* DepthsCreate, or the depths in the views of a set if they depend on these. */
PetscErrorCode DepthsTrace(DoseModel model, const ScenarioSet *set, const Grid *grid, PetscInt n, const PetscInt *voxel,
                           Depths *depths);

struct Influence_s {
  DoseModel model;
  Factored factored; /* of one that looks doses up, else NULL; not owned */
  const ScenarioSet *set;
  PetscInt n;
  double *bev_mm;        /* [view][beam][n][3]; of one that looks doses up: places in planes, factor (sampled.c) */
  Depths depths;         /* of these voxels, in the set's views or in all */
  Depths own_depths;     /* the same if nobody else has them, else NULL */
  unsigned char *tissue; /* [n] */
  void *data;            /* of the implementation */
  size_t entries, bytes;
  /* of an implementation: `sums` are those in a phase, set->of_phase */
  PetscErrorCode (*apply)(Influence, PetscInt, const double *, double *);
  PetscErrorCode (*apply_all)(Influence, const PetscBool *, const double *, double *); /* NULL: sums by sums */
  PetscErrorCode (*transpose)(Influence, PetscInt, const double *, double *);
  PetscErrorCode (*destroy)(Influence);
};

/* Index of a (view, beam) pair's arrays. */
static inline size_t SightIndex(const struct Influence_s *influence, PetscInt view, PetscInt beam)
{
  return ((size_t)view * (size_t)influence->model->beams->n_beam + (size_t)beam) * (size_t)influence->n;
}

/* What range errors scale the patient's stopping powers by on the way of a beam. */
static inline double SumsFactor(const struct Influence_s *influence, PetscInt sums, PetscInt beam)
{
  return SumsRangeFactor(influence->set, sums, influence->model->beams->beam[beam].number);
}

/* The tables that a voxel's response in sums is of. */
static inline PetscInt SumsTissue(const struct Influence_s *influence, PetscInt sums, PetscInt v)
{
  const Tissues *tissues = influence->model->tissues;
  return influence->tissue[v] + (tissues ? influence->set->of_phase[sums].model * tissues->n : 0);
}

/* Index of a (view, beam) pair's depths. */
static inline size_t DepthIndex(const struct Depths_s *depths, PetscInt view, PetscInt beam)
{
  const PetscInt trace = depths->trace ? depths->trace[view] : 0;
  return ((size_t)trace * (size_t)depths->model->beams->n_beam + (size_t)beam) * (size_t)depths->n;
}

/* Depth of a voxel in sums: their range error scales what the patient adds. */
static inline double SumsDepth_mm(const struct Influence_s *influence, PetscInt sums, PetscInt beam, PetscInt v)
{
  const size_t at = DepthIndex(influence->depths, influence->set->of_phase[sums].view, beam) + (size_t)v;
  const double factor = SumsFactor(influence, sums, beam);
  return influence->depths->wepl_mm[at] * factor + influence->depths->passed_mm[at];
}

/* The operator is a sum of parts: every lateral component of every beam. */
static inline PetscInt PartCount(const struct Influence_s *influence)
{
  return influence->model->beams->n_beam * influence->model->n_component;
}

static inline PetscInt PartBeam(const struct Influence_s *influence, PetscInt part)
{
  return part / influence->model->n_component;
}

static inline PetscInt PartComponent(const struct Influence_s *influence, PetscInt part)
{
  return part % influence->model->n_component;
}

PetscErrorCode InfluenceCreate_Assembled(Influence influence);
PetscErrorCode InfluenceCreate_Streamed(Influence influence);
PetscErrorCode InfluenceCreate_Factored(Influence influence);
PetscErrorCode InfluenceCreate_Split(Influence influence);
PetscErrorCode FactoredGetModel(Factored factored, DoseModel *model);
