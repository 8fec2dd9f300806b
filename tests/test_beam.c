/* Beam geometry against IEC 61217, and the coverage of a target by spots and layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include <string.h>

static void AssertVector(const double *v, double x, double y, double z)
{
  assert_true(fabs(v[0] - x) < 1e-12 && fabs(v[1] - y) < 1e-12 && fabs(v[2] - z) < 1e-12);
}

/* Gantry 0 comes from anterior, 90 from the patient's left, 270 from the right; couch turns about the vertical axis. */
static void Axes(void **state)
{
  (void)state;
  Beam beam = {.gantry_deg = 0};
  BeamSetAxes(&beam);
  AssertVector(beam.w, 0, 1, 0);
  AssertVector(beam.u, 1, 0, 0);
  AssertVector(beam.v, 0, 0, 1);
  beam.gantry_deg = 90;
  BeamSetAxes(&beam);
  AssertVector(beam.w, -1, 0, 0);
  AssertVector(beam.v, 0, 0, 1);
  beam.gantry_deg = 270;
  BeamSetAxes(&beam);
  AssertVector(beam.w, 1, 0, 0);
  beam = (Beam){.gantry_deg = 90, .couch_deg = 90};
  BeamSetAxes(&beam);
  AssertVector(beam.w, 0, 0, 1); /* R_couch (-1, 0, 0) = (-cos 90, 0, sin 90) */
  AssertVector(beam.v, 1, 0, 0);
}

static void ProjectionAndSource(void **state)
{
  (void)state;
  Beam beam = {.gantry_deg = 37, .couch_deg = 20, .isocentre_mm = {3, -4, 5}, .sad_mm = 2000};
  const double point[3] = {10, 20, -7}, shift[3] = {1, 2, -3}, none[3] = {0, 0, 0};
  double bev[3], source[3], again[3];
  BeamSetAxes(&beam);
  BeamProject(&beam, point, shift, bev);
  for (int k = 0; k < 3; k++)
    again[k] = beam.isocentre_mm[k] - shift[k] + bev[0] * beam.u[k] + bev[1] * beam.v[k] + bev[2] * beam.w[k];
  AssertVector(again, point[0], point[1], point[2]);
  BeamSource(&beam, point, none, source);
  BeamProject(&beam, source, none, bev);
  AssertVector(bev, 0, 0, -2000);
}

/* Every target voxel in every scenario has, on a ray within the margin, a layer whose R80 is within the layer spacing. */
static void SpotsCoverEveryScenario(void **state)
{
  (void)state;
  TinyPlan p;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  for (PetscInt b = 0; b < p.beams->n_beam; b++)
    for (PetscInt s = 0; s < p.set->n; s++)
      for (PetscInt i = 0; i < p.target.n; i++) {
        const Beam *beam = &p.beams->beam[b];
        const Scenario *scenario = &p.set->scenario[s];
        double point[3], bev[3], nearest = INFINITY;
        GridCentre(&p.grid, (size_t)p.target.voxel[i], point);
        BeamProject(beam, point, scenario->shift_mm, bev);
        double depth = BeamWEPL(beam, &p.patient, point, scenario->shift_mm) * (1 + scenario->range_percent / 100);
        for (PetscInt r = 0; r < beam->n_run; r++) {
          const SpotRun *run = &beam->run[r];
          if (hypot(run->x_mm - bev[0], run->y_mm - bev[1]) > 3) continue; /* half a diagonal of 4 mm spacing */
          for (PetscInt l = run->first_layer; l < run->first_layer + run->n; l++)
            nearest = PetscMin(nearest, fabs(p.machine.r80_mm[beam->energy[l]] - depth));
        }
        assert_true(nearest <= 1.5 + 1e-9);
      }
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Layers step by the spacing asked for; runs are consecutive and cover all spots once. */
static void LayersAndRuns(void **state)
{
  (void)state;
  TinyPlan p;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  PetscInt next = 0;
  for (PetscInt b = 0; b < p.beams->n_beam; b++) {
    const Beam *beam = &p.beams->beam[b];
    for (PetscInt l = 1; l < beam->n_layer; l++) {
      double step = p.machine.r80_mm[beam->energy[l]] - p.machine.r80_mm[beam->energy[l - 1]];
      assert_true(fabs(step - 3) < 1e-9);
    }
    assert_int_equal(beam->first_spot, next);
    for (PetscInt r = 0; r < beam->n_run; r++) {
      assert_int_equal(beam->run[r].first_spot, next);
      assert_true(beam->run[r].n > 0 && beam->run[r].first_layer + beam->run[r].n <= beam->n_layer);
      next += beam->run[r].n;
    }
  }
  assert_int_equal(next, p.beams->n_spot);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* A target deeper than the largest range is one mistake that says both. */
static void TooDeepIsAMistake(void **state)
{
  (void)state;
  TinyPlan p;
  BeamSet *beams;
  Mistakes mistakes = {0};
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  p.machine.n_energy = 3;
  p.settings.n_beams = 1;
  assert_int_equal(BeamSetCreate(&p.settings, &p.patient, &p.machine, &p.grid, &p.target, p.set, &mistakes, &beams), 0);
  assert_null(beams);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(mistakes.item[0].text, "the largest range of machine tiny is 18.0 mm"));
  assert_int_equal(MistakesClear(&mistakes), 0);
  p.machine.n_energy = 14;
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

enum { N_FOREIGN = 5 };

/* A list as a plan file gives it: two spots with the tiny machine's energies, then what the caller asks for. */
static SpotList ForeignList(double energy_MeV_u[N_FOREIGN], double fwhm_mm[N_FOREIGN])
{
  static PetscInt beam[N_FOREIGN], line[N_FOREIGN] = {15, 15, 21, 22, 30};
  static double x_mm[N_FOREIGN], y_mm[N_FOREIGN] = {1, 2, 3, 4, 5}, particles[N_FOREIGN] = {1e5, 2e5, 3e5, 4e5, 5e5};
  return (SpotList){.n = N_FOREIGN,
                    .beam = beam,
                    .x_mm = x_mm,
                    .y_mm = y_mm,
                    .energy_MeV_u = energy_MeV_u,
                    .particles = particles,
                    .spot_fwhm_mm = fwhm_mm,
                    .file = (char *)"plan.rst",
                    .line = line};
}

/* Energies the machine lacks are one mistake that lists each once and points to the first spot. */
static void MissingEnergiesAreOneMistake(void **state)
{
  (void)state;
  TinyPlan p;
  BeamSet *beams;
  PetscInt *spot_of;
  Mistakes mistakes = {0};
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const double *known = p.machine.energy_MeV_u;
  double energy[N_FOREIGN] = {known[0], known[1] + 0.04, 777.5, 333, 777.5};
  const SpotList list = ForeignList(energy, NULL);
  assert_int_equal(
      BeamSetFromSpots(&p.settings, &p.patient, &p.machine, &p.grid, &p.target, &list, &mistakes, &beams, &spot_of), 0);
  assert_null(beams);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(mistakes.item[0].text, "plan.rst:21: machine tiny") ||
      !strstr(mistakes.item[0].text, "lacks 2 of the 4 energies of the plan: 333, 777.5 MeV/u"))
    fail_msg("%s", mistakes.item[0].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
  energy[2] = energy[3] = energy[4] = known[2];
  assert_int_equal(
      BeamSetFromSpots(&p.settings, &p.patient, &p.machine, &p.grid, &p.target, &list, &mistakes, &beams, &spot_of), 0);
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(beams->beam[0].n_spot, N_FOREIGN);
  assert_int_equal(BeamSetDestroy(&beams), 0);
  assert_int_equal(PetscFree(spot_of), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* A list's spot sizes become those of its energies, 0 and other energies keep the machine's; two sizes are a mistake. */
static void SpotSizesOfAPlan(void **state)
{
  (void)state;
  TinyPlan p;
  Mistakes mistakes = {0};
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  double *energy = p.machine.energy_MeV_u, *sigma_mm = p.machine.spot_sigma_mm;
  const double second_mm = sigma_mm[1], fourth_mm = sigma_mm[3];
  double of[N_FOREIGN] = {energy[0], energy[0], energy[1], energy[2], energy[2]};
  double fwhm_mm[N_FOREIGN] = {4.7096400900618776, 4.7096400900618776, 0, 7, 7}; /* sigma 2 mm */
  const SpotList list = ForeignList(of, fwhm_mm);
  assert_int_equal(MachineSetSpotSizes(&p.machine, &list, &mistakes), 0);
  assert_int_equal(mistakes.n, 0);
  assert_float_equal(sigma_mm[0], 2, 1e-12);
  assert_float_equal(sigma_mm[2], 7 / 2.3548200450309493, 1e-12);
  assert_true(sigma_mm[1] == second_mm && sigma_mm[3] == fourth_mm);
  fwhm_mm[4] = 8;
  assert_int_equal(MachineSetSpotSizes(&p.machine, &list, &mistakes), 0);
  assert_int_equal(mistakes.n, 1);
  if (!strstr(mistakes.item[0].text, "plan.rst:30: spots of ") ||
      !strstr(mistakes.item[0].text, "MeV/u are 8 mm wide, expected 7 mm as in plan.rst:22"))
    fail_msg("%s", mistakes.item[0].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Axes),
                                     cmocka_unit_test(ProjectionAndSource),
                                     cmocka_unit_test(SpotsCoverEveryScenario),
                                     cmocka_unit_test(LayersAndRuns),
                                     cmocka_unit_test(TooDeepIsAMistake),
                                     cmocka_unit_test(MissingEnergiesAreOneMistake),
                                     cmocka_unit_test(SpotSizesOfAPlan)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
