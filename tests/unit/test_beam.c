/* Beam geometry against IEC 61217, and the coverage of a target by spots and layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"
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

/*
 * A prone patient sees the beams of gantry angles half a turn further, one who lies feet first those of the couch half a turn
 * further: half a turn about z is R_gantry(180), about y R_couch(180), about x both. Of one who lies on the right side gantry 0 looks
 * at the left one, which faces up: as gantry 90 of one who lies on the back.
 */
static void PositionsAreTurns(void **state)
{
  (void)state;
  const double gantry_deg = 33;
  static const double turn_deg[N_PATIENT_POSITIONS][2] = {{0, 0},  {180, 0}, {0, 180},   {180, 180},
                                                          {90, 0}, {270, 0}, {-90, 180}, {90, 180}};
  for (int position = 0; position < N_PATIENT_POSITIONS; position++) {
    Beam lying = {.gantry_deg = gantry_deg, .position = (PatientPosition)position};
    Beam turned = {.gantry_deg = gantry_deg + turn_deg[position][0], .couch_deg = turn_deg[position][1]};
    BeamSetAxes(&lying);
    BeamSetAxes(&turned);
    AssertVector(lying.u, turned.u[0], turned.u[1], turned.u[2]);
    AssertVector(lying.v, turned.v[0], turned.v[1], turned.v[2]);
    AssertVector(lying.w, turned.w[0], turned.w[1], turned.w[2]);
  }
  Beam prone = {.gantry_deg = 90, .couch_deg = 20, .position = POSITION_HFP};
  BeamSetAxes(&prone);
  assert_true(prone.w[0] > 0.9); /* from the patient's right */
  static const struct {
    PatientPosition position;
    double from_above_x, superior_z; /* the side that faces down; where the spots' y goes */
  } side[] = {{POSITION_HFDR, -1, 1}, {POSITION_HFDL, 1, 1}, {POSITION_FFDR, -1, -1}, {POSITION_FFDL, 1, -1}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(side); i++) {
    Beam above = {.position = side[i].position};
    BeamSetAxes(&above);
    AssertVector(above.w, side[i].from_above_x, 0, 0);
    AssertVector(above.v, 0, 0, side[i].superior_z);
    const double *u = above.u, *v = above.v; /* a rotation: u, v, -w are right-handed */
    AssertVector(above.w, u[2] * v[1] - u[1] * v[2], u[0] * v[2] - u[2] * v[0], u[1] * v[0] - u[0] * v[1]);
  }
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

/* Layers step by the spacing asked for, all with spots; runs are consecutive and cover all spots once. */
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
    PetscInt *spots;
    assert_int_equal(PetscCalloc1(beam->n_layer, &spots), 0);
    for (PetscInt r = 0; r < beam->n_run; r++) {
      for (PetscInt l = 0; l < beam->run[r].n; l++) spots[beam->run[r].first_layer + l]++;
      assert_int_equal(beam->run[r].first_spot, next);
      assert_true(beam->run[r].n > 0 && beam->run[r].first_layer + beam->run[r].n <= beam->n_layer);
      next += beam->run[r].n;
    }
    for (PetscInt l = 0; l < beam->n_layer; l++) assert_true(spots[l] > 0);
    assert_int_equal(PetscFree(spots), 0);
  }
  assert_int_equal(next, p.beams->n_spot);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Lay the tiny plan's beams out anew with other spots; the study has wider errors than the plan is made for. */
static BeamSet *LayOut(TinyPlan *p, SpotSpec spots)
{
  static double wide[] = {-3.5, 0, 3.5};
  const ScenarioSpec study = {.n_range = 3, .range_percent = wide, .setup = SETUP_AXES, .setup_mm = {6, 6, 6}};
  BeamSet *beams;
  Mistakes mistakes = {0};
  p->spec.spots = spots;
  assert_int_equal(BeamSetCreate(PETSC_COMM_SELF, &p->spec, &p->patient, &p->machine, &p->grid, &p->target, p->set,
                                 &study, &mistakes, &beams),
                   0);
  assert_int_equal(mistakes.n, 0);
  return beams;
}

/* Every spot of a hexagonal grid has its neighbours a spacing away; 2 / sqrt(3) as many as on a square grid fit on an area. */
static void HexagonalGrid(void **state)
{
  (void)state;
  TinyPlan p;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  SpotSpec spots = p.spec.spots;
  spots.lateral_margin_mm = 30; /* so many that the rim hardly counts */
  BeamSet *square = LayOut(&p, spots);
  spots.grid = SPOT_GRID_HEXAGONAL;
  BeamSet *hexagonal = LayOut(&p, spots);
  const Beam *beam = &hexagonal->beam[0];
  for (PetscInt r = 0; r < beam->n_run; r++) {
    double nearest = INFINITY;
    PetscInt neighbours = 0;
    for (PetscInt k = 0; k < beam->n_run; k++) {
      double d = hypot(beam->run[k].x_mm - beam->run[r].x_mm, beam->run[k].y_mm - beam->run[r].y_mm);
      if (d > 1e-9) nearest = PetscMin(nearest, d);
      if (d > 1e-9 && d < 4 + 1e-9) neighbours++;
    }
    assert_double_near(nearest, 4, 1e-9);
    assert_true(neighbours <= 6);
  }
  const double denser = (double)beam->n_run / (double)square->beam[0].n_run;
  print_message("hexagonal: %d rays, square: %d\n", (int)beam->n_run, (int)square->beam[0].n_run);
  assert_double_near(denser, 2 / sqrt(3), 0.05);
  assert_int_equal(BeamSetDestroy(&hexagonal) || BeamSetDestroy(&square), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Layers a step in energy apart are energies of the machine, and cover the same depths as those a step in depth apart,
 * to a layer. */
static void LayersByEnergy(void **state)
{
  (void)state;
  TinyPlan p;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  SpotSpec by_energy = p.spec.spots;
  by_energy.layer_MeV_u = 10; /* the machine's are 5 apart */
  BeamSet *beams = LayOut(&p, by_energy);
  for (PetscInt b = 0; b < beams->n_beam; b++) {
    const Beam *beam = &beams->beam[b], *deep = &p.beams->beam[b];
    for (PetscInt l = 1; l < beam->n_layer; l++)
      assert_double_near(p.machine.energy_MeV_u[beam->energy[l]] - p.machine.energy_MeV_u[beam->energy[l - 1]], 10,
                         1e-9);
    assert_true(abs(beam->energy[beam->n_layer - 1] - deep->energy[deep->n_layer - 1]) <= 2);
    assert_true(abs(beam->energy[0] - deep->energy[0]) <= 2);
  }
  assert_int_equal(BeamSetDestroy(&beams), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Extent of the spots' R80 of beam 1, and of their places along x. */
static void Extent(const TinyPlan *p, const BeamSet *beams, double depth_mm[2], double x_mm[2])
{
  const Beam *beam = &beams->beam[1];
  depth_mm[0] = x_mm[0] = INFINITY;
  depth_mm[1] = x_mm[1] = -INFINITY;
  for (PetscInt r = 0; r < beam->n_run; r++) {
    const SpotRun *run = &beam->run[r];
    depth_mm[0] = PetscMin(depth_mm[0], p->machine.r80_mm[beam->energy[run->first_layer]]);
    depth_mm[1] = PetscMax(depth_mm[1], p->machine.r80_mm[beam->energy[run->first_layer + run->n - 1]]);
    x_mm[0] = PetscMin(x_mm[0], run->x_mm);
    x_mm[1] = PetscMax(x_mm[1], run->x_mm);
  }
}

/* Each margin moves its own side; fewer scenarios to cover need fewer spots. */
static void MarginsAndCover(void **state)
{
  (void)state;
  TinyPlan p;
  double depth[2], x[2], other_depth[2], other_x[2];
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const SpotSpec spots = p.spec.spots;
  Extent(&p, p.beams, depth, x);
  for (int side = 0; side < 3; side++) {
    SpotSpec wider = spots;
    *(side == 0 ? &wider.proximal_margin_mm : side == 1 ? &wider.distal_margin_mm : &wider.lateral_margin_mm) += 6;
    BeamSet *beams = LayOut(&p, wider);
    Extent(&p, beams, other_depth, other_x);
    const double proximal = depth[0] - other_depth[0], distal = other_depth[1] - depth[1], left = other_x[1] - x[1];
    assert_true(fabs(proximal - (side == 0 ? 6 : 0)) <= 3 + 1e-9 && fabs(distal - (side == 1 ? 6 : 0)) < 1e-9);
    assert_true(side == 2 ? left >= 4 - 1e-9 && left <= 8 + 1e-9 : left == 0);
    assert_int_equal(BeamSetDestroy(&beams), 0);
  }
  PetscInt n_spot[3];
  for (int cover = 0; cover < 3; cover++) {
    SpotSpec covering = spots;
    covering.cover = (SpotCover)cover;
    BeamSet *beams = LayOut(&p, covering);
    n_spot[cover] = beams->n_spot;
    assert_int_equal(BeamSetDestroy(&beams), 0);
  }
  print_message("spots that cover robust, nominal, scenarios: %d, %d, %d\n", (int)n_spot[0], (int)n_spot[1],
                (int)n_spot[2]);
  assert_int_equal(n_spot[COVER_ROBUST], p.beams->n_spot);
  assert_true(n_spot[COVER_NOMINAL] < n_spot[COVER_ROBUST] && n_spot[COVER_ROBUST] < n_spot[COVER_SCENARIOS]);
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
  p.spec.n = 1;
  assert_int_equal(BeamSetCreate(PETSC_COMM_SELF, &p.spec, &p.patient, &p.machine, &p.grid, &p.target, p.set, NULL,
                                 &mistakes, &beams),
                   0);
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
      BeamSetFromSpots(&p.spec, &p.patient, &p.machine, &p.grid, &p.target, &list, &mistakes, &beams, &spot_of), 0);
  assert_null(beams);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(mistakes.item[0].text, "plan.rst:21: machine tiny") ||
      !strstr(mistakes.item[0].text, "lacks 2 of the 4 energies of the plan: 333, 777.5 MeV/u"))
    fail_msg("%s", mistakes.item[0].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
  energy[2] = energy[3] = energy[4] = known[2];
  assert_int_equal(
      BeamSetFromSpots(&p.spec, &p.patient, &p.machine, &p.grid, &p.target, &list, &mistakes, &beams, &spot_of), 0);
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
  assert_double_near(sigma_mm[0], 2, 1e-12);
  assert_double_near(sigma_mm[2], 7 / 2.3548200450309493, 1e-12);
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

/* Length, mm, of a line that lies in a box. */
static double LengthWithin(const double from_mm[3], const double to_mm[3], const double low_mm[3],
                           const double high_mm[3])
{
  double enter = 0, leave = 1, length2 = 0;
  for (int k = 0; k < 3; k++) {
    const double step = to_mm[k] - from_mm[k], a = (low_mm[k] - from_mm[k]) / step,
                 b = (high_mm[k] - from_mm[k]) / step;
    enter = PetscMax(enter, PetscMin(a, b));
    leave = PetscMin(leave, PetscMax(a, b));
    length2 += step * step;
  }
  return PetscMax(0.0, leave - enter) * sqrt(length2);
}

/*
 * A slab in water, met obliquely by a beam of gantry 20: depths of random voxels are those of closed form. Lines from the source to a
 * voxel cross the slab's edges between voxels of one row, where a depth interpolated on a grid of the beam is wrong by a millimetre.
 */
static void ObliqueSlab(void **state)
{
  (void)state;
  enum { VOXELS = 600 };
  static const double slab_rsp[] = {0.001, 0.3, 1.6}, sad_mm[] = {0, 2000, 10000};
  const double low_mm[3] = {-90, -60, -60}, high_mm[3] = {90, 60, 60}; /* water */
  const double from_mm[3] = {-6, -42, -60}, to_mm[3] = {33, -12, 24};  /* the slab in it */
  Case patient = {.ct = {{60, 40, 40}, {3, 3, 3}, {-88.5, -58.5, -58.5}}};
  uint64_t seed = 20;
  assert_int_equal(PetscMalloc1(GridSize(&patient.ct), &patient.rsp), 0);
  for (int i = 0; i < 9; i++) {
    Beam beam = {.gantry_deg = 20, .isocentre_mm = {4, 5, -6}, .sad_mm = sad_mm[i / 3]};
    double point_mm[3], source_mm[3], most = 0;
    const double none[3] = {0}, rsp = (double)(float)slab_rsp[i % 3];
    PetscInt through = 0, beside = 0;
    BeamSetAxes(&beam);
    for (size_t v = 0; v < GridSize(&patient.ct); v++) {
      GridCentre(&patient.ct, v, point_mm);
      PetscBool inside = PETSC_TRUE;
      for (int k = 0; k < 3; k++)
        if (point_mm[k] < from_mm[k] || point_mm[k] > to_mm[k]) inside = PETSC_FALSE;
      patient.rsp[v] = (float)(inside ? rsp : 1);
    }
    for (int n = 0; n < VOXELS; n++) {
      GridCentre(&patient.ct, (size_t)(TinyRandom(&seed) * (double)GridSize(&patient.ct)), point_mm);
      BeamSource(&beam, point_mm, none, source_mm);
      const double slab_mm = LengthWithin(source_mm, point_mm, from_mm, to_mm);
      const double want = LengthWithin(source_mm, point_mm, low_mm, high_mm) + (rsp - 1) * slab_mm;
      const double difference = fabs(BeamWEPL(&beam, &patient, point_mm, none) - want);
      most = PetscMax(most, difference);
      through += slab_mm > 0;
      beside += slab_mm > 0 && slab_mm < 29.9; /* in at one side or out of another: an edge is met */
    }
    print_message("source at %g mm, slab of %g: %d voxels behind or in it, %d by an edge, depths within %.1e mm\n",
                  beam.sad_mm, rsp, (int)through, (int)beside, most);
    assert_true(most < 1e-6);
    assert_true(through > VOXELS / 20 && beside > VOXELS / 50);
  }
  assert_int_equal(PetscFree(patient.rsp), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Axes),
                                     cmocka_unit_test(PositionsAreTurns),
                                     cmocka_unit_test(ProjectionAndSource),
                                     cmocka_unit_test(ObliqueSlab),
                                     cmocka_unit_test(SpotsCoverEveryScenario),
                                     cmocka_unit_test(LayersAndRuns),
                                     cmocka_unit_test(HexagonalGrid),
                                     cmocka_unit_test(LayersByEnergy),
                                     cmocka_unit_test(MarginsAndCover),
                                     cmocka_unit_test(TooDeepIsAMistake),
                                     cmocka_unit_test(MissingEnergiesAreOneMistake),
                                     cmocka_unit_test(SpotSizesOfAPlan)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
