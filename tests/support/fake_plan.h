/* A small plan with made-up numbers: grid 7 x 5 x nz, two structures, two beams (one without spots), three scenarios. */
#pragma once
#include "robion/results.h"
#include <stdlib.h>
#include <string.h>

enum { FAKE_BAND = 11, FAKE_SPOTS = 50, FAKE_SCENARIOS = 3 };

/* Rows of a scenario: of two structures, all metrics of quantities that every plan has. */
static inline PetscInt FakeMetricCount(void)
{
  PetscInt n = 0;
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].kept == KEPT_ALWAYS) n += 2 * quantities[q].n_metric;
  return n;
}

typedef struct FakePlan {
  PlanResult result;
  Region region[2];
  PlanBeam beam[2];
  DVHBand band[2];
  ScenarioDose scenario_dose[2];
  MetricList metrics[FAKE_SCENARIOS], statistics[SCENARIO_STATISTICS];
  Scenario scenario[FAKE_SCENARIOS];
  ScenarioSet set;
  float *dose[QUANTITIES_MOST];
  Biology biology[2];
  Biology *biology_list[2];
  Tissues tissues; /* the second, of another alpha_x, in every third voxel */
  double *spot;
  double multiplier[FAKE_SCENARIOS];
  IterationRecord history[2];
  StageTime time[4];
  Provenance provenance;
  InputFile input;
} FakePlan;

static inline void FakeMetrics(FakePlan *f, double scale, MetricList *list)
{
  float *hotter[QUANTITIES_MOST];
  size_t n = GridSize(&f->result.grid);
  for (Quantity q = 0; q < n_quantities; q++) {
    hotter[q] = malloc(n * sizeof(float));
    for (size_t v = 0; v < n; v++) hotter[q][v] = (float)scale * f->dose[q][v];
  }
  const float *dose[QUANTITIES_MOST] = {NULL};
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].kept == KEPT_ALWAYS) dose[q] = hotter[q];
  for (int i = 0; i < 2; i++)
    if (MetricsOfStructure(&f->region[i], &f->result.grid, dose, 4, list)) abort();
  for (Quantity q = 0; q < n_quantities; q++) free(hotter[q]);
}

static inline void FakeDoses(FakePlan *f, PetscInt nz)
{
  f->result.grid = (Grid){{7, 5, nz}, {3, 3, 3}, {-9, -6, 1.5}};
  size_t n = GridSize(&f->result.grid);
  unsigned seed = 7;
  for (Quantity q = 0; q < n_quantities; q++) {
    f->dose[q] = malloc(n * sizeof(float));
    for (size_t v = 0; v < n; v++) {
      seed = seed * 1664525u + 1013904223u;
      f->dose[q][v] = (float)(seed >> 8) / (float)(1 << 22);
    }
    f->result.nominal[q] = f->dose[q];
  }
  f->result.robust_min = f->dose[QUANTITY_PHYSICAL];
  f->result.robust_max = f->dose[QUANTITY_RBE_WEIGHTED];
  f->result.robust_sd = f->dose[QUANTITY_LETD];
}

static inline void FakeTissues(FakePlan *f)
{
  static const char *const structures[] = {"all other voxels", "Cord, left"};
  size_t n = GridSize(&f->result.grid);
  f->tissues = (Tissues){.n = 2, .biology = f->biology_list, .of_voxel = malloc(n)};
  for (size_t v = 0; v < n; v++) f->tissues.of_voxel[v] = v % 3 == 2;
  for (int t = 0; t < 2; t++) {
    f->biology_list[t] = &f->biology[t];
    if (BiologySpecDefault(&f->biology[t].spec)) abort();
  }
  f->biology[1].spec.alpha_x_per_Gy = 0.5;
  f->result.tissues = &f->tissues;
  f->result.tissue_structures = structures;
}

static inline void FakeStructures(FakePlan *f)
{
  static PetscInt voxel[2][6] = {{3, 4, 10, 11, 17, 18}, {0, 1, 2, 20, 21, 22}};
  static float fraction[2][6] = {{1, 1, 1, 0.5f, 1, 1}, {1, 0.25f, 1, 1, 1, 1}};
  f->region[0] = (Region){(char *)"CTV", ROLE_TARGET, 6, voxel[0], fraction[0], 0.1485};
  f->region[1] = (Region){(char *)"Cord, left", ROLE_OAR, 6, voxel[1], fraction[1], 0.14175};
  f->result.n_regions = 2;
  f->result.regions = f->region;
  for (int i = 0; i < 2; i++) {
    DVH dvh;
    if (DVHBandCreate(f->region[i].name, QUANTITY_RBE_WEIGHTED, FAKE_BAND, 5, FAKE_SCENARIOS, &f->band[i])) abort();
    if (DVHCreate(&f->region[i], &f->result.grid, f->dose[QUANTITY_RBE_WEIGHTED], &dvh)) abort();
    if (DVHBandAdd(&f->band[i], &dvh, 0, PETSC_TRUE) || DVHDestroy(&dvh)) abort();
  }
  f->result.n_bands = 2;
  f->result.bands = f->band;
}

static inline void FakeScenarios(FakePlan *f)
{
  f->scenario[0] = (Scenario){.biology = BIOLOGY_NOMINAL,
                              .phase_name = "",
                              .id = "nominal",
                              .shift_mm = {0, 0, 0},
                              .range_percent = 0,
                              .weight = 0,
                              .in_set = PETSC_FALSE};
  f->scenario[1] = (Scenario){.biology = BIOLOGY_NOMINAL,
                              .phase_name = "",
                              .id = "r-3.5",
                              .shift_mm = {0, 0, 0},
                              .range_percent = -3.5,
                              .weight = 0.5,
                              .in_set = PETSC_TRUE};
  f->scenario[2] = (Scenario){.biology = BIOLOGY_NOMINAL,
                              .phase_name = "",
                              .id = "r+3.5_x+2",
                              .shift_mm = {2, 0, 0},
                              .range_percent = 3.5,
                              .weight = 0.5,
                              .in_set = PETSC_TRUE};
  f->set.n = FAKE_SCENARIOS;
  f->set.n_set = 2;
  f->set.scenario = f->scenario;
  f->result.optimize = f->result.evaluate = &f->set;
  for (int i = 0; i < 2; i++) {
    const size_t n = GridSize(&f->result.grid);
    f->scenario_dose[i] = (ScenarioDose){1 + i, 0.01 * (1 + i), malloc(n)};
    for (size_t v = 0; v < n; v++) f->scenario_dose[i].value[v] = (unsigned char)(7 * v + (size_t)i);
  }
  f->result.n_scenario_doses = 2;
  f->result.scenario_doses = f->scenario_dose;
  for (int s = 0; s < FAKE_SCENARIOS; s++) FakeMetrics(f, 1 + 0.1 * s, &f->metrics[s]);
  if (MetricsOverScenarios(2, f->metrics + 1, f->statistics)) abort();
  f->result.metrics = f->metrics;
  f->result.statistics = f->statistics;
}

static inline void FakeSpots(FakePlan *f)
{
  f->spot = malloc(5 * FAKE_SPOTS * sizeof(double));
  for (int i = 0; i < 5 * FAKE_SPOTS; i++) f->spot[i] = 100 + i / 3.0;
  f->beam[0] = (PlanBeam){.gantry_deg = 90,
                          .couch_deg = 10,
                          .isocentre_mm = {1, 2, 3},
                          .n = FAKE_SPOTS,
                          .x_mm = f->spot,
                          .y_mm = f->spot + FAKE_SPOTS,
                          .energy_MeV_u = f->spot + 2 * FAKE_SPOTS,
                          .particles = f->spot + 3 * FAKE_SPOTS,
                          .spot_fwhm_mm = f->spot + 4 * FAKE_SPOTS,
                          .range_shifter_mm = 30,
                          .range_shifter_to_isocentre_mm = 250};
  f->beam[1] = (PlanBeam){.gantry_deg = 270,
                          .isocentre_mm = {1, 2, 3},
                          .x_mm = f->spot,
                          .y_mm = f->spot,
                          .energy_MeV_u = f->spot,
                          .particles = f->spot,
                          .spot_fwhm_mm = f->spot};
  f->result.spots = (PlanSpots){2, f->beam, POSITION_FFP};
}

/* The same on every rank. */
static inline FakePlan *FakePlanCreate(PetscInt nz)
{
  FakePlan *f = calloc(1, sizeof *f);
  PlanResult *r = &f->result;
  FakeDoses(f, nz);
  FakeTissues(f);
  FakeStructures(f);
  FakeScenarios(f);
  FakeSpots(f);
  r->study = "fake";
  r->patient = "P01";
  r->arm = "worst, \"case\"";
  r->sweep = "spots.layer_mm=2";
  r->yaml = "robion: 1\nname: fake\n";
  r->prescription_Gy_RBE = 4;
  r->fractions = 10;
  r->target = "CTV";
  r->machine_name = "builtin-12C";
  r->machine_hash = "00ff";
  r->ion = "12C";
  f->multiplier[1] = 0.25;
  f->multiplier[2] = 0.75;
  f->history[0] = (IterationRecord){1, 2, 3.5, 4.5, 0.5};
  f->history[1] = (IterationRecord){2, 4, 2.5, 3, 0.25};
  r->optimizer = (OptimizerReport){
      .mode = "composite",
      .reason = "converged",
      .iterations = 2,
      .evaluations = 4,
      .objective = 2.5,
      .n_history = 2,
      .history = f->history,
      .n_group = 1,
      .multiplier = f->multiplier,
      .certificate = {.known = PETSC_TRUE, .rigorous = PETSC_TRUE, .objective = 2.5, .lower_bound = 2.4, .gap = 0.04}};
  f->time[0] = (StageTime){"prepare", 1};
  f->time[1] = (StageTime){"build", 3};
  f->time[2] = (StageTime){"optimize", 12.5};
  f->time[3] = (StageTime){"evaluate", 58.5};
  r->n_times = 4;
  r->times = f->time;
  r->peak_memory_MiB = 1536;
  ProvenanceBuild(&f->provenance);
  r->provenance = &f->provenance;
  f->input = (InputFile){"case", "p01.h5", "85944171f73967e8", 6};
  r->n_inputs = 1;
  r->inputs = &f->input;
  return f;
}

static inline void FakePlanDestroy(FakePlan *f)
{
  for (Quantity q = 0; q < n_quantities; q++) free(f->dose[q]);
  for (int s = 0; s < FAKE_SCENARIOS; s++)
    if (MetricListDestroy(&f->metrics[s])) abort();
  for (int k = 0; k < SCENARIO_STATISTICS; k++)
    if (MetricListDestroy(&f->statistics[k])) abort();
  for (int i = 0; i < 2; i++)
    if (DVHBandDestroy(&f->band[i])) abort();
  for (int i = 0; i < 2; i++) free(f->scenario_dose[i].value);
  free(f->tissues.of_voxel);
  free(f->spot);
  free(f);
}
