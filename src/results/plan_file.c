/*
 * plan.h5: everything a plan is and was made from, in groups by subject, each dataset with unit and meaning. What all ranks know is
 * written by their shares of it; facts of the run (time, host) come last, so that the bytes before them are the same on any number
 * of ranks.
 */
#include "robion/results.h"
#include "robion/log.h"
#include "plan_file_private.h"
#include "plan_names.h"
#include <string.h>

PetscErrorCode PlanNumberWrite(SharedFile *file, PlanNumber which, double number)
{
  PetscFunctionBegin;
  PetscCall(SharedFileNumber(file, plan_numbers[which].object, plan_numbers[which].name, number));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanTextWrite(SharedFile *file, PlanText which, const char *text)
{
  PetscFunctionBegin;
  PetscCall(SharedFileString(file, plan_texts[which].object, plan_texts[which].name, text));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteRoot(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  char hash[17];
  const char *const text[N_PLAN_TEXTS] = {
      [PLAN_STUDY] = r->study, [PLAN_CASE] = r->patient,    [PLAN_ARM] = r->arm,
      [PLAN_SWEEP] = r->sweep, [PLAN_SETTINGS_HASH] = hash, [PLAN_TARGET] = r->target};
  SettingsHash(r->yaml, hash);
  PetscCall(SharedFileString(file, "/", "format", "robion-plan"));
  PetscCall(SharedFileNumber(file, "/", "format_version", PLAN_FORMAT_VERSION));
  PetscCall(SharedFileString(file, "/", "software", "robion"));
  PetscCall(SharedFileString(file, "/", "software_version", r->provenance->version));
  for (int t = 0; t < N_PLAN_TEXTS; t++)
    if (text[t]) PetscCall(PlanTextWrite(file, t, text[t]));
  if (r->spot_control) PetscCall(SharedFileString(file, "/", "spot_control", r->spot_control));
  PetscCall(PlanNumberWrite(file, PLAN_PRESCRIPTION_Gy_RBE, r->prescription_Gy_RBE));
  PetscCall(PlanNumberWrite(file, PLAN_FRACTIONS, (double)r->fractions));
  PetscCall(SharedFileStrings(file, DATASET_SETTINGS, 1, &r->yaml, "effective settings of this plan, YAML"));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteGrid(SharedFile *file, const Grid *grid)
{
  PetscFunctionBegin;
  static const char *const axis[3] = {"x_mm", "y_mm", "z_mm"};
  static const char *const meaning[3] = {"voxel centres along x (patient left)", "voxel centres along y (posterior)",
                                         "voxel centres along z (superior)"};
  double *centre;
  PetscCall(SharedFileGroup(file, GROUP_GRID));
  PetscCall(SharedFileString(file, GROUP_GRID, "coordinates", "DICOM LPS, mm; datasets have the shape z, y, x"));
  PetscCall(SharedFileDoubles(file, GROUP_GRID, GRID_SPACING, 3, grid->spacing_mm));
  PetscCall(SharedFileDoubles(file, GROUP_GRID, GRID_ORIGIN, 3, grid->origin_mm));
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscMalloc1(grid->n[a], &centre));
    for (PetscInt i = 0; i < grid->n[a]; i++) centre[i] = grid->origin_mm[a] + (double)i * grid->spacing_mm[a];
    PetscCall(SharedFileColumn(file, GROUP_GRID, axis[a], grid->n[a], centre, "mm", meaning[a]));
    PetscCall(PetscFree(centre));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteStructures(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  char group[256], path[300];
  PetscCall(SharedFileGroup(file, GROUP_STRUCTURES));
  for (PetscInt k = 0; k < r->n_regions; k++) {
    const Region *region = &r->regions[k];
    hsize_t n = (hsize_t)region->n;
    PlanNamedPath(GROUP_STRUCTURES, region->name, group);
    snprintf(path, sizeof path, "%s/voxel", group);
    PetscCall(SharedFileArray(file, path, sizeof(PetscInt) == 4 ? H5T_NATIVE_INT : H5T_NATIVE_LLONG, 1, &n,
                              region->voxel, "1",
                              "index of the voxel in a dose array read as one row (z, y, x order)"));
    snprintf(path, sizeof path, "%s/fraction", group);
    PetscCall(SharedFileArray(file, path, H5T_NATIVE_FLOAT, 1, &n, region->fraction, "1",
                              "part of the voxel's volume inside the structure"));
    PetscCall(SharedFileString(file, group, "name", region->name));
    PetscCall(SharedFileString(file, group, "role", role_names[region->role]));
    PetscCall(SharedFileNumber(file, group, "volume_cm3", region->volume_cm3));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteMachine(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  PetscCall(SharedFileGroup(file, "/machine"));
  PetscCall(SharedFileString(file, "/machine", "name", r->machine_name));
  PetscCall(SharedFileString(file, "/machine", "hash", r->machine_hash));
  PetscCall(PlanTextWrite(file, PLAN_ION, r->ion));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteScenarioNumbers(SharedFile *file, const char *group, const ScenarioSet *set)
{
  PetscFunctionBegin;
  static const char *const name[] = {"x_mm", "y_mm", "z_mm", "range_percent", "weight"};
  static const char *const unit[] = {"mm", "mm", "mm", "%", "1"};
  static const char *const meaning[] = {"shift of the patient along x", "shift of the patient along y",
                                        "shift of the patient along z", "change of all stopping powers",
                                        "weight of the scenario, sums to 1"};
  double *column;
  PetscCall(PetscMalloc1(set->n, &column));
  for (int c = 0; c < 5; c++) {
    for (PetscInt s = 0; s < set->n; s++) {
      const Scenario *one = &set->scenario[s];
      column[s] = c < 3 ? one->shift_mm[c] : c == 3 ? one->range_percent : one->weight;
    }
    PetscCall(SharedFileColumn(file, group, name[c], set->n, column, unit[c], meaning[c]));
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

/* A number of every scenario and beam or tissue. */
typedef double NumberOf(const Scenario *scenario, PetscInt column);

static double RangeOfBeam(const Scenario *scenario, PetscInt beam)
{
  return scenario->range_of_beam ? scenario->range_of_beam[beam] : scenario->range_percent;
}
static double AlphaOfTissue(const Scenario *scenario, PetscInt tissue)
{
  return ScenarioFactor(scenario, tissue, 0);
}
static double BetaOfTissue(const Scenario *scenario, PetscInt tissue)
{
  return ScenarioFactor(scenario, tissue, 1);
}

static double Rotation(const Scenario *scenario, PetscInt axis)
{
  return scenario->rotation_deg[axis];
}

static PetscErrorCode WriteNumbersOf(SharedFile *file, const char *group, const char *name, const ScenarioSet *set,
                                     PetscInt n, NumberOf *number, const char *unit, const char *meaning)
{
  PetscFunctionBegin;
  const hsize_t dims[2] = {(hsize_t)set->n, (hsize_t)n};
  char path[64];
  double *table;
  PetscCall(PetscMalloc1(set->n * n, &table));
  for (PetscInt s = 0; s < set->n; s++)
    for (PetscInt i = 0; i < n; i++) table[s * n + i] = (*number)(&set->scenario[s], i);
  snprintf(path, sizeof path, "%s/%s", group, name);
  PetscCall(SharedFileArray(file, path, H5T_NATIVE_DOUBLE, 2, dims, table, unit, meaning));
  PetscCall(PetscFree(table));
  PetscFunctionReturn(0);
}

/* Of sets that have such errors: range errors of every beam, rotations, responses and their factors on every tissue. */
static PetscErrorCode WriteAxes(SharedFile *file, const char *group, const ScenarioSet *set)
{
  PetscFunctionBegin;
  PetscBool ranges = PETSC_FALSE, responses = PETSC_FALSE, rotations = PETSC_FALSE, phases = PETSC_FALSE;
  const char **name, **phase;
  char path[64];
  PetscCall(PetscMalloc2(set->n, &name, set->n, &phase));
  for (PetscInt s = 0; s < set->n; s++) {
    const Scenario *one = &set->scenario[s];
    name[s] = one->biology;
    phase[s] = ScenarioPhaseName(one);
    if (phase[s][0]) phases = PETSC_TRUE;
    if (one->range_of_beam) ranges = PETSC_TRUE;
    if (one->factor || one->model) responses = PETSC_TRUE;
    for (int k = 0; k < 3; k++)
      if (one->rotation_deg[k] != 0) rotations = PETSC_TRUE;
  }
  snprintf(path, sizeof path, "%s/biology", group);
  if (ranges)
    PetscCall(WriteNumbersOf(file, group, "range_percent_of_beams", set, set->n_beam, RangeOfBeam, "%",
                             "change of the stopping powers on the way of each beam"));
  if (rotations)
    PetscCall(WriteNumbersOf(file, group, "rotation_deg", set, 3, Rotation, "degrees",
                             "of the patient about the isocentre of every beam: about x, then y, then z"));
  if (responses) {
    PetscCall(SharedFileStrings(file, path, set->n, name, "name of the response"));
    PetscCall(WriteNumbersOf(file, group, "alpha_factors", set, set->n_tissue, AlphaOfTissue, "1",
                             "on alpha of the ions in each tissue"));
    PetscCall(WriteNumbersOf(file, group, "beta_factors", set, set->n_tissue, BetaOfTissue, "1",
                             "on beta of the ions in each tissue"));
  }
  snprintf(path, sizeof path, "%s/phase", group);
  if (phases)
    PetscCall(SharedFileStrings(file, path, set->n, phase, "of breathing; all: dose accumulated over the phases"));
  PetscCall(PetscFree2(name, phase));
  PetscFunctionReturn(0);
}

PetscErrorCode WriteScenarios(SharedFile *file, const char *group, const ScenarioSet *set)
{
  PetscFunctionBegin;
  char path[64];
  const char **id;
  int *in_set;
  hsize_t n = (hsize_t)set->n;
  PetscCall(PetscMalloc2(set->n, &id, set->n, &in_set));
  for (PetscInt s = 0; s < set->n; s++) {
    id[s] = set->scenario[s].id;
    in_set[s] = set->scenario[s].in_set ? 1 : 0;
  }
  snprintf(path, sizeof path, "%s/id", group);
  PetscCall(SharedFileStrings(file, path, set->n, id, "name of the scenario, the nominal first"));
  PetscCall(WriteScenarioNumbers(file, group, set));
  PetscCall(WriteAxes(file, group, set));
  snprintf(path, sizeof path, "%s/in_set", group);
  PetscCall(SharedFileArray(file, path, H5T_NATIVE_INT, 1, &n, in_set, "1", "0: shown, but not part of the set"));
  PetscCall(PetscFree2(id, in_set));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteBeams(SharedFile *file, const PlanSpots *spots)
{
  PetscFunctionBegin;
  char group[64];
  PetscCall(SharedFileGroup(file, "/plan"));
  PetscCall(PlanTextWrite(file, PLAN_POSITION, patient_position_names[spots->position]));
  for (PetscInt b = 0; b < spots->n_beam; b++) {
    const PlanBeam *beam = &spots->beam[b];
    const double *const column[N_SPOT_COLUMNS] = {[SPOT_X] = beam->x_mm,
                                                  [SPOT_Y] = beam->y_mm,
                                                  [SPOT_ENERGY] = beam->energy_MeV_u,
                                                  [SPOT_PARTICLES] = beam->particles};
    snprintf(group, sizeof group, GROUP_BEAM, (int)b);
    for (int c = SPOT_X; c < N_SPOT_COLUMNS; c++)
      PetscCall(SharedFileColumn(file, group, spot_columns[c].name, beam->n, column[c], spot_columns[c].unit,
                                 spot_columns[c].meaning));
    PetscCall(SharedFileColumn(file, group, BEAM_SPOT_FWHM, beam->n, beam->spot_fwhm_mm, "mm",
                               "FWHM of the spot in air at the isocentre, without range shifter"));
    PetscCall(SharedFileNumber(file, group, "gantry_deg", beam->gantry_deg));
    PetscCall(SharedFileNumber(file, group, "couch_deg", beam->couch_deg));
    PetscCall(SharedFileDoubles(file, group, "isocentre_mm", 3, beam->isocentre_mm));
    PetscCall(SharedFileNumber(file, group, "range_shifter_mm", beam->range_shifter_mm));
    PetscCall(SharedFileNumber(file, group, "range_shifter_to_isocentre_mm", beam->range_shifter_to_isocentre_mm));
    if (beam->target) PetscCall(SharedFileString(file, group, "target", beam->target));
    if (!beam->stage) continue;
    PetscCall(SharedFileString(file, group, "stage", beam->stage));
    PetscCall(SharedFileNumber(file, group, "stage_fractions", beam->stage_fractions));
  }
  PetscFunctionReturn(0);
}

/* A quantity on the grid; `of`: "nominal scenario", ... */
static PetscErrorCode WriteCube(SharedFile *file, const Grid *grid, PlanDoses doses, Quantity quantity, const char *of,
                                const float *dose)
{
  PetscFunctionBegin;
  const QuantityRow *row = &quantities[quantity];
  const hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  char path[64], long_name[160];
  PlanDosePath(doses, quantity, path);
  snprintf(long_name, sizeof long_name, "%s, %s", row->meaning, of);
  PetscCall(SharedFileArray(file, path, H5T_NATIVE_FLOAT, 3, dims, dose, row->unit, long_name));
  PetscFunctionReturn(0);
}

/* The patient that doses lie on, for those who look at them. */
static PetscErrorCode WriteCT(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  const hsize_t dims[3] = {(hsize_t)r->grid.n[2], (hsize_t)r->grid.n[1], (hsize_t)r->grid.n[0]};
  if (r->hu)
    PetscCall(SharedFileArray(file, DATASET_CT, H5T_NATIVE_SHORT, 3, dims, r->hu, "HU",
                              "CT on the dose grid, mean over eight places of each voxel"));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteDoses(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  for (Quantity q = 0; q < n_quantities; q++)
    if (r->nominal[q]) PetscCall(WriteCube(file, &r->grid, PLAN_NOMINAL, q, "nominal scenario", r->nominal[q]));
  if (!r->robust_min) PetscFunctionReturn(0);
  PetscCall(WriteCube(file, &r->grid, PLAN_LOWEST, QUANTITY_RBE_WEIGHTED,
                      "lowest over the evaluation scenarios, voxel by voxel", r->robust_min));
  PetscCall(WriteCube(file, &r->grid, PLAN_HIGHEST, QUANTITY_RBE_WEIGHTED,
                      "highest over the evaluation scenarios, voxel by voxel", r->robust_max));
  PetscCall(WriteCube(file, &r->grid, PLAN_SD, QUANTITY_RBE_WEIGHTED,
                      "standard deviation over the evaluation scenarios, voxel by voxel", r->robust_sd));
  PetscFunctionReturn(0);
}

/* Doses of single scenarios, a byte per voxel. */
static PetscErrorCode WriteScenarioDoses(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  const hsize_t dims[3] = {(hsize_t)r->grid.n[2], (hsize_t)r->grid.n[1], (hsize_t)r->grid.n[0]};
  char path[PLAN_PATH];
  for (PetscInt i = 0; i < r->n_scenario_doses; i++) {
    const ScenarioDose *dose = &r->scenario_doses[i];
    const char *id = r->evaluate->scenario[dose->row].id;
    PlanNamedPath(GROUP_SCENARIO_DOSES, id, path);
    PetscCall(SharedFileArray(file, path, H5T_NATIVE_UCHAR, 3, dims, dose->value, "1",
                              "RBE-weighted dose per fraction of the scenario, in steps of " SCENARIO_DOSE_STEP));
    PetscCall(SharedFileString(file, path, "scenario", id));
    PetscCall(SharedFileNumber(file, path, SCENARIO_DOSE_STEP, dose->step_Gy_RBE));
  }
  PetscFunctionReturn(0);
}

/* Doses of single beams. */
static PetscErrorCode WriteBeamDoses(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  const hsize_t dims[3] = {(hsize_t)r->grid.n[2], (hsize_t)r->grid.n[1], (hsize_t)r->grid.n[0]};
  char path[64];
  for (PetscInt b = 0; r->beam_doses && b < r->spots.n_beam; b++) {
    PlanBeamDosePath(b, path);
    PetscCall(
        SharedFileArray(file, path, H5T_NATIVE_FLOAT, 3, dims, r->beam_doses[b], quantities[QUANTITY_PHYSICAL].unit,
                        "physical dose of the beam alone, nominal scenario; all beams add up to that of the plan"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteControl(SharedFile *file, const char *group, const Outcome *outcome)
{
  PetscFunctionBegin;
  const TCPSpec *tcp = &outcome->spec->parameters->tcp;
  PetscCall(SharedFileString(file, group, "link", tcp_link_names[tcp->link]));
  PetscCall(SharedFileNumber(file, group, "ln_a", tcp->ln_a));
  PetscCall(SharedFileNumber(file, group, "kappa", tcp->kappa));
  PetscCall(SharedFileNumber(file, group, "n0_clonogens", tcp->n0_clonogens));
  PetscCall(SharedFileNumber(file, group, "alpha_per_Gy", tcp->alpha_per_Gy));
  PetscCall(SharedFileNumber(file, group, "alpha_beta_Gy", tcp->alpha_beta_Gy));
  PetscCall(SharedFileNumber(file, group, "fractions", tcp->fractions));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteComplication(SharedFile *file, const char *group, const Outcome *outcome)
{
  PetscFunctionBegin;
  const OutcomeParameters *p = outcome->spec->parameters;
  PetscCall(SharedFileNumber(file, group, "a", p->lkb.a));
  PetscCall(SharedFileNumber(file, group, "m", p->lkb.m));
  PetscCall(SharedFileNumber(file, group, "td50_Gy", p->lkb.td50_Gy));
  PetscCall(SharedFileNumber(file, group, "alpha_beta_Gy", p->fractionation.alpha_beta_Gy));
  PetscCall(SharedFileNumber(file, group, "d_t_Gy", p->fractionation.d_t_Gy));
  PetscCall(SharedFileNumber(file, group, "gamma_over_alpha", p->fractionation.gamma_over_alpha));
  PetscCall(SharedFileNumber(file, group, "fractions", p->fractions));
  PetscCall(SharedFileNumber(file, group, "percent_without_dose", 100 * OutcomeWithoutDose(outcome)));
  PetscFunctionReturn(0);
}

/* Clonogens of the voxels that an outcome was judged by. */
static PetscErrorCode WriteClonogens(SharedFile *file, const char *group, const Grid *grid, const Outcome *outcome)
{
  PetscFunctionBegin;
  static const char *const meaning[N_CELL_CASES] = {
      "clonogens per 27 mm3, as matched", "best case of their uncertainty", "worst case of their uncertainty"};
  const Region *region = &outcome->region;
  const hsize_t dims[3] = {(hsize_t)grid->n[2], (hsize_t)grid->n[1], (hsize_t)grid->n[0]};
  float *cube;
  char path[200];
  PetscCall(PetscCalloc1(GridSize(grid), &cube));
  for (int c = 0; c < N_CELL_CASES; c++) {
    for (PetscInt i = 0; i < region->n; i++) cube[region->voxel[i]] = (float)outcome->clonogens[c][i];
    snprintf(path, sizeof path, "%s/clonogens_%s", group, cell_case_names[c]);
    PetscCall(SharedFileArray(file, path, H5T_NATIVE_FLOAT, 3, dims, cube, "per 27 mm3", meaning[c]));
  }
  PetscCall(PetscFree(cube));
  PetscFunctionReturn(0);
}

/* What outcomes were judged by: the model, its numbers and the clonogens of voxels; that of the study's tumour control is /tcp. */
static PetscErrorCode WriteOutcomes(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  char group[128];
  for (PetscInt i = 0; i < r->outcomes.n; i++) {
    const Outcome *outcome = &r->outcomes.item[i];
    snprintf(group, sizeof group, outcome->spec->name ? "/outcomes/%s" : "/tcp", outcome->spec->name);
    PetscCall(SharedFileGroup(file, group));
    PetscCall(SharedFileString(file, group, "structure", outcome->region.name));
    if (outcome->spec->name) {
      PetscCall(SharedFileString(file, group, "model", outcome->model->name));
      PetscCall(SharedFileString(file, group, "organ", outcome->model->organ));
      PetscCall(SharedFileString(file, group, "endpoint", outcome->model->endpoint));
    }
    if (outcome->model->kind == &outcome_complication) {
      PetscCall(WriteComplication(file, group, outcome));
      continue;
    }
    PetscCall(WriteControl(file, group, outcome));
    PetscCall(WriteClonogens(file, group, &r->grid, outcome));
  }
  PetscFunctionReturn(0);
}

/* What RBE and survival refer to: the index of each voxel's tissue, and the numbers of each tissue as attributes. */
static PetscErrorCode WriteTissues(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  static const char *const number[] = {"alpha_x_per_Gy", "beta_x_per_Gy2", "d_t_Gy", "clinical_factor"};
  const hsize_t dims[3] = {(hsize_t)r->grid.n[2], (hsize_t)r->grid.n[1], (hsize_t)r->grid.n[0]};
  double value[4][TISSUES_MOST];
  if (!r->tissues->of_voxel) PetscFunctionReturn(0);
  PetscCall(SharedFileArray(file, "/tissue", H5T_NATIVE_UCHAR, 3, dims, r->tissues->of_voxel, "1",
                            "tissue that RBE and survival refer to, index into the attributes"));
  for (PetscInt t = 0; t < r->tissues->n; t++) {
    const BiologySpec *biology = &r->tissues->biology[t]->spec;
    const double one[4] = {biology->alpha_x_per_Gy, biology->beta_x_per_Gy2, biology->d_t_Gy, biology->clinical_factor};
    char name[16], text[1024];
    snprintf(name, sizeof name, "tissue_%d", (int)t);
    snprintf(text, sizeof text, "%s: %s", biology->model, r->tissue_structures[t]);
    PetscCall(SharedFileString(file, "/tissue", name, text));
    for (int k = 0; k < 4; k++) value[k][t] = one[k];
  }
  for (int k = 0; k < 4; k++) PetscCall(SharedFileDoubles(file, "/tissue", number[k], (int)r->tissues->n, value[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteBands(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  char structure[PLAN_PATH], group[300], path[320];
  PetscCall(SharedFileGroup(file, GROUP_DVH));
  for (PetscInt i = 0; i < r->n_bands; i++) {
    const DVHBand *band = &r->bands[i];
    PlanNamedPath(GROUP_DVH, band->structure, structure);
    snprintf(group, sizeof group, "%s/%s", structure, quantities[band->quantity].name);
    PetscCall(SharedFileColumn(file, group, "axis", band->n, band->axis, quantities[band->quantity].unit,
                               quantities[band->quantity].meaning));
    PetscCall(SharedFileColumn(file, group, "nominal", band->n, band->nominal, "%",
                               "volume with at least axis, nominal scenario"));
    PetscCall(
        SharedFileColumn(file, group, "min", band->n, band->min, "%", "lowest volume over the evaluation scenarios"));
    PetscCall(
        SharedFileColumn(file, group, "max", band->n, band->max, "%", "highest volume over the evaluation scenarios"));
    const hsize_t dims[2] = {(hsize_t)band->n_scenario, (hsize_t)band->n};
    snprintf(path, sizeof path, "%s/" DVH_SCENARIOS, group);
    PetscCall(SharedFileArray(file, path, H5T_NATIVE_FLOAT, 2, dims, band->scenario, "%",
                              "volume with at least axis, a row for each scenario as in /scenarios"));
  }
  PetscFunctionReturn(0);
}

/* The columns of metrics.csv that differ within a plan: row after row of each scenario, then of the statistics. */
static PetscErrorCode WriteMetrics(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  PetscInt lists = r->evaluate->n + (r->statistics ? SCENARIO_STATISTICS : 0), n = r->metrics[0].n, rows = lists * n;
  const char **scenario, **structure, **quantity, **metric, **unit;
  double *value;
  PetscCall(PetscMalloc6(rows, &scenario, rows, &structure, rows, &quantity, rows, &metric, rows, &unit, rows, &value));
  for (PetscInt s = 0, row = 0; s < lists; s++)
    for (PetscInt i = 0; i < n; i++, row++) {
      PetscInt k = s - r->evaluate->n;
      const Metric *m = k < 0 ? &r->metrics[s].item[i] : &r->statistics[k].item[i];
      scenario[row] = k < 0 ? r->evaluate->scenario[s].id : scenario_statistic_names[k];
      structure[row] = m->structure;
      quantity[row] = quantities[m->quantity].name;
      metric[row] = m->name;
      unit[row] = m->unit;
      value[row] = m->value;
    }
  PetscCall(SharedFileStrings(file, "/metrics/scenario", rows, scenario,
                              "scenario id, or statistic over the evaluation set"));
  PetscCall(SharedFileStrings(file, "/metrics/structure", rows, structure, "structure"));
  PetscCall(SharedFileStrings(file, "/metrics/quantity", rows, quantity, "name of the quantity, as in /dose/nominal"));
  PetscCall(SharedFileStrings(file, "/metrics/metric", rows, metric, "name of the metric"));
  PetscCall(SharedFileColumn(file, "/metrics", "value", rows, value, "see column unit",
                             "value; doses are per fraction, of quantities named ..._course of the course"));
  PetscCall(SharedFileStrings(file, "/metrics/unit", rows, unit, "unit of the value"));
  PetscCall(PetscFree6(scenario, structure, quantity, metric, unit, value));
  PetscFunctionReturn(0);
}

/* One entry per goal, as the rows of goals.csv; of a goal on one scenario `each` is empty and its limit 0. */
static PetscErrorCode WriteGoals(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  enum { N_TEXTS = 10 };
  static const char *const name[N_TEXTS] = {"structure", "quantity", "metric",        "scenario",  "per",
                                            "relation",  "unit",     "each_relation", "each_unit", "worst_scenario"};
  const PetscInt n = r->n_goals;
  const hsize_t dims = (hsize_t)n;
  const char **text;
  double *number;
  int *met;
  if (!n) PetscFunctionReturn(0);
  PetscCall(PetscMalloc3(N_TEXTS * n, &text, 3 * n, &number, n, &met));
  for (PetscInt i = 0; i < n; i++) {
    const Goal *g = &r->goals[i];
    const char *const row[N_TEXTS] = {g->structure,
                                      quantities[g->quantity].name,
                                      g->metric,
                                      g->scenario,
                                      g->course ? "course" : "fraction",
                                      GoalRelation(&g->bound),
                                      g->bound.unit,
                                      g->share ? GoalRelation(&g->each) : "",
                                      g->each.unit,
                                      g->worst < 0 ? "" : r->evaluate->scenario[g->worst].id};
    for (int c = 0; c < N_TEXTS; c++) text[c * n + i] = row[c];
    number[i] = g->bound.limit;
    number[n + i] = g->value;
    number[2 * n + i] = g->each.limit;
    met[i] = g->met ? 1 : 0;
  }
  for (int c = 0; c < N_TEXTS; c++) {
    char path[32];
    snprintf(path, sizeof path, "/goals/%s", name[c]);
    PetscCall(SharedFileStrings(file, path, n, text + c * n, name[c]));
  }
  PetscCall(SharedFileColumn(file, "/goals", "limit", n, number, "see column unit", "limit of the goal"));
  PetscCall(SharedFileColumn(file, "/goals", "value", n, number + n, "see column unit", "value of the plan"));
  PetscCall(SharedFileColumn(file, "/goals", "each_limit", n, number + 2 * n, "see column each_unit",
                             "what the share of scenarios is held to"));
  PetscCall(SharedFileArray(file, "/goals/met", H5T_NATIVE_INT, 1, &dims, met, "1", "1: met, 0: missed"));
  PetscCall(PetscFree3(text, number, met));
  PetscFunctionReturn(0);
}

/* What differs from run to run comes last, as rank 0 knows it. */
static PetscErrorCode WriteTiming(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  char name[64];
  double memory_MiB = r->peak_memory_MiB, sum = 0;
  PetscCall(SharedFileGroup(file, GROUP_TIMING));
  for (PetscInt i = 0; i < r->n_times; i++) {
    double seconds = r->times[i].seconds;
    PetscCallMPI(MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, file->comm));
    sum += seconds;
    snprintf(name, sizeof name, "%s_seconds", r->times[i].name);
    PetscCall(SharedFileNumber(file, GROUP_TIMING, name, seconds));
  }
  PetscCallMPI(MPI_Bcast(&memory_MiB, 1, MPI_DOUBLE, 0, file->comm));
  PetscCall(PlanNumberWrite(file, PLAN_SECONDS, sum));
  PetscCall(PlanNumberWrite(file, PLAN_PEAK_MEMORY_MiB, memory_MiB));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteProvenance(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  Provenance p = *r->provenance;
  PetscCallMPI(MPI_Bcast(&p, (PetscMPIInt)sizeof p, MPI_BYTE, 0, file->comm));
  if (file->pass == PASS_MEASURE) file->bytes += 2 * sizeof p + (size_t)r->n_inputs * (sizeof(InputFile) + 512);
  if (file->pass == PASS_WRITE) ProvenanceWriteHDF5(&p, r->n_inputs, r->inputs, &file->sink);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteContent(SharedFile *file, const PlanResult *r)
{
  PetscFunctionBegin;
  PetscCall(WriteRoot(file, r));
  PetscCall(WriteGrid(file, &r->grid));
  PetscCall(WriteStructures(file, r));
  PetscCall(WriteMachine(file, r));
  PetscCall(WriteScenarios(file, "/scenarios", r->evaluate));
  PetscCall(WriteBeams(file, &r->spots));
  PetscCall(WriteCT(file, r));
  PetscCall(WriteDoses(file, r));
  PetscCall(WriteScenarioDoses(file, r));
  PetscCall(WriteBeamDoses(file, r));
  PetscCall(WriteActivity(file, r));
  PetscCall(WriteOutcomes(file, r));
  PetscCall(WriteTissues(file, r));
  PetscCall(WriteBands(file, r));
  PetscCall(WriteMetrics(file, r));
  PetscCall(WriteGoals(file, r));
  PetscCall(WriteOptimizer(file, r));
  PetscCall(WriteTiming(file, r));
  PetscCall(WriteProvenance(file, r));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanFileWrite(MPI_Comm comm, const PlanResult *result, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  SharedFile file;
  char name[PETSC_MAX_PATH_LEN];
  PlanFilePath(folder, PLAN_H5, name);
  PetscCall(SharedFileMeasure(comm, &file));
  PetscCall(WriteContent(&file, result));
  PetscCall(SharedFileOpen(&file, name, mistakes));
  if (!file.sink.name) PetscFunctionReturn(0);
  PetscCall(WriteContent(&file, result));
  PetscCall(SharedFileReopen(&file));
  PetscCall(WriteContent(&file, result));
  PetscCall(SharedFileClose(&file, mistakes));
  PetscFunctionReturn(0);
}
