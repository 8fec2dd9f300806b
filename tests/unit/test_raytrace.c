/* Ray tracing against closed forms, against a fine-step integral, and its symmetries. */
#include "phantom_case.h"
#include "robion/case.h"
#include "robion/raytrace.h"
#include <math.h>
#include "near.h"

enum { N = 7 * 5 * 6 };
static const Grid grid = {{7, 5, 6}, {1.5, 2, 3.3}, {-4, 3, -10}};
static float rsp[N], ones[N];

/* A reproducible number in [0, 1). */
static double Uniform(void)
{
  static unsigned long long seed = 12345;
  seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return (double)(seed >> 11) * 0x1p-53;
}

static int SetUp(void **state)
{
  for (int v = 0; v < N; v++) {
    rsp[v] = (float)(2 * Uniform());
    ones[v] = 1;
  }
  return 0;
}

/* A point in a box 1.6 times the grid. */
static void RandomPoint(double x_mm[3])
{
  for (int k = 0; k < 3; k++)
    x_mm[k] = grid.origin_mm[k] + grid.spacing_mm[k] * (grid.n[k] * (1.6 * Uniform() - 0.3) - 0.5);
}

static double Length(const double a[3], const double b[3])
{
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

static float RSPAt(const double x_mm[3])
{
  PetscInt i[3];
  for (int k = 0; k < 3; k++) {
    double q = floor((x_mm[k] - grid.origin_mm[k]) / grid.spacing_mm[k] + 0.5);
    if (q < 0 || q >= grid.n[k]) return 0;
    i[k] = (PetscInt)q;
  }
  return rsp[GridIndex(&grid, i[0], i[1], i[2])];
}

static double BruteForce(const double from[3], const double to[3])
{
  enum { STEPS = 20000 };
  double sum = 0;
  for (int s = 0; s < STEPS; s++) {
    double t = (s + 0.5) / STEPS, x[3];
    for (int k = 0; k < 3; k++) x[k] = from[k] + t * (to[k] - from[k]);
    sum += RSPAt(x);
  }
  return sum * Length(from, to) / STEPS;
}

static void RandomRays(void **state)
{
  int crossing = 0;
  for (int r = 0; r < 1000; r++) {
    double a[3], b[3];
    RandomPoint(a);
    RandomPoint(b);
    if (r % 5 == 0) b[r % 3] = a[r % 3];                                  /* in a plane */
    if (r % 7 == 0) b[r % 3] = a[r % 3], b[(r + 1) % 3] = a[(r + 1) % 3]; /* along an axis */
    double exact = BruteForce(a, b), found = RaytraceWEPL_mm(&grid, rsp, a, b);
    assert_double_near(found, exact, 1e-3 * exact + 2e-4 * Length(a, b));
    assert_double_near(RaytraceWEPL_mm(&grid, rsp, b, a), found, 1e-12);
    crossing += exact > 1;
    double middle[3], t = Uniform();
    for (int k = 0; k < 3; k++) middle[k] = a[k] + t * (b[k] - a[k]);
    double parts = RaytraceWEPL_mm(&grid, rsp, a, middle) + RaytraceWEPL_mm(&grid, rsp, middle, b);
    assert_double_near(parts, found, 1e-9);
  }
  assert_true(crossing > 500);
}

/* With rsp 1 the answer is the length inside the grid's box. */
static void LengthInBox(void **state)
{
  for (int r = 0; r < 10000; r++) {
    double a[3], b[3], enter = 0, leave = 1;
    RandomPoint(a);
    RandomPoint(b);
    if (r % 3) /* from far away */
      for (int k = 0; k < 3; k++) a[k] = b[k] + 1000 * (a[k] - b[k]);
    for (int k = 0; k < 3; k++) {
      double low = grid.origin_mm[k] - 0.5 * grid.spacing_mm[k], high = low + grid.n[k] * grid.spacing_mm[k];
      double t = (low - a[k]) / (b[k] - a[k]), u = (high - a[k]) / (b[k] - a[k]);
      enter = fmax(enter, fmin(t, u));
      leave = fmin(leave, fmax(t, u));
    }
    double want = leave > enter ? (leave - enter) * Length(a, b) : 0;
    assert_double_near(RaytraceWEPL_mm(&grid, ones, a, b), want, 1e-8);
  }
}

/* Rays inside cell walls belong to the cell of higher index, rays on the grid's upper faces to none. */
static void OnWalls(void **state)
{
  Grid cube = {{2, 2, 2}, {1, 1, 1}, {0.5, 0.5, 0.5}};
  const float value[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const double a[3] = {-3, 1, 0.5}, b[3] = {5, 1, 0.5};
  assert_double_near(RaytraceWEPL_mm(&cube, value, a, b), 4 + 8, 1e-14);
  assert_double_near(RaytraceWEPL_mm(&cube, value, b, a), 4 + 8, 1e-14);
  const double c[3] = {1, 1, -7}, d[3] = {1, 1, 1.25};
  assert_double_near(RaytraceWEPL_mm(&cube, value, c, d), 8 + 128 * 0.25, 1e-14);
  const double low[3] = {0, 0, 9}, low_end[3] = {0, 0, -9}, high[3] = {2, 1, 9}, high_end[3] = {2, 1, -9};
  assert_double_near(RaytraceWEPL_mm(&cube, value, low, low_end), 1 + 16, 1e-14);
  assert_double_near(RaytraceWEPL_mm(&cube, value, high, high_end), 0, 0);
  const double corner[3] = {-1, -1, -1}, opposite[3] = {3, 3, 3}; /* through three edges at once */
  assert_double_near(RaytraceWEPL_mm(&cube, value, corner, opposite), sqrt(3) * (1 + 128), 1e-12);
  const double edge[3] = {-1, 3, 0.5}, edge_end[3] = {3, -1, 0.5};
  assert_double_near(RaytraceWEPL_mm(&cube, value, edge, edge_end), sqrt(2) * (2 + 4), 1e-12);
  assert_double_near(RaytraceWEPL_mm(&cube, value, b, b), 0, 0);
  const double nowhere[3] = {NAN, 0, 0};
  assert_true(isnan(RaytraceWEPL_mm(&cube, value, nowhere, b)));
}

/* Rays along an axis: voxel after voxel of one row in eight sums, the bits that plans have always been made with. */
static void AlongAxes(void **state)
{
  enum { LANES = 8, SIDE = 29 };
  const Grid cube = {{SIDE, SIDE, SIDE}, {1.5, 2, 3.3}, {-4, 3, -10}};
  static float value[SIDE * SIDE * SIDE];
  PetscInt longest = 0;
  for (int v = 0; v < SIDE * SIDE * SIDE; v++) value[v] = (float)(2 * Uniform());
  for (int r = 0; r < 600; r++) {
    const int axis = r % 3;
    const double spacing_mm = cube.spacing_mm[axis];
    double a[3], b[3], sum[LANES] = {0}, total = 0;
    PetscInt at[3];
    for (int k = 0; k < 3; k++) { /* some of them beside the grid */
      const double x = SIDE * (1.2 * Uniform() - 0.1);
      a[k] = b[k] = cube.origin_mm[k] + cube.spacing_mm[k] * (x - 0.5);
      at[k] = x < 0 || x >= SIDE ? -1 : (PetscInt)x;
    }
    b[axis] += (r % 2 ? 1 : -1) * (5000 * Uniform() + 0.01);
    const PetscBool inside = at[(axis + 1) % 3] >= 0 && at[(axis + 2) % 3] >= 0 ? PETSC_TRUE : PETSC_FALSE;
    const double low = (fmin(a[axis], b[axis]) - cube.origin_mm[axis]) / spacing_mm + 0.5,
                 length = fabs((b[axis] - a[axis]) / spacing_mm), begin = fmax(0, low), end = fmin(SIDE, low + length);
    for (at[axis] = (PetscInt)begin; inside && at[axis] < end; at[axis]++)
      sum[(at[axis] - (PetscInt)begin) % LANES] +=
          (fmin(at[axis] + 1, end) - fmax(at[axis], begin)) * value[GridIndex(&cube, at[0], at[1], at[2])];
    for (int lane = 0; lane < LANES; lane++) total += sum[lane];
    longest = PetscMax(longest, (PetscInt)(end - begin));
    assert_double_near(RaytraceWEPL_mm(&cube, value, a, b), total * (fabs(b[axis] - a[axis]) / length), 0);
  }
  assert_true(longest > 2 * LANES);
}

/* Slabs across y of RSP 1, 0.001, 1.53: WEPL = sum of thickness * RSP / cos(angle). */
static void Slabs(void **state)
{
  Grid stack = {{400, 30, 10}, {1, 2, 5}, {-199.5, 1, -22.5}};
  float *value;
  assert_int_equal(PetscMalloc1(GridSize(&stack), &value), 0);
  for (size_t v = 0; v < GridSize(&stack); v++) {
    size_t j = (v / 400) % 30;
    value[v] = j < 10 ? 1.0f : j < 15 ? 0.001f : 1.53f;
  }
  for (int degrees = -70; degrees <= 70; degrees += 10) {
    double slope = tan(degrees * PETSC_PI / 180), to[3] = {30 * slope, 60, 3},
           from[3] = {-30 * slope - 100 * slope, -100, 3};
    double want = (20 + 10 * (double)0.001f + 30 * (double)1.53f) / cos(degrees * PETSC_PI / 180);
    assert_double_near(RaytraceWEPL_mm(&stack, value, from, to), want, 1e-9);
    to[0] -= 10 * slope; /* stop 10 mm before the end */
    to[1] -= 10;
    want -= 10 * (double)1.53f / cos(degrees * PETSC_PI / 180);
    assert_double_near(RaytraceWEPL_mm(&stack, value, from, to), want, 1e-9);
    double bone = RaytraceEntry_mm(&stack, value, from, to, 1.2);
    assert_double_near(bone, 130 / cos(degrees * PETSC_PI / 180), 1e-9);
  }
  assert_int_equal(PetscFree(value), 0);
}

/* Depth of the axis of the RTOG cylinder is its radius from every side. */
static void CylinderDepth(void **state)
{
  Case *patient = PhantomCase("rtog", "");
  for (int degrees = 0; degrees < 360; degrees += 7) {
    double angle = degrees * PETSC_PI / 180, from[3] = {5000 * sin(angle), -5000 * cos(angle), 0.3},
           to[3] = {0, 0, 0.3};
    assert_double_near(RaytraceWEPL_mm(&patient->ct, patient->rsp, from, to), 116, 0.75); /* half a voxel's diagonal */
    double skin = RaytraceEntry_mm(&patient->ct, patient->rsp, from, to, 0.05);
    assert_double_near(skin, 5000 - 116, 0.75);
    assert_double_near(RaytraceEntry_mm(&patient->ct, patient->rsp, to, from, 0.05), 0, 0);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void EntryGoesOnBeyond(void **state)
{
  Grid line = {{10, 1, 1}, {2, 2, 2}, {1, 1, 1}};
  const float value[10] = {0, 0, 0, 0, 0, 0.5f, 0, 1, 0, 0};
  const double a[3] = {-4, 1, 1}, near[3] = {-3, 1, 1}, far[3] = {40, 1, 1}, aside[3] = {40, 9, 1};
  assert_double_near(RaytraceEntry_mm(&line, value, a, near, 0.4), 14, 1e-12);
  assert_double_near(RaytraceEntry_mm(&line, value, a, far, 0.5), 18, 1e-12); /* above, not at the threshold */
  assert_double_near(RaytraceEntry_mm(&line, value, far, a, 0.4), 24, 1e-12);
  assert_true(isinf(RaytraceEntry_mm(&line, value, a, far, 1)));
  assert_true(isinf(RaytraceEntry_mm(&line, value, near, a, 0.4))); /* behind */
  assert_true(isinf(RaytraceEntry_mm(&line, value, far, aside, 0.4)));
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(RandomRays),        cmocka_unit_test(LengthInBox), cmocka_unit_test(OnWalls),
      cmocka_unit_test(AlongAxes),         cmocka_unit_test(Slabs),       cmocka_unit_test(CylinderDepth),
      cmocka_unit_test(EntryGoesOnBeyond),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, NULL);
  return PetscFinalize() ? 1 : failures;
}
