/* A small water phantom, a made-up machine and a few beams: enough of a plan to test operators and gradients on. */
#pragma once
#include "robion/optimize.h"
#include <math.h>

typedef struct TinyPlan {
  Case patient;
  Machine machine;
  Biology biology[4]; /* of two tissues, and of a model that scenarios may have */
  Biology *biology_list[4];
  Tissues tissues;
  Grid grid;
  Region target, oar;
  ScenarioSet *set;
  BeamSet *beams;
  DoseModel model;
  BeamSetSpec spec; /* of the beams */
  Term term[8];
  PetscInt n_voxel, *voxel;
} TinyPlan;

/* 60 mm cube of water with an air slab, voxels of 3 mm, centred on the origin. */
static inline PetscErrorCode TinyCase(Case *patient)
{
  PetscFunctionBegin;
  patient->name = (char *)"tiny";
  patient->ct = (Grid){{20, 20, 20}, {3, 3, 3}, {-28.5, -28.5, -28.5}};
  PetscCall(PetscMalloc1(GridSize(&patient->ct), &patient->rsp));
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double p[3];
    GridCentre(&patient->ct, v, p);
    patient->rsp[v] = (float)(p[1] < -18 && p[0] > 3 ? 0.3 : 1.0);
  }
  PetscFunctionReturn(0);
}

/* Bragg-like curves with a tail; two lateral components of different width. */
static inline PetscErrorCode TinyMachine(Machine *m, PetscInt n_component)
{
  PetscFunctionBegin;
  const PetscInt E = 14, D = 60;
  *m = (Machine){.name = (char *)"tiny", .Z = 6, .A = 12, .n_energy = E, .n_depth = D, .n_component = n_component};
  PetscCall(PetscMalloc4(E, &m->energy_MeV_u, E, &m->csda_range_mm, E, &m->r80_mm, E, &m->spot_sigma_mm));
  PetscCall(PetscMalloc3(E * D, &m->depth_mm, E * D, &m->idd_Gy_mm2, E * D, &m->letd_keV_um));
  PetscCall(PetscMalloc3(E * D * n_component, &m->sigma_mm, E * D * n_component, &m->component, E * D * n_component,
                         &m->component_letd_keV_um));
  for (PetscInt e = 0; e < E; e++) {
    double range = 12 + 3.0 * e;
    m->energy_MeV_u[e] = 70 + 5 * e;
    m->csda_range_mm[e] = m->r80_mm[e] = range;
    m->spot_sigma_mm[e] = 3.4 - 0.02 * e;
    for (PetscInt d = 0; d < D; d++) {
      PetscInt i = e * D + d;
      double z = m->depth_mm[i] = d * 1.5;
      m->idd_Gy_mm2[i] = 1e-7 * (2 + 8 * exp(-0.5 * pow((z - range) / 1.5, 2)) + (z > range ? -1.6 : 0));
      m->letd_keV_um[i] = 13 + 60 * exp(-0.5 * pow((z - range) / 3, 2));
      for (PetscInt k = 0; k < n_component; k++) {
        m->sigma_mm[(e * n_component + k) * D + d] = 0.01 * z * (1 + 5 * k);
        m->component[(e * n_component + k) * D + d] = n_component == 1 ? 1 : k ? 0.1 : 0.9;
        m->component_letd_keV_um[(e * n_component + k) * D + d] = m->letd_keV_um[i] / (1 + k);
      }
    }
  }
  PetscFunctionReturn(0);
}

/* Response that follows LET; photon alpha of a second tissue is higher, its ions' alpha lower. Of another model 0.7 of alpha. */
static inline PetscErrorCode TinyBiology(const Machine *m, PetscInt index, Biology *biology)
{
  PetscFunctionBegin;
  const PetscInt tissue = index % 2;
  PetscInt n = m->n_energy * m->n_component * m->n_depth;
  PetscCall(BiologySpecDefault(&biology->spec));
  biology->spec.alpha_x_per_Gy *= 1 + tissue;
  PetscCall(PetscMalloc2(n, &biology->alpha_per_Gy, n, &biology->sqrt_beta_per_Gy));
  for (PetscInt i = 0; i < n; i++) {
    biology->alpha_per_Gy[i] = (index < 2 ? 1 : 0.7) * (0.4 - 0.1 * tissue + 0.01 * m->component_letd_keV_um[i]);
    biology->sqrt_beta_per_Gy[i] = 0.22 - 0.001 * m->component_letd_keV_um[i];
  }
  PetscFunctionReturn(0);
}

/* Voxels of the grid within a radius of a point. */
static inline PetscErrorCode TinyRegion(const Grid *grid, const double centre[3], double radius, Region *region)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(region, 1));
  PetscCall(PetscMalloc2(GridSize(grid), &region->voxel, GridSize(grid), &region->fraction));
  for (size_t v = 0; v < GridSize(grid); v++) {
    double p[3];
    GridCentre(grid, v, p);
    double d2 = pow(p[0] - centre[0], 2) + pow(p[1] - centre[1], 2) + pow(p[2] - centre[2], 2);
    if (d2 > radius * radius) continue;
    region->voxel[region->n] = (PetscInt)v;
    region->fraction[region->n++] = d2 > 0.6 * radius * radius ? 0.5f : 1.0f;
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TinyTerm(const TinyPlan *p, const Region *region, const char *type, Quantity quantity,
                                      double goal, double weight, RobustMode mode, Term *term)
{
  PetscFunctionBegin;
  double volume = 0;
  *term = (Term){.type = ObjectiveTypeFind(type), .quantity = quantity, .goal = goal, .weight = weight, .mode = mode};
  term->n = region->n;
  PetscCall(PetscMalloc1(region->n, &term->voxel));
  PetscCall(PetscMalloc1(region->n, &term->share));
  for (PetscInt i = 0; i < region->n; i++) volume += region->fraction[i];
  for (PetscInt i = 0; i < region->n; i++) {
    term->share[i] = region->fraction[i] / volume;
    for (term->voxel[i] = 0; p->voxel[term->voxel[i]] != region->voxel[i]; term->voxel[i]++) {
    }
  }
  PetscFunctionReturn(0);
}

/* Names of responses that TinyAxes knows. */
static char *const tiny_same = (char *)"same", *const tiny_scaled = (char *)"scaled",
                   *const tiny_other = (char *)"other";

/* Axes of its scenarios: beams and tissues, no change at all, alpha and beta of the second tissue scaled, another model of all. */
static inline ScenarioAxes TinyAxes(void)
{
  static ScenarioBiology biology[] = {{"same", 0, -1, 1, 1}, {"scaled", 0, 1, 1.3, 0.6}, {"other", 1, -1, 1, 0.9}};
  static ScenarioPhase phase[] = {{"in", 1}, {"out", 3}};
  return (ScenarioAxes){.n_beam = 3, .n_tissue = 2, .n_biology = 3, .biology = biology, .n_phase = 2, .phase = phase};
}

/* Two breathing phases: the tiny case moved by smooth displacements, its stopping powers by what these are at the centre. */
static inline PetscErrorCode TinyBreathe(Case *patient)
{
  PetscFunctionBegin;
  static const double most_mm[2][3] = {{1, -2, 4}, {-2, 1, -1}};
  const size_t n = GridSize(&patient->ct);
  PetscCall(PetscCalloc1(2, &patient->phases));
  patient->n_phases = 2;
  for (int p = 0; p < 2; p++) {
    CasePhase *phase = &patient->phases[p];
    PetscCall(PetscMalloc1(n, &phase->rsp));
    PetscCall(PetscMalloc1(3 * n, &phase->displacement_mm));
    for (size_t v = 0; v < n; v++) {
      double x[3];
      GridCentre(&patient->ct, v, x);
      const double share = exp(-(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) / 800);
      for (int k = 0; k < 3; k++) phase->displacement_mm[3 * v + (size_t)k] = (float)(share * most_mm[p][k]);
      phase->rsp[v] = patient->rsp[v] * (float)(1 + 0.1 * share * (p ? 1 : -1));
    }
  }
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TinyHoldBreath(Case *patient)
{
  PetscFunctionBegin;
  for (PetscInt p = 0; p < patient->n_phases; p++) {
    PetscCall(PetscFree(patient->phases[p].rsp));
    PetscCall(PetscFree(patient->phases[p].displacement_mm));
  }
  PetscCall(PetscFree(patient->phases));
  patient->n_phases = 0;
  PetscFunctionReturn(0);
}

/* Three beams (one oblique with couch), scenarios +-3.5 % x 7 setups. */
static inline PetscErrorCode TinyPlanFill(TinyPlan *p, const Machine *machine, double dropped_dose_fraction)
{
  PetscFunctionBegin;
  static double range[] = {-3.5, 3.5};
  static BeamSpec beams[] = {{.gantry_deg = 0}, {.gantry_deg = 90}, {.gantry_deg = 215, .couch_deg = 20}};
  const double origin[3] = {0, 0, 0}, beside[3] = {0, 15, 0};
  ScenarioSpec spec = {.n_range = 2, .range_percent = range, .setup = SETUP_AXES, .setup_mm = {2, 2, 2}};
  Mistakes mistakes = {0};
  PetscCall(TinyCase(&p->patient));
  p->tissues = (Tissues){.n = 2, .n_model = 1, .biology = p->biology_list};
  for (PetscInt t = 0; t < 4; t++) {
    PetscCall(TinyBiology(machine, t, &p->biology[t]));
    p->biology_list[t] = &p->biology[t];
  }
  p->grid = (Grid){{12, 12, 12}, {4, 4, 4}, {-22, -22, -22}};
  PetscCall(TinyRegion(&p->grid, origin, 10, &p->target));
  PetscCall(TinyRegion(&p->grid, beside, 6, &p->oar));
  PetscCall(PetscCalloc1(GridSize(&p->grid), &p->tissues.of_voxel));
  for (PetscInt i = 0; i < p->oar.n; i++) p->tissues.of_voxel[p->oar.voxel[i]] = 1;
  PetscCall(ScenarioSetCreate(&spec, &p->set));
  p->spec.n = 3;
  p->spec.beam = beams;
  p->spec.where = (char *)"tiny";
  p->target.name = (char *)"tiny";
  p->spec.spots = (SpotSpec){
      .lateral_mm = 4, .layer_mm = 3, .lateral_margin_mm = 3, .proximal_margin_mm = 3, .distal_margin_mm = 3};
  PetscCall(BeamSetCreate(PETSC_COMM_SELF, &p->spec, &p->patient, machine, &p->grid, &p->target, p->set, NULL,
                          &mistakes, &p->beams));
  MistakesPrint(&mistakes);
  PetscCheck(p->beams, PETSC_COMM_SELF, PETSC_ERR_PLIB, "the tiny plan has no beams");
  PetscCall(DoseModelCreate(&p->patient, machine, &p->tissues, p->beams, dropped_dose_fraction, &p->model));
  PetscCall(PetscMalloc1(GridSize(&p->grid), &p->voxel));
  for (PetscInt v = 0; v < (PetscInt)GridSize(&p->grid); v++) p->voxel[p->n_voxel++] = v;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TinyPlanCreate(TinyPlan *p, PetscInt n_component, double sad_mm)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(p, 1));
  PetscCall(TinyMachine(&p->machine, n_component));
  p->machine.sad_mm = sad_mm;
  PetscCall(TinyPlanFill(p, &p->machine, 0.002));
  PetscFunctionReturn(0);
}

/* Only voxels that terms look at: the same solutions, quicker. */
static inline PetscErrorCode TinyPlanKeepRegions(TinyPlan *p)
{
  PetscFunctionBegin;
  PetscBool *mark;
  PetscCall(PetscCalloc1(GridSize(&p->grid), &mark));
  for (PetscInt i = 0; i < p->target.n; i++) mark[p->target.voxel[i]] = PETSC_TRUE;
  for (PetscInt i = 0; i < p->oar.n; i++) mark[p->oar.voxel[i]] = PETSC_TRUE;
  p->n_voxel = 0;
  for (PetscInt v = 0; v < (PetscInt)GridSize(&p->grid); v++)
    if (mark[v]) p->voxel[p->n_voxel++] = v;
  PetscCall(PetscFree(mark));
  PetscFunctionReturn(0);
}

/* And two range errors beside the nominal scenario: solving is quick. */
static inline PetscErrorCode TinyPlanMakeSmall(TinyPlan *p)
{
  PetscFunctionBegin;
  static double range[] = {-3.5, 3.5};
  const ScenarioSpec spec = {.n_range = 2, .range_percent = range, .setup = SETUP_NONE};
  PetscCall(TinyPlanKeepRegions(p));
  PetscCall(ScenarioSetDestroy(&p->set));
  PetscCall(ScenarioSetCreate(&spec, &p->set));
  PetscFunctionReturn(0);
}

/* The same with a machine of the caller's. */
static inline PetscErrorCode TinyPlanCreateWith(TinyPlan *p, const Machine *machine, double dropped_dose_fraction)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(p, 1));
  PetscCall(TinyPlanFill(p, machine, dropped_dose_fraction));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TinyPlanDestroy(TinyPlan *p)
{
  PetscFunctionBegin;
  for (int t = 0; t < 8; t++)
    if (p->term[t].type) PetscCall(TermDestroy(&p->term[t]));
  PetscCall(DoseModelDestroy(&p->model));
  PetscCall(BeamSetDestroy(&p->beams));
  PetscCall(ScenarioSetDestroy(&p->set));
  PetscCall(PetscFree2(p->target.voxel, p->target.fraction));
  PetscCall(PetscFree2(p->oar.voxel, p->oar.fraction));
  PetscCall(PetscFree(p->voxel));
  PetscCall(PetscFree(p->patient.rsp));
  PetscCall(PetscFree4(p->machine.energy_MeV_u, p->machine.csda_range_mm, p->machine.r80_mm, p->machine.spot_sigma_mm));
  PetscCall(PetscFree3(p->machine.depth_mm, p->machine.idd_Gy_mm2, p->machine.letd_keV_um));
  PetscCall(PetscFree3(p->machine.sigma_mm, p->machine.component, p->machine.component_letd_keV_um));
  for (PetscInt t = 0; t < 4; t++) PetscCall(PetscFree2(p->biology[t].alpha_per_Gy, p->biology[t].sqrt_beta_per_Gy));
  PetscCall(PetscFree(p->tissues.of_voxel));
  PetscFunctionReturn(0);
}

/* Deterministic numbers in (0, 1). */
static inline double TinyRandom(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/* The problem of terms on all beams of the plan. */
static inline ProblemSpec TinyProblem(const TinyPlan *p, const RobustSpec *robust, InfluenceType type, PetscInt n_term,
                                      Term *term)
{
  return (ProblemSpec){.model = p->model,
                       .tissues = &p->tissues,
                       .set = p->set,
                       .grid = &p->grid,
                       .n_voxel = p->n_voxel,
                       .voxel = p->voxel,
                       .n_spot = p->beams->n_spot,
                       .n_term = n_term,
                       .term = term,
                       .robust = robust,
                       .type = type};
}

/* Weights around `particles`, and a direction to go from there. */
static inline void TinyPoint(PetscInt n, double particles, double *x, double *direction)
{
  uint64_t seed = 5;
  for (PetscInt j = 0; j < n; j++) {
    x[j] = particles * (0.4 + TinyRandom(&seed));
    direction[j] = particles * (TinyRandom(&seed) - 0.5);
  }
}

/* Relative error of the gradient along a direction against a Richardson-extrapolated central difference. */
static inline PetscErrorCode TinyGradientError(Problem problem, PetscInt n, const double *x, const double *direction,
                                               double step, double *error)
{
  PetscFunctionBegin;
  const double at[4] = {step, -step, 2 * step, -2 * step};
  double f[4], slope = 0, *gradient, *work;
  PetscCall(PetscMalloc2(n, &gradient, n, &work));
  PetscCall(ProblemEvaluate(problem, x, NULL, gradient));
  for (int k = 0; k < 4; k++) {
    for (PetscInt j = 0; j < n; j++) work[j] = x[j] + at[k] * direction[j];
    PetscCall(ProblemEvaluate(problem, work, &f[k], NULL));
  }
  for (PetscInt j = 0; j < n; j++) slope += gradient[j] * direction[j];
  PetscCall(PetscFree2(gradient, work));
  PetscCheck(fabs(slope) > 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "the objective has no slope to compare");
  const double near = (f[0] - f[1]) / (2 * step), far = (f[2] - f[3]) / (4 * step);
  *error = fabs((4 * near - far) / 3 - slope) / fabs(slope);
  PetscFunctionReturn(0);
}
