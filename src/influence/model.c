/* Look-up tables of the dose operator: base data of every layer, and the spots sorted by place. */
#include "splitting.h"
#include <math.h>
#include <stdlib.h>

_Static_assert((int)N_EMISSIONS == (int)N_CHANNELS, "an emitter has as many sources as a tissue has channels");

/* What a node has beside depth, dose, sigma and share; `at`: of lateral component k in machine tables. */
static void FillChannels(const struct DoseModel_s *model, PetscInt e, PetscInt k, PetscInt d, size_t at, float *node)
{
  const Machine *m = model->machine;
  const Tissues *tissues = model->tissues;
  const PetscInt n_emission = model->n_group * N_EMISSIONS;
  for (PetscInt c = 0; !tissues && c < n_emission; c++)
    node[NODE_EMISSION + c] = m->emission[((e * n_emission + c) * m->n_component + k) * m->n_depth + d];
  if (tissues) node[NODE_LET] = (float)m->component_letd_keV_um[at];
  for (PetscInt t = 0; tissues && t < model->n_group; t++) {
    node[NODE_TISSUE + 2 * t] = (float)tissues->biology[t]->alpha_per_Gy[at];
    node[NODE_TISSUE + 2 * t + 1] = (float)tissues->biology[t]->sqrt_beta_per_Gy[at];
  }
}

static PetscErrorCode LayerTableCreate(const struct DoseModel_s *model, const Beam *beam, PetscInt e, PetscInt k,
                                       double factor, LayerTable *table)
{
  PetscFunctionBegin;
  const Machine *m = model->machine;
  const PetscInt node_size = model->node_size;
  const size_t D = (size_t)m->n_depth, row = (size_t)e * D, part = (size_t)(e * m->n_component + k) * D;
  table->n_node = m->n_depth;
  table->spot_sigma_mm = factor * m->spot_sigma_mm[e];
  PetscCall(PetscMalloc1(D * (size_t)node_size, &table->node));
  for (size_t d = 0; d < D; d++) {
    float *node = table->node + d * (size_t)node_size;
    node[NODE_DEPTH] = (float)m->depth_mm[row + d];
    node[NODE_IDD] = (float)m->idd_Gy_mm2[row + d];
    node[NODE_SIGMA] = (float)m->sigma_mm[part + d];
    if (beam->range_shifter_mm > 0)
      node[NODE_SIGMA] = (float)sqrt(m->sigma_mm[part + d] * m->sigma_mm[part + d] +
                                     MachineRangeShifterSpread2_mm2(m, e, beam->range_shifter_mm,
                                                                    beam->range_shifter_gap_mm, m->depth_mm[row + d]));
    node[NODE_SHARE] = (float)m->component[part + d];
    FillChannels(model, e, k, (PetscInt)d, part + d, node);
  }
  table->n_bin = (PetscInt)(m->depth_mm[row + D - 1] / BIN_MM) + 1;
  PetscCall(PetscMalloc1(table->n_bin, &table->bin));
  for (PetscInt b = 0, d = 0; b < table->n_bin; b++) {
    while (d + 2 < table->n_node && table->node[(size_t)(d + 1) * (size_t)node_size] <= (float)(b * BIN_MM)) d++;
    table->bin[b] = d;
  }
  PetscFunctionReturn(0);
}

typedef struct CellKey {
  PetscInt cell, run;
} CellKey;

static int CompareCells(const void *a, const void *b)
{
  const CellKey *x = a, *y = b;
  return x->cell != y->cell ? (x->cell > y->cell) - (x->cell < y->cell) : (x->run > y->run) - (x->run < y->run);
}

/* Sort the runs of a beam into cells, so that those near a voxel are found without a search. */
static PetscErrorCode SortRuns(const Beam *beam, BeamTable *table)
{
  PetscFunctionBegin;
  double x1 = -INFINITY, y1 = -INFINITY;
  CellKey *key;
  table->x0_mm = table->y0_mm = INFINITY;
  table->cell_mm = 4;
  for (PetscInt r = 0; r < beam->n_run; r++) {
    table->x0_mm = PetscMin(table->x0_mm, beam->run[r].x_mm), x1 = PetscMax(x1, beam->run[r].x_mm);
    table->y0_mm = PetscMin(table->y0_mm, beam->run[r].y_mm), y1 = PetscMax(y1, beam->run[r].y_mm);
  }
  if (!beam->n_run) table->x0_mm = table->y0_mm = x1 = y1 = 0;
  table->nx = (PetscInt)((x1 - table->x0_mm) / table->cell_mm) + 1;
  table->ny = (PetscInt)((y1 - table->y0_mm) / table->cell_mm) + 1;
  PetscCall(PetscMalloc1(beam->n_run, &key));
  PetscCall(PetscCalloc1((size_t)table->nx * (size_t)table->ny + 1, &table->cell_start));
  PetscCall(PetscMalloc3(beam->n_run, &table->run, beam->n_run, &table->run_x_mm, beam->n_run, &table->run_y_mm));
  for (PetscInt r = 0; r < beam->n_run; r++) {
    PetscInt ix = (PetscInt)((beam->run[r].x_mm - table->x0_mm) / table->cell_mm);
    PetscInt iy = (PetscInt)((beam->run[r].y_mm - table->y0_mm) / table->cell_mm);
    key[r] = (CellKey){iy * table->nx + ix, r};
    table->cell_start[key[r].cell + 1]++;
  }
  for (PetscInt c = 0; c < table->nx * table->ny; c++) table->cell_start[c + 1] += table->cell_start[c];
  qsort(key, (size_t)beam->n_run, sizeof *key, CompareCells);
  for (PetscInt r = 0; r < beam->n_run; r++) {
    table->run[r] = key[r].run;
    table->run_x_mm[r] = (float)beam->run[key[r].run].x_mm;
    table->run_y_mm[r] = (float)beam->run[key[r].run].y_mm;
  }
  PetscCall(PetscFree(key));
  PetscFunctionReturn(0);
}

/* No spot of the beam reaches further at any depth. */
static double LongestReach_mm(const struct DoseModel_s *model, const LayerTable *layer, PetscInt n_layer)
{
  double longest2 = 0;
  for (PetscInt l = 0; l < n_layer; l++)
    for (PetscInt d = 0; d < layer[l].n_node; d++) {
      const float *node = layer[l].node + (size_t)d * (size_t)model->node_size;
      double sigma2 = layer[l].spot_sigma_mm * layer[l].spot_sigma_mm + (double)node[NODE_SIGMA] * node[NODE_SIGMA];
      longest2 = PetscMax(longest2, 2 * sigma2);
    }
  return sqrt(longest2 * -log(PetscMin(model->dropped / model->n_component, 0.5))) * (1 + 1e-5);
}

/* Tables of one beam: every component of every layer, and the places of the runs. */
static PetscErrorCode BeamTableCreate(const struct DoseModel_s *model, const Beam *beam, double factor,
                                      BeamTable *table)
{
  PetscFunctionBegin;
  const PetscInt n = beam->n_layer;
  PetscCall(PetscCalloc1(model->n_component * n, &table->layer));
  for (PetscInt k = 0; k < model->n_component; k++) {
    for (PetscInt l = 0; l < n; l++)
      PetscCall(LayerTableCreate(model, beam, beam->energy[l], k, factor, &table->layer[k * n + l]));
    table->longest_reach_mm[k] = LongestReach_mm(model, table->layer + k * n, n);
  }
  PetscCall(SortRuns(beam, table));
  PetscFunctionReturn(0);
}

/* The tables of a model whose other fields are set. */
static PetscErrorCode CreateTables(DoseModel model, double factor)
{
  PetscFunctionBegin;
  const BeamSet *beams = model->beams;
  PetscCall(PetscCalloc1(beams->n_beam, &model->beam));
  for (PetscInt b = 0; b < beams->n_beam; b++) {
    PetscCall(BeamTableCreate(model, &beams->beam[b], factor, &model->beam[b]));
    model->max_layer = PetscMax(model->max_layer, beams->beam[b].n_layer);
    model->max_run_entries = PetscMax(model->max_run_entries, beams->beam[b].n_spot);
  }
  PetscFunctionReturn(0);
}

/* A model without its tables. */
static PetscErrorCode CreateFrame(const Case *patient, const Machine *machine, const BeamSet *beams, double dropped,
                                  DoseModel *out)
{
  PetscFunctionBegin;
  PetscCheck(machine->n_component <= MACHINE_MOST_COMPONENTS, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "machine %s has %d lateral components, expected at most %d", machine->name, (int)machine->n_component,
             (int)MACHINE_MOST_COMPONENTS);
  PetscCall(PetscNew(out));
  (*out)->patient = patient;
  (*out)->machine = machine;
  (*out)->beams = beams;
  (*out)->dropped = dropped;
  (*out)->n_component = machine->n_component;
  PetscFunctionReturn(0);
}

PetscErrorCode EmissionModelCreate(const Case *patient, const Machine *machine, const BeamSet *beams,
                                   double dropped_dose_fraction, DoseModel *out)
{
  PetscFunctionBegin;
  PetscCheck(NODE_EMISSION + machine->n_emitter * N_EMISSIONS <= NODE_LARGEST, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "machine %s has %d emitters, expected at most %d", machine->name, (int)machine->n_emitter,
             (int)((NODE_LARGEST - NODE_EMISSION) / N_EMISSIONS));
  PetscCall(CreateFrame(patient, machine, beams, dropped_dose_fraction, out));
  (*out)->n_group = machine->n_emitter;
  (*out)->node_size = NODE_EMISSION + machine->n_emitter * N_EMISSIONS;
  PetscCall(CreateTables(*out, 1));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseModelCreate(const Case *patient, const Machine *machine, const Tissues *tissues,
                               const BeamSet *beams, double dropped_dose_fraction, DoseModel *out)
{
  PetscFunctionBegin;
  DoseModel model;
  const PetscInt n_group = (1 + tissues->n_model) * tissues->n;
  PetscCheck(n_group >= 1 && n_group <= TISSUES_MOST, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%d tissues of all models, expected 1 to %d", (int)n_group, (int)TISSUES_MOST);
  PetscCall(CreateFrame(patient, machine, beams, dropped_dose_fraction, &model));
  model->tissues = tissues;
  model->n_group = n_group;
  model->node_size = NODE_TISSUE + 2 * n_group;
  PetscCall(CreateTables(model, 1));
  if (beams->splitting != SPLITTING_NONE) PetscCall(SplittingCreate(model, &model->split));
  *out = model;
  PetscFunctionReturn(0);
}

PetscErrorCode DoseModelCreateNarrowed(const struct DoseModel_s *like, const BeamSet *beams, double factor,
                                       DoseModel *out)
{
  PetscFunctionBegin;
  DoseModel model;
  PetscCall(PetscNew(&model));
  *model = *like;
  model->beams = beams;
  model->max_layer = model->max_run_entries = 0;
  PetscCall(CreateTables(model, factor));
  *out = model;
  PetscFunctionReturn(0);
}

PetscBool DoseModelIsSplit(DoseModel model)
{
  return model->split ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode DoseModelTrace(MPI_Comm team, DoseModel model, const ScenarioSet *set)
{
  PetscFunctionBegin;
  if (model->split) PetscCall(SplittingTraceTogether(model->split, team, set));
  PetscFunctionReturn(0);
}

PetscErrorCode DoseModelDestroy(DoseModel *model)
{
  PetscFunctionBegin;
  if (!*model) PetscFunctionReturn(0);
  PetscCall(SplittingDestroy(&(*model)->split));
  for (PetscInt b = 0; b < (*model)->beams->n_beam; b++) {
    BeamTable *table = &(*model)->beam[b];
    for (PetscInt l = 0; l < (*model)->n_component * (*model)->beams->beam[b].n_layer; l++) {
      PetscCall(PetscFree(table->layer[l].node));
      PetscCall(PetscFree(table->layer[l].bin));
    }
    PetscCall(PetscFree(table->layer));
    PetscCall(PetscFree(table->cell_start));
    PetscCall(PetscFree3(table->run, table->run_x_mm, table->run_y_mm));
  }
  PetscCall(PetscFree((*model)->beam));
  PetscCall(PetscFree(*model));
  PetscFunctionReturn(0);
}
