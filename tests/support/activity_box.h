/* A box of water with a beam, for tests of its activity. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base_data.h"
#include "near.h"
#include "robion/activity.h"
#include <math.h>
#include <string.h>

enum { C11, C10, O15, N13, EMITTERS_HERE }; /* of built-in machines */

/* A box of water, 112 x 160 x 112 mm, that a beam enters along y. */
typedef struct Box {
  Case patient;
  Machine *machine;
  Grid grid;
  ScenarioSet *set;
  BeamSet *beams;
  PetscInt n, *voxel;
  double *weight, particles;
} Box;

static inline Machine *MachineOf(const char *ion)
{
  Machine *machine;
  MachineSpec spec;
  assert_int_equal(BaseDataSpecOfBoxes(&spec), 0);
  spec.ion = ion;
  assert_int_equal(BaseData(PETSC_COMM_WORLD, &spec, &machine), 0);
  return machine;
}

static inline void CreateCase(Box *box)
{
  const PetscInt n[3] = {28, 40, 28};
  box->patient = (Case){.name = (char *)"box"};
  for (int k = 0; k < 3; k++) {
    box->patient.ct.n[k] = n[k];
    box->patient.ct.spacing_mm[k] = 4;
    box->patient.ct.origin_mm[k] = -2.0 * (double)(n[k] - 1);
  }
  const size_t size = GridSize(&box->patient.ct);
  assert_int_equal(PetscMalloc1(size, &box->patient.rsp), 0);
  assert_int_equal(PetscCalloc1(size, &box->patient.hu), 0);
  for (size_t v = 0; v < size; v++) box->patient.rsp[v] = 1;
}

/* Beams whose spots cover 20 mm around a depth of 35 mm, with weights of their own. */
static inline void CreateBox(const char *ion, double gantry_deg, double spacing_mm, Box *box)
{
  static double range[] = {-3.5, 3.5};
  const ScenarioSpec scenarios = {.n_range = 2, .range_percent = range, .setup = SETUP_AXES, .setup_mm = {3, 3, 3}};
  BeamSpec beam = {.gantry_deg = gantry_deg};
  BeamSetSpec spec = {
      .n = 1, .beam = &beam, .where = (char *)"box", .spots = {.lateral_mm = 5, .layer_mm = 5, .lateral_margin_mm = 3}};
  Mistakes mistakes = {0};
  Region target = {.name = (char *)"target"};
  CreateCase(box);
  box->machine = MachineOf(ion);
  box->grid = box->patient.ct;
  for (int k = 0; k < 3; k++) {
    const double side = (double)box->grid.n[k] * 4;
    box->grid.n[k] = (PetscInt)(side / spacing_mm + 0.5);
    box->grid.spacing_mm[k] = side / (double)box->grid.n[k];
    box->grid.origin_mm[k] = 0.5 * (box->grid.spacing_mm[k] - side);
  }
  box->n = (PetscInt)GridSize(&box->grid);
  assert_int_equal(PetscMalloc3(box->n, &box->voxel, box->n, &target.voxel, box->n, &target.fraction), 0);
  for (PetscInt v = 0; v < box->n; v++) {
    double p[3];
    box->voxel[v] = v;
    GridCentre(&box->grid, (size_t)v, p);
    if (fabs(p[0]) > 10 || fabs(p[1] + 45) > 10 || fabs(p[2]) > 10) continue;
    target.voxel[target.n] = v;
    target.fraction[target.n++] = 1;
  }
  assert_int_equal(ScenarioSetCreate(&scenarios, &box->set), 0);
  assert_int_equal(BeamSetCreate(PETSC_COMM_SELF, &spec, &box->patient, box->machine, &box->grid, &target, box->set,
                                 NULL, &mistakes, &box->beams),
                   0);
  MistakesPrint(&mistakes);
  assert_non_null(box->beams);
  assert_int_equal(PetscMalloc1(box->beams->n_spot, &box->weight), 0);
  for (PetscInt j = 0; j < box->beams->n_spot; j++) box->weight[j] = 1e5 * (double)(1 + j % 7);
}

static inline void DestroyBox(Box *box)
{
  assert_int_equal(PetscFree(box->weight), 0);
  assert_int_equal(BeamSetDestroy(&box->beams), 0);
  assert_int_equal(ScenarioSetDestroy(&box->set), 0);
  assert_int_equal(PetscFree(box->patient.rsp), 0);
  assert_int_equal(PetscFree(box->patient.hu), 0);
  assert_int_equal(MachineDestroy(&box->machine), 0);
}

static inline ActivitySpec Spec(PetscInt n_scenario, const char *const *scenario)
{
  return (ActivitySpec){.n_scenarios = n_scenario,
                        .scenarios = (char **)scenario,
                        .composition = COMPOSITION_WATER,
                        .irradiation = {60, 0, 0},
                        .scanner_fwhm_mm = 5};
}

static inline void Compute(MPI_Comm comm, const Box *box, const ActivitySpec *spec, ActivitySet *set)
{
  const ActivityInput input = {.spec = spec,
                               .patient = &box->patient,
                               .machine = box->machine,
                               .beams = box->beams,
                               .dropped_dose_fraction = 0.0005,
                               .set = box->set,
                               .grid = &box->grid,
                               .n = box->n,
                               .voxel = box->voxel,
                               .weight = box->weight};
  assert_int_equal(ActivitySetCreate(comm, &input, set), 0);
}
