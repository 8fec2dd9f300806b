/* Spots split into sub-beams: as the whole spot in water, the transpose, and closer to the truth behind an edge.
 * sanitizer: slow */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tiny_plan.h"
#include <string.h>

/* The tiny plan with its model split in some way, in water or as it is. */
static void Create(TinyPlan *p, PetscInt components, double sad_mm, SpotSplitting splitting, PetscBool water)
{
  assert_int_equal(TinyPlanCreate(p, components, sad_mm), 0);
  for (size_t v = 0; v < GridSize(&p->patient.ct) && water; v++) p->patient.rsp[v] = 1;
  assert_int_equal(DoseModelDestroy(&p->model), 0);
  p->beams->splitting = splitting;
  assert_int_equal(DoseModelCreate(&p->patient, &p->machine, &p->tissues, p->beams, 1e-4, &p->model), 0);
  assert_true(DoseModelIsSplit(p->model) == (splitting != SPLITTING_NONE));
}

/* Doses of every ninth voxel in one scenario. */
static void Doses(TinyPlan *p, PetscInt scenario, PetscInt n, const PetscInt *voxel, double *channels)
{
  Influence influence;
  uint64_t seed = 3;
  double *x;
  assert_int_equal(PetscMalloc1(p->beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p->beams->n_spot; j++) x[j] = 1e6 * TinyRandom(&seed);
  assert_int_equal(InfluenceCreate(p->model, INFLUENCE_STREAMED, p->set, &p->grid, n, voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, scenario, x, channels), 0);
  assert_int_equal(InfluenceDestroy(&influence) || PetscFree(x), 0);
}

/*
 * In water a parallel beam at a right angle has one depth per plane: sub-beams add up to the spot, in all channels. An oblique one
 * meets the cube's faces aslant; there the depth of a sub-beam is not the voxel's, so only the upright beams are compared.
 */
static void SameInWater(void **state)
{
  enum { N = 192 };
  PetscInt voxel[N];
  for (PetscInt i = 0; i < N; i++) voxel[i] = 9 * i;
  for (int splitting = SPLITTING_COARSE; splitting <= SPLITTING_FINE; splitting++) {
    double whole[N * N_CHANNELS], split[N * N_CHANNELS], most = 0, worst = 0;
    for (int k = 0; k < 2; k++) {
      TinyPlan p;
      Create(&p, 2, 0, k ? (SpotSplitting)splitting : SPLITTING_NONE, PETSC_TRUE);
      p.beams->n_beam = 2;
      Doses(&p, 3, N, voxel, k ? split : whole);
      p.beams->n_beam = 3;
      assert_int_equal(TinyPlanDestroy(&p), 0);
    }
    for (int c = 0; c < N_CHANNELS; c++) {
      most = worst = 0;
      for (PetscInt i = c; i < N * N_CHANNELS; i += N_CHANNELS) {
        most = PetscMax(most, whole[i]);
        worst = PetscMax(worst, fabs(whole[i] - split[i]));
      }
      print_message("%s, channel %d: %.4f %% of the maximum\n", splitting == SPLITTING_FINE ? "fine" : "coarse", c,
                    100 * worst / most);
      assert_true(worst < 5e-4 * most);
    }
  }
}

static void Adjoint(void **state)
{
  for (int divergent = 0; divergent < 2; divergent++) {
    TinyPlan p;
    Influence influence;
    enum { ROWS = 60 };
    uint64_t seed = 7;
    double *x, *aty, y[ROWS * N_CHANNELS], ax[ROWS * N_CHANNELS], left = 0, right = 0;
    Create(&p, 2, divergent ? 1000 : 0, SPLITTING_COARSE, PETSC_FALSE);
    const PetscInt n = p.beams->n_spot;
    assert_int_equal(PetscMalloc2(n, &x, n, &aty), 0);
    for (PetscInt j = 0; j < n; j++) x[j] = TinyRandom(&seed), aty[j] = 0;
    for (PetscInt i = 0; i < ROWS * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
    assert_int_equal(InfluenceCreate(p.model, INFLUENCE_ASSEMBLED, p.set, &p.grid, ROWS, p.voxel + 800, &influence), 0);
    assert_int_equal(InfluenceApply(influence, 5, x, ax), 0);
    assert_int_equal(InfluenceApplyTranspose(influence, 5, y, aty), 0);
    for (PetscInt i = 0; i < ROWS * N_CHANNELS; i++) left += ax[i] * y[i];
    for (PetscInt j = 0; j < n; j++) right += x[j] * aty[j];
    print_message("<A x, y> = %.15g, <x, A^T y> = %.15g\n", left, right);
    assert_true(fabs(left) > 0 && fabs(left - right) <= 1e-12 * fabs(left));
    assert_int_equal(InfluenceDestroy(&influence) || PetscFree2(x, aty) || TinyPlanDestroy(&p), 0);
  }
}

/* A table of the tiny machine at a depth; 0 beyond its end. */
static double Table(const TinyPlan *p, PetscInt e, const double *table, double depth_mm)
{
  const double *z = p->machine.depth_mm + e * p->machine.n_depth;
  PetscInt d = 0;
  while (d + 2 < p->machine.n_depth && z[d + 1] < depth_mm) d++;
  const double t = (depth_mm - z[d]) / (z[d + 1] - z[d]);
  return table[e * p->machine.n_depth + d] * (1 - t) + table[e * p->machine.n_depth + d + 1] * t;
}

/* Dose at (x, 0) of one spot whose ions at x' > 0 have passed so much less water: an integral over infinitely narrow beams. */
static double BehindTheEdge(const TinyPlan *p, PetscInt e, double x_mm, double depth_mm, double less_mm)
{
  const double sigma = p->machine.spot_sigma_mm[e], step = 0.01;
  double sum = 0;
  for (double from = -6 * sigma + 0.5 * step; from < 6 * sigma; from += step) {
    const double z = depth_mm - (from > 0 ? less_mm : 0), water = Table(p, e, p->machine.sigma_mm, z);
    const double across = 2 * M_PI * (sigma * sigma + water * water);
    sum += step * exp(-0.5 * pow(from / sigma, 2)) / (sqrt(2 * M_PI) * sigma) * Table(p, e, p->machine.idd_Gy_mm2, z) *
           exp(-0.5 * pow((x_mm - from) / water, 2)) / (sqrt(2 * M_PI) * water) / sqrt(across);
  }
  return 1e6 * sum;
}

/* Largest difference from the integral behind the edge, of its maximum; scattering in water `wider` times the tiny machine's. */
static double EdgeError(SpotSplitting splitting, double wider)
{
  enum { N = 64 };
  TinyPlan p;
  Influence influence;
  PetscInt voxel[N], e = 5, spot = -1; /* R80 27 mm */
  double *x, channels[N * N_CHANNELS], most = 0, worst = 0;
  assert_int_equal(TinyPlanCreate(&p, 1, 0), 0);
  for (PetscInt i = 0; i < p.machine.n_energy * p.machine.n_depth; i++) p.machine.sigma_mm[i] *= wider;
  for (size_t v = 0; v < GridSize(&p.patient.ct); v++) {
    double point[3];
    GridCentre(&p.patient.ct, v, point);
    p.patient.rsp[v] = point[0] > 0 && point[1] < -18 ? 0.3f : 1; /* 12 mm */
  }
  assert_int_equal(DoseModelDestroy(&p.model), 0);
  p.beams->splitting = splitting;
  assert_int_equal(DoseModelCreate(&p.patient, &p.machine, &p.tissues, p.beams, 1e-4, &p.model), 0);
  const Beam *beam = &p.beams->beam[0];
  for (PetscInt r = 0; r < beam->n_run; r++)
    if (beam->run[r].x_mm == 0 && beam->run[r].y_mm == 0)
      for (PetscInt i = 0; i < beam->run[r].n; i++)
        if (beam->energy[beam->run[r].first_layer + i] == e) spot = beam->run[r].first_spot + i;
  assert_true(spot >= 0);
  assert_int_equal(PetscCalloc1(p.beams->n_spot, &x), 0);
  x[spot] = 1e6;
  const Grid line = {{N, 1, 1}, {0.3, 1, 1}, {-9.45, -4, 0}};
  for (PetscInt i = 0; i < N; i++) voxel[i] = i;
  assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &line, N, voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, x, channels), 0);
  for (PetscInt i = 0; i < N; i++) {
    const double truth = BehindTheEdge(&p, e, line.origin_mm[0] + i * line.spacing_mm[0], 26, 8.4);
    most = PetscMax(most, truth);
    worst = PetscMax(worst, fabs(channels[i * N_CHANNELS] - truth));
  }
  assert_int_equal(InfluenceDestroy(&influence) || PetscFree(x) || TinyPlanDestroy(&p), 0);
  return worst / most;
}

/*
 * Behind the edge of a cavity the depth of each voxel's own ray is right where ions hardly scatter: sub-beams blur what is sharp,
 * finer ones less. Where they scatter, a whole spot has a step that is not there, and sub-beams come close to the truth.
 */
static void EdgeOfACavity(void **state)
{
  for (int wide = 0; wide < 2; wide++) {
    double worst[3];
    for (int splitting = 0; splitting < 3; splitting++)
      worst[splitting] = EdgeError((SpotSplitting)splitting, wide ? 10 : 1);
    print_message("scattering %s mm: whole %.1f, coarse %.1f, fine %.1f %% of the maximum from the integral\n",
                  wide ? "2.6" : "0.26", 100 * worst[0], 100 * worst[1], 100 * worst[2]);
    assert_true(worst[SPLITTING_FINE] < worst[SPLITTING_COARSE]);
    assert_true(worst[SPLITTING_NONE] > 0.1);
    if (wide) assert_true(worst[SPLITTING_COARSE] < 0.5 * worst[SPLITTING_NONE]);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SameInWater), cmocka_unit_test(Adjoint),
                                     cmocka_unit_test(EdgeOfACavity)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
