/* The dose operator: adjoint identity, stored against streamed entries, lateral integral, cut-off, range and setup errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include <string.h>

static double Dot(size_t n, const double *a, const double *b)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void CheckAdjoint(InfluenceType type, PetscInt n_component, double sad_mm)
{
  TinyPlan p;
  Influence influence;
  uint64_t seed = 7;
  assert_int_equal(TinyPlanCreate(&p, n_component, sad_mm), 0);
  const PetscInt n = p.beams->n_spot, rows = 400;
  double *x, *y, *ax, *aty;
  assert_int_equal(PetscMalloc4(n, &x, rows * N_CHANNELS, &y, rows * N_CHANNELS, &ax, n, &aty), 0);
  assert_int_equal(InfluenceCreate(p.model, type, p.set, &p.grid, rows, p.voxel + 500, &influence), 0);
  for (PetscInt s = 0; s < p.set->n; s += 4) {
    for (PetscInt j = 0; j < n; j++) x[j] = TinyRandom(&seed), aty[j] = 0;
    for (PetscInt i = 0; i < rows * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
    assert_int_equal(InfluenceApply(influence, s, x, ax), 0);
    assert_int_equal(InfluenceApplyTranspose(influence, s, y, aty), 0);
    double left = Dot((size_t)rows * N_CHANNELS, ax, y), right = Dot((size_t)n, x, aty);
    assert_true(fabs(left) > 0);
    assert_true(fabs(left - right) <= 1e-12 * fabs(left));
  }
  assert_int_equal(InfluenceDestroy(&influence), 0);
  assert_int_equal(PetscFree4(x, y, ax, aty), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Dose of beams that err by themselves is the sum of each beam's at its own error; the adjoint is theirs, too. */
static void RangesOfBeamsAddUp(void **state)
{
  TinyPlan p;
  double two[] = {-3.5, 3.5};
  ScenarioSpec spec = {.n_range = 2, .range_percent = two, .setup = SETUP_NONE, .axes = {.n_beam = 3}};
  for (int factored = 0; factored < 2; factored++) {
    ScenarioSet *set[2];
    Influence influence[2];
    Factored field[2] = {NULL};
    const PetscInt rows = 300;
    assert_int_equal(TinyPlanCreate(&p, 2, factored ? 0 : 1000), 0);
    const PetscInt n = p.beams->n_spot;
    double *x, *part, *of_beam, *apart, *together, *y, *aty;
    assert_int_equal(PetscMalloc7(n, &x, n, &part, rows * N_CHANNELS, &of_beam, rows * N_CHANNELS, &apart,
                                  rows * N_CHANNELS, &together, rows * N_CHANNELS, &y, n, &aty),
                     0);
    uint64_t seed = 21;
    for (PetscInt j = 0; j < n; j++) x[j] = TinyRandom(&seed), aty[j] = 0;
    for (PetscInt i = 0; i < rows * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
    for (int k = 0; k < 2; k++) {
      spec.range_per_beam = k ? PETSC_TRUE : PETSC_FALSE;
      assert_int_equal(ScenarioSetCreate(&spec, &set[k]), 0);
      const FactoredVoxels voxels = {set[k], &p.grid, rows, p.voxel + 600};
      if (factored) assert_int_equal(FactoredCreate(PETSC_COMM_SELF, p.model, &voxels, PETSC_FALSE, &field[k]), 0);
      if (factored)
        assert_int_equal(InfluenceCreateFactored(field[k], set[k], &p.grid, rows, p.voxel + 600, &influence[k]), 0);
      else
        assert_int_equal(
            InfluenceCreate(p.model, INFLUENCE_STREAMED, set[k], &p.grid, rows, p.voxel + 600, &influence[k]), 0);
    }
    const Scenario *apart_row = NULL;
    for (PetscInt s = 0; s < set[1]->n; s++)
      if (!strcmp(set[1]->scenario[s].id, "r0-3.5_r1+3.5_r2-3.5")) apart_row = &set[1]->scenario[s];
    assert_non_null(apart_row);
    if (factored) assert_int_equal(FactoredSetWeights(field[1], x), 0);
    assert_int_equal(InfluenceApply(influence[1], apart_row->sums, x, apart), 0);
    memset(together, 0, sizeof(double) * (size_t)rows * N_CHANNELS);
    for (PetscInt b = 0; b < 3; b++) {
      const Beam *beam = &p.beams->beam[b];
      for (PetscInt j = 0; j < n; j++)
        part[j] = j >= beam->first_spot && j < beam->first_spot + beam->n_spot ? x[j] : 0;
      if (factored) assert_int_equal(FactoredSetWeights(field[0], part), 0);
      assert_int_equal(InfluenceApply(influence[0], b == 1 ? 2 : 1, part, of_beam), 0);
      for (PetscInt i = 0; i < rows * N_CHANNELS; i++) together[i] += of_beam[i];
    }
    double most = 0;
    for (PetscInt i = 0; i < rows * N_CHANNELS; i++) most = PetscMax(most, fabs(together[i]));
    for (PetscInt i = 0; i < rows * N_CHANNELS; i++) assert_true(fabs(together[i] - apart[i]) <= 1e-10 * most);
    if (!factored) {
      assert_int_equal(InfluenceApplyTranspose(influence[1], apart_row->sums, y, aty), 0);
      const double left = Dot((size_t)rows * N_CHANNELS, apart, y), right = Dot((size_t)n, x, aty);
      assert_true(fabs(left - right) <= 1e-12 * fabs(left));
    }
    for (int k = 0; k < 2; k++)
      assert_int_equal(InfluenceDestroy(&influence[k]) || FactoredDestroy(&field[k]) || ScenarioSetDestroy(&set[k]), 0);
    assert_int_equal(PetscFree7(x, part, of_beam, apart, together, y, aty) || TinyPlanDestroy(&p), 0);
  }
}

static void AdjointOfStoredAndStreamed(void **state)
{
  (void)state;
  CheckAdjoint(INFLUENCE_ASSEMBLED, 1, 0);
  CheckAdjoint(INFLUENCE_ASSEMBLED, 2, 1000);
  CheckAdjoint(INFLUENCE_STREAMED, 1, 1000);
  CheckAdjoint(INFLUENCE_STREAMED, 2, 0);
}

static void StreamedHasTheSameBits(void **state)
{
  (void)state;
  TinyPlan p;
  Influence stored, streamed;
  double a[300 * N_CHANNELS], b[300 * N_CHANNELS], *x;
  uint64_t seed = 3;
  assert_int_equal(TinyPlanCreate(&p, 2, 2000), 0);
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = TinyRandom(&seed);
  assert_int_equal(InfluenceCreate(p.model, INFLUENCE_ASSEMBLED, p.set, &p.grid, 300, p.voxel + 600, &stored), 0);
  assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, 300, p.voxel + 600, &streamed), 0);
  for (PetscInt s = 0; s < p.set->n; s++) {
    assert_int_equal(InfluenceApply(stored, s, x, a), 0);
    assert_int_equal(InfluenceApply(streamed, s, x, b), 0);
    assert_memory_equal(a, b, sizeof a);
  }
  assert_int_equal(InfluenceDestroy(&stored), 0);
  assert_int_equal(InfluenceDestroy(&streamed), 0);
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* The dose of all voxels in a plane, times pixel area, is the depth dose: to 2e-3 with a 0.2 % cut-off and 4 mm sampling. */
static void LateralIntegralIsTheDepthDose(void **state)
{
  (void)state;
  TinyPlan p;
  Influence influence;
  double *x, channels[144 * N_CHANNELS];
  PetscInt plane[144], n = 0, spot = -1;
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  const Beam *beam = &p.beams->beam[0]; /* gantry 0: planes of constant y */
  for (PetscInt r = 0; r < beam->n_run; r++)
    if (beam->run[r].x_mm == -4 && beam->run[r].y_mm == 0) spot = beam->run[r].first_spot + beam->run[r].n - 1;
  assert_true(spot >= 0);
  PetscInt energy = beam->energy[0];
  for (PetscInt r = 0; r < beam->n_run; r++)
    if (spot >= beam->run[r].first_spot && spot < beam->run[r].first_spot + beam->run[r].n)
      energy = beam->energy[beam->run[r].first_layer + spot - beam->run[r].first_spot];
  for (PetscInt k = 0; k < 12; k++)
    for (PetscInt i = 0; i < 12; i++) plane[n++] = (PetscInt)GridIndex(&p.grid, i, 3, k);
  assert_int_equal(PetscCalloc1(p.beams->n_spot, &x), 0);
  x[spot] = 1e6;
  for (size_t v = 0; v < GridSize(&p.patient.ct); v++) p.patient.rsp[v] = 1;
  assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, n, plane, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, x, channels), 0);
  double sum = 0, depth = InfluenceDepth(influence, p.set->of_phase[p.set->sums[0].first].view, 0, 0), expected;
  for (PetscInt v = 0; v < n; v++) sum += channels[v * N_CHANNELS] * 16;
  assert_true(fabs(depth - 20) < 1e-9); /* the plane y = -10 of a cube that begins at -30 */
  const double *z = p.machine.depth_mm + energy * 60, *idd = p.machine.idd_Gy_mm2 + energy * 60;
  PetscInt d = 0;
  while (z[d + 1] < depth) d++;
  expected = 1e6 * (idd[d] + (idd[d + 1] - idd[d]) * (depth - z[d]) / (z[d + 1] - z[d]));
  assert_true(fabs(sum / expected - 1) < 2e-3);
  assert_int_equal(InfluenceDestroy(&influence), 0);
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* A setup shift moves the dose with the beam: shifting the patient by one voxel equals looking at the neighbour. */
static void ShiftEqualsNeighbour(void **state)
{
  (void)state;
  TinyPlan p;
  ScenarioSet *set;
  Influence influence;
  double shift[1][3] = {{4, 0, 0}}, zero = 0, *x, a[2 * N_CHANNELS], b[2 * N_CHANNELS];
  ScenarioSpec spec = {.n_range = 1, .range_percent = &zero, .setup = SETUP_LIST, .n_shift = 1, .shift_mm = shift};
  uint64_t seed = 11;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  for (size_t v = 0; v < GridSize(&p.patient.ct); v++) p.patient.rsp[v] = 1;
  p.beams->n_beam = 1; /* only gantry 0, for which a shift along x leaves the depth */
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = TinyRandom(&seed);
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  PetscInt voxel[2] = {(PetscInt)GridIndex(&p.grid, 5, 6, 6), (PetscInt)GridIndex(&p.grid, 6, 6, 6)};
  assert_int_equal(InfluenceCreate(p.model, INFLUENCE_ASSEMBLED, set, &p.grid, 2, voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, x, a), 0);
  assert_int_equal(InfluenceApply(influence, 1, x, b), 0);
  for (int c = 0; c < N_CHANNELS; c++) assert_true(fabs(b[c] - a[N_CHANNELS + c]) <= 1e-6 * fabs(b[c]));
  assert_int_equal(InfluenceDestroy(&influence), 0);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  p.beams->n_beam = 3;
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/*
 * A range error scales what the patient adds to the depth, not the air in front of it: the same doses as with the air of this
 * ray in the base data's own offset.
 */
static void RangeErrorSparesTheAir(void **state)
{
  (void)state;
  TinyPlan p;
  Influence influence;
  double *x, dose[2][15][N_CHANNELS], shift[3] = {0, 0, 0}, point_mm[3];
  uint64_t seed = 13;
  assert_int_equal(TinyPlanCreate(&p, 1, 2000), 0);
  assert_int_equal(p.set->n, 15);
  const PetscInt voxel = (PetscInt)GridIndex(&p.grid, 5, 6, 6);
  p.beams->n_beam = 1; /* the air differs from beam to beam */
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = TinyRandom(&seed);
  p.machine.bams_to_iso_mm = 3000;
  GridCentre(&p.grid, (size_t)voxel, point_mm);
  const double air_mm = BeamPassed_mm(&p.beams->beam[0], &p.machine, &p.patient, point_mm, shift);
  assert_true(fabs(air_mm - 0.0011 * (1970 + 3000 - 2000)) < 1e-4);
  for (int k = 0; k < 2; k++) {
    if (k) p.machine.bams_to_iso_mm = 0, p.machine.offset_mm = air_mm;
    assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, 1, &voxel, &influence), 0);
    for (PetscInt s = 0; s < p.set->n; s++) assert_int_equal(InfluenceApply(influence, s, x, dose[k][s]), 0);
    assert_int_equal(InfluenceDestroy(&influence), 0);
  }
  for (PetscInt s = 0; s < p.set->n; s++)
    if (p.set->scenario[s].shift_mm[1] == 0) /* along the beam a shift changes the air */
      assert_true(fabs(dose[0][s][0] - dose[1][s][0]) <= 1e-5 * dose[1][s][0]);
  p.beams->n_beam = 3;
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

/* Before the tables' start the beam is as at their start, however far before. */
static void DepthsBeforeTheTables(void **state)
{
  (void)state;
  TinyPlan p;
  Influence influence;
  double *x, dose[2][N_CHANNELS];
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  const PetscInt voxel = (PetscInt)GridIndex(&p.grid, 5, 6, 6);
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = 1;
  for (int k = 0; k < 2; k++) {
    p.machine.offset_mm = k ? -100 : -80;
    assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, 1, &voxel, &influence), 0);
    assert_int_equal(InfluenceApply(influence, 0, x, dose[k]), 0);
    assert_int_equal(InfluenceDestroy(&influence), 0);
  }
  assert_true(dose[0][CHANNEL_DOSE] > 0);
  assert_memory_equal(dose[0], dose[1], sizeof dose[0]);
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AdjointOfStoredAndStreamed),
                                     cmocka_unit_test(StreamedHasTheSameBits),
                                     cmocka_unit_test(LateralIntegralIsTheDepthDose),
                                     cmocka_unit_test(ShiftEqualsNeighbour),
                                     cmocka_unit_test(RangeErrorSparesTheAir),
                                     cmocka_unit_test(DepthsBeforeTheTables),
                                     cmocka_unit_test(RangesOfBeamsAddUp)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
