/*
 * Positron emitters in the patient: as many as the beam makes, where it leaves them, decaying and washed out as they should, the
 * same bits on any number of ranks.
 *
 * ranks: 1 2
 * sanitizer: slow timeout: 300
 */
#include "activity_box.h"

static double Sum(const Box *box, const float *per_mm3)
{
  double sum = 0;
  for (PetscInt v = 0; v < box->n; v++) sum += (double)per_mm3[v];
  return sum * 1e3 * GridVoxelVolume_cm3(&box->grid);
}

/* Emitters at rest of all particles up to a depth, from the base data; nuclei: carbon, nitrogen, oxygen per mm of water. */
static double Yield(const Box *box, PetscInt m, const double nuclei[3], double last_mm)
{
  const Machine *machine = box->machine;
  const Beam *beam = &box->beams->beam[0];
  double sum = 0;
  for (PetscInt r = 0; r < beam->n_run; r++)
    for (PetscInt i = 0; i < beam->run[r].n; i++) {
      const PetscInt e = beam->energy[beam->run[r].first_layer + i];
      const double *z = machine->depth_mm + e * machine->n_depth;
      for (PetscInt c = 0; c < N_EMISSIONS; c++)
        for (PetscInt k = 0; k < machine->n_component; k++) {
          const PetscInt at = (e * machine->n_emitter + m) * N_EMISSIONS + c;
          const float *row = machine->emission + (at * machine->n_component + k) * machine->n_depth;
          for (PetscInt d = 1; d < machine->n_depth && z[d] <= last_mm; d++)
            sum += box->weight[beam->run[r].first_spot + i] * (c ? nuclei[c - 1] : 1) * 0.5 * (z[d] - z[d - 1]) *
                   ((double)row[d] + (double)row[d - 1]);
        }
    }
  return sum;
}

/* As many as particles times what each leaves, whatever the ion, the grid, the direction, the matter and the range error. */
static void NothingIsLost(void **state)
{
  static const char *const scenario[] = {"nominal", "r+3.5", "r-3.5_y+3"}, *const names[] = {"11C", "10C", "15O",
                                                                                             "13N"};
  const double water[3] = {0, 0, 3.343}, pmma[3] = {3.579 / 1.165, 0, 1.432 / 1.165};
  const struct {
    const char *ion;
    double gantry_deg, spacing_mm;
    Composition composition;
  } of[] = {{"12C", 0, 4, COMPOSITION_WATER},
            {"11C", 20, 3, COMPOSITION_PMMA},
            {"11C", 330, 4, COMPOSITION_WATER},
            {"10C", 0, 2.5, COMPOSITION_WATER}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    Box box;
    ActivitySet set;
    CreateBox(of[i].ion, of[i].gantry_deg, of[i].spacing_mm, &box);
    ActivitySpec spec = Spec(3, scenario);
    spec.composition = of[i].composition;
    Compute(PETSC_COMM_WORLD, &box, &spec, &set);
    assert_int_equal(set.n, 3);
    for (PetscInt s = 0; s < set.n; s++)
      for (PetscInt m = 0; m < EMITTERS_HERE; m++) {
        const double factor = 1 + set.map[s].scenario->range_percent / 100;
        double nuclei[3]; /* a range error is one of the stopping power: as many nuclei on a longer or shorter way */
        for (int k = 0; k < 3; k++) nuclei[k] = (spec.composition == COMPOSITION_PMMA ? pmma : water)[k] / factor;
        const double expected = Yield(&box, m, nuclei, 150), found = Sum(&box, set.map[s].nuclei[m]);
        print_message("%s, gantry %g, %g mm, %s, %s: %s %.5g, expected %.5g: %+.2f %%\n", of[i].ion, of[i].gantry_deg,
                      of[i].spacing_mm, composition_names[spec.composition], set.map[s].scenario->id, names[m], found,
                      expected, 100 * (found / expected - 1));
        assert_double_near(found / expected, 1, 0.01);
      }
    assert_int_equal(ActivitySetDestroy(&set), 0);
    DestroyBox(&box);
  }
}

/* Every map has the same bits on all ranks together as on one, counts included; counts are Poisson's. */
static void SameBits(void **state)
{
  static const char *const scenario[] = {"nominal", "r-3.5_z-3"};
  ActivityWindow window[] = {{(char *)"during", -60, 0}, {(char *)"after", 120, 420}};
  Box box;
  ActivitySet together, alone;
  CreateBox("12C", 0, 4, &box);
  ActivitySpec spec = Spec(2, scenario);
  spec.n_windows = 2;
  spec.windows = window;
  spec.washout = WASHOUT_MIZUNO;
  spec.efficiency = 0.01;
  Compute(PETSC_COMM_WORLD, &box, &spec, &together);
  Compute(PETSC_COMM_SELF, &box, &spec, &alone);
  for (PetscInt s = 0; s < 2; s++) {
    const size_t bytes = (size_t)box.n * sizeof(float);
    for (PetscInt m = 0; m < EMITTERS_HERE; m++)
      assert_memory_equal(together.map[s].nuclei[m], alone.map[s].nuclei[m], bytes);
    for (PetscInt w = 0; w < 2; w++) {
      const float *image = alone.map[s].image[w], *counts = alone.map[s].counts[w];
      double expected = 0, misfit = 0;
      assert_memory_equal(together.map[s].image[w], image, bytes);
      assert_memory_equal(together.map[s].counts[w], counts, bytes);
      for (PetscInt v = 0; v < box.n; v++) {
        const double mean = 0.01 * 64 * (double)image[v];
        expected += mean;
        misfit += mean > 0 ? pow((double)counts[v] - mean, 2) - mean : 0;
      }
      const double drawn = Sum(&box, counts) / 64;
      print_message("%s, %s: %.0f counts, %.0f expected\n", scenario[s], window[w].name, drawn, expected);
      assert_true(expected > 1000 && fabs(drawn - expected) < 4 * sqrt(expected));
      assert_true(fabs(misfit) < 0.1 * expected); /* the variance is the mean */
    }
  }
  assert_int_equal(ActivitySetDestroy(&together), 0);
  assert_int_equal(ActivitySetDestroy(&alone), 0);
  DestroyBox(&box);
}

/* Depth of the maximum of values 1 mm apart, by the parabola through the highest three. */
static double Peak(PetscInt n, const double *value)
{
  PetscInt i = 1;
  for (PetscInt k = 1; k + 1 < n; k++)
    if (value[k] > value[i]) i = k;
  const double a = value[i - 1], b = value[i], c = value[i + 1];
  return 0.5 + (double)i + 0.5 * (a - c) / (a - 2 * b + c);
}

/* A layer of 11C is most active within 0.15 mm of the R80 of its dose, in the patient as in the base data. */
static void PeakAtR80(void **state)
{
  static const char *const scenario[] = {"nominal"};
  Box box;
  ActivitySet set;
  const ActivitySpec spec = Spec(1, scenario);
  CreateBox("11C", 0, 1, &box);
  const Beam *beam = &box.beams->beam[0];
  for (PetscInt l = 0; l < beam->n_layer; l += PetscMax(1, beam->n_layer - 1)) {
    double depth[200] = {0};
    for (PetscInt r = 0; r < beam->n_run; r++)
      for (PetscInt i = 0; i < beam->run[r].n; i++)
        box.weight[beam->run[r].first_spot + i] = beam->run[r].first_layer + i == l ? 1e6 : 0;
    Compute(PETSC_COMM_WORLD, &box, &spec, &set);
    const PetscInt nx = box.grid.n[0], ny = box.grid.n[1];
    for (PetscInt v = 0; v < box.n; v++) depth[v / nx % ny] += (double)set.map[0].nuclei[C11][v];
    const double peak = Peak(ny, depth), r80 = box.machine->r80_mm[beam->energy[l]];
    print_message("11C layer %d: most 11C at %.3f mm, R80 %.3f mm\n", (int)l, peak, r80);
    assert_double_near(peak, r80, 0.15);
    assert_int_equal(ActivitySetDestroy(&set), 0);
  }
  DestroyBox(&box);
}

/* Nuclei of tissue, 1e22/cm3, after Schneider et al. (2000). */
static void CompositionOfTissue(void **state)
{
  const struct {
    double hu, nuclei[N_NUCLEI];
  } of[] = {{-700, {.160, .041, .859}},  {-80, {3.182, .008, .695}},  {0, {1.803, .096, 1.936}},
            {40, {.705, .135, 2.854}},   {250, {2.600, .142, 1.675}}, {600, {2.122, .222, 2.220}},
            {1000, {1.711, .303, 2.814}}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    const Matter matter = MatterOfHU(of[i].hu);
    for (int k = 0; k < N_NUCLEI; k++) assert_double_near(matter.nuclei_1e22_cm3[k], of[i].nuclei[k], 1e-3);
  }
  assert_double_near(MatterOfHU(-2000).density_g_cm3, 0.00121, 1e-12);
  assert_double_near(MatterOfHU(4000).density_g_cm3, 1.12 + 0.000711 * 3899, 1e-12);
}

/* Means over voxels of the CT: half fat, half bone; air outside of the CT and where there is no stopping power. */
static void CompositionOfVoxels(void **state)
{
  short hu[2] = {-80, 600};
  float rsp[2] = {0.95f, 1.3f};
  const Case patient = {.ct = {{2, 1, 1}, {1, 1, 1}, {0, 0, 0}}, .hu = hu, .rsp = rsp};
  const Grid grid = {{2, 1, 1}, {2, 1, 1}, {0.5, 0, 0}}; /* the second voxel lies beside the CT */
  const PetscInt voxel[2] = {0, 1};
  Matter matter[2];
  assert_int_equal(CaseMatter(&patient, COMPOSITION_TISSUE, &grid, 2, voxel, matter), 0);
  assert_double_near(matter[0].nuclei_1e22_cm3[NUCLEI_CARBON], 0.5 * (3.182 + 2.122), 1e-3);
  assert_double_near(matter[0].rsp, 1.125, 1e-6);
  assert_double_near(matter[0].hu, 260, 1e-9);
  assert_double_near(matter[1].density_g_cm3, 0.00121, 1e-9);
  assert_double_near(matter[1].rsp, RSP_AIR, 1e-9);
  assert_int_equal(CaseMatter(&patient, COMPOSITION_WATER, &grid, 1, voxel, matter), 0);
  assert_double_near(matter[0].nuclei_1e22_cm3[NUCLEI_OXYGEN], 1.125 * 3.343, 1e-5);
  assert_double_near(matter[0].nuclei_1e22_cm3[NUCLEI_CARBON], 0, 0);
  rsp[1] = (float)RSP_AIR; /* as outside of the external structure */
  assert_int_equal(CaseMatter(&patient, COMPOSITION_TISSUE, &grid, 1, voxel, matter), 0);
  assert_double_near(matter[0].nuclei_1e22_cm3[NUCLEI_CARBON], 0.5 * 3.182, 1e-3);
}

/* Decays of a nucleus in a window in closed form, for 60 s of irradiation. */
static void DecaysInWindows(void **state)
{
  const double c11 = 20.334 * 60, o15 = 122.24, c10 = 19.29, window[3][2] = {{-60, 0}, {120, 420}, {600, 1800}};
  const struct {
    double half_life_s;
    WashoutTissue tissue;
    double decays[3];
  } of[] = {{c11, WASHOUT_KEPT, {.016852, .143912, .345577}},
            {c11, WASHOUT_BRAIN, {.011028, .060335, .112747}},
            {o15, WASHOUT_KEPT, {.152355, .350912, .028194}},
            {c10, WASHOUT_KEPT, {.589880, .005498, 0}}};
  const Irradiation steady = {60, 0, 0};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++)
    for (int w = 0; w < 3; w++)
      assert_double_near(DecaysPerNucleus(of[i].half_life_s, of[i].tissue, &steady, window[w][0], window[w][1]),
                         of[i].decays[w], 1.5e-6);
  assert_double_near(DecaysPerNucleus(c11, WASHOUT_KEPT, &steady, -1e4, 1e6), 1, 1e-6);
  for (int t = WASHOUT_SLOW; t < N_WASHOUTS; t++) /* less than without, and no overflow after an hour of irradiation */
    assert_true(DecaysPerNucleus(c11, t, &(Irradiation){3600, 0, 0}, -1e4, 1e6) > 0.1 &&
                DecaysPerNucleus(c11, t, &(Irradiation){3600, 0, 0}, -1e4, 1e6) < 1);
}

/* Spills of 2 s and pauses of 3 s against a sum over small steps; only pauses and what comes behind are counted. */
static void DecaysBetweenSpills(void **state)
{
  const Irradiation irradiation = {57, 2, 3}; /* 12 spills, the last from 55 to 57 s */
  const double half_life_s = 19.29, window[][2] = {{-57, 0}, {-30, -20.5}, {-10, 60}, {0, 60}};
  for (int w = 0; w < 4; w++) {
    const double dt = 0.001, rate = 1 / (12 * 2.0), lambda = M_LN2 / half_life_s;
    double there = 0, sum = 0;
    for (PetscInt i = 0; (double)i * dt < 57 + window[w][1]; i++) {
      const double t = ((double)i + 0.5) * dt;
      const PetscBool on = t < 57 && fmod(t, 5) < 2 ? PETSC_TRUE : PETSC_FALSE;
      there += 0.5 * dt * ((on ? rate : 0) - lambda * there);
      if (!on && t > 57 + window[w][0]) sum += lambda * there * dt;
      there += 0.5 * dt * ((on ? rate : 0) - lambda * there);
    }
    assert_double_near(DecaysPerNucleus(half_life_s, WASHOUT_KEPT, &irradiation, window[w][0], window[w][1]), sum,
                       2e-4 * sum);
  }
}

/* A point source is spread by its variance along each axis and loses nothing; two of different variances, each by its own. */
static void BlurKeepsCounts(void **state)
{
  const Grid grid = {{60, 50, 40}, {1, 1.2, 1.5}, {0, 0, 0}};
  const size_t size = GridSize(&grid), at = GridIndex(&grid, 30, 25, 20);
  float *decays, *variance;
  double *image;
  assert_int_equal(PetscCalloc3(size, &decays, size, &variance, size, &image), 0);
  for (double mm2 = 4; mm2 < 9; mm2 += 1.3) {
    double sum = 0, square[3] = {0};
    memset(image, 0, size * sizeof *image);
    decays[at] = 5;
    decays[0] = 0;
    for (size_t v = 0; v < size; v++) variance[v] = (float)mm2;
    variance[at + 1] = 4; /* the lowest of all: others lie between rungs */
    decays[at + 1] = 1e-6f;
    assert_int_equal(ActivityBlur(&grid, decays, variance, image), 0);
    for (size_t v = 0; v < size; v++) {
      double p[3], centre[3];
      GridCentre(&grid, v, p);
      GridCentre(&grid, at, centre);
      sum += image[v];
      for (int k = 0; k < 3; k++) square[k] += image[v] * pow(p[k] - centre[k], 2);
    }
    assert_double_near(sum, 5, 1e-5);
    for (int k = 0; k < 3; k++) /* voxels are as wide as they are: a twelfth of their square beside the variance */
      assert_double_near(square[k] / sum, mm2 + grid.spacing_mm[k] * grid.spacing_mm[k] / 12, 0.01 * mm2);
  }
  assert_int_equal(PetscFree3(decays, variance, image), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(CompositionOfTissue),
                                     cmocka_unit_test(CompositionOfVoxels),
                                     cmocka_unit_test(DecaysInWindows),
                                     cmocka_unit_test(DecaysBetweenSpills),
                                     cmocka_unit_test(BlurKeepsCounts),
                                     cmocka_unit_test(NothingIsLost),
                                     cmocka_unit_test(SameBits),
                                     cmocka_unit_test(PeakAtR80)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
